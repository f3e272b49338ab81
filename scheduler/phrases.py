"""How figures and dates are said in a digest. Every figure that is said is noted with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from bot.clock import week_start
from bot.messages import plain
from scheduler.figures import ChangeFigure, CoverageFigure

YEAR_IS_CLEAR = timedelta(days=300)
"""Within this span a day and a month are enough."""


@dataclass(frozen=True, slots=True)
class SourcedFigure:
    """A figure as it stands in a digest, what it means, what it was made of, and what and where it is."""

    text: str
    meaning: str
    source: str
    name: str = ""
    """In a few words, to ask about it by."""


@dataclass
class Notes:
    """Collects the figures of one digest, in the order in which they are said."""

    figures: list[SourcedFigure] = field(default_factory=list)

    def say(self, text: str, name: str, meaning: str, source: str) -> str:
        """`text`, noted; once, however often it is said."""
        figure = SourcedFigure(text, meaning, source, name)
        if figure not in self.figures:
            self.figures.append(figure)
        return text


def percent(share: float) -> str:
    """A share as a whole percentage."""
    return f"{round(share * 100)}%"


def points(change: float) -> str:
    """A change in percentage points, without its sign."""
    number = abs(round(change * 100))
    return f"{number} point" if number == 1 else f"{number} points"


def day(value: date, seen_from: date | None = None) -> str:
    """A day as people say it: 18 November; with its year where that is far from `seen_from`."""
    said = f"{value.day} {value:%B}"
    far = seen_from is not None and abs(value - seen_from) > YEAR_IS_CLEAR
    return f"{said} {value.year}" if far else said


def count_of(number: int, thing: str, most: int | None = None) -> str:
    """'3 departments', '1 department'; with `most`, '3 of 5 departments'."""
    said = thing if (number if most is None else most) == 1 else f"{thing}s"
    return f"{number:,} {said}" if most is None else f"{number:,} of {most:,} {said}"


def uncapitalised(text: str) -> str:
    """A name within a sentence: its first letter small, unless it begins with an abbreviation."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def names(items: list[str], most: int = 3) -> str:
    """Names in a row: 'A, B and C', or 'A, B, C and 2 more'."""
    shown = [plain(item) for item in items[:most]]
    if len(items) > most:
        return f"{', '.join(shown)} and {len(items) - most} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def coverage_sentence(
    notes: Notes, where: str, figure: CoverageFigure, change: ChangeFigure, rebased: str | None = None
) -> str:
    """Coverage with its interval and the share of hours it rests on; what may not be published is said so.

    `rebased` is the latest week of the trend in which the hours of tasks were asked anew: that moves the
    level without any change in the work.
    """
    if figure.coverage is None:
        if not figure.known:
            return "Coverage is not known yet: there are no fresh answers about everyday tasks."
        known = notes.say(
            percent(figure.known),
            f"hours known of {where}",
            f"Known hours: the share of the repetitive hours of {where} about which there is a fresh answer.",
            f"{figure.tasks} tasks; a coverage is shown from 60% on.",
        )
        return f"Coverage is not shown yet: only {known} of the hours are known."
    marker = ""
    if rebased is not None:
        marker = (
            f" Task hours were asked anew in the week of {day(week_start(rebased))}: trust the change, "
            "not the level."
        )
    return _published(notes, where, figure, change) + marker


def _published(notes: Notes, where: str, figure: CoverageFigure, change: ChangeFigure) -> str:
    source = (
        f"{figure.tasks} tasks with {round(figure.hours):,} hours a week, added up over {where}; "
        f"{percent(figure.known or 0)} of all repetitive hours have an answer younger than 180 days."
    )
    point = notes.say(
        percent(figure.coverage or 0),
        f"coverage of {where}",
        f"Coverage: the share of repetitive hours of {where} that approved AI handles at accepted quality.",
        source,
    )
    reach = f"{percent(figure.low or 0)}–{percent(figure.high or 0)}"
    notes.say(
        reach,
        f"interval of the coverage of {where}",
        "Interval: where coverage lies with a chance of 80%, given how surely the hours are known.",
        source,
    )
    known = percent(figure.known or 0)
    notes.say(
        known,
        f"hours known of {where}",
        f"Known hours: the share of the repetitive hours of {where} with a fresh answer.",
        source,
    )
    return f"Coverage **{point}** ({reach}), {known} of hours known{_trend(notes, where, change)}."


def _trend(notes: Notes, where: str, change: ChangeFigure) -> str:
    """What became of coverage since the trend began; nothing where there is nothing to compare with."""
    if change.change is None:
        return ""
    since = f" since {day(week_start(change.since))}" if change.since else ""
    return f"; {change_words(notes, where, change, f'on the same tasks{since}', since)}"


def change_words(notes: Notes, where: str, change: ChangeFigure, span: str, since: str = "") -> str:
    """'up 4 points in a week', or 'no clear change since 31 August'."""
    if change.change is None or not change.changed:
        return f"no clear change{since}"
    direction = "up" if change.change > 0 else "down"
    said = points(change.change)
    notes.say(
        said,
        f"change of the coverage of {where} {span}",
        f"Change: how far the coverage of {where} moved {span}, weighed by the hours of then.",
        f"Only tasks known at both ends. The noise of this difference is {points(change.noise or 0)}; "
        "only more than that counts as change.",
    )
    return f"{direction} {said} {span}"


def count_words(text: str) -> int:
    """Words as a reader counts them: markup and dashes alone are none."""
    return sum(any(letter.isalnum() for letter in word) for word in text.split())
