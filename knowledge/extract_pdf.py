"""PDF to Markdown. Lines are put together from the text that pypdf finds; larger type is a heading."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from knowledge.extract_text import MAX_TEXT, Unreadable

MAX_PAGES = 1_500
_FAULTS = (PyPdfError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError)
_BULLET = re.compile(r"^[•◦▪●○■–∙·]\s+")
_PAGE_NUMBER = re.compile(r"(?:page\s+|seite\s+)?\d{1,4}(?:\s*(?:/|of|von)\s*\d{1,4})?", re.I)


@dataclass
class _Line:
    text: str
    size: float
    page: int


def pdf_to_markdown(data: bytes) -> tuple[str, str | None]:
    """The Markdown of a PDF and its title, if it names one. Raises Unreadable."""
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("is locked with a password. Save a copy without one")
        if len(reader.pages) > MAX_PAGES:
            raise Unreadable(f"has more than {MAX_PAGES:,} pages. Split it into its chapters")
        lines = _lines(reader)
        title = reader.metadata.title if reader.metadata else None
    # pypdf raises whatever its parser stumbles over when a file is broken: the process that runs this is
    # thrown away afterwards, and the one thing to say is the same for all of them.
    except _FAULTS as error:
        raise Unreadable("is a broken PDF. Open it, save it anew and add that") from error
    except NotImplementedError as error:
        raise Unreadable("uses a kind of encryption that can't be read. Save a copy without it") from error
    if not lines:
        raise Unreadable("holds pictures of pages and no text. Most scanners can add the text to them")
    return _markdown(lines), str(title).strip()[:200] or None if title else None


def _lines(reader: PdfReader) -> list[_Line]:
    lines: list[_Line] = []
    total = 0
    for number, page in enumerate(reader.pages):
        found = _page_lines(page, number)
        total += sum(len(line.text) for line in found)
        if total > MAX_TEXT:
            raise Unreadable(f"holds more than {MAX_TEXT:,} characters. Split it into its chapters")
        lines += found
    return _without_running_heads(lines)


def _page_lines(page: Any, number: int) -> list[_Line]:
    sizes: Counter[tuple[str, float]] = Counter()

    def visit(text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        scale = (abs(tm[3]) or abs(tm[1]) or 1.0) * (abs(cm[3]) or abs(cm[1]) or 1.0)
        for part in text.split("\n"):
            if words := " ".join(part.split()):
                sizes[(words, round(size * scale, 1))] += 1

    text = page.extract_text(visitor_text=visit)
    by_words: dict[str, float] = {}
    for words, size in sizes:
        by_words[words] = max(size, by_words.get(words, 0.0))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return [_Line(line, _size(line, by_words), number) for line in lines if line]


def _size(line: str, by_words: dict[str, float]) -> float:
    """The size of the type of a line: that of the longest piece it was put together from."""
    if line in by_words:
        return by_words[line]
    pieces = [words for words in by_words if words in line]
    return by_words[max(pieces, key=len)] if pieces else 0.0


def _without_running_heads(lines: list[_Line]) -> list[_Line]:
    """Leaves out page numbers, and lines that stand first or last on most pages."""
    pages: dict[int, list[_Line]] = {}
    for line in lines:
        pages.setdefault(line.page, []).append(line)
    edges = Counter(
        re.sub(r"\d+", "#", line.text)
        for found in pages.values()
        for line in {id(x): x for x in (found[0], found[-1])}.values()
    )
    often = {text for text, count in edges.items() if count >= 3 and count > len(pages) / 2}
    kept = []
    for found in pages.values():
        for place, line in enumerate(found):
            edge = place in (0, len(found) - 1)
            if edge and (re.sub(r"\d+", "#", line.text) in often or _PAGE_NUMBER.fullmatch(line.text)):
                continue
            kept.append(line)
    return kept


def _markdown(lines: list[_Line]) -> str:
    weights: Counter[float] = Counter()
    for line in lines:
        weights[line.size] += len(line.text)
    body = weights.most_common(1)[0][0]
    larger = sorted(
        {line.size for line in lines if line.size > body * 1.12 and len(line.text) < 120}, reverse=True
    )
    blocks: list[str] = []
    open_block = False  # whether the next line of running text continues the last block
    for line in lines:
        if line.size in larger and len(line.text) < 120:
            blocks.append(f"{'#' * min(larger.index(line.size) + 1, 4)} {line.text}")
            open_block = False
        elif bullet := _BULLET.match(line.text):
            glue = "\0" if blocks and blocks[-1].lstrip("\0").startswith("- ") else ""
            blocks.append(f"{glue}- {line.text[bullet.end() :]}")
            open_block = True
        elif open_block and not blocks[-1].rstrip().endswith((".", ":", "!", "?")):
            blocks[-1] = _join(blocks[-1], line.text)
        else:
            blocks.append(line.text)
            open_block = True
    return "\n\n".join(blocks).replace("\n\n\0", "\n").replace("\0", "")


def _join(before: str, after: str) -> str:
    """Two lines of one paragraph; a word divided at the end of the line becomes whole again."""
    if re.search(r"[a-zäöüß]-$", before) and after[:1].islower():
        return before[:-1] + after
    return f"{before} {after}"
