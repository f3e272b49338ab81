"""Word and Excel files (Office Open XML, ECMA-376) to Markdown, read as the zipped XML that they are."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from xml.etree import ElementTree

from knowledge.extract_text import Finding, Unreadable, heads, table

MAX_PART = 60_000_000  # bytes of one unpacked XML part
MAX_ROWS = 20_000
MAX_COLUMNS = 200
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, ElementTree.ParseError),
    *(NotImplementedError, RuntimeError, EOFError, OSError),
)
_BROKEN = "is a broken Office file. Open it, save it anew and add that"


def _part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element | None:
    """One XML part, or None if the file has none of that name. A document type is refused: it is how XML
    bombs are made, and no Office program writes one."""
    try:
        with archive.open(name) as stream:
            data = stream.read(MAX_PART + 1)
    except KeyError:
        return None
    if len(data) > MAX_PART:
        raise Unreadable("unpacks to far more than a document holds")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or "<!DOCTYPE".encode("utf-16-le") in data:
        raise Unreadable(_BROKEN)
    return ElementTree.fromstring(data)  # noqa: S314 - no document type, and in a process with limits


def _opened(data: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(data))
    if (
        sum(entry.file_size for entry in archive.infolist()) > 20 * MAX_PART
        or len(archive.infolist()) > 5_000
    ):
        raise Unreadable("unpacks to far more than a document holds")
    return archive


# ── Word ────────────────────────────────────────────────────────────────────────────────────────────────


def docx_to_markdown(data: bytes) -> tuple[str, list[Finding]]:
    """The Markdown of a Word document, and a finding for text formatted as hidden. Raises Unreadable."""
    try:
        archive = _opened(data)
        root = _part(archive, "word/document.xml")
        if root is None:
            raise Unreadable(_BROKEN)
        body = root.find(f"{_W}body")
        word = _Word(_headings(archive), _ordered_lists(archive), _list_styles(archive))
        text = word.blocks(body if body is not None else root)
    except _FAULTS as error:
        raise Unreadable(_BROKEN) from error
    return text, [Finding("hidden", 0, words[:80]) for words in word.hidden[:20]]


def _headings(archive: zipfile.ZipFile) -> dict[str, int]:
    """Heading level by style id: named "heading n" or "Title", or with an outline level."""
    styles = _part(archive, "word/styles.xml")
    levels: dict[str, int] = {}
    for style in styles.iter(f"{_W}style") if styles is not None else ():
        name = (_value(style.find(f"{_W}name")) or "").lower()
        outline = _value(style.find(f"{_W}pPr/{_W}outlineLvl"))
        key = style.get(f"{_W}styleId", "")
        if hit := re.fullmatch(r"heading (\d)", name):
            levels[key] = min(int(hit[1]), 6)
        elif name == "title":
            levels[key] = 1
        elif outline and outline.isdigit() and int(outline) < 6:
            levels[key] = int(outline) + 1
    return levels


def _ordered_lists(archive: zipfile.ZipFile) -> set[str]:
    """The numbering ids whose first level counts instead of showing bullets."""
    numbering = _part(archive, "word/numbering.xml")
    if numbering is None:
        return set()
    counting = {
        abstract.get(f"{_W}abstractNumId")
        for abstract in numbering.iter(f"{_W}abstractNum")
        if (_value(abstract.find(f"{_W}lvl/{_W}numFmt")) or "bullet") not in ("bullet", "none")
    }
    return {
        num.get(f"{_W}numId", "")
        for num in numbering.iter(f"{_W}num")
        if _value(num.find(f"{_W}abstractNumId")) in counting
    }


def _list_styles(archive: zipfile.ZipFile) -> dict[str, str]:
    """The numbering id of each style of paragraph that is an item of a list by itself."""
    styles = _part(archive, "word/styles.xml")
    found = {
        style.get(f"{_W}styleId", ""): _value(style.find(f"{_W}pPr/{_W}numPr/{_W}numId"))
        for style in (styles.iter(f"{_W}style") if styles is not None else ())
    }
    return {style: number for style, number in found.items() if number}


def _value(element: ElementTree.Element | None) -> str | None:
    return None if element is None else element.get(f"{_W}val")


class _Word:
    def __init__(self, headings: dict[str, int], ordered: set[str], styles: dict[str, str]) -> None:
        self.headings, self.ordered, self.styles = headings, ordered, styles
        self.counted: dict[tuple[str, int], int] = {}  # how many items a list has so far, by its id and level
        self.hidden: list[str] = []
        self.level = 0
        """Of the heading that was met last; 0 before anything else."""

    def blocks(self, parent: ElementTree.Element) -> str:
        parts: list[str] = []
        listed = False
        for element in self.content(parent):
            text, is_item = self.block(element)
            if text:
                parts.append(("\n" if listed and is_item else "\n\n") + text)
                listed = is_item
        return "".join(parts).strip("\n")

    def content(self, parent: ElementTree.Element) -> Iterator[ElementTree.Element]:
        """Paragraphs and tables in order, looking through content controls and accepted insertions."""
        for element in parent:
            if element.tag in (f"{_W}p", f"{_W}tbl"):
                yield element
            elif element.tag not in (f"{_W}del", f"{_W}moveFrom", f"{_W}sectPr"):
                yield from self.content(element)

    def block(self, element: ElementTree.Element) -> tuple[str, bool]:
        if element.tag == f"{_W}tbl":
            return self.table(element), False
        text = self.paragraph(element)
        style = _value(element.find(f"{_W}pPr/{_W}pStyle")) or ""
        number = element.find(f"{_W}pPr/{_W}numPr")
        if not text:
            return "", False
        if style in self.headings:
            self.level = self.headings[style]
            return f"{'#' * self.level} {text}", False
        if number is not None or style.lower().startswith("list"):
            return self.item(text, style, number), True
        before, self.level = self.level, self.level or 1
        if heads(text) and self.is_bold(element):
            return f"{'#' * min(before + 1, 6)} {text}", False
        return text, False

    def is_bold(self, paragraph: ElementTree.Element) -> bool:
        """Whether all that is to be read of a paragraph is bold by its own formatting, not by its style."""
        marks = [
            run.find(f"{_W}rPr/{_W}b")
            for run in paragraph.iter(f"{_W}r")
            if "".join(self.run(run)).strip() and not self.vanished(run)
        ]
        return all(bold is not None and _value(bold) not in ("0", "false") for bold in marks)

    def item(self, text: str, style: str, number: ElementTree.Element | None) -> str:
        """An item of a list, whose level and kind stand with it or with its style ("List Bullet 2")."""
        level = _value(number.find(f"{_W}ilvl")) if number is not None else None
        depth = int(level) if level and level.isdigit() else 0
        if number is None and style[-1:] in tuple("2345"):
            depth = int(style[-1]) - 1
        key = _value(number.find(f"{_W}numId")) if number is not None else self.styles.get(style)
        mark = self.counter(key, depth) if key in self.ordered else "-"
        return f"{'  ' * min(depth, 8)}{mark} {text}"

    def counter(self, key: str | None, depth: int) -> str:
        self.counted = {each: n for each, n in self.counted.items() if each[0] != key or each[1] <= depth}
        place = (key or "", depth)
        self.counted[place] = self.counted.get(place, 0) + 1
        return f"{self.counted[place]}."

    def paragraph(self, element: ElementTree.Element) -> str:
        return " ".join("".join(self.runs(element)).split())

    def runs(self, element: ElementTree.Element) -> Iterator[str]:
        for child in element:
            if child.tag == f"{_W}r":
                text = "".join(self.run(child))
                if self.vanished(child):
                    self.hidden.extend([text] if text.strip() else [])
                else:
                    yield text
            elif child.tag not in (f"{_W}del", f"{_W}moveFrom", f"{_W}pPr"):
                yield from self.runs(child)

    def vanished(self, run: ElementTree.Element) -> bool:
        vanish = run.find(f"{_W}rPr/{_W}vanish")
        return vanish is not None and _value(vanish) not in ("0", "false")

    def run(self, run: ElementTree.Element) -> Iterator[str]:
        for child in run:
            if child.tag == f"{_W}t":
                yield child.text or ""
            elif child.tag in (f"{_W}tab", f"{_W}br", f"{_W}cr"):
                yield " "
            elif child.tag == f"{_W}noBreakHyphen":
                yield "-"

    def table(self, element: ElementTree.Element) -> str:
        rows: list[list[str]] = []
        for row in element.iter(f"{_W}tr"):
            rows.append(self.row(row, rows[-1] if rows else []))
        if all(len(row) == 1 for row in rows):  # a frame around text
            return "\n\n".join(row[0] for row in rows if row[0])
        return table(rows)

    def row(self, row: ElementTree.Element, above: list[str]) -> list[str]:
        """The cells of a row: one that spans columns leaves the others empty, one that spans rows is told in
        each of them."""
        cells: list[str] = []
        for cell in row.findall(f"{_W}tc"):
            merged = cell.find(f"{_W}tcPr/{_W}vMerge")
            goes_on = merged is not None and _value(merged) != "restart" and len(cells) < len(above)
            text = " ".join(self.paragraph(p) for p in cell.iter(f"{_W}p"))
            width = _value(cell.find(f"{_W}tcPr/{_W}gridSpan")) or "1"
            cells.append(above[len(cells)] if goes_on else text)
            cells += [""] * (min(int(width), MAX_COLUMNS) - 1 if width.isdigit() else 0)
        return cells


# ── Excel ───────────────────────────────────────────────────────────────────────────────────────────────


def xlsx_to_markdown(data: bytes) -> tuple[str, list[Finding]]:
    """Each visible sheet as a section with one table, as its cells show. Raises Unreadable."""
    try:
        archive = _opened(data)
        book = _part(archive, "xl/workbook.xml")
        if book is None:
            raise Unreadable(_BROKEN)
        cells = _Cells(archive)
        sections, hidden = [], []
        for sheet in book.iter(f"{_S}sheet"):
            name = sheet.get("name", "Sheet")
            if sheet.get("state", "visible") != "visible":
                hidden.append(Finding("hidden", 0, f"sheet {name}"[:80]))
            elif rows := cells.rows(_sheet_path(archive, sheet.get(f"{_R}id", ""))):
                sections.append(f"## {name}\n\n{_sheet(rows)}")
    except (*_FAULTS, ValueError, IndexError) as error:
        raise Unreadable(_BROKEN) from error
    return "\n\n".join(sections), hidden


def _sheet_path(archive: zipfile.ZipFile, relation: str) -> str:
    relations = _part(archive, "xl/_rels/workbook.xml.rels")
    for item in relations if relations is not None else ():
        if item.get("Id") == relation:
            target = item.get("Target", "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise Unreadable(_BROKEN)


class _Cells:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        shared = _part(archive, "xl/sharedStrings.xml")
        self.strings = [
            "".join(text.text or "" for text in item.iter(f"{_S}t"))
            for item in (shared.findall(f"{_S}si") if shared is not None else ())
        ]
        self.formats = self._formats()

    def _formats(self) -> list[str]:
        """The kind of each cell style: "date", "percent" or ""."""
        styles = _part(self.archive, "xl/styles.xml")
        if styles is None:
            return []
        own = {item.get("numFmtId"): item.get("formatCode", "") for item in styles.iter(f"{_S}numFmt")}
        return [
            _kind(item.get("numFmtId", "0"), own.get(item.get("numFmtId"), ""))
            for item in styles.findall(f"{_S}cellXfs/{_S}xf")
        ]

    def rows(self, path: str) -> list[list[str]]:
        sheet = _part(self.archive, path)
        """The rows of a sheet, an empty one where the sheet has a gap."""
        rows: list[list[str]] = []
        last = 0
        for row in sheet.iter(f"{_S}row") if sheet is not None else ():
            if len(rows) > MAX_ROWS:
                raise Unreadable(f"has more than {MAX_ROWS:,} rows; that is data, not a policy")
            number = int(row.get("r") or last + 1)
            rows += [[]] if number > last + 1 else []
            last = number
            if row.get("hidden") not in ("1", "true"):
                rows.append(self.row(row))
        return _trimmed(rows)

    def row(self, row: ElementTree.Element) -> list[str]:
        cells: list[str] = []
        for cell in row.findall(f"{_S}c"):
            column = _column(cell.get("r", ""), len(cells))
            if column < MAX_COLUMNS:
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
