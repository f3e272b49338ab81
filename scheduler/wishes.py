"""What could be sent, to whom and from when on: one finder for each kind of scheduled message.

A finder only reads. Whether and when a wish becomes a message is the planner's to decide; whether it is still
wanted is asked again when the message is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import func
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import at_local, local_day, week_key, zone
from bot.store.tables import (
    Answer,
    Blocker,
    Company,
    CoverageAnswer,
    CoverageTask,
    Department,
    DialogueSession,
    Document,
    Duty,
    DutyName,
    Gap,
    GapStatus,
    Person,
    Plan,
    PlanStatus,
    ScheduledMessage,
    ScheduledStatus,
    SessionKind,
    SessionStatus,
)
from scheduler.phrases import day

AUDIT_KINDS = ("audit_invitation", "re_audit")
REMINDED_KINDS = (*AUDIT_KINDS, "coverage_update", "plan_follow_up")

SCREENED_FROM = 8
"""Criteria answered after the first two sittings: from then on a department has a full placement."""

CYCLE = timedelta(days=28)
"""After this long an unanswered request may come again: the next cycle."""

SILENT_CYCLES = 2
RESUME_AFTER = timedelta(days=7)
RE_AUDIT_AFTER = timedelta(days=90)
RE_AUDIT_WITH_STEP_AFTER = timedelta(days=30)
COVERAGE_AFTER = timedelta(days=28)
BLOCKER_AFTER = timedelta(days=14)
REVIEW_NOTICE = timedelta(days=14)
QUESTION_WAITS = timedelta(days=3)
LEDGER_SPAN = timedelta(days=200)
"""How far back requests are looked at for cycles and reminders."""


@dataclass(frozen=True, slots=True)
class Look:
    """The stretch of time that is looked at, ends included. A tick looks at one instant.

    `began` is when planning began in this company: what fell due before was not missed, and is not caught up
    with. None: it always has been.
    """

    start: datetime
    end: datetime
    began: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to send to `recipient` at a fitting moment from `ready` on.

    A recipient is `person:<id>`, or `department:<id>` for its channel.
    `period` makes it single for that recipient and kind; None stands for the local ISO week in which it is
    sent. `reason` says in words why. `blocked` says why it can't be sent at all.
    """

    kind: str
    recipient: str
    ready: datetime
    reason: str
    period: str | None = None
    person_id: int | None = None
    department_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    blocked: str = ""


def to_person(kind: str, person_id: int, ready: datetime, reason: str, **more: Any) -> Wish:
    """A wish for one person."""
    return Wish(kind, f"person:{person_id}", ready, reason, person_id=person_id, **more)


# Audits


@dataclass(slots=True)
class _Audited:
    """What the finders of audits need to know of a department."""

    id: int
    name: str
    lead: int | None
    last: datetime | None
    criteria: int
    has_step: bool
    asked: datetime | None
    silent: int


async def audits(session: AsyncSession, look: Look) -> list[Wish]:
    """First audits, re-audits, and the question after two silent cycles; at most one of them a department."""
    found = await _audited(session, look)
    return [wish for department in found if (wish := _audit(department, look)) is not None]


def _audit(department: _Audited, look: Look) -> Wish | None:
    kind, ready, reason = _next_audit(department, look)
    if department.asked is not None:
        ready = max(ready, department.asked + CYCLE)
    if ready > look.end:
        return None
    if department.lead is None:
        blocked = f"{department.name} has no lead to ask."
        return Wish(kind, f"department:{department.id}", ready, reason, blocked=blocked)
    ask = partial(to_person, person_id=department.lead, ready=ready, department_id=department.id)
    if department.silent < SILENT_CYCLES:
        return ask(kind, reason=reason)
    since = department.last or department.asked or ready
    reason = f"{department.name} has been silent for two cycles."
    return ask("cycle_question", reason=reason, period=f"since-{since.date().isoformat()}")


def _next_audit(department: _Audited, look: Look) -> tuple[str, datetime, str]:
    if department.last is None:
        return "audit_invitation", look.start, f"{department.name} has not been audited yet."
    if department.criteria < SCREENED_FROM:
        reason = f"The first audit of {department.name} has {department.criteria} answers so far."
        return "audit_invitation", department.last + RESUME_AFTER, reason
    cadence = RE_AUDIT_WITH_STEP_AFTER if department.has_step else RE_AUDIT_AFTER
    reason = f"The last audit of {department.name} was on {_day(department.last, look)}."
    return "re_audit", department.last + cadence, reason


