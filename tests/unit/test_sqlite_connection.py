"""A short look at a SQLite database is taken at once; what is long or waits leaves the event loop alone."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Integer, text

from bot.store.engine import Store
from bot.store.sqlite import Connection, Cursor, Work, kind_of
from tests.support.databases import SqliteFactory

LONG = """SELECT count(*), whereabouts() FROM (
    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000) SELECT x FROM n
)"""

SYNCHRONOUS = text("PRAGMA synchronous").columns(synchronous=Integer)


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[Connection]:
    opened = Connection(str(tmp_path / "one.db"), timeout=5)
    await opened
    await opened.create_function("whereabouts", 0, lambda: threading.get_ident())
    await Cursor(opened).execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    yield opened
    await opened.close()


async def asked(connection: Connection, statement: str, *given: Any) -> list[Any]:
    return await (await connection.cursor().execute(statement, given)).fetchall()


async def test_a_short_look_is_taken_where_it_is_asked_for(connection: Connection) -> None:
    assert await asked(connection, "SELECT whereabouts()") == [(threading.get_ident(),)]


async def test_a_long_look_is_begun_anew_in_the_thread_and_nobody_waits(connection: Connection) -> None:
    moments = 0

    async def others() -> None:
        nonlocal moments
        while True:
            moments += 1
            await asyncio.sleep(0)

    meanwhile = asyncio.create_task(others())
    [(count, thread)] = await asked(connection, LONG)
    meanwhile.cancel()
    assert (count, thread != threading.get_ident()) == (20_000, True)
    assert moments > 1


async def test_one_row_is_written_where_it_is_asked_for(connection: Connection) -> None:
    """It is COMMIT that waits for the disk."""
    hops = connection.hops
    await asked(connection, "BEGIN IMMEDIATE")
    written = await asked(connection, "INSERT INTO t (a) VALUES (?) RETURNING a", 7)
    assert (written, connection.hops) == ([(7,)], hops)
    await connection.rollback()
    assert await asked(connection, "SELECT * FROM t") == []


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT a FROM t", Work.LOOK),
        ("BEGIN", Work.FEW_ROWS),
        ("BEGIN IMMEDIATE", Work.FEW_ROWS),
        ("RELEASE SAVEPOINT sa_savepoint_1", Work.FEW_ROWS),
        ("INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT (a) DO NOTHING RETURNING a", Work.FEW_ROWS),
        ("INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING a", Work.FEW_ROWS),
        ("INSERT INTO t (a, b) VALUES (?, ?)" + 9 * ", (?, ?)", Work.FEW_ROWS),
        ("INSERT INTO t (a, b) VALUES (?, ?)" + 10 * ", (?, ?)", Work.LONG),
        ("UPDATE t SET b=?\nWHERE t.id = ? AND t.status = ? RETURNING t.id", Work.FEW_ROWS),
        ("INSERT INTO t (a) VALUES (?), (?)", Work.FEW_ROWS),
        ("INSERT INTO t (a) SELECT a FROM u", Work.LONG),
        ("UPDATE t SET b=? WHERE t.b = ?", Work.LONG),
        ("UPDATE t SET b=? WHERE u.id = ?", Work.LONG),
        ("UPDATE t SET b=? WHERE t.id = ? OR t.b = ?", Work.LONG),
        ("UPDATE t SET b=? WHERE t.id = ? AND t.b = ? OR t.b = ?", Work.LONG),
        ("UPDATE t SET b=? WHERE t.id = (SELECT a FROM u)", Work.LONG),
        ("UPDATE t SET b=?", Work.LONG),
        ("DELETE FROM t", Work.LONG),
        ("WITH x AS (SELECT 1) DELETE FROM t", Work.LONG),
        ("PRAGMA optimize", Work.LONG),
    ],
)
def test_a_statement_tells_how_long_it_may_take(statement: str, kind: Work) -> None:
    assert kind_of(statement) is kind


async def test_who_finds_another_writer_waits_in_the_thread(tmp_path: Path, connection: Connection) -> None:
    other = Connection(str(tmp_path / "one.db"), timeout=5)
    await other
    try:
        await asked(connection, "BEGIN IMMEDIATE")
        waiting = asyncio.create_task(asked(other, "BEGIN IMMEDIATE"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await connection.rollback()
        await waiting
    finally:
        await other.close()


async def test_what_writes_more_goes_to_the_thread(connection: Connection) -> None:
    await asked(connection, "BEGIN IMMEDIATE")
    written = await asked(connection, "INSERT INTO t VALUES (?) RETURNING a, whereabouts()", 7)
    assert [(a, thread != threading.get_ident()) for a, thread in written] == [(7, True)]
    await connection.rollback()
    assert await asked(connection, "SELECT * FROM t") == []


async def test_after_a_caller_was_cancelled_the_next_waits_for_what_it_left_behind(
    connection: Connection,
) -> None:
    holding, goes_on = threading.Event(), threading.Event()

    def hold() -> int:
        holding.set()
        goes_on.wait(5)
        return 1

    await connection.create_function("hold", 0, hold)
    left = asyncio.create_task(asked(connection, "INSERT INTO t VALUES (hold())"))
    await asyncio.to_thread(holding.wait, 5)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    next_one = asyncio.create_task(asked(connection, "SELECT a FROM t"))
    await asyncio.sleep(0)
    assert not next_one.done()
    goes_on.set()
    assert await next_one == [(1,)]


async def test_an_error_of_a_statement_is_not_taken_for_a_long_look(connection: Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await asked(connection, "SELECT * FROM nowhere")


async def test_a_long_look_inside_a_writing_transaction_leaves_it_whole(tmp_path: Path) -> None:
    store = Store(SqliteFactory(tmp_path).url())
    try:
        async with store.write() as tx:
            plain = await tx.connection()
            await plain.exec_driver_sql("CREATE TABLE t (a INTEGER)")
            await plain.exec_driver_sql("INSERT INTO t VALUES (1)")
            await plain.exec_driver_sql(LONG.replace("whereabouts()", "0"))
        async with store.read() as session:
            found = await (await session.connection()).exec_driver_sql("SELECT a FROM t")
            assert found.scalars().all() == [1]
    finally:
        await store.close()


async def test_a_new_file_that_another_process_is_changing_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself does not wait where the journal of a file is to be changed."""
    path = tmp_path / "new.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store = Store(f"sqlite:///{path}")
    opening = asyncio.create_task(store.ping())
    await asyncio.sleep(0.1)
    assert not opening.done()
    other.execute("COMMIT")
    other.close()
    await opening
    async with store.read() as session:
        found = await (await session.connection()).execute(text("PRAGMA journal_mode"))
        assert found.scalar() == "wal"
    await store.close()


