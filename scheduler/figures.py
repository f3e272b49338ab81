"""A week's figures of each department and of the company: computed once, frozen, no person's data.

Everything a digest says is read from here. An old week gives the same numbers for ever, whatever is changed
or erased afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from bot.audit.scoring import Scores
from bot.coverage.formula import Change, Coverage, Estimate, TaskFact, change_between, coverage_of

Share = float | None
Packed = tuple[str, float, float, int, float, float, float, float, float, int, int, int]
"""A task as a frozen week keeps it; see `pack`."""


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CoverageFigure(_Figures):
    """Coverage with its 80% interval, as shares; all None while too little is known to publish."""

    coverage: Share = None
    low: Share = None
    high: Share = None
    touched: Share = None
    known: Share = None
    excluded: Share = None
    hours: float = 0.0
    """Repetitive hours a week that the figure rests on."""
    tasks: int = 0


class ChangeFigure(_Figures):
    """Change on the same basket since an earlier week, beside its noise; None where nothing compares."""

    change: Share = None
    noise: Share = None
    changed: bool = False
    since: str | None = None
    """The week that is compared with."""


class SkipFigure(_Figures):
    """A skipped model, hard or soft, and the first reason."""

    model: str
    severity: str
    criterion: str | None = None
    needed_by: str | None = None


class BlockerFigure(_Figures):
    """An open critical blocker and its age."""

    code: str
    days: int


class DepartmentWeek(_Figures):
    """One department at the end of a week.

    `people` is its membership in that week. `levels` are what each criterion counts as; `up` and `down` the
    criteria that rose with evidence or fell within the week. `tasks` keep what later weeks compare with.
    """

    slug: str
    name: str
    week: str
    people: int
    shown: bool = True
    states: dict[str, str] = Field(default_factory=dict)
    working_model: str | None = None
    operational_through: int = 0
    skipped: tuple[SkipFigure, ...] = ()
    levels: dict[str, int] = Field(default_factory=dict)
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    answered: int = 0
    stale: int = 0
    stale_models: tuple[str, ...] = ()
    """Models with an answer that is too old to count."""
    contested: int = 0
    last_answer: date | None = None
    next_audit: date | None = None
    coverage: CoverageFigure = CoverageFigure()
    week_change: ChangeFigure = ChangeFigure()
    trend_change: ChangeFigure = ChangeFigure()
    rebased: bool = False
    """Whether hours of tasks were asked anew in this week."""
    unchecked_hours: float = 0.0
    """Hours a week in which AI's results are used unchecked, or come from a tool that is not approved."""
    blockers: tuple[BlockerFigure, ...] = ()
    steps_done: int = 0
    steps_late: int = 0
    tasks: tuple[Packed, ...] = ()


class ProcessFigure(_Figures):
    """A process across departments (their slugs, in the order of the work) with agents in it; `owned` where
    somebody answers for its result.
    """

    name: str
    departments: tuple[str, ...]
    owned: bool


class CompanyWeek(_Figures):
    """The company at the end of a week, over the departments that may be shown."""

    departments: int = 0
    hidden: int = 0
    answering: int = 0
    """Departments that answered within the last audit cycle."""
    coverage: CoverageFigure = CoverageFigure()
    week_change: ChangeFigure = ChangeFigure()
    trend_change: ChangeFigure = ChangeFigure()
    rebased: bool = False
    processes: tuple[ProcessFigure, ...] = ()
    """Those in which agents are at work."""


def coverage_figure(facts: Iterable[TaskFact]) -> CoverageFigure:
    """Coverage as it may be published: below 60% of hours known only the known share is."""
    tasks = list(facts)
    found: Coverage = coverage_of(tasks)
    if not found.published:
        return CoverageFigure(known=found.known_share, tasks=len(tasks))
    counted = [task for task in tasks if task.counts]
    return CoverageFigure(
        coverage=found.coverage,
        low=found.low,
        high=found.high,
        touched=found.touched,
        known=found.known_share,
        excluded=found.excluded_share,
        hours=sum(task.total_hours for task in counted),
        tasks=len(counted),
    )


def change_figure(before: Iterable[TaskFact], after: Iterable[TaskFact], since: str | None) -> ChangeFigure:
    """Change since an earlier week on the tasks that both know."""
    found: Change = change_between(before, after)
    return ChangeFigure(change=found.change, noise=found.noise, changed=bool(found.changed), since=since)


