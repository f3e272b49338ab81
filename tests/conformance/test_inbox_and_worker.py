"""Each event once: stored before it is acknowledged, answered once, in order, whatever dies in between."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import MovableClock
from bot.errors import NotFound, StoreUnavailable
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import InboxEvent, InboxStatus, OutboxMessage, Person, Platform, Revision
from bot.turns import Turn
from handlers.inbox import Arrival, Inbox
from handlers.news import News
from handlers.worker import MOST_ATTEMPTS, Worker
from tests.conftest import NOW


@pytest.fixture
async def database(database: str) -> str:
    """A database that knows the person every turn is said to be by."""
    made = Store(database)
    async with made.write() as tx:
        tx.add(Person(id=1, email="a@example.com", name="A"))
    await made.close()
    return database


class Killed(BaseException):
    """A process that ends on the spot: nothing of ours gets to clean up."""


class Counting:
    """Counts each answer in the same transaction, so that a doubled one would show."""

    def __init__(self, fail: dict[str, int] | None = None) -> None:
        self.fail = fail or {}
        self.heard: list[str] = []

    async def hear(self, event: InboxEvent) -> Turn | None:
        assert event.id is not None
        text = event.payload["text"]
        return Turn(event.id, 1, event.platform.value, event.conversation, event.received_at, text=text)

    async def prepare(self, turn: Turn) -> object:
        assert turn.text is not None
        if turn.text == "unknown":
            raise NotFound("There is no such thing.")
        self.heard.append(turn.text)
        await asyncio.sleep(0)
        return None

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: object) -> list[Message]:
        assert turn.text is not None
        row = await tx.get(Revision, turn.text, with_for_update=True) or Revision(name=turn.text)
        row.value += 1
        tx.add(row)
        await tx.flush()
        if self.fail.get(turn.text, 0) > 0:
            self.fail[turn.text] -= 1
            raise RuntimeError("a bug")
        return [Message(text=f"heard {turn.text}")]


def arrival(number: int, conversation: str | None = None, text: str | None = None) -> Arrival:
    return Arrival(
        Platform.SLACK, f"e{number}", conversation or f"c{number % 7}", {"text": text or f"t{number}"}, NOW
    )


async def drain(worker: Worker) -> None:
    while await worker.answer_next():
        pass


async def counts(store: Store) -> tuple[dict[str, int], int]:
    async with store.read() as session:
        rows = (await session.exec(select(Revision))).all()
        sent = (await session.exec(select(func.count(col(OutboxMessage.id))))).one()
    return {row.name: row.value for row in rows}, sent


async def test_shuffled_redeliveries_are_processed_once_by_several_workers(database: str) -> None:
    stores = [Store(database), Store(database)]
    inboxes = [Inbox(store) for store in stores]
    deliveries = [arrival(number) for number in range(300)]
    deliveries += random.Random(4).sample(deliveries, 90)  # noqa: S311
    random.Random(5).shuffle(deliveries)  # noqa: S311
    ids = await asyncio.gather(
        *(inboxes[number % 2].record(delivery) for number, delivery in enumerate(deliveries))
    )
    known = [number for number in ids if number is not None]
    assert len(known) == len(set(known)) == 300

    news, clock = News(), MovableClock(NOW)
    workers = [Worker(stores[number % 2], Counting(), clock, news) for number in range(4)]
    await asyncio.gather(*(drain(worker) for worker in workers))
    # A worker may stop while another still holds the first event of a conversation.
    await drain(workers[0])
    done, sent = await counts(stores[0])
    assert done == {f"t{number}": 1 for number in range(300)}
    assert sent == 300
    for store in stores:
        await store.close()


async def test_two_processes_that_get_the_same_in_another_order_both_get_through(database: str) -> None:
    """On PostgreSQL they wait for each other's rows, and one has to give way and try again."""
    stores = [Store(database) for _ in range(3)]
    inboxes = [Inbox(store) for store in stores]
    rounds = 12
    for number in range(rounds):
        same = [arrival(1000 * number + each) for each in range(60)]
        shuffled = [random.Random(7 * number + turn).sample(same, 60) for turn in range(3)]  # noqa: S311
        ids = await asyncio.gather(
            *(
                inbox.record(delivery)
                for inbox, deliveries in zip(inboxes, shuffled, strict=True)
                for delivery in deliveries
            )
        )
        assert len([found for found in ids if found is not None]) == 60
    for store in stores:
        await store.close()


async def test_the_order_of_a_conversation_is_kept(store: Store) -> None:
    inbox, answering = Inbox(store), Counting()
    for number in range(20):
        await inbox.record(arrival(number, conversation="one"))
    workers = [Worker(store, answering, MovableClock(NOW), News()) for _ in range(3)]
    for _ in range(20):
        await asyncio.gather(*(worker.answer_next() for worker in workers))
    assert answering.heard == [f"t{number}" for number in range(20)]


