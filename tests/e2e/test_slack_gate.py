"""The door: what is not Slack's is turned away, and nothing is acknowledged that is not stored."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlmodel import select

from bot.clock import Clock, MovableClock
from bot.store.engine import Store
from bot.store.tables import InboxEvent
from handlers.inbox import Inbox
from handlers.running import served
from handlers.slack.surface import make_slack
from tests.fakes.slack_product import settings_for
from tests.fakes.slack_server import BOT, FakeSlack
from tests.fakes.slack_workspace import Workspace, signed


@dataclass
class Door:
    """What `make_slack` needs, without anybody behind it."""

    store: Store
    inbox: Inbox
    clock: Clock


@asynccontextmanager
async def door(store: Store, clock: Clock, folder: Path) -> AsyncIterator[Workspace]:
    """The gate over a store, and a workspace that knocks."""
    fake = FakeSlack()
    fake.add_user("UA", "a@example.com")
    async with served(fake.app(), "127.0.0.1", 0) as api:
        surface = make_slack(Door(store, Inbox(store), clock), settings_for(api, folder))
        site = web.Application()
        surface.add_to(site)
        async with served(site, "127.0.0.1", 0) as address, aiohttp.ClientSession() as http:
            yield Workspace(fake, f"{address}/slack/events", http, retries=0)
            await surface.close()


@pytest.fixture
async def people(store: Store, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Workspace]:
    async with door(store, clock, tmp_path) as knocking:
        yield knocking


async def stored(store: Store) -> list[InboxEvent]:
    async with store.read() as session:
        return list((await session.exec(select(InboxEvent))).all())


async def test_redeliveries_shuffled_and_at_once_are_stored_once(people: Workspace, store: Store) -> None:
    direct = people.slack.direct("UA")
    bodies = [people.said(direct, "UA", f"number {n}", channel_type="im") for n in range(150)]
    deliveries = bodies + random.Random(1).sample(bodies, 45)  # noqa: S311
    random.Random(2).shuffle(deliveries)  # noqa: S311
    statuses = await asyncio.gather(*(people.send_json(body) for body in deliveries))
    assert set(statuses) == {200}
    rows = await stored(store)
    assert sorted(row.payload["text"] for row in rows) == sorted(f"number {n}" for n in range(150))


async def test_a_retry_header_is_no_reason_to_drop(people: Workspace, store: Store) -> None:
    body = people.said(people.slack.direct("UA"), "UA", "once", channel_type="im")
    assert await people.send_json(body, **{"X-Slack-Retry-Num": "2"}) == 200
    assert len(await stored(store)) == 1


async def test_a_follow_up_counts_only_in_a_thread_that_we_are_in(people: Workspace, store: Store) -> None:
    people.slack.add_channel("C1", "UA", "UB")
    people.slack.add_user("UB", "b@example.com")
    ts = await people.speak("UA", "C1", f"<@{BOT}> hello")
    await people.speak("UA", "C1", "one more thing", thread=ts)
    await people.speak("UB", "C1", "me too", thread=ts)
    await people.speak("UA", "C1", "elsewhere", thread="1.000001")
    await people.speak("UA", "C1", "just talking")
    assert sorted(row.payload["text"] for row in await stored(store)) == ["hello", "one more thing"]


async def knock(people: Workspace, raw: bytes, headers: dict[str, str]) -> int:
    async with people.http.post(people.endpoint, data=raw, headers=headers) as response:
        return response.status


async def test_what_is_not_signed_by_slack_is_turned_away(people: Workspace, store: Store) -> None:
    raw = json.dumps(people.said(people.slack.direct("UA"), "UA", "hi", channel_type="im")).encode()
    as_json = {"Content-Type": "application/json"}
    good, now = signed(raw), time.time()
    forged = [
        {},
        {**good, "X-Slack-Signature": "v0=" + "0" * 64},
        {**good, "X-Slack-Signature": "nonsense"},
        {**good, "X-Slack-Signature": "v0=ä"},
        {**good, "X-Slack-Request-Timestamp": "yesterday"},
        {**good, "X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Signature": good["X-Slack-Signature"]},
        signed(raw, now - 301),
        signed(raw, now + 330),  # beyond the limit even if a slow machine takes half a minute to get here
        signed(raw + b" "),
        signed(raw, secret="another secret"),
    ]
    for headers in forged:
        assert await knock(people, raw, {**as_json, **headers}) == 401, headers
    assert await stored(store) == []
    assert await knock(people, raw, {**as_json, **good}) == 200
    assert await knock(people, raw, {**as_json, **good}) == 200, "a replay within the time changes nothing"
    assert len(await stored(store)) == 1


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"payload=%7B", b"payload=[]"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
async def test_a_signed_riddle_is_no_error_of_ours(
    sqlite_store: Store, clock: MovableClock, tmp_path: Path, raw: bytes, kind: str
) -> None:
    async with door(sqlite_store, clock, tmp_path) as people:
        assert await knock(people, raw, {"Content-Type": kind, **signed(raw)}) in (200, 400, 401, 404)


async def test_the_challenge_is_returned(people: Workspace) -> None:
    assert await people.send_json({"type": "url_verification", "challenge": "abc"}) == 200
    assert json.loads(people.replies[-1][1]) == {"challenge": "abc"}


async def test_an_outage_of_the_database_is_not_acknowledged(clock: MovableClock, tmp_path: Path) -> None:
    store = Store("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    async with door(store, clock, tmp_path) as people:
        people.slack.add_channel("C1", "UA")
        for body in (
            people.said(people.slack.direct("UA"), "UA", "hello", channel_type="im"),
            people.said(people.slack.channels["C1"], "UA", "go on", thread="1.1"),
        ):
            assert await people.send_json(body) == 503
    await store.close()
