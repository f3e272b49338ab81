"""The index in memory follows the database: one row is read before each search, so that a change made by
another process is seen with the next question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

from bot.clock import Clock
from bot.store.engine import Store
from bot.store.tables import Passage
from knowledge import passages, rows, versions
from knowledge.calibration import settle
from knowledge.passages import StoredPassage
from knowledge.port import Indexed, Retriever
from knowledge.rows import saved

_AT_ONCE = 100  # passages brought into the index together
_PART = 2_000  # passages whose vectors (20 kB each) are held at once while the index takes them in


class Following:
    """Keeps an index up to the database. One per process.

    `revision` is that of the database when the index last looked; -1 before the first look.
    """

    def __init__(self, store: Store, retriever: Retriever, clock: Clock) -> None:
        self.revision = self._settled = -1
        self._store, self._retriever, self._clock = store, retriever, clock
        self._comes: date | None = None  # when the next version takes the place of another
        self._titles: dict[
            int, tuple[int, str]
        ] = {}  # passage id -> its document and the title it went in with
        self._refreshing = asyncio.Lock()

    @property
    def empty(self) -> bool:
        """Whether there was nothing to search when the index last looked."""
        return not self._titles

    async def refresh(self) -> int:
        """Bring the index in memory up to the database's revision, and return that. From the day on which a
        version is in force it takes the place of the one before."""
        await self._catch_up()
        today = self._clock().date()
        if self._comes is not None and self._comes <= today:
            async with self._store.write() as tx:
                await versions.bring_into_force(tx, today)
            await self._catch_up()
        return self.revision

    async def _catch_up(self) -> None:
        async with self._store.read() as session:
            revision = await rows.revision(session)
        if revision == self.revision:
            return
        async with self._refreshing:
            if revision != self.revision:
                await self._follow()

    async def _follow(self) -> None:
        async with self._store.read() as session:
            revision = await rows.revision(session)
            wanted = await passages.passage_titles(session)
            self._comes = await versions.next_in_force(session)
            fresh = [number for number, held in wanted.items() if self._titles.get(number) != held]
        stale = [number for number, held in self._titles.items() if wanted.get(number) != held]
        for start in range(0, max(len(fresh), 1), _PART):  # vectors are big: a large library comes in parts
            await self._take_in(fresh[start : start + _PART], stale if start == 0 else ())
        self._titles = wanted
        self.revision = revision

    async def _take_in(self, fresh: Sequence[int], stale: Sequence[int]) -> None:
        async with self._store.read() as session:
            stored = await passages.passages_with_vectors(session, fresh, self._retriever.model)
        indexed: list[Indexed] = []
        for start in range(0, len(stored), _AT_ONCE):
            indexed += await self._made(stored[start : start + _AT_ONCE])
        await asyncio.to_thread(self._retriever.update, indexed, stale)

    def _indexed(
        self, passage: Passage, title: str, vectors: bytes | None, dimensions: int | None
    ) -> Indexed:
        if vectors is None or dimensions is None:  # embedded by another model than the present one
            vectors, dimensions = self._retriever.vectors(title, passage.heading_path, passage.text)
        path = tuple(passage.heading_path)
        return Indexed(saved(passage.id), passage.document_id, title, path, passage.text, vectors, dimensions)

    async def _made(self, rows: Sequence[StoredPassage]) -> list[Indexed]:
        """Passages for the index. Vectors that were missing are stored at once, so that work which is cut
        short goes on from there."""
        made = await asyncio.to_thread(lambda: [self._indexed(*row) for row in rows])
        missing = [passage for passage, row in zip(made, rows, strict=True) if row[2] is None]
        if missing:
            async with self._store.write() as tx:
                await passages.add_vectors(tx, self._retriever.model, missing)
        return made

    async def ready(self) -> None:
        """Bring the index up to date, and its limits between the bands."""
        revision = await self.refresh()
        if self._settled != revision:
            await settle(self._store, self._retriever)
            self._settled = revision
