"""PDF to Markdown. Lines are put together from the text that pypdf finds; larger type is a heading.

A page is read in the order in which it was written, which is that of columns; where words stand side by side
it is read once more as it looks, which shows tables.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from knowledge.extract_text import MAX_TEXT, Finding, Unreadable, table
from knowledge.pdf_layout import LABEL, cells_of, squashed, tables

MAX_PAGES = 1_500
_FAULTS = (PyPdfError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError)
_BULLET = re.compile(r"^[•◦▪●○■–∙·]\s+")
MAX_LOOKED_AT = 150
"""Pages that are read once more as they look. It takes three times as long; in what comes after these, tables
are read as running text."""
_ONE_ROW = 3.0  # points between the feet of words that stand side by side
_SAME = 0.97  # share of a table's characters that the lines it stands for need
_NUMBER = re.compile(r"(\d{1,3})[.)] ")
_CONTENTS = re.compile(r"(?:\.\s?){4,}\s*\d*\s*$")  # a line of a table of contents
_PAGE_NUMBER = re.compile(r"(?:page\s+|seite\s+)?\d{1,4}(?:\s*(?:/|of|von)\s*\d{1,4})?", re.I)


@dataclass
class _Line:
    text: str
    size: float
    page: int
    is_table: bool = False


@dataclass
class _Page:
    """A page's lines in the order of writing, what stands at its top and bottom, and whether words were put
    side by side. `looks` are its lines from the top down with their gaps, where it was looked at."""

    lines: list[_Line]
    edges: list[str]
    beside: bool
    looks: list[str] = field(default_factory=list)


def pdf_to_markdown(data: bytes) -> tuple[str, str | None, list[Finding]]:
    """The Markdown of a PDF, its title, if it names one, and which pages can't be read. Raises Unreadable."""
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("is locked with a password. Save a copy without one")
        if len(reader.pages) > MAX_PAGES:
            raise Unreadable(f"has more than {MAX_PAGES:,} pages. Split it into its chapters")
        pages = _pages(reader)
        pictures = [n for n, page in enumerate(reader.pages, 1) if not pages[n - 1].lines and _drawn(page)]
        title = reader.metadata.title if reader.metadata else None
    # pypdf raises whatever its parser stumbles over when a file is broken: the process that runs this is
    # thrown away afterwards, and the one thing to say is the same for all of them.
    except _FAULTS as error:
        raise Unreadable("is a broken PDF. Open it, save it anew and add that") from error
    except NotImplementedError as error:
        raise Unreadable("uses a kind of encryption that can't be read. Save a copy without it") from error
    _without_running_heads(pages)
    lines = [line for page in pages for line in _with_tables(page)]
    if not lines:
        raise Unreadable("holds pictures of pages and no text. Most scanners can add the text to them")
    return _markdown(lines), str(title).strip()[:200] or None if title else None, _unread(pictures)


def _unread(pictures: list[int]) -> list[Finding]:
    if not pictures:
        return []
    named = ", ".join(str(number) for number in pictures[:10]) + (" and more" if len(pictures) > 10 else "")
    return [Finding("picture", 0, f"page{'s' if len(pictures) > 1 else ''} {named}")]


def _drawn(page: Any) -> bool:
    """Whether a page shows anything but text, such as a scan."""
    return bool((page.get("/Resources") or {}).get("/XObject"))


def _pages(reader: PdfReader) -> list[_Page]:
    pages: list[_Page] = []
    total = looked = 0
    for number, page in enumerate(reader.pages):
        found = _page(page, number)
        total += sum(len(line.text) for line in found.lines)
        if total > MAX_TEXT:
            raise Unreadable(f"holds more than {MAX_TEXT:,} characters. Split it into its chapters")
        if found.beside and looked < MAX_LOOKED_AT:
            found.looks = _looks(page)
            looked += 1
        pages.append(found)
    return pages


def _looks(page: Any) -> list[str]:
    """The lines of a page from the top down, columns apart; none where pypdf can't tell."""
    try:
        text = page.extract_text(extraction_mode="layout", layout_mode_space_vertically=False)
    except _FAULTS:
        return []
    return [line for line in str(text).split("\n") if line.strip() and not _CONTENTS.search(line)]


