"""States, gates and placement: from the levels of a department's criteria to where it stands.

The rules are the section `gates` of the instrument. No average is taken anywhere: the lowest applicable
criterion decides a model's state. `level` here always means the level that counts for gates, 0 if nothing
counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.audit.instrument import Instrument
from bot.audit.parts import Criterion, Requirement, ValueModel

Mode = Literal["strict", "chain"]
ModelState = Literal["not_started", "exploring", "building", "operational", "steering", "not_applicable"]
Severity = Literal["hard", "soft"]

CLEAN: tuple[ModelState, ...] = ("operational", "steering")
"""The states of a model that later ones may stand on."""

STARTED, ACTIVE, ESTABLISHED, STEERED = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Ratings:
    """What gates look at. `levels` holds the applicable criteria only; every other one is approved not
    applicable.
    """

    instrument: Instrument
    levels: Mapping[str, int]
    open_blockers: frozenset[str]
    not_applicable_models: frozenset[str]

    def criteria(self, model: ValueModel) -> list[Criterion]:
        """The criteria of `model` that apply to this department."""
        if model.id in self.not_applicable_models:
            return []
        return [criterion for criterion in model.criteria if criterion.id in self.levels]

    def levels_of(self, model: ValueModel) -> list[int]:
        return [self.levels[criterion.id] for criterion in self.criteria(model)]

    def critical_blockers(self, model: ValueModel) -> list[str]:
        """Ids of the open blockers of `model` that keep it from being operational."""
        return [kind.id for kind in model.blockers if kind.critical and kind.id in self.open_blockers]

    def applicable(self) -> list[ValueModel]:
        return [model for model in self.instrument.models if self.criteria(model)]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a model counts as skipped. `str()` is a stable form for machines; `subject` and `needed_by` are
    ids.

    critical_below: a critical criterion at `level`. requirement: `needed_by` is active and requires the
    subject. below: a criterion at `level`. blocker: a critical blocker is open.
    """

    kind: Literal["critical_below", "requirement", "below", "blocker"]
    subject: str
    level: int | None = None
    needed_by: str | None = None

    def __str__(self) -> str:
        if self.kind == "critical_below":
            return f"{self.subject} is critical and below {ACTIVE}"
        if self.kind == "requirement":
            return f"{self.needed_by} requires {self.subject}"
        if self.kind == "below":
            return f"{self.subject} is below {ESTABLISHED}"
        return f"{self.subject} is open"


@dataclass(frozen=True, slots=True)
class Skipped:
    """An earlier model that is not in place by its own criteria while a later one is already active."""

    model: str
    severity: Severity
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a department stands. Orders run 1 to 5, 0 is none; `working_model` is where coaching starts."""

    operational_through: int
    working_model: str | None
    reach: int
    skipped: tuple[Skipped, ...]


def own_states(ratings: Ratings) -> dict[str, ModelState]:
    """Each model's state by its own applicable criteria and its open critical blockers."""
    return {model.id: _own_state(ratings, model) for model in ratings.instrument.models}


def _own_state(ratings: Ratings, model: ValueModel) -> ModelState:
    levels = ratings.levels_of(model)
    if not levels:
        return "not_applicable"
    if min(levels) >= ESTABLISHED and not ratings.critical_blockers(model):
        steered = sum(level >= STEERED for level in levels)
        return "steering" if 2 * steered >= len(levels) else "operational"
    if min(levels) >= ACTIVE:
        return "building"
    return "exploring" if max(levels) >= STARTED else "not_started"


def held_back_by(
    ratings: Ratings, own: Mapping[str, ModelState], mode: Mode
) -> tuple[dict[str, ModelState], dict[str, tuple[str, ...]]]:
    """The reported states, and for each model the ids of the models and criteria that shut its gate.

    Goes through the models in order, since a gate looks at the reported state of earlier ones.
    """
    reported: dict[str, ModelState] = {}
    held: dict[str, tuple[str, ...]] = {}
    for model in ratings.instrument.models:
        state = own[model.id]
        missing = () if state == "not_applicable" else tuple(_missing(ratings, model, reported, mode))
        held[model.id] = missing
        reported[model.id] = "building" if missing and state in CLEAN else state
    return reported, held


def _missing(
    ratings: Ratings, model: ValueModel, reported: Mapping[str, ModelState], mode: Mode
) -> Iterator[str]:
    if mode == "strict":
        yield from (name for name, state in reported.items() if state not in (*CLEAN, "not_applicable"))
        return
    for requirement in model.hard_requires:
        if not holds(ratings, requirement, reported):
            yield requirement.criterion or requirement.model


def holds(ratings: Ratings, requirement: Requirement, reported: Mapping[str, ModelState]) -> bool:
    """Whether a hard requirement holds. One on something approved as not applicable always does."""
    if reported[requirement.model] == "not_applicable":
        return True
    if requirement.criterion is None:
        return reported[requirement.model] in CLEAN
    if requirement.criterion not in ratings.levels:
        return True
    return ratings.levels[requirement.criterion] >= (requirement.level or 0)


def place(ratings: Ratings, own: Mapping[str, ModelState], reported: Mapping[str, ModelState]) -> Placement:
    """Placement by the reported states; what is skipped, by the own ones."""
    applicable = ratings.applicable()
    waiting = [model for model in applicable if reported[model.id] not in CLEAN]
    active = [model for model in applicable if any(level >= ACTIVE for level in ratings.levels_of(model))]
    reach = max((model.order for model in active), default=0)
    return Placement(
        operational_through=waiting[0].order - 1 if waiting else len(ratings.instrument.models),
        working_model=waiting[0].id if waiting else None,
        reach=reach,
        skipped=tuple(
            _skipped(ratings, model, reported, active)
            for model in applicable
            if model.order < reach and own[model.id] not in CLEAN
        ),
    )


def _skipped(
    ratings: Ratings, model: ValueModel, reported: Mapping[str, ModelState], active: Sequence[ValueModel]
) -> Skipped:
    hard = [*_critical_below(ratings, model), *_broken_requirements(ratings, model, reported, active)]
    if hard:
        return Skipped(model.id, "hard", tuple(hard))
    return Skipped(model.id, "soft", tuple(_shortfalls(ratings, model)))


def _critical_below(ratings: Ratings, model: ValueModel) -> Iterator[Reason]:
    for criterion in ratings.criteria(model):
        level = ratings.levels[criterion.id]
        if criterion.critical and level < ACTIVE:
            yield Reason("critical_below", criterion.id, level)


def _broken_requirements(
    ratings: Ratings, skipped: ValueModel, reported: Mapping[str, ModelState], active: Sequence[ValueModel]
) -> Iterator[Reason]:
    """Hard requirements on `skipped` that an active model has and that do not hold."""
    for model in active:
        for requirement in model.hard_requires:
            if requirement.model == skipped.id and not holds(ratings, requirement, reported):
                yield Reason("requirement", str(requirement), needed_by=model.id)


def _shortfalls(ratings: Ratings, model: ValueModel) -> Iterator[Reason]:
    for criterion in ratings.criteria(model):
        if ratings.levels[criterion.id] < ESTABLISHED:
            yield Reason("below", criterion.id, ratings.levels[criterion.id])
    for blocker in ratings.critical_blockers(model):
        yield Reason("blocker", blocker)
