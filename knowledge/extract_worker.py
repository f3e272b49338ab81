"""The process in which files from outside are opened: little memory, little time, no files to write.

Reads one file on standard input (name and options as JSON in the first line), writes one JSON line on
standard output: `{"text", "title", "findings"}` or `{"error"}`; for an archive one line `{"name", "size"}`
and the bytes for each file in it, then `{"end": true}`. A crash of a parser ends here, not in the service.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO

from knowledge.extract_text import MAX_FILE, MAX_TEXT, Finding, Unreadable, plain_text, table

MEMORY = 512 * 1024 * 1024  # bytes
SECONDS = 20
MAX_FILES = 2_000
MAX_UNPACKED = 200_000_000  # bytes of all files of an archive

Read = tuple[str, str | None, list[Finding]]


def _limit() -> None:
    """Memory, processor time and files of this process. Where the system knows no such limits (Windows),
    the time limit of the caller is what remains."""
    try:
        import resource
    except ImportError:
        return
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def _pdf(data: bytes) -> Read:
    from knowledge.extract_pdf import pdf_to_markdown

    return pdf_to_markdown(data)


def _docx(data: bytes) -> Read:
    from knowledge.extract_word import docx_to_markdown

    text, findings = docx_to_markdown(data)
    return text, None, findings


def _xlsx(data: bytes) -> Read:
    from knowledge.extract_excel import xlsx_to_markdown

    text, findings = xlsx_to_markdown(data)
    return text, None, findings


def _html(data: bytes) -> Read:
    from knowledge.extract_html import html_to_markdown

    return html_to_markdown(data)


def _csv(data: bytes) -> Read:
    text, findings = plain_text(data)
    text = text.removeprefix("\ufeff")
    first, _, rest = text.partition("\n")
    if len(told := first.strip('\r"')) == 5 and told.lower().startswith("sep="):  # Excel's own first line
        text, first = rest, told[4]
    delimiter = max(",;\t|", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise Unreadable(f"can't be read as a table ({error})") from error
    return table(rows), None, findings


READERS: dict[str, Callable[[bytes], Read]] = {
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
    "html": _html,
    "csv": _csv,
}


def _read(kind: str, data: bytes, out: BinaryIO) -> None:
    text, title, findings = READERS[kind](data)
    if len(text) > MAX_TEXT:
        raise Unreadable(f"holds more than {MAX_TEXT:,} characters. Split it into its chapters")
    found = [[warning.kind, warning.line, warning.excerpt] for warning in findings]
    _line(out, {"text": text, "title": title, "findings": found})


def _unpack(data: bytes, out: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_size(entries)
            for entry in entries:
                content = _entry(archive, entry)
                _line(out, {"name": entry.filename[:500], "size": len(content)})
                out.write(content)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError) as error:
        raise Unreadable("is a broken archive. Pack it anew") from error
    except RuntimeError as error:
        raise Unreadable("is locked with a password. Pack it without one") from error
    _line(out, {"end": True})


def _check_size(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_FILES:
        raise Unreadable(f"holds more than {MAX_FILES:,} files")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Unreadable(f"unpacks to more than {MAX_UNPACKED // 1_000_000} MB")


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one file, at most one more than allowed: its declared size may be a lie."""
    with archive.open(entry) as stream:
        return stream.read(MAX_FILE + 1)


def _line(out: BinaryIO, document: dict[str, object]) -> None:
    out.write(json.dumps(document).encode() + b"\n")


def main() -> None:
    """Serve one request and leave."""
    _limit()
    sys.setrecursionlimit(3_000)
    out = sys.stdout.buffer
    try:
        kind = json.loads(sys.stdin.buffer.readline())["kind"]
        data = sys.stdin.buffer.read()
        if kind == "zip":
            _unpack(data, out)
        else:
            _read(kind, data, out)
    except Unreadable as refusal:
        _line(out, {"error": str(refusal)})
    except MemoryError:
        _line(out, {"error": "needs more memory than a document should"})
    except RecursionError:
        _line(out, {"error": "is nested too deeply to be a document"})
    out.flush()


if __name__ == "__main__":
    main()
