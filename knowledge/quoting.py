"""Which words of a passage are quoted, and how a quote looks to people: the words, without their markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.messages import plain

MAX_QUOTE = 420  # characters of a quote that is put together from several sentences
_WINDOW = 3  # how many decisive sentences a quote may reach for
_RULE = re.compile(r"^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$")
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|^#+\s+")


def stretch(passage: str, decisive: Sequence[str]) -> str | None:
    """A verbatim slice of `passage` around its most decisive sentence, reaching for the next ones where they
    stand near. None if the sentence does not stand there."""
    places = [(passage.find(sentence), len(sentence)) for sentence in decisive[:_WINDOW] if sentence.strip()]
    if not places or places[0][0] < 0:
        return None
    start, end = places[0][0], places[0][0] + places[0][1]
    for place, length in places[1:]:
        if place >= 0 and max(end, place + length) - min(start, place) <= MAX_QUOTE:
            start, end = min(start, place), max(end, place + length)
    return passage[start:end].strip()


def quote_lines(quote: str, header: Sequence[str] = ()) -> str:
    """A quote as lines of light Markdown that can't become anything else.

    A row of a table is told cell by cell, each with its column's name where `header` gives it.
    """
    shown = []
    for line in quote.split("\n"):
        if line.strip() and not (_RULE.match(line) and "-" in line) and _cells(line) != list(header):
            shown.append(f"> {plain(_MARKS.sub('', _told(line.strip(), header)))}")
    return "\n".join(shown)


def _told(line: str, header: Sequence[str]) -> str:
    cells = _cells(line)
    if cells is None:
        return line
    if len(cells) == len(header):
        return "; ".join(
            f"{name}: {cell}" if name else cell for name, cell in zip(header, cells, strict=True) if cell
        )
    return "; ".join(cell for cell in cells if cell)


def _cells(line: str) -> list[str] | None:
    """The cells of a table's row, None for any other line."""
    line = line.strip()
    if not (line.startswith("|") and line.endswith("|") and len(line) > 2):
        return None
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line[1:-1])]


def header_of(passage: str, quote: str, path: Sequence[str]) -> list[str]:
    """The names of the columns for the rows in `quote`: from the table's first row in the passage, else from
    the passage's path, which ends with it where the passage begins inside a table."""
    lines = passage[: passage.find(quote) + len(quote)].split("\n")
    for number in range(len(lines) - 1, 0, -1):
        if _RULE.match(lines[number]) and (cells := _cells(lines[number - 1])):
            return cells
    if path and " | " in path[-1]:
        return [cell.strip() for cell in path[-1].strip("| ").split(" | ")]
    return []


def section_name(title: str, path: Sequence[str]) -> str:
    """Where a passage stands, without the document's own title and without a table's columns."""
    names = [name for name in path if " | " not in name]
    if names and names[0].casefold() == title.casefold():
        names = names[1:]
    return " › ".join(names)
