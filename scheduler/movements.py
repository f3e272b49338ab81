"""Which departments rose with evidence or fell in a week, in a few words that don't contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

from bot.audit.instrument import Instrument
from bot.messages import plain
from scheduler.figures import DepartmentWeek
from scheduler.phrases import names, uncapitalised

MOST_CRITERIA = 2
MOST_TOLD = 5
"""Departments that moved, up to which one that did both says in what."""
MOST_NAMES = 3
"""Departments that are named together: more are one name and a number, since the map has them all."""


def movements(instrument: Instrument, shown: Sequence[DepartmentWeek]) -> list[str]:
    """Clauses for one sentence. A department that did both says in what; so does one that is alone in its
    direction; the others are named together.
    """
    both = [week for week in shown if week.up and week.down]
    up = [week for week in shown if week.up and not week.down]
    down = [week for week in shown if week.down and not week.up]
    return [
        *_rose(instrument, up),
        *_both_ways(instrument, both, crowded=len(up) + len(down) + len(both) > MOST_TOLD),
        *_fell(instrument, down),
    ]


def told_in_full(shown: Sequence[DepartmentWeek]) -> set[str]:
    """The falls that `movements` says in full, as `fell:<department>`: no exception repeats them."""
    fell = [week for week in shown if week.down and not week.up]
    alone = fell if len(fell) == 1 else []
    moved = [week for week in shown if week.up or week.down]
    both = [week for week in moved if week.up and week.down] if len(moved) <= MOST_TOLD else []
    return {f"fell:{week.slug}" for week in [*alone, *both]}


def _both_ways(instrument: Instrument, weeks: list[DepartmentWeek], crowded: bool) -> list[str]:
    if crowded:
        return [f"{_named(weeks)} moved both ways"] if weeks else []
    return [
        f"{plain(week.name)} rose with evidence in {_criteria(instrument, week.up)} "
        f"and fell in {_criteria(instrument, week.down)}"
        for week in weeks
    ]


def _rose(instrument: Instrument, weeks: list[DepartmentWeek]) -> list[str]:
    if len(weeks) == 1:
        return [f"{plain(weeks[0].name)} rose with evidence in {_criteria(instrument, weeks[0].up)}"]
    return [f"{_named(weeks)} rose with evidence"] if weeks else []


def _fell(instrument: Instrument, weeks: list[DepartmentWeek]) -> list[str]:
    if len(weeks) == 1:
        return [f"{plain(weeks[0].name)} fell in {_criteria(instrument, weeks[0].down)}"]
    return [f"{_named(weeks)} fell"] if weeks else []


def _named(weeks: list[DepartmentWeek]) -> str:
    return names([week.name for week in weeks], MOST_NAMES if len(weeks) <= MOST_NAMES else 1)


def _criteria(instrument: Instrument, ids: Sequence[str]) -> str:
    return names([uncapitalised(instrument.criterion(id_).name) for id_ in ids], MOST_CRITERIA)
