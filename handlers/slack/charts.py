"""Charts and tables as blocks. Slack's own charts are built as plain dicts: the SDK would drop them.

Limits: docs.slack.dev, blocks "data_visualization" and "table".
"""

from __future__ import annotations

from bot.messages import Chart, Series, Table
from handlers.light import clean, cut
from handlers.slack.words import Block

MOST_SERIES, MOST_POINTS = 6, 20
LONGEST_LABEL, LONGEST_TITLE = 20, 50
MOST_ROWS, MOST_COLUMNS = 100, 20
LONGEST_CELL = 200


def native_chart(chart: Chart) -> Block | None:
    """The chart as Slack draws it, or None where it can't: a map, gaps, too much, names that clash."""
    series = chart.series
    labels = [cut(clean(label), LONGEST_LABEL) for label in chart.labels]
    names = [cut(clean(one.name), LONGEST_LABEL) for one in series]
    fits = 0 < len(series) <= MOST_SERIES and 0 < len(labels) <= MOST_POINTS
    distinct = len(set(labels)) == len(labels) and len(set(names)) == len(names)
    whole = all(len(one.values) == len(labels) and None not in one.values for one in series)
    if chart.kind == "map" or not (fits and distinct and whole and all(labels) and all(names)):
        return None
    return {
        "type": "data_visualization",
        "title": cut(clean(chart.title), LONGEST_TITLE) or "Chart",
        "chart": {
            "type": chart.kind,
            "series": [
                {"name": name, "data": _points(labels, one, chart.unit)}
                for name, one in zip(names, series, strict=True)
            ],
            "axis_config": {"categories": labels, **({"y_label": "%"} if chart.unit else {})},
        },
    }


def _points(labels: list[str], series: Series, unit: str) -> list[Block]:
    scale = 100 if unit == "%" else 1
    return [
        {"label": label, "value": round((value or 0.0) * scale, 1)}
        for label, value in zip(labels, series.values, strict=True)
    ]


def table_block(table: Table, most_rows: int = MOST_ROWS) -> Block:
    """The table as a block; what does not fit is counted in a last row."""
    shown = table.rows[: most_rows - 1]
    if len(table.rows) > len(shown):
        shown = (*shown[:-1], (f"and {len(table.rows) - len(shown) + 1} more",))
    width = min(MOST_COLUMNS, max([1, len(table.columns), *(len(row) for row in shown)]))
    return {"type": "table", "rows": [_row(row, width) for row in (table.columns, *shown)]}


def _row(cells: tuple[str, ...], width: int) -> list[Block]:
    # An empty cell is refused, so that it holds a space.
    filled = [*cells, *[""] * width][:width]
    return [{"type": "raw_text", "text": cut(clean(cell), LONGEST_CELL) or " "} for cell in filled]
