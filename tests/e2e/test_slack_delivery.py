"""Messages on their way to a Slack that is busy, broken, or refuses: what is known afterwards is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.messages import Chart, Choice, Message, Series
from handlers.running import served
from handlers.slack import pictures
from handlers.slack.clients import Clients, OneToken
from handlers.slack.sender import SlackSender
from scheduler.sending import Gone, Outgoing, Retry, Uncertain
from tests.fakes.slack_server import TEAM, TOKEN, FakeSlack


@dataclass
class Way:
    fake: FakeSlack
    sender: SlackSender

    @property
    def arrived(self) -> list[str]:
        return [message["text"] for channel in self.fake.channels.values() for message in channel.messages]


@pytest.fixture
async def way() -> AsyncIterator[Way]:
    fake = FakeSlack()
    fake.add_user("UA", "a@example.com")
    fake.direct("UA")
    async with served(fake.app(), "127.0.0.1", 0) as url:
        fake.url = url
        clients = Clients(OneToken(TOKEN), f"{url}/api/")
        yield Way(fake, SlackSender(clients))
        await clients.close()


def outgoing(text: str = "Hello", conversation: str = f"{TEAM}:DUA", **named: object) -> Outgoing:
    message = Message(text=text, choices=(Choice(id="a:1:0:go", label="Go"),))
    made = Outgoing(1, conversation, None, 1, message, "reply:1:0", datetime.now(UTC), 0)
    return replace(made, **named)  # type: ignore[arg-type]


async def test_a_message_carries_its_delivery_id_and_unfurls_nothing(way: Way) -> None:
    ts = await way.sender.send(outgoing())
    (message,) = way.fake.channels["DUA"].messages
    assert message["ts"] == ts
    assert message["metadata"]["event_payload"] == {"delivery_id": "reply:1:0"}
    assert (message["unfurl_links"], message["unfurl_media"], message["link_names"]) == (False, False, False)
    assert (message["parse"], message["mrkdwn"]) == ("none", False)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("ratelimited", Retry),
        ("service_unavailable", Retry),
        ("fatal_error", Uncertain),
        ("internal_error", Uncertain),
        ("channel_not_found", Gone),
        ("is_archived", Gone),
        ("account_inactive", Gone),
        ("token_revoked", Gone),
        ("missing_scope", Gone),
        ("something_new", Gone),
    ],
)
async def test_every_refusal_has_one_meaning(way: Way, error: str, kind: type[Exception]) -> None:
    way.fake.refuse("chat.postMessage", {"error": error})
    with pytest.raises(kind) as told:
        await way.sender.send(outgoing())
    assert str(told.value).endswith(".")
    assert way.arrived == []


async def test_the_wait_that_slack_asks_for_is_kept(way: Way) -> None:
    way.fake.gap = 5
    await way.sender.send(outgoing())
    with pytest.raises(Retry) as told:
        await way.sender.send(outgoing())
    assert told.value.after is not None
    assert told.value.after >= 4


async def test_a_person_who_cannot_be_written_to_is_unreachable_and_a_channel_is_not(way: Way) -> None:
    way.fake.users["UA"]["deleted"] = True
    way.fake.add_channel("C1").archived = True
    for conversation, unreachable in ((f"{TEAM}:DUA", True), (f"{TEAM}:C1", False)):
        with pytest.raises(Gone) as told:
            await way.sender.send(outgoing(conversation=conversation))
        assert told.value.unreachable is unreachable


async def test_what_never_reached_slack_may_be_sent_again() -> None:
    clients = Clients(OneToken(TOKEN), "http://127.0.0.1:9/api/")
    with pytest.raises(Retry):
        await SlackSender(clients).send(outgoing())
    await clients.close()


async def test_a_broken_reply_is_uncertain_and_history_tells(way: Way) -> None:
    async def accepted_then_silent(request: web.Request) -> web.StreamResponse:
        way.fake.post(way.fake.channels["DUA"], "U0BOT", await request.json())
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    sent = outgoing()
    assert await way.sender.find(sent) is None
    way.fake.refuse("chat.postMessage", accepted_then_silent)
    with pytest.raises(Uncertain):
        await way.sender.send(sent)
    assert await way.sender.find(sent) == way.fake.channels["DUA"].messages[0]["ts"]
    assert await way.sender.find(replace(sent, delivery_id="another")) is None


async def test_history_is_read_through_all_its_pages_and_in_threads(way: Way) -> None:
    place = way.fake.channels["DUA"]
    sent = outgoing(thread="1.1")
    await way.sender.send(sent)
    await way.sender.send(outgoing(delivery_id="reply:2:0"))
    for number in range(230):
        way.fake.post(place, "UA", {"text": f"{number}", "thread_ts": "1.1"})
    assert await way.sender.find(sent) is not None
    late = replace(sent, claimed_at=datetime.now(UTC) + timedelta(days=300))
    assert await way.sender.find(late) is not None, "a clock that was moved ahead hides nothing"


@pytest.mark.parametrize(
    ("error", "kind"),
    [("ratelimited", Retry), ("missing_scope", Uncertain), ("channel_not_found", Uncertain)],
)
async def test_history_that_cannot_be_read(way: Way, error: str, kind: type[Exception]) -> None:
    way.fake.refuse("conversations.history", {"error": error})
    with pytest.raises(kind):
        await way.sender.find(outgoing())


async def test_a_reply_that_is_no_json_is_uncertain(way: Way) -> None:
    for body in (web.Response(text="<html>", content_type="text/html"), web.Response(body=b"{", status=200)):
        body.content_type = "application/json" if body.body == b"{" else "text/html"
        way.fake.refuse("chat.postMessage", body)
        with pytest.raises(Uncertain):
            await way.sender.send(outgoing())


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long"])
async def test_refused_blocks_leave_as_words(way: Way, error: str) -> None:
    way.fake.refuse("chat.postMessage", {"error": error})
    await way.sender.send(outgoing("It is *here*"))
    (message,) = way.fake.channels["DUA"].messages
    assert "blocks" not in message
    assert "You can reply in words:\n• Go" in message["text"]


SHARE = Series(name="Share", values=(0.1, 0.2))
CHART = Chart(kind="bar", title="Coverage", alt="It rose.", labels=("a", "b"), series=(SHARE,), unit="%")


async def test_where_charts_are_refused_a_picture_leaves(way: Way) -> None:
    way.fake.charts = False
    await way.sender.send(outgoing(message=Message(kind="digest", text="This week", chart=CHART)))
    (message,) = way.fake.channels["DUA"].messages
    assert [block["type"] for block in message["blocks"]] == ["rich_text", "image"]
    picture = message["blocks"][1]
    assert picture["alt_text"] == "It rose."
    file = way.fake.files[picture["slack_file"]["id"]]
    assert file["data"].startswith(b"\x89PNG")
    assert file["alt"] == "It rose."
    assert "It rose." in message["text"]


@pytest.mark.parametrize("fault", ["files.getUploadURLExternal", "files.info", "never ready"])
async def test_where_pictures_are_refused_too_a_table_leaves(
    way: Way, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "LOOK_SECONDS", 0.0)
    way.fake.charts = False
    if fault == "never ready":
        way.fake.slow_files = 99
    else:
        way.fake.refuse(fault, {"error": "missing_scope"})
    await way.sender.send(outgoing(message=Message(kind="digest", text="This week", chart=CHART)))
    (message,) = way.fake.channels["DUA"].messages
    assert [block["type"] for block in message["blocks"]] == ["rich_text", "context", "table"]


async def test_several_conversations_at_once(way: Way) -> None:
    places = [way.fake.add_channel(f"C{number}").id for number in range(20)]
    await asyncio.gather(*(way.sender.send(outgoing(conversation=f"{TEAM}:{place}")) for place in places))
    assert len(way.arrived) == 20
