"""What Slack refuses in blocks, by its documented limits: one problem a line, none where all is well.

Source: docs.slack.dev, reference/block-kit. Written apart from the renderer, so that each checks the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Block = dict[str, Any]

MESSAGE_BLOCKS, VIEW_BLOCKS, ALL_CHARACTERS = 50, 100, 13_000
_TYPES = {
    "message": {
        "section", "rich_text", "context", "actions", "divider", "header", "image", "table", "markdown",
        "context_actions", "data_visualization", "data_table", "task_card", "plan",
    },
    "view": {"section", "rich_text", "context", "actions", "divider", "header", "image", "input"},
}  # fmt: skip


def problems(blocks: Any, surface: str = "message") -> list[str]:
    """Everything that is wrong with `blocks` on a message or a view."""
    if not isinstance(blocks, list):
        return ["blocks are not a list"]
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    found = [f"{len(blocks)} blocks"] if len(blocks) > most else []
    if surface == "message" and len(json.dumps(blocks, ensure_ascii=False)) > ALL_CHARACTERS:
        found.append("msg_blocks_too_long")
    for block in blocks:
        kind = block.get("type")
        found += [f"{kind}: unknown here"] if kind not in _TYPES[surface] else [*_of_kind(kind, block)]
    found += _once(blocks)
    return found


def _once(blocks: list[Block]) -> Iterator[str]:
    kinds = [block.get("type") for block in blocks]
    if kinds.count("table") > 1:
        yield "only one table a message"
    if kinds.count("data_visualization") > 2:
        yield "only two charts a message"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_id twice"
    actions = [
        element["action_id"]
        for block in blocks
        for element in block.get("elements", [])
        if isinstance(element, dict) and "action_id" in element
    ]
    if len(actions) != len(set(actions)):
        yield "action_id twice"


def _of_kind(kind: str, block: Block) -> Iterator[str]:
    checks = {
        "section": _section,
        "context": _context,
        "actions": _actions,
        "header": lambda b: _text(b.get("text"), 150, plain_only=True),
        "image": _image,
        "input": _input,
        "rich_text": _rich_text,
        "table": _table,
        "data_visualization": _chart,
        "context_actions": _context_actions,
    }
    if kind in checks:
        yield from (f"{kind}: {problem}" for problem in checks[kind](block))  # type: ignore[operator]


def _text(text: Any, most: int, plain_only: bool = False) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in ("plain_text", "mrkdwn"):
        yield "no text object"
        return
    if plain_only and text["type"] != "plain_text":
        yield "only plain_text here"
    if not 1 <= len(text.get("text", "")) <= most:
        yield f"text of {len(text.get('text', ''))} characters, at most {most}"
    if not text.get("text", "").strip():
        yield "blank text"


def _section(block: Block) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "neither text nor fields"
    if "text" in block:
        yield from _text(block["text"], 3000)


def _context(block: Block) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= 10:
        yield "1 to 10 elements"
    for element in block.get("elements", []):
        if element.get("type") != "image":
            yield from _text(element, 3000)


_FIELDS = {"plain_text_input", "static_select", "conversations_select", "datepicker", "timepicker"}


def _input(block: Block) -> Iterator[str]:
    yield from _text(block.get("label"), 2000, plain_only=True)
    if "hint" in block:
        yield from _text(block["hint"], 2000, plain_only=True)
    if len(block.get("block_id", "")) > 255:
        yield "block_id"
    element = block.get("element", {})
    if element.get("type") not in _FIELDS or not 1 <= len(element.get("action_id", "")) <= 255:
        yield "element"
    if element.get("type") == "static_select":
        yield from _options(element)
    if not 0 <= element.get("max_length", 1) <= 3000:
        yield "max_length"


def _options(element: Block) -> Iterator[str]:
    options = element.get("options", [])
    if not 1 <= len(options) <= 100:
        yield "1 to 100 options"
    for option in options:
        yield from _text(option.get("text"), 75, plain_only=True)
        if not 1 <= len(option.get("value", "")) <= 150:
            yield "value of an option"
    if "initial_option" in element and element["initial_option"] not in options:
        yield "the chosen option is none of them"


def _image(block: Block) -> Iterator[str]:
    if ("image_url" in block) == ("slack_file" in block):
        yield "either an address or a file"
    if not 1 <= len(block.get("alt_text", "")) <= 2000:
        yield "alt_text"


def _actions(block: Block) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= 25:
        yield "1 to 25 elements"
    for element in block.get("elements", []):
        if element.get("type") == "button":
            yield from _button(element)
        elif element.get("type") == "overflow":
            yield from _overflow(element)
        elif element.get("type") != "datepicker":
            yield f"element {element.get('type')}"


def _overflow(menu: Block) -> Iterator[str]:
    if not 2 <= len(menu.get("options", [])) <= 5:
        yield "2 to 5 options in a menu"
    if not 1 <= len(menu.get("action_id", "")) <= 255:
        yield "action_id"
    yield from _options(menu)


def _button(button: Block) -> Iterator[str]:
    yield from _text(button.get("text"), 75, plain_only=True)
    if not 1 <= len(button.get("action_id", "")) <= 255:
        yield "action_id"
    if not 1 <= len(button.get("value", "x")) <= 2000:
        yield "value"
    if button.get("style", "primary") not in ("primary", "danger"):
        yield "style"


_RICH = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}


def _rich_text(block: Block) -> Iterator[str]:
    if not block.get("elements"):
        yield "no elements"
    for element in block.get("elements", []):
        if element.get("type") not in _RICH or not element.get("elements"):
            yield f"{element.get('type')} unknown or empty"
            continue
        sections = element["elements"] if element["type"] == "rich_text_list" else [element]
        if element["type"] == "rich_text_list" and element.get("style") not in ("bullet", "ordered"):
            yield "style of the list"
        for section in sections:
            yield from _rich_words(section)


def _rich_words(section: Block) -> Iterator[str]:
    if not section.get("elements"):
        yield "a section without words"
    for word in section.get("elements", []):
        if word.get("type") not in (
            "text",
            "link",
            "emoji",
            "user",
            "channel",
            "usergroup",
            "broadcast",
            "date",
        ):
            yield f"word of type {word.get('type')}"
        elif word["type"] == "text" and not word.get("text"):
            yield "an empty word"


def _table(block: Block) -> Iterator[str]:
    rows = block.get("rows", [])
    if not 1 <= len(rows) <= 100:
        yield "1 to 100 rows"
    if len({len(row) for row in rows}) > 1:
        yield "rows of different lengths"
    for row in rows:
        if not 1 <= len(row) <= 20:
            yield "1 to 20 cells"
        for cell in row:
            if cell.get("type") not in ("raw_text", "rich_text", "raw_number") or not cell.get("text", "x"):
                yield "cell"


def _chart(block: Block) -> Iterator[str]:
    if not 1 <= len(block.get("title", "")) <= 50:
        yield "title"
    chart = block.get("chart", {})
    if chart.get("type") not in ("line", "bar", "area"):
        yield "kind"
        return
    categories = chart.get("axis_config", {}).get("categories", [])
    if not 1 <= len(categories) <= 20 or not all(1 <= len(name) <= 20 for name in categories):
        yield "categories"
    if not 1 <= len(chart.get("series", [])) <= 6:
        yield "series"
    names = [series.get("name", "") for series in chart.get("series", [])]
    if len(set(names)) != len(names) or not all(1 <= len(name) <= 20 for name in names):
        yield "names of series"
    for series in chart.get("series", []):
        points = series.get("data", [])
        if [point.get("label") for point in points] != categories:
            yield "labels are not the categories"
        if not all(isinstance(point.get("value"), int | float) for point in points):
            yield "values"


def _context_actions(block: Block) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= 5:
        yield "1 to 5 elements"
    for element in block.get("elements", []):
        if element.get("type") != "feedback_buttons":
            continue
        for name in ("positive_button", "negative_button"):
            button = element.get(name, {})
            yield from _text(button.get("text"), 75, plain_only=True)
            if not 1 <= len(button.get("value", "")) <= 2000:
                yield "value of a feedback button"
