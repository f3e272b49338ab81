"""Everything that Stagecoach refuses, as one small tree.

    StagecoachError          a sentence for the person who can mend it
    ├── SettingsError        the environment asks for something unsafe or impossible
    ├── InputError           what was handed in can't be used; `faults` lists every place
    ├── AccessDenied         this person may not do this
    ├── NotFound             there is no such person, department, document ...
    ├── StoreUnavailable     the database can't be reached, is locked or out of space
    └── Conflict             somebody else changed it in between; read again and retry

The text of each is written for the person who reads it. Surfaces choose what they show by the type;
command-line programs print the text and leave with status 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class StagecoachError(Exception):
    """Base of all refusals. `str(error)` is one clear sentence that says what to do."""


class SettingsError(StagecoachError):
    """The environment asks for something unsafe or impossible."""


@dataclass(frozen=True)
class Fault:
    """One place in an input that can't be used.

    `where` names the file and the line or row (1-based) where known, `field` the field, `problem` what
    is wrong and what would be right.
    """

    where: str
    field: str
    problem: str

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.where, self.field) if part)
        return f"{place}: {self.problem}" if place else self.problem


class InputError(StagecoachError):
    """What was handed in can't be used. Nothing of it was taken over."""

    def __init__(self, summary: str, faults: Sequence[Fault] = ()) -> None:
        self.summary = summary
        self.faults = tuple(faults)
        super().__init__("\n".join([summary, *(f"  {fault}" for fault in self.faults)]))


class AccessDenied(StagecoachError):
    """This person may not do this."""


class NotFound(StagecoachError):
    """There is no such thing, or this person may not know of it."""


class StoreUnavailable(StagecoachError):
    """The database can't be reached, is locked by another process, or is out of space."""


class Conflict(StagecoachError):
    """Somebody else changed it in between."""
