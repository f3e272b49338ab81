"""The store: two engines on one database, and the few ways in.

`Store.write()` opens one transaction that may change things; `Store.read()` one that may not. Neither is
held while a model is asked or a platform is called.

SQLite: autocommit is left to us (`isolation_level=None`), and a writing transaction begins with BEGIN
IMMEDIATE, so that a read-modify-write waits for its turn instead of losing an update. Readers use
their own engine, begin deferred and never block. What is committed is on the disk: an event that was
acknowledged survives a power cut, not just a crash of ours.

What is opened here is closed here, at once: the context managers of sessions and connections do it in a
task of their own, which costs more than the closing. Whoever is cancelled in the middle of it loses the
connection, and the pool opens another.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import aiosqlite
from sqlalchemy import Engine, Executable, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import SettingsError, StoreUnavailable
from bot.store.ready import LINE, Given, Line
from bot.store.sqlite import Connection as SqliteConnection

BUSY_SECONDS = 15.0
BEGIN_WRITING = "BEGIN IMMEDIATE"
IDLE_SECONDS = 10.0
"""A connection that rested for longer is asked whether the server still knows it."""


def database_url(given: str) -> URL:
    """`given` as the URL of one of the two supported databases, with the driver that we use."""
    try:
        url = make_url(given)
    except ArgumentError:
        raise SettingsError(
            "DATABASE_URL can't be read. Use postgresql+asyncpg://user:password@host/name, or leave it out "
            "for SQLite."
        ) from None
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+asyncpg")
    if backend == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    raise SettingsError(f"DATABASE_URL names {backend}. Stagecoach runs on PostgreSQL and SQLite.")


class Store:
    """The database behind a URL. Make one per process, close it at the end."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = database_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _make_folder(self.url)
        self._writer = self._engine(pool_size=1 if self.is_sqlite else pool_size, immediate=True)
        if self.is_sqlite:
            self._reader = self._engine(pool_size=pool_size, immediate=False)
        else:
            # At READ COMMITTED a transaction around looks shows no more than each does by itself, and
            # costs two round trips.
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")

    def _engine(self, pool_size: int, immediate: bool) -> AsyncEngine:
        if self.is_sqlite:
            engine = create_async_engine(
                self.url, pool_size=pool_size, max_overflow=0, pool_timeout=60, async_creator=self._connect
            )
            _sqlite_rules(engine.sync_engine, immediate)
            return engine
        engine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=15,
            # What was prepared stays so; by default it is done anew every five minutes.
            connect_args={"timeout": 5, "max_cached_statement_lifetime": 0},
        )
        _look_before_use(engine.sync_engine)
        return engine

    async def _connect(self) -> aiosqlite.Connection:
        opened = SqliteConnection(self.url.database or "", BUSY_SECONDS)
        async with AsyncExitStack() as undone:
            undone.push_async_callback(opened.close)
            await opened
            await _write_ahead(opened)
            undone.pop_all()
        return opened

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back by any exception."""
        with plain_errors():
            session = AsyncSession(self._writer, expire_on_commit=False)
            committed = False
            try:
                yield session
                await session.commit()
                committed = True
            finally:
                if not committed:  # Else the connection is given back already.
                    await session.close()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Looks alone: SQLite refuses changes here. Of statements that stand ready, and on PostgreSQL of all,
        each stands for itself.
        """
        with plain_errors():
            session = AsyncSession(self._reader, expire_on_commit=False, info={LINE: _Looks(self)})
            try:
                yield session
            finally:
                await session.close()

    async def alone(self, statement: Executable, *given: Given, lasting: bool = True) -> list[Any]:
        """The rows of one statement, made once, that changes things and stands for itself. With several
        `given` it is asked for each, and stores all of them or none.

        What is not to be `lasting` does not wait for SQLite's disk, and a power cut may undo it. That is for
        what means nothing after one: the claim of a process that is gone.
        """
        async with self._opened(self._writer) as opened:
            line = Line(self._writer.dialect, opened.dbapi_connection)
            if not self.is_sqlite:  # PostgreSQL begins and commits around what stands alone.
                return await line.ask(statement, *given)
            async with _begun(opened.driver_connection, lasting):
                return await line.ask(statement, *given)

    async def look(self, statement: Executable, given: Given) -> list[Any]:
        """The rows of one SELECT, made once, that stands for itself."""
        async with self._opened(self._reader) as opened:
            return await Line(self._reader.dialect, opened.dbapi_connection).ask(statement, given)

    @asynccontextmanager
    async def _opened(self, engine: AsyncEngine) -> AsyncIterator[PoolProxiedConnection]:
        with plain_errors():
            opened = await engine.raw_connection()
            try:
                yield opened
            finally:
                await greenlet_spawn(opened.close)

    async def run_sync(self, function: Any, *args: Any) -> Any:
        """Call `function(connection, *args)` on a plain connection in one writing transaction."""
        with plain_errors():
            async with self._writer.begin() as connection:
                return await connection.run_sync(function, *args)

    async def ping(self) -> None:
        """Raise StoreUnavailable unless the database answers."""
        async with self.read() as session:
            await (await session.connection()).execute(text("SELECT 1"))

    async def close(self) -> None:
        """Give back every connection."""
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


