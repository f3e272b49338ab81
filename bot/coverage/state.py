"""What a coverage check-in remembers, what can come in, and what follows: frozen records, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.speech import Chose, Say, Words

PREFIX = "coverage"
MOST_TASKS = 10
MOST_WORDS = 200
Phase = Literal[
    "tasks",  # which of the usual tasks does this role have?
    "own",  # a task in own words
    "hours",
    "share",
    "mode",
    "accepted",
    "reason",  # why a person keeps it
    "tools",  # approved tools, for the whole role
    "which",  # which tasks run on other tools
    "overview",  # later: one card with all tasks
    "changed",  # later: how has this one changed?
    "rest",  # between two roles
    "done",
]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Taps(_Record):
    """What was tapped about one task; names are the instrument's buckets. `mode` None where AI plays no
    part.
    """

    hours: str = ""
    share: str = ""
    mode: str | None = None
    accepted: int | None = None
    review: str | None = None
    tool: str | None = None
    keep_human: bool = False
    reason: str = ""


class Task(_Record):
    """A repetitive task of the role. `before` is what was answered last."""

    slug: str
    text: str
    own: bool = False
    hint: str = ""
    before: Taps | None = None


class RoleTasks(_Record):
    """A role and its tasks, as they stand when the check-in begins."""

    role: int
    name: str
    tasks: tuple[Task, ...]


class State(_Record):
    """Where a check-in stands. `roles` are still to come, the first of them is the present one."""

    session: int
    turn: int = 0
    phase: Phase = "tasks"
    roles: tuple[RoleTasks, ...]
    left_out: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()
    taps: Taps = Taps()
    answered: dict[str, Taps] = {}
    last_choice: str = ""

    @property
    def role(self) -> RoleTasks:
        return self.roles[0]

    @property
    def task(self) -> Task:
        """The task that is asked about now."""
        return next(task for task in self.role.tasks if task.slug == self.todo[0])

    @property
    def updating(self) -> bool:
        """This role was described before, so that one card shows all of it."""
        return any(task.before is not None for task in self.role.tasks)

    @property
    def on_tools(self) -> tuple[Task, ...]:
        """The tasks of the role in which AI has a part and whose tool is still to be asked for."""
        waiting = {
            slug for slug, taps in self.answered.items() if taps.mode is not None and taps.tool is None
        }
        return tuple(task for task in self.role.tasks if task.slug in waiting)

    @property
    def asks_words(self) -> bool:
        """Words can answer the present card; everything else is tapped."""
        return self.phase in ("own", "reason")


@dataclass(frozen=True)
class Show:
    """Show the present card."""


Input = Words | Chose | Show


@dataclass(frozen=True)
class SaveTask:
    """Store what was tapped about a task."""

    role: int
    task: Task
    taps: Taps


@dataclass(frozen=True)
class LeaveOut:
    """The role does not have this usual task."""

    role: int
    task: Task


@dataclass(frozen=True)
class ShowCoverage:
    """Work out and show the figure."""


Effect = Say | SaveTask | LeaveOut | ShowCoverage


def first_phase(role: RoleTasks) -> Phase:
    """A role that was described before begins with one card, a new one with its tasks."""
    return "overview" if any(task.before is not None for task in role.tasks) else "tasks"
