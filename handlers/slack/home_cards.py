"""What stands in the App Home: cards by what a person answers for, each with what can be done next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, can
from bot.audit.instrument import Instrument
from bot.audit.placement_words import placement_sentences
from bot.audit.records import latest_answers, placement_of
from bot.audit.sessions import start_choice
from bot.coverage.records import coverage_at
from bot.messages import Choice, Message, plain
from bot.organisation.directory import active_departments, led_departments
from bot.store.tables import (
    Department,
    DialogueSession,
    Document,
    DutyName,
    GapStatus,
    OutboxMessage,
    OutboxStatus,
    Person,
    Plan,
    PlanStatus,
    ScheduledMessage,
    ScheduledStatus,
    SentDigest,
    SessionKind,
    SessionStatus,
)
from handlers.home import said
from handlers.slack.render import FORM
from knowledge import gaps

SOON = timedelta(days=60)
MOST = 5
QUESTIONS = 20
_STATES = {
    GapStatus.OFFERED: "not sent on",
    GapStatus.SENT: "waits for",
    GapStatus.ANSWERED: "answered by",
    GapStatus.DECLINED: "closed by",
}


async def cards(
    session: AsyncSession, instrument: Instrument, person: Person, rights: Actor, now: datetime
) -> AsyncIterator[Message]:
    """Everything that this person has here, the most personal first."""
    yield await _asking(session, person)
    for department in await led_departments(session, rights.person_id):
        yield await _leading(session, instrument, rights.person_id, department, now)
    if can(rights, Action.ANSWER_POLICY_QUESTIONS):
        yield await _owning(session, rights.person_id, now)
    if can(rights, Action.SEE_COMPANY):
        yield await _overlooking(session, instrument, rights, now)
    if can(rights, Action.ADMINISTER):
        yield await _running(session, now)
    yield _settings(person)


async def _asking(session: AsyncSession, person: Person) -> Message:
    first_name = plain(person.name.split()[0]) if person.name.split() else ""
    asked = await gaps.of_asker(session, person.id or 0, MOST)
    lines = [
        f"- {plain(_short(gap.text))} ({_STATES[gap.status]} {plain(who or 'nobody yet')})"
        for gap, who in asked
    ]
    mine = "\n\nYour questions on their way:\n" + "\n".join(lines) if lines else ""
    return Message(
        text=f"**Hello {first_name}**\n\nWrite to me in the Messages tab: I quote the company's policies, or "
        f"tell you that they don't say.{mine}",
        choices=(said("My questions"), said("What can you do?")),
    )


async def _leading(
    session: AsyncSession, instrument: Instrument, person_id: int, department: Department, now: datetime
) -> Message:
    number = department.id or 0
    answers = await latest_answers(session, instrument, number, now)
    running = await _running_audit(session, person_id, number)
    where = "No answers yet. The first four questions take about three minutes."
    if answers:
        found = await placement_of(session, instrument, number, now)
        told = plain(placement_sentences(instrument, found))
        where = f"{told} {len(answers)} of {QUESTIONS} questions are answered."
    parts = [f"**{plain(department.name)}**", where, await _coverage(session, instrument, department, now)]
    parts += [await _steps(session, number)]
    label = "Go on with the audit" if running is not None else "Audit"
    return Message(
        text="\n\n".join(part for part in parts if part),
        choices=(
            start_choice(number, label),
            said("Next steps"),
            said("Coverage"),
            *_correction(running),
        ),
    )


async def _running_audit(session: AsyncSession, person_id: int, department_id: int) -> DialogueSession | None:
    found = await session.exec(
        select(DialogueSession).where(
            DialogueSession.person_id == person_id,
            DialogueSession.department_id == department_id,
            col(DialogueSession.kind).in_([SessionKind.FIRST_AUDIT, SessionKind.RE_AUDIT]),
            col(DialogueSession.status).in_([SessionStatus.OPEN, SessionStatus.PAUSED]),
        )
    )
    return found.first()


def _correction(running: DialogueSession | None) -> tuple[Choice, ...]:
    if running is None or not running.state.get("answers"):
        return ()
    turn = running.state.get("turn", 0)
    return (Choice(id=f"{FORM}correct:{running.id}:{turn}", label="Correct an answer"),)


async def _coverage(
    session: AsyncSession, instrument: Instrument, department: Department, now: datetime
) -> str:
    found, _ = await coverage_at(session, instrument, department, now)
    if not found.published or found.coverage is None or found.low is None or found.high is None:
        return ""
    between = f"{found.low * 100:.0f} to {found.high * 100:.0f}%"
    return f"AI does about {found.coverage * 100:.0f}% of the everyday work (between {between})."


async def _steps(session: AsyncSession, department_id: int) -> str:
    found = await session.exec(
        select(Plan)
        .where(Plan.department_id == department_id, Plan.status == PlanStatus.OPEN)
        .order_by(col(Plan.due_on).asc().nulls_last(), col(Plan.id))
        .limit(3)
    )
    lines = [f"- {plain(_short(plan.text))}{_by(plan)}" for plan in found]
    return "Your next steps:\n" + "\n".join(lines) if lines else ""


def _by(plan: Plan) -> str:
    return f", by {plan.due_on:%d %B}" if plan.due_on is not None else ""


async def _owning(session: AsyncSession, person_id: int, now: datetime) -> Message:
    waiting = await gaps.open_groups(session, person_id)
    due = await session.exec(
        select(Document)
        .where(
            Document.owner_id == person_id,
            col(Document.removed_at).is_(None),
            col(Document.review_by) <= (now + SOON).date(),
        )
        .order_by(col(Document.review_by))
        .limit(10)
    )
    dated = [(document.title, document.review_by) for document in due if document.review_by is not None]
    lines = [f"- {plain(title)}: review by {day:%d %B %Y}" for title, day in dated]
    reviews = "Reviews within two months:\n" + "\n".join(lines) if lines else "No review is due soon."
    drop = "To add or update a policy, drop its file into the Messages tab."
    return Message(
        text="\n\n".join(["**Your policies**", _queue(waiting), reviews, drop]), choices=(said("My queue"),)
    )


def _queue(waiting: Sequence[gaps.Group]) -> str:
    if not waiting:
        return "No question waits for you."
    count = "1 question waits" if len(waiting) == 1 else f"{len(waiting)} questions wait"
    lines = [f"- {plain(_short(group.first.text))}" for group in waiting[:3]]
    return f"{count} for an answer:\n" + "\n".join(lines)


async def _overlooking(
    session: AsyncSession, instrument: Instrument, rights: Actor, now: datetime
) -> Message:
    lines = []
    for department in await active_departments(session):
        scores = await placement_of(session, instrument, department.id or 0, now)
        working = scores.placement.working_model
        reached = instrument.model(working).name if working else "all five fields"
        lines.append(f"- {plain(department.name)}: {plain(reached)}")
    parts = ["**The company**", "What each department works on:\n" + "\n".join(lines or ["- nothing yet"])]
    parts.append(await _trend(session, rights))
    choices = (said("Show the latest digest"), said("Where does the company stand?"))
    return Message(text="\n\n".join(part for part in parts if part), choices=choices)


async def _trend(session: AsyncSession, rights: Actor) -> str:
    """What the picture of the latest digest shows: frozen figures, in which nobody can be recognised."""
    if DutyName.EXECUTIVE not in rights.duties:
        return ""
    found = await session.exec(
        select(SentDigest)
        .where(SentDigest.recipient == f"person:{rights.person_id}")
        .order_by(col(SentDigest.week).desc())
        .limit(1)
    )
    digest = found.first()
    chart = digest.content.get("message", {}).get("chart") if digest is not None else None
    return plain(str(chart["alt"])) if chart else ""


async def _running(session: AsyncSession, now: datetime) -> Message:
    async def number(query: Any) -> int:
        return int((await session.exec(query)).one())

    people = await number(select(func.count(col(Person.id))).where(col(Person.archived_at).is_(None)))
    dead = await number(
        select(func.count(col(OutboxMessage.id))).where(OutboxMessage.status == OutboxStatus.DEAD)
    )
    departments = len(await active_departments(session))
    health = "Every message has left." if not dead else f"{dead} messages could not leave; `doctor` says why."
    planned = await _planned(session, now)
    return Message(
        text=f"**Running Stagecoach**\n\n- {people} people in {departments} departments\n- {plain(health)}"
        f"\n\n{planned}"
    )


async def _planned(session: AsyncSession, now: datetime) -> str:
    coming = (ScheduledMessage.status == ScheduledStatus.PLANNED, col(ScheduledMessage.due_at) >= now)
    count = (await session.exec(select(func.count(col(ScheduledMessage.id))).where(*coming))).one()
    found = await session.exec(
        select(ScheduledMessage.due_at, ScheduledMessage.kind)
        .where(*coming)
        .order_by(col(ScheduledMessage.due_at))
        .limit(MOST)
    )
    lines = [f"- {due:%a %d %B, %H:%M} UTC: {plain(kind.replace('_', ' '))}" for due, kind in found]
    if not lines:
        return "Nothing is planned at the moment."
    return f"{count} planned; the next ones:\n" + "\n".join(lines)


def _settings(person: Person) -> Message:
    zone = f"Your time zone is {plain(person.time_zone)}. " if person.time_zone else ""
    paused = person.paused_until is not None or person.declined_at is not None
    button = said("Resume messages") if paused else said("Pause all")
    state = (
        "I don't write to you unasked." if paused else "I write to you rarely, never at night or on days off."
    )
    form = Choice(id=f"{FORM}settings", label="Change settings")
    return Message(text=f"**Your settings**\n\n{zone}{state}", choices=(form, button))


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119].rstrip()}…"
