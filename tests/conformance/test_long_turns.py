"""A turn that takes longer than a claim holds is still answered once, by the worker that began it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import MovableClock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import InboxEvent, InboxStatus, OutboxMessage, Person, Platform
from bot.turns import Turn
from handlers import worker as workers
from handlers.inbox import Arrival, Inbox
from handlers.news import News
from handlers.worker import Worker
from tests.conftest import NOW


class Slow:
    """Prepares until it is let go, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.at_it = asyncio.Event()
        self.go_on = asyncio.Event()

    async def hear(self, event: InboxEvent) -> Turn:
        return Turn(
            event.id or 0, 1, event.platform.value, event.conversation, event.received_at, text="long"
        )

    async def prepare(self, turn: Turn) -> None:
        self.begun += 1
        self.at_it.set()
        await self.go_on.wait()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: object) -> list[Message]:
        return [Message(text="done")]


@pytest.fixture
async def waiting(store: Store) -> Store:
    async with store.write() as tx:
        tx.add(Person(id=1, email="a@example.com", name="A"))
    await Inbox(store).record(Arrival(Platform.SLACK, "e1", "c1", {"text": "long"}, NOW))
    return store


async def until_renewed(store: Store, now: datetime) -> None:
    """Wait until the one event is claimed for its full time from `now` on."""
    claimed = select(InboxEvent.claimed_until)
    async with asyncio.timeout(30):
        while True:
            async with store.read() as session:
                until = (await session.exec(claimed)).first()
            if until is not None and until >= now + workers.LEASE:
                return
            await asyncio.sleep(0.02)


async def test_a_claim_is_renewed_while_the_work_goes_on(waiting: Store, clock: MovableClock) -> None:
    slow = Slow()
    first = Worker(waiting, slow, clock, News(), machine_clock=clock, renew_seconds=0.02)
    other = Worker(waiting, slow, clock, News(), machine_clock=clock, renew_seconds=0.02)
    at_work = asyncio.create_task(first.answer_next())
    for _ in range(4):
        await until_renewed(waiting, clock())
        clock.move_to(clock() + workers.LEASE - timedelta(seconds=5))
        assert not await other.answer_next(), "it is still with the first"
    slow.go_on.set()
    assert await at_work
    async with waiting.read() as session:
        event = (await session.exec(select(InboxEvent))).one()
        sent = (await session.exec(select(func.count(col(OutboxMessage.id))))).one()
    assert (event.status, event.attempts, slow.begun, sent) == (InboxStatus.DONE, 1, 1, 1)


async def test_a_worker_that_is_told_to_stop_ends_the_work_and_gives_it_back(
    waiting: Store, clock: MovableClock
) -> None:
    slow = Slow()
    worker = Worker(waiting, slow, clock, News(), machine_clock=clock, renew_seconds=0.02)
    at_work = asyncio.create_task(worker.answer_next())
    await slow.at_it.wait()
    at_work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await at_work
    slow.go_on.set()
    assert await Worker(waiting, slow, clock, News(), machine_clock=clock).answer_next()
    assert slow.begun == 2
