"""A Teams that is busy, faulty and drops connections, people who block the app, a process that is killed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from sqlmodel import select

from bot.clock import MovableClock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import address_of, enqueue
from bot.store.tables import (
    Company,
    Identity,
    InboxEvent,
    InboxStatus,
    OutboxMessage,
    OutboxStatus,
    Person,
    Platform,
)
from handlers.running import served
from scheduler.outbox import dead_letters
from tests.fakes.teams_chats import Chats, said
from tests.fakes.teams_product import Running
from tests.fakes.teams_server import FakeTeams, busy, no
from tests.faults.test_slack_outage import settled
from tests.support.processes import Serving

MESSAGES, CHATS = 60, 20


async def send(store: Store, clock: MovableClock, number: int, chat: str, **named: object) -> None:
    async with store.write() as tx:
        await enqueue(
            tx,
            platform=Platform.TEAMS,
            conversation=chat,
            messages=[Message(text=f"number {number}")],
            key=f"test:{number}",
            now=clock(),
            **named,  # type: ignore[arg-type]
        )


def accepting(fake: FakeTeams, lost: list[str]) -> object:
    """Takes the message, and the connection breaks before the reply."""

    async def take(request: web.Request) -> web.StreamResponse:
        message = fake.post(fake.chats[request.match_info["chat"]], await request.json())
        lost.append(said(message))
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    return take


async def test_everything_arrives_in_order_from_a_bad_platform(
    teams: Running, sqlite_store: Store, clock: MovableClock
) -> None:
    fake, chance, lost = teams.teams, random.Random(7), []  # noqa: S311
    taken = accepting(fake, lost)

    async def answer(request: web.Request) -> web.StreamResponse:
        luck = chance.random()
        if luck < 0.5:
            return busy(1)
        if luck < 0.65:
            return no(503, "ServiceUnavailable")
        if luck < 0.8:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return await taken(request)  # type: ignore[operator, no-any-return]

    for number in range(CHATS):
        fake.add_channel(f"19:c{number}")
    fake.refuse("send", answer, times=25)
    for number in range(MESSAGES):
        await send(sqlite_store, clock, number, f"19:c{number % CHATS}")
    rows = await settled(sqlite_store, clock)
    assert {row.status for row in rows} == {OutboxStatus.SENT}
    arrived = Counter(said(m) for number in range(CHATS) for m in fake.chats[f"19:c{number}"].messages)
    # A bot can't read what it wrote: only what was taken without a word may stand there twice.
    assert arrived == Counter(f"number {number}" for number in range(MESSAGES)) + Counter(lost)
    assert lost, "the fault that this is about happened"
    for number in range(CHATS):
        texts = [int(said(m).split()[1]) for m in fake.chats[f"19:c{number}"].messages]
        assert texts == sorted(texts), "a conversation keeps its order"


async def test_where_nobody_can_tell_a_nudge_prefers_silence(
    teams: Running, sqlite_store: Store, clock: MovableClock
) -> None:
    teams.teams.add_channel("19:c0")
    teams.teams.refuse("send", accepting(teams.teams, []))  # type: ignore[arg-type]
    await send(sqlite_store, clock, 1, "19:c0", prefers_repeat=False)
    (row,) = await settled(sqlite_store, clock)
    assert row.status is OutboxStatus.DEAD
    assert len(teams.teams.chats["19:c0"].messages) == 1


async def test_whoever_blocks_the_app_is_not_tried_for_ever(
    teams: Running, sqlite_store: Store, clock: MovableClock
) -> None:
    await teams.people.say("fay", "hello")
    await teams.people.next("fay")
    async with sqlite_store.read() as session:
        fay = (await session.exec(select(Person).where(Person.email == "fay@example.com"))).one()
    teams.teams.personal("fay").blocked = True
    await send(sqlite_store, clock, 1, "a:1-fay", person_id=fay.id)
    await settled(sqlite_store, clock)
    (dead,) = await dead_letters(sqlite_store)
    assert "blocked the app" in dead.error
    assert sum(path.endswith("fay/activities") for what, path in teams.teams.calls if what == "send") <= 4
    async with sqlite_store.read() as session:
        assert not (await session.exec(select(Identity))).one().reachable
        assert (await address_of(session, fay.id or 0))[0] is Platform.WEB
    teams.teams.personal("fay").blocked = False
    await teams.people.say("fay", "hello again")
    await teams.people.next("fay")
    async with sqlite_store.read() as session:
        assert await address_of(session, fay.id or 0) == (Platform.TEAMS, "a:1-fay")


async def test_where_teams_is_away_nobody_is_taken_for_a_stranger(teams: Running) -> None:
    teams.teams.refuse("member", no(503, "ServiceUnavailable"))
    await teams.people.say("fay", "hello")
    assert "Hello Fay" in said(await teams.people.next("fay"))
    assert len(teams.teams.personal("fay").messages) == 1


@asynccontextmanager
async def crowd(url: str, number: int) -> AsyncIterator[tuple[FakeTeams, Store]]:
    """So many people, and a Teams without tokens."""
    store, fake = Store(url), FakeTeams()
    fake.anonymous = True
    async with store.write() as tx:
        tx.add(Company(name="Larkfield", time_zone="Europe/Berlin"))
        tx.add_all([Person(email=f"p{n}@larkfield.example", name=f"P{n}") for n in range(number)])
    for n in range(number):
        fake.add_user(f"p{n}", f"p{n}@larkfield.example")
    async with served(fake.app(), "127.0.0.1", 0) as api:
        fake.url = api
        yield fake, store
    await store.close()


async def test_what_was_acknowledged_before_a_kill_is_answered_after_it(
    url: str, tmp_path: Path, processes: list[Serving]
) -> None:
    people = 30
    async with crowd(url, people) as (fake, store), aiohttp.ClientSession() as http:
        first = Serving(tmp_path, url, fake.url, TEAMS_ANONYMOUS="1")
        processes.append(first)
        chats = Chats(fake, f"{await first.address()}/api/messages", http, retries=0)
        for n in range(people):
            body = chats.activity(f"p{n}", fake.personal(f"p{n}"), "message", text="hello")
            assert await chats.deliver(body) == 200
        await first.kill()
        second = Serving(tmp_path, url, fake.url, TEAMS_ANONYMOUS="1")
        processes.append(second)
        await second.address()
        async with asyncio.timeout(120), fake.news:
            await fake.news.wait_for(lambda: all(fake.personal(f"p{n}").messages for n in range(people)))
        await second.stop()
        for n in range(people):
            texts = {said(message) for message in fake.personal(f"p{n}").messages}
            assert len(texts) == 1
            assert f"Hello P{n}." in texts.pop()
        async with store.read() as session:
            assert {row.status for row in await session.exec(select(InboxEvent))} == {InboxStatus.DONE}
            rows = (await session.exec(select(OutboxMessage))).all()
        assert len(rows) == people, "each was answered once"
        twice = [n for n in range(people) if len(fake.personal(f"p{n}").messages) > 1]
        assert len(twice) <= 32, "only what was under way at the kill may stand there twice"
