"""The geometry of a message's chart. Templates draw it; colours come from the style sheet.

A line chart is measured in a box of 400 by 190 units, so that its letters stay readable on a phone. Bars and
maps are rows of a table with small pictures in them, because department names need room.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from bot.messages import Chart, Series

WIDTH, HEIGHT = 400, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 48, 10, 160

STATES = ("not_started", "exploring", "building", "operational", "steering")
"""The states of a model in the order of the instrument, as a map's values 0 to 4 name them."""

_CEILINGS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Line:
    """One series: SVG paths of its interval and its line, single points, and the last value's label."""

    name: str
    band: str
    path: str
    dots: tuple[tuple[float, float], ...]
    end: tuple[float, float, str] | None


@dataclass(frozen=True)
class LinePlot:
    """A line chart in the box: horizontal rules and labels with their places, the lines, and the places of
    the marks.
    """

    rules: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str, str], ...]
    lines: tuple[Line, ...]
    marks: tuple[float, ...] = ()
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    floor: float = _BOTTOM


def shown(value: float | None, unit: str) -> str:
    """A value as people read it: 31%, 12, 3.5; a dash for none."""
    if value is None:
        return "–"
    if unit == "%":
        return f"{value * 100:.0f}%"
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def line_plot(chart: Chart) -> LinePlot:
    """Where everything of a line chart stands."""
    top = _ceiling(chart)
    count = len(chart.labels)
    xs = [_LEFT + (WIDTH - _LEFT - _RIGHT) * (i / max(1, count - 1)) for i in range(count)]
    rules = tuple((_height(top * part, top), shown(top * part, chart.unit)) for part in (0, 0.5, 1))
    return LinePlot(
        rules,
        _labels(chart.labels, xs),
        tuple(_line(one, xs, top, chart.unit) for one in chart.series),
        tuple(round(xs[chart.labels.index(mark)], 1) for mark in chart.marks),
    )


def _ceiling(chart: Chart) -> float:
    values = [v for one in chart.series for v in (*one.values, *one.high) if v is not None]
    highest = max(values, default=0.0)
    if chart.unit == "%":
        return next((step for step in _CEILINGS if highest <= step), highest)
    return highest or 1.0


def _height(value: float, top: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * value / top, 1)


def _labels(labels: tuple[str, ...], xs: list[float]) -> tuple[tuple[float, str, str], ...]:
    # Four labels fit beside each other on a phone.
    step = max(1, -(-len(labels) // 4))
    picked = [i for i in range(len(labels)) if (len(labels) - 1 - i) % step == 0]
    return tuple((round(xs[i], 1), labels[i], "end" if i == len(labels) - 1 else "middle") for i in picked)


def _runs(*columns: tuple[float | None, ...]) -> list[list[int]]:
    """The stretches of places at which none of the columns has a gap."""
    runs: list[list[int]] = [[]]
    for place, values in enumerate(zip(*columns, strict=False)):
        if None in values:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if run]


def _line(one: Series, xs: list[float], top: float, unit: str) -> Line:
    def points(values: tuple[float | None, ...], run: list[int]) -> list[tuple[float, float]]:
        return [(round(xs[i], 1), _height(values[i] or 0.0, top)) for i in run]

    runs = _runs(one.values)
    bands = [points(one.low, run) + points(one.high, run)[::-1] for run in _runs(one.low, one.high)]
    last = runs[-1][-1] if runs else None
    return Line(
        name=one.name,
        band=" ".join(_path(band) + "Z" for band in bands if len(band) > 2),
        path=" ".join(_path(points(one.values, run)) for run in runs),
        dots=tuple(points(one.values, run)[0] for run in runs if len(run) == 1),
        end=None if last is None else (*points(one.values, [last])[0], shown(one.values[last], unit)),
    )


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x},{y}" for x, y in points)


def bar_share(value: float | None, chart: Chart) -> float:
    """How much of the full width (0..100) a value's bar takes."""
    return round(100 * min(1.0, (value or 0.0) / _ceiling(chart)), 1)


def pie(share: float) -> str:
    """The path of a slice from twelve o'clock, clockwise, radius 6 in a box of 20 by 20; 0 < share < 1."""
    angle = 2 * pi * share
    x, y = 10 + 6 * sin(angle), 10 - 6 * cos(angle)
    return f"M10 10V4A6 6 0 {int(share > 0.5)} 1 {x:.2f} {y:.2f}Z"


def state_of(value: float | None) -> str | None:
    """The state that a map's value 0..4 names."""
    return None if value is None else STATES[max(0, min(4, round(value)))]
