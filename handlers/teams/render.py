"""A message as an Adaptive Card 1.5, within what Teams takes.

Every word of ours stands in text runs: there nothing is read as Markdown, a link or a mention. (A TextBlock
would read it, and so would titles of facts and buttons; those get words without marks.) Charts are elements
that older clients don't know: each falls back to its figures.

Source: adaptivecards.io, schema 1.5; Microsoft Teams, limits of messages (about 100 KB) and of card actions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from bot.choice_ids import ChoiceId
from bot.messages import Chart, Choice, Citation, Message, Series, Table
from handlers.asides import is_always_there
from handlers.chart_tables import chart_table, table_words
from handlers.light import Part, Run, clean, cut, parts, words

Card = dict[str, Any]

MOST_BYTES = 80_000
"""Of a card as JSON. Teams draws the line at about 100 KB for the whole message."""

MOST_TEXT = 20_000
LEAST_TEXT = 500
ACTIONS_A_ROW = 6
MOST_CHOICES = 48
LONGEST_TITLE = 80
MOST_ROWS, MOST_COLUMNS, NARROW = 60, 12, 3
MOST_CITATIONS = 5
AI_NOTE = "AI-generated from the passages named here. Check before you rely on it."
SHORTENED = "… (shortened: a message can't hold more)"
CHOOSE = "choose"
"""The verb of a button; its data holds the choice's id, or what a picked day says."""

DAY = "day"

_PROGRESS = re.compile(r"Question \d+ of \d+")
_SNOOZE = re.compile(r"nudge:\d+:\d+:snooze\.")
_MARKS = re.compile(r"[\\`*_\[\]<>#~|]")


def render(message: Message) -> Card:
    """The card. What does not fit leaves rows of the table out first, then words."""
    if len(message.text) > MOST_TEXT:
        # A mark that is cut in half is shown as it is.
        message = message.model_copy(update={"text": f"{message.text[:MOST_TEXT]}\n\n{SHORTENED}"})
    rows = MOST_ROWS
    while True:
        card = _card(message, rows)
        if size(card) <= MOST_BYTES or rows <= 2:
            break
        rows = rows * 2 // 3
    room = MOST_BYTES // 4
    while size(card) > MOST_BYTES and room > LEAST_TEXT:
        # Many short lines need several times the room of their letters.
        card, room = _card(_shortened(message, room), 2), room // 2
    return card


def size(card: Card) -> int:
    """Bytes of a card as JSON."""
    return len(json.dumps(card, ensure_ascii=False).encode())


def summary(message: Message) -> str:
    """The message in a few plain words, for notifications and for clients that draw no card."""
    return cut(clean(" ".join(words(message.text).split())), 400) or "A message"


def words_alone(message: Message) -> str:
    """For where the card is refused: the whole message in words, and what can be answered. Read by nobody as
    markup, as it is sent as plain text.
    """
    said = [words(message.text), message.chart.alt if message.chart else ""]
    said += [table_words(message.table)] if message.table else []
    said += [_source(citation) for citation in _untold(message)]
    said += [AI_NOTE] if message.written_by_model else []
    text = clean("\n\n".join(part for part in said if part.strip())) or "…"
    labels = [f"• {clean(choice.label)}" for choice in message.choices[:MOST_CHOICES]]
    if labels:
        text = f"{cut(text, MOST_TEXT)}\n\nYou can reply in words:\n" + "\n".join(labels)
    return cut(text, MOST_TEXT)


def _card(message: Message, rows: int) -> Card:
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": summary(message),
        "body": [*_body(message, rows)] or [_rich([Run("…")])],
    }


def is_wide(message: Message) -> bool:
    """Whether a narrow card would break words in two. The schema has no word for it: who sends it asks."""
    return message.chart is not None or _is_wide_table(message.table)


def _is_wide_table(table: Table | None) -> bool:
    return table is not None and len(table.columns) > NARROW


