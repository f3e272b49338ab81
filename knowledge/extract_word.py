"""Word files to Markdown."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from knowledge.extract_office import BROKEN, FAULTS, opened, part
from knowledge.extract_text import Finding, Unreadable, heads, table

_MAX_COLUMNS = 200
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


def docx_to_markdown(data: bytes) -> tuple[str, list[Finding]]:
    """The Markdown of a Word document, and a finding for text formatted as hidden. Raises Unreadable."""
    try:
        archive = opened(data)
        root = part(archive, "word/document.xml")
        if root is None:
            raise Unreadable(BROKEN)
        body = root.find(f"{_W}body")
        word = _Word(_headings(archive), _ordered_lists(archive), _list_styles(archive), _notes(archive))
        text = word.blocks(body if body is not None else root)
    except FAULTS as error:
        raise Unreadable(BROKEN) from error
    return text, [Finding("hidden", 0, words[:80]) for words in word.hidden[:20]]


def _headings(archive: zipfile.ZipFile) -> dict[str, int]:
    """Heading level by style id: named "heading n" or "Title", or with an outline level."""
    styles = part(archive, "word/styles.xml")
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
    numbering = part(archive, "word/numbering.xml")
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
    styles = part(archive, "word/styles.xml")
    found = {
        style.get(f"{_W}styleId", ""): _value(style.find(f"{_W}pPr/{_W}numPr/{_W}numId"))
        for style in (styles.iter(f"{_W}style") if styles is not None else ())
    }
    return {style: number for style, number in found.items() if number}


def _notes(archive: zipfile.ZipFile) -> dict[tuple[str, str], ElementTree.Element]:
    """The footnotes and endnotes of a document by the name of what refers to them, and their id."""
    found = {}
    for kind in ("footnote", "endnote"):
        notes = part(archive, f"word/{kind}s.xml")
        for note in notes.iter(f"{_W}{kind}") if notes is not None else ():
            found[f"{_W}{kind}Reference", note.get(f"{_W}id", "")] = note
    return found


def _boxes(paragraph: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The text boxes that stand by a paragraph. A box is written down twice, for newer and for older
    programs; the first one counts."""
    for element in paragraph:
        if element.tag == f"{_W}txbxContent":
            yield element
        elif element.tag == f"{_MC}AlternateContent":
            yield from _boxes(element[0]) if len(element) else ()
        else:
            yield from _boxes(element)


def _value(element: ElementTree.Element | None) -> str | None:
    return None if element is None else element.get(f"{_W}val")


class _Word:
    def __init__(
        self,
        headings: dict[str, int],
        ordered: set[str],
        styles: dict[str, str],
        notes: dict[tuple[str, str], ElementTree.Element],
    ) -> None:
        self.headings, self.ordered, self.styles, self.notes = headings, ordered, styles, notes
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
            if element.tag == f"{_W}p":
                boxes = [self.blocks(box) for box in _boxes(element)]
                parts += [f"\n\n{box}" for box in boxes if box]
                listed = listed and not any(boxes)
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
            elif child.tag not in (f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_MC}AlternateContent"):
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
            elif (note := self.notes.pop((child.tag, child.get(f"{_W}id", "")), None)) is not None:
                yield f" ({self.note(note)})"

    def note(self, note: ElementTree.Element) -> str:
        """The words of a footnote. They stay with their sentence: often they are its exception."""
        return "note: " + " ".join(self.paragraph(p) for p in note.iter(f"{_W}p")).strip()

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
            cells += [""] * (min(int(width), _MAX_COLUMNS) - 1 if width.isdigit() else 0)
        return cells
