"""Everything that a week's figures are made of, as it stood at one instant.

All departments are read in a handful of queries, so that a company of a thousand departments is one second's
work.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import aliased, load_only
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.records import fact, gate_mode, no_models
from bot.audit.scoring import AnswerFact, Scores, score
from bot.coverage.formula import TaskFact
from bot.coverage.tasks import TaskAnswer, task_fact, unanswered, usual_tasks
from bot.errors import NotFound
from bot.store.tables import (
    Answer,
    Blocker,
    CoverageAnswer,
    CoverageTask,
    Department,
    Person,
    Plan,
    Role,
)

ROLE_STALE_AFTER = timedelta(days=180)


@dataclass
class Snapshot:
    """Everything that a week's figures are made of, as it stood at `at`."""

    at: datetime
    departments: list[Department] = field(default_factory=list)
    scores: dict[int, Scores] = field(default_factory=dict)
    facts: dict[int, list[TaskFact]] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)
    answers: dict[int, list[Answer]] = field(default_factory=dict)
    blockers: dict[int, list[Blocker]] = field(default_factory=dict)
    plans: dict[int, list[Plan]] = field(default_factory=dict)
    rebased: set[int] = field(default_factory=set)
    """Departments in which hours of a task were asked anew within the seven days before `at`."""


async def snapshot(session: AsyncSession, instrument: Instrument, at: datetime) -> Snapshot:
    """Read every department as it stood at `at`."""
    found = Snapshot(at)
    rows = await session.exec(
        select(Department)
        .where(or_(col(Department.archived_at).is_(None), col(Department.archived_at) > at))
        .order_by(col(Department.id))
    )
    found.departments = list(rows)
    found.answers = await _answers(session, at)
    found.blockers = await _blockers(session, at)
    found.plans = await _plans(session, at)
    mode = await gate_mode(session)
    known = {kind.id for model in instrument.models for kind in model.blockers}
    for department in found.departments:
        id_ = department.id or 0
        answers: list[AnswerFact] = [fact(row, at) for row in found.answers.get(id_, [])]
        open_codes = {row.code for row in found.blockers.get(id_, [])} & known
        found.scores[id_] = score(instrument, answers, open_codes, no_models(department), mode, at)
    await _coverage(session, instrument, found)
    found.rebased = await _rebased(session, at)
    return found


_WHAT_COUNTS: Any = (
    Answer.department_id, Answer.criterion, Answer.claim, Answer.level, Answer.evidence, Answer.answered_at,
    Answer.approved_at, Answer.declined_at, Answer.still_true_at, Answer.expired_by, Answer.expired_at,
    Answer.agreement,
)  # fmt: skip
"""No words: a figure needs none, and a thousand departments have twenty thousand answers."""


async def _answers(session: AsyncSession, at: datetime) -> dict[int, list[Answer]]:
    """The latest answer of each department and criterion; second raters' own answers stay out."""
    place = (
        func.row_number()
        .over(
            partition_by=(col(Answer.department_id), col(Answer.criterion)),
            order_by=(col(Answer.answered_at).desc(), col(Answer.id).desc()),
        )
        .label("place")
    )
    ranked = (
        select(col(Answer.id).label("id"), place)
        .where(Answer.answered_at <= at, col(Answer.second).is_(False))
        .subquery()
    )
    rows = await session.exec(
        select(Answer)
        .join(ranked, ranked.c.id == col(Answer.id))
        .where(ranked.c.place == 1)
        .options(load_only(*_WHAT_COUNTS, raiseload=True))
    )
    answers: dict[int, list[Answer]] = defaultdict(list)
    for row in rows:
        answers[row.department_id].append(row)
    return answers


async def _blockers(session: AsyncSession, at: datetime) -> dict[int, list[Blocker]]:
    rows = await session.exec(
        select(Blocker)
        .where(
            Blocker.raised_at <= at,
            or_(col(Blocker.resolved_at).is_(None), col(Blocker.resolved_at) > at),
        )
        .order_by(col(Blocker.raised_at))
    )
    blockers: dict[int, list[Blocker]] = defaultdict(list)
    for row in rows:
        blockers[row.department_id].append(row)
    return blockers


