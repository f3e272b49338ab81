"""Repetitive tasks: what a lead taps, turned into the numbers that the coverage formula uses.

The buckets and what they stand for are the instrument's; nobody is asked for a number that people can't give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.audit.instrument import Instrument
from bot.audit.parts import CoverageRules, RepetitiveTask
from bot.coverage.formula import Estimate, TaskFact

Grade = Literal["A", "B", "C"]

DEFAULT_HOURS_BUCKET = "2-5"
"""Hours of a usual task that nobody described yet. The instrument names no default; the middle of the longer
buckets lets the unknown weigh enough that a few answers are never published as the whole."""

ACCEPTED_HALF_WIDTH = 0.05
"""Half width of "n of the last ten" once n is known: half a step."""

SHORTEST_HOURS = 0.5
"""Own tasks take at least half an hour a week per person, so that splitting a task can't raise the figure."""

EXCLUDED_SECOND_LOOK = 0.3
"""Above this share of hours kept for people on purpose, someone else is asked for a second look."""

REBASE_AFTER = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """The taps on one task. Buckets and modes are names of the instrument.

    `accepted` of the last ten results, None if unknown. With share "none" AI plays no part, and mode,
    accepted, review and tool are not asked for.
    """

    share: str
    mode: str | None = None
    accepted: int | None = None
    review: str | None = None
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class UsualTask:
    """A task that the instrument expects in a department, with its hours until somebody answers."""

    task: RepetitiveTask
    hours: float


def task_fact(
    rules: CoverageRules,
    answer: TaskAnswer | None,
    *,
    id: str,
    role: str,
    headcount: float,
    hours: float,
    estimated: bool = True,
    keep_human: bool = False,
    fresh: bool = True,
) -> TaskFact:
    """One task in the formula's numbers. Without an answer it is not fresh: its hours count as not known.

    Raises KeyError for a bucket or mode that the instrument does not have; callers check what people send.
    """
    if answer is None:
        return TaskFact(id, role, headcount, hours, estimated, keep_human=keep_human, fresh=False)
    inputs = rules.inputs_per_task
    shares = inputs.share_of_cases
    return TaskFact(
        id=id,
        role=role,
        headcount=headcount,
        hours=hours,
        estimated=estimated,
        share=Estimate(shares.values[answer.share], shares.half_width[answer.share]),
        mode_weight=0.0 if answer.mode is None else inputs.mode.weights[answer.mode],
        accepted=_accepted(rules, answer.accepted),
        safe_use=answer.review != "unchecked" and answer.tool != "not_approved",
        keep_human=keep_human,
        fresh=fresh,
    )


def _accepted(rules: CoverageRules, of_ten: int | None) -> Estimate:
    if of_ten is None:
        unknown = rules.inputs_per_task.accepted_of_last_ten
        return Estimate(unknown.unknown_value, unknown.unknown_half_width)
    return Estimate(of_ten / 10, ACCEPTED_HALF_WIDTH)


def usual_tasks(instrument: Instrument, template_id: str) -> tuple[UsualTask, ...]:
    """The usual tasks of a kind of department, with default hours. NotFound for an unknown template."""
    hours = instrument.coverage.inputs_per_task.hours_per_person_week.buckets[DEFAULT_HOURS_BUCKET]
    return tuple(UsualTask(task, hours) for task in instrument.department(template_id).repetitive_tasks)


def unanswered(usual: Iterable[UsualTask], role: str, headcount: float) -> list[TaskFact]:
    """A role that nobody described yet: its usual tasks with default hours, none of them fresh.

    Every role with headcount enters this way, so that one answered role of ten is never shown as the whole.
    """
    return [TaskFact(f"{role}:{item.task.id}", role, headcount, item.hours, fresh=False) for item in usual]


@dataclass(frozen=True, slots=True)
class GradeBasis:
    """What one task's figure rests on: hours from logs or volumes, and how many answers agree."""

    hours: float
    answers: int
    logged: bool = False
    within_one_bucket: bool = True

    @property
    def grade(self) -> Grade:
        """By the instrument's `confidence_grades`; answers that lie apart are worth no more than one."""
        if self.logged and self.answers >= 2:
            return "A"
        return "B" if self.answers >= 2 and self.within_one_bucket else "C"


def grade_of(bases: Sequence[GradeBasis]) -> Grade | None:
    """The grade of several tasks: the best that at least half of their hours reach; None without hours."""
    total = sum(basis.hours for basis in bases)
    if total <= 0:
        return None
    best: tuple[Grade, ...] = ("A", "B")
    for grade in best:
        if 2 * sum(basis.hours for basis in bases if basis.grade <= grade) >= total:
            return grade
    return "C"


def rebase_due(frozen_at: datetime, now: datetime, role_changed: bool) -> bool:
    """Whether the frozen baseline hours are to be asked for again; the new baseline gets a visible marker."""
    return role_changed or now - frozen_at >= REBASE_AFTER
