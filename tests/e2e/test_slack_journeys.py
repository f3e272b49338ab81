"""People of every role at their Slack, over real HTTP with signed requests, against the whole product."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.outbox import address_of
from bot.store.tables import Identity, Person, Platform
from handlers.slack.linking import Linking
from handlers.slack.people import People
from tests.fakes.slack_product import Running
from tests.fakes.slack_server import BOT, TEAM
from tests.fakes.slack_workspace import buttons


@pytest.fixture
async def store(sqlite_store: Store) -> Store:
    """What the product does is the same on both databases; the inbox and the outbox are tested on both."""
    return sqlite_store


async def test_an_employee_asks_in_a_direct_message(slack: Running) -> None:
    await slack.people.say("UHANNA", "How many days of annual leave do I have?")
    answer = await slack.people.next("UHANNA")
    assert "30 days of annual leave" in answer["text"]
    kinds = [block["type"] for block in answer["blocks"]]
    assert kinds[0] == "rich_text"
    assert "context_actions" in kinds
    assert answer["unfurl_links"] is answer["unfurl_media"] is answer["link_names"] is False
    await slack.people.wait(lambda: slack.slack.statuses[-1][2] == "")
    assert slack.slack.statuses[0][2] == "is looking it up…"
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


def labels(message: dict[str, Any]) -> list[str]:
    return [button["text"]["text"] for button in buttons(message.get("blocks", []))]


async def test_a_lead_is_audited_with_double_clicks_and_old_buttons(slack: Running) -> None:
    people, place = slack.people, slack.slack.direct("ULEA")
    await people.say("ULEA", "start audit")
    await people.next("ULEA")
    await people.click("ULEA", "Start")
    assert "Question 1 of" in (await people.next("ULEA"))["text"]
    await people.say("ULEA", "Last Tuesday two of us drafted the report with the assistant; see REP-12.")
    anchors = await people.next("ULEA")
    assert {"A", "B", "Not sure", "Hand over"} <= set(labels(anchors))
    old = people.button(place, "B")
    await people.click("ULEA", "C", times=2)
    asked = await people.next("ULEA")
    assert asked["text"] != anchors["text"]
    await people.press("ULEA", place, *old)
    moved_on = await people.next("ULEA")
    assert "moved on" in moved_on["text"] or "already" in moved_on["text"], moved_on["text"]
    assert len([m for m in place.messages if m["text"] == asked["text"]]) == 1


async def test_what_few_need_stands_in_a_menu_of_the_question_and_is_heard(slack: Running) -> None:
    people = slack.people
    await people.say("ULEA", "start audit")
    await people.next("ULEA")
    await people.click("ULEA", "Start")
    first = await people.next("ULEA")
    rows = [block["elements"] for block in first["blocks"] if block["type"] == "actions"]
    kinds = [element["type"] for row in rows for element in row]
    assert set(kinds[:-1]) == {"button"}
    assert kinds[-1] == "overflow"
    assert [option["text"]["text"] for option in rows[-1][-1]["options"]] == [
        "Skip", "Ask me later", "Hand over", "Edit an answer", "Pause"
    ]  # fmt: skip
    await people.click("ULEA", "Skip", times=2)
    skipped = await people.next("ULEA")
    assert "Skipped" in skipped["text"] or "Question" in skipped["text"]
    said = [m["text"] for m in slack.slack.direct("ULEA").messages if m["user"] == BOT]
    assert sum("Skipped" in text for text in said) == 1


async def test_a_question_goes_to_its_owner_and_the_answer_comes_back(slack: Running) -> None:
    people = slack.people
    for user in ("UHANNA", "UOLGA"):
        await people.say(user, "hello")
        await people.next(user)
    await people.say("UHANNA", "May I bring my parrot to the office?")
    await people.next("UHANNA")
    await people.click("UHANNA", "Send to Olga Brandt")
    assert "Sent to Olga Brandt" in (await people.next("UHANNA"))["text"]
    assert "parrot" in (await people.next("UOLGA"))["text"]
    await people.click("UOLGA", "Answer")
    await people.next("UOLGA")
    await people.say("UOLGA", "Parrots are welcome on Fridays.")
    await people.next("UOLGA")
    await people.click("UOLGA", "Publish")
    assert "Published" in (await people.next("UOLGA"))["text"]
    assert "Parrots are welcome on Fridays" in (await people.next("UHANNA"))["text"]


async def test_what_not_everybody_in_a_channel_may_see_comes_by_direct_message(slack: Running) -> None:
    slack.slack.add_channel("CALL", "UHANNA", "UFAY")
    await slack.people.speak("UHANNA", "CALL", f"<@{BOT}> What is the salary band of a junior clerk?")
    assert "direct message" in (await slack.people.next("UHANNA", "CALL"))["text"]
    assert "41,000" in (await slack.people.next("UHANNA"))["text"]
    assert all("41,000" not in m["text"] for m in slack.slack.channels["CALL"].messages)


async def test_people_of_another_company_get_no_policy_and_see_none(slack: Running) -> None:
    people = slack.people
    slack.slack.add_user("UEXT", "hanna@example.com", team_id="T9ELSE", is_stranger=True)
    slack.slack.add_channel("CSHARED", "UEXT", "UHANNA", shared=True)
    await people.speak("UEXT", "CSHARED", f"<@{BOT}> How many days of annual leave are there?")
    assert "can't answer guests" in (await people.next("UEXT", "CSHARED"))["text"]
    await people.speak("UHANNA", "CSHARED", f"<@{BOT}> How many days of annual leave do I have?")
    assert "direct message" in (await people.next("UHANNA", "CSHARED"))["text"]
    assert "30 days" in (await people.next("UHANNA"))["text"]
    assert all("30 days" not in m["text"] for m in slack.slack.channels["CSHARED"].messages)


@pytest.mark.parametrize("mark", ["is_restricted", "is_ultra_restricted"])
async def test_a_guest_gets_no_policy_whatever_the_address_says(slack: Running, mark: str) -> None:
    slack.slack.add_user("UGUEST", "fay@example.com", **{mark: True})
    await slack.people.say("UGUEST", "How many days of annual leave do I have?")
    assert "can't answer guests" in (await slack.people.next("UGUEST"))["text"]


async def test_a_stranger_is_told_kindly_and_known_as_soon_as_added(slack: Running, store: Store) -> None:
    slack.slack.add_user("UNEW", "new@example.com")
    await slack.people.say("UNEW", "hello")
    assert "I don't know you yet" in (await slack.people.next("UNEW"))["text"]


async def test_slash_commands_and_shortcuts_answer_in_private(slack: Running) -> None:
    people = slack.people
    assert "/stagecoach ask" in (await people.command("UFAY", ""))["text"]
    shown = await people.command("UFAY", "ask How many days of annual leave do I have?")
    assert shown == {"response_type": "ephemeral", "text": "I'll answer you in our direct message."}
    assert "30 days" in (await people.next("UFAY"))["text"]
    await people.interact(
        {
            "type": "message_action",
            "callback_id": "ask_policies",
            "user": {"id": "UFAY", "team_id": TEAM},
            "channel": {"id": "CELSE"},
            "message": {"text": "Annual leave: how many days?", "user": "UHANNA"},
        }
    )
    assert "30 days" in (await people.next("UFAY"))["text"]


@pytest.mark.parametrize(
    ("user", "sees", "does"),
    [
        ("UHANNA", ["Hello Hanna", "Your settings"], "My questions"),
        ("ULEA", ["Finance", "No answers yet"], "Audit"),
        ("UOLGA", ["Your policies", "Leave: review by 02 May 2027"], "My queue"),
        ("UEVA", ["The company", "Finance"], "Show the latest digest"),
        ("UADA", ["Running Stagecoach", "people in 2 departments"], "Pause all"),
    ],
)
async def test_every_role_has_its_home(
    slack: Running, clock: MovableClock, user: str, sees: list[str], does: str
) -> None:
    clock.move_to(datetime(2027, 4, 1, 9, tzinfo=UTC))
    await slack.people.open_home(user)
    view = await slack.people.wait(lambda: slack.slack.homes.get(user))
    shown = json.dumps(view, ensure_ascii=False)
    assert [words for words in sees if words not in shown] == []
    assert await slack.people.click_home(user, does) == 200
    assert (await slack.people.next(user))["text"]


async def test_an_opened_conversation_offers_prompts(slack: Running) -> None:
    await slack.people.open_home("UHANNA", "messages")
    prompts = await slack.people.wait(lambda: slack.slack.prompts.get("DUHANNA"))
    assert len(prompts) == 3


async def test_a_workflow_gets_its_answer(slack: Running) -> None:
    step = {"callback_id": "ask_policies", "type": "app"}
    inputs = {"user": "UFAY", "question": "How many days of annual leave do I have?"}
    event = {"type": "function_executed", "function": step, "inputs": inputs, "function_execution_id": "Fx1"}
    await slack.people.send_json(slack.people.event(event))
    outputs = await slack.people.wait(lambda: slack.slack.completed.get("Fx1"))
    assert "30 days" in outputs["answer"]


@pytest.mark.parametrize(("user", "says"), [("ULEA", "written to this person"), ("UNEW", "don't know")])
async def test_a_workflow_that_starts_an_audit_goes_on(slack: Running, user: str, says: str) -> None:
    slack.slack.add_user("UNEW", "new@example.com")
    step = {"callback_id": "start_audit", "type": "app"}
    event = {"type": "function_executed", "function": step, "inputs": {"user": user}}
    await slack.people.send_json(slack.people.event({**event, "function_execution_id": "Fx2"}))
    outputs = await slack.people.wait(lambda: slack.slack.completed.get("Fx2"))
    assert says in outputs["answer"]
    asked = await slack.people.next(user)
    assert ("Start" in labels(asked)) == (user == "ULEA")


async def test_a_time_zone_follows_the_profile(slack: Running, store: Store) -> None:
    people = slack.people
    await people.say("UFAY", "hello")
    await people.next("UFAY")
    slack.slack.users["UFAY"]["tz"] = "America/New_York"
    await people.send_json(people.event({"type": "user_change", "user": {"id": "UFAY"}}))
    await people.say("UFAY", "hello again")
    await people.next("UFAY")
    async with store.read() as session:
        fay = (await session.exec(select(Person).where(Person.email == "fay@example.com"))).one()
    assert fay.time_zone == "America/New_York"


async def test_accounts_are_found_before_anybody_writes(slack: Running, store: Store) -> None:
    linking = Linking(store, slack.surface.clients, People(store, slack.surface.clients, slack.app.clock), 0)
    await linking.link_all(asyncio.Event())
    async with store.read() as session:
        accounts = (await session.exec(select(Identity))).all()
        lea = (await session.exec(select(Person).where(Person.email == "lea@example.com"))).one()
        place = await address_of(session, lea.id or 0)
    assert len(accounts) == 6
    assert place == (Platform.SLACK, f"{TEAM}:DULEA")
    assert await linking.link_all(asyncio.Event()) == 0
