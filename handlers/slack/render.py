"""A message as Slack's blocks, within the platform's limits, with simpler forms to fall back to.

Limits: docs.slack.dev; 50 blocks a message and about 13,000 characters of blocks in all. Every form carries
the whole message in `text`, for notifications and screen readers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.choice_ids import ChoiceId
from bot.messages import Chart, Choice, Citation, Message
from handlers.asides import is_always_there
from handlers.chart_tables import chart_table, table_words
from handlers.light import clean, cut, words
from handlers.slack.charts import native_chart, table_block
from handlers.slack.words import Block, escape, rich_elements

MOST_CHARACTERS = 12_500
"""Of all blocks together, measured as JSON; Slack draws the line at about 13,000."""

LONGEST_TEXT = 39_000
LONGEST_LABEL = 75
LONGEST_CONTEXT = 300
LONGEST_ALT = 1_900
BUTTONS_A_ROW = 5
MOST_CHOICES = 50
MOST_OPTIONS, LONGEST_OPTION = 5, 150
"""Of a menu: its entries, and the characters of an entry's value."""

MOST_CITATIONS = 5
LEAST_BODY = 1_000
"""Characters that the words keep, whatever else there is to show."""

AI_NOTE = "AI-generated from the passages named here. Check before you rely on it."
SHORTENED = "… (shortened: a message can't hold more)"
_PROGRESS = re.compile(r"Question \d+ of \d+")
_EVIDENCE = re.compile(r"audit:(\d+):(\d+):[^.]*\.nothing")
FORM = "form:"
"""A button whose id begins so opens a form (handlers.slack.forms)."""

_SNOOZE = re.compile(r"nudge:\d+:\d+:snooze\.")
SHOW_SECTION = Choice(id="say:Show me the source", label="Show the section")


@dataclass(frozen=True)
class Rendered:
    """One form of a message: `text` is escaped, `blocks` may be empty.

    `picture` is handed over first (handlers.slack.pictures); until then its image block has an empty id.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    picture: Chart | None = None


Look = Literal["native", "picture", "table"]
"""How a chart is shown: as Slack's own, as an image, or by its figures."""


def forms(message: Message) -> Iterator[Rendered]:
    """The message, best form first: with Slack's own chart, with a picture of it, with a table, as words."""
    text, chart = fallback_text(message), message.chart
    if chart is not None and native_chart(chart) is not None:
        yield Rendered(text, tuple(blocks(message)))
    if chart is not None and chart.kind != "map" and chart.series and chart.labels:
        yield Rendered(text, tuple(blocks(message, "picture")), chart)
    yield Rendered(text, tuple(blocks(message, "table")))
    yield Rendered(text_alone(message))


def render(message: Message) -> Rendered:
    """The best form."""
    return next(forms(message))


def fallback_text(message: Message) -> str:
    """The whole message in words, escaped. Never empty."""
    said = [words(message.text)]
    if message.chart is not None:
        said.append(message.chart.alt)
    if message.table is not None:
        said.append(table_words(message.table))
    said += [f"Source: {_source(citation)}" for citation in _untold(message)]
    if message.written_by_model:
        said.append(AI_NOTE)
    return _within(escape("\n\n".join(part for part in said if part.strip())) or "…")


def text_alone(message: Message) -> str:
    """For where blocks are refused: as `fallback_text`, and what can be answered."""
    text = fallback_text(message)
    if not message.choices:
        return text
    labels = "\n".join(f"• {escape(choice.label)}" for choice in message.choices[:MOST_CHOICES])
    return _within(f"{text}\n\nYou can reply in words:\n{labels}")


def _within(text: str) -> str:
    # An entity that is cut in half would show its first letters: leave it out as a whole.
    if len(text) <= LONGEST_TEXT:
        return text
    head, _, tail = text[: LONGEST_TEXT - len(SHORTENED) - 1].rpartition("&")
    kept = text[: LONGEST_TEXT - len(SHORTENED) - 1] if ";" in tail or not head else head
    return f"{kept} {SHORTENED}"


