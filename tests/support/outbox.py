"""Putting messages into the outbox, and running post offices until it is empty."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import func
from sqlmodel import col, select

from bot.clock import Clock, system_clock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import enqueue
from bot.store.tables import OutboxMessage, OutboxStatus, Platform
from scheduler.outbox import UNFINISHED
from scheduler.post import LEASE, PostOffice
from scheduler.sending import Sender


async def never_written(row: OutboxMessage, now: object) -> str:
    """A writer for tests without scheduled messages."""
    return "Nothing is scheduled here."


async def fill(
    store: Store, conversations: int, each: int, platform: Platform = Platform.SLACK, repeat: bool = True
) -> None:
    """`each` messages for each of so many conversations, numbered in their order."""
    async with store.write() as tx:
        for number in range(each):
            for conversation in range(conversations):
                await enqueue(
                    tx,
                    platform=platform,
                    conversation=f"C{conversation}",
                    messages=[Message(text=f"{number}")],
                    key=f"C{conversation}:{number}",
                    now=system_clock(),
                    prefers_repeat=repeat,
                )


async def count(store: Store, *statuses: OutboxStatus) -> int:
    """Rows in any of these states."""
    async with store.read() as session:
        found = await session.exec(
            select(func.count()).select_from(OutboxMessage).where(col(OutboxMessage.status).in_(statuses))
        )
        return int(found.one())


async def until(store: Store, number: int, *statuses: OutboxStatus) -> None:
    """Wait until exactly `number` rows are in any of these states."""
    while await count(store, *statuses) != number:  # noqa: ASYNC110  (the other side is a database)
        await asyncio.sleep(0.03)


def office(
    store: Store, senders: Mapping[Platform, Sender], clock: Clock = system_clock, lease: timedelta = LEASE
) -> PostOffice:
    """A post office without scheduled messages."""
    return PostOffice(store, clock, senders, never_written, lease)


async def run_until_empty(store: Store, offices: Sequence[PostOffice], seconds: float = 60) -> None:
    """Run the offices side by side until nothing is left to send."""
    stop = asyncio.Event()
    running = [asyncio.create_task(each.run(stop)) for each in offices]
    try:
        async with asyncio.timeout(seconds):
            await until(store, 0, *UNFINISHED)
    finally:
        stop.set()
        await asyncio.gather(*running)