async def _audited(session: AsyncSession, look: Look) -> list[_Audited]:
    leads = await first_leads(session)
    rows = await session.exec(
        select(Department.id, Department.name).where(col(Department.archived_at).is_(None))
    )
    answered = await _answered(session)
    steps = set(
        await session.exec(select(Plan.department_id).where(Plan.status == PlanStatus.OPEN).distinct())
    )
    asked = await _asked(session, look)
    found = []
    for id_, name in rows:
        last, criteria = answered.get(id_ or 0, (None, 0))
        times = [at for at in asked.get(id_ or 0, []) if last is None or at > last]
        found.append(
            _Audited(
                id=id_ or 0,
                name=name,
                lead=leads.get(id_ or 0),
                last=last,
                criteria=criteria,
                has_step=id_ in steps,
                asked=max(times, default=None),
                silent=len(times),
            )
        )
    return found


async def first_leads(session: AsyncSession) -> dict[int, int]:
    """Department -> the lead who is asked: the one who has held the duty longest and has not stayed out."""
    rows = await session.exec(
        select(Duty.department_id, Duty.person_id)
        .join(Person, col(Person.id) == col(Duty.person_id))
        .where(Duty.duty == DutyName.LEAD, col(Person.archived_at).is_(None))
        .order_by(col(Person.declined_at).is_not(None), col(Duty.since).asc().nulls_first(), col(Duty.id))
    )
    leads: dict[int, int] = {}
    for department_id, person_id in rows:
        if department_id is not None:
            leads.setdefault(department_id, person_id)
    return leads


async def _answered(session: AsyncSession) -> dict[int, tuple[datetime, int]]:
    rows = await session.exec(
        select(
            Answer.department_id,
            func.max(col(Answer.answered_at)),
            func.count(func.distinct(col(Answer.criterion))),
        )
        .where(col(Answer.second).is_(False))
        .group_by(col(Answer.department_id))
    )
    return {department_id: (last, criteria) for department_id, last, criteria in rows}


async def _asked(session: AsyncSession, look: Look) -> dict[int, list[datetime]]:
    """When audits were asked for, by department: every request that was not called off."""
    rows = await session.exec(
        select(ScheduledMessage.department_id, ScheduledMessage.planned_at).where(
            col(ScheduledMessage.kind).in_(AUDIT_KINDS),
            ScheduledMessage.planned_at > look.start - LEDGER_SPAN,
            ScheduledMessage.status != ScheduledStatus.CANCELLED,
        )
    )
    asked: dict[int, list[datetime]] = {}
    for department_id, planned_at in rows:
        if department_id is not None:
            asked.setdefault(department_id, []).append(planned_at)
    return asked


# Reminders and follow-ups


async def reminders(session: AsyncSession, look: Look) -> list[Wish]:
    """One reminder for each request that was sent and has brought nothing since."""
    rows = await session.exec(
        select(ScheduledMessage).where(
            col(ScheduledMessage.kind).in_(REMINDED_KINDS),
            ScheduledMessage.status == ScheduledStatus.SENT,
            ScheduledMessage.planned_at > look.start - timedelta(days=14),
        )
    )
    sent = [row for row in rows if row.person_id is not None and "closed" not in row.detail]
    if not sent:
        return []
    last = await _last_reply(session)
    return [
        reminder_of(row.kind, row.period, row.person_id or 0, row.department_id, row.sent_at or row.due_at)
        for row in sent
        if (reply := last.get((row.kind == "coverage_update", row.department_id or 0))) is None
        or reply < (row.sent_at or row.due_at)
    ]


def reminder_of(kind: str, period: str, person_id: int, department_id: int | None, sent: datetime) -> Wish:
    """The reminder of one request. `ready` is when the request left; the planner adds the working days."""
    return to_person(
        "reminder",
        person_id,
        sent,
        f"No answer yet to the {kind.replace('_', ' ')} of {day(sent.date())}.",
        period=f"{kind}:{period}"[:40],
        department_id=department_id,
        detail={"of_kind": kind, "of_period": period},
    )


