"""Freezing a week: compute the figures of everything as it stood at the week's end, and keep them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.process_records import stored_processes
from bot.audit.processes import ACROSS
from bot.clock import at_local, local_day, previous_weeks, week_key, week_start, zone
from bot.coverage.formula import TaskFact
from bot.store.engine import Store
from bot.store.tables import (
    Answer,
    Company,
    CoverageAnswer,
    Department,
    Plan,
    PlanStatus,
    WeeklyAggregate,
)
from scheduler.figures import (
    BlockerFigure,
    ChangeFigure,
    CompanyWeek,
    DepartmentWeek,
    ProcessFigure,
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
from scheduler.snapshot import Snapshot, snapshot

TREND_WEEKS = 12
"""Weeks that a digest looks back over, its own included; the first of them is what "since" compares with."""
EXCEPTION_AFTER = timedelta(days=14)
"""A critical blocker older than this is an exception (instrument, digest.order)."""


def week_end(week: str, time_zone: str) -> datetime:
    """The instant at which a week is over in a zone."""
    return at_local(week_start(week) + timedelta(days=7), time(0), zone(time_zone))


def last_whole_week(now: datetime, time_zone: str) -> str:
    """The latest week that is over in a zone."""
    return week_key(local_day(now, zone(time_zone)) - timedelta(days=7))


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
        rebased=id_ in found.rebased,
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
    total = company_week(weeks.values(), before, first, (at - cycle).date())
    return weeks, total.model_copy(update={"processes": await _at_work(session)})


async def _at_work(session: AsyncSession) -> tuple[ProcessFigure, ...]:
    return tuple(
        ProcessFigure(name=each.name, departments=each.departments, owned=each.owner is not None)
        for each in await stored_processes(session)
        if each.at_work and len(set(each.departments)) >= ACROSS
    )


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
