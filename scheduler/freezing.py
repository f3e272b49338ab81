"""Freezing a week: read everything as it stood at the week's end, compute, keep.

All departments are read in a handful of queries, so that a company of a thousand departments is one second's
work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.records import fact, gate_mode, no_models
from bot.audit.scoring import AnswerFact, Scores, score
from bot.clock import at_local, local_day, previous_weeks, week_key, week_start, zone
from bot.coverage.formula import TaskFact
from bot.coverage.tasks import TaskAnswer, task_fact, unanswered, usual_tasks
from bot.errors import NotFound
from bot.store.engine import Store
from bot.store.tables import (
    Answer,
    Blocker,
    Company,
    CoverageAnswer,
    CoverageTask,
    Department,
    Person,
    Plan,
    PlanStatus,
    Role,
    WeeklyAggregate,
)
from scheduler.figures import (
    BlockerFigure,
    ChangeFigure,
    CompanyWeek,
    DepartmentWeek,
    SkipFigure,
    change_figure,
    company_week,
    coverage_figure,
    hidden_departments,
    levels_of,
    moves,
    pack,
    unchecked_hours,
    unpack,
)

TREND_WEEKS = 12
"""Weeks that a digest looks back over, its own included; the first of them is what "since" compares with."""
EXCEPTION_AFTER = timedelta(days=14)
"""A critical blocker older than this is an exception (instrument, digest.order)."""

ROLE_STALE_AFTER = timedelta(days=180)


def week_end(week: str, time_zone: str) -> datetime:
    """The instant at which a week is over in a zone."""
    return at_local(week_start(week) + timedelta(days=7), time(0), zone(time_zone))


def last_whole_week(now: datetime, time_zone: str) -> str:
    """The latest week that is over in a zone."""
    return week_key(local_day(now, zone(time_zone)) - timedelta(days=7))


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
        answers: list[AnswerFact] = [fact(row) for row in found.answers.get(id_, [])]
        open_codes = {row.code for row in found.blockers.get(id_, [])} & known
        found.scores[id_] = score(instrument, answers, open_codes, no_models(department), mode, at)
    await _coverage(session, instrument, found)
    return found


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
        select(Answer).join(ranked, ranked.c.id == col(Answer.id)).where(ranked.c.place == 1)
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


def department_week(
    instrument: Instrument,
    found: Snapshot,
    department: Department,
    before: DepartmentWeek | None,
    first: DepartmentWeek | None,
    week: str,
) -> DepartmentWeek:
    """The figures of one department, with what changed since the week before and since the trend begins."""
    id_ = department.id or 0
    scores, facts, answers = found.scores[id_], found.facts.get(id_, []), found.answers.get(id_, [])
    levels = levels_of(scores)
    up, down = moves(before.levels, levels) if before else ((), ())
    last = max((row.answered_at for row in answers), default=None)
    plans = found.plans.get(id_, [])
    return DepartmentWeek(
        slug=department.slug,
        name=department.name,
        week=week,
        people=found.people.get(id_, 0),
        states={model: str(state) for model, state in scores.models.items()},
        working_model=scores.placement.working_model,
        operational_through=scores.placement.operational_through,
        skipped=tuple(
            SkipFigure(
                model=skip.model,
                severity=skip.severity,
                criterion=next((r.subject for r in skip.because if r.kind != "requirement"), None),
                needed_by=next((r.needed_by for r in skip.because if r.needed_by), None),
            )
            for skip in scores.placement.skipped
        ),
        levels=levels,
        up=up,
        down=down,
        answered=len(answers),
        stale=sum(each.stale is True for each in scores.criteria.values()),
        stale_models=tuple(
            model.id
            for model in instrument.models
            if any(scores.criteria[criterion.id].stale for criterion in model.criteria)
        ),
        contested=sum(row.agreement == "two_or_more_apart_unresolved" for row in answers),
        last_answer=last.date() if last else None,
        next_audit=_next_audit(instrument, last, plans),
        coverage=coverage_figure(facts),
        week_change=_change(before, facts),
        trend_change=_change(first, facts),
        unchecked_hours=unchecked_hours(facts),
        blockers=_old_blockers(instrument, found, id_),
        steps_done=sum(plan.status == PlanStatus.DONE for plan in plans),
        steps_late=sum(
            plan.status == PlanStatus.OPEN and plan.due_on is not None and plan.due_on < found.at.date()
            for plan in plans
        ),
        tasks=tuple(pack(task) for task in facts),
    )


def _change(then: DepartmentWeek | None, facts: list[TaskFact]) -> ChangeFigure:
    return ChangeFigure() if then is None else change_figure(map(unpack, then.tasks), facts, then.week)


def _next_audit(instrument: Instrument, last: datetime | None, plans: list[Plan]) -> date | None:
    if last is None:
        return None
    cadence = instrument.re_audit_flow.cadence_days
    has_step = any(plan.status == PlanStatus.OPEN for plan in plans)
    days = cadence["model_with_open_next_step" if has_step else "default"]
    return (last + timedelta(days=days)).date()


def _old_blockers(instrument: Instrument, found: Snapshot, department_id: int) -> tuple[BlockerFigure, ...]:
    critical = {kind.id for model in instrument.models for kind in model.blockers if kind.critical}
    return tuple(
        BlockerFigure(code=row.code, days=(found.at - row.raised_at).days)
        for row in found.blockers.get(department_id, [])
        if row.code in critical and found.at - row.raised_at > EXCEPTION_AFTER
    )


Weeks = dict[str, DepartmentWeek]
"""Department figures by slug."""


async def ensure_frozen(store: Store, instrument: Instrument, week: str, now: datetime) -> None:
    """Freeze `week`, and the weeks before it that its trend needs, unless they are frozen already.

    Any process may do it; whoever holds the company's row does, the others find it done.
    """
    async with store.read() as session:
        missing = await _missing(session, week)
    for key in missing:
        await _freeze(store, instrument, key, now)


async def _missing(session: AsyncSession, week: str) -> list[str]:
    wanted = previous_weeks(week, TREND_WEEKS)
    rows = await session.exec(
        select(WeeklyAggregate.week).where(
            col(WeeklyAggregate.department_id).is_(None), col(WeeklyAggregate.week).in_(wanted)
        )
    )
    frozen = set(rows)
    first = await _first_week(session)
    return [key for key in wanted if key not in frozen and (key == week or (first and key >= first))]


async def _first_week(session: AsyncSession) -> str | None:
    """The week of the first answer ever: before it there is nothing to freeze."""
    audits = (await session.exec(select(func.min(col(Answer.answered_at))))).one()
    taps = (await session.exec(select(func.min(col(CoverageAnswer.answered_at))))).one()
    times = [time_ for time_ in (audits, taps) if time_ is not None]
    return week_key(min(times).date()) if times else None


async def _freeze(store: Store, instrument: Instrument, week: str, now: datetime) -> None:
    # Computed without a lock, since that may take seconds; whoever is first to write it down has frozen it.
    async with store.read() as session:
        company = await session.get(Company, 1)
        if company is None:
            return
        at = min(now, week_end(week, company.time_zone))
        weeks, total = await compute(session, instrument, week, at)
        ids = {row.slug: row.id for row in await session.exec(select(Department))}
    async with store.write() as tx:
        await tx.get(Company, 1, with_for_update=True)
        if await _is_frozen(tx, week):
            return
        tx.add_all(
            WeeklyAggregate(
                department_id=ids[slug], week=week, frozen_at=now, figures=figures.model_dump(mode="json")
            )
            for slug, figures in weeks.items()
        )
        tx.add(WeeklyAggregate(week=week, frozen_at=now, figures=total.model_dump(mode="json")))


async def _is_frozen(session: AsyncSession, week: str) -> bool:
    rows = await session.exec(
        select(WeeklyAggregate.id).where(
            col(WeeklyAggregate.department_id).is_(None), WeeklyAggregate.week == week
        )
    )
    return rows.first() is not None


async def compute(
    session: AsyncSession, instrument: Instrument, week: str, at: datetime
) -> tuple[Weeks, CompanyWeek]:
    """A week's figures as at `at`, compared with the frozen weeks before it. Changes nothing."""
    found = await snapshot(session, instrument, at)
    earlier = previous_weeks(week, TREND_WEEKS)
    before = await department_weeks(session, earlier[-2])
    first = await department_weeks(session, await _first_frozen(session, earlier))
    weeks = {
        row.slug: department_week(instrument, found, row, before.get(row.slug), first.get(row.slug), week)
        for row in found.departments
    }
    hidden = hidden_departments(
        {slug: each.people for slug, each in weeks.items()}, instrument.privacy.min_group
    )
    weeks = {slug: each.model_copy(update={"shown": slug not in hidden}) for slug, each in weeks.items()}
    cycle = timedelta(days=instrument.re_audit_flow.cadence_days["default"])
    return weeks, company_week(weeks.values(), before, first, (at - cycle).date())


