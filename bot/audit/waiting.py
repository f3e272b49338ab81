"""Which sitting a person's words are for, and which of two sittings is the present one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.commands import command
from bot.audit.opening import AUDITS, LIVE, live_sessions, load_state
from bot.audit.state import State
from bot.store.tables import DialogueSession, SessionKind, SessionStatus
from bot.when import parse_day

LONG_AGO = timedelta(days=30)
"""The shortest cadence of the instrument: after that a rest between two sittings is over."""
EVERY_KIND = (*AUDITS, SessionKind.SECOND_RATER)
_START = re.compile(
    r"(start|begin|resume|continue)?( the| an| my)? ?(audit|check[- ]?in|sitting)"
    r"|(let'?s )?(start|begin)|resume"
)


def left_long_ago(row: DialogueSession, now: datetime) -> bool:
    """Between two sittings for so long that a new audit has the better questions."""
    if row.kind not in AUDITS or row.status not in LIVE or now - row.updated_at < LONG_AGO:
        return False
    return load_state(row).phase == "rest"


def went_on(live: Sequence[DialogueSession], asking: DialogueSession) -> bool:
    """A card of the coaching or the coverage that waits for words was shown after this one."""
    return any(
        row.kind not in EVERY_KIND and row.status is SessionStatus.OPEN and row.updated_at > asking.updated_at
        for row in live
    )


async def newer_sitting(tx: AsyncSession, row: DialogueSession) -> DialogueSession | None:
    """The live sitting that took the place of a finished one."""
    kinds = AUDITS if row.kind in AUDITS else (row.kind,)
    live = await live_sessions(tx, row.person_id, kinds, lock=True)
    return next((each for each in live if each.department_id == row.department_id), None)


def takes_words(state: State, text: str) -> bool:
    """A card waits for these words. Between two sittings short commands and days are meant for the audit; of
    somebody who has not seen the first card only words that agree to begin; in a pause only "go on".
    """
    if state.phase == "welcome" and not state.greeted:
        return is_start(text) or command(text) == ("start", "")
    if state.paused:
        return command(text) == ("resume", "")
    return state.asks or (state.phase == "rest" and (command(text) is not None or _is_a_day(text)))


def _is_a_day(text: str) -> bool:
    """Hardly more than a day, as in "tomorrow" or "on Friday"."""
    return len(text.split()) <= 4 and not text.endswith("?") and parse_day(text, date(2000, 1, 3)) is not None


async def is_for_a_sitting(tx: AsyncSession, person_id: int, text: str) -> bool:
    """A sitting of this person would act on "pause", "resume" or "hello": one that asks, or one to go on
    with.
    """
    states = [load_state(row) for row in await live_sessions(tx, person_id, EVERY_KIND)]
    if is_start(text):
        return any(state.sittings or state.paused for state in states)
    return any(takes_words(state, text) for state in states)


async def is_paused(tx: AsyncSession, person_id: int) -> bool:
    """This person stopped in the middle of some questions."""
    return any(load_state(row).paused for row in await live_sessions(tx, person_id, EVERY_KIND))


def is_start(text: str) -> bool:
    """The words ask for the audit, or to go on with it."""
    return _START.fullmatch(" ".join(text.lower().split()).strip(" .!")) is not None
