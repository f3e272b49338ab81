"""Which criterion is worked on next, and the steps that are offered for it (`gates.next_step_choice`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.audit.gates import ACTIVE, ESTABLISHED, STEERED
from bot.audit.instrument import Instrument
from bot.audit.parts import Criterion, Step, ValueModel
from bot.audit.scoring import Scores

Because = Literal["critical_below_2", "lowest_in_working_model", "stretch"]


@dataclass(frozen=True, slots=True)
class NextStep:
    """A criterion that is worth work now, why, and the steps to choose from."""

    criterion: str
    level: int
    because: Because
    steps: tuple[Step, ...]


def may_open_step(instrument: Instrument, open_steps: int) -> bool:
    """Whether a department that has `open_steps` may take on one more."""
    return open_steps < instrument.gates.next_step_choice.limit_open_steps


def next_steps(
    instrument: Instrument, scores: Scores, named_in_blockers: Mapping[str, int] | None = None
) -> list[NextStep]:
    """What to work on, the most useful first: the criteria of the working model, and critical ones that
    are unsafe.

    A critical criterion below 2 comes first where its model is already active or worked on; then the
    lowest level in the working model; of equal ones that which most blockers name (`named_in_blockers`
    counts them by criterion), then the one with the cheapest step. When all of it is established, stretch
    steps are offered.
    """
    named = named_in_blockers or {}
    gaps = [each for each in _candidates(instrument, scores) if _level(scores, each) < ESTABLISHED]
    chosen = gaps or [each for each in _stretchable(instrument, scores) if _level(scores, each) < STEERED]
    working = scores.placement.working_model

    def order(criterion: Criterion) -> tuple[bool, bool, int, int, int]:
        level = _level(scores, criterion)
        return (
            not (criterion.critical and level < ACTIVE),
            criterion.model_id != working,
            level,
            -named.get(criterion.id, 0),
            min(step.minutes for step in _steps(criterion, level)),
        )

    return [_next_step(scores, criterion) for criterion in sorted(chosen, key=order)]


def _level(scores: Scores, criterion: Criterion) -> int:
    return scores.criteria[criterion.id].level


def _applying(scores: Scores, model: ValueModel) -> list[Criterion]:
    if scores.own[model.id] == "not_applicable":
        return []
    return [criterion for criterion in model.criteria if scores.criteria[criterion.id].applies]


def _candidates(instrument: Instrument, scores: Scores) -> list[Criterion]:
    found: list[Criterion] = []
    for model in instrument.models:
        applying = _applying(scores, model)
        if model.id == scores.placement.working_model:
            found += applying
        elif any(_level(scores, criterion) >= ACTIVE for criterion in applying):
            found += [each for each in applying if each.critical and _level(scores, each) < ACTIVE]
    return found


def _stretchable(instrument: Instrument, scores: Scores) -> list[Criterion]:
    """The working model's criteria, or everybody's once every model is operational."""
    working = scores.placement.working_model
    models = [model for model in instrument.models if working in (None, model.id)]
    return [criterion for model in models for criterion in _applying(scores, model)]


def _steps(criterion: Criterion, level: int) -> tuple[Step, ...]:
    return criterion.next_steps if level < ESTABLISHED else (criterion.stretch_step,)


def _next_step(scores: Scores, criterion: Criterion) -> NextStep:
    level = _level(scores, criterion)
    because: Because = "lowest_in_working_model" if level < ESTABLISHED else "stretch"
    if criterion.critical and level < ACTIVE:
        because = "critical_below_2"
    return NextStep(criterion.id, level, because, _steps(criterion, level))
