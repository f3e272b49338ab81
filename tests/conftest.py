"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.clock import MovableClock
from bot.store.engine import Store
from tests.support.databases import PostgresFactory, SqliteFactory

if TYPE_CHECKING:
    from tests.fakes.slack_product import Running
    from tests.fakes.teams_product import Running as TeamsRunning

SHARED = Path(__file__).parents[2] / "shared"
"""Data beside the checkout that tests may read where it is present."""

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
"""A Wednesday."""


@pytest.fixture(scope="session")
def sqlite_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteFactory]:
    factory = SqliteFactory(tmp_path_factory.mktemp("sqlite"))
    yield factory
    factory.close()


@pytest.fixture(scope="session")
def postgres_factory() -> Iterator[PostgresFactory]:
    factory = PostgresFactory()
    yield factory
    factory.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, migrated database: the test runs once on each kind."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_factory").url()
    return await request.getfixturevalue("postgres_factory").url()


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_database(request: pytest.FixtureRequest) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_factory").empty_url()
    return await request.getfixturevalue("postgres_factory").empty_url()


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A store on a fresh database; the test runs on SQLite and on PostgreSQL."""
    made = Store(database)
    yield made
    await made.close()


@pytest.fixture
async def sqlite_store(sqlite_factory: SqliteFactory) -> AsyncIterator[Store]:
    """A store on a fresh SQLite file, for tests where the database makes no difference."""
    made = Store(sqlite_factory.url())
    yield made
    await made.close()


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands (nearly) still on a Wednesday morning and can be moved."""
    return MovableClock(NOW)


@pytest.fixture
async def slack(sqlite_store: Store, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Running]:
    """The product at work beside Slack's fake, with a small company of which everybody has an account.

    What the product does in Slack is the same on both databases; the inbox and the outbox are tested on both.
    """
    # Here, because most tests need neither side of it and should not wait for its imports.
    from tests.fakes.slack_product import plant, running
    from tests.fakes.slack_server import FakeSlack

    fake = FakeSlack()
    async with running(sqlite_store, clock, tmp_path, fake) as at_work:
        await plant(sqlite_store, at_work.app, fake, tmp_path)
        yield at_work


@pytest.fixture
async def teams(sqlite_store: Store, clock: MovableClock, tmp_path: Path) -> AsyncIterator[TeamsRunning]:
    """The product at work beside the fake of Teams, with the same small company."""
    from tests.fakes.teams_product import plant, running
    from tests.fakes.teams_server import FakeTeams

    fake = FakeTeams()
    async with running(sqlite_store, clock, tmp_path, fake) as at_work:
        await plant(sqlite_store, at_work.app, fake, tmp_path)
        yield at_work