def _body(message: Message, rows: int) -> Iterator[Card]:
    if message.progress is not None and not _PROGRESS.search(message.text):
        done, total = message.progress.done + 1, message.progress.total
        yield _subtle(f"Question {done} of {total} · about {message.progress.minutes} min")
    for part in parts(message.text):
        yield from _part(part)
    if message.chart is not None:
        yield from _chart(message.chart, rows)
    if message.table is not None:
        yield _subtle(message.table.caption)
        yield _table(message.table, rows)
    for citation in _untold(message):
        yield _subtle(_source(citation))
    if message.written_by_model:
        yield _subtle(AI_NOTE)
    yield from _buttons(message)
    if message.input_hint:
        yield _subtle(_hint(message.input_hint))


def _hint(hint: str) -> str:
    return hint if hint.startswith("Or ") else f"Or write: {hint}"


def _part(part: Part) -> Iterator[Card]:
    if part.kind == "quote":
        yield {"type": "Container", "style": "emphasis", "items": [_rich(line) for line in part.lines]}
        return
    for number, line in enumerate(part.lines, start=1):
        mark = {"ordered": f"{number}. ", "bullet": "• "}.get(part.kind, "")
        card = _rich([Run("\u2003" * part.indent + mark), *line] if mark else line)
        yield {**card, "spacing": "Small"} if mark and number > 1 else card


def _rich(line: list[Run], **look: object) -> Card:
    return {"type": "RichTextBlock", "inlines": [_run(run, look) for run in line if run.text]}


def _run(run: Run, look: dict[str, object]) -> Card:
    style: dict[str, object] = {"weight": "Bolder"} if run.bold else {}
    style |= {"italic": True} if run.italic else {}
    return {"type": "TextRun", "text": clean(run.text), **style, **look}


def _subtle(text: str) -> Card:
    return {**_rich([Run(clean(text) or "…")], isSubtle=True, size="Small"), "spacing": "Small"}


def _chart(chart: Chart, rows: int) -> Iterator[Card]:
    """The chart where Teams can draw it, and its words, which also say it where nothing is drawn."""
    drawn = _native(chart)
    if drawn is not None:
        yield {**drawn, "fallback": _facts(chart) or _table(chart_table(chart), rows)}
    elif chart.kind == "map":
        yield _table(chart_table(chart), rows)
    yield _subtle(chart.alt)


def _native(chart: Chart) -> Card | None:
    if chart.kind == "map" or not chart.series or not chart.labels:
        return None
    head = {"title": _bare(chart.title), **({"yAxisTitle": "%"} if chart.unit else {})}
    if chart.kind == "line":
        lines = [
            {"legend": _bare(one.name), "values": [{"x": x, "y": y} for x, y in _points(chart, one)]}
            for one in chart.series
        ]
        return {"type": "Chart.Line", **head, "data": lines}
    if len(chart.series) == 1:
        bars = [{"x": x, "y": y} for x, y in _points(chart, chart.series[0])]
        return {"type": "Chart.HorizontalBar", "title": head["title"], "data": bars}
    groups = [
        {"legend": _bare(one.name), "values": [{"x": x, "y": y} for x, y in _points(chart, one)]}
        for one in chart.series
    ]
    return {"type": "Chart.VerticalBar.Grouped", **head, "data": groups}


def _points(chart: Chart, series: Series) -> Iterator[tuple[str, float]]:
    """Label and value, as drawn; gaps are left out."""
    scale = 100 if chart.unit == "%" else 1
    for label, value in zip(chart.labels, series.values, strict=False):
        if value is not None:
            yield _bare(label), round(value * scale, 1)


def _facts(chart: Chart) -> Card | None:
    """One series as facts: each label with its value, and its interval where there is one."""
    if len(chart.series) != 1:
        return None
    facts = [{"title": _bare(label), "value": value} for label, value in chart_table(chart).rows]
    return {"type": "FactSet", "facts": facts}


def _table(table: Table, rows: int) -> Card:
    """The table; what does not fit is counted in a last row."""
    shown = list(table.rows)
    if len(shown) > rows:
        shown = [*shown[: rows - 1], (f"and {len(shown) - rows + 1} more",)]
    width = min(MOST_COLUMNS, max([1, len(table.columns), *(len(row) for row in shown)]))
    small = _is_wide_table(table)
    head = _row(table.columns, width, small, bold=True)
    return {
        "type": "Table",
        "firstRowAsHeader": True,
        "columns": [{"type": "TableColumnDefinition", "width": 1} for _ in range(width)],
        "rows": [head, *(_row(row, width, small) for row in shown)],
    }


