"""The one picture of a digest as an image, for e-mail and for surfaces that draw none themselves.

Colours are told apart by everybody who sees colours at all (Okabe and Ito, 2008), and every line has its name
and last value beside it, so that none is needed. The words for those who see no picture are in `Chart.alt`.
"""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bot.messages import Chart, Series

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE = "#56B4E9", "#CC79A7"
INCHES = (6.4, 3.2)
DPI = 160
LINE = 78
"""Letters in a line of words."""
BAND = "Shaded: where it lies with a chance of 80%"


@dataclass(frozen=True)
class Theme:
    """Paper, ink, rules, and the colours of the series in their order."""

    paper: str
    ink: str
    rule: str
    series: tuple[str, ...]


LIGHT = Theme("#FFFFFF", "#1B1F24", "#D9DDE2", (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY))
DARK = Theme("#16191D", "#EDEFF2", "#3A4149", (SKY, ORANGE, GREEN, PURPLE, VERMILION, BLUE))


def draw_png(chart: Chart, dark: bool = False) -> bytes:
    """A line or bar chart as a PNG of 1024 by 512 pixels."""
    theme = DARK if dark else LIGHT
    figure = Figure(figsize=INCHES, dpi=DPI, facecolor=theme.paper, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=theme.paper)
    draw = _draw_lines if chart.kind == "line" else _draw_bars
    draw(axes, chart, theme)
    axes.set_title(chart.title, loc="left", color=theme.ink, fontsize=11, fontweight="bold")
    axes.tick_params(colors=theme.ink, labelsize=8, length=0)
    axes.grid(axis="y", color=theme.rule, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    written = io.BytesIO()
    # The text is what a screen reader finds in the file where the surface shows no alternative.
    figure.savefig(written, format="png", metadata={"Title": chart.title, "Description": chart.alt})
    return written.getvalue()


def draw_words(title: str, text: str) -> bytes:
    """Plain words as a PNG as wide as a chart, where a picture is asked for and there is nothing to draw."""
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, LINE) or [""]]
    figure = Figure(figsize=(INCHES[0], 0.5 + 0.22 * len(lines)), dpi=DPI, facecolor=LIGHT.paper)
    FigureCanvasAgg(figure)
    # A sum of money holds dollar signs, which would be read as formulas.
    figure.text(
        0.03, 0.5, "\n".join(lines), color=LIGHT.ink, fontsize=10, va="center", linespacing=1.4,
        parse_math=False,
    )  # fmt: skip
    written = io.BytesIO()
    figure.savefig(written, format="png", metadata={"Title": title, "Description": text})
    return written.getvalue()


def _draw_lines(axes: Axes, chart: Chart, theme: Theme) -> None:
    places = range(len(chart.labels))
    for color, one in zip(_cycle(theme, chart.series), chart.series, strict=True):
        values = [_number(value) for value in one.values]
        if one.low and one.high:
            low, high = [_number(v) for v in one.low], [_number(v) for v in one.high]
            axes.fill_between(places, low, high, color=color, alpha=0.22, linewidth=0)
        axes.plot(places, values, color=color, linewidth=2.2, marker="o", markersize=3.5)
        _name_the_end(axes, one, chart, color)
    step = max(1, len(chart.labels) // 6)
    # Counted from the end, so that the latest is named.
    axes.set_xticks(list(places)[::-step], list(chart.labels)[::-step])
    for mark in chart.marks:
        axes.axvline(chart.labels.index(mark), color=theme.ink, linewidth=1, linestyle=":")
    notes = [BAND] if any(one.low and one.high for one in chart.series) else []
    if chart.marks:
        notes.append(chart.mark_note)
    axes.set_xlabel("      ".join(notes), loc="left", color=theme.ink, fontsize=8)
    axes.set_xlim(-0.3, len(chart.labels) + 1.2)
    _scale(axes, chart)


def _draw_bars(axes: Axes, chart: Chart, theme: Theme) -> None:
    width = 0.8 / max(1, len(chart.series))
    for place, (color, one) in enumerate(zip(_cycle(theme, chart.series), chart.series, strict=True)):
        spots = [index + place * width for index in range(len(chart.labels))]
        axes.bar(
            spots, [value or 0.0 for value in one.values], width=width * 0.9, color=color, label=one.name
        )
    middle = 0.4 - width / 2
    axes.set_xticks([index + middle for index in range(len(chart.labels))], list(chart.labels))
    if len(chart.series) > 1:
        axes.legend(frameon=False, labelcolor=theme.ink, fontsize=8)
    _scale(axes, chart)


def _name_the_end(axes: Axes, one: Series, chart: Chart, color: str) -> None:
    known = [(index, value) for index, value in enumerate(one.values) if value is not None]
    if known:
        index, value = known[-1]
        said = f"{round(value * 100)}%" if chart.unit == "%" else f"{value:g}"
        axes.annotate(
            f"{one.name}\n{said}", (index, value), xytext=(8, 0), textcoords="offset points",
            color=color, fontsize=8.5, fontweight="bold", va="center",
        )  # fmt: skip


def _scale(axes: Axes, chart: Chart) -> None:
    # From nothing, so that a small change looks small; with room for the words above the line.
    axes.set_ylim(0, axes.get_ylim()[1] * 1.08)
    if chart.unit == "%":
        axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f}%")


def _cycle(theme: Theme, series: tuple[Series, ...]) -> list[str]:
    return [theme.series[index % len(theme.series)] for index in range(len(series))]


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
