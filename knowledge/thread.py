"""What was asked before in a thread, and how a follow-up finds back to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import PolicyQuestion
from bot.turns import Turn
from knowledge.query import leans_on_earlier

HOLDS = timedelta(hours=2)
"""How long a question is what a follow-up is about."""
_LOOKED_BACK = 8  # questions


@dataclass(frozen=True)
class Thread:
    """One person's questions in a thread, newest first."""

    questions: Sequence[PolicyQuestion] = ()

    @property
    def last(self) -> PolicyQuestion | None:
        """The question before."""
        return self.questions[0] if self.questions else None

    @property
    def shown(self) -> PolicyQuestion | None:
        """The last question whose answer showed a passage; without one, the last question."""
        return next((each for each in self.questions if each.passage_ids), self.last)

    def subject(self, before: PolicyQuestion | None = None) -> tuple[str, ...]:
        """What a follow-up is about: the last question that stands by itself, of those that were asked before
        `before`. "And in Portugal?", "and part-timers?" both lean on what came ahead of them."""
        older = [each for each in self.questions if before is None or (each.id or 0) < (before.id or 0)]
        alone = [each.text for each in older if not leans_on_earlier(each.text)]
        return tuple(alone[:1] or [each.text for each in older[-1:]])


async def thread_of(session: AsyncSession, turn: Turn) -> Thread:
    """The thread that `turn` stands in, if this person asked there not long ago."""
    found = await session.exec(
        select(PolicyQuestion)
        .where(
            PolicyQuestion.person_id == turn.person_id,
            PolicyQuestion.conversation == turn.conversation,
            _in_thread(turn),
            PolicyQuestion.asked_at >= turn.at - HOLDS,
        )
        .order_by(col(PolicyQuestion.id).desc())
        .limit(_LOOKED_BACK)
    )
    return Thread(tuple(found))


def _in_thread(turn: Turn) -> ColumnElement[bool]:
    """The thread's own; and between two people also what stands above it: a thread hangs on a question."""
    above = col(PolicyQuestion.thread).is_(None)
    if turn.thread is None:
        return above
    own = col(PolicyQuestion.thread) == turn.thread
    return own if turn.public else own | above
