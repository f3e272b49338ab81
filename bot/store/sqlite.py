"""SQLite for an event loop: what is short is done at once, everything else in the connection's thread.

A hop to a thread and back costs several times what a look-up in an index does, and the usual driver makes
four of them for each statement. Here a SELECT runs where it is asked for, as long as it takes few steps; one
that turns out to be long is begun anew in the thread, so that nobody else waits for it. So does a statement
that writes a few rows: that is memory's work, it is COMMIT that waits for the disk. Other writes, and
whatever finds another process in its way, go to the thread, in one hop.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Any, TypeVar

import aiosqlite

STEPS_AT_ONCE = 20_000
"""Of SQLite's machine: about a millisecond."""
_STATEMENTS_KEPT = 512

Result = TypeVar("Result")


class Work(Enum):
    """How long a statement may take."""

    LOOK = auto()
    """As many steps as it needs, and it can be begun anew."""
    FEW_ROWS = auto()
    LONG = auto()


_FEW_ROWS = re.compile(
    r"BEGIN( IMMEDIATE)?|(RELEASE )?SAVEPOINT \w+"
    r"|INSERT INTO \w+ \([^()]*\) VALUES \([^()]*\)(, \([^()]*\)){0,9}"
    r"( ON CONFLICT( \([^()]*\))? DO NOTHING)?( RETURNING [^()]*)?"
    r"|(?!.* OR )UPDATE (?P<table>\w+) SET [^()]* WHERE (?P=table)\.id = \?( AND [^()]*)?( RETURNING [^()]*)?"
)


@lru_cache(maxsize=_STATEMENTS_KEPT)
def kind_of(statement: str) -> Work:
    """What a statement's text tells of the time it takes."""
    if statement.startswith("SELECT"):
        return Work.LOOK
    return Work.FEW_ROWS if _FEW_ROWS.fullmatch(" ".join(statement.split())) else Work.LONG


class Connection(aiosqlite.Connection):
    """One connection. SQLAlchemy's own driver runs on it as on aiosqlite's (`async_creator`)."""

    def __init__(self, path: str, timeout: float) -> None:
        """`timeout`: seconds to wait for another writer."""
        super().__init__(lambda: self._open(path), iter_chunk_size=64)
        self._timeout_ms = round(timeout * 1_000)
        self._thread.daemon = True
        self.hops = 0
        """Pieces of work given to the thread."""
        self._done = 0  # counted by the thread, as `hops` are by the loop
        self._in_a_hurry = False
        self.lasting = True
        """Whether COMMIT waits until the disk has what was written. Where it does not, a power cut may undo
        it, but no crash of a process; and never what was made to last before.
        """
        self._waits: bool | None = None

    def _open(self, path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS_KEPT,
        )
        connection.set_progress_handler(self._gives_up, STEPS_AT_ONCE)
        return connection

    def _gives_up(self) -> bool:
        """Asked by SQLite after each STEPS_AT_ONCE of a statement."""
        return self._in_a_hurry

    def cursor(self) -> Cursor:  # type: ignore[override]
        """A cursor that holds the whole answer."""
        return Cursor(self)

    async def rollback(self) -> None:
        """Forget the open transaction; nothing waits for the disk."""
        if self._is_busy():
            await super().rollback()
        else:
            self._conn.rollback()

    async def begin(self, statement: str) -> None:
        """Begin a transaction, `lasting` or not."""
        await self.run(Work.FEW_ROWS, lambda opened: self._begin(opened, statement))

    def _begin(self, opened: sqlite3.Connection, statement: str) -> None:
        if self._waits is not self.lasting:
            opened.execute(f"PRAGMA synchronous = {'FULL' if self.lasting else 'NORMAL'}")
            self._waits = self.lasting
        opened.execute(statement)

    async def run(self, kind: Work, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `work` makes of the connection. Where it took too long at once, `work` is called again."""
        if kind is not Work.LONG and not self._is_busy():
            try:
                return self._at_once(kind, work)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                    raise
        return await self._execute(self._patiently, work)  # type: ignore[no-any-return]

    def _at_once(self, kind: Work, work: Callable[[sqlite3.Connection], Result]) -> Result:
        # Interrupting a write would undo its whole transaction.
        self._in_a_hurry = kind is Work.LOOK
        try:
            return work(self._conn)
        finally:
            self._in_a_hurry = False

    def _patiently(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """In the thread there is time to wait for another process."""
        self._conn.execute(f"PRAGMA busy_timeout = {self._timeout_ms}")
        try:
            return work(self._conn)
        finally:
            self._conn.execute("PRAGMA busy_timeout = 0")

    def _is_busy(self) -> bool:
        """A caller who was cancelled may have left work in the thread; what comes next waits behind it."""
        return self.hops != self._done

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def counted() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self._done += 1

        self.hops += 1
        return await super()._execute(counted)  # type: ignore[no-untyped-call]


class Cursor:
    """One statement and its answer, as SQLAlchemy's adapter asks for them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def __aenter__(self) -> Cursor:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run one statement and take in its answer."""
        kind = kind_of(statement)
        answer = await self._connection.run(kind, lambda opened: _answer(opened, statement, parameters))
        self._take(*answer)
        return self

    async def executemany(self, statement: str, many: Sequence[Sequence[Any]]) -> Cursor:
        """Run one statement for each of `many`."""
        self._take(*await self._connection.run(Work.LONG, lambda opened: _many(opened, statement, many)))
        return self

    def _take(self, description: Any, lastrowid: int | None, rowcount: int, rows: list[Any]) -> None:
        self.description, self.lastrowid, self.rowcount, self._rows = description, lastrowid, rowcount, rows

    async def fetchall(self) -> list[Any]:
        """The answer's rows."""
        return self._rows

    async def close(self) -> None:
        """Nothing is held."""


_Answer = tuple[Any, int | None, int, list[Any]]


def _answer(connection: sqlite3.Connection, statement: str, parameters: Sequence[Any]) -> _Answer:
    cursor = connection.execute(statement, parameters)
    rows = cursor.fetchall()
    return cursor.description, cursor.lastrowid, cursor.rowcount, rows


def _many(connection: sqlite3.Connection, statement: str, many: Sequence[Sequence[Any]]) -> _Answer:
    cursor = connection.executemany(statement, many)
    return cursor.description, cursor.lastrowid, cursor.rowcount, []
