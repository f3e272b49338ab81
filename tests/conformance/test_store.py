"""What the store promises, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Enum, Integer, func, insert, text
from sqlalchemy import select as sql_select
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from bot.errors import StoreUnavailable
from bot.store import engine, migrate
from bot.store.columns import columns
from bot.store.engine import Store
from bot.store.outbox import insert_once
from bot.store.tables import Company, Person, Revision
from tests.conftest import NOW


async def test_migrations_go_up_agree_with_the_tables_and_go_down(empty_database: str) -> None:
    store = Store(empty_database)
    try:
        assert await migrate.check(store) == ["The database has no tables yet. Run: stagecoach db upgrade"]
        assert await migrate.behind(store) == await migrate.check(store)
        assert await migrate.upgrade(store) == (None, migrate.head())
        assert await migrate.check(store) == await migrate.behind(store) == []
        await migrate.downgrade(store, "base")
        assert await migrate.upgrade(store) == (None, migrate.head())
        assert await migrate.check(store) == []
    finally:
        await store.close()


def test_the_files_names_tell_the_revisions() -> None:
    script = ScriptDirectory.from_config(migrate.config())
    assert [found.revision for found in script.walk_revisions()] == migrate.revisions()[::-1]
    assert script.get_heads() == [migrate.head()]


async def test_several_processes_may_migrate_at_once(empty_database: str) -> None:
    stores = [Store(empty_database) for _ in range(4)]
    try:
        results = await asyncio.gather(*(migrate.upgrade(store) for store in stores))
        assert [before for before, _ in results].count(None) == 1
        assert {after for _, after in results} == {migrate.head()}
    finally:
        for store in stores:
            await store.close()


async def test_a_database_from_the_future_is_refused(store: Store) -> None:
    async with store.write() as tx:
        await (await tx.connection()).execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="newer than this program"):
        await migrate.upgrade(store)
    assert "newer than this program" in (await migrate.check(store))[0]


async def test_no_update_is_lost(database: str) -> None:
    """Two processes' worth of read-modify-write; without BEGIN IMMEDIATE SQLite loses most of them."""
    stores = [Store(database), Store(database)]
    async with stores[0].write() as tx:
        tx.add(Revision(name="counter", value=0))

    async def raise_it(store: Store) -> None:
        async with store.write() as tx:
            found = await tx.exec(select(Revision).where(Revision.name == "counter").with_for_update())
            row = found.one()
            await asyncio.sleep(0)
            row.value += 1
            tx.add(row)

    await asyncio.gather(*(raise_it(stores[number % 2]) for number in range(100)))
    async with stores[0].read() as session:
        assert (await session.get_one(Revision, "counter")).value == 100
    for store in stores:
        await store.close()


async def test_instants_come_back_as_utc_and_naive_ones_are_refused(store: Store) -> None:
    berlin = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    async with store.write() as tx:
        tx.add(Person(email="a@example.com", name="A", enrolled_at=berlin))
    async with store.read() as session:
        person = (await session.exec(select(Person))).one()
    assert person.enrolled_at == berlin
    assert person.enrolled_at is not None
    assert person.enrolled_at.utcoffset() == timedelta(0)

    with pytest.raises(Exception, match=r"naive|timezone|tzinfo"):
        async with store.write() as tx:
            tx.add(Person(email="b@example.com", name="B", enrolled_at=NOW.replace(tzinfo=None)))


async def test_enums_are_kept_by_value_and_checked(store: Store) -> None:
    async with store.write() as tx:
        tx.add(Person(email="a@example.com", name="A"))
    with pytest.raises(IntegrityError):
        async with store.write() as tx:
            await (await tx.connection()).execute(text("UPDATE person SET preferred_platform = 'pigeon'"))


def test_every_enum_column_has_a_check_with_its_values() -> None:
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Enum):
                assert not column.type.native_enum, f"{table.name}.{column.name}"
                assert column.type.create_constraint, f"{table.name}.{column.name}"
                assert column.type.enum_class is not None
                assert column.type.enums == [member.value for member in column.type.enum_class]


async def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(IntegrityError):
        async with store.write() as tx:
            tx.add(Person(email="a@example.com", name="A", department_id=4711))


async def test_a_read_changes_nothing(store: Store) -> None:
    async with store.read() as session:
        session.add(Company(name="Lost"))
    async with store.read() as session:
        assert (await session.exec(select(Company))).all() == []


async def test_insert_once_is_quiet_about_what_is_there(store: Store) -> None:
    rows = [Revision(name=f"r{number}", value=number).model_dump() for number in range(20_000)]
    async with store.write() as tx:
        assert await insert_once(tx, Revision, rows[:5], ("name",)) == 5
    async with store.write() as tx:
        assert await insert_once(tx, Revision, rows, ("name",)) == 19_995


