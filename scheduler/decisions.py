"""What a digest asks to be decided, and what it only notes; read off frozen figures, in order of weight."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from bot.audit.instrument import Instrument
from bot.messages import plain
from scheduler.figures import DepartmentWeek, SkipFigure
from scheduler.phrases import Notes, day, names, percent, uncapitalised

MOST_DECISIONS = 3
MOST_PLACES = 3
MOST_LISTED = 30
"""Departments that are told to whoever asks which."""
EXPOSURE_FROM = 0.1
"""Unchecked use is worth a decision from this share of a department's known hours on."""

TO_DECIDE_WITHIN = timedelta(days=11)
"""From the Monday of the digest to the Friday of the week after."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What, who, by when, and what waiting costs. `weight` orders them; `about` tells likes apart."""

    about: str
    weight: float
    what: str
    who: str
    by: date
    cost: str

    @property
    def line(self) -> str:
        """The decision as it stands in a digest."""
        return f"**{self.what}** {self.who}, by {day(self.by)}. {self.cost}"


def decisions(
    instrument: Instrument,
    weeks: Iterable[DepartmentWeek],
    monday: date,
    notes: Notes,
    more: Iterable[Decision] = (),
) -> list[Decision]:
    """The heaviest decisions, at most three, `more` among them; one cause that several departments share is
    one decision.
    """
    shown = [week for week in weeks if week.shown]
    by = monday + TO_DECIDE_WITHIN
    found = [
        *_hard_skips(instrument, shown, by, notes),
        *_blockers(instrument, shown, by, notes),
        *_exposure(shown, by, notes),
        *_silence(shown, by),
        *more,
    ]
    return sorted(found, key=lambda decision: -decision.weight)[:MOST_DECISIONS]


def _hard_skips(
    instrument: Instrument, weeks: list[DepartmentWeek], by: date, notes: Notes
) -> Iterable[Decision]:
    """Departments that build on a model whose critical ground is missing; each under the first such model,
    since what comes later can wait for it.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for week in weeks:
        for skip in _first_hard_skip(week):
            groups.setdefault((skip.model, skip.criterion or ""), []).append(week.name)
    for (model, criterion), where in groups.items():
        ground = instrument.model(model).name
        gap = f"{ground} comes first"
        if criterion:
            gap = uncapitalised(instrument.criterion(criterion).name)
        yield Decision(
            about=f"skip:{model}:{criterion}",
            weight=100 + len(where),
            what=f"Close the gap in {_places(where, gap, notes)}: {gap}.",
            who="The lead" if len(where) == 1 else "The leads",
            by=by,
            cost=f"Until then, nothing that builds on {ground} counts as in place.",
        )


def _first_hard_skip(week: DepartmentWeek) -> list[SkipFigure]:
    """One or none; skipped models stand in their order."""
    return [skip for skip in week.skipped if skip.severity == "hard"][:1]


def _blockers(
    instrument: Instrument, weeks: list[DepartmentWeek], by: date, notes: Notes
) -> Iterable[Decision]:
    """Critical blockers older than two weeks."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for week in weeks:
        for blocker in week.blockers:
            groups.setdefault(blocker.code, []).append((week.name, blocker.days))
    for code, where in groups.items():
        oldest = max(days for _, days in where)
        said = notes.say(
            f"{oldest} days",
            f"age of “{_label(instrument, code)}” in {_oldest(where)}",
            f"How long “{_label(instrument, code)}” has stood in the way of {_oldest(where)}.",
            "Counted from the day on which a lead raised it to the end of the week.",
        )
        model, label = instrument.model(code.partition("-")[0]), _label(instrument, code)
        places = _places([name for name, _ in where], label, notes)
        yield Decision(
            about=f"blocker:{code}",
            weight=50 + len(where) + min(oldest, 90) / 100,
            what=f"Unblock {places}: {uncapitalised(label)}.",
            who="Its owner" if len(where) == 1 else "The owners",
            by=by,
            cost=f"Open for {said}; {model.name} can't be in place before.",
        )


def _places(where: list[str], what: str, notes: Notes) -> str:
    """Departments in a row; of many the first, since three decisions are to fit on a screen. Who asks is told
    the others.
    """
    if len(where) <= MOST_PLACES:
        return names(where, MOST_PLACES)
    more = notes.say(
        f"{len(where) - 1} more",
        f"departments with “{uncapitalised(what)}”",
        f"The same decision waits in {names(where, MOST_LISTED)}.",
        "In the order of their names.",
    )
    return f"{plain(where[0])} and {more}"


def _oldest(where: list[tuple[str, int]]) -> str:
    """The department that has waited longest, and how many others wait for the same."""
    name = plain(max(where, key=lambda each: each[1])[0])
    return name if len(where) == 1 else f"{name} (there the longest, of {len(where)} departments)"


def _exposure(weeks: list[DepartmentWeek], by: date, notes: Notes) -> Iterable[Decision]:
    """AI results that are used unchecked, or from tools nobody approved."""
    for week in weeks:
        hours = week.coverage.hours
        if week.coverage.coverage is None or hours <= 0 or week.unchecked_hours / hours < EXPOSURE_FROM:
            continue
        share = notes.say(
            percent(week.unchecked_hours / hours),
            f"unchecked use in {plain(week.name)}",
            f"Unchecked use: the share of the known repetitive hours of {plain(week.name)} with unchecked "
            "results or unapproved tools.",
            f"{round(week.unchecked_hours):,} of {round(hours):,} hours a week.",
        )
        yield Decision(
            about=f"exposure:{week.slug}",
            weight=40 + week.unchecked_hours / hours,
            what=f"Have AI results checked in {plain(week.name)}, or stop using them.",
            who="The lead",
            by=by,
            cost=f"{share} of the hours rest on results that nobody checks or tools that nobody approved.",
        )


def _silence(weeks: list[DepartmentWeek], by: date) -> Iterable[Decision]:
    """Departments whose answers are all too old, or that never answered: the map has holes there."""
    old = [week.name for week in weeks if week.answered and week.stale >= week.answered]
    if old:
        yield Decision(
            about="stale", weight=20, what=f"Ask for a fresh look at {names(old)}.", who="You", by=by,
            cost="Every answer there is older than 180 days and counts for nothing.",
        )  # fmt: skip


def exceptions(instrument: Instrument, weeks: Iterable[DepartmentWeek], decided: set[str]) -> list[str]:
    """Short lines: hard skips, falls and old critical blockers that nothing above is about (`decided`)."""
    shown = [week for week in weeks if week.shown]
    lines = [
        f"{plain(week.name)} builds past {instrument.model(skip.model).name}."
        for week in shown
        for skip in _first_hard_skip(week)
        if f"skip:{skip.model}:{skip.criterion or ''}" not in decided
    ]
    lines += [
        f"{plain(week.name)} fell in "
        f"{names([uncapitalised(instrument.criterion(c).name) for c in week.down], 2)}."
        for week in shown
        if week.down and f"fell:{week.slug}" not in decided
    ]
    lines += [
        f"{plain(week.name)}: {uncapitalised(_label(instrument, blocker.code))}, {blocker.days} days old."
        for week in shown
        for blocker in week.blockers
        if f"blocker:{blocker.code}" not in decided
    ]
    return lines


def _label(instrument: Instrument, code: str) -> str:
    return plain(instrument.blocker(code).label.rstrip("."))