@dataclass(frozen=True)
class _Looks:
    """For a session that only looks: it needs no connection of its own."""

    store: Store

    async def ask(self, statement: Executable, *given: Given) -> list[Any]:
        return await self.store.look(statement, *given)


@asynccontextmanager
async def _begun(driver: Any, lasting: bool) -> AsyncIterator[None]:
    """A transaction of SQLite's; the pool rolls back what was not committed."""
    driver.lasting = lasting
    try:
        await driver.begin(BEGIN_WRITING)
        yield
        await driver.commit()
    finally:
        driver.lasting = True


async def _write_ahead(opened: SqliteConnection) -> None:
    """Have the database's journal written ahead, which the file remembers.

    Of several processes that find a new file, one changes the journal while the others wait. SQLite's own
    waiting is not for this change: it answers "locked" at once.
    """
    until = monotonic() + BUSY_SECONDS
    while True:
        try:
            await opened.cursor().execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
        await asyncio.sleep(0.02)


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        raise SettingsError("SQLite needs a file: several connections have to see the same data.")
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"The folder {folder} can't be made ({error.strerror}). Set STAGECOACH_HOME to one that can."
        ) from None


def _sqlite_rules(engine: Engine, immediate: bool) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        if not immediate:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    begin = BEGIN_WRITING if immediate else "BEGIN"

    def do_begin(connection: Any) -> None:
        connection.run_async(lambda opened: opened.begin(begin))

    # Not as a listener for "begin": an engine that has one looks for others around every statement.
    engine.dialect.do_begin = do_begin  # type: ignore[assignment]


def _look_before_use(engine: Engine) -> None:
    """Leave out connections that the server has ended.

    A server that goes says so, and the driver knows it without asking. What goes silently (a network between
    that forgets) is found by a question, asked only after a rest: three round trips before each transaction
    would cost as much as the transaction.
    """

    @event.listens_for(engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: Any, _fairy: object) -> None:
        rests_since = record.info.get("rests_since")
        if rests_since is None:
            return
        gone = connection.driver_connection.is_closed()
        if not gone and monotonic() - rests_since > IDLE_SECONDS:
            gone = not _answers(connection)
        if gone:
            raise InvalidatePoolError


def _answers(connection: Any) -> bool:
    try:
        connection.ping()
    except (connection.dbapi.Error, OSError):
        return False
    return True


_UNAVAILABLE = (
    ("database or disk is full", "There is no space left where the database lives. Free some and try again."),
    ("disk i/o error", "The disk that holds the database gives errors. Check it and its free space."),
    ("database is locked", "Another process holds the database for too long. Try again in a moment."),
    ("readonly database", "The database file can't be written. Check who owns it and its folder."),
    ("unable to open database", "The database file can't be opened. Check its folder and who owns it."),
    ("file is not a database", "The database file is damaged or is something else. Restore a backup."),
    ("malformed", "The database file is damaged. Restore a backup."),
    ("no such table", "The database has no tables yet. Run: stagecoach db upgrade"),
    ("undefinedtable", "The database has no tables yet. Run: stagecoach db upgrade"),
    ("no such column", "The database is older than this program. Run: stagecoach db upgrade"),
    ("undefinedcolumn", "The database is older than this program. Run: stagecoach db upgrade"),
)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what a driver says of an outage into StoreUnavailable; leave every other error as it is."""
    try:
        yield
    except DBAPIError as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        raise StoreUnavailable(sentence) from error
    except (ConnectionError, OSError, TimeoutError) as error:
        if isinstance(error, sqlite3.Error) or _is_about_connecting(error):
            raise StoreUnavailable(_NOT_REACHED) from error
        raise


_NOT_REACHED = "The database can't be reached. Check DATABASE_URL and that the server runs."
_AWAY = ("08", "53", "57P")
"""SQLSTATE of a server that lost the line, is out of resources, or is starting or stopping."""


def _is_about_connecting(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None:
        if "asyncpg" in trace.tb_frame.f_code.co_filename:
            return True
        trace = trace.tb_next
    return False


def _sentence(error: DBAPIError) -> str | None:
    said = f"{type(error.orig).__name__} {error.orig}".lower()
    for needle, sentence in _UNAVAILABLE:
        if needle in said:
            return sentence
    away = str(getattr(error.orig, "sqlstate", None)).startswith(_AWAY)
    if away or error.connection_invalidated or isinstance(error, InterfaceError):
        return _NOT_REACHED
    if isinstance(error, OperationalError) and "constraint" not in said:
        return _NOT_REACHED
    return None
