"""What the page shows of an answer before it is there, over the real store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import MovableClock
from bot.errors import AccessDenied
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import InboxEvent, InboxStatus, OutboxMessage, Platform
from bot.turns import Turn
from handlers.conversation import Conversation, Hearing, PlainHearing
from handlers.inbox import Inbox
from handlers.news import News
from handlers.web.drafts import Drafts
from handlers.web.ports import Begun, Cursor
from handlers.web.product import Machinery, Product
from handlers.worker import APOLOGY, MOST_ATTEMPTS, Worker
from tests.support.company import plant_people


async def test_a_draft_shows_until_its_own_answer_is_there(store: Store, clock: MovableClock) -> None:
    people, news = await plant_people(store), News()
    drafts = Drafts(news.ring)
    machinery = Machinery(panel=None, source=None)  # type: ignore[arg-type]
    product = Product(store, Inbox(store, on_new=news.ring), news, clock, [], machinery, drafts)

    async def begun(person: int) -> Begun | None:
        return (await product.conversation(person, Cursor())).begun

    await product.say(people.fay, "key-1", "May I?")
    assert await begun(people.fay) is None
    turn = Turn(1, people.fay, "web", f"web:{people.fay}", clock(), text="May I?")
    live, before = drafts.open(turn), news.number
    await live.doing("Searching the policies")
    await live.write("You may.")
    await live.write("\n\nAsk first.")
    assert news.number == before + 3
    assert await begun(people.fay) == Begun("Searching the policies", "You may.\n\nAsk first.")
    assert await begun(people.hanna) is None

    async with store.write() as tx:
        event = await tx.get_one(InboxEvent, 1)
        event.status = InboxStatus.DONE
        tx.add(event)
    await product.say(people.fay, "key-2", "And now?")
    conversation = await product.conversation(people.fay, Cursor())
    assert (conversation.busy, conversation.begun) == (True, None)
    assert event.platform is Platform.WEB


class Breaking:
    """A part that shows some words and then can't go on."""

    prefix = "breaking"

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    async def prepare(self, turn: Turn) -> None:
        await turn.live.write("You may take 30 days")
        raise self._fault

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        return []


@pytest.mark.parametrize("fault", [RuntimeError("a fault of its own"), AccessDenied("That is for leads.")])
async def test_what_is_said_instead_of_an_answer_takes_the_place_of_its_words(
    store: Store, clock: MovableClock, fault: Exception
) -> None:
    people, news = await plant_people(store), News()
    drafts, inbox = Drafts(news.ring), Inbox(store, on_new=news.ring)
    product = Product(
        store,
        inbox,
        news,
        clock,
        [],
        Machinery(panel=None, source=None),
        drafts,  # type: ignore[arg-type]
    )
    parts: dict[Platform, Hearing] = {Platform.WEB: PlainHearing(store)}
    talk = Conversation(store, [], Breaking(fault), parts, {Platform.WEB: drafts.open})
    later = MovableClock(clock())
    worker = Worker(store, talk, clock, news, machine_clock=later)
    await product.say(people.fay, "key-1", "May I?")
    for attempt in range(MOST_ATTEMPTS if isinstance(fault, RuntimeError) else 1):
        assert await worker.answer_next(), attempt
        later.move_to(later() + timedelta(minutes=1))
    conversation = await product.conversation(people.fay, Cursor())
    assert (conversation.busy, conversation.begun) == (False, None)
    said = [row.message["text"] for row in await outbox_rows(store)]
    assert said == [APOLOGY.text if isinstance(fault, RuntimeError) else str(fault)]


async def outbox_rows(store: Store) -> list[OutboxMessage]:
    async with store.read() as session:
        return list(await session.exec(select(OutboxMessage)))


def test_only_the_latest_drafts_are_kept(clock: MovableClock) -> None:
    drafts = Drafts(lambda: None)
    for person in range(1_200):
        drafts.open(Turn(person, person, "web", f"web:{person}", clock(), text="x"))
    assert drafts.of(0) is None
    assert drafts.of(1_199) is not None
