"""How a page of a PDF looks: its lines from the top down with the gaps between columns, and the tables in it.

A PDF knows no tables, only words at places. Where lines that follow each other leave the same gaps open, they
are rows; a row that goes on in a second line is put together again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_GAP = 3  # spaces between columns; lines of even length have two between words
_CELL = re.compile(r"\S+(?: {1,2}\S+)*")
LABEL = re.compile(r"[^\w\s]{1,2}|\(?(?:\d{1,3}|[a-zA-Z])[.)]?")
"""The mark or number that begins an item of a list."""
_PROSE = 25  # characters; cells that are mostly longer are columns of running text
_SHORTEST = 2  # rows, the names of the columns among them
_FULL = 0.6  # share of the places of a table that hold something


@dataclass(frozen=True)
class Cell:
    """Words on a line, and the characters between which they stand."""

    start: int
    end: int
    text: str


def cells_of(line: str) -> list[Cell]:
    """The parts of a line that stand apart from each other."""
    return [Cell(found.start(), found.end(), found[0]) for found in _CELL.finditer(line)]


def squashed(text: str) -> str:
    """A text without its spaces, which two ways of reading a page set differently."""
    return "".join(text.split())


def tables(lines: Sequence[str]) -> Iterator[list[list[str]]]:
    """The tables among the lines of a page, each as rows of cells. Columns of prose and lists are none."""
    place = 0
    while place < len(lines):
        block = _block(lines[place:])
        place += max(1, len(block))
        rows = _rows(block)
        if _is_table(rows) and not _is_list(rows) and not _is_prose(block):
            yield rows


def _block(lines: Sequence[str]) -> list[list[Cell]]:
    """The lines from the first one on that keep at least two columns apart."""
    block: list[list[Cell]] = []
    columns: list[tuple[int, int]] = []
    for line in lines:
        cells = cells_of(line)
        wider = _columns([*columns, *((cell.start, cell.end) for cell in cells)])
        if columns and len(wider) < len(columns):
            break
        if len(cells) < 2 and not (block and _goes_on(cells, wider, block[-1])):
            break
        block.append(cells)
        columns = wider
    return block


def _columns(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of characters, those put together between which there is no gap."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1] + _GAP:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _goes_on(cells: Sequence[Cell], columns: Sequence[tuple[int, int]], above: Sequence[Cell]) -> bool:
    """Whether the cells of a line are the rest of the row above: they leave its first column free, or begin
    in small letters with another column free."""
    if not cells or len(cells) >= len(columns):
        return False
    return cells[0].start >= columns[0][1] or (len(above) > 1 and cells[0].text[0].islower())


def _rows(block: Sequence[Sequence[Cell]]) -> list[list[str]]:
    columns = _columns([(cell.start, cell.end) for cells in block for cell in cells])
    rows: list[list[str]] = []
    above: Sequence[Cell] = ()
    for cells in block:
        row = [" ".join(cell.text for cell in cells if start <= cell.start < end) for start, end in columns]
        if rows and _goes_on(cells, columns, above):
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
        above = cells
    return rows


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the columns have names (the first may do without), and the rows are well filled."""
    cells = [cell for row in rows for cell in row]
    named = all(rows[0][1:]) if rows else False
    return len(rows) >= _SHORTEST and named and len(list(filter(None, cells))) >= _FULL * len(cells)


def _is_list(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first column holds nothing but marks and numbers, and there is one more."""
    return len(rows[0]) == 2 and all(not row[0] or LABEL.fullmatch(row[0]) for row in rows)


def _is_prose(block: Sequence[Sequence[Cell]]) -> bool:
    """Whether these are columns of running text: most of what stands in each is as long as a line."""
    firsts = [cells[0] for cells in block]
    lasts = [cells[-1] for cells in block if len(cells) > 1]
    return all(sum(len(cell.text) > _PROSE for cell in some) > len(some) / 2 for some in (firsts, lasts))
