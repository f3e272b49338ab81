"""Messages on their way to a Teams that is busy, broken, or refuses: what is known afterwards is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from bot.messages import Choice, Message
from bot.store.engine import Store
from bot.store.tables import Identity, InboxEvent, Person, Platform
from handlers.running import served
from handlers.teams.connector import Connector, pool
from handlers.teams.sender import TeamsSender
from handlers.teams.tokens import make_tokens
from scheduler.sending import Gone, Outgoing, Retry, Uncertain
from tests.fakes.teams_chats import said
from tests.fakes.teams_product import microsoft, settings_for
from tests.fakes.teams_server import BOT, FakeTeams, busy, no


@dataclass
class Way:
    fake: FakeTeams
    sender: TeamsSender
    store: Store

    @property
    def arrived(self) -> list[str]:
        return [said(message) for chat in self.fake.chats.values() for message in chat.messages]


@pytest.fixture
async def way(sqlite_store: Store, tmp_path: object) -> AsyncIterator[Way]:
    fake, http = FakeTeams(), pool()
    fake.add_user("ann", "a@example.com")
    fake.personal("ann")
    async with served(fake.app(), "127.0.0.1", 0) as url:
        fake.url = url
        cloud = microsoft(url)
        connector = Connector(make_tokens(settings_for(tmp_path), http, cloud), cloud, http)  # type: ignore[arg-type]
        async with sqlite_store.write() as tx:
            tx.add(Person(id=1, email="a@example.com", name="Ann"))
            await tx.flush()
            address = {
                "conversation": "a:1-ann",
                "service_url": fake.service_url,
                "bot": BOT,
                "user": "29:ann",
            }
            tx.add(Identity(person_id=1, platform=Platform.TEAMS, external_id="aad-ann", address=address))
        yield Way(fake, TeamsSender(sqlite_store, connector, lambda address: None), sqlite_store)
        await http.close()


def outgoing(text: str = "Hello", conversation: str = "a:1-ann", **named: object) -> Outgoing:
    message = Message(text=text, choices=(Choice(id="a:1:0:go", label="Go"),))
    made = Outgoing(1, conversation, None, 1, message, "reply:1:0", datetime.now(UTC), 0)
    return replace(made, **named)  # type: ignore[arg-type]


async def test_a_message_arrives_as_a_card_with_a_summary(way: Way) -> None:
    name = await way.sender.send(outgoing())
    (message,) = way.fake.chats["a:1-ann"].messages
    assert message["id"] == name
    assert message["summary"] == "Hello"
    assert "text" not in message


async def test_what_a_model_wrote_is_marked(way: Way) -> None:
    await way.sender.send(outgoing(message=Message(text="Yes.", written_by_model=True)))
    (message,) = way.fake.chats["a:1-ann"].messages
    assert message["entities"][0]["additionalType"] == ["AIGeneratedContent"]


async def test_one_token_serves_many_messages(way: Way) -> None:
    await asyncio.gather(*(way.sender.send(outgoing()) for _ in range(20)))
    assert way.fake.tokens_asked == 1


async def test_a_token_that_was_withdrawn_is_asked_for_anew(way: Way) -> None:
    await way.sender.send(outgoing())
    way.fake.tokens.clear()
    await way.sender.send(outgoing())
    assert way.fake.tokens_asked == 2
    assert len(way.arrived) == 2


async def test_a_token_that_is_never_accepted_is_told(way: Way) -> None:
    for _ in range(2):
        way.fake.refuse("send", no(401, "Unauthorized"))
    with pytest.raises(Gone, match="token"):
        await way.sender.send(outgoing())


async def test_a_wrong_password_is_told(way: Way) -> None:
    way.fake.password = "changed"
    with pytest.raises(Gone, match="MICROSOFT_APP_PASSWORD"):
        await way.sender.send(outgoing())


@pytest.mark.parametrize("reply", [web.Response(status=503), web.Response(text="<html>"), busy(1)])
async def test_a_sign_in_that_is_away_is_tried_again(way: Way, reply: web.Response) -> None:
    way.fake.refuse("token", reply)
    with pytest.raises(Retry):
        await way.sender.send(outgoing())
    assert way.arrived == []


@pytest.mark.parametrize(
    ("status", "code", "kind", "unreachable"),
    [
        (429, "TooManyRequests", Retry, None),
        (412, "PreconditionFailed", Retry, None),
        (503, "ServiceUnavailable", Retry, None),
        (500, "InternalServerError", Uncertain, None),
        (502, "BadGateway", Uncertain, None),
        (504, "", Uncertain, None),
        (403, "MessageWritesBlocked", Gone, True),
        (403, "BotNotInConversationRoster", Gone, True),
        (404, "ConversationNotFound", Gone, True),
        (410, "SomethingNew", Gone, False),
    ],
)
async def test_every_refusal_has_one_meaning(
    way: Way, status: int, code: str, kind: type[Exception], unreachable: bool | None
) -> None:
    way.fake.refuse("send", no(status, code))
    with pytest.raises(kind) as told:
        await way.sender.send(outgoing())
    assert str(told.value).endswith(".")
    assert getattr(told.value, "unreachable", None) == unreachable
    assert way.arrived == []


async def test_a_channel_that_is_gone_makes_nobody_unreachable(way: Way) -> None:
    with pytest.raises(Gone) as told:
        await way.sender.send(outgoing(conversation="19:none@thread.tacv2"))
    assert told.value.unreachable is False


async def test_the_wait_that_teams_asks_for_is_kept(way: Way) -> None:
    way.fake.gap = 5
    await way.sender.send(outgoing())
    with pytest.raises(Retry) as told:
        await way.sender.send(outgoing())
    assert told.value.after is not None
    assert told.value.after >= 4


async def test_what_never_reached_teams_may_be_sent_again(way: Way) -> None:
    async with way.store.write() as tx:
        row = await tx.get_one(Identity, 1)
        row.address = {**row.address, "service_url": "http://127.0.0.1:9/"}
        tx.add(row)
    with pytest.raises(Retry):
        await way.sender.send(outgoing())


async def test_our_token_never_leaves_for_a_foreign_address(way: Way) -> None:
    async with way.store.write() as tx:
        row = await tx.get_one(Identity, 1)
        row.address = {**row.address, "service_url": "https://evil.example.com/"}
        tx.add(row)
    with pytest.raises(Gone, match="not Microsoft's"):
        await way.sender.send(outgoing())


@pytest.mark.parametrize(
    "fault", [aiohttp.ClientError(), web.Response(text="{", content_type="application/json")]
)
async def test_a_broken_reply_is_uncertain_and_no_history_tells(way: Way, fault: object) -> None:
    way.fake.refuse("send", fault)  # type: ignore[arg-type]
    with pytest.raises(Uncertain):
        await way.sender.send(outgoing())
    with pytest.raises(Uncertain):
        await way.sender.find(outgoing())


@pytest.mark.parametrize(("status", "code"), [(400, "BadSyntax"), (413, "MessageSizeTooBig")])
async def test_a_refused_card_leaves_as_words(way: Way, status: int, code: str) -> None:
    way.fake.refuse("send", no(status, code))
    await way.sender.send(outgoing("It is *here*"))
    (message,) = way.fake.chats["a:1-ann"].messages
    assert "attachments" not in message
    assert message["textFormat"] == "plain"
    assert "You can reply in words:\n• Go" in message["text"]


async def test_what_was_shown_is_replaced_however_often(way: Way) -> None:
    first = await way.sender.send(outgoing("Looking"))
    answer = outgoing(message=Message(text="Here it is", continues=first))
    for _ in range(2):
        assert await way.sender.send(answer) == first
    assert way.arrived == ["Here it is"]
    assert await way.sender.find(answer) is None
    gone = outgoing(message=Message(text="Posted anew", continues="9"))
    assert await way.sender.send(gone) != "9"
    assert way.arrived == ["Here it is", "Posted anew"]


async def test_a_place_that_only_an_event_names_is_answered_there(way: Way) -> None:
    way.fake.add_channel("19:x@thread.tacv2")
    place, at = "19:x@thread.tacv2;messageid=5", datetime.now(UTC)
    async with way.store.write() as tx:
        event = {"service_url": way.fake.service_url}
        tx.add(
            InboxEvent(
                platform=Platform.TEAMS, dedupe_key="m:x", conversation=place, payload=event, received_at=at
            )
        )
    await way.sender.send(outgoing(conversation="19:x@thread.tacv2", thread="5", person_id=None))
    (message,) = way.fake.chats["19:x@thread.tacv2"].messages
    assert message["thread"] == "5"


async def test_a_channel_of_the_organisation_file_is_written_to_where_people_are(way: Way) -> None:
    way.fake.add_channel("19:finance@thread.tacv2")
    await way.sender.send(outgoing(conversation="19:finance@thread.tacv2", person_id=None))
    assert way.arrived == ["Hello"]
