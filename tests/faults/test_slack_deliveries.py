"""Slack delivers some events twice, in any order, many at a time: each is processed once, none is lost."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import MovableClock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import InboxEvent, InboxStatus, OutboxMessage, Person
from bot.turns import Turn
from handlers.news import News
from handlers.worker import Worker
from tests.e2e.test_slack_gate import door

EVENTS, AGAIN = (10_000, 3_000) if os.environ.get("STAGECOACH_LONG") else (400, 120)
AT_A_TIME, PEOPLE = 100, 250


class Echo:
    """Answers every event with its own words."""

    async def hear(self, event: InboxEvent) -> Turn | None:
        number = event.id or 0
        text = str(event.payload["text"])
        return Turn(number, 1, event.platform.value, event.conversation, event.received_at, text=text)

    async def prepare(self, turn: Turn) -> object:
        return None

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: object) -> list[Message]:
        return [Message(text=turn.text or "")]


async def test_each_event_is_processed_once(store: Store, clock: MovableClock, tmp_path: Path) -> None:
    async with store.write() as tx:
        tx.add(Person(id=1, email="a@example.com", name="A"))
    stop, news = asyncio.Event(), News()
    workers = [asyncio.create_task(Worker(store, Echo(), clock, news).run(stop)) for _ in range(4)]
    async with door(store, clock, tmp_path) as people:
        bodies = []
        for number in range(EVENTS):
            user = f"U{number % PEOPLE}"
            bodies.append(people.said(people.slack.direct(user), user, f"number {number}", channel_type="im"))
        deliveries = bodies + random.Random(3).sample(bodies, AGAIN)  # noqa: S311
        random.Random(4).shuffle(deliveries)  # noqa: S311
        waiting = list(reversed(deliveries))

        async def deliver() -> None:
            while waiting:
                assert await people.send_json(waiting.pop()) == 200

        await asyncio.gather(*(deliver() for _ in range(AT_A_TIME)))
    await until_done(store, workers)
    stop.set()
    await asyncio.gather(*workers)
    async with store.read() as session:
        said = Counter(row.message["text"] for row in await session.exec(select(OutboxMessage)))
    assert said == Counter({f"number {number}": 1 for number in range(EVENTS)})


async def until_done(store: Store, workers: list[asyncio.Task[None]]) -> None:
    """Wait for the workers to come to the end."""
    waiting = select(InboxEvent.id).where(InboxEvent.status == InboxStatus.NEW).limit(1)
    for _ in range(36_000):
        for worker in workers:
            assert not worker.done(), worker.exception()
        async with store.read() as session:
            if (await session.exec(waiting)).first() is None:
                return
        await asyncio.sleep(0.1)
    raise AssertionError("the workers did not come to the end")
