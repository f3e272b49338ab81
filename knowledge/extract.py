"""A file of any kind to one normalised Markdown text. What it is decides its content, not only its name.

Markdown and plain text are read here; everything that needs a parser is opened in a process of its own
with limits (extract_worker.py), so that a bomb or a broken file costs one sentence and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from knowledge.extract_text import MAX_FILE, Finding, Unreadable, clean, plain_text
from knowledge.extract_worker import SECONDS

_MAX_REPLY = 320_000_000  # bytes: an unpacked archive and its frames

TEXT_NAMES = {".md", ".markdown", ".mdx", ".txt", ".text", ".rst", ""}
_BY_NAME = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".xlsx": "xlsx",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
_BY_NAME |= {".csv": "csv", ".tsv": "csv", ".zip": "zip"}
_NAMES = {"pdf": "PDF", "docx": "Word file", "xlsx": "Excel file", "zip": "zip archive"}
_BY_PROGRAMS = re.compile(r"^Microsoft (?:Word|Excel|PowerPoint) - | - Google (?:Docs|Sheets|Slides)$")
_MADE_UP = re.compile(
    r"\S*[_\d]\S*|.*\.(?:docx?|xlsx?|pptx?|pdf|odt|rtf|indd|html?)|(?:untitled|document|scan)(?: ?\d*)", re.I
)
_OTHER = {
    ".pptx": "is a presentation. Save it as a PDF",
    ".ppt": "is a presentation. Save it as a PDF",
    ".key": "is a presentation. Save it as a PDF",
    ".odp": "is a presentation. Save it as a PDF",
    ".odt": "is an OpenDocument text. Save it as .docx or PDF",
    ".ods": "is an OpenDocument table. Save it as .xlsx",
    ".pages": "is a Pages document. Save it as .docx or PDF",
    ".numbers": "is a Numbers table. Save it as .xlsx",
    ".doc": "is an old Office file. Save it as .docx",
    ".xls": "is an old Office file. Save it as .xlsx",
    ".rtf": "is a rich text file. Save it as .docx or as text",
    ".msg": "is an e-mail in a form of its own. Save it as text",
}
"""Documents that can't be read, and what to do with them."""
KNOWN = set(_BY_NAME) | set(_OTHER) | TEXT_NAMES - {""}
"""The endings of names that a folder is searched for."""


@dataclass(frozen=True)
class Extracted:
    """The normalised Markdown of a file, the title it gives itself, and what its owner should look at."""

    text: str
    title: str | None
    findings: tuple[Finding, ...]


async def extract(data: bytes, name: str, trusts: Callable[[str], bool] = lambda host: False) -> Extracted:
    """The text of a file. `trusts(host)` says whose web addresses may stay in it. Raises Unreadable."""
    kind = sniff(data, name)
    if kind == "zip":
        raise Unreadable("is an archive inside an archive. Unpack it first")
    if kind == "text":
        raw, title, findings = _text(data)
    else:
        raw, title, findings = await _in_worker(kind, data)
    text, more = await asyncio.to_thread(clean, raw, trusts)
    return Extracted(text, _title(title, _first_heading(text)), (*findings, *more))


async def unpack(data: bytes) -> list[tuple[str, bytes]]:
    """The files of a zip archive, as (path in it, bytes). A file over the limit has one byte more than it."""
    reply = await _worker_reply("zip", data)
    files: list[tuple[str, bytes]] = []
    place = 0
    while True:
        end = reply.find(b"\n", place)
        if end < 0:
            raise Unreadable("takes more memory or time to unpack than an archive should")
        head = json.loads(reply[place:end])
        if "error" in head:
            raise Unreadable(head["error"])
        if "end" in head:
            return files
        files.append((head["name"], reply[end + 1 : end + 1 + head["size"]]))
        place = end + 1 + head["size"]


def sniff(data: bytes, name: str) -> str:
    """What a file is: "text", "pdf", "docx", "xlsx", "html", "csv" or "zip". Raises Unreadable."""
    if len(data) > MAX_FILE:
        raise Unreadable(f"is larger than {MAX_FILE // 1_000_000} MB. Split it, or leave its pictures out")
    if not data.strip():
        raise Unreadable("is empty")
    ending = PurePosixPath(name.lower()).suffix
    named = _BY_NAME.get(ending)
    found = _by_content(data)
    if ending in _OTHER and found in (None, "zip"):
        raise Unreadable(f"{_OTHER[ending]} and add that")
    if named in _NAMES and found != named:
        raise Unreadable(f"is not a {_NAMES[named]}, although its name says so")
    if found:
        return found
    return named or "text"


def _by_content(data: bytes) -> str | None:
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        # The names stand in the central directory at the end, uncompressed.
        if b"word/document.xml" in data:
            return "docx"
        return "xlsx" if b"xl/workbook.xml" in data else "zip"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("is an old or a locked Office file. Save it as .docx or .xlsx without a password")
    if data.startswith(b"{\\rtf"):
        raise Unreadable("is a rich text file. Save it as .docx or as text")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "html" if start.startswith((b"<!doctype html", b"<html")) else None


def _text(data: bytes) -> tuple[str, str | None, list[Finding]]:
    text, findings = plain_text(data)
    return text, None, findings


async def _in_worker(kind: str, data: bytes) -> tuple[str, str | None, list[Finding]]:
    reply = await _worker_reply(kind, data)
    try:
        document = json.loads(reply)
    except ValueError:
        raise Unreadable("takes more memory or time to read than a document should") from None
    if "error" in document:
        raise Unreadable(document["error"])
    return document["text"], document["title"], [Finding(*found) for found in document["findings"]]


async def _worker_reply(kind: str, data: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "knowledge.extract_worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        request = json.dumps({"kind": kind}).encode() + b"\n" + data
        async with asyncio.timeout(SECONDS):
            reply, _ = await process.communicate(request)
    except TimeoutError:
        raise Unreadable("takes more time to read than a document should") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if len(reply) > _MAX_REPLY:
        raise Unreadable("unpacks to far more than a document holds")
    return reply


def _title(named: str | None, heading: str | None) -> str | None:
    """What a document is called: as it says of itself, unless a program has added to that or made it up."""
    own = _BY_PROGRAMS.sub("", named or "").strip()
    if not own or _MADE_UP.fullmatch(own):
        return heading
    if heading is None:
        return own
    one, other = own.casefold(), heading.casefold()
    return heading if other in one or other.startswith(f"{one} ") else own


def _first_heading(text: str) -> str | None:
    for line in text.split("\n", 200)[:200]:
        if line.startswith("# ") and line[2:].strip():
            return line[2:].strip(" #")[:200]
    return None