def _row(cells: tuple[str, ...], width: int, small: bool, bold: bool = False) -> Card:
    filled = [*cells, *[""] * width][:width]
    return {"type": "TableRow", "cells": [_cell(text, small, bold) for text in filled]}


def _cell(text: str, small: bool, bold: bool) -> Card:
    plain = " ".join("".join(run.text for run in line) for part in parts(text) for line in part.lines)
    look: dict[str, object] = {"size": "Small"} if small else {}
    return {"type": "TableCell", "items": [_rich([Run(cut(clean(plain), 200) or " ", bold)], **look)]}


def _buttons(message: Message) -> Iterator[Card]:
    """The answers in rows; what few people need stands in the menu at the end of the last row."""
    choices = message.choices[:MOST_CHOICES]
    seldom = [one for one in choices if is_always_there(one)] if message.kind == "question" else []
    if len(seldom) < 2 or len(seldom) == len(choices):
        seldom = []
    rows = _rows([one for one in choices if one not in seldom])
    if rows:
        rows[-1] += [{**_action(one), "mode": "secondary"} for one in seldom]
    if message.answer_id:
        rows += _rows(_feedback(message.answer_id))
    yield from ({"type": "ActionSet", "actions": row} for row in rows)
    if any(_SNOOZE.match(choice.id) for choice in choices):
        yield from _any_day()


def _rows(choices: Sequence[Choice]) -> list[list[Card]]:
    made = [_action(choice) for choice in choices]
    return [made[start : start + ACTIONS_A_ROW] for start in range(0, len(made), ACTIONS_A_ROW)]


def _any_day() -> Iterator[Card]:
    """Any day, where some are offered as buttons: picking one is saying so."""
    yield {"type": "Input.Date", "id": DAY, "label": "Or another day"}
    data = {"say": "snooze until"}
    action = {"type": "Action.Execute", "verb": CHOOSE, "title": "Snooze until that day", "data": data}
    yield {"type": "ActionSet", "actions": [action]}


def _feedback(answer_id: int) -> tuple[Choice, ...]:
    """Teams' own feedback buttons ask for a reason in free words, which nobody here would read."""
    return (
        Choice(id=str(ChoiceId("kb", answer_id, 0, "up")), label="Helpful"),
        Choice(id=str(ChoiceId("kb", answer_id, 0, "down")), label="Not helpful"),
    )


def _action(choice: Choice) -> Card:
    style = {"primary": {"style": "positive"}, "danger": {"style": "destructive"}}.get(choice.style, {})
    title = cut(clean(_bare(choice.label)), LONGEST_TITLE) or "…"
    data = {"choice": clean(choice.id)}
    return {"type": "Action.Execute", "verb": CHOOSE, "title": title, "data": data, **style}


def _untold(message: Message) -> list[Citation]:
    """The citations whose document the words don't name already."""
    text = words(message.text)
    return [each for each in message.citations if each.document not in text][:MOST_CITATIONS]


def _source(citation: Citation) -> str:
    named = [citation.document, citation.section, f"version {citation.version}"]
    named += [f"owner {citation.owner}"] if citation.owner else []
    named += [f"reviewed {citation.reviewed}"] if citation.reviewed else []
    return "Source: " + " · ".join(part for part in named if part)


def _bare(text: str) -> str:
    """Words for where Teams would read Markdown: without its marks."""
    return " ".join(_MARKS.sub(" ", clean(text)).split()) or "…"


def _shortened(message: Message, room: int) -> Message:
    """Words alone, of at most `room` bytes."""
    told = words(message.text)
    if message.table is not None:
        told = f"{told}\n{table_words(message.table)}"
    text = clean(told).encode()[:room].decode(errors="ignore")
    # Backslashes keep it from being read as light Markdown a second time.
    inert = re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text)
    return message.model_copy(
        update={"text": f"{inert}\n\n{SHORTENED}", "table": None, "chart": None, "citations": ()}
    )
