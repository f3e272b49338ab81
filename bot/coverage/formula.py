"""The coverage formula: which share of repetitive hours AI handles at accepted quality, and how surely.

Shares, acceptance and results are fractions from 0 to 1; hours are hours a week. Everything here is pure.
The rules are the section `coverage` of the instrument. Hours are added, percentages never averaged: a role,
a department and the company are the same function over more tasks.

The interval is first order. Against a simulation of the same inputs it is about two points off where one or
two tasks hold nearly all hours, because a share of so few lognormal weights is skewed; four at worst.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

Z_80 = 1.28
"""Half the width of an 80% interval, in standard deviations of a normal distribution."""

UNIFORM_SD = 1.73
"""A uniform distribution's half width over its standard deviation: root 3, rounded as in the instrument."""

CV_ESTIMATED, CV_LOGGED = 0.5, 0.15
"""Coefficient of variation of hours that people estimated, and of hours taken from logs."""

PUBLISH_FROM = 0.6
"""The smallest known share at which a coverage is shown as a figure."""

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value known to lie evenly anywhere within `half_width` of `value`."""

    value: float
    half_width: float = 0.0

    @property
    def variance(self) -> float:
        return (self.half_width / UNIFORM_SD) ** 2


NOTHING = Estimate(0.0)


@dataclass(frozen=True, slots=True)
class TaskFact:
    """One repetitive task of one role, as far as it is known.

    `headcount` people each spend `hours` a week on it: the frozen baseline from before AI, `estimated` unless
    taken from logs. In `share` of the cases AI does a part that counts as `mode_weight` of the work, and
    `accepted` of the results are used. `safe_use`: results are checked and the tool is approved; otherwise
    nothing counts as handled. `fresh`: there is an answer that is not stale. `keep_human`: a person does it
    on purpose.
    """

    id: str
    role: str
    headcount: float
    hours: float
    estimated: bool = True
    share: Estimate = NOTHING
    mode_weight: float = 0.0
    accepted: Estimate = NOTHING
    safe_use: bool = True
    keep_human: bool = False
    fresh: bool = True

    @property
    def total_hours(self) -> float:
        """H_i: hours a week of everybody in the role."""
        return self.headcount * self.hours

    @property
    def counts(self) -> bool:
        """Whether the task is part of coverage, its interval and touched."""
        return self.fresh and not self.keep_human

    @property
    def handled(self) -> float:
        """c_i: the share of this task's hours that AI handles at accepted quality."""
        return self.share.value * self.mode_weight * self.accepted.value if self.safe_use else 0.0

    @property
    def handled_variance(self) -> float:
        """Var(c_i) by first-order propagation of the two half widths; the mode is treated as known."""
        if not self.safe_use:
            return 0.0
        by_share = self.accepted.value**2 * self.share.variance
        by_accepted = self.share.value**2 * self.accepted.variance
        return self.mode_weight**2 * (by_share + by_accepted)

    @property
    def hours_variation(self) -> float:
        """CV_h of this task's hours."""
        return CV_ESTIMATED if self.estimated else CV_LOGGED


@dataclass(frozen=True, slots=True)
class Coverage:
    """What can be said of a set of tasks; all fractions, and None where there are no hours to divide by."""

    coverage: float | None
    low: float | None
    high: float | None
    touched: float | None
    known_share: float | None
    published: bool
    excluded_share: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """Coverage now minus coverage before on the same basket, beside the noise of that difference (80%)."""

    change: float | None
    noise: float | None
    changed: bool | None


def coverage_of(tasks: Iterable[TaskFact]) -> Coverage:
    """Coverage, interval, touched and the shares that say how much of the whole this rests on."""
    every = list(tasks)
    counted = [task for task in every if task.counts]
    repetitive = _hours(task for task in every if not task.keep_human)
    known_share = _ratio(_hours(counted), repetitive)
    point = _weighted(counted, [task.handled for task in counted])
    low, high = (None, None) if point is None else _interval(counted, point)
    return Coverage(
        coverage=point,
        low=low,
        high=high,
        touched=_weighted(counted, [task.share.value for task in counted]),
        known_share=known_share,
        published=known_share is not None and known_share >= PUBLISH_FROM - _ROUNDING,
        excluded_share=_ratio(_hours(task for task in every if task.keep_human), _hours(every)),
    )


def change_between(before: Iterable[TaskFact], after: Iterable[TaskFact]) -> Change:
    """What changed on the tasks that count in both lists, weighed by the hours of `before`.

    Frozen weights keep falling hours from looking like rising coverage, and the other way round.
    """
    later = {task.id: task for task in after if task.counts}
    basket = [(task, later[task.id]) for task in before if task.counts and task.id in later]
    frozen = [old for old, _ in basket]
    steps = [new.handled - old.handled for old, new in basket]
    change = _weighted(frozen, steps)
    if change is None:
        return Change(None, None, None)
    spread = [old.handled_variance + new.handled_variance for old, new in basket]
    noise = Z_80 * sqrt(_variance(frozen, steps, change, spread))
    return Change(change, noise, abs(change) > noise)


def _interval(tasks: Sequence[TaskFact], point: float) -> tuple[float, float]:
    handled = [task.handled for task in tasks]
    spread = [task.handled_variance for task in tasks]
    reach = Z_80 * sqrt(_variance(tasks, handled, point, spread))
    return max(0.0, point - reach), min(1.0, point + reach)


def _variance(
    tasks: Sequence[TaskFact], values: Sequence[float], mean: float, spread: Sequence[float]
) -> float:
    """sum(p_i^2 * ((x_i - mean)^2 * CV_h^2 + Var(x_i))): the delta method for a ratio of uncertain hours."""
    total = _hours(tasks)
    return fsum(
        (task.total_hours / total) ** 2 * ((value - mean) ** 2 * task.hours_variation**2 + variance)
        for task, value, variance in zip(tasks, values, spread, strict=True)
    )


def _weighted(tasks: Sequence[TaskFact], values: Sequence[float]) -> float | None:
    return _ratio(
        fsum(task.total_hours * value for task, value in zip(tasks, values, strict=True)), _hours(tasks)
    )


def _hours(tasks: Iterable[TaskFact]) -> float:
    return fsum(task.total_hours for task in tasks)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