async def test_an_unreachable_database_is_named_in_one_sentence(tmp_path: object) -> None:
    store = Store("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    with pytest.raises(StoreUnavailable, match="can't be reached"):
        await store.ping()
    await store.close()


async def test_a_file_that_is_no_database_is_named(sqlite_factory: object, tmp_path: object) -> None:
    path = f"{tmp_path}/x.db"
    with open(path, "wb") as file:  # noqa: ASYNC230
        file.write(b"this is a text, not a database. " * 200)
    store = Store(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="damaged or is something else"):
        await store.ping()
    await store.close()


def test_the_present_is_utc() -> None:
    assert NOW.tzinfo is UTC


async def test_a_connection_that_the_server_ended_is_not_used_again(database: str) -> None:
    if database.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    store, other = Store(database), Store(database)
    try:
        before = await backend(store)
        assert await scalar(other, f"SELECT pg_terminate_backend({before}, 5000)") is True
        await asyncio.sleep(0.2)  # the server's word is on its way to the driver
        assert await backend(store) != before
    finally:
        await store.close()
        await other.close()


async def test_a_statement_on_a_connection_that_is_gone_tells_of_an_outage(database: str) -> None:
    if database.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    store, other = Store(database), Store(database)
    try:
        with pytest.raises(StoreUnavailable, match="can't be reached"):
            await _lose_it_in_the_middle(store, other)
        [(mine,)] = await store.alone(BACKEND, {})
        [(again,)] = await store.alone(BACKEND, {})
        assert again == mine
        assert await scalar(other, f"SELECT pg_terminate_backend({mine}, 5000)") is True
        await asyncio.sleep(0.2)
        assert await store.alone(BACKEND, {}) != [(mine,)]
    finally:
        await store.close()
        await other.close()


async def test_whoever_is_cancelled_leaves_the_store_to_others(database: str) -> None:
    if database.startswith("sqlite"):
        pytest.skip("for SQLite see test_sqlite_connection")
    store = Store(database, pool_size=1)

    async def in_a_transaction() -> None:
        async with store.write() as tx:
            await columns(tx, SLEEP)

    try:
        for waits in (in_a_transaction, lambda: store.alone(SLEEP, {}), lambda: store.look(SLEEP, {})):
            left = asyncio.create_task(waits())  # type: ignore[arg-type]
            await asyncio.sleep(0.1)
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
            found = await asyncio.gather(*(store.look(BACKEND, {}) for _ in range(4)))
            assert len(found) == 4
            async with store.write() as tx:
                tx.add(Revision(name=f"{left.get_name()}", value=1))
    finally:
        await store.close()


async def _lose_it_in_the_middle(store: Store, other: Store) -> None:
    async with store.write() as tx:
        [(mine,)] = await columns(tx, BACKEND)
        assert await scalar(other, f"SELECT pg_terminate_backend({mine}, 5000)") is True
        await columns(tx, BACKEND)


async def test_one_statement_alone_stores_all_of_its_rows_or_none(store: Store) -> None:
    statement = insert(Revision.__table__).returning(Revision.__table__.c.name)  # type: ignore[attr-defined]
    rows = [{"name": name, "value": 1} for name in ("a", "b")]
    with pytest.raises(IntegrityError):
        await store.alone(statement, *rows, rows[0])
    assert await store.alone(statement, *rows) == [("a",), ("b",)]
    with pytest.raises(IntegrityError):
        await store.alone(statement, rows[0])
    async with store.write() as tx:
        assert [row.name for row in await tx.exec(select(Revision).order_by(Revision.name))] == ["a", "b"]


async def test_after_a_rest_a_connection_has_to_answer_first(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that forgets a connection tells nobody: only a question finds out."""
    if database.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    store = Store(database)
    asked: list[AsyncAdapt_asyncpg_connection] = []

    def deaf(connection: AsyncAdapt_asyncpg_connection) -> None:
        asked.append(connection)
        raise connection.dbapi.InterfaceError("no answer")

    try:
        first = await backend(store)
        assert await backend(store) == first
        monkeypatch.setattr(AsyncAdapt_asyncpg_connection, "ping", deaf)
        assert (await backend(store), asked) == (first, [])
        monkeypatch.setattr(engine, "IDLE_SECONDS", -1.0)
        assert await backend(store) != first
        assert len(asked) == 1
    finally:
        await store.close()


SLEEP = sql_select(func.pg_sleep(30, type_=Integer))
BACKEND = sql_select(func.pg_backend_pid(type_=Integer))


async def backend(store: Store) -> object:
    """The process of the server that a transaction of `store` talks to."""
    return await scalar(store, "SELECT pg_backend_pid()")


async def scalar(store: Store, statement: str) -> object:
    async with store.read() as session:
        return (await (await session.connection()).execute(text(statement))).scalar()