def blocks(message: Message, look: Look = "native") -> list[Block]:
    """The message's blocks, a chart in the given look."""
    told = _PROGRESS.search(message.text) is not None
    above = [_context(_progress(message))] if message.progress and not told else []
    picture, below = _picture(message, look), _below(message)
    room = MOST_CHARACTERS - size(above + below)
    if size(picture) > room - LEAST_BODY:
        picture = _smaller(message, room - LEAST_BODY)
    return [*above, *_body(message, room - size(picture)), *picture, *below]


def size(made: list[Block]) -> int:
    """Characters of blocks as JSON."""
    return len(json.dumps(made, ensure_ascii=False))


def _progress(message: Message) -> str:
    progress = message.progress
    assert progress is not None  # noqa: S101  (asked by the caller)
    minutes = "1 minute" if progress.minutes == 1 else f"{progress.minutes} minutes"
    return f"Question {progress.done + 1} of {progress.total} · about {minutes}"


def _body(message: Message, room: int) -> list[Block]:
    """The words, as many as there is room for."""
    elements = rich_elements(message.text)
    long_labels = [clean(choice.label) for choice in message.choices if len(choice.label) > LONGEST_LABEL]
    if long_labels:
        elements.append(
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": label}]}
                    for label in long_labels
                ],
            }
        )
    kept = _fitting(elements, room - 200)
    return [{"type": "rich_text", "elements": kept}] if kept else []


def _fitting(elements: list[Block], room: int) -> list[Block]:
    """As many elements as fit; the first that does not is shortened and is the last."""
    kept: list[Block] = []
    for element in elements:
        needs = size([element])
        if needs > room:
            rest = _shortened(element, room - 120)
            note = {"type": "rich_text_section", "elements": [{"type": "text", "text": f"\n{SHORTENED}"}]}
            return [*kept, *rest, note]
        kept.append(element)
        room -= needs
    return kept


def _shortened(element: Block, room: int) -> list[Block]:
    inner: list[Block] = []
    for word in element["elements"]:
        needs = size([word])
        if needs > room:
            if word["type"] == "text" and room > 200:
                inner.append({**word, "text": _cut_to(word["text"], room - 100)})
            break
        inner.append(word)
        room -= needs
    return [{**element, "elements": inner}] if inner else []


def _cut_to(text: str, room: int) -> str:
    """The longest beginning that takes at most `room` characters as JSON (a quote or a break takes more)."""
    end = min(len(text), room)
    while end > 1 and len(json.dumps(text[:end], ensure_ascii=False)) > room:
        end = end * 9 // 10
    return text[:end]


def _picture(message: Message, look: Look) -> list[Block]:
    shown = _chart(message.chart, look) if message.chart is not None else []
    if shown:
        return [*shown, table_block(message.table)] if message.table else shown
    table = message.table or (chart_table(message.chart) if message.chart else None)
    if table is None:
        return []
    # Slack takes one table a message: a chart beside a table is told in words.
    told = message.chart.alt if message.table and message.chart else table.caption
    return [_context(told), table_block(table)]


def _chart(chart: Chart, look: Look) -> list[Block]:
    native = native_chart(chart) if look == "native" else None
    # Slack's own says nothing to a screen reader: its words stand below it.
    if native is not None:
        return [native, _context(chart.alt)]
    if look != "picture":
        return []
    alt = cut(clean(chart.alt), LONGEST_ALT).strip() or "A chart"
    return [{"type": "image", "slack_file": {"id": ""}, "alt_text": alt}]


def _smaller(message: Message, room: int) -> list[Block]:
    """A table with as many rows as fit, or the words that say what the picture shows."""
    table = message.table or (chart_table(message.chart) if message.chart else None)
    rows = len(table.rows) if table else 0
    while table is not None and rows > 2:
        made = [_context(table.caption), table_block(table, rows)]
        if size(made) <= room:
            return made
        rows = rows * 2 // 3
    told = message.chart.alt if message.chart else table.caption if table else ""
    return [_context(told)]


