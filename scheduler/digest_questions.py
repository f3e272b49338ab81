"""Asking about a digest: where a figure comes from, and the digests of earlier weeks as they were sent."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.choice_ids import parse_choice_id
from bot.messages import Message
from bot.store.tables import Department, SentDigest
from bot.turns import Turn
from scheduler.digest_answers import about_digest, all_sources, may_ask

PREFIX = "digest"
LONGEST_QUESTION = 200
"""Letters of a question about a figure; what is longer is meant for somebody else."""

_SHOW = re.compile(
    r"(?:please )?(?:show|open)?(?: me)?(?: the| my| our)?(?: last| latest)? ?(?:weekly )?digest"
    r"(?: (?:of|for|from)(?: week)? (\d{4}-W\d{2}))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Prepared:
    """Nothing is needed beforehand."""


class DigestUseCase:
    """Answers from the stored digest, never from today's data: the figure is explained as it was sent."""

    prefix = PREFIX

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words about a figure, or about a digest, of somebody who got one."""
        words = _words(turn)
        if not words or len(words) > LONGEST_QUESTION:
            return False
        shows = _SHOW.fullmatch(words) is not None
        if not (shows or may_ask(words)):
            return False
        digest = await _latest(tx, turn, None)
        return digest is not None and (shows or about_digest(digest, words) is not None)

    async def prepare(self, turn: Turn) -> Prepared:
        """Nothing takes time here."""
        return Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """One question about a digest."""
        if turn.choice is not None:
            choice = parse_choice_id(turn.choice)
            name, _, week = choice.what.partition(".") if choice else ("", "", "")
            found = await _latest(tx, turn, week) if name == "sources" else None
            return [_NOTHING if found is None else all_sources(found)]
        words = _words(turn)
        if (shown := _SHOW.fullmatch(words)) is not None:
            found = await _latest(tx, turn, shown[1].upper() if shown[1] else None)
            return [_NOTHING if found is None else Message.model_validate(found.content["message"])]
        found = await _latest(tx, turn, None)
        return [_NOTHING if found is None else about_digest(found, words) or all_sources(found)]


_NOTHING = Message(kind="notice", text="I have no digest of that week for you.")


def _words(turn: Turn) -> str:
    return " ".join((turn.text or "").split()).strip(" ?.!")


async def _latest(tx: AsyncSession, turn: Turn, week: str | None) -> SentDigest | None:
    """The digest of `week`, else the newest, that went to this person or to the channel where they ask."""
    recipients = [f"person:{turn.person_id}"]
    if turn.public:
        channels = await tx.exec(select(Department.id, Department.channels))
        recipients += [
            f"department:{id_}" for id_, known in channels if known.get(turn.platform) == turn.conversation
        ]
    query = select(SentDigest).where(col(SentDigest.recipient).in_(recipients))
    if week:
        query = query.where(SentDigest.week == week)
    found = await tx.exec(query.order_by(col(SentDigest.week).desc(), col(SentDigest.id).desc()).limit(1))
    return found.first()
