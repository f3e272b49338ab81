"""Light Markdown (bot.messages) as Slack's rich text.

Rich text holds its words in elements of their own: nothing in them is read as a mention, a link or markup, so
that what people type and what policies say can't act, and a quote stays word for word. Only the `text=` of a
message is read by Slack; there `&`, `<` and `>` are escaped, and Slack is told not to parse the rest.
"""

from __future__ import annotations

from typing import Any

from handlers.light import Run, clean, parts

Block = dict[str, Any]


def escape(text: str) -> str:
    """Words for a `text=`: nothing in them can mention or link."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rich_elements(text: str) -> list[Block]:
    """The elements of a rich text block."""
    elements: list[Block] = []
    for part in parts(text):
        if part.kind == "quote":
            elements.append({"type": "rich_text_quote", "elements": _joined(part.lines)})
        elif part.kind == "paragraph":
            _add_paragraph(elements, part.lines[0])
        else:
            items = [_section([_element(run) for run in line]) for line in part.lines]
            listed = {"type": "rich_text_list", "style": part.kind, "elements": items}
            elements.append({**listed, "indent": part.indent} if part.indent else listed)
    return elements


def _add_paragraph(elements: list[Block], line: list[Run]) -> None:
    """Slack sets no space between sections: paragraphs share one, with an empty line between them."""
    words = [_element(run) for run in line]
    if elements and elements[-1]["type"] == "rich_text_section":
        elements[-1]["elements"] += [_element(Run("\n\n")), *words]
    elif elements:
        elements.append(_section([_element(Run("\n")), *words]))
    else:
        elements.append(_section(words))


def _element(run: Run) -> Block:
    style = {name: True for name in ("bold", "italic") if getattr(run, name)}
    return {"type": "text", "text": run.text, **({"style": style} if style else {})}


def _section(words: list[Block]) -> Block:
    return {"type": "rich_text_section", "elements": words}


def _joined(lines: list[list[Run]]) -> list[Block]:
    words: list[Block] = []
    for number, line in enumerate(lines):
        words += [_element(Run("\n"))] if number else []
        words += [_element(run) for run in line]
    return words