async def test_only_what_need_not_last_is_committed_without_waiting_for_the_disk(tmp_path: Path) -> None:
    normal, full = 1, 2
    store = Store(f"sqlite:///{tmp_path / 'one.db'}")

    async def waits(lasting: bool) -> int:
        [(found,)] = await store.alone(SYNCHRONOUS, {}, lasting=lasting)
        return int(found)

    assert [await waits(lasting) for lasting in (True, False, False, True)] == [full, normal, normal, full]
    await waits(lasting=False)
    async with store.write() as tx:
        assert (await (await tx.connection()).execute(SYNCHRONOUS)).scalar_one() == full
    await store.close()


HELD = text("INSERT INTO t VALUES (hold()) RETURNING a").columns(a=Integer)


async def in_a_transaction(store: Store) -> None:
    async with store.write() as tx:
        await (await tx.connection()).execute(HELD)


async def alone(store: Store) -> None:
    await store.alone(HELD, {})


@pytest.mark.parametrize("write", [in_a_transaction, alone])
async def test_closing_that_is_cancelled_costs_the_connection_and_no_more(
    tmp_path: Path, write: Callable[[Store], Coroutine[Any, Any, None]]
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'one.db'}")
    holding, goes_on = threading.Event(), threading.Event()

    def hold() -> int:
        holding.set()
        goes_on.wait(5)
        return 1

    async with store.write() as tx:
        driver: Any = (await (await tx.connection()).get_raw_connection()).driver_connection
        await driver.create_function("hold", 0, hold)
    await store.run_sync(lambda first: first.execute(text("CREATE TABLE t (a INTEGER)")))
    left = asyncio.create_task(write(store))
    await asyncio.to_thread(holding.wait, 5)
    for _ in ("at work", "while it is undone"):
        left.cancel()
        await asyncio.sleep(0.01)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await left
    await store.run_sync(lambda after: after.execute(text("INSERT INTO t VALUES (2)")))
    async with store.read() as tx:
        assert (await (await tx.connection()).execute(text("SELECT a FROM t"))).all() == [(2,)]
    await store.close()
