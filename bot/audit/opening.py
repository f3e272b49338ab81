"""Finding and opening sittings: whose it is, about which department, and with which questions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import approvers
from bot.audit.commands import command
from bot.audit.instrument import Instrument
from bot.audit.planning import chance
from bot.audit.queues import known_answers, questions_due
from bot.audit.records import no_models, standing_answers
from bot.audit.state import Facts, Input, Someone, State
from bot.clock import zone
from bot.organisation.directory import holders, led_departments
from bot.speech import Chose, Words
from bot.store.columns import change, columns, held, objects
from bot.store.outbox import inserted
from bot.store.tables import (
    Company,
    Department,
    DialogueSession,
    Duty,
    DutyName,
    Person,
    Plan,
    PlanStatus,
    SessionKind,
    SessionStatus,
)

AUDITS = (SessionKind.FIRST_AUDIT, SessionKind.RE_AUDIT)
LIVE = (SessionStatus.OPEN, SessionStatus.PAUSED)
KINDS = {
    "first": SessionKind.FIRST_AUDIT,
    "re": SessionKind.RE_AUDIT,
    "second": SessionKind.SECOND_RATER,
}
MOST_COLLEAGUES = 200


_OWNERS = (
    select(Person.id, Person.name, Person.email)
    .join(Duty, col(Duty.person_id) == Person.id)
    .where(Duty.duty == DutyName.PROGRAMME_OWNER, col(Person.archived_at).is_(None))
    .order_by(col(Person.id))
)


async def facts_for(
    tx: AsyncSession, department: Department, person: Person, state: State, given: Input
) -> Facts:
    """The names and the time zone that a sitting of this person speaks with in a step.

    People are read only where one of them may be named: most steps do without, and of colleagues there may
    be hundreds.
    """
    owners = await columns(tx, _OWNERS) if may_name_owners(state, given) else ()
    return Facts(
        department=department.name,
        person=person.id or 0,
        owners=tuple(Someone(number or 0, name, email) for number, name, email in owners),
        approvers=await _approvers(tx, department, person) if may_name_approvers(state, given) else (),
        colleagues=await _colleagues(tx, department, person) if _hands_over(state, given) else (),
        zone=await zone_of(tx, person, department),
    )


_PLAIN_ANSWERS = ("pick", "neither", "same", "better", "worse", "cannot", "nothing", "unsure", "skip")


def may_name_owners(state: State, given: Input) -> bool:
    """Whether a step may say who runs the programme and so reads along. A plain answer does not."""
    if state.phase == "welcome" or state.interlude:
        return True
    if isinstance(given, Chose):
        return _name(given) not in _PLAIN_ANSWERS
    return not isinstance(given, Words) or command(given.text) is not None


def may_name_approvers(state: State, given: Input) -> bool:
    """Whether a step may say who confirms what does not apply."""
    known = state.known.get(state.current)
    again = state.phase == "different" and known is not None and known.claim == "not_applicable"
    if again or state.interlude in ("reason", "approver"):
        return True
    heard = command(given.text) if isinstance(given, Words) else None
    return (heard or ("",))[0] == "na" or (isinstance(given, Chose) and _name(given) in ("na", "approver"))


async def _approvers(tx: AsyncSession, department: Department, person: Person) -> tuple[Someone, ...]:
    found = await approvers(tx, department.id or 0, person.id)
    return tuple(Someone(each.id or 0, each.name, each.email) for each in found)


def _hands_over(state: State, given: Input) -> bool:
    if isinstance(given, Chose):
        return _name(given) in ("hand", "to")
    heard = command(given.text) if isinstance(given, Words) else None
    return state.interlude == "hand_over" or (heard is not None and heard[0] == "hand")


def _name(given: Chose) -> str:
    return given.what.partition(".")[2].partition(".")[0]


async def _colleagues(tx: AsyncSession, department: Department, person: Person) -> tuple[Someone, ...]:
    """The other leads first, then the team by name."""
    leads = await holders(tx, DutyName.LEAD, department.id)
    team = await tx.exec(
        select(Person.id, Person.name, Person.email)
        .where(Person.department_id == department.id, col(Person.archived_at).is_(None))
        .order_by(Person.name)
        .limit(MOST_COLLEAGUES)
    )
    everyone = [*((lead.id, lead.name, lead.email) for lead in leads), *team]
    others = {each[0]: each for each in everyone if each[0] != person.id}
    return tuple(Someone(number or 0, name, email) for number, name, email in others.values())


async def zone_of(tx: AsyncSession, person: Person, department: Department) -> ZoneInfo:
    """The person's zone, else the department's, else the company's."""
    company = await held(tx, Company, 1)
    own = person.time_zone or department.time_zone
    return zone(own or (company.time_zone if company is not None else "UTC"))


