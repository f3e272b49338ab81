"""What follows from something that was said or asked before: reminders, plans, tasks, blockers, reviews."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import col, exists, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import at_local, local_day, zone
from bot.store.tables import (
    Answer,
    Blocker,
    Claim,
    CoverageAnswer,
    CoverageTask,
    Department,
    DialogueSession,
    Document,
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
from scheduler.audit_wishes import AUDIT_KINDS
from scheduler.phrases import day
from scheduler.wishes import CYCLE, Look, Wish, company_zone, day_of, first_leads, to_person

REMINDED_KINDS = (*AUDIT_KINDS, "coverage_update", "plan_follow_up")
COVERAGE_AFTER = timedelta(days=28)
BLOCKER_AFTER = timedelta(days=14)
REVIEW_NOTICE = timedelta(days=14)
QUESTION_WAITS = timedelta(days=3)
APPROVAL_WAITS = timedelta(days=7)


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
    usual_zone = await company_zone(session)
    return [_follow_up(plan, time_zone or usual_zone) for plan, time_zone in rows]


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
    return "never" if last is None else f"on {day_of(last, look)}"


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
                f"A blocker has been open since {day_of(blocker.raised_at, look)}.",
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
            _review_due(document.review_by or last_day, look.start.date(), last_day),
            period=f"document-{document.id}:{document.review_by}",
            detail={"document": document.id},
        )
        for document in rows
    ]


def _review_due(due: date, today: date, last_day: date) -> str:
    told = day(due, last_day)
    return (
        f"A policy was to be reviewed by {told}." if due < today else f"A policy is to be reviewed by {told}."
    )


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


async def open_approvals(session: AsyncSession, look: Look) -> list[Wish]:
    """What is said not to apply and has waited a week for whoever was asked to confirm it, once each. What
    has waited much longer is left alone.
    """
    later = aliased(Answer)
    overtaken = exists().where(
        col(later.department_id) == col(Answer.department_id),
        col(later.criterion) == col(Answer.criterion),
        col(later.second).is_(False),
        col(later.answered_at) > col(Answer.answered_at),
    )
    rows = await session.exec(
        select(Answer).where(
            Answer.claim == Claim.NOT_APPLICABLE,
            col(Answer.approver_id).is_not(None),
            col(Answer.approved_at).is_(None),
            col(Answer.declined_at).is_(None),
            Answer.answered_at <= look.end - APPROVAL_WAITS,
            Answer.answered_at > look.start - APPROVAL_WAITS - CYCLE,
            ~overtaken,
        )
    )
    return [
        to_person(
            "open_approval",
            answer.approver_id or 0,
            answer.answered_at + APPROVAL_WAITS,
            "Something that is said not to apply waits to be confirmed.",
            period=f"answer-{answer.id}",
            department_id=answer.department_id,
            detail={"answer": answer.id},
        )
        for answer in rows
    ]
