"""People of every role at their Teams, over real HTTP with signed requests, against the whole product."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.outbox import address_of
from bot.store.tables import Company, Department, Identity, Person, Platform
from handlers.teams.linking import Linking
from handlers.teams.people import People
from tests.fakes.teams_chats import actions, said, signed
from tests.fakes.teams_product import Running
from tests.fakes.teams_server import BOT, TENANT, no


@pytest.fixture
async def store(sqlite_store: Store) -> Store:
    """What the product does is the same on both databases; the inbox and the outbox are tested on both."""
    return sqlite_store


def labels(message: dict[str, Any]) -> list[str]:
    return [action["title"] for action in actions(message)]


async def test_an_employee_asks_and_marks_the_answer(teams: Running) -> None:
    await teams.people.say("hanna", "How many days of annual leave do I have?")
    answer = await teams.people.next("hanna")
    assert "30 days of annual leave" in said(answer)
    assert "Leave" in said(answer)
    assert answer["summary"].startswith("Leave")
    assert teams.teams.typing == ["a:1-hanna"]
    await teams.people.click("hanna", "Helpful")
    assert teams.people.replies[-1][1]["value"] == "Got it."
    assert "Thank you" in said(await teams.people.next("hanna"))


async def test_a_gap_goes_to_its_owner_and_the_answer_comes_back(teams: Running) -> None:
    people = teams.people
    for user in ("hanna", "olga"):
        await people.say(user, "hello")
        await people.next(user)
    await people.say("hanna", "May I bring my parrot to the office?")
    await people.next("hanna")
    await people.click("hanna", "Send to Olga Brandt")
    assert "Sent to Olga Brandt" in said(await people.next("hanna"))
    assert "parrot" in said(await people.next("olga"))
    await people.click("olga", "Answer")
    await people.next("olga")
    await people.say("olga", "Parrots are welcome on Fridays.")
    await people.next("olga")
    await people.click("olga", "Publish")
    assert "Published" in said(await people.next("olga"))
    assert "Parrots are welcome on Fridays" in said(await people.next("hanna"))


async def test_a_lead_is_audited_with_double_clicks_and_old_buttons(teams: Running) -> None:
    people, place = teams.people, teams.teams.personal("lea")
    await people.say("lea", "start audit")
    await people.next("lea")
    await people.click("lea", "Start")
    assert "Question 1 of" in said(await people.next("lea"))
    await people.say("lea", "Last Tuesday two of us drafted the report with the assistant; see REP-12.")
    anchors = await people.next("lea")
    assert {"A", "B", "Not sure", "Hand over"} <= set(labels(anchors))
    old = people.button(place, "B")
    await people.click("lea", "C", times=2)
    asked = await people.next("lea")
    assert said(asked) != said(anchors)
    await people.press("lea", place, *old)
    moved_on = said(await people.next("lea"))
    assert "moved on" in moved_on or "already" in moved_on, moved_on
    assert [said(message) for message in place.messages].count(said(asked)) == 1


async def test_a_whole_first_sitting(teams: Running) -> None:
    people = teams.people
    await people.say("lea", "start audit")
    await people.next("lea")
    await people.click("lea", "Start")
    heard: list[str] = []
    while "model" not in "".join(heard[-1:]) or "Question" in heard[-1]:
        message = await people.next("lea")
        heard.append(said(message))
        offered = labels(message)
        if "A" in offered:
            await people.click("lea", "C" if "C" in offered else "A")
        elif "Nothing at hand" in offered:
            await people.click("lea", "Nothing at hand")
        elif "Skip" in offered:
            await people.say("lea", "Last Tuesday two of us drafted the report with the assistant.")
        assert len(heard) < 40, heard
    assert [f"Question {number} of 4" in "".join(heard) for number in range(1, 5)] == [True] * 4


async def test_a_mention_is_answered_in_its_thread(teams: Running) -> None:
    teams.teams.add_channel("19:general@thread.tacv2", "hanna", "fay")
    channel = "19:general@thread.tacv2"
    thread = await teams.people.speak(
        "hanna", channel, "@ By when do I tell my lead that I am sick on the first day?"
    )
    answer = await teams.people.next("hanna", channel)
    assert answer["thread"] == thread
    assert "before 10:00" in said(answer)
    await teams.people.speak("fay", channel, "Thanks for asking!", thread)
    await teams.people.speak("hanna", channel, "@ Who owns it?", thread)
    assert "Olga Brandt" in said(await teams.people.next("hanna", channel))
    assert len(teams.teams.chats[channel].messages) == 2


async def test_what_not_everybody_in_a_chat_may_see_comes_alone(teams: Running) -> None:
    teams.teams.add_channel("19:all@thread.v2", "hanna", "fay", kind="groupChat")
    await teams.people.speak("hanna", "19:all@thread.v2", "@ What is the salary band of a junior clerk?")
    assert "direct message" in said(await teams.people.next("hanna", "19:all@thread.v2"))
    assert "41,000" in said(await teams.people.next("hanna"))
    assert all("41,000" not in said(message) for message in teams.teams.chats["19:all@thread.v2"].messages)


async def test_a_shared_channel_gets_no_policy(teams: Running) -> None:
    channel = "19:shared@thread.tacv2"
    teams.teams.add_channel(channel, "hanna")
    shared = {"tenant": {"id": TENANT}, "channel": {"id": channel, "type": "shared"}}
    await teams.people.speak(
        "hanna", channel, "@ How many days of annual leave do I have?", channelData=shared
    )
    assert "another company" in said(await teams.people.next("hanna", channel))
    assert "30 days" in said(await teams.people.next("hanna"))


@pytest.mark.parametrize("kind", ["groupChat", "channel"])
async def test_where_a_guest_reads_along_the_answer_comes_alone(teams: Running, kind: str) -> None:
    teams.teams.add_user("guest", "guest@elsewhere.example", userRole="guest")
    teams.teams.add_channel("19:mixed", "ada", "eva", "fay", "guest", "hanna", kind=kind)
    for _ in range(2):
        await teams.people.speak("hanna", "19:mixed", "@ How many days of annual leave do I have?")
        assert "another company" in said(await teams.people.next("hanna", "19:mixed"))
        assert "30 days" in said(await teams.people.next("hanna"))
    assert [what for what, _ in teams.teams.calls].count("members") == 2, "looked at once, until met"


async def test_where_nobody_can_see_who_reads_along_the_answer_comes_alone(teams: Running) -> None:
    teams.teams.add_channel("19:all", "fay", "hanna", kind="groupChat")
    teams.teams.refuse("members", no(503, "ServiceUnavailable"))
    teams.teams.refuse("members", no(403, "Forbidden"))
    await teams.people.speak("hanna", "19:all", "@ How many days of annual leave do I have?")
    assert "another company" in said(await teams.people.next("hanna", "19:all"))
    assert "30 days" in said(await teams.people.next("hanna"))


async def test_whoever_can_t_be_written_to_alone_is_told_what_to_do(teams: Running) -> None:
    teams.teams.installed.discard("hanna")
    teams.teams.add_user("guest", "guest@elsewhere.example", userRole="guest")
    teams.teams.add_channel("19:mixed", "guest", "hanna", kind="groupChat")
    await teams.people.speak("hanna", "19:mixed", "@ How many days of annual leave do I have?")
    assert "add me under Apps" in said(await teams.people.next("hanna", "19:mixed"))
    assert len(teams.teams.chats["19:mixed"].messages) == 1


@pytest.mark.parametrize(
    "marks", [{"userRole": "guest"}, {"userRole": "anonymous"}, {"tenantId": "another-tenant"}]
)
async def test_a_guest_gets_no_policy_whatever_the_address_says(
    teams: Running, marks: dict[str, str]
) -> None:
    teams.teams.add_user("guest", "fay@example.com", **marks)
    await teams.people.say("guest", "How many days of annual leave do I have?")
    assert "can't answer guests" in said(await teams.people.next("guest"))


async def test_a_stranger_is_told_kindly_once(teams: Running) -> None:
    teams.teams.add_user("new", "new@example.com")
    await teams.people.install("new")
    await teams.people.say("new", "hello")
    for _ in range(2):
        assert "I don't know you yet" in said(await teams.people.next("new"))
    assert len(teams.teams.personal("new").messages) == 2, "one for both tidings, one for the words"


async def test_the_sign_in_name_is_an_address_too(teams: Running) -> None:
    teams.teams.add_user("hq", "", userPrincipalName="Fay@Example.com")
    await teams.people.say("hq", "How many days of annual leave do I have?")
    assert "30 days" in said(await teams.people.next("hq"))


async def test_whoever_adds_the_app_is_welcomed_once_and_again_after_taking_it_away(
    teams: Running, store: Store
) -> None:
    people = teams.people
    await people.install("fay")
    assert "Hello Fay" in said(await people.next("fay"))
    await people.say("fay", "my settings")
    assert "Hello" not in said(await people.next("fay"))
    await people.uninstall("fay")
    await until_gone(store, "fay")
    async with store.read() as session:
        assert (await address_of(session, (await account(store, "fay")).person_id))[0] is Platform.WEB
    await people.install("fay")
    assert "Hello Fay" in said(await people.next("fay"))
    assert (await account(store, "fay")).reachable


async def until_gone(store: Store, name: str) -> None:
    for _ in range(500):
        if not (await account(store, name)).reachable:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("still thought to be reachable")


async def account(store: Store, name: str) -> Identity:
    async with store.read() as session:
        query = select(Identity).where(Identity.external_id == f"aad-{name}")
        return (await session.exec(query)).one()


async def test_what_it_takes_to_write_unasked_is_kept_and_renewed(teams: Running, store: Store) -> None:
    await teams.people.say("fay", "hello")
    await teams.people.next("fay")
    kept = await account(store, "fay")
    assert kept.address == {
        "conversation": "a:1-fay",
        "service_url": teams.teams.service_url,
        "user": "29:fay",
        "bot": BOT,
        "tz": "Europe/Berlin",
    }
    moved = teams.teams.service_url.replace("127.0.0.1", "localhost")
    body = teams.people.activity("fay", teams.teams.personal("fay"), "message", text="help")
    token = {"Authorization": signed(teams.teams, serviceurl=moved)}
    assert await teams.people.knock({**body, "serviceUrl": moved}, token) == 200
    await teams.people.next("fay")
    assert (await account(store, "fay")).address["service_url"] == moved
    async with store.read() as session:
        person = (await session.exec(select(Person).where(Person.email == "fay@example.com"))).one()
    assert person.time_zone == "Europe/Berlin"


async def test_an_account_of_the_organisation_file_is_known_without_its_address(
    teams: Running, store: Store
) -> None:
    async with store.write() as tx:
        fay = (await tx.exec(select(Person).where(Person.email == "fay@example.com"))).one()
        tx.add(Identity(person_id=fay.id or 0, platform=Platform.TEAMS, external_id="8:orgid:aad-x"))
    teams.teams.add_user("x", "unknown@example.com")
    await teams.people.say("x", "hello")
    assert "Hello Fay" in said(await teams.people.next("x"))


async def test_accounts_of_a_team_are_found_before_anybody_writes(teams: Running, store: Store) -> None:
    teams.teams.add_user("new", "new@example.com")
    teams.teams.installed -= {"olga"}
    await teams.people.add_to_team("ada", "19:team@thread.tacv2", "hanna", "fay", "olga", "new", "ada")
    linking = Linking(
        store, teams.surface.connector, People(store, teams.surface.connector, teams.app.clock), 0
    )
    assert await linking.link_all(asyncio.Event()) == 3
    assert await linking.link_all(asyncio.Event()) == 0
    async with store.read() as session:
        hanna = (await session.exec(select(Person).where(Person.email == "hanna@example.com"))).one()
        assert await address_of(session, hanna.id or 0) == (Platform.TEAMS, "a:1-hanna")


async def test_a_nudge_and_a_digest_arrive_unasked(teams: Running, store: Store, clock: MovableClock) -> None:
    for user in ("lea", "eva"):
        await teams.people.install(user)
        await teams.people.next(user)
    async with store.write() as tx:
        for name in ("lea", "eva"):
            person = (await tx.exec(select(Person).where(Person.email == f"{name}@example.com"))).one()
            person.enrolled_at = datetime(2026, 11, 1, tzinfo=UTC)
            tx.add(person)
        finance = (await tx.exec(select(Department).where(Department.slug == "finance"))).one()
        finance.channels = {"teams": "19:finance@thread.tacv2"}
        tx.add(finance)
        company = await tx.get_one(Company, 1)
        company.settings = {**company.settings, "digest": True}
        tx.add(company)
    teams.teams.add_channel("19:finance@thread.tacv2")

    async def come(moment: datetime) -> None:
        clock.move_to(moment)
        await teams.scheduler.tick()
        teams.scheduler.wake()

    await come(datetime(2026, 11, 24, 9, 5, tzinfo=UTC))
    nudge = await teams.people.next("lea")
    assert labels(nudge)
    await come(datetime(2026, 11, 30, 9, 5, tzinfo=UTC))
    digest = await teams.people.next("eva")
    assert "week" in said(digest).lower()