async def live_sessions(
    tx: AsyncSession, person_id: int, kinds: tuple[SessionKind, ...], lock: bool = False
) -> list[DialogueSession]:
    """The person's open and paused sittings, the one touched last first."""
    query = _LIVE_SESSIONS_LOCKED if lock else _LIVE_SESSIONS
    return await objects(tx, query, {"person": person_id, "kinds": kinds})


async def touched_last(
    tx: AsyncSession, person_id: int, kind: SessionKind, lock: bool = False
) -> DialogueSession | None:
    """The person's live dialogue of that kind, unless they went on to another one: whatever was said last is
    what words are about.
    """
    rows = await live_sessions(tx, person_id, tuple(SessionKind), lock)
    return next((row for row in rows if row.kind is kind and row.updated_at == rows[0].updated_at), None)


def live_of(sessions: Any) -> Any:
    """Of a statement that selects sittings, those of a :person that are live, the one touched last first."""
    return sessions.where(
        DialogueSession.person_id == bindparam("person"), col(DialogueSession.status).in_(LIVE)
    ).order_by(col(DialogueSession.updated_at).desc(), col(DialogueSession.id).desc())


# Statements that many turns make stand ready: putting one together costs more than its answer.
_LIVE_SESSIONS = live_of(select(DialogueSession)).where(
    col(DialogueSession.kind).in_(bindparam("kinds", expanding=True))
)
_LIVE_SESSIONS_LOCKED = _LIVE_SESSIONS.with_for_update()


async def new_state(
    tx: AsyncSession,
    instrument: Instrument,
    department: Department,
    person_id: int,
    now: datetime,
    everything: bool = False,
) -> State:
    """A sitting that has not begun: a first audit where the department was never asked, else a re-audit."""
    department_id = department.id or 0
    rows = await standing_answers(tx, instrument, department_id, now)
    unanswered = not rows
    none = no_models(department)
    leads = [number for (number,) in await columns(tx, _LEADS, {"department": department_id})]
    active = await _models_with_steps(tx, department_id)
    return State(
        session=0,
        kind="first" if unanswered else "re",
        version=instrument.version,
        seed=chance(department_id, person_id, now.isoformat()) % 2**31,
        co_leads=len(leads) > 1,
        named=len(await led_departments(tx, person_id)) > 1,
        no_models=none,
        known=known_answers(instrument, rows, person_id, leads),
        queue=() if unanswered else questions_due(instrument, rows, none, active, now, everything),
    )


_STEPS = select(Plan.criterion).where(
    Plan.department_id == bindparam("department"),
    col(Plan.status).in_((PlanStatus.OPEN, PlanStatus.NOT_YET)),
)


async def _models_with_steps(tx: AsyncSession, department_id: int) -> set[str]:
    rows = await columns(tx, _STEPS, {"department": department_id})
    return {criterion.split("-")[0] for (criterion,) in rows}


_LEADS = (
    select(Duty.person_id)
    .join(Person, col(Person.id) == Duty.person_id)
    .where(
        Duty.duty == DutyName.LEAD,
        Duty.department_id == bindparam("department"),
        col(Person.archived_at).is_(None),
    )
)


async def open_session(
    tx: AsyncSession, state: State, department_id: int, person_id: int, now: datetime
) -> int:
    """Store a new sitting, or find the live one that another device opened a moment ago. Returns its id."""
    row = {
        "department_id": department_id,
        "person_id": person_id,
        "kind": KINDS[state.kind],
        "started_at": now,
        "updated_at": now,
    }
    stored = await inserted(tx, DialogueSession, [row | _kept(state)])
    if stored:
        return int(stored[0])
    return next(
        found.id or 0
        for found in await live_sessions(tx, person_id, (KINDS[state.kind],), lock=True)
        if found.department_id == department_id
    )


def load_state(row: DialogueSession) -> State:
    """The state of a stored sitting; its number is the row's."""
    return State.model_validate({**row.state, "session": row.id})


async def keep_state(tx: AsyncSession, row: DialogueSession, state: State, **more: datetime | None) -> None:
    """Store the state in its row, with what follows from it for other columns, and `more` of these."""
    await change(tx, row, _kept(state) | more)


def _kept(state: State) -> dict[str, Any]:
    return {
        "state": state.model_dump(mode="json", exclude_defaults=True, exclude={"session"}),
        "instrument_version": state.version,
        "remind_on": state.later_on,
        "status": _status(state),
    }


def _status(state: State) -> SessionStatus:
    if state.phase == "done":
        return SessionStatus.FINISHED
    if state.phase == "away":
        return SessionStatus.CLOSED
    return SessionStatus.OPEN if state.asks else SessionStatus.PAUSED
