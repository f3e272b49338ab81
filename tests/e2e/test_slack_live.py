"""Answers that are shown while they are made: the first words at once, the whole answer in their place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import MovableClock
from bot.errors import AccessDenied
from bot.llm import OpenAIModel
from bot.messages import Message, plain
from bot.store.engine import Store
from bot.store.tables import InboxEvent
from bot.turns import Turn
from handlers.light import words
from handlers.slack import live
from handlers.worker import APOLOGY, MOST_ATTEMPTS
from tests.fakes.responses_server import responses_server
from tests.fakes.slack_product import Running
from tests.fakes.slack_server import BOT

PIECES = (
    "You may take **30 days** a year.\n\n",
    "> Annual leave is 30 days.\n\n",
    "It has been so since 2024.",
)
WHOLE = "".join(PIECES)
LIVE = ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update")
QUOTE = "30 days of annual leave"


@dataclass
class Scripted:
    """A part that writes its answer piece by piece, and waits where a test wants it to."""

    prefix: str = "scripted"
    pieces: tuple[str, ...] = PIECES
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0
    breaks: int = 0
    fault: Exception = field(default_factory=lambda: RuntimeError("the process has a fault of its own"))

    async def wants(self, session: AsyncSession, turn: Turn) -> bool:
        return (turn.text or "").startswith("tell me")

    async def prepare(self, turn: Turn) -> None:
        self.attempts += 1
        await turn.live.doing("Searching the policies")
        for piece in self.pieces:
            await turn.live.write(piece)
        await self.go_on.wait()
        if self.breaks >= self.attempts:
            raise self.fault

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        return [Message(kind="answer", text=WHOLE, written_by_model=True)]


@pytest.fixture
async def store(sqlite_store: Store) -> Store:
    return sqlite_store


@pytest.fixture(autouse=True)
def quick_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "APART_SECONDS", 0.01)


@pytest.fixture
def part(slack: Running) -> Scripted:
    scripted = Scripted()
    parts = slack.app.conversation._parts
    slack.app.conversation._parts = {"scripted": scripted, **parts}
    return scripted


def streamed(slack: Running, place: str) -> list[dict]:  # type: ignore[type-arg]
    return [one for one in slack.slack.channels[place].messages if "stream" in one]


def shown_words(message: dict) -> str:  # type: ignore[type-arg]
    """What somebody reads in the blocks of a message."""
    found = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if node.get("type") == "text":
                found.append(node["text"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(message["blocks"])
    return "".join(found)


async def first_words(slack: Running, place: str) -> dict:  # type: ignore[type-arg]
    def there() -> object:
        return [one for one in streamed(slack, place) if len(one["blocks"]) == len(PIECES)]

    return (await slack.people.wait(there))[0]


async def test_words_come_first_and_the_whole_answer_takes_their_place(
    slack: Running, part: Scripted
) -> None:
    asked = await slack.people.say("UHANNA", "tell me about leave")
    message = await first_words(slack, "DUHANNA")
    assert message["thread_ts"] == asked["event"]["ts"]
    assert "30 days a year" in shown_words(message)
    part.go_on.set()
    answer = await slack.people.next("UHANNA")
    assert answer["ts"] == message["ts"]
    assert answer["text"].startswith(words(WHOLE))
    assert "AI-generated" in answer["text"]
    assert shown_words(answer).count("30 days a year") == 1
    assert [one["text"] for one in slack.slack.channels["DUHANNA"].messages if one["user"] == BOT] == [
        answer["text"]
    ]
    statuses = [status for *_, status in slack.slack.statuses]
    assert "is searching the policies…" in statuses


async def test_a_channel_is_streamed_to_whoever_asked(slack: Running, part: Scripted) -> None:
    slack.slack.add_channel("CALL", "UHANNA")
    ts = await slack.people.speak("UHANNA", "CALL", f"<@{BOT}> tell me about leave")
    assert (await first_words(slack, "CALL"))["thread_ts"] == ts
    part.go_on.set()
    assert (await slack.people.next("UHANNA", "CALL"))["thread_ts"] == ts


@pytest.mark.parametrize(
    "refusal",
    [{"error": "ratelimited"}, {"error": "missing_recipient_team_id"}, ConnectionResetError()],
    ids=["busy", "refused", "broken"],
)
async def test_without_a_stream_the_answer_comes_all_at_once(
    slack: Running, part: Scripted, refusal: object
) -> None:
    slack.slack.refuse("chat.startStream", refusal)  # type: ignore[arg-type]
    part.go_on.set()
    await slack.people.say("UHANNA", "tell me about leave")
    answer = await slack.people.next("UHANNA")
    assert answer["text"].startswith(words(WHOLE))
    assert streamed(slack, "DUHANNA") == []


@pytest.mark.parametrize(
    "fault", ["expired", "stop lost", "update lost", "update done, then lost", "deleted"]
)
async def test_however_a_stream_ends_no_word_is_lost_and_none_stands_twice(
    slack: Running, part: Scripted, clock: MovableClock, fault: str
) -> None:
    fake = slack.slack

    async def done_then_gone(request):  # type: ignore[no-untyped-def]
        await fake._chat_update(await request.json())
        request.transport.close()
        return web.Response()

    await slack.people.say("UHANNA", "tell me about leave")
    message = await first_words(slack, "DUHANNA")
    if fault == "expired":
        message["until"] = 0
    elif fault == "deleted":
        fake.channels["DUHANNA"].messages.remove(message)
    elif fault == "stop lost":
        fake.refuse("chat.stopStream", ConnectionResetError())
    elif fault == "update lost":
        fake.refuse("chat.update", ConnectionResetError())
    else:
        fake.refuse("chat.update", done_then_gone)
    part.go_on.set()
    later = asyncio.create_task(_time_passes(clock))
    answer = await slack.people.next("UHANNA")
    later.cancel()
    said = [one for one in fake.channels["DUHANNA"].messages if one["user"] == BOT]
    assert [one["ts"] for one in said] == [answer["ts"]]
    assert answer["text"].startswith(words(WHOLE))
    assert shown_words(answer).count("30 days a year") == 1
    assert answer["thread_ts"] == message["thread_ts"]


async def _time_passes(clock: MovableClock) -> None:
    while True:
        await asyncio.sleep(0.1)
        clock.move_to(clock() + timedelta(seconds=5))


async def test_an_attempt_after_a_fault_replaces_what_the_first_one_showed(
    slack: Running, part: Scripted
) -> None:
    part.breaks = 1
    part.go_on.set()
    await slack.people.say("UHANNA", "tell me about leave")
    answer = await slack.people.next("UHANNA")
    assert part.attempts == 2
    assert [one["ts"] for one in streamed(slack, "DUHANNA")] == [answer["ts"]]
    assert shown_words(answer).count("30 days a year") == 1


@pytest.mark.parametrize("fault", [RuntimeError("a fault of its own"), AccessDenied("That is for leads.")])
@pytest.mark.parametrize("place", ["DUHANNA", "CALL"])
async def test_what_is_said_instead_of_an_answer_takes_the_place_of_its_words(
    slack: Running, part: Scripted, store: Store, fault: Exception, place: str
) -> None:
    """An apology after the last attempt, or a refusal, never stands below half an answer."""
    part.breaks, part.fault = MOST_ATTEMPTS, fault
    slack.slack.add_channel("CALL", "UHANNA")
    if place == "CALL":
        await slack.people.speak("UHANNA", place, f"<@{BOT}> tell me about leave")
    else:
        await slack.people.say("UHANNA", "tell me about leave")
    message = await first_words(slack, place)
    part.go_on.set()
    await let_claims_run_out(slack, store, part, 1 if isinstance(fault, AccessDenied) else MOST_ATTEMPTS)
    said = await slack.people.next("UHANNA", place)
    assert said["ts"] == message["ts"]
    assert said["text"] == (str(fault) if isinstance(fault, AccessDenied) else words(APOLOGY.text))
    assert "30 days" not in shown_words(said)
    assert [one["ts"] for one in slack.slack.channels[place].messages if one["user"] == BOT] == [said["ts"]]


async def let_claims_run_out(slack: Running, store: Store, part: Scripted, attempts: int) -> None:
    """The pauses between attempts pass at once."""
    async with asyncio.timeout(10):
        while part.attempts < attempts:
            await asyncio.sleep(0.02)
            async with store.write() as tx:
                await tx.exec(
                    update(InboxEvent)
                    .where(col(InboxEvent.error) != "")
                    .values(claimed_until=datetime.now(UTC) - timedelta(seconds=1))
                )
            slack.app.news.ring()


async def test_a_worker_that_died_in_the_middle_is_followed_by_one_that_replaces_its_words(
    slack: Running, part: Scripted, store: Store
) -> None:
    """As after kill -9: the first attempt never comes back, and its claim runs out."""
    await slack.people.say("UHANNA", "tell me about leave")
    message = await first_words(slack, "DUHANNA")
    held, part.go_on = part.go_on, asyncio.Event()
    part.go_on.set()
    async with store.write() as tx:
        await tx.exec(update(InboxEvent).values(claimed_until=datetime.now(UTC) - timedelta(seconds=1)))
    answer = await slack.people.next("UHANNA")
    assert answer["ts"] == message["ts"]
    assert part.attempts == 2
    held.set()
    said = [one for one in slack.slack.channels["DUHANNA"].messages if one["user"] == BOT]
    assert len(said) == 1
    async with store.read() as session:
        event = (await session.exec(select(InboxEvent).order_by(col(InboxEvent.id).desc()))).first()
    assert event is not None
    assert event.payload["live"].endswith(message["ts"])


async def test_nothing_that_is_streamed_can_act(slack: Running, part: Scripted) -> None:
    nasty = "<!channel> <@U0BOT> <https://evil.example|policy> *bold*"
    part.pieces = (*PIECES[:2], plain(nasty))
    await slack.people.say("UHANNA", "tell me about leave")
    message = await first_words(slack, "DUHANNA")
    assert message["text"] == ""
    assert nasty in shown_words(message)
    part.go_on.set()
    await slack.people.next("UHANNA")


async def test_a_follow_up_in_the_thread_of_a_streamed_answer_is_understood(slack: Running) -> None:
    asked = await slack.people.say("UHANNA", "How many days of annual leave do I have?")
    await slack.people.next("UHANNA")
    await slack.people.say("UHANNA", "Where does it say so?", thread=asked["event"]["ts"])
    answer = await slack.people.next("UHANNA")
    assert "It stands in Leave" in answer["text"]
    assert answer["thread_ts"] == asked["event"]["ts"]


async def test_the_claims_of_a_model_are_streamed_and_the_answer_takes_their_place(slack: Running) -> None:
    claim = {"text": "You have 30 days of annual leave.", "passage": 1, "quote": QUOTE}
    async with responses_server() as server:
        server.answers = [{"answered": True, "claims": [claim]}]
        model = OpenAIModel.connect("k", "tiny", server.address)
        slack.app.knowledge.model = model
        asked = await slack.people.say("UHANNA", "How many days of annual leave do I have?")
        answer = await slack.people.next("UHANNA")
        await model.close()
    assert len(server.asked) == 1
    assert "AI-generated" in answer["text"]
    assert shown_words(answer).count("30 days of annual leave") >= 1
    (message,) = streamed(slack, "DUHANNA")
    assert (message["ts"], message["thread_ts"]) == (answer["ts"], asked["event"]["ts"])
    assert [name for name, _ in slack.slack.calls if name in LIVE] == list(LIVE)
