"""Bombs and broken files: each ends in one sentence, within its limits, and the service goes on."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable

import pytest

from knowledge.extract import extract, unpack
from knowledge.extract_text import MAX_FILE, Unreadable, clean
from knowledge.extract_worker import MEMORY, SECONDS
from tests.support.files import docx, paragraph, pdf, xlsx, zipped

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _deflated(size: int) -> bytes:
    """`size` zero bytes, deflated without holding them in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(size // 1_000_000)) + packer.flush()


def _lying_zip(name: str, content: bytes, declared: int) -> bytes:
    """A zip whose one file is `content` (deflated already) and claims to unpack to `declared` bytes."""
    raw = name.encode()
    crc = 0
    head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, crc, len(content), declared, len(raw), 0)
    local = b"PK\x03\x04" + head + raw + content
    central = b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + raw
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def _nested_zip() -> bytes:
    inner = zipped({"a.md": "x" * 1_000_000})
    for _ in range(5):
        inner = zipped({f"{n}.zip": inner for n in range(5)})
    return inner


def _pdf_bomb() -> bytes:
    stream = zlib.compress(zlib.compress(b" " * 100_000_000, 9), 9)
    return (
        (
            b"%%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
            b"2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n"
            b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\nendobj\n"
            b"4 0 obj\n<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n" % len(stream)
        )
        + stream
        + b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
    )


def _pdf_circle() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] /Parent 2 0 R >>\nendobj\n"
        b"trailer\n<< /Root 1 0 R >>\n%%EOF\n"
    )


def _laughs() -> str:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE w [<!ENTITY l0 "ha">{entities}]><w:document {_W}><w:p>&l9;</w:p></w:document>'


def _noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a word file of 500 MB": (
        "a.docx",
        lambda: _lying_zip("word/document.xml", _deflated(500_000_000), 500_000_000),
    ),
    "a word file that tells its size": ("a.docx", lambda: _lying_zip("word/document.xml", b"", 2**31)),
    "a billion laughs": ("a.docx", lambda: zipped({"word/document.xml": _laughs()})),
    "laughs in utf-16": ("a.docx", lambda: zipped({"word/document.xml": _laughs().encode("utf-16")})),
    "deep xml": ("a.docx", lambda: docx("<w:sdt>" * 200_000 + "</w:sdt>" * 200_000)),
    "shared strings without end": (
        "a.xlsx",
        lambda: _lying_zip("xl/workbook.xml", _deflated(300_000_000), 300_000_000),
    ),
    "a cell far away": ("a.xlsx", lambda: xlsx({"A": '<row><c r="XFD1"><v>1</v></c></row>' * 30_000})),
    "a string that is not there": ("a.xlsx", lambda: xlsx({"A": '<row><c r="A1" t="s"><v>9</v></c></row>'})),
    "a pdf bomb": ("a.pdf", _pdf_bomb),
    "pages in a circle": ("a.pdf", _pdf_circle),
    "half a pdf": ("a.pdf", lambda: pdf([[("Hello there", 12)]])[:300]),
    "noise as a pdf": ("a.pdf", lambda: b"%PDF-1.7\n" + _noise(1, 200_000)),
    "noise as a word file": ("a.docx", lambda: b"PK\x03\x04word/document.xml" + _noise(2, 100_000)),
    "half a word file": ("a.docx", lambda: docx(paragraph("x" * 5_000))[:-200]),
    "a page of two million tags": ("a.html", lambda: b"<html>" + b"<div>" * 2_000_000),
    "a page nested deeply": ("a.html", lambda: b"<html>" + b"<div>" * 20_000 + b"hello"),
    "a page of attributes": ("a.html", lambda: b"<html><p " + b"a=b " * 5_000_000 + b">"),
    "noise as a page": ("a.html", lambda: _noise(3, 500_000)),
    "quotes without end": ("a.csv", lambda: b'"' + b"x," * 5_000_000),
    "a text of one word": ("a.md", lambda: b"[" * 10_000_000),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_costs_a_sentence(name: str) -> None:
    file, make = BOMBS[name]
    data = make()
    with pytest.raises(Unreadable) as refusal:
        await extract(data, file)
    assert 5 < len(str(refusal.value)) < 120


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: _lying_zip("a.md", _deflated(300_000_000), 300_000_000), "unpacks to more than 200 MB"),
        (lambda: zipped({f"{n}.md": "x" for n in range(2_500)}), "holds more than 2,000 files"),
        (lambda: zipped({"a.md": "hello"})[:-30], "is a broken archive"),
        (lambda: b"PK\x03\x04" + _noise(4, 50_000), "is a broken archive"),
    ],
)
async def test_an_archive_that_can_not_be_unpacked_says_why(data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        await unpack(data())


async def test_a_file_in_an_archive_is_cut_off_or_found_to_lie() -> None:
    ((_, content),) = await unpack(_lying_zip("a.md", _deflated(100_000_000), 100_000_000))
    assert len(content) == MAX_FILE + 1
    with pytest.raises(Unreadable, match="is larger than 25 MB"):
        await extract(content, "a.md")
    with pytest.raises(Unreadable, match="is a broken archive"):
        await unpack(_lying_zip("a.md", _deflated(100_000_000), 10))


async def test_archives_in_an_archive_stay_closed() -> None:
    for name, content in await unpack(_nested_zip()):
        with pytest.raises(Unreadable, match="archive inside an archive"):
            await extract(content, name)


async def test_a_locked_archive_is_named() -> None:
    data = bytearray(zipped({"a.md": "hello"}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        data[data.index(mark) + (6 if mark == b"PK\x03\x04" else 8)] |= 1  # the flag "encrypted"
    with pytest.raises(Unreadable, match="locked with a password"):
        await unpack(bytes(data))


async def test_paths_in_an_archive_reach_nothing_outside() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../etc/evil.md", "# Hello\n")
    assert await unpack(buffer.getvalue()) == [("../../etc/evil.md", b"# Hello\n")], "a name, never a path"


_ALONE = """
import asyncio, resource, sys
from knowledge.extract import extract, unpack
from knowledge.extract_text import Unreadable
async def main():
    data = sys.stdin.buffer.read()
    try:
        await (unpack(data) if sys.argv[1] == "a.zip" else extract(data, sys.argv[1]))
    except Unreadable:
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
asyncio.run(main())
"""
"""Opens one file and says how large its largest child process became, in KiB."""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", _pdf_bomb),
        ("a.zip", lambda: _lying_zip("a.md", _deflated(300_000_000), 300_000_000)),
        ("a.docx", lambda: _lying_zip("word/document.xml", _deflated(300_000_000), 1_000)),
    ],
)
def test_a_process_that_opens_a_bomb_keeps_its_limits(name: str, data: Callable[[], bytes]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, name], input=data(), capture_output=True, timeout=120, check=True
    )
    assert 0 < int(done.stdout) * 1024 <= MEMORY
    assert MEMORY <= 512 * 2**20
    assert SECONDS <= 20


LINES = ["[", "![", "a@", "<!--", "http://", "| ", "ignore ", "**", "\u200b", "you are a "]


@pytest.mark.timeout(30)  # a pattern of quadratic time would need minutes
@pytest.mark.parametrize("piece", LINES)
def test_no_line_takes_quadratic_time(piece: str) -> None:
    text, _ = clean("Text\n" + piece * (150_000 // len(piece)))
    assert text.startswith("Text\n")
