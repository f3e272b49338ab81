"""Processes across departments: what each still needs before agents can carry it, and where it would break.

Pure. What every department on the way needs is what the instrument asks before model PR (`hard_requires`):
an agent that hands work to a department without it hands over trouble.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.audit.gates import CLEAN
from bot.audit.instrument import Instrument
from bot.audit.parts import Requirement
from bot.audit.phrases import joined
from bot.audit.scoring import Scores

State = Literal["planned", "trial", "live", "stopped"]
ACROSS = 2
"""From this many departments on a process crosses borders."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process: the ids of the departments it passes through, in order, with their `names`, and who owns
    it.

    `agents` says that agents do a part of it; `baseline` that it was measured before.
    """

    name: str
    departments: tuple[str, ...]
    owner: str | None = None
    agents: bool = True
    state: State = "trial"
    baseline: bool = False
    names: Mapping[str, str] | None = None

    @property
    def at_work(self) -> bool:
        """Agents are in it already."""
        return self.agents and self.state in ("trial", "live")

    def name_of(self, department: str) -> str:
        """What people call that department."""
        return (self.names or {}).get(department, department)


@dataclass(frozen=True, slots=True)
class HandOff:
    """Work goes from one department to the next, which lacks what it needs (in words)."""

    upstream: str
    downstream: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a process lacks. `lacks` maps a department on its way to what is not there yet, in words;
    `unknown` are those of which nothing is known or may be shown.
    """

    process: Process
    lacks: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    weak: tuple[HandOff, ...]

    @property
    def missing(self) -> int:
        """How many things are between this process and agents."""
        per_department = sum(len(each) for each in self.lacks.values())
        own = (self.process.owner is None) + (not self.process.baseline)
        return per_department + len(self.unknown) + own


def readiness(instrument: Instrument, process: Process, scores: Mapping[str, Scores]) -> Readiness:
    """What `process` lacks, from the scores of the departments that may be shown."""
    on_the_way = tuple(dict.fromkeys(process.departments))
    lacks = {name: _lacking(instrument, scores[name]) for name in on_the_way if name in scores}
    lacks = {name: each for name, each in lacks.items() if each}
    pairs = dict.fromkeys(zip(process.departments, process.departments[1:], strict=False))
    return Readiness(
        process=process,
        lacks=lacks,
        unknown=tuple(name for name in on_the_way if name not in scores),
        weak=tuple(HandOff(up, down, lacks[down]) for up, down in pairs if up != down and down in lacks),
    )


def in_order(
    instrument: Instrument, processes: Sequence[Process], scores: Mapping[str, Scores]
) -> list[Readiness]:
    """The processes across departments that are not stopped: those with agents at work and a weak hand-off
    first, then the ones that lack least.
    """
    found = [
        readiness(instrument, process, scores)
        for process in processes
        if process.state != "stopped" and len(set(process.departments)) >= ACROSS
    ]
    return sorted(found, key=lambda each: (not (each.process.at_work and each.lacks), each.missing))


def _lacking(instrument: Instrument, scores: Scores) -> tuple[str, ...]:
    needed = instrument.models[-1].hard_requires
    return tuple(_named(instrument, each) for each in needed if not _holds(scores, each))


def _holds(scores: Scores, needed: Requirement) -> bool:
    if needed.criterion is not None:
        found = scores.criteria[needed.criterion]
        return not found.applies or found.level >= (needed.level or 0)
    return scores.models[needed.model] in (*CLEAN, "not_applicable")


def _named(instrument: Instrument, needed: Requirement) -> str:
    if needed.criterion is not None:
        return instrument.criterion(needed.criterion).name
    return instrument.model(needed.model).name


def path_words(process: Process) -> str:
    """Sales → Finance → Sales."""
    return " → ".join(process.name_of(each) for each in process.departments)


def what_it_lacks(each: Readiness) -> list[str]:
    """What is missing, as half sentences, the departments in the order of the work."""
    process = each.process
    together: dict[tuple[str, ...], list[str]] = {}
    for department, lacking in each.lacks.items():
        together.setdefault(lacking, []).append(process.name_of(department))
    said = [f"{joined(lacking)} in {joined(names)}" for lacking, names in together.items()]
    if each.unknown:
        said.append(f"a first look at {joined([process.name_of(name) for name in each.unknown])}")
    if process.owner is None:
        said.append("somebody who answers for the result")
    if not process.baseline:
        said.append("a figure from before")
    return said
