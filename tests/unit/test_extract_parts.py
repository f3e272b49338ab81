"""What stands beside the running text of a file: notes, boxes, merged cells, the frame of a saved page."""

from __future__ import annotations

import pytest

from knowledge.extract import extract
from knowledge.extract_text import Unreadable
from knowledge.frontmatter import Details, split
from tests.support.files import docx, paragraph, xlsx, zipped

_BOXED = "<w:txbxContent><w:p><w:r><w:t>Ask the travel desk.</w:t></w:r></w:p></w:txbxContent>"
BOX = (
    "<w:p><w:r><w:t>Hotels are booked early.</w:t></w:r><w:r><mc:AlternateContent "
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
    f"<mc:Choice><w:drawing>{_BOXED}</w:drawing></mc:Choice>"
    f"<mc:Fallback><w:pict>{_BOXED}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
)


async def test_footnotes_stay_with_their_sentence() -> None:
    body = (
        "<w:p><w:r><w:t>A hotel may cost 140 euros.</w:t></w:r>"
        '<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t> Book early.</w:t></w:r></w:p>'
    )
    note = f'<w:footnote w:id="2">{paragraph("During trade fairs 220 euros.")}</w:footnote>'
    got = await extract(docx(body, note), "hotels.docx")
    assert got.text == "A hotel may cost 140 euros. (note: During trade fairs 220 euros.) Book early.\n"


async def test_notes_that_refer_to_each_other_end() -> None:
    refer = '<w:p><w:r><w:t>{}</w:t></w:r><w:r><w:footnoteReference w:id="{}"/></w:r></w:p>'
    notes = "".join(f'<w:footnote w:id="{n}">{refer.format(n, 3 - n)}</w:footnote>' for n in (1, 2))
    got = await extract(docx(refer.format("Rule.", 1), notes), "a.docx")
    assert got.text == "Rule. (note: 1 (note: 2))\n"


async def test_the_words_of_a_text_box_are_told_once() -> None:
    got = await extract(docx(BOX + paragraph("And late.")), "a.docx")
    assert got.text == "Hotels are booked early.\n\nAsk the travel desk.\n\nAnd late.\n"


async def test_excel_tells_a_cell_that_spans_rows_in_each() -> None:
    def row(number: int, *cells: str) -> str:
        texts = "".join(f'<c r="{cell[0]}{number}" t="str"><v>{cell[1:]}</v></c>' for cell in cells)
        return f'<row r="{number}">{texts}</row>'

    rows = row(1, "ARegion", "BCity", "CHotel") + row(2, "AJapan", "BTokyo", "C190")
    rows += row(3, "BOsaka", "C150") + row(4, "AItaly", "BRome", "C140")
    got = await extract(xlsx({"Limits": rows}, merged=("A2:A3", "B9:C9", "bad")), "limits.xlsx")
    assert "| Japan | Tokyo | 190 |\n| Japan | Osaka | 150 |\n| Italy | Rome | 140 |" in got.text


@pytest.mark.parametrize(
    ("page", "text", "title"),
    [
        (
            "<title>Home Office - HR - Confluence</title><div>Skip to content</div><h1>Home Office</h1>"
            "<ul><li>Created by Anna</li></ul><div class='x wiki-content'><p>Two days a week.</p></div>"
            "<div>Powered by Confluence</div>",
            "# Home Office\n\nTwo days a week.\n",
            "Home Office",
        ),
        (
            "<title>Cars</title><div role='navigation'>Home</div><div>Settings</div>"
            "<div data-automation-id='pageContent'><h2>Company cars</h2><p>Ask the fleet desk.</p></div>",
            "## Company cars\n\nAsk the fleet desk.\n",
            "Cars",
        ),
        (
            "<title>Rules</title><article><p>First.</p></article><article><p>Second.</p></article>",
            "First.\n\nSecond.\n",
            "Rules",
        ),
    ],
)
async def test_of_a_saved_page_its_document_stays(page: str, text: str, title: str) -> None:
    got = await extract(f"<!DOCTYPE html><html><body>{page}</body></html>".encode(), "page.html")
    assert (got.text, got.title) == (text, title)


async def test_a_table_may_name_its_separator_first() -> None:
    got = await extract(b"sep=;\r\nA;B\r\n1;2,5\r\n", "a.csv")
    assert got.text == "| A | B |\n| --- | --- |\n| 1 | 2,5 |\n"


@pytest.mark.parametrize("name", ["deck.pptx", "text.odt", "notes.pages", "mail.msg"])
async def test_documents_of_other_kinds_say_what_to_do(name: str) -> None:
    with pytest.raises(Unreadable, match=r"Save it as .* and add that"):
        await extract(zipped({"content.xml": "<x/>"}), name)


def test_particulars_that_are_broken_are_refused_and_not_lost() -> None:
    with pytest.raises(Unreadable, match="its audience among them"):
        split("---\ntitle: Salaries\naudience: [hr\n---\n# Salaries\n\nSecret.\n")
    prose = "---\nA line with: a [bracket: in\n---\nand more.\n"
    assert split(prose) == (Details(), prose)
