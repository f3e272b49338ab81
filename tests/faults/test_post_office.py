"""The post office against a bad platform, slow recipients, crashes and rivals. On both databases."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlmodel import select

from bot.clock import MovableClock, system_clock
from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.tables import Identity, OutboxMessage, OutboxStatus, Person, Platform
from scheduler import outbox
from scheduler.outbox import claim, dead_letters, delivery_log, expire_claims, mark_sent, try_again
from scheduler.pace import Budget
from scheduler.sending import Pace
from tests.fakes.platform import BAD, FakePlatform
from tests.support.outbox import count, fill, office, run_until_empty, until

SLACK = Platform.SLACK
LONG = bool(os.environ.get("STAGECOACH_LONG"))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same growing pauses, a hundred times shorter."""
    monkeypatch.setattr(outbox, "FIRST_WAIT", timedelta(milliseconds=10))
    monkeypatch.setattr(outbox, "LONGEST_WAIT", timedelta(milliseconds=200))


async def test_everything_arrives_once_and_in_order_on_a_bad_platform(store: Store) -> None:
    platform = FakePlatform(faults=BAD)
    conversations, each = (200, 50) if LONG else (12, 10)
    await fill(store, conversations, each)
    await run_until_empty(store, [office(store, {SLACK: platform}) for _ in range(2)], seconds=1_800)
    assert set(platform.arrived.values()) == {1}
    assert len(platform.arrived) == conversations * each
    for ids in platform.history.values():
        assert [int(id_.split(":")[1]) for id_ in ids] == list(range(each))
    assert platform.too_early == 0
    assert await count(store, OutboxStatus.SENT) == conversations * each


async def test_a_slow_and_a_dead_recipient_delay_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.post.DRAIN_SECONDS", 0.1)
    platform = FakePlatform(slow=frozenset({"C0"}), gone=frozenset({"C1"}), pace=Pace(at_once=4, timeout=30))
    await fill(store, conversations=10, each=3)
    stop = asyncio.Event()
    running = asyncio.create_task(office(store, {SLACK: platform}).run(stop))
    async with asyncio.timeout(20):
        await until(store, 24, OutboxStatus.SENT)
    stop.set()
    await running
    assert {row.conversation for row in await dead_letters(store)} == {"C1"}
    assert {row.error for row in await dead_letters(store)} == {"The channel is archived."}


