"""Small Word, Excel and PDF files for tests, made from what they should hold."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Collection, Sequence

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def paragraph(text: str, style: str = "", number: int | None = None, level: int = 0) -> str:
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    if number is not None:
        properties += f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def bold(text: str, rest: str = "") -> str:
    """A paragraph of a Word file whose first words are bold."""
    more = f"<w:r><w:t>{rest}</w:t></w:r>" if rest else ""
    return f"<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>{text}</w:t></w:r>{more}</w:p>"


def word_table(rows: Sequence[Sequence[str]]) -> str:
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def docx(body: str, footnotes: str = "") -> bytes:
    """A Word file. List 1 has bullets, list 2 and the style ListNumber count; H1 and H2 are headings."""
    styles = "".join(
        f'<w:style w:styleId="H{level}"><w:name w:val="heading {level}"/></w:style>' for level in (1, 2)
    )
    styles += (
        '<w:style w:styleId="ListNumber"><w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style>'
    )
    numbering = "".join(
        f'<w:abstractNum w:abstractNumId="{n}"><w:lvl w:ilvl="0"><w:numFmt w:val="{kind}"/></w:lvl>'
        "</w:abstractNum>"
        for n, kind in ((1, "bullet"), (2, "decimal"))
    ) + "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>' for n in (1, 2))
    return zipped(
        {
            "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
            "word/styles.xml": f"<w:styles {_W}>{styles}</w:styles>",
            "word/numbering.xml": f"<w:numbering {_W}>{numbering}</w:numbering>",
            "word/footnotes.xml": f"<w:footnotes {_W}>{footnotes}</w:footnotes>",
        }
    )


def xlsx(
    sheets: dict[str, str],
    shared: Sequence[str] = (),
    hidden: Sequence[str] = (),
    merged: Sequence[str] = (),
) -> bytes:
    """An Excel file whose sheets hold the given rows of XML. Style 1 is a date, style 2 a percentage; the
    cells of the ranges `merged` are one in each sheet."""
    names = list(sheets)
    entries = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}" state="{_state(name, hidden)}"/>'
        for n, name in enumerate(names, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="sheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    ranges = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    strings = "".join(f"<si><t>{text}</t></si>" for text in shared)
    parts: dict[str, str | bytes] = {
        "xl/workbook.xml": f"<workbook {_S} {_R}><sheets>{entries}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships>{relations}</Relationships>",
        "xl/sharedStrings.xml": f"<sst {_S}>{strings}</sst>",
        "xl/styles.xml": f'<styleSheet {_S}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
        '<xf numFmtId="10"/></cellXfs></styleSheet>',
    }
    for n, name in enumerate(names, 1):
        rows = f"<sheetData>{sheets[name]}</sheetData><mergeCells>{ranges}</mergeCells>"
        parts[f"xl/worksheets/sheet{n}.xml"] = f"<worksheet {_S}>{rows}</worksheet>"
    return zipped(parts)


def _state(name: str, hidden: Sequence[str]) -> str:
    return "hidden" if name in hidden else "visible"


Placed = tuple[str, int, int, int]
"""Words in a PDF, the size of their type, and how many points from the left and the bottom they stand."""


def pdf(pages: Sequence[Sequence[tuple[str, int]]], title: str = "") -> bytes:
    """A PDF in Helvetica: each page a list of (line, size of the type in points), from the top down."""
    placed = []
    for lines in pages:
        steps = [0, *itertools.accumulate(size + 6 for _, size in lines)]
        placed.append([(text, size, 60, 780 - y) for (text, size), y in zip(lines, steps, strict=False)])
    return pdf_at(placed, title)


def pdf_at(pages: Sequence[Sequence[Placed]], title: str = "", scanned: Collection[int] = ()) -> bytes:
    """A PDF in Helvetica with words at places, in the order of writing. Pages in `scanned` (from 1) show a
    picture."""
    objects = [b"", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"]
    kids = []
    for number, lines in enumerate(pages, 1):
        commands = []
        for text, size, x, y in lines:
            escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            commands.append(f"BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET")
        stream = "\n".join(commands).encode("cp1252")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> %s >> >>"
            % (len(objects), b"/XObject << /Scan 3 0 R >>" if number in scanned else b"")
        )
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(kids),
        b" ".join(b"%d 0 R" % kid for kid in kids),
    )
    objects.append(b"<< /Title (%s) >>" % title.encode("cp1252"))
    return _assembled(objects)


def _assembled(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(out + trailer % (len(objects) + 1, len(objects), start))
