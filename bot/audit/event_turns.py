"""Somebody says that something has changed: a tool is gone, the department was reorganised, something went
wrong. What no longer holds is asked again, after a look at what that is and one tap.

For leads about their own departments and for the programme owner about all. Nothing is remembered between
two cards: a button says which department, what happened, and whether it was looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, actor, can
from bot.audit import expiry
from bot.audit.event_words import MENU, MOST_CHARACTERS, Event, hear_event
from bot.audit.instrument import Instrument
from bot.audit.phrases import joined, lower
from bot.audit.sessions import start_choice
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.messages import Choice, Message, plain
from bot.organisation.directory import active_departments, led_departments
from bot.store.tables import Answer, AuditLogEntry, Department
from bot.turns import Turn

PREFIX = "event"
LOOK, SURE = 0, 1
"""The turn of a button: choose and look first, then be sure."""
MOST_BUTTONS = 20
_KINDS = {
    "tool": expiry.TOOL_WITHDRAWN,
    "reorganised": expiry.REORGANISATION,
    "incident": expiry.INCIDENT,
    "menu": MENU,
}
_SHORT = {kind: short for short, kind in _KINDS.items()}


@dataclass(frozen=True)
class Prepared:
    """Nothing is found out beforehand."""


class EventUseCase:
    """A use case (see bot.turns.UseCase)."""

    prefix = PREFIX

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words that tell of such an event, from somebody who may say so. Never in a channel."""
        if turn.public or turn.text is None or hear_event(turn.text) is None:
            return False
        return bool(await self._departments(tx, turn))

    async def prepare(self, turn: Turn) -> Prepared:
        """Nothing takes time here."""
        return Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """One turn, in the caller's transaction."""
        departments = await self._departments(tx, turn)
        event, chosen, sure = _told(turn)
        if event is None or not departments or (chosen and chosen not in [each.id for each in departments]):
            return [_NOT_YOURS]
        if event.kind == expiry.TOOL_WITHDRAWN and not event.note:
            return [_WHICH_TOOL]
        if event.kind == expiry.TOOL_WITHDRAWN and len(departments) > 1 and not sure:
            return [await self._ask_tool(tx, departments, event, turn.at)]
        here = [each for each in departments if each.id == chosen] if chosen else departments
        if sure:
            return [await self._end(tx, here, event, turn)]
        if len(here) > 1:
            return [_which(here, event)]
        if event.kind == MENU:
            return [_menu(here[0])]
        return [await self._look(tx, here[0], event, turn.at)]

    async def _departments(self, tx: AsyncSession, turn: Turn) -> list[Department]:
        """Those that the person may speak for: all for the programme owner, else the led ones."""
        if can(await actor(tx, turn.person_id), Action.APPROVE):
            return await active_departments(tx)
        return await led_departments(tx, turn.person_id)

    async def _look(self, tx: AsyncSession, department: Department, event: Event, now: datetime) -> Message:
        rows = await self._touched(tx, department, event, now)
        if not rows:
            return Message(
                text=f"No answer of {plain(department.name)} is about that, so nothing has to change."
            )
        if event.kind == expiry.INCIDENT:
            return self._which_question(department, event, rows)
        text = (
            f"{plain(department.name)} is a different department now, so I'd ask {self._listed(rows)} again."
        )
        if event.note:
            text = f"You mentioned {plain(event.note)} in {self._listed(rows)}. I'd ask that again."
        return Message(
            kind="question",
            text=f"{text} Until then it doesn't count. Shall I?",
            choices=(
                _choice(department.id or 0, SURE, event, "Yes, ask again"),
                _choice(department.id or 0, SURE, Event(MENU), "No, leave it"),
            ),
        )

    def _which_question(self, department: Department, event: Event, rows: Sequence[Answer]) -> Message:
        choices = [
            _choice(department.id or 0, SURE, Event(event.kind, row.criterion), self._name(row.criterion))
            for row in rows[:MOST_BUTTONS]
        ]
        return Message(
            kind="question",
            text="Thank you for telling me. Which of these does it put in question? I'll ask that one again. "
            "_(This is not the incident report itself; that goes the way your policy says.)_",
            choices=(*choices, _choice(department.id or 0, SURE, Event(MENU), "None of these")),
        )

    async def _ask_tool(
        self, tx: AsyncSession, departments: Sequence[Department], event: Event, now: datetime
    ) -> Message:
        """One tool, several departments: all at once."""
        found = {each.name: await self._touched(tx, each, event, now) for each in departments}
        named = [name for name, rows in found.items() if rows]
        count = sum(map(len, found.values()))
        if not named:
            return Message(text=f"No answer names {plain(event.note)}, so nothing has to change.")
        answers = "One answer names" if count == 1 else f"{count} answers name"
        return Message(
            kind="question",
            text=f"{answers} {plain(event.note)} ({plain(joined(named[:MOST_BUTTONS]))}). I would ask those "
            "again; until then they don't count. Shall I?",
            choices=(
                _choice(0, SURE, event, "Yes, ask again"),
                _choice(0, SURE, Event(MENU), "No, leave it"),
            ),
        )

    async def _touched(
        self, tx: AsyncSession, department: Department, event: Event, now: datetime
    ) -> list[Answer]:
        rows = await expiry.standing(tx, department.id or 0, now)
        if event.kind == expiry.TOOL_WITHDRAWN:
            rows = [row for row in rows if expiry.names_tool(row, event.note)]
        order = {criterion.id: place for place, criterion in enumerate(self._instrument.criteria)}
        return sorted((row for row in rows if row.criterion in order), key=lambda row: order[row.criterion])

    async def _end(
        self, tx: AsyncSession, departments: Sequence[Department], event: Event, turn: Turn
    ) -> Message:
        if event.kind == MENU:
            return Message(text="All right, everything stays as it is.")
        ended: list[Answer] = []
        for department in departments:
            rows = await self._touched(tx, department, event, turn.at)
            if event.kind == expiry.INCIDENT:
                rows = [row for row in rows if row.criterion == event.note]
            expiry.expire(rows, event.kind, turn.at, _note(event))
            ended += rows
            tx.add_all(_entry(department, event, rows, turn))
        if not ended:
            return Message(kind="notice", text="That is noted already. Nothing was changed.")
        led = {each.id for each in await led_departments(tx, turn.person_id)}
        start = [start_choice(each.id or 0, "Look now") for each in departments if each.id in led]
        when = "I'll ask again" if start else "Their leads will be asked again"
        counts = "no longer counts" if len(ended) == 1 else "no longer count"
        return Message(
            text=f"Done: {self._listed(ended)} {counts}, because {plain(_because(event))}. "
            f"{when} at the next look.",
            choices=tuple(start[:1]),
        )

    def _listed(self, rows: Sequence[Answer]) -> str:
        names = list(dict.fromkeys(f"**{lower(self._name(row.criterion))}**" for row in rows))
        if len(names) > 3:
            return f"the {len(rows)} answers that stand"
        return joined(names)

    def _name(self, criterion: str) -> str:
        return self._instrument.criterion(criterion).name


