"""Slack away for ten minutes, a revoked token, closed accounts: seen, and mended where it can be."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select

from bot.clock import MovableClock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import enqueue
from bot.store.tables import Identity, OutboxMessage, OutboxStatus, Platform
from handlers import worker
from handlers.slack.doctor import examine
from scheduler.outbox import dead_letters, try_again
from tests.fakes.slack_product import Running
from tests.fakes.slack_server import BOT, TEAM, TOKEN


async def send(store: Store, clock: MovableClock, key: str, channel: str) -> None:
    async with store.write() as tx:
        await enqueue(
            tx,
            platform=Platform.SLACK,
            conversation=f"{TEAM}:{channel}",
            messages=[Message(text=key)],
            key=key,
            now=clock(),
        )


async def rows(store: Store) -> list[OutboxMessage]:
    async with store.read() as session:
        return list((await session.exec(select(OutboxMessage).order_by(OutboxMessage.id))).all())  # type: ignore[arg-type]


async def until(store: Store, clock: MovableClock, *wanted: OutboxStatus) -> None:
    """Let the pauses pass until every message stands as wanted."""
    for _ in range(300):
        if all(row.status in wanted for row in await rows(store)):
            return
        clock.move_to(clock() + timedelta(seconds=20))
        await asyncio.sleep(0.05)
    raise AssertionError([(row.status, row.error) for row in await rows(store)])


async def told(slack: Running, clock: MovableClock) -> dict[str, tuple[bool, str]]:
    """What `stagecoach doctor` says of Slack."""
    app = slack.app
    found = await examine(app.settings, app.store, slack.surface.clients, clock)
    return {finding.name: (finding.well, finding.sentence) for finding in found}


async def test_ten_minutes_without_slack_lose_nothing_and_double_nothing(
    slack: Running, sqlite_store: Store, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE", timedelta(seconds=0.5))
    fake, people = slack.slack, slack.people
    await people.say("UFAY", "hello")
    await people.next("UFAY")
    fake.add_channel("C1")
    fake.away = True
    await people.say("UFAY", "How many days of annual leave do I have?")
    await people.say("UHANNA", "hello")  # not known yet: Slack would have to be asked who this is
    for number in range(5):
        await send(sqlite_store, clock, f"number {number}", "C1")
    gone = clock() + timedelta(minutes=10)
    while clock() < gone:
        clock.move_to(clock() + timedelta(seconds=30))
        await asyncio.sleep(0.05)
    assert fake.channels["C1"].messages == []
    ok, reason = (await told(slack, clock))["slack token"]
    assert not ok
    assert "can't be reached" in reason
    fake.away = False
    await until(sqlite_store, clock, OutboxStatus.SENT)
    assert [one["text"] for one in fake.channels["C1"].messages] == [f"number {n}" for n in range(5)]
    assert "30 days" in (await people.next("UFAY"))["text"]
    assert "Hello Hanna" in (await people.next("UHANNA"))["text"]
    for place in ("DUFAY", "DUHANNA"):
        said = [one["text"] for one in fake.channels[place].messages if one["user"] == BOT]
        assert len(said) == len(set(said))


async def test_a_revoked_token_is_told_and_the_next_one_sends_what_waited(
    slack: Running, sqlite_store: Store, clock: MovableClock
) -> None:
    fake = slack.slack
    fake.add_channel("C1")
    fake.tokens.pop(TOKEN)
    fake.revoked.add(TOKEN)
    await send(sqlite_store, clock, "one", "C1")
    await until(sqlite_store, clock, OutboxStatus.DEAD)
    found = await told(slack, clock)
    assert found["slack token"] == (False, "Slack refuses the token (token_revoked). Install the app again.")
    assert "revoked" in found["slack messages"][1]
    fake.tokens[TOKEN] = TEAM
    fake.revoked.clear()
    (dead,) = await dead_letters(sqlite_store)
    assert await try_again(sqlite_store, dead.id or 0, clock())
    await until(sqlite_store, clock, OutboxStatus.SENT)
    assert [one["text"] for one in fake.channels["C1"].messages] == ["one"]
    found = await told(slack, clock)
    assert found["slack token"][0]
    assert found["slack messages"] == (True, "Every message has left, or will.")


async def test_a_closed_account_is_let_go_and_taken_up_again_when_heard_from(
    slack: Running, sqlite_store: Store, clock: MovableClock
) -> None:
    fake, people = slack.slack, slack.people
    await people.say("UFAY", "hello")
    await people.next("UFAY")
    fake.users["UFAY"]["deleted"] = True
    async with sqlite_store.read() as session:
        fay = (await session.exec(select(Identity).where(Identity.external_id == "UFAY"))).one()
    async with sqlite_store.write() as tx:
        await enqueue(
            tx, platform=Platform.SLACK, conversation=f"{TEAM}:DUFAY", messages=[Message(text="a nudge")],
            key="nudge", now=clock(), person_id=fay.person_id,
        )  # fmt: skip
    await until(sqlite_store, clock, OutboxStatus.SENT, OutboxStatus.DEAD)
    assert "deactivated" in (await told(slack, clock))["slack messages"][1]
    async with sqlite_store.read() as session:
        assert not (await session.get_one(Identity, fay.id)).reachable
    fake.users["UFAY"]["deleted"] = False
    await people.say("UFAY", "hello again")
    assert (await people.next("UFAY"))["text"]
    async with sqlite_store.read() as session:
        assert (await session.get_one(Identity, fay.id)).reachable


async def test_an_archived_channel_is_told_and_takes_its_messages_when_it_is_back(
    slack: Running, sqlite_store: Store, clock: MovableClock
) -> None:
    place = slack.slack.add_channel("COLD")
    place.archived = True
    await send(sqlite_store, clock, "the digest", "COLD")
    await until(sqlite_store, clock, OutboxStatus.DEAD)
    assert "archived" in (await told(slack, clock))["slack messages"][1]
    place.archived = False
    (dead,) = await dead_letters(sqlite_store)
    await try_again(sqlite_store, dead.id or 0, clock())
    await until(sqlite_store, clock, OutboxStatus.SENT)
    assert [one["text"] for one in place.messages] == ["the digest"]
