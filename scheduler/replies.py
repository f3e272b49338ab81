"""What a person answers to a nudge: later, hand over, not relevant, pause all. Each takes effect at once.

A pause or snooze is kept with the person, so that it binds every kind on every platform in every process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.waiting import is_for_a_sitting
from bot.calendar import monday_of
from bot.choice_ids import parse_choice_id
from bot.clock import local_day
from bot.messages import Message, plain
from bot.store.tables import CachedAnswer, Document, Person, ScheduledMessage
from bot.turns import Turn
from bot.when import parse_day
from scheduler.cards import Desk, nudge_choice, spoken
from scheduler.directory import load_recipients
from scheduler.handover import MOST_COLLEAGUES, colleagues, hand_over
from scheduler.setting_changes import FOR_EVER

PREFIX = "nudge"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
REVIEW_AGAIN_AFTER = timedelta(days=365)
ENDS_AFTER_REVIEW = timedelta(days=30)
"""From the day by which an owner's answer is to be reviewed to its end, where nobody looks at it."""

_STOP_ASKING = (
    r"(please )?stop (asking|bothering|messaging|writing to)( me)?|leave me alone"
    r"|(please )?(don'?t|don’t|do not) (ask|bother|message|write to) me( again| any ?more)?"
)
_PAUSE = re.compile(
    r"(please )?(pause|stop|mute)( all| everything)?( messages| nudges| reminders)?|unsubscribe"
    rf"|{_STOP_ASKING}"
)
_SNOOZE = re.compile(r"(?:please )?(?:snooze|be quiet|keep quiet|not before)(?: until| till| for)? (.+)")
_RESUME = re.compile(
    r"(please )?(resume|unpause|unmute|start again|subscribe)( all| everything)?( messages| nudges)?"
)

_BARE = re.compile(rf"(please )?(pause|stop)|resume|{_STOP_ASKING}")
"""Words that an open sitting of questions takes, too: there they are about the sitting."""


@dataclass(frozen=True)
class Prepared:
    """Nothing is needed beforehand."""


class NudgeUseCase:
    """Takes the buttons under nudges, and words such as "pause all"."""

    prefix = PREFIX

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Only words that ask to pause or to go on."""
        words = _folded(turn.text or "")
        if turn.public or not any(said.fullmatch(words) for said in (_PAUSE, _RESUME, _SNOOZE)):
            return False
        return not _BARE.fullmatch(words) or not await _meant_for_a_sitting(tx, turn, words)

    async def prepare(self, turn: Turn) -> Prepared:
        """Nothing takes time here."""
        return Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """One answer to a nudge, in the caller's transaction."""
        person = await tx.get_one(Person, turn.person_id, with_for_update=True)
        if turn.choice is None:
            return [await self._said(tx, person, _folded(turn.text or ""), turn.at)]
        choice = parse_choice_id(turn.choice)
        if choice is None:
            return [_UNKNOWN]
        what, _, argument = choice.what.partition(".")
        if what in _ABOUT_THE_PERSON:
            return [await self._about_person(tx, person, what, argument, choice.session, turn.at)]
        row = await tx.get(ScheduledMessage, choice.session, with_for_update=True)
        if row is None or row.person_id != person.id:
            return [_UNKNOWN]
        return await self._about_message(tx, person, row, what, argument, turn.at)

    async def _said(self, tx: AsyncSession, person: Person, words: str, now: datetime) -> Message:
        if _PAUSE.fullmatch(words):
            return _paused(person, 0)
        if (found := _SNOOZE.fullmatch(words)) is None:
            return _resumed(person)
        today = local_day(now, await _zone(tx, person, now))
        until = parse_day(found[1], today) or parse_day(f"in {found[1]}", today)
        return _ask_until(0, today) if until is None else _snoozed(person, until, today, now)

    async def _about_person(
        self, tx: AsyncSession, person: Person, what: str, argument: str, row_id: int, now: datetime
    ) -> Message:
        if what == "pause":
            return _paused_until(person, argument) if argument else _paused(person, row_id)
        if what == "resume":
            return _resumed(person)
        if what == "out":
            person.declined_at = now
            return _OUT.model_copy(update={"choices": (nudge_choice(row_id, "resume", "I changed my mind"),)})
        if what == "day" and argument in "01234" and argument:
            person.slot_day = int(argument)
            return Message(text=f"{WEEKDAYS[int(argument)]} it is, from the next time on.")
        if what == "day":
            days = tuple(nudge_choice(row_id, f"day.{n}", name) for n, name in enumerate(WEEKDAYS))
            return Message(kind="question", text="Which day suits you?", choices=days)
        today = local_day(now, await _zone(tx, person, now))
        if until := _date(argument):
            return _snoozed(person, until, today, now)
        return _ask_until(row_id, today)

    async def _about_message(
        self, tx: AsyncSession, person: Person, row: ScheduledMessage, what: str, argument: str, now: datetime
    ) -> list[Message]:
        if what == "drop":
            await _close(tx, row, "not relevant")
            return [Message(text="Understood, I'll leave that. It won't be counted against anybody.")]
        if what in ("holds", "ended"):
            return [await _reviewed(tx, person, row, what == "holds", now)]
        if what == "hand" and argument.isdigit():
            desk = Desk(tx, self._instrument, person, now)
            if await hand_over(desk, row, int(argument)):
                await _close(tx, row, "handed over")
                other = await tx.get_one(Person, int(argument))
                return [Message(text=f"Thank you, I've passed it on to {plain(other.name)}.")]
            return [_CANNOT_HAND_OVER]
        if what == "hand":
            return [await _ask_whom(tx, person, row)]
        return [_UNKNOWN]