def _below(message: Message) -> list[Block]:
    made: list[Block] = []
    if untold := _untold(message):
        made.append(_sources(untold))
    if message.written_by_model:
        made.append(_context(AI_NOTE))
    choices = [*message.choices[:MOST_CHOICES]]
    if message.citations and message.kind == "answer":
        choices.append(SHOW_SECTION)
    if evidence := next((found for one in choices if (found := _EVIDENCE.fullmatch(one.id))), None):
        label = "Write it in a form"
        choices.append(Choice(id=f"{FORM}evidence:{evidence[1]}:{evidence[2]}", label=label))
    made += _rows(choices, _seldom(message))
    if any(_SNOOZE.match(choice.id) for choice in message.choices):
        made.append(_date_picker())
    if message.answer_id:
        made.append(_feedback(message.answer_id))
    if message.input_hint:
        made.append(_context(_hint(message.input_hint)))
    return made


def _hint(hint: str) -> str:
    return hint if hint.startswith("Or ") else f"Or write: {hint}"


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_plain(text or "…", LONGEST_CONTEXT)]}


def _plain(text: str, longest: int) -> Block:
    # A carriage of blanks alone is refused like an empty text.
    return {"type": "plain_text", "text": cut(clean(text), longest).strip() or "…", "emoji": False}


def _untold(message: Message) -> list[Citation]:
    """The citations whose document the words don't name already."""
    text = words(message.text)
    return [citation for citation in message.citations if citation.document not in text][:MOST_CITATIONS]


def _sources(citations: list[Citation]) -> Block:
    return {
        "type": "context",
        "elements": [_plain(_source(citation), LONGEST_CONTEXT) for citation in citations],
    }


def _source(citation: Citation) -> str:
    named = [citation.document, citation.section, f"version {citation.version}"]
    if citation.owner:
        named.append(f"owner {citation.owner}")
    if citation.reviewed:
        named.append(f"reviewed {citation.reviewed}")
    return " · ".join(part for part in named if part)


def _seldom(message: Message) -> list[Choice]:
    """What a question offers beside its answers, for a menu; none where a menu would hold a single entry."""
    if message.kind != "question":
        return []
    fits = [one for one in message.choices if is_always_there(one) and len(one.id) <= LONGEST_OPTION]
    return fits[:MOST_OPTIONS] if len(fits) > 1 else []


def _rows(choices: list[Choice], in_menu: list[Choice]) -> list[Block]:
    """Rows of buttons; the last one ends with the menu."""
    elements = [_button(one, number) for number, one in enumerate(choices) if one not in in_menu]
    rows = [elements[start : start + BUTTONS_A_ROW] for start in range(0, len(elements), BUTTONS_A_ROW)]
    if in_menu:
        rows = [*rows[:-1], [*(rows[-1] if rows else []), _menu(in_menu)]]
    return [{"type": "actions", "elements": row} for row in rows]


def _menu(choices: list[Choice]) -> Block:
    options = [{"text": _plain(one.label, LONGEST_LABEL), "value": clean(one.id)} for one in choices]
    return {"type": "overflow", "action_id": "choice:menu", "options": options}


def _button(choice: Choice, number: int) -> Block:
    button = {
        "type": "button",
        "action_id": choice.id if choice.id.startswith(FORM) else f"choice:{number}",
        "text": _plain(choice.label, LONGEST_LABEL),
        "value": clean(choice.id),
    }
    return button if choice.style == "default" else {**button, "style": choice.style}


def _date_picker() -> Block:
    """Any day, where some are offered as buttons: picking one is saying so."""
    picker = {
        "type": "datepicker",
        "action_id": "say:snooze until",
        "placeholder": _plain("Another day", LONGEST_LABEL),
    }
    return {"type": "actions", "elements": [picker]}


def _feedback(answer_id: int) -> Block:
    def one(label: str, what: str) -> Block:
        return {"text": _plain(label, LONGEST_LABEL), "value": str(ChoiceId("kb", answer_id, 0, what))}

    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": {**one("Helpful", "up"), "accessibility_label": "This answer helped"},
                "negative_button": {**one("Not helpful", "down"), "accessibility_label": "It did not help"},
            }
        ],
    }
