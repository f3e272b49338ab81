"""Answers that are shown while they are made: the first words at once, the whole answer in their place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import Message
from bot.turns import Turn
from handlers.teams import live
from handlers.worker import MOST_ATTEMPTS
from tests.fakes.teams_chats import said
from tests.fakes.teams_product import Running
from tests.fakes.teams_server import no

PIECES = ("You may take **30 days** a year.\n\n", "> Annual leave is 30 days.\n\n", "Since 2024.")
WHOLE = "You may take 30 days a year.\nAnnual leave is 30 days.\nSince 2024."


@dataclass
class Scripted:
    """A part that writes its answer piece by piece, and waits where a test wants it to."""

    prefix: str = "scripted"
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0
    breaks: int = 0

    async def wants(self, session: AsyncSession, turn: Turn) -> bool:
        return (turn.text or "").startswith("tell me")

    async def prepare(self, turn: Turn) -> None:
        self.attempts += 1
        await turn.live.doing("Searching the policies")
        for piece in PIECES:
            await turn.live.write(piece)
        await self.go_on.wait()
        if self.breaks >= self.attempts:
            raise RuntimeError("the process has a fault of its own")

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        return [Message(kind="answer", text="".join(PIECES))]


@pytest.fixture
def part(teams: Running, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    monkeypatch.setattr(live, "APART_SECONDS", 0.0)
    scripted = Scripted()
    teams.app.conversation._parts = {"scripted": scripted, **teams.app.conversation._parts}
    return scripted


async def first_words(teams: Running, chat: str) -> dict[str, Any]:
    def there() -> Any:
        messages = teams.teams.chats[chat].messages if chat in teams.teams.chats else []
        return [one for one in messages if "Since 2024" in said(one)]

    return dict((await teams.people.wait(there))[0])


async def test_words_come_first_and_the_whole_answer_takes_their_place(
    teams: Running, part: Scripted
) -> None:
    await teams.people.say("hanna", "tell me about leave")
    shown = await first_words(teams, "a:1-hanna")
    assert "AI-generated" in said(shown)
    part.go_on.set()
    await teams.people.wait(lambda: said(teams.teams.personal("hanna").messages[0]) == WHOLE)
    (message,) = teams.teams.personal("hanna").messages
    assert message["id"] == shown["id"]
    assert teams.teams.typing == ["a:1-hanna"]


async def test_in_a_thread_too(teams: Running, part: Scripted) -> None:
    teams.teams.add_channel("19:c@thread.tacv2", "hanna")
    thread = await teams.people.speak("hanna", "19:c@thread.tacv2", "@ tell me about leave")
    shown = await first_words(teams, "19:c@thread.tacv2")
    assert shown["thread"] == thread
    part.go_on.set()
    await teams.people.wait(lambda: said(teams.teams.chats["19:c@thread.tacv2"].messages[0]) == WHOLE)
    assert len(teams.teams.chats["19:c@thread.tacv2"].messages) == 1


async def test_nothing_is_shown_where_others_may_not_see_it(teams: Running, part: Scripted) -> None:
    teams.teams.add_user("guest", "guest@elsewhere.example", userRole="guest")
    teams.teams.add_channel("19:mixed", "guest", "hanna", kind="groupChat")
    part.go_on.set()
    await teams.people.speak("hanna", "19:mixed", "@ tell me about leave")
    assert said(await teams.people.next("hanna")) == WHOLE
    assert all("30 days" not in said(one) for one in teams.teams.chats["19:mixed"].messages)


@pytest.mark.parametrize("breaks", [1, MOST_ATTEMPTS])
async def test_what_an_attempt_before_showed_is_replaced(teams: Running, part: Scripted, breaks: int) -> None:
    part.breaks = breaks
    part.go_on.set()
    await teams.people.say("hanna", "tell me about leave")
    place = teams.teams.personal("hanna")
    ended = ("Something went wrong", WHOLE)[breaks == 1]

    def there() -> bool:
        return any(said(one).startswith(ended) and "AI-generated" not in said(one) for one in place.messages)

    await teams.people.wait(there)
    assert len(place.messages) == 1
    assert part.attempts == min(breaks + 1, MOST_ATTEMPTS)


@pytest.mark.parametrize("broken", ["send", "update"])
@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_fault_costs_the_show_and_not_the_answer(
    teams: Running, part: Scripted, broken: str, status: int
) -> None:
    # The first sign of life is a call of the same kind, and may take the fault; then nothing is lost at all.
    for _ in range(2 if broken == "send" else 1):
        teams.teams.refuse(broken, no(status, "Fault"))
    part.go_on.set()
    await teams.people.say("hanna", "tell me about leave")
    place = teams.teams.personal("hanna")
    await teams.people.wait(lambda: any(said(one) == WHOLE for one in place.messages))
    assert len(place.messages) == 1


async def test_where_what_was_shown_is_gone_the_answer_is_posted_anew(teams: Running, part: Scripted) -> None:
    await teams.people.say("hanna", "tell me about leave")
    await first_words(teams, "a:1-hanna")
    place = teams.teams.personal("hanna")
    place.messages.clear()
    part.go_on.set()
    await teams.people.wait(lambda: [said(one) for one in place.messages] == [WHOLE])


async def test_a_teams_that_hangs_does_not_hold_the_answer_up(
    teams: Running, part: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST_CALL", 1.0)
    held = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await held.wait()
        return web.Response(status=503)

    teams.teams.refuse("update", hang)
    part.go_on.set()
    await teams.people.say("hanna", "tell me about leave")
    place = teams.teams.personal("hanna")
    await teams.people.wait(lambda: [said(one) for one in place.messages] == [WHOLE])
    held.set()
