"""What people have confirmed: that a passage answers a question, or that it does not.

The words of the askers stay in the database; this is for the search alone, which finds its limits by them
(knowledge.bands). It says nothing about who asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import Band, Gap, GapStatus, Passage, PolicyQuestion

_BESIDE = "other"
"""The reason of a bad mark that says that the answer was about something else."""


@dataclass(frozen=True)
class Confirmed:
    """A question, a passage that is there now, and whether the passage answers it."""

    question: str
    passage_id: int
    answers: bool


async def confirmed(session: AsyncSession) -> list[Confirmed]:
    """Every confirmed pair, oldest first, each pair once with its latest word.

    Yes: an answer that its asker found good, and an owner's reply to the question that it answered. No: an
    answer that was about something else, and the nearest passage of a question whose owner replied anew.
    """
    pairs = [*await _marked(session), *await _replied(session)]
    there = await _present(session, {number for _, number, _ in pairs})
    latest = {(text, number): answers for text, number, answers in pairs if number in there}
    return [Confirmed(text, number, answers) for (text, number), answers in latest.items()]


async def _marked(session: AsyncSession) -> list[tuple[str, int, bool]]:
    found = await session.exec(
        select(PolicyQuestion)
        .where(col(PolicyQuestion.mark).is_not(None), PolicyQuestion.band == Band.ANSWER)
        .order_by(col(PolicyQuestion.id))
    )
    return [
        (question.text, question.passage_ids[0], question.mark == 1)
        for question in found
        if question.passage_ids and (question.mark == 1 or question.mark_reason == _BESIDE)
    ]


async def _replied(session: AsyncSession) -> list[tuple[str, int, bool]]:
    found = await session.exec(
        select(Gap.text, PolicyQuestion.passage_ids, Passage.id)
        .join(PolicyQuestion, col(PolicyQuestion.id) == Gap.question_id)
        .join(Passage, col(Passage.document_id) == Gap.entry_document_id)
        .where(Gap.status == GapStatus.ANSWERED, Passage.ordinal == 0)
        .order_by(col(Gap.id))
    )
    pairs = []
    for text, nearest, entry in found:
        pairs += [(text, number, False) for number in nearest[:1]]
        pairs.append((text, entry or 0, True))
    return pairs


async def _present(session: AsyncSession, numbers: set[int]) -> set[int | None]:
    there: set[int | None] = set()
    wanted = sorted(numbers)
    for start in range(0, len(wanted), 1_000):
        there |= set(
            await session.exec(select(Passage.id).where(col(Passage.id).in_(wanted[start : start + 1_000])))
        )
    return there
