"""A Slack that is busy, faulty and drops connections: every answer arrives, and none twice."""

from __future__ import annotations

import asyncio
import random

from aiohttp import web
from sqlmodel import select

from bot.clock import MovableClock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import enqueue
from bot.store.tables import OutboxMessage, OutboxStatus, Platform
from scheduler.outbox import dead_letters
from tests.fakes.slack_product import Running
from tests.fakes.slack_server import BOT, TEAM

MESSAGES, CHANNELS = 60, 20


async def send(store: Store, clock: MovableClock, number: int, channel: str) -> None:
    async with store.write() as tx:
        await enqueue(
            tx,
            platform=Platform.SLACK,
            conversation=f"{TEAM}:{channel}",
            messages=[Message(text=f"number {number}")],
            key=f"test:{number}",
            now=clock(),
        )


async def settled(store: Store, clock: MovableClock) -> list[OutboxMessage]:
    """Let the post office come to an end, however long the pauses that it keeps."""
    for _ in range(400):
        async with store.read() as session:
            rows = list((await session.exec(select(OutboxMessage))).all())
        if all(row.status in (OutboxStatus.SENT, OutboxStatus.DEAD) for row in rows):
            return rows
        clock.move_to(max([clock(), *(row.due_at for row in rows if row.status != OutboxStatus.CLAIMED)]))
        await asyncio.sleep(0.05)
    raise AssertionError([(row.status, row.error) for row in rows if row.status != OutboxStatus.SENT])


async def test_everything_arrives_once_from_a_bad_platform(
    slack: Running, sqlite_store: Store, clock: MovableClock
) -> None:
    fake, chance = slack.slack, random.Random(7)  # noqa: S311

    async def accepted_then_gone(request: web.Request) -> web.StreamResponse:
        given = await request.json()
        fake.post(fake.channels[given["channel"]], BOT, given)
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    def busy() -> web.Response:
        return web.json_response(
            {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "2"}
        )

    async def answer(request: web.Request) -> web.StreamResponse:
        luck = chance.random()
        if luck < 0.5:
            return busy()
        if luck < 0.65:
            return web.json_response({"ok": False, "error": "fatal_error"}, status=500)
        if luck < 0.8:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return await accepted_then_gone(request)

    for number in range(CHANNELS):
        fake.add_channel(f"C{number}")
    fake.refuse("chat.postMessage", answer, times=25)
    for number in range(MESSAGES):
        await send(sqlite_store, clock, number, f"C{number % CHANNELS}")
    rows = await settled(sqlite_store, clock)
    assert {row.status for row in rows} == {OutboxStatus.SENT}
    arrived = [m["text"] for number in range(CHANNELS) for m in fake.channels[f"C{number}"].messages]
    assert sorted(arrived) == sorted(f"number {number}" for number in range(MESSAGES))
    for number in range(CHANNELS):
        texts = [m["text"] for m in fake.channels[f"C{number}"].messages]
        assert texts == sorted(texts, key=lambda text: int(text.split()[1])), "a conversation keeps its order"


async def test_what_cannot_be_delivered_ends_in_a_known_state(
    slack: Running, sqlite_store: Store, clock: MovableClock
) -> None:
    fake = slack.slack
    fake.add_channel("COLD").archived = True
    fake.add_channel("CNEW")
    await slack.people.say("UFAY", "hello")
    await slack.people.next("UFAY")
    fake.users["UFAY"]["deleted"] = True
    for number, channel in enumerate(("COLD", "CNEW", "CNONE", "DUFAY")):
        await send(sqlite_store, clock, number, channel)
    await settled(sqlite_store, clock)
    reasons = {row.conversation.partition(":")[2]: row.error for row in await dead_letters(sqlite_store)}
    assert set(reasons) == {"COLD", "CNONE", "DUFAY"}
    assert "archived" in reasons["COLD"]
    assert [m["text"] for m in fake.channels["CNEW"].messages] == ["number 1"]
