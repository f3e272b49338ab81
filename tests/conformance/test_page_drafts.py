"""What the page shows of an answer before it is there, over the real store."""

from __future__ import annotations

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.tables import InboxEvent, InboxStatus, Platform
from bot.turns import Turn
from handlers.inbox import Inbox
from handlers.news import News
from handlers.web.drafts import Drafts
from handlers.web.ports import Begun, Cursor
from handlers.web.product import Machinery, Product
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


def test_only_the_latest_drafts_are_kept(clock: MovableClock) -> None:
    drafts = Drafts(lambda: None)
    for person in range(1_200):
        drafts.open(Turn(person, person, "web", f"web:{person}", clock(), text="x"))
    assert drafts.of(0) is None
    assert drafts.of(1_199) is not None
