"""Forms: opened within three seconds, filled in, and taken over once."""

from __future__ import annotations

import asyncio
import json
from datetime import time
from typing import Any

import pytest
from sqlmodel import select

from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.tables import Department, Person
from handlers.slack.forms import Forms
from tests.fakes.slack_product import Running
from tests.fakes.slack_server import TEAM


@pytest.fixture
async def store(sqlite_store: Store) -> Store:
    return sqlite_store


async def open_settings(slack: Running, user: str) -> dict[str, Any]:
    await slack.people.open_home(user)
    await slack.people.wait(lambda: slack.slack.homes.get(user))
    await slack.people.click_home(user, "Change settings")
    return await slack.people.form(user, '"input"')


async def one(store: Store, model: type, **named: str) -> Any:
    async with store.read() as session:
        query = select(model)
        for name, value in named.items():
            query = query.where(getattr(model, name) == value)
        return (await session.exec(query)).one()


async def test_a_person_sets_when_to_be_asked(slack: Running, store: Store) -> None:
    view = await open_settings(slack, "UHANNA")
    assert len([block for block in view["blocks"] if block["type"] == "header"]) == 1
    reply = await slack.people.submit("UHANNA", view, day="Thursday", time="14:00", quiet="paused")
    assert reply["response_action"] == "update"
    hanna = await one(store, Person, email="hanna@example.com")
    assert (hanna.slot_day, hanna.slot_time) == (3, time(14))
    assert hanna.paused_until is not None

    def drawn_anew() -> bool:
        return "Resume messages" in json.dumps(slack.slack.homes["UHANNA"])

    await slack.people.wait(drawn_anew)


async def test_a_lead_sets_the_departments_channel_and_an_admin_the_company(
    slack: Running, store: Store
) -> None:
    view = await open_settings(slack, "ULEA")
    reply = await slack.people.submit("ULEA", view, **{"channel.slack": "C0FINANCE"})
    assert reply["response_action"] == "update", reply
    finance = await one(store, Department, name="Finance")
    assert finance.channels["slack"] == f"{TEAM}:C0FINANCE"
    again = await open_settings(slack, "ULEA")
    assert "C0FINANCE" in json.dumps(again)
    assert "company" in json.dumps(await open_settings(slack, "UADA"))
    assert "of the company" not in json.dumps(again)


async def test_what_cannot_be_is_told_beside_its_field_and_nothing_is_kept(
    slack: Running, store: Store
) -> None:
    view = await open_settings(slack, "ULEA")
    stray = {"text": {"type": "plain_text", "text": "Never"}, "value": "9"}
    day = next(b for b in view["blocks"] if b["type"] == "input" and b["block_id"].endswith("me|day"))
    day["element"]["options"].append(stray)
    reply = await slack.people.submit("ULEA", view, day="Never", time="14:00")
    assert reply["response_action"] == "errors"
    assert next(iter(reply["errors"])).endswith("|day")
    lea = await one(store, Person, email="lea@example.com")
    assert lea.slot_time is None


async def test_a_form_that_comes_too_late_is_not_opened_and_breaks_nothing(slack: Running) -> None:
    await slack.people.open_home("UHANNA")
    await slack.people.wait(lambda: slack.slack.homes.get("UHANNA"))
    slack.slack.refuse("views.open", {"error": "expired_trigger_id"})
    assert await slack.people.click_home("UHANNA", "Change settings") == 200
    assert await slack.people.click_home("UHANNA", "Change settings") == 200
    await slack.people.form("UHANNA", '"input"')


async def test_guests_have_nothing_to_set(slack: Running) -> None:
    slack.slack.add_user("UGUEST", "fay@example.com", is_restricted=True)
    await slack.people.interact(
        {
            "type": "block_actions",
            "user": {"id": "UGUEST", "team_id": TEAM},
            "container": {"type": "view", "view_id": "V1"},
            "view": {"id": "V1", "type": "home"},
            "actions": [{"type": "button", "action_id": "form:settings:1", "value": "form:settings"}],
        }
    )
    assert "don't know you" in json.dumps(await slack.people.form("UGUEST", "ask your administrator"))


async def to_evidence(slack: Running) -> None:
    """Lea's audit, up to the question for something that a colleague could open."""
    people, place = slack.people, slack.slack.direct("ULEA")
    await people.say("ULEA", "start audit")
    await people.next("ULEA")
    await people.click("ULEA", "Start")
    await people.next("ULEA")
    await people.say("ULEA", "Last Tuesday two of us drafted the report with the assistant.")
    shown = await people.next("ULEA")
    high = {one.levels[3] for model in slack.app.instrument.models for one in model.criteria}
    lines = [line.removeprefix("• ") for line in shown["text"].splitlines() if line.startswith("• ")]
    letter = next(line[0] for line in lines if line[2:] in high)
    await people.click("ULEA", letter)
    assert "not happen" in (await people.next("ULEA"))["text"]
    await people.click("ULEA", "I can't think of a time")
    assert "colleague could open" in (await people.next("ULEA"))["text"]
    assert "Write it in a form" in json.dumps(place.messages[-1]["blocks"])


async def test_evidence_is_written_in_a_form(slack: Running) -> None:
    await to_evidence(slack)
    await slack.people.click("ULEA", "Write it in a form")
    view = await slack.people.form("ULEA", "plain_text_input")
    assert await slack.people.submit("ULEA", view, words="https://wiki.example.com/report") == {}
    assert (await slack.people.next("ULEA"))["text"]
    late = await slack.people.submit("ULEA", view, words="something else")
    assert "moved on" in late["errors"]["words"]


async def test_an_answer_is_corrected_in_a_form(slack: Running) -> None:
    await to_evidence(slack)
    await slack.people.click("ULEA", "Nothing at hand")
    await slack.people.next("ULEA")
    await slack.people.open_home("ULEA")
    await slack.people.wait(lambda: "Correct an answer" in json.dumps(slack.slack.homes.get("ULEA", {})))
    await slack.people.click_home("ULEA", "Correct an answer")
    view = await slack.people.form("ULEA", "Which answer?")
    which = view["blocks"][0]["element"]["options"][0]["text"]["text"]
    assert await slack.people.submit("ULEA", view, which=which, words="Since May all of us do, daily.") == {}
    reopened, anchors = await slack.people.next("ULEA"), await slack.people.next("ULEA")
    assert "You said" in reopened["text"], "the question is asked anew, with what was said before"
    assert "Not sure" in json.dumps(anchors["blocks"])


async def test_words_that_cannot_be_stored_stay_in_the_form(
    slack: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await to_evidence(slack)
    await slack.people.click("ULEA", "Write it in a form")
    view = await slack.people.form("ULEA", "plain_text_input")

    async def away(self: Forms, where: dict[str, Any]) -> bool:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Forms, "_still", away)
        reply = await slack.people.submit("ULEA", view, words="https://wiki.example.com/report")
    assert "try again" in reply["errors"]["words"]
    both = await asyncio.gather(
        *(slack.people.submit("ULEA", view, words="https://wiki.example.com/report") for _ in range(2))
    )
    assert both[0] == {}