async def _plans(session: AsyncSession, at: datetime) -> dict[int, list[Plan]]:
    rows = await session.exec(
        select(Plan).where(
            Plan.created_at <= at,
            or_(col(Plan.closed_at).is_(None), col(Plan.closed_at) > at - timedelta(days=7)),
        )
    )
    plans: dict[int, list[Plan]] = defaultdict(list)
    for row in rows:
        plans[row.department_id].append(row)
    return plans


async def _rebased(session: AsyncSession, at: datetime) -> set[int]:
    rows = await session.exec(
        select(CoverageTask.department_id)
        .where(col(CoverageTask.rebased_at) <= at, col(CoverageTask.rebased_at) > at - timedelta(days=7))
        .distinct()
    )
    return set(rows)


async def _coverage(session: AsyncSession, instrument: Instrument, found: Snapshot) -> None:
    """Task facts and headcounts. A role that nobody described enters with its usual tasks, not fresh.

    A department counts as many people as its roles name, or as we know of, whichever is more.
    """
    described = await _described(session, instrument, found.at)
    known = await session.exec(
        select(Person.department_id, func.count())
        .where(col(Person.archived_at).is_(None))
        .group_by(col(Person.department_id))
    )
    members = dict(known.all())
    rows = await session.exec(select(Role).where(col(Role.archived_at).is_(None)))
    templates = {row.id: row.template or row.slug for row in found.departments}
    for role in rows:
        if role.department_id not in templates:
            continue
        found.people[role.department_id] = found.people.get(role.department_id, 0) + role.headcount
        facts = described.get(role.id or 0)
        if facts is None:
            facts = _usual(instrument, templates[role.department_id] or "", role)
        found.facts.setdefault(role.department_id, []).extend(facts)
    for department in found.departments:
        id_ = department.id or 0
        found.people[id_] = max(found.people.get(id_, 0), members.get(id_, 0))


def _usual(instrument: Instrument, template: str, role: Role) -> list[TaskFact]:
    try:
        return unanswered(usual_tasks(instrument, template), role.slug, role.headcount)
    except NotFound:
        return []


async def _described(
    session: AsyncSession, instrument: Instrument, at: datetime
) -> dict[int, list[TaskFact]]:
    later = aliased(CoverageAnswer)
    newest = (
        select(func.max(col(later.id)))
        .where(col(later.task_id) == col(CoverageTask.id), later.answered_at <= at)
        .correlate(CoverageTask)
        .scalar_subquery()
    )
    rows = await session.exec(
        select(CoverageTask, CoverageAnswer, Role)
        .join(Role, col(Role.id) == col(CoverageTask.role_id))
        .outerjoin(CoverageAnswer, col(CoverageAnswer.id) == newest)
        .where(
            col(Role.archived_at).is_(None),
            or_(col(CoverageTask.archived_at).is_(None), col(CoverageTask.archived_at) > at),
        )
    )
    described: dict[int, list[TaskFact]] = defaultdict(list)
    for task, found, role in rows:
        # An outer join: where nobody answered by then there is no answer.
        answer: CoverageAnswer | None = found
        if answer or task.baseline_hours is not None:
            described[role.id or 0].append(_task(instrument, task, answer, role, at))
    return described


def _task(
    instrument: Instrument, task: CoverageTask, answer: CoverageAnswer | None, role: Role, at: datetime
) -> TaskFact:
    buckets = instrument.coverage.inputs_per_task.hours_per_person_week.buckets
    hours = task.baseline_hours
    if hours is None:
        hours = buckets[answer.hours] if answer is not None else 0.0
    taps = None
    if answer is not None:
        taps = TaskAnswer(answer.share, answer.mode, answer.accepted, answer.review, answer.tool)
    return task_fact(
        instrument.coverage,
        taps,
        id=f"{role.slug}:{task.slug}",
        role=role.slug,
        headcount=role.headcount,
        hours=hours,
        estimated=task.estimated,
        keep_human=answer is not None and answer.keep_human,
        fresh=answer is not None and at - answer.answered_at <= ROLE_STALE_AFTER,
    )
