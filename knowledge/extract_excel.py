"""Excel files to Markdown, as their cells show."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from xml.etree import ElementTree

from knowledge.extract_office import BROKEN, FAULTS, opened, part
from knowledge.extract_text import Finding, Unreadable, table

_MAX_ROWS = 20_000
_MAX_COLUMNS = 200
_RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})")
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def xlsx_to_markdown(data: bytes) -> tuple[str, list[Finding]]:
    """Each visible sheet as a section with one table, as its cells show. Raises Unreadable."""
    try:
        archive = opened(data)
        book = part(archive, "xl/workbook.xml")
        if book is None:
            raise Unreadable(BROKEN)
        cells = _Cells(archive)
        sections, hidden = [], []
        for sheet in book.iter(f"{_S}sheet"):
            name = sheet.get("name", "Sheet")
            if sheet.get("state", "visible") != "visible":
                hidden.append(Finding("hidden", 0, f"sheet {name}"[:80]))
            elif rows := cells.rows(_sheet_path(archive, sheet.get(f"{_R}id", ""))):
                sections.append(f"## {name}\n\n{_sheet(rows)}")
    except (*FAULTS, ValueError, IndexError) as error:
        raise Unreadable(BROKEN) from error
    return "\n\n".join(sections), hidden


def _sheet_path(archive: zipfile.ZipFile, relation: str) -> str:
    relations = part(archive, "xl/_rels/workbook.xml.rels")
    for item in relations if relations is not None else ():
        if item.get("Id") == relation:
            target = item.get("Target", "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise Unreadable(BROKEN)


class _Cells:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        shared = part(archive, "xl/sharedStrings.xml")
        self.strings = [
            "".join(text.text or "" for text in item.iter(f"{_S}t"))
            for item in (shared.findall(f"{_S}si") if shared is not None else ())
        ]
        self.formats = self._formats()

    def _formats(self) -> list[str]:
        """The kind of each cell style: "date", "percent" or ""."""
        styles = part(self.archive, "xl/styles.xml")
        if styles is None:
            return []
        own = {item.get("numFmtId"): item.get("formatCode", "") for item in styles.iter(f"{_S}numFmt")}
        return [
            _kind(item.get("numFmtId", "0"), own.get(item.get("numFmtId"), ""))
            for item in styles.findall(f"{_S}cellXfs/{_S}xf")
        ]

    def rows(self, path: str) -> list[list[str]]:
        """The rows of a sheet, an empty one where it has a gap. A cell that spans rows is told in each."""
        sheet = part(self.archive, path)
        spans = _spans(sheet)
        above: dict[int, str] = {}  # column -> what spans rows there
        rows: list[list[str]] = []
        last = 0
        for row in sheet.iter(f"{_S}row") if sheet is not None else ():
            if len(rows) > _MAX_ROWS:
                raise Unreadable(f"has more than {_MAX_ROWS:,} rows; that is data, not a policy")
            number = int(row.get("r") or last + 1)
            rows += [[]] if number > last + 1 else []
            last = number
            cells = self.row(row)
            for column, first in spans.get(number, ()):
                cells += [""] * (column + 1 - len(cells))
                above[column] = cells[column] = cells[column] if first else above.get(column, "")
            if row.get("hidden") not in ("1", "true"):
                rows.append(cells)
        return _trimmed(rows)

    def row(self, row: ElementTree.Element) -> list[str]:
        cells: list[str] = []
        for cell in row.findall(f"{_S}c"):
            column = _column(cell.get("r", ""), len(cells))
            if column < _MAX_COLUMNS:
                cells += [""] * (column + 1 - len(cells))
                cells[column] = self.cell(cell)
        return cells

    def cell(self, cell: ElementTree.Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return "".join(text.text or "" for text in cell.iter(f"{_S}t"))
        value = cell.findtext(f"{_S}v") or ""
        if kind == "s":
            return self.strings[int(value)] if value else ""
        if kind == "b":
            return "yes" if value == "1" else "no"
        if kind != "n" or not value:
            return value
        style = int(cell.get("s", "0"))
        return _number(value, self.formats[style] if style < len(self.formats) else "")


def _spans(sheet: ElementTree.Element | None) -> dict[int, list[tuple[int, bool]]]:
    """Row -> the columns in which a cell spans rows there, and whether it begins there."""
    spans: dict[int, list[tuple[int, bool]]] = {}
    for merged in sheet.iter(f"{_S}mergeCell") if sheet is not None else ():
        found = _RANGE.fullmatch(merged.get("ref", ""))
        first, last = (int(found[2]), int(found[3])) if found else (0, 0)
        column = _column(found[1], 0) if found else 0
        if first < last <= first + _MAX_ROWS and column < _MAX_COLUMNS:
            for row in range(first, last + 1):
                spans.setdefault(row, []).append((column, row == first))
    return spans


def _kind(number: str, code: str) -> str:
    plain_code = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", code)
    if number in {str(n) for n in (*range(14, 23), *range(45, 48))} or re.search(r"[ydh]", plain_code, re.I):
        return "date"
    return "percent" if number in ("9", "10") or "%" in plain_code else ""


def _number(value: str, kind: str) -> str:
    number = float(value)
    if kind == "date" and 0 < number < 2_958_466:
        # Day 1 is 1900-01-01, and day 60 the 29th of February 1900 that never was (ECMA-376, 18.17.4.1).
        moment = datetime(1899, 12, 30) + timedelta(days=number)  # noqa: DTZ001 - cells have no zone
        return moment.date().isoformat() if number == int(number) else moment.isoformat(" ", "minutes")
    if kind == "percent":
        return f"{number * 100:.10g}%"
    return f"{number:.15g}"


def _column(reference: str, default: int) -> int:
    letters = re.match(r"[A-Z]{1,3}", reference)
    if not letters:
        return default
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Without columns that are empty in all rows; none where all is empty."""
    used = sorted({place for row in rows for place, cell in enumerate(row) if cell.strip()})
    return [[row[place] if place < len(row) else "" for place in used] for row in rows] if used else []


def _sheet(rows: list[list[str]]) -> str:
    """The tables of a sheet, and the words above and between them.

    A row of one cell above a table is its title or a remark. A gap ends a table only where what follows fills
    other columns: people leave rows free between groups, too.
    """
    parts: list[str] = []
    open_table: list[list[str]] = []
    for block in _blocks(rows):
        titles = [] if len(rows[0]) == 1 else list(takewhile(lambda row: len(_filled(row)) == 1, block))
        rest = block[len(titles) :]
        fits = bool(open_table and rest) and _filled(rest[0]) >= _filled(open_table[0])
        if fits and (not titles or any(character.isdigit() for character in "".join(rest[0]))):
            open_table += block
            continue
        parts += [table(_trimmed(open_table))] if open_table else []
        parts += ["".join(row) for row in titles]
        open_table = rest
    return "\n\n".join([*parts, *([table(_trimmed(open_table))] if open_table else [])])


def _blocks(rows: list[list[str]]) -> list[list[list[str]]]:
    """The rows between empty ones."""
    return [list(block) for full, block in groupby(rows, key=lambda row: bool(_filled(row))) if full]


def _filled(row: list[str]) -> set[int]:
    return {place for place, cell in enumerate(row) if cell.strip()}