async def test_a_worker_that_dies_loses_nothing_and_doubles_nothing(store: Store) -> None:
    machine = MovableClock(NOW)

    class Dies(Counting):
        async def apply(self, tx: AsyncSession, turn: Turn, prepared: object) -> list[Message]:
            await super().apply(tx, turn, prepared)
            raise Killed

    await Inbox(store).record(arrival(1))
    with pytest.raises(Killed):
        await Worker(store, Dies(), MovableClock(NOW), News(), machine_clock=machine).answer_next()
    other = Worker(store, Counting(), MovableClock(NOW), News(), machine_clock=machine)
    assert not await other.answer_next(), "the claim still stands"
    machine.move_to(NOW + timedelta(minutes=2))
    assert await other.answer_next()
    assert await counts(store) == ({"t1": 1}, 1)


async def test_a_worker_that_is_stopped_gives_its_event_back(store: Store) -> None:
    gate = asyncio.Event()

    class Slow(Counting):
        async def prepare(self, turn: Turn) -> object:
            gate.set()
            await asyncio.sleep(60)
            return None

    await Inbox(store).record(arrival(1))
    slow = asyncio.create_task(Worker(store, Slow(), MovableClock(NOW), News()).answer_next())
    await gate.wait()
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert await Worker(store, Counting(), MovableClock(NOW), News()).answer_next()
    assert await counts(store) == ({"t1": 1}, 1)


async def test_a_late_worker_finds_its_event_taken(store: Store) -> None:
    """The claim ran out while the first worker prepared; only one of the two answers counts."""
    machine = MovableClock(NOW)
    gate = asyncio.Event()

    class Slow(Counting):
        async def prepare(self, turn: Turn) -> object:
            await gate.wait()
            return None

    await Inbox(store).record(arrival(1))
    slow = asyncio.create_task(
        Worker(store, Slow(), MovableClock(NOW), News(), machine_clock=machine).answer_next()
    )
    await asyncio.sleep(0.05)
    machine.move_to(NOW + timedelta(minutes=2))
    assert await Worker(store, Counting(), MovableClock(NOW), News(), machine_clock=machine).answer_next()
    gate.set()
    await slow
    assert await counts(store) == ({"t1": 1}, 1)


async def test_a_bug_is_tried_again_then_put_aside_with_an_apology(store: Store) -> None:
    machine = MovableClock(NOW)
    answering = Counting(fail={"t1": MOST_ATTEMPTS - 1, "t2": MOST_ATTEMPTS})
    inbox = Inbox(store)
    await inbox.record(arrival(1, conversation="a"))
    await inbox.record(arrival(2, conversation="b"))
    worker = Worker(store, answering, MovableClock(NOW), News(), machine_clock=machine)
    for minute in range(1, 2 * MOST_ATTEMPTS + 1):
        await drain(worker)
        machine.move_to(NOW + timedelta(minutes=minute))
    assert await counts(store) == ({"t1": 1}, 2)
    async with store.read() as session:
        events = (await session.exec(select(InboxEvent).order_by(col(InboxEvent.id)))).all()
        replies = (await session.exec(select(OutboxMessage).order_by(col(OutboxMessage.event_id)))).all()
    assert [event.status for event in events] == [InboxStatus.DONE, InboxStatus.FAILED]
    assert "Something went wrong on my side" in replies[1].message["text"]


async def test_a_refusal_is_a_reply(store: Store) -> None:
    await Inbox(store).record(arrival(1, text="unknown"))
    await drain(Worker(store, Counting(), MovableClock(NOW), News()))
    async with store.read() as session:
        reply = (await session.exec(select(OutboxMessage))).one()
    assert reply.message["text"] == "There is no such thing."


async def test_what_could_not_be_stored_is_not_acknowledged() -> None:
    store = Store("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    inbox = Inbox(store)
    results = await asyncio.gather(*(inbox.record(arrival(n)) for n in range(3)), return_exceptions=True)
    assert all(isinstance(result, StoreUnavailable) for result in results)
    await store.close()


async def test_news_rings_for_those_who_wait() -> None:
    news = News()
    waiting = asyncio.create_task(news.wait(5))
    await asyncio.sleep(0)
    news.ring()
    assert await waiting
    assert not await news.wait(0.001)


def test_an_arrival_is_a_complete_row() -> None:
    row = replace(arrival(1), at=datetime.fromisoformat("2026-11-18T09:00:00+00:00")).row()
    assert row["status"] is InboxStatus.NEW
    assert row["attempts"] == 0
