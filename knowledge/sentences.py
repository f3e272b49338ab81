"""Where the sentences of a Markdown text begin and end. A list item, table row or heading is one too."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Words that end in a full stop without ending a sentence; the end of a sentence after one is rare.
_SHORT = frozenset(
    re.findall(
        r"\S+",
        """
        mr mrs ms dr prof st no nr vs etc e.g i.e eg ie cf art sec inc ltd co corp dept approx est fig
        vol jan feb mar apr jun jul aug sep sept oct nov dec z.b bzw ca usw p.m a.m u.s
        """,
    )
)
_STARTS_LINE = re.compile(r"^\s*(?:#{1,6}\s|[-*+]\s|\d{1,3}[.)]\s|\||>)")
_END = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s)|[。！？]")
_LAST_WORD = re.compile(r"([\w.]+)$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of every sentence in order, without the blank space around it."""
    spans: list[tuple[int, int]] = []
    for start, end in _blocks(text):
        spans += _split(text, start, end)
    return spans


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Lines that belong together: a paragraph with its wrapped lines, or a single item, row or heading."""
    start: int | None = None
    at = 0
    for line in text.splitlines(keepends=True):
        if start is not None and (not line.strip() or _STARTS_LINE.match(line)):
            yield start, at
            start = None
        if start is None and line.strip():
            start = at
        at += len(line)
        if start is not None and line.lstrip().startswith(("#", "|")):
            yield start, at
            start = None
    if start is not None:
        yield start, at


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _END.finditer(text, start, end):
        if _ends_here(text, start, match):
            yield from _trimmed(text, start, match.end())
            start = match.end()
    yield from _trimmed(text, start, end)


def _ends_here(text: str, start: int, match: re.Match[str]) -> bool:
    if not match.group().startswith("."):
        return True
    word = _LAST_WORD.search(text, max(start, match.start() - 20), match.start())
    last = word.group(1).casefold() if word else ""
    return not (last in _SHORT or len(last) == 1 or (last.isdigit() and match.start() - start <= 3))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    part = text[start:end]
    if part.strip():
        yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
