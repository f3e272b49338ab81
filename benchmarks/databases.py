"""Fresh databases for benchmarks: one SQLite file, one real PostgreSQL server."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bot.store.engine import Store
from tests.support.databases import PostgresFactory, SqliteFactory

Found = TypeVar("Found")


async def on_both(measure: Callable[[Store], Awaitable[Found]]) -> list[tuple[str, Found]]:
    """What `measure` finds on each kind of database."""
    with tempfile.TemporaryDirectory() as folder:
        factory = SqliteFactory(Path(folder))
        found = [("SQLite", await _measured(factory.url(), measure))]
    postgres = PostgresFactory()
    try:
        found.append(("PostgreSQL", await _measured(await postgres.url(), measure)))
    finally:
        postgres.close()
    return found


async def _measured(url: str, measure: Callable[[Store], Awaitable[Found]]) -> Found:
    store = Store(url)
    try:
        return await measure(store)
    finally:
        await store.close()
