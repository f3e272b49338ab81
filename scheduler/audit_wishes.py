"""When to ask a lead for an audit: the first, the next, and the question after two silent cycles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import (
    Answer,
    Department,
    Plan,
    PlanStatus,
    ScheduledMessage,
    ScheduledStatus,
)
from scheduler.wishes import CYCLE, Look, Wish, day_of, first_leads, to_person

AUDIT_KINDS = ("audit_invitation", "re_audit")
SCREENED_FROM = 8
"""Criteria answered after the first two sittings: from then on a department has a full placement."""
SILENT_CYCLES = 2
RESUME_AFTER = timedelta(days=7)
RE_AUDIT_AFTER = timedelta(days=90)
RE_AUDIT_WITH_STEP_AFTER = timedelta(days=30)
LEDGER_SPAN = timedelta(days=200)
"""How far back requests are looked at for cycles."""


@dataclass(slots=True)
class _Audited:
    """What the finders of audits need to know of a department."""

    id: int
    name: str
    lead: int | None
    last: datetime | None
    ended: datetime | None
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
    if department.ended is not None and department.ended > department.last:
        return (
            "re_audit",
            department.ended,
            f"Something changed in {department.name} that ended answers early.",
        )
    cadence = RE_AUDIT_WITH_STEP_AFTER if department.has_step else RE_AUDIT_AFTER
    reason = f"The last audit of {department.name} was on {day_of(department.last, look)}."
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
        last, criteria, ended = answered.get(id_ or 0, (None, 0, None))
        times = [at for at in asked.get(id_ or 0, []) if last is None or at > last]
        found.append(
            _Audited(
                id=id_ or 0,
                name=name,
                lead=leads.get(id_ or 0),
                last=last,
                ended=ended,
                criteria=criteria,
                has_step=id_ in steps,
                asked=max(times, default=None),
                silent=len(times),
            )
        )
    return found


async def _answered(session: AsyncSession) -> dict[int, tuple[datetime, int, datetime | None]]:
    """Of each department the last answer, how many questions it answered, and when one last ended early."""
    rows = await session.exec(
        select(
            Answer.department_id,
            func.max(col(Answer.answered_at)),
            func.count(func.distinct(col(Answer.criterion))),
            func.max(col(Answer.expired_at)),
        )
        .where(col(Answer.second).is_(False))
        .group_by(col(Answer.department_id))
    )
    return {department_id: (last, criteria, ended) for department_id, last, criteria, ended in rows}


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