async def _last_reply(session: AsyncSession) -> dict[tuple[bool, int], datetime]:
    """The last answer of each department: (is it about coverage, department) -> when."""
    audits = await session.exec(
        select(Answer.department_id, func.max(col(Answer.answered_at))).group_by(col(Answer.department_id))
    )
    covered = await session.exec(
        select(CoverageAnswer.department_id, func.max(col(CoverageAnswer.answered_at))).group_by(
            col(CoverageAnswer.department_id)
        )
    )
    replies = {(False, department): at for department, at in audits}
    return replies | {(True, department): at for department, at in covered}


async def plan_follow_ups(session: AsyncSession, look: Look) -> list[Wish]:
    """Next steps whose day has come."""
    rows = await session.exec(
        select(Plan, Person.time_zone)
        .join(Person, col(Person.id) == col(Plan.person_id))
        .where(
            Plan.status == PlanStatus.OPEN,
            col(Plan.due_on).is_not(None),
            col(Plan.due_on) <= local_day(look.end, zone("UTC")) + timedelta(days=1),
            col(Plan.followed_up_at).is_(None),
            col(Person.archived_at).is_(None),
        )
    )
    company_zone = await _company_zone(session)
    return [_follow_up(plan, time_zone or company_zone) for plan, time_zone in rows]


def _follow_up(plan: Plan, time_zone: str) -> Wish:
    due = plan.due_on or date.min
    return to_person(
        "plan_follow_up",
        plan.person_id or 0,
        at_local(due, time(0), zone(time_zone)),
        f"A next step was planned for {day(due)}.",
        period=f"plan-{plan.id}:{due.isoformat()}",
        department_id=plan.department_id,
        detail={"plan": plan.id},
    )


async def coverage_updates(session: AsyncSession, look: Look) -> list[Wish]:
    """Once a month, for departments that described tasks, unless somebody answered within four weeks."""
    leads = await first_leads(session)
    rows = await session.exec(
        select(CoverageTask.department_id, func.max(col(CoverageAnswer.answered_at)), Department.name)
        .join(Department, col(Department.id) == col(CoverageTask.department_id))
        .outerjoin(CoverageAnswer, col(CoverageAnswer.task_id) == col(CoverageTask.id))
        .where(col(CoverageTask.archived_at).is_(None), col(Department.archived_at).is_(None))
        .group_by(col(CoverageTask.department_id), col(Department.name))
    )
    wishes = []
    for department_id, last, name in rows:
        ready = look.start if last is None else last + COVERAGE_AFTER
        if ready <= look.end and department_id in leads:
            month = max(ready, look.start).strftime("%Y-%m")
            reason = f"The tasks of {name} were last looked at {_ago(last, look)}."
            wishes.append(
                to_person(
                    "coverage_update",
                    leads[department_id],
                    ready,
                    reason,
                    period=month,
                    department_id=department_id,
                )
            )
    return wishes


def _ago(last: datetime | None, look: Look) -> str:
    return "never" if last is None else f"on {_day(last, look)}"


def _day(instant: datetime, look: Look) -> str:
    return day(instant.date(), look.start.date())


async def second_views(session: AsyncSession, look: Look) -> list[Wish]:
    """Blind questions that were opened for somebody of the team."""
    rows = await session.exec(
        select(DialogueSession, Department.name)
        .join(Department, col(Department.id) == col(DialogueSession.department_id))
        .where(
            DialogueSession.kind == SessionKind.SECOND_RATER,
            col(DialogueSession.status).in_((SessionStatus.OPEN, SessionStatus.PAUSED)),
            DialogueSession.started_at <= look.end,
            DialogueSession.started_at > look.start - CYCLE,
        )
    )
    return [
        to_person(
            "second_view",
            sitting.person_id,
            sitting.started_at,
            f"A second view of {name} makes the picture fairer.",
            period=f"sitting-{sitting.id}",
            department_id=sitting.department_id,
            detail={"sitting": sitting.id},
        )
        for sitting, name in rows
    ]


# Blockers, policies and questions


async def old_blockers(session: AsyncSession, look: Look) -> list[Wish]:
    """Blockers that have stood for two weeks, then every four weeks: to their owner, else to the lead."""
    leads = await first_leads(session)
    rows = await session.exec(
        select(Blocker).where(
            col(Blocker.resolved_at).is_(None), Blocker.raised_at <= look.end - BLOCKER_AFTER
        )
    )
    wishes = []
    for blocker in rows:
        person = blocker.owner_id or leads.get(blocker.department_id)
        if person is None:
            continue
        first = blocker.raised_at + BLOCKER_AFTER
        step = max(timedelta(0), look.start - first) // CYCLE
        ready = first + step * CYCLE
        wishes.append(
            to_person(
                "blocker_ageing",
                person,
                ready,
                f"A blocker has been open since {_day(blocker.raised_at, look)}.",
                period=f"blocker-{blocker.id}:{ready.date().isoformat()}",
                department_id=blocker.department_id,
                detail={"blocker": blocker.id},
            )
        )
    return wishes


