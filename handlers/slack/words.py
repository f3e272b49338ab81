"""Light Markdown (bot.messages) as Slack's rich text, and as plain words.

Rich text holds its words in elements of their own: nothing in them is read as a mention, a link or markup, so
that what people type and what policies say can't act, and a quote stays word for word. Only the `text=` of a
message is read by Slack; there `&`, `<` and `>` are escaped, and Slack is told not to parse the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

Block = dict[str, Any]

_LIGHT = MarkdownIt("zero", {"breaks": True}).enable(
    ["blockquote", "list", "paragraph", "emphasis", "escape", "newline"]
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""What Slack or a database refuses: control characters, and halves of a pair that stand alone."""


def clean(text: str) -> str:
    """`text` without characters that can't be sent."""
    return _CONTROLS.sub("", text)


def escape(text: str) -> str:
    """Words for a `text=`: nothing in them can mention or link."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, longest: int) -> str:
    """`text` in at most `longest` characters, with an ellipsis where something is missing."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


@dataclass(frozen=True)
class Run:
    """Words of one look."""

    text: str
    bold: bool = False
    italic: bool = False

    def element(self) -> Block:
        """As an element of rich text."""
        style = {name: True for name in ("bold", "italic") if getattr(self, name)}
        return {"type": "text", "text": self.text, **({"style": style} if style else {})}


@dataclass
class Part:
    """A paragraph, a quote, or a list with its items."""

    kind: str
    lines: list[list[Run]] = field(default_factory=list)
    indent: int = 0


def parts(text: str) -> list[Part]:
    """The paragraphs, quotes and lists of a message's text, in order."""
    reader = _Reader()
    for token in _LIGHT.parse(clean(text)):
        reader.take(token)
    return reader.parts


class _Reader:
    """Walks the tokens of a parsed text and keeps where it is: in how many quotes, in which lists."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._quotes = 0
        self._lists: list[str] = []
        self._first_of_item = False

    def take(self, token: Token) -> None:
        """Read one token."""
        if token.type in ("blockquote_open", "blockquote_close"):
            self._quotes += token.nesting
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            self._lists.append("bullet" if token.type.startswith("bullet") else "ordered")
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
        elif token.type == "list_item_open":
            self._first_of_item = True
        elif token.type == "inline":
            self._words(list(_runs(token.children or [])))

    def _words(self, line: list[Run]) -> None:
        if not line:
            return
        kind = self._lists[-1] if self._lists else "quote" if self._quotes else "paragraph"
        indent = max(0, min(len(self._lists) - 1, 8))
        last = self.parts[-1] if self.parts else None
        if last is None or kind == "paragraph" or (last.kind, last.indent) != (kind, indent):
            self.parts.append(Part(kind, [line], indent))
        elif kind == "quote" or self._first_of_item:
            last.lines.append(line)
        else:
            last.lines[-1] += [Run("\n"), *line]
        self._first_of_item = False


def _runs(tokens: Sequence[Token]) -> Iterator[Run]:
    bold = italic = 0
    for token in tokens:
        if token.type in ("strong_open", "strong_close"):
            bold += token.nesting
        elif token.type in ("em_open", "em_close"):
            italic += token.nesting
        elif token.type in ("softbreak", "hardbreak"):
            yield Run("\n")
        elif token.content:
            yield Run(token.content, bold > 0, italic > 0)


def rich_elements(text: str) -> list[Block]:
    """The elements of a rich text block."""
    elements: list[Block] = []
    for part in parts(text):
        if part.kind == "quote":
            elements.append({"type": "rich_text_quote", "elements": _joined(part.lines)})
        elif part.kind == "paragraph":
            _add_paragraph(elements, part.lines[0])
        else:
            items = [_section([run.element() for run in line]) for line in part.lines]
            listed = {"type": "rich_text_list", "style": part.kind, "elements": items}
            elements.append({**listed, "indent": part.indent} if part.indent else listed)
    return elements


def _add_paragraph(elements: list[Block], line: list[Run]) -> None:
    """Slack sets no space between sections: paragraphs share one, with an empty line between them."""
    words = [run.element() for run in line]
    if elements and elements[-1]["type"] == "rich_text_section":
        elements[-1]["elements"] += [Run("\n\n").element(), *words]
    elif elements:
        elements.append(_section([Run("\n").element(), *words]))
    else:
        elements.append(_section(words))


def _section(words: list[Block]) -> Block:
    return {"type": "rich_text_section", "elements": words}


def _joined(lines: list[list[Run]]) -> list[Block]:
    words: list[Block] = []
    for number, line in enumerate(lines):
        words += [Run("\n").element()] if number else []
        words += [run.element() for run in line]
    return words


def words(text: str) -> str:
    """A message's text as plain words on lines, not yet escaped."""
    said = []
    for part in parts(text):
        lines = ["".join(run.text for run in line) for line in part.lines]
        if part.kind == "quote":
            said.append("\n".join(f"“{line}”" for line in lines))
        elif part.kind == "ordered":
            said.append("\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1)))
        else:
            said.append("\n".join(("• " if part.kind == "bullet" else "") + line for line in lines))
    return "\n\n".join(said)
