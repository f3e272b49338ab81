"""Office files (Office Open XML, ECMA-376) as the zipped XML that they are."""

from __future__ import annotations

import io
import zipfile
import zlib
from xml.etree import ElementTree

from knowledge.extract_text import Unreadable

MAX_PART = 60_000_000  # bytes of one unpacked XML part
FAULTS = (
    *(zipfile.BadZipFile, zlib.error, ElementTree.ParseError),
    *(NotImplementedError, RuntimeError, EOFError, OSError),
)
"""What a broken file may raise while it is read."""
BROKEN = "is a broken Office file. Open it, save it anew and add that"


def part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element | None:
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
        raise Unreadable(BROKEN)
    return ElementTree.fromstring(data)  # noqa: S314 - no document type, and in a process with limits


def opened(data: bytes) -> zipfile.ZipFile:
    """The archive, unless it unpacks to far more than a document holds."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    if (
        sum(entry.file_size for entry in archive.infolist()) > 20 * MAX_PART
        or len(archive.infolist()) > 5_000
    ):
        raise Unreadable("unpacks to far more than a document holds")
    return archive
