"""A chart's figures as a table, and a table as lines: for where a surface can't draw them."""

from __future__ import annotations

from bot.messages import Chart, Series, Table

_STATES = ("not started", "exploring", "building", "operational", "steering")
MOST_LINES = 100


def chart_table(chart: Chart) -> Table:
    """The chart's figures as a table, for where it can't be drawn."""
    rows = tuple(
        (label, *(_shown(chart, one, place) for one in chart.series))
        for place, label in enumerate(chart.labels)
    )
    return Table(caption=chart.title, columns=("", *(one.name for one in chart.series)), rows=rows)


def _shown(chart: Chart, series: Series, place: int) -> str:
    value = series.values[place] if place < len(series.values) else None
    if value is None:
        return "–"
    if chart.kind == "map":
        return _STATES[max(0, min(len(_STATES) - 1, round(value)))]
    if chart.unit != "%":
        return f"{value:g}"
    low = series.low[place] if place < len(series.low) else None
    high = series.high[place] if place < len(series.high) else None
    between = f" ({low * 100:.0f}–{high * 100:.0f})" if low is not None and high is not None else ""
    return f"{value * 100:.0f}%{between}"


def table_words(table: Table) -> str:
    """The table as lines, for screen readers and where blocks are refused."""
    head = [column for column in table.columns if column]
    lines = [", ".join(cell for cell in row if cell) for row in table.rows[:MOST_LINES]]
    return "\n".join([f"{table.caption} ({', '.join(head)})", *lines])