async def policy_reviews(session: AsyncSession, look: Look) -> list[Wish]:
    """Policies whose review date is at most two weeks away, to their owner, once for each date."""
    last_day = look.end.date() + REVIEW_NOTICE
    rows = await session.exec(
        select(Document).where(
            col(Document.removed_at).is_(None),
            col(Document.superseded_by).is_(None),
            col(Document.owner_id).is_not(None),
            col(Document.review_by).is_not(None),
            col(Document.review_by) <= last_day,
        )
    )
    return [
        to_person(
            "policy_review",
            document.owner_id or 0,
            at_local((document.review_by or date.min) - REVIEW_NOTICE, time(0), zone("UTC")),
            f"A policy is to be reviewed by {day(document.review_by or last_day, last_day)}.",
            period=f"document-{document.id}:{document.review_by}",
            detail={"document": document.id},
        )
        for document in rows
    ]


async def open_questions(session: AsyncSession, look: Look) -> list[Wish]:
    """Questions that have waited for their owner for three days, once each."""
    rows = await session.exec(
        select(Gap).where(
            Gap.status == GapStatus.SENT,
            col(Gap.owner_id).is_not(None),
            col(Gap.sent_at) <= look.end - QUESTION_WAITS,
            or_(col(Gap.group_id).is_(None), col(Gap.group_id) == col(Gap.id)),
        )
    )
    return [
        to_person(
            "open_question",
            gap.owner_id or 0,
            (gap.sent_at or look.start) + QUESTION_WAITS,
            "A colleague's question waits for an answer.",
            period=f"gap-{gap.id}",
            detail={"gap": gap.id},
        )
        for gap in rows
    ]


# Digests


async def executive_digests(session: AsyncSession, look: Look) -> list[Wish]:
    """The company's week, to everybody who holds the duty of an executive."""
    company_zone = await _company_zone(session)
    rows = await session.exec(
        select(Person.id, Person.time_zone)
        .join(Duty, col(Duty.person_id) == col(Person.id))
        .where(Duty.duty == DutyName.EXECUTIVE, col(Person.archived_at).is_(None))
        .distinct()
    )
    reason = "The week of the whole company, for executives."
    return [
        to_person("executive_digest", id_ or 0, ready, reason, period=period)
        for id_, time_zone in rows
        for ready, period in weeks_in(look, time_zone or company_zone)
    ]


async def department_digests(session: AsyncSession, look: Look) -> list[Wish]:
    """Each department's week, to its channel."""
    company_zone = await _company_zone(session)
    rows = await session.exec(
        select(Department.id, Department.name, Department.time_zone, Department.channels).where(
            col(Department.archived_at).is_(None)
        )
    )
    wishes = []
    for id_, name, time_zone, channels in rows:
        blocked = "" if channels else f"{name} has no channel for its digest."
        for ready, period in weeks_in(look, time_zone or company_zone):
            wishes.append(
                Wish(
                    "department_digest",
                    f"department:{id_}",
                    ready,
                    f"The week of {name}, for its channel.",
                    period=period,
                    department_id=id_,
                    blocked=blocked,
                )
            )
    return wishes


@lru_cache(maxsize=256)
def weeks_in(look: Look, time_zone: str) -> tuple[tuple[datetime, str], ...]:
    """The weeks whose digest falls into the look: (the Monday after it at midnight, local; the week's key).

    A digest tells of the week before the one in which it is sent.
    """
    tz = zone(time_zone)
    first, last = local_day(look.start, tz), local_day(look.end, tz)
    monday = first - timedelta(days=first.weekday())
    weeks = []
    while monday <= last:
        weeks.append((at_local(monday, time(0), tz), week_key(monday - timedelta(days=7))))
        monday += timedelta(days=7)
    return tuple(weeks)


async def _company_zone(session: AsyncSession) -> str:
    company = await session.get(Company, 1)
    return company.time_zone if company else "UTC"
