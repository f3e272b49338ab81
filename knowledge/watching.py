"""Folders and Git checkouts that the library follows: what changes there is taken in by itself.

Every process looks whether a folder is due, and the one that claims its row goes through it. A changed file
is a new version, one that moved keeps its document, one that vanished answers no more and its owner is told.
A folder that is gone or empty as a whole is a fault, not a wish: then nothing is taken out.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import InputError, NotFound
from bot.messages import Message, plain
from bot.organisation.directory import person_by_email
from bot.store.outbox import insert_once, write_to_person
from bot.store.tables import Document, Person, WatchedFile, WatchedFolder
from knowledge import gaps, library
from knowledge.audience import parse_audience
from knowledge.filing import Outcome
from knowledge.frontmatter import Details
from knowledge.rows import saved
from knowledge.service import KnowledgeService
from knowledge.sources import Incoming, gather

EVERY = timedelta(minutes=10)
"""How long a change in a folder waits at most."""

LEASE = timedelta(minutes=10)
"""How long nobody else looks at a folder that a killed process was going through; renewed with each file."""

PULL_SECONDS = 60.0


@dataclass(frozen=True)
class Looked:
    """What one look through a folder brought: files that were read anew, titles that are gone, a fault."""

    place: str
    outcomes: tuple[Outcome, ...] = ()
    gone: tuple[str, ...] = ()
    problem: str = ""


def _folder(place: str, pull: bool) -> str:
    """The full path of a folder that can be followed. Raises InputError."""
    folder = Path(place)
    if not folder.is_dir():
        raise InputError(f"{place} is not a folder. Only a folder can be watched.")
    if pull and not (folder / ".git").exists():
        raise InputError(f"{place} is not a Git checkout, so that there is nothing to pull.")
    return str(folder.resolve())


class Watching:
    """The folders of a library."""

    def __init__(self, service: KnowledgeService) -> None:
        self._service = service
        self._store = service.store

    async def watch(self, place: str, given: Details, pull: bool = False) -> WatchedFolder:
        """Follow a folder from now on, or with other particulars. Raises InputError, NotFound."""
        resolved = await asyncio.to_thread(_folder, place, pull)
        now = self._service.clock()
        async with self._store.write() as tx:
            owner = await person_by_email(tx, given.owner) if given.owner else None
            if given.audience:
                await parse_audience(tx, given.audience)
            row = WatchedFolder(place=resolved, added_at=now, due_at=now)
            await insert_once(tx, WatchedFolder, [row.model_dump(exclude={"id"})], ("place",))
            found = await tx.exec(select(WatchedFolder).where(WatchedFolder.place == resolved))
            watched = found.one()
            watched.owner_id, watched.audience = owner.id if owner else None, list(given.audience or ())
            watched.pull, watched.due_at = pull, now
            tx.add(watched)
        return watched

    async def unwatch(self, folder_id: int) -> str:
        """Follow a folder no more; its documents stay. Returns its place. Raises NotFound."""
        async with self._store.write() as tx:
            folder = await tx.get(WatchedFolder, folder_id)
            if folder is None:
                raise NotFound(f"There is no watched folder {folder_id}. See: stagecoach kb sources")
            await tx.exec(delete(WatchedFile).where(col(WatchedFile.folder_id) == folder_id))
            await tx.delete(folder)
        return folder.place

    async def look_at_due(self, everything: bool = False) -> list[Looked]:
        """Go through every folder that is due, or through all, that no other process is going through."""
        async with self._store.read() as session:
            due = select(WatchedFolder.id).order_by(col(WatchedFolder.id))
            if not everything:
                due = due.where(WatchedFolder.due_at <= self._service.clock())
            numbers = list(await session.exec(due))
        looked = []
        for number in numbers:
            folder = await self._claim(saved(number), everything)
            if folder is not None:
                looked.append(await self._look(folder))
        return looked

    async def _claim(self, folder_id: int, everything: bool) -> WatchedFolder | None:
        now = self._service.clock()
        free = or_(col(WatchedFolder.claimed_until).is_(None), col(WatchedFolder.claimed_until) < now)
        mine = update(WatchedFolder).where(col(WatchedFolder.id) == folder_id, free)
        if not everything:
            mine = mine.where(col(WatchedFolder.due_at) <= now)
        async with self._store.write() as tx:
            claimed = await tx.exec(mine.values(claimed_until=now + LEASE).returning(col(WatchedFolder.id)))
            return await tx.get(WatchedFolder, folder_id) if claimed.first() is not None else None

    async def _look(self, folder: WatchedFolder) -> Looked:
        problem = await _pulled(folder.place) if folder.pull else ""
        found = await _files(folder.place, self._service) if not problem else {}
        async with self._store.read() as session:
            rows = await session.exec(select(WatchedFile).where(WatchedFile.folder_id == folder.id))
            known = {row.source: row for row in rows}
        if not problem and known and not found:
            problem = "It is gone or holds nothing that I can read. Its documents stay as they are."
        looked = Looked(folder.place, problem=problem)
        if not problem:
            known = await self._follow_moves(known, found)
            outcomes = await self._take_changed(folder, known, found)
            looked = Looked(folder.place, outcomes, await self._take_out(folder, known, found))
        await self._done(saved(folder.id), problem)
        return looked

    async def _done(self, folder_id: int, problem: str) -> None:
        now = self._service.clock()
        async with self._store.write() as tx:
            folder = await tx.get(WatchedFolder, folder_id)
            if folder is not None:
                folder.scanned_at, folder.due_at = now, now + EVERY
                folder.claimed_until, folder.problem = None, problem
                tx.add(folder)

    async def _follow_moves(
        self, known: dict[str, WatchedFile], found: dict[str, str]
    ) -> dict[str, WatchedFile]:
        """Give a file that stands elsewhere with the same content its old document."""
        lost = {row.sha256: row for source, row in known.items() if source not in found and row.sha256}
        moves = {source: lost[sha] for source, sha in found.items() if source not in known and sha in lost}
        async with self._store.write() as tx:
            for source, row in moves.items():
                if known.pop(row.source, None) is None:
                    continue  # a copy of it has its document already
                document = await tx.get(Document, row.document_id) if row.document_id else None
                if document is not None and document.source == row.source:
                    document.source = source
                    tx.add(document)
                row.source = source
                known[source] = await tx.merge(row)
        return known

    async def _take_changed(
        self, folder: WatchedFolder, known: dict[str, WatchedFile], found: dict[str, str]
    ) -> tuple[Outcome, ...]:
        changed = {
            source for source, sha in found.items() if source not in known or known[source].sha256 != sha
        }
        if not changed:
            return ()
        given, outcomes = await self._given(folder), []
        async for incoming in gather(folder.place, self._service.filing.fetcher):
            if incoming.source in changed:
                outcome = await self._service.filing.take(incoming, given)
                outcomes.append(outcome)
                await self._note(saved(folder.id), incoming, outcome)
        return tuple(outcomes)

    async def _given(self, folder: WatchedFolder) -> Details:
        async with self._store.read() as session:
            owner = await session.get(Person, folder.owner_id) if folder.owner_id else None
        return Details(owner=owner.email if owner else None, audience=tuple(folder.audience) or None)

    async def _note(self, folder_id: int, incoming: Incoming, outcome: Outcome) -> None:
        """Remember a file as it was read; where it was refused, the document that it was stays."""
        row = WatchedFile(folder_id=folder_id, source=incoming.source, label=incoming.label)
        async with self._store.write() as tx:
            await insert_once(tx, WatchedFile, [row.model_dump(exclude={"id"})], ("folder_id", "source"))
            mine = (col(WatchedFile.folder_id) == folder_id, col(WatchedFile.source) == incoming.source)
            file = (await tx.exec(select(WatchedFile).where(*mine))).one()
            file.sha256, file.refused = _hash(incoming), outcome.reason or ""
            file.document_id = outcome.document_id or file.document_id
            tx.add(file)
            until = self._service.clock() + LEASE
            folder = update(WatchedFolder).where(col(WatchedFolder.id) == folder_id)
            await tx.exec(folder.values(claimed_until=until))

    async def _take_out(
        self, folder: WatchedFolder, known: dict[str, WatchedFile], found: dict[str, str]
    ) -> tuple[str, ...]:
        vanished = [row for source, row in known.items() if source not in found]
        if not vanished:
            return ()
        now = self._service.clock()
        async with self._store.write() as tx:
            await tx.exec(delete(WatchedFile).where(col(WatchedFile.id).in_([row.id for row in vanished])))
            gone = [document for row in vanished if (document := await _orphan(tx, row)) is not None]
            for document in gone:
                await library.remove(tx, saved(document.id), now)
            await _tell_owners(tx, folder.place, gone, now)
        return tuple(document.title for document in gone)


async def _orphan(session: AsyncSession, row: WatchedFile) -> Document | None:
    """The document of a file that vanished, unless it was removed before or another file carries it on."""
    document = await session.get(Document, row.document_id) if row.document_id else None
    if document is None or document.removed_at is not None:
        return None
    other = await session.exec(select(WatchedFile.id).where(WatchedFile.document_id == document.id))
    return document if other.first() is None else None


async def _tell_owners(tx: AsyncSession, place: str, gone: Sequence[Document], now: datetime) -> None:
    by_owner: dict[int, list[Document]] = {}
    for document in gone:
        owner = await gaps.owner_for(tx, document.owner_id)
        if owner is not None:
            by_owner.setdefault(saved(owner.id), []).append(document)
    for owner_id, documents in by_owner.items():
        key = f"kb-vanished:{documents[0].id}:{now.isoformat()}"
        await write_to_person(tx, owner_id, [_vanished(place, documents)], key=key, now=now)


def _vanished(place: str, documents: Sequence[Document]) -> Message:
    titles = "\n".join(f"- {plain(document.title)}" for document in documents)
    name = plain(Path(place).name)
    return Message(
        kind="nudge",
        text=f"The folder “{name}” no longer has the file of:\n{titles}\n\nI have stopped answering from it. "
        "If that was not meant, put the file back, and I take it in again.",
    )


async def _files(place: str, service: KnowledgeService) -> dict[str, str]:
    """The source of every file below a folder, with the hash of its content."""
    found: dict[str, str] = {}
    if not await asyncio.to_thread(Path(place).is_dir):
        return found
    async for incoming in gather(place, service.filing.fetcher):
        found[incoming.source] = _hash(incoming)
        await asyncio.sleep(0)  # reading a large folder holds up nobody else
    return found


def _hash(incoming: Incoming) -> str:
    content = incoming.data if incoming.data is not None else f"refused: {incoming.refusal}".encode()
    return hashlib.sha256(content).hexdigest()


async def _pulled(place: str) -> str:
    """Bring a Git checkout up to date, without running anything that it brings. Returns the fault, or ""."""
    command = ("git", "-c", "core.hooksPath=/dev/null", "-C", place, "pull", "--ff-only", "--quiet")
    quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=quiet
        )
    except OSError as error:
        return f"Git can't be started ({error.strerror})."
    try:
        async with asyncio.timeout(PULL_SECONDS):
            _, told = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return "Git took longer than a minute. Its documents stay as they are."
    if process.returncode == 0:
        return ""
    last = told.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
    return f"Git could not bring it up to date: {last[0][:300]}"


async def listed(session: AsyncSession) -> list[dict[str, Any]]:
    """Every watched folder with what is wrong there, as the command shows it."""
    found = []
    for folder in await session.exec(select(WatchedFolder).order_by(col(WatchedFolder.id))):
        files = list(
            await session.exec(
                select(WatchedFile)
                .where(WatchedFile.folder_id == folder.id)
                .order_by(col(WatchedFile.source))
            )
        )
        refused = [{"file": file.label, "reason": file.refused} for file in files if file.refused]
        found.append(
            {
                "id": folder.id,
                "folder": folder.place,
                "pull": folder.pull,
                "files": len(files),
                "looked_at": folder.scanned_at.isoformat() if folder.scanned_at else None,
                "problem": folder.problem or None,
                "refused": refused,
            }
        )
    return found
