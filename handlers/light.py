"""Light Markdown (bot.messages) taken apart, for surfaces that draw it: parts of runs, and plain words.

Nothing here knows a surface's markup. What is drawn from runs, each with its look beside it, can't act as a
mention, a link or markup, whatever people typed and policies say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

_LIGHT = MarkdownIt("zero", {"breaks": True}).enable(
    ["blockquote", "list", "paragraph", "emphasis", "escape", "newline"]
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""What platforms and databases refuse: control characters, and halves of a pair that stand alone."""


def clean(text: str) -> str:
    """`text` without characters that can't be sent."""
    return _CONTROLS.sub("", text)


def cut(text: str, longest: int) -> str:
    """`text` in at most `longest` characters, with an ellipsis where something is missing."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


@dataclass(frozen=True)
class Run:
    """Words of one look."""

    text: str
    bold: bool = False
    italic: bool = False


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