def unchecked_hours(facts: Iterable[TaskFact]) -> float:
    """Hours a week whose AI results nobody checks, or that run on tools nobody approved."""
    return sum(task.total_hours * task.share.value for task in facts if task.counts and not task.safe_use)


def pack(task: TaskFact) -> Packed:
    """A task as a short list of numbers, for a frozen week."""
    return (
        task.id, task.headcount, task.hours, int(task.estimated), task.share.value, task.share.half_width,
        task.mode_weight, task.accepted.value, task.accepted.half_width, int(task.safe_use),
        int(task.keep_human), int(task.fresh),
    )  # fmt: skip


def unpack(packed: Packed) -> TaskFact:
    """The task that `pack` wrote down."""
    (
        id_, headcount, hours, estimated, share, share_width, weight, accepted, accepted_width, safe, human,
        fresh,
    ) = packed  # fmt: skip
    return TaskFact(
        id=id_,
        role="",
        headcount=headcount,
        hours=hours,
        estimated=bool(estimated),
        share=Estimate(share, share_width),
        mode_weight=weight,
        accepted=Estimate(accepted, accepted_width),
        safe_use=bool(safe),
        keep_human=bool(human),
        fresh=bool(fresh),
    )


def moves(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The criteria whose counted level rose, and those where it fell, among those known at both ends."""
    both = [criterion for criterion in after if criterion in before]
    up = tuple(criterion for criterion in both if after[criterion] > before[criterion])
    return up, tuple(criterion for criterion in both if after[criterion] < before[criterion])


def levels_of(scores: Scores) -> dict[str, int]:
    """Counted levels of the answers that are not stale. Growing stale is no fall: nothing was found worse."""
    return {
        criterion: each.counted
        for criterion, each in scores.criteria.items()
        if each.counted is not None and not each.stale
    }


def hidden_departments(people: Mapping[str, int], min_group: int) -> set[str]:
    """The departments that are not shown: those below `min_group`, and the next smallest where needed.

    One small department alone could be worked out from the rest, so that a second one is hidden with it, and
    more until at least `min_group` people are behind what is hidden (instrument, privacy.rules).
    """
    hidden = {name for name, count in people.items() if count < min_group}
    rest = sorted((count, name) for name, count in people.items() if name not in hidden)
    while hidden and rest and (len(hidden) < 2 or sum(people[name] for name in hidden) < min_group):
        hidden.add(rest.pop(0)[1])
    return hidden


def company_week(
    weeks: Iterable[DepartmentWeek],
    before: Mapping[str, DepartmentWeek],
    first: Mapping[str, DepartmentWeek],
    answered_since: date,
) -> CompanyWeek:
    """The company from the departments that are shown: what is hidden enters no figure, so none can be
    worked out of one.

    Changes run over departments that are shown now and were shown then: a week `before`, and in the `first`
    week of the trend. `answered_since` begins the audit cycle.
    """
    every = list(weeks)
    shown = [week for week in every if week.shown]
    tasks = _pooled(shown)
    return CompanyWeek(
        departments=len(shown),
        hidden=len(every) - len(shown),
        answering=sum(week.last_answer is not None and week.last_answer >= answered_since for week in shown),
        coverage=coverage_figure(tasks),
        week_change=_company_change(shown, before, tasks),
        trend_change=_company_change(shown, first, tasks),
        rebased=any(week.rebased for week in shown),
    )


def _pooled(weeks: Iterable[DepartmentWeek]) -> list[TaskFact]:
    return [_of_department(week, packed) for week in weeks for packed in week.tasks]


def _of_department(week: DepartmentWeek, packed: Packed) -> TaskFact:
    return unpack((f"{week.slug}:{packed[0]}", *packed[1:]))


def _company_change(
    shown: list[DepartmentWeek], before: Mapping[str, DepartmentWeek], tasks: list[TaskFact]
) -> ChangeFigure:
    old = [before[week.slug] for week in shown if week.slug in before and before[week.slug].shown]
    since = next((week.week for week in old), None)
    return change_figure(_pooled(old), tasks, since)


def state_counts(weeks: Iterable[DepartmentWeek], model: str) -> Counter[str]:
    """How many departments are in each state of a model."""
    return Counter(week.states.get(model, "not_started") for week in weeks)
