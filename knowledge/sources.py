"""Where documents come from: files, folders, zip archives and web addresses, each as one or more files.

What can't be read is handed on as a refusal in its place, so that the rest of a folder still goes in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from knowledge.extract import KNOWN, unpack
from knowledge.extract_text import MAX_FILE, Unreadable
from knowledge.fetch import Fetcher


@dataclass(frozen=True)
class Incoming:
    """One file on its way in, or why it can't come in.

    `source` identifies the place it came from over time; `label` is how people call it, and `name` its own
    name where that is another. Exactly one of `data` and `refusal` is set; a refusal completes the sentence
    that begins with the label.
    """

    source: str
    label: str
    data: bytes | None = None
    refusal: str | None = None
    name: str = ""


async def gather(place: str, fetcher: Fetcher) -> AsyncIterator[Incoming]:
    """Every file at `place`: a path of a file, folder or zip archive, or an http(s) address."""
    found = _fetched(place, fetcher) if "://" in place else _from_disk(Path(place))
    async for incoming in found:
        yield incoming


async def from_bytes(source: str, label: str, data: bytes) -> AsyncIterator[Incoming]:
    """A file, or every file of a zip archive, that somebody handed over."""
    if not label.lower().endswith(".zip"):
        yield Incoming(source, label, data)
        return
    try:
        files = await unpack(data)
    except Unreadable as refusal:
        yield Incoming(source, label, refusal=str(refusal))
        return
    for name, content in sorted(files):
        if _wanted(name):
            yield Incoming(f"{source}!/{name}"[-500:], f"{label}: {name}", content, name=name)


async def _fetched(url: str, fetcher: Fetcher) -> AsyncIterator[Incoming]:
    try:
        page = await fetcher.fetch(url)
    except Unreadable as refusal:
        yield Incoming(url[:500], url, refusal=str(refusal))
        return
    async for incoming in from_bytes(url[:500], page.name, page.data):
        label = f"{url}: {incoming.name}" if incoming.name else url
        yield replace(incoming, label=label, name=incoming.name or incoming.label)


async def _from_disk(path: Path) -> AsyncIterator[Incoming]:
    for file, label in _files(path):
        source = file.resolve().as_uri()[-500:]
        data = _read(file)
        if isinstance(data, str):
            yield Incoming(source, label, refusal=data)
            continue
        async for incoming in from_bytes(source, label, data):
            yield incoming


def _files(path: Path) -> list[tuple[Path, str]]:
    """The files at a path with their labels; of a folder those of known endings that are not hidden."""
    if not path.is_dir():
        return [(path, path.name or str(path))]
    inside = (file for file in sorted(path.rglob("*")) if file.is_file() and not file.is_symlink())
    return [
        (file, file.relative_to(path).as_posix())
        for file in inside
        if _wanted(file.relative_to(path).as_posix())
    ]


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and path.suffix.lower() in KNOWN


def _read(file: Path) -> bytes | str:
    """The bytes of a file, or why they can't be read."""
    try:
        if not file.is_file():
            return "is not there" if not file.exists() else "is not a file"
        with file.open("rb") as stream:
            return stream.read(MAX_FILE + 1)
    except OSError as error:
        return f"can't be read ({error.strerror})"