def _page(page: Any, number: int) -> _Page:
    sizes: dict[str, float] = {}
    placed: list[tuple[float, str]] = []  # how far from the bottom of the page, and what

    def visit(text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        scale = (abs(tm[3]) or abs(tm[1]) or 1.0) * (abs(cm[3]) or abs(cm[1]) or 1.0)
        for part in text.split("\n"):
            if words := " ".join(part.split()):
                sizes[words] = max(round(size * scale, 1), sizes.get(words, 0.0))
                placed.append((tm[4] * cm[1] + tm[5] * cm[3] + cm[5], words))

    text = page.extract_text(visitor_text=visit)
    lines = [" ".join(line.split()) for line in text.split("\n") if not _CONTENTS.search(line)]
    rows = _rows(placed)
    edges = [*rows[0], *rows[-1]] if rows else []
    beside = any(len(row) > 1 for row in rows)
    return _Page([_Line(line, _size(line, sizes), number) for line in lines if line], edges, beside)


def _rows(placed: list[tuple[float, str]]) -> list[list[str]]:
    """What stands side by side on a page, from the bottom up."""
    rows: list[list[str]] = []
    last = -math.inf
    for height, words in sorted(placed):
        if height - last > _ONE_ROW:
            rows.append([])
        rows[-1].append(words)
        last = height
    return rows


def _size(line: str, by_words: dict[str, float]) -> float:
    """The size of the type of a line: that of the longest piece it was put together from."""
    if line in by_words:
        return by_words[line]
    pieces = [words for words in by_words if words in line]
    return by_words[max(pieces, key=len)] if pieces else 0.0


def _without_running_heads(pages: list[_Page]) -> None:
    """Take out page numbers, and what stands first or last on most pages."""
    edges = Counter(key for page in pages for key in {_numberless(text) for text in _edges(page)})
    often = {key for key, count in edges.items() if count >= 3 and count > len(pages) / 2}
    for page in pages:
        for text in _edges(page):
            if _numberless(text) in often or _PAGE_NUMBER.fullmatch(text):
                _take_out(page, text)


def _edges(page: _Page) -> list[str]:
    """What stands first or last on a page, by place and in the order of writing."""
    return list(dict.fromkeys([*page.edges, *(line.text for line in (*page.lines[:1], *page.lines[-1:]))]))


def _numberless(text: str) -> str:
    return re.sub(r"\d+", "#", squashed(text))


def _take_out(page: _Page, text: str) -> None:
    """Take the line with this text off a page, of several the smallest: a heading may say the same."""
    same = [line for line in page.lines if squashed(line.text) == squashed(text)]
    if not same:
        return
    page.lines.remove(min(same, key=lambda line: line.size))
    outer = (0, len(page.looks) - 1)
    kept = (line.replace(text, " " * len(text)) if n in outer else line for n, line in enumerate(page.looks))
    page.looks = [line for line in kept if line.strip()]


def _with_tables(page: _Page) -> list[_Line]:
    """The lines of a page, those of each table as one, and each item of a list with its mark."""
    lines = _with_marks(page)
    for rows in tables(page.looks):
        found = _stretch(lines, squashed("".join(cell for row in rows for cell in row)))
        if found is not None:
            start, end = found
            lines[start:end] = [_Line(table(rows), 0.0, lines[start].page, is_table=True)]
    return lines


def _stretch(lines: list[_Line], text: str) -> tuple[int, int] | None:
    """The lines from start to end that hold the characters of a table, in whatever order."""
    wanted = Counter(text)
    for start, first in enumerate(lines):
        if squashed(first.text)[:1] not in wanted:
            continue
        end, length = start, 0
        while end < len(lines) and length < len(text) * _SAME:
            length += len(squashed(lines[end].text))
            end += 1
        held = Counter(squashed("".join(line.text for line in lines[start:end])))
        if (held & wanted).total() >= _SAME * max(held.total(), len(text)):
            return start, end
    return None


def _with_marks(page: _Page) -> list[_Line]:
    """The lines of a page; marks of a list that stand apart are put before the words beside them."""
    items: dict[str, str] = {}
    for look in page.looks:
        cells = cells_of(look)
        if len(cells) > 1 and LABEL.fullmatch(cells[0].text):
            items[squashed(look)] = _mark(cells[0].text)
    lines: list[_Line] = []
    for line in page.lines:
        before = lines[-1].text if lines else ""
        if LABEL.fullmatch(before) and (mark := items.get(squashed(before + line.text), "")):
            lines[-1] = _Line(f"{mark} {line.text}", line.size, line.page)
        elif mark := items.get(squashed(line.text), ""):
            words = line.text.split(" ", 1)[-1]
            lines.append(_Line(f"{mark} {words}", line.size, line.page))
        else:
            lines.append(line)
    return lines


def _mark(label: str) -> str:
    return f"{label.strip('().')}." if label[0].isalnum() or label[0] == "(" else "•"


def _markdown(lines: list[_Line]) -> str:
    weights: Counter[float] = Counter()
    for line in lines:
        if not line.is_table:
            weights[line.size] += len(line.text)
    body = max(weights, key=lambda size: weights[size], default=0.0)
    larger = sorted(
        {line.size for line in lines if line.size > body * 1.12 and _may_be_heading(line)}, reverse=True
    )
    blocks: list[str] = []
    open_block = False  # whether the next line of running text continues the last block
    for line in lines:
        if line.is_table:
            blocks.append(line.text)
            open_block = False
        elif line.size in larger and _may_be_heading(line):
            blocks.append(f"{'#' * min(larger.index(line.size) + 1, 4)} {line.text}")
            open_block = False
        elif bullet := _BULLET.match(line.text):
            glue = "\0" if blocks and blocks[-1].lstrip("\0").startswith("- ") else ""
            blocks.append(f"{glue}- {line.text[bullet.end() :]}")
            open_block = True
        elif blocks and _follows(blocks[-1], line.text):
            blocks.append(f"\0{line.text}")
            open_block = True
        elif open_block and not blocks[-1].rstrip().endswith((".", ":", "!", "?")):
            blocks[-1] = _join(blocks[-1], line.text)
        else:
            blocks.append(line.text)
            open_block = True
    return "\n\n".join(blocks).replace("\n\n\0", "\n").replace("\0", "")


def _follows(before: str, text: str) -> bool:
    """Whether a text has the number after that of the block before it, both in a list."""
    one, two = _NUMBER.match(before.lstrip("\0")), _NUMBER.match(text)
    return bool(one and two and int(two[1]) == int(one[1]) + 1)


def _may_be_heading(line: _Line) -> bool:
    return len(line.text) < 120 and any(letter.isalpha() for letter in line.text)


def _join(before: str, after: str) -> str:
    """Two lines of one paragraph; a word divided at the end of the line becomes whole again."""
    if re.search(r"[a-zäöüß]-$", before) and after[:1].islower():
        return before[:-1] + after
    return f"{before} {after}"
