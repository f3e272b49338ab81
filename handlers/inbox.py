"""Every incoming event, stored before it is acknowledged.

Events that arrive at the same moment share one transaction: durability costs one wait for the disk, not one
for each. `record` returns when the event is safe, and raises where it is not: then the platform must be told
so that it sends again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError

from bot.clock import Clock
from bot.store.engine import Store
from bot.store.tables import InboxEvent, Platform

BATCH = 200
ATTEMPTS = 8
DEADLOCK = "40P01"
"""PostgreSQL's state of a transaction that was ended because it and another waited for each other."""


@dataclass(frozen=True)
class Arrival:
    """An event as a surface received it.

    `key` names the event on its platform: a second delivery has the same. `conversation` orders: its events
    are processed one after the other.
    """

    platform: Platform
    key: str
    conversation: str
    payload: dict[str, Any]
    at: datetime

    def row(self) -> dict[str, Any]:
        return _FRESH | {
            "platform": self.platform,
            "dedupe_key": self.key,
            "conversation": self.conversation,
            "payload": self.payload,
            "received_at": self.at,
        }


_FRESH = InboxEvent(
    platform=Platform.SLACK, dedupe_key="", conversation="", received_at=datetime.min.replace(tzinfo=UTC)
).model_dump(exclude={"id"})
"""The columns of an event that nobody has looked at yet."""


@dataclass
class _Waiting:
    arrival: Arrival
    done: asyncio.Future[int | None]


class Inbox:
    """Takes events in. `on_new` is called after each batch that held something new."""

    def __init__(self, store: Store, on_new: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._on_new = on_new
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def record(self, arrival: Arrival) -> int | None:
        """Store one event. Returns its id, or None where it was known already.

        Raises StoreUnavailable where it could not be stored: nothing may be acknowledged then.
        """
        future: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(arrival, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        # A caller that goes away (a closed connection) must not take the others' batch along.
        return await asyncio.shield(future)

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                stored = await self._write_through([waiting.arrival for waiting in batch])
            except Exception as error:
                self._fail(batch, error)
                continue
            for waiting in batch:
                key = (waiting.arrival.platform, waiting.arrival.key)
                if not waiting.done.done():
                    # The first of two equal deliveries in a batch takes the id, the second finds it gone.
                    waiting.done.set_result(stored.pop(key, None))
            self._on_new()

    @staticmethod
    def _fail(batch: list[_Waiting], error: Exception) -> None:
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_exception(error)
                # Nobody may be left to hear it; that is no second error.
                waiting.done.exception()

    async def _write_through(self, arrivals: list[Arrival]) -> dict[tuple[Platform, str], int]:
        """Write a batch, again where PostgreSQL chose it to give way.

        Two processes that get the same deliveries in another order wait for each other's rows. Sorting them
        would prevent that, and would lose the order in which a conversation arrived.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._write(arrivals)
            except DBAPIError as error:
                if attempt == ATTEMPTS or getattr(error.orig, "sqlstate", None) != DEADLOCK:
                    raise
                await asyncio.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311  (spreads, hides nothing)
        raise AssertionError("the loop returns or raises")

    async def _write(self, arrivals: list[Arrival]) -> dict[tuple[Platform, str], int]:
        statement = _SQLITE if self._store.is_sqlite else _POSTGRESQL
        rows = await self._store.alone(statement, *(arrival.row() for arrival in arrivals))
        return {(Platform(platform), key): number for number, platform, key in rows}


class Door(Protocol):
    """What of the product (handlers.app.App) a platform needs that hands in events."""

    @property
    def store(self) -> Store: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def clock(self) -> Clock: ...


def _statement(make: Any) -> Any:
    table = InboxEvent.__table__  # type: ignore[attr-defined]
    return (
        make(table)
        .on_conflict_do_nothing(index_elements=["platform", "dedupe_key"])
        .returning(table.c.id, table.c.platform, table.c.dedupe_key)
    )


_SQLITE, _POSTGRESQL = _statement(sqlite_insert), _statement(postgresql_insert)
