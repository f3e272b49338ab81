"""The department map of a digest: which model stands where, by shape and word, so that it needs no colour."""

from __future__ import annotations

from collections.abc import Callable

from bot.audit.instrument import Instrument
from bot.messages import Table, plain
from scheduler.figures import DepartmentWeek, state_counts

MOST_ROWS = 20
"""Rows of one screen. A larger company sees the departments that need a look, and the others as one row."""

MARKS = {
    "not_started": "· not started",
    "exploring": "○ first tries",
    "building": "◔ being built",
    "operational": "● in place",
    "steering": "◉ steered",
    "not_applicable": "n/a",
}


def department_map(instrument: Instrument, shown: list[DepartmentWeek], hidden: int) -> Table | None:
    """Departments by models, in the order given. Arrows: what rose with evidence or fell."""
    if not shown:
        return None
    listed = shown if len(shown) <= MOST_ROWS else _first_to_look_at(shown)
    named = {week.slug for week in listed}
    others = [week for week in shown if week.slug not in named]
    rows = [(plain(week.name), *(_cell(week, model.id) for model in instrument.models)) for week in listed]
    if others:
        rows.append((f"The other {len(others)}", *(_in_place(others, each.id) for each in instrument.models)))
    together = "; those that moved or wait come first, the others are one row" if others else ""
    left_out = f"; {hidden} small departments are left out" if hidden else ""
    return Table(
        caption=f"Where each department stands in the five models{together}{left_out}",
        columns=("Department", *(model.name for model in instrument.models)),
        rows=tuple(rows),
    )


def _first_to_look_at(shown: list[DepartmentWeek]) -> list[DepartmentWeek]:
    """What fell, waits or rose, as far as one screen holds it; in the order given, which is no rank."""
    moved = [week for week in shown if _urgency(week) < len(_REASONS)]
    first = {week.slug for week in sorted(moved, key=_urgency)[: MOST_ROWS - 1]}
    return [week for week in shown if week.slug in first]


_REASONS: tuple[Callable[[DepartmentWeek], bool], ...] = (
    lambda week: bool(week.down),
    lambda week: any(skip.severity == "hard" for skip in week.skipped),
    lambda week: bool(week.blockers),
    lambda week: bool(week.up),
    lambda week: bool(week.stale_models),
)


def _urgency(week: DepartmentWeek) -> int:
    return next((place for place, holds in enumerate(_REASONS) if holds(week)), len(_REASONS))


def _in_place(weeks: list[DepartmentWeek], model: str) -> str:
    counts = state_counts(weeks, model)
    return f"{counts['operational'] + counts['steering']} in place"


def _cell(week: DepartmentWeek, model: str) -> str:
    arrow = ""
    if any(criterion.startswith(f"{model}-") for criterion in week.down):
        arrow = " ↓"
    elif any(criterion.startswith(f"{model}-") for criterion in week.up):
        arrow = " ↑"
    if not week.answered:
        return "not asked yet"
    if model in week.stale_models:
        return "◌ out of date"
    return MARKS[week.states.get(model, "not_started")] + arrow
