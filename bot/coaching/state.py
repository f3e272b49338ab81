"""What the coaching remembers, what can come in, and what follows: plain frozen records, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.speech import Chose, Say, Words

PREFIX = "coaching"
MOST_WORDS = 1_000
ME = ""
"""The owner of a blocker who is the lead that raised it; the use case knows the name."""
Phase = Literal[
    "idle",
    "pick",  # three steps of one criterion
    "own",  # the lead's own step
    "when",  # when, and after what?
    "proof",  # done: something others can open
    "again",  # not yet: a new day
    "what",  # what is in the way?
    "who",  # who can move it?
]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Option(_Record):
    """A step on offer; `minutes` of own effort, None where nobody estimated it."""

    text: str
    done_when: str = ""
    minutes: int | None = None


class Obstacle(_Record):
    """A usual blocker on offer."""

    code: str
    label: str
    owner: str
    first_move: str


class State(_Record):
    """Where one person's coaching about one department stands."""

    session: int = 0
    turn: int = 0
    phase: Phase = "idle"
    criterion: str = ""
    name: str = ""
    because: str = ""
    options: tuple[Option, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    chosen: Option | None = None
    plan: int | None = None
    code: str = ""
    note: str = ""
    last_choice: str = ""

    @property
    def asks_words(self) -> bool:
        """A card waits, and words may answer it."""
        return self.phase != "idle"


@dataclass(frozen=True)
class Offer:
    """Begin with the three steps of a criterion."""

    criterion: str
    name: str
    because: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Done:
    """A plan was carried out."""

    plan: int
    criterion: str


@dataclass(frozen=True)
class NotYet:
    """A plan needs a new day."""

    plan: int
    criterion: str


@dataclass(frozen=True)
class InTheWay:
    """Something is in the way; the usual obstacles of the working model are on offer. `note`: what it is,
    where that was said at once.
    """

    obstacles: tuple[Obstacle, ...]
    note: str = ""


Input = Words | Chose | Offer | Done | NotYet | InTheWay


@dataclass(frozen=True)
class SavePlan:
    """Remember a step: what, on which day, after what."""

    criterion: str
    step: Option
    day: date
    after_what: str


@dataclass(frozen=True)
class MovePlan:
    """A step gets another day."""

    plan: int
    day: date


@dataclass(frozen=True)
class AddEvidence:
    """What came of a step flows back into the criterion it was for."""

    plan: int
    criterion: str
    text: str


@dataclass(frozen=True)
class RaiseBlocker:
    """Remember an obstacle and who can move it."""

    code: str
    note: str
    owner: str


Effect = Say | SavePlan | MovePlan | AddEvidence | RaiseBlocker
