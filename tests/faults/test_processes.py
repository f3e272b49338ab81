"""Real processes, a real database, a Slack over HTTP: killed, stopped, and left without the database."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from sqlmodel import col, func, select

from bot.store.engine import Store
from bot.store.tables import Company, InboxEvent, InboxStatus, OutboxMessage, OutboxStatus, Person
from handlers.running import served
from scheduler.outbox import UNFINISHED
from tests.fakes.slack_server import BOT, TEAM, FakeSlack
from tests.fakes.slack_workspace import Workspace
from tests.support.databases import PostgresFactory
from tests.support.outbox import count, fill, until
from tests.support.processes import Serving

LONG = bool(os.environ.get("STAGECOACH_LONG"))
KILLS, CHANNELS, EACH = (40, 500, 20) if LONG else (2, 20, 5)
STOPS = 50 if LONG else 1
OUTAGE_SECONDS = 30.0 if LONG else 1.5
RECOVERED_WITHIN = 5.0
LEAVES_WITHIN = 25.0
GAP = 0.9
"""Slack takes a message a second for each channel; the fake lets clocks differ by a tenth."""

"""On PostgreSQL a killed process's claims run out after a minute: too long for the short form."""


@dataclass
class Load:
    """People who write all the time. `replies` are (seconds, status) of each request; 0 = no connection."""

    fake: FakeSlack
    endpoint: str = ""
    pause: float = 0.05
    replies: list[tuple[float, int]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Write until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
            people = Workspace(self.fake, "", http, retries=0)
            async with asyncio.TaskGroup() as group:
                for number in range(1_000_000):
                    group.create_task(self._one(people, number))
                    await asyncio.sleep(self.pause)

    def taken_since(self, moment: float) -> list[float]:
        """When requests of after `moment` were written that were accepted."""
        return [began for began, status in self.replies if began > moment and status == 200]

    async def _one(self, people: Workspace, number: int) -> None:
        user, began = f"U{number % 50}", time.monotonic()
        event = people.said(self.fake.direct(user), user, "help", channel_type="im")
        people.endpoint = self.endpoint
        try:
            status = await people.send_json(event)
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        self.replies.append((began, status))
        if status == 200:
            self.accepted.add(f"m:{TEAM}:{event['event']['channel']}:{event['event']['ts']}")


@asynccontextmanager
async def under_load(load: Load) -> AsyncIterator[None]:
    """People write while the block runs."""
    writing = asyncio.create_task(load.run())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


@asynccontextmanager
async def slack_with_people(store: Store) -> AsyncIterator[tuple[FakeSlack, str]]:
    """A fake Slack, and people in our tables who may write to us."""
    fake = FakeSlack(gap=GAP)
    for number in range(CHANNELS):
        fake.add_channel(f"C{number}")
    async with store.write() as tx:
        tx.add(Company(name="Larkfield", time_zone="Europe/Berlin"))
        for number in range(50):
            fake.add_user(f"U{number}", f"p{number}@larkfield.example")
            tx.add(Person(email=f"p{number}@larkfield.example", name=f"Person {number}"))
    async with served(fake.app(), "127.0.0.1", 0) as api:
        fake.url = api
        yield fake, api


def arrived(fake: FakeSlack) -> Counter[str]:
    """How often each of our deliveries stands in a history."""
    return Counter(
        message["metadata"]["event_payload"]["delivery_id"]
        for channel in fake.channels.values()
        for message in channel.messages
        if message["user"] == BOT
    )


async def all_delivered(store: Store, seconds: float) -> None:
    """Wait until nothing waits to be processed or sent any more."""
    async with asyncio.timeout(seconds):
        while await waiting_events(store):  # noqa: ASYNC110  (the other side is a database)
            await asyncio.sleep(0.1)
        await until(store, 0, *UNFINISHED)


async def waiting_events(store: Store, claimed: bool = False) -> int:
    query = select(func.count(col(InboxEvent.id))).where(InboxEvent.status == InboxStatus.NEW)
    if claimed:
        query = query.where(col(InboxEvent.claimed_by).is_not(None))
    async with store.read() as session:
        return int((await session.exec(query)).one())


async def nothing_lost_nothing_twice(store: Store, fake: FakeSlack, load: Load | None = None) -> None:
    async with store.read() as session:
        rows = list(await session.exec(select(OutboxMessage)))
        events = list(await session.exec(select(InboxEvent)))
    assert {row.status for row in rows} == {OutboxStatus.SENT}
    assert arrived(fake) == Counter({row.dedupe_key: 1 for row in rows})
    for channel in (fake.channels[f"C{number}"] for number in range(CHANNELS)):
        texts = [int(message["text"]) for message in channel.messages]
        assert texts == sorted(texts), "a conversation keeps its order"
    if load is not None:
        assert load.accepted <= {event.dedupe_key for event in events}, "every accepted event is in the inbox"
        assert {event.status for event in events} == {InboxStatus.DONE}
        answered = Counter(row.event_id for row in rows if row.event_id is not None)
        assert set(answered) == {event.id for event in events}


Start = Callable[[str, str], Serving]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process on a database for a fake Slack; whatever a test leaves running is killed."""
    started: list[Serving] = []

    def make(url: str, api: str) -> Serving:
        started.append(Serving(tmp_path, url, api))
        return started[-1]

    yield make
    for one in started:
        one.end()


async def has_claims(store: Store, looks: int) -> bool:
    """Whether messages are on their way right now; more than one look wait for such a moment."""
    for _ in range(looks):
        if await count(store, OutboxStatus.CLAIMED):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_killed_again_and_again_nothing_is_lost_and_nothing_doubled(url: str, start: Start) -> None:
    """Two replicas on PostgreSQL, the only process on SQLite; one after the other dies in the middle."""
    store, chance = Store(url), random.Random(40)  # noqa: S311
    replicas = 1 if store.is_sqlite else 2
    async with slack_with_people(store) as (fake, api):
        await fill(store, CHANNELS, EACH)
        running = [start(url, api) for _ in range(replicas)]
        hit = 0
        for number in range(KILLS):
            place = number % replicas
            await running[place].address()
            await asyncio.sleep(chance.uniform(0.1, 1.0))
            hit += await has_claims(store, looks=1 if number % 2 else 500)
            await running[place].kill()
            running[place] = start(url, api)
        left = await count(store, *UNFINISHED)
        await all_delivered(store, 900)
        for one in running:
            await one.address()
            await one.stop()
        await nothing_lost_nothing_twice(store, fake)
        print(f"{url[:6]}: {KILLS} kills, {hit} with claims open, {left} left after the last")
        assert hit
    await store.close()


async def test_told_to_stop_under_load_it_leaves_in_time_and_in_order(url: str, start: Start) -> None:
    store, chance = Store(url), random.Random(50)  # noqa: S311
    took, left = [], Counter[str]()
    async with slack_with_people(store) as (fake, api):
        await fill(store, CHANNELS, EACH)
        load = Load(fake)
        async with under_load(load):
            for _ in range(STOPS):
                one = start(url, api)
                load.endpoint = f"{await one.address()}/slack/events"
                await asyncio.sleep(chance.uniform(0.1, 2.0))
                took.append(await one.stop())
                left["claims"] += await count(store, OutboxStatus.CLAIMED)
                left["events"] += await waiting_events(store, claimed=True)
        last = start(url, api)
        await all_delivered(store, 900)
        await last.address()
        await last.stop()
        await nothing_lost_nothing_twice(store, fake, load)
    await store.close()
    print(f"{url[:6]}: {STOPS} stops, at most {max(took):.1f} s, {len(load.accepted)} accepted")
    assert max(took) < LEAVES_WITHIN
    assert left == {"claims": 0, "events": 0}, "no claim without an owner"


@pytest.fixture
def own_server() -> Iterator[PostgresFactory]:
    """A database server of this test alone, since it is taken away."""
    factory = PostgresFactory()
    yield factory
    factory.close()


async def test_the_database_is_gone_for_a_while(own_server: PostgresFactory, start: Start) -> None:
    database = await own_server.url()
    store = Store(database)
    async with slack_with_people(store) as (fake, api):
        await fill(store, CHANNELS, EACH)
        one = start(database, api)
        load = Load(fake, f"{await one.address()}/slack/events")
        async with under_load(load):
            await asyncio.sleep(3.0)
            await asyncio.to_thread(own_server.take_away)
            gone = time.monotonic()
            await asyncio.sleep(OUTAGE_SECONDS)
            meanwhile = [status for began, status in load.replies if began > gone]
            back = time.monotonic()
            await asyncio.to_thread(own_server.bring_back)
            async with asyncio.timeout(60):
                while not load.taken_since(back):  # noqa: ASYNC110  (the other side is a process)
                    await asyncio.sleep(0.05)
            await asyncio.sleep(3.0)
        await all_delivered(store, 900)
        await one.stop()
        await nothing_lost_nothing_twice(store, fake, load)
    await store.close()
    assert meanwhile
    assert all(status >= 500 for status in meanwhile), Counter(meanwhile)
    recovered = load.taken_since(back)[0] - back
    print(
        f"gone {OUTAGE_SECONDS} s, {len(meanwhile)} refused, {len(load.accepted)} taken, back {recovered:.1f}"
    )
    assert not LONG or recovered < RECOVERED_WITHIN
