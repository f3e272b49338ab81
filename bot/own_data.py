"""What is kept about whoever asks, counted, in plain words: who reads it, and who hands it out or erases it.

Within a sitting the audit says it in two sentences (bot.audit.help_words), so that nobody loses the place.
"""

from __future__ import annotations

import re
from typing import Any

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.commands import command
from bot.audit.phrases import joined
from bot.audit.waiting import is_for_a_sitting
from bot.messages import Message, plain
from bot.organisation.directory import holders
from bot.store.tables import Answer, Blocker, CoverageAnswer, DutyName, Person, Plan, PolicyQuestion
from bot.turns import Turn

PREFIX = "own"

_KEPT: tuple[tuple[Any, str, str], ...] = (
    (Answer.picked_by, "answer to the audit", "answers to the audit"),
    (CoverageAnswer.person_id, "answer about a task", "answers about tasks"),
    (Plan.person_id, "next step", "next steps"),
    (Blocker.raised_by, "note on what is in the way", "notes on what is in the way"),
    (PolicyQuestion.person_id, "question about the policies", "questions about the policies"),
)
"""What is counted: the column that names the person, and what one and several are called."""


class OwnDataUseCase:
    """A use case (see bot.turns.UseCase)."""

    prefix = PREFIX

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words that ask what is kept, or for its export or end. Never in a channel."""
        words = turn.text or ""
        if turn.public or command(words) != ("data", ""):
            return False
        return not await is_for_a_sitting(tx, turn.person_id, words)

    async def prepare(self, turn: Turn) -> None:
        """Nothing takes time here."""

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        """What is kept, as counted now."""
        person = await tx.get_one(Person, turn.person_id)
        counted = [await _count(tx, column, turn.person_id) for column, _, _ in _KEPT]
        lines = [
            f"{n} {one if n == 1 else many}" for n, (_, one, many) in zip(counted, _KEPT, strict=True) if n
        ]
        kept = joined(lines) if lines else "nothing that you answered or asked so far"
        return [Message(kind="result", text=await _said(tx, person, kept, turn.text or ""))]


async def _count(tx: AsyncSession, column: Any, person_id: int) -> int:
    found = await tx.exec(select(func.count()).where(col(column) == person_id))
    return found.one()


async def _named(tx: AsyncSession, duty: DutyName, otherwise: str) -> str:
    people = [plain(person.name) for person in await holders(tx, duty)]
    return joined(people) if people else otherwise


async def _said(tx: AsyncSession, person: Person, kept: str, words: str) -> str:
    owner = await _named(tx, DutyName.PROGRAMME_OWNER, "whoever runs the AI programme")
    admin = await _named(tx, DutyName.ADMIN, "your administrator")
    return (
        f"{_ask(words, admin)}This is what I keep about you:\n\n"
        f"- who you are: {plain(person.name)}, {plain(person.email)}, your department and your role\n"
        f"- {kept}\n"
        "- what you and I wrote to each other, and when you wish to be asked\n\n"
        f"Your answers in your own words are read by you and {owner}, and by nobody else unless you release "
        "a sentence. They are never used for anyone's performance, pay or job.\n\n"
        f"To have all of it as a file, or to have it erased, ask {admin}. “Show my answers” "
        "shows them here."
    )


def _ask(words: str, admin: str) -> str:
    """Said first to whoever wants something done."""
    if re.search(r"\b(?:delete|erase|remove|forget|lösche?)\b", words, re.IGNORECASE):
        return (
            f"I don't erase anything on a word in the chat; {admin} does it for you, all of it at once.\n\n"
        )
    if re.search(r"\b(?:export|download|send|copy|exportiere)\b", words, re.IGNORECASE):
        return f"{admin[:1].upper()}{admin[1:]} gives you all of it as one file.\n\n"
    return ""
