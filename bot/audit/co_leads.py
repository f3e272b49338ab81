"""Several people lead a department: what one of them answers while another has a sitting open.

It is not asked twice: the other is told, kindly, and goes on with the next open question. Whoever was at that
very question already, or wishes to answer it all the same, gives a second view, compared like any other (see
second.py); neither overwrites the other. It counts as agreement, never as corroboration: a lead may have seen
the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.agreement import agreement_of
from bot.audit.commands import command
from bot.audit.instrument import Instrument
from bot.audit.queues import known_answers
from bot.audit.records import latest_answers
from bot.audit.state import AnsweredMeanwhile, Input, Resume, State
from bot.messages import plain
from bot.speech import Chose, Words
from bot.store.tables import Answer, Claim, DialogueSession, Person


@dataclass(frozen=True)
class Meanwhile:
    """An answer that somebody else gave since a sitting began, and that person's name."""

    answer: Answer
    name: str


async def answered_meanwhile(
    tx: AsyncSession, instrument: Instrument, row: DialogueSession, now: datetime
) -> dict[str, Meanwhile]:
    """What others answered for the department since this sitting began, by criterion; what they don't know
    themselves is left out.
    """
    rows = await latest_answers(tx, instrument, row.department_id, now)
    found = {
        criterion: each
        for criterion, each in rows.items()
        if each.picked_by not in (None, row.person_id)
        and each.answered_at > row.started_at
        and each.expired_by is None
        and each.claim is not Claim.UNKNOWN
    }
    if not found:
        return {}
    people = await tx.exec(
        select(Person.id, Person.name).where(col(Person.id).in_({each.picked_by for each in found.values()}))
    )
    names = dict(people.all())
    return {criterion: Meanwhile(each, names[each.picked_by]) for criterion, each in found.items()}


def news(
    instrument: Instrument, state: State, given: Input, others: dict[str, Meanwhile]
) -> AnsweredMeanwhile | None:
    """What the sitting has to hear of `others` before it takes `given`; None where that is nothing."""
    open_ones = {criterion: each for criterion, each in others.items() if criterion not in state.settled}
    if state.current in open_ones and not _comes_anew(state, given):
        del open_ones[state.current]
    if not open_ones:
        return None
    rows = {criterion: each.answer for criterion, each in open_ones.items()}
    known = known_answers(instrument, rows, person_id=0, leads=())
    return AnsweredMeanwhile(known, {criterion: each.name for criterion, each in open_ones.items()})


def _comes_anew(state: State, given: Input) -> bool:
    """The present question has no word yet, and its card is shown once more or compares with an answer that
    is no longer the last one.
    """
    if state.draft.words or state.interlude or state.phase not in ("case", "different"):
        return False
    taps = isinstance(given, Chose) or (isinstance(given, Words) and command(given.text) is not None)
    shown = isinstance(given, Chose) and given.what.endswith((".resume", ".show"))
    return shown or isinstance(given, Resume) or (taps and state.phase == "different")


def is_second_view(others: dict[str, Meanwhile], criterion: str, claim: str) -> bool:
    """Whether an answer stands beside the one of a co-lead instead of replacing it."""
    other = others.get(criterion)
    return other is not None and other.answer.claim is Claim.LEVEL and claim != "not_applicable"


def both_answered(other: Meanwhile, level: int | None) -> str:
    """Said to whoever answered what a co-lead had answered meanwhile."""
    said = f"{plain(other.name)} has answered this one meanwhile, too."
    if level is None or other.answer.level is None:
        return f"{said} That answer stands."
    how = {
        "same_level": "You two see it the same way.",
        "one_level_apart": "You are one step apart, so the lower one counts for now.",
        "two_or_more_apart_unresolved": "You see it quite differently. Could you two talk about one "
        "recent case? Say **change my answer** if you then see it another way; after a week the lower view "
        "counts.",
    }
    return f"{said} {how[agreement_of(other.answer.level, level)]}"
