"""Stored tasks and taps of a department, as the dialogue and the formula read them.

Every role with people enters with the usual tasks of its kind of department until somebody says otherwise, so
that a few answers are never taken for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.coverage.formula import Coverage, TaskFact, coverage_of
from bot.coverage.state import RoleTasks, Taps, Task
from bot.coverage.tasks import (
    Grade,
    GradeBasis,
    TaskAnswer,
    UsualTask,
    grade_of,
    task_fact,
    unanswered,
    usual_tasks,
)
from bot.store.tables import CoverageAnswer, CoverageTask, Department, Role

_AT_A_TIME = 100
"""Look-ups put into one statement; databases bound how many may be joined."""


@dataclass(frozen=True)
class Described:
    """A stored task with its last answer and the one before, as at some instant."""

    task: CoverageTask
    last: CoverageAnswer | None
    before: CoverageAnswer | None


@dataclass(frozen=True)
class RoleRecord:
    """A role with its stored tasks, and the usual ones that nobody spoke of yet."""

    role: Role
    described: tuple[Described, ...]
    usual: tuple[UsualTask, ...]


async def role_records(
    tx: AsyncSession, instrument: Instrument, department: Department, now: datetime
) -> list[RoleRecord]:
    """The roles of a department that have people, with their tasks as at `now`."""
    roles = await tx.exec(
        select(Role)
        .where(Role.department_id == department.id, col(Role.archived_at).is_(None), Role.headcount > 0)
        .order_by(col(Role.id))
    )
    tasks = await tx.exec(
        select(CoverageTask).where(CoverageTask.department_id == department.id).order_by(col(CoverageTask.id))
    )
    stored = list(tasks)
    answers = await _last_two(tx, [task.id or 0 for task in stored], now)
    usual = usual_tasks(instrument, department.template) if department.template else ()
    return [
        _record(role, [task for task in stored if task.role_id == role.id], usual, answers, now)
        for role in roles
    ]


def _record(
    role: Role,
    tasks: list[CoverageTask],
    usual: tuple[UsualTask, ...],
    answers: dict[int, list[CoverageAnswer]],
    now: datetime,
) -> RoleRecord:
    spoken_of = {task.slug for task in tasks}
    described = []
    for task in tasks:
        last, before = (*answers.get(task.id or 0, ()), None, None)[:2]
        if task.archived_at is None or task.archived_at > now:
            described.append(Described(task, last, before))
    return RoleRecord(role, tuple(described), tuple(each for each in usual if each.task.id not in spoken_of))


async def _last_two(tx: AsyncSession, tasks: list[int], now: datetime) -> dict[int, list[CoverageAnswer]]:
    """The last two answers of each task, the later first: one look into the index each, whatever the
    years.
    """
    found: dict[int, list[CoverageAnswer]] = {}
    for start in range(0, len(tasks), _AT_A_TIME):
        looks = []
        for task in tasks[start : start + _AT_A_TIME]:
            query = select(CoverageAnswer.id).where(
                CoverageAnswer.task_id == task, CoverageAnswer.answered_at <= now
            )
            latest = query.order_by(col(CoverageAnswer.answered_at).desc(), col(CoverageAnswer.id).desc())
            looks.append(select(latest.limit(2).subquery().c.id))
        rows = await tx.exec(
            select(CoverageAnswer)
            .where(col(CoverageAnswer.id).in_(union_all(*looks)))
            .order_by(col(CoverageAnswer.answered_at).desc(), col(CoverageAnswer.id).desc())
        )
        for row in rows:
            found.setdefault(row.task_id, []).append(row)
    return found


def task_facts(instrument: Instrument, records: list[RoleRecord], now: datetime) -> list[TaskFact]:
    """All tasks in the formula's numbers; an answer older than the instrument's limit is not fresh."""
    facts: list[TaskFact] = []
    for record in records:
        role = record.role
        facts += unanswered(record.usual, role.slug, role.headcount)
        facts += [_fact(instrument, record, described, now) for described in record.described]
    return facts


def _fact(instrument: Instrument, record: RoleRecord, described: Described, now: datetime) -> TaskFact:
    last, task = described.last, described.task
    buckets = instrument.coverage.inputs_per_task.hours_per_person_week.buckets
    answer = None
    if last is not None:
        answer = TaskAnswer(last.share, last.mode, last.accepted, last.review, last.tool)
    limit = timedelta(days=instrument.freshness.stale_after_days)
    return task_fact(
        instrument.coverage,
        answer,
        id=f"{record.role.slug}:{task.slug}",
        role=record.role.slug,
        headcount=record.role.headcount,
        hours=buckets["2-5"] if task.baseline_hours is None else task.baseline_hours,
        estimated=task.estimated,
        keep_human=last is not None and last.keep_human,
        fresh=last is not None and now - last.answered_at <= limit,
    )


def grade(records: list[RoleRecord]) -> Grade | None:
    """How well the figure is supported: A, B or C; None before the first answer."""
    return grade_of([_basis(record, each) for record in records for each in record.described if each.last])


def _basis(record: RoleRecord, described: Described) -> GradeBasis:
    last, before = described.last, described.before
    return GradeBasis(
        hours=record.role.headcount * (described.task.baseline_hours or 0.0),
        answers=sum(each is not None for each in (last, before)),
        logged=not described.task.estimated,
        within_one_bucket=last is not None and before is not None and last.share == before.share,
    )


async def coverage_at(
    tx: AsyncSession, instrument: Instrument, department: Department, now: datetime
) -> tuple[Coverage, list[TaskFact]]:
    """The department's coverage as at `now`, and the tasks it was computed from."""
    facts = task_facts(instrument, await role_records(tx, instrument, department, now), now)
    return coverage_of(facts), facts


def roles_to_ask(records: list[RoleRecord]) -> tuple[RoleTasks, ...]:
    """The roles as the check-in goes through them: those never described first."""
    ordered = sorted(records, key=lambda record: bool(record.described))
    return tuple(
        RoleTasks(role=record.role.id or 0, name=record.role.name, tasks=tasks)
        for record in ordered
        if (tasks := _tasks(record))
    )


def _tasks(record: RoleRecord) -> tuple[Task, ...]:
    stored = [
        Task(slug=each.task.slug, text=each.task.text, own=each.task.own, before=_taps(each.last))
        for each in record.described
    ]
    usual = [
        Task(slug=each.task.id, text=each.task.text, hint=each.task.keep_human_hint or "")
        for each in record.usual
    ]
    return (*stored, *usual)


def _taps(answer: CoverageAnswer | None) -> Taps | None:
    if answer is None:
        return None
    return Taps(
        hours=answer.hours,
        share=answer.share,
        mode=answer.mode,
        accepted=answer.accepted,
        review=answer.review,
        tool=answer.tool,
        keep_human=answer.keep_human,
        reason=answer.reason,
    )