def _told(turn: Turn) -> tuple[Event | None, int, bool]:
    """What happened, in which department (0 where it was not said), and whether it was looked at."""
    if turn.text is not None:
        return hear_event(turn.text), 0, False
    choice = parse_choice_id(turn.choice or "")
    short, _, note = choice.what.partition(".") if choice is not None else ("", "", "")
    if choice is None or short not in _KINDS:
        return None, 0, False
    return Event(_KINDS[short], note), choice.session, choice.turn == SURE


def _choice(department_id: int, turn: int, event: Event, label: str) -> Choice:
    what = f"{_SHORT[event.kind]}.{event.note[:MOST_CHARACTERS]}"
    return Choice(id=str(ChoiceId(PREFIX, department_id, turn, what)), label=label)


def _menu(department: Department) -> Message:
    number = department.id or 0
    return Message(
        kind="question",
        text=f"What has changed in {plain(department.name)}? What no longer holds I'll ask again.",
        choices=(
            _choice(number, LOOK, Event(expiry.TOOL_WITHDRAWN), "A tool is gone"),
            _choice(number, LOOK, Event(expiry.REORGANISATION), "We were reorganised"),
            _choice(number, LOOK, Event(expiry.INCIDENT), "Something went wrong"),
            _choice(number, SURE, Event(MENU), "Nothing"),
        ),
    )


def _which(departments: Sequence[Department], event: Event) -> Message:
    choices = tuple(_choice(each.id or 0, LOOK, event, each.name) for each in departments[:MOST_BUTTONS])
    return Message(kind="question", text="In which department?", choices=choices)


def _because(event: Event) -> str:
    if event.kind == expiry.TOOL_WITHDRAWN:
        return f"{event.note} was withdrawn"
    return expiry.REASONS[event.kind]


def _note(event: Event) -> str:
    return _because(event) if event.kind == expiry.TOOL_WITHDRAWN else ""


def _entry(department: Department, event: Event, rows: Sequence[Answer], turn: Turn) -> list[AuditLogEntry]:
    if not rows:
        return []
    return [
        AuditLogEntry(
            at=turn.at,
            actor_id=turn.person_id,
            action="answers.expired",
            resource=f"department:{department.id}",
            detail={"event": event.kind, "criteria": [row.criterion for row in rows]},
        )
    ]


_WHICH_TOOL = Message(text='Which tool is it? Tell me like this: "Copilot was withdrawn".')
_NOT_YOURS = Message(
    kind="notice",
    text="That is for team leads and whoever runs the AI programme. Nothing was changed.",
)