_ABOUT_THE_PERSON = ("snooze", "pause", "resume", "out", "day")

_UNKNOWN = Message(kind="notice", text="That button is no longer in use. Nothing was changed.")
_CANNOT_HAND_OVER = Message(
    kind="notice", text="There is nobody I could pass this on to. Nothing was changed."
)
_OUT = Message(
    text="That's fine. I won't write to you again unasked. You can still ask me about the AI policies at any "
    "time."
)


def _folded(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .!")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def _meant_for_a_sitting(tx: AsyncSession, turn: Turn, words: str) -> bool:
    """Whoever paused all messages and says "resume" wants those back first."""
    person = await tx.get_one(Person, turn.person_id)
    until = max(person.paused_until or date.min, person.snoozed_until or date.min)
    if _RESUME.fullmatch(words) and (person.declined_at or until > turn.at.date()):
        return False
    return await is_for_a_sitting(tx, turn.person_id, words)


async def _zone(tx: AsyncSession, person: Person, now: datetime) -> ZoneInfo:
    found = await load_recipients(tx, [f"person:{person.id}"], now.date())
    recipient = found.get(f"person:{person.id}")
    return recipient.calendar.tz if recipient else ZoneInfo("UTC")


def _ask_until(row_id: int, today: date) -> Message:
    """Snooze until when? The choices are dates, so that an old button means what it meant."""
    monday = monday_of(today) + timedelta(days=7)
    offers = [
        ("Tomorrow", today + timedelta(days=1)),
        (f"Monday, {spoken(monday)}", monday),
        (f"In two weeks, {spoken(today + timedelta(days=14))}", today + timedelta(days=14)),
        (f"In four weeks, {spoken(today + timedelta(days=28))}", today + timedelta(days=28)),
    ]
    choices = tuple(nudge_choice(row_id, f"snooze.{day.isoformat()}", label) for label, day in offers)
    return Message(kind="question", text="Until when shall I keep quiet?", choices=choices)


def _snoozed(person: Person, until: date, today: date, now: datetime) -> Message:
    if until <= today:
        return Message(kind="notice", text="That day is over. Nothing was changed.")
    person.snoozed_until = until
    # Who names a day on which to be written to has agreed to be written to.
    person.enrolled_at = person.enrolled_at or now
    return Message(text=f"Quiet until {spoken(until)}. Then I come back by myself.")


def _paused(person: Person, row_id: int) -> Message:
    person.paused_until = FOR_EVER
    return Message(
        text="Paused: nothing comes from me unasked, on any platform, until you say **resume**. What you ask "
        "me I still answer.",
        choices=(
            nudge_choice(row_id, "snooze", "Only until a date"),
            nudge_choice(row_id, "resume", "Resume"),
        ),
    )


def _paused_until(person: Person, argument: str) -> Message:
    until = _date(argument)
    if until is None:
        return _UNKNOWN
    person.paused_until = until
    return Message(text=f"Paused until {spoken(until)}.")


def _resumed(person: Person) -> Message:
    person.paused_until = person.snoozed_until = person.declined_at = None
    return Message(text="Good to have you back. I write at most twice a week.")


async def _close(tx: AsyncSession, row: ScheduledMessage, how: str) -> None:
    """No reminder follows for anything that came in the same message."""
    bundle = await tx.exec(
        select(ScheduledMessage).where(
            ScheduledMessage.recipient == row.recipient,
            col(ScheduledMessage.due_at) == row.due_at,
            col(ScheduledMessage.planned_at) == row.planned_at,
        )
    )
    for each in bundle:
        each.detail = {**each.detail, "closed": how}


async def _ask_whom(tx: AsyncSession, person: Person, row: ScheduledMessage) -> Message:
    found = await colleagues(tx, person, row)
    if not found:
        return _CANNOT_HAND_OVER
    return Message(
        kind="question",
        text="Who can tell more about it?",
        choices=tuple(
            nudge_choice(row.id or 0, f"hand.{each.id}", each.name) for each in found[:MOST_COLLEAGUES]
        ),
    )


async def _reviewed(
    tx: AsyncSession, person: Person, row: ScheduledMessage, holds: bool, now: datetime
) -> Message:
    """What an owner says of a policy whose review is due; an answer of the owner's own may also end."""
    document = await tx.get(Document, row.detail.get("document"), with_for_update=True)
    if document is None or document.owner_id != person.id:
        return _UNKNOWN
    today = local_day(now, await _zone(tx, person, now))
    await tx.exec(delete(CachedAnswer))
    if not holds:
        document.expires_on = today
        return Message(
            text=f"Thank you. **{plain(document.title)}** answers no more. Asked again, it comes to you."
        )
    document.reviewed_on, document.review_by = today, today + REVIEW_AGAIN_AFTER
    if document.kind == "entry":
        # An owner's answer ends by itself, a while after its review was due.
        document.review_by = today + REVIEW_AGAIN_AFTER - ENDS_AFTER_REVIEW
        document.expires_on = today + REVIEW_AGAIN_AFTER
    return Message(text=f"Thank you. **{plain(document.title)}** is reviewed as of today, {spoken(today)}.")