async def _first_frozen(session: AsyncSession, weeks: list[str]) -> str:
    """The earliest of `weeks` that is frozen; the last of them if none is."""
    rows = await session.exec(
        select(func.min(WeeklyAggregate.week)).where(
            col(WeeklyAggregate.department_id).is_(None), col(WeeklyAggregate.week).in_(weeks[:-1])
        )
    )
    return rows.one() or weeks[-1]


async def department_weeks(session: AsyncSession, week: str) -> Weeks:
    """The frozen figures of all departments in a week; empty if it was never frozen."""
    rows = await session.exec(
        select(WeeklyAggregate.figures).where(
            WeeklyAggregate.week == week, col(WeeklyAggregate.department_id).is_not(None)
        )
    )
    found = [DepartmentWeek.model_validate(figures) for figures in rows]
    return {each.slug: each for each in found}


async def company_trend(session: AsyncSession, week: str) -> Mapping[str, CompanyWeek]:
    """The frozen company figures of the weeks that a trend shows, by week."""
    rows = await session.exec(
        select(WeeklyAggregate.week, WeeklyAggregate.figures).where(
            col(WeeklyAggregate.department_id).is_(None),
            col(WeeklyAggregate.week).in_(previous_weeks(week, TREND_WEEKS)),
        )
    )
    return {key: CompanyWeek.model_validate(figures) for key, figures in rows}


async def department_trend(
    session: AsyncSession, week: str, department_id: int
) -> Mapping[str, DepartmentWeek]:
    """The frozen figures of one department in the weeks that a trend shows, by week."""
    rows = await session.exec(
        select(WeeklyAggregate.week, WeeklyAggregate.figures).where(
            WeeklyAggregate.department_id == department_id,
            col(WeeklyAggregate.week).in_(previous_weeks(week, TREND_WEEKS)),
        )
    )
    return {key: DepartmentWeek.model_validate(figures) for key, figures in rows}