async def test_news_while_every_hand_is_full_leaves_others_their_turn(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written meanwhile wakes the loop, which has no room for it and must wait, not spin."""
    monkeypatch.setattr("scheduler.post.DRAIN_SECONDS", 0.1)
    platform = FakePlatform(slow=frozenset({"C0", "C1"}), pace=Pace(at_once=2, timeout=30))
    await fill(sqlite_store, conversations=3, each=1)
    at_work, stop = office(sqlite_store, {SLACK: platform}), asyncio.Event()
    running = asyncio.create_task(at_work.run(stop))
    for _ in range(100):
        at_work.wake()
        await asyncio.sleep(0.005)
    assert platform.requests == 2
    stop.set()
    await running


async def test_a_claim_is_had_by_one_of_many(store: Store) -> None:
    await fill(store, conversations=20, each=2)
    now, lease = system_clock(), timedelta(minutes=1)
    taken = await asyncio.gather(*(claim(store, SLACK, f"p{n}", now, lease, limit=7) for n in range(8)))
    ids = [each.row.id for some in taken for each in some]
    # One message of each conversation, each claimed once; the second ones wait for the first.
    assert len(ids) == len(set(ids)) == 20
    assert await claim(store, SLACK, "late", now, lease, limit=7) == []


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_claim_of_a_dead_process_is_looked_up_before_it_is_sent_again(
    store: Store, arrived: bool
) -> None:
    platform = FakePlatform()
    await fill(store, conversations=1, each=1)
    clock = MovableClock()
    [taken] = await claim(store, SLACK, "dead", clock(), timedelta(minutes=1), limit=1)
    if arrived:
        await platform.send(taken.outgoing)
    clock.move_to(clock() + timedelta(minutes=2))
    assert await expire_claims(store, clock()) == 1
    await run_until_empty(store, [office(store, {SLACK: platform}, clock)])
    assert platform.arrived == {"C0:0:0": 1}
    assert platform.requests == 1
    # The dead process comes back to life and may no longer touch the row.
    await mark_sent(store, taken.row, clock(), "too late")
    async with store.read() as session:
        assert (await session.exec(select(OutboxMessage.external_id))).one() == "ts-C0:0:0"


@pytest.mark.parametrize(("repeat", "sent"), [(True, 2), (False, 1)])
async def test_where_history_can_not_be_read_questions_repeat_and_nudges_stay_silent(
    store: Store, repeat: bool, sent: int
) -> None:
    platform = FakePlatform(readable=False)
    await fill(store, conversations=1, each=1, repeat=repeat)
    [taken] = await claim(store, SLACK, "dead", system_clock(), timedelta(0), limit=1)
    await platform.send(taken.outgoing)
    await expire_claims(store, system_clock())
    await run_until_empty(store, [office(store, {SLACK: platform})])
    assert platform.arrived == {"C0:0:0": sent}
    assert await count(store, OutboxStatus.DEAD) == (0 if repeat else 1)


async def test_a_conversation_gets_one_message_in_its_time(store: Store) -> None:
    platform = FakePlatform(pace=Pace(apart=0.1, at_once=8, timeout=1.0))
    await fill(store, conversations=3, each=5)
    await run_until_empty(store, [office(store, {SLACK: platform})])
    for times in platform.times.values():
        assert min(after - before for before, after in pairwise(times)) >= 0.099


async def test_a_stop_in_the_middle_leaves_no_claim_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.post.DRAIN_SECONDS", 0.1)
    platform = FakePlatform(slow=frozenset({"C0"}), pace=Pace(at_once=4, timeout=30))
    await fill(store, conversations=3, each=4)
    stop = asyncio.Event()
    running = asyncio.create_task(office(store, {SLACK: platform}).run(stop))
    await until(store, 8, OutboxStatus.SENT)
    stop.set()
    await running
    assert await count(store, OutboxStatus.CLAIMED) == 0
    assert await count(store, OutboxStatus.UNCERTAIN) == 1


async def test_the_database_comes_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.post.STORE_PAUSE_SECONDS", 0.02)
    calls = {"left": 3}
    real = outbox.claim

    async def failing(*args: object) -> object:
        if calls["left"]:
            calls["left"] -= 1
            raise StoreUnavailable("gone")
        return await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "claim", failing)
    platform = FakePlatform()
    await fill(store, conversations=2, each=2)
    await run_until_empty(store, [office(store, {SLACK: platform})])
    assert len(platform.arrived) == 4
    assert calls["left"] == 0


async def test_dead_letters_can_be_tried_again(store: Store) -> None:
    async with store.write() as tx:
        person = Person(email="kim@example.com", name="Kim")
        tx.add(person)
        await tx.flush()
        tx.add(Identity(person_id=person.id or 0, platform=SLACK, external_id="U1"))
    await fill(store, conversations=1, each=1)
    async with store.write() as tx:
        (await tx.exec(select(OutboxMessage))).one().person_id = person.id
    await run_until_empty(store, [office(store, {SLACK: FakePlatform(gone=frozenset({"C0"}))})])
    [dead] = await dead_letters(store)
    async with store.read() as session:
        assert (await session.exec(select(Identity.reachable))).one() is False
    assert await try_again(store, dead.id or 0, system_clock())
    assert not await try_again(store, dead.id or 0, system_clock())
    platform = FakePlatform()
    await run_until_empty(store, [office(store, {SLACK: platform})])
    assert platform.arrived == {"C0:0:0": 1}
    [line] = await delivery_log(store)
    assert line["status"] == "sent"
    assert "message" not in line


async def test_two_days_in_vain_are_enough(store: Store) -> None:
    platform = FakePlatform(faults=type(BAD)(error=1.0))
    await fill(store, conversations=1, each=1)
    clock = MovableClock(system_clock() + timedelta(days=3))
    await run_until_empty(store, [office(store, {SLACK: platform}, clock)])
    [dead] = await dead_letters(store)
    assert "two days" in dead.error


async def test_the_budget_spreads_sends_evenly() -> None:
    budget, began = Budget(per_second=200), asyncio.get_running_loop().time()
    turns = []
    for _ in range(20):
        await budget.take()
        turns.append(asyncio.get_running_loop().time() - began)
    assert all(turn >= number / 200 - 0.002 for number, turn in enumerate(turns))
