"""People of every role at their Slack, over real HTTP with signed requests, against the whole product."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import MovableClock
from bot.store.engine import Store
from tests.fakes.slack_product import Running, plant, running
from tests.fakes.slack_server import BOT, FakeSlack


@pytest.fixture
async def slack(sqlite_store: Store, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Running]:
    fake = FakeSlack()
    async with running(sqlite_store, clock, tmp_path, fake) as at_work:
        await plant(sqlite_store, at_work.app, fake, tmp_path)
        yield at_work


async def test_an_employee_asks_in_a_direct_message(slack: Running) -> None:
    await slack.people.say("UHANNA", "How many days of annual leave do I have?")
    answer = await slack.people.next("UHANNA")
    assert "30 days of annual leave" in answer["text"]
    kinds = [block["type"] for block in answer["blocks"]]
    assert kinds[0] == "rich_text"
    assert "context_actions" in kinds
    assert answer["unfurl_links"] is answer["unfurl_media"] is answer["link_names"] is False
    await slack.people.wait(lambda: len(slack.slack.statuses) >= 2)
    assert [status for *_, status in slack.slack.statuses] == ["is looking it up…", ""]
    await slack.people.click("UHANNA", "Helpful")
    assert "Thank you" in (await slack.people.next("UHANNA"))["text"]


async def test_a_mention_is_answered_once_in_its_thread_and_followed_up_without_one(slack: Running) -> None:
    slack.slack.add_channel("CGENERAL", "UHANNA", "UFAY")
    ts = await slack.people.speak(
        "UHANNA", "CGENERAL", f"<@{BOT}> By when do I tell my lead that I am sick on the first day?"
    )
    answer = await slack.people.next("UHANNA", "CGENERAL")
    assert answer["thread_ts"] == ts
    assert "before 10:00" in answer["text"]
    await slack.people.speak("UFAY", "CGENERAL", "Thanks for asking!", thread=ts)
    await slack.people.speak("UHANNA", "CGENERAL", "<@UFAY> you are welcome", thread=ts)
    await slack.people.speak("UHANNA", "CGENERAL", "Who owns it?", thread=ts)
    follow_up = await slack.people.next("UHANNA", "CGENERAL")
    assert "Olga Brandt" in follow_up["text"]
    said = [message for message in slack.slack.channels["CGENERAL"].messages if message["user"] == BOT]
    assert len(said) == 2
