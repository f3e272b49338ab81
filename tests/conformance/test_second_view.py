"""A second view stays blind: it is passed on to nobody, and says nothing that is the lead's to say."""

from __future__ import annotations

import pytest
from sqlmodel import select

from bot.audit.instrument import load_instrument
from bot.audit.records import latest_answers
from bot.store.tables import Answer, DialogueSession, SessionKind, SessionStatus
from tests.support.talk import Office, open_office

RULES = (
    "In October two questions went to Legal and came back within a day: https://wiki.larkfield.example/rules"
)


@pytest.fixture
async def office(sqlite_store) -> Office:
    """The lead has answered the critical question at level 3, and the clerk is at it."""
    office = await open_office(sqlite_store)
    for words in ("start", "yes", "skip", "skip", "skip", RULES):
        await office.say(words)
    await office.tap_level(3)
    await office.say("never")
    office.who = "clerk"
    await office.say("start")
    await office.say("yes")
    return office


async def seconds(office: Office) -> list[DialogueSession]:
    async with office.store.read() as tx:
        kind = DialogueSession.kind == SessionKind.SECOND_RATER
        return list(await tx.exec(select(DialogueSession).where(kind)))


async def stands(office: Office) -> Answer:
    async with office.store.read() as tx:
        return (await latest_answers(tx, load_instrument(), office.ids["finance"], office.now))["WE-4"]


@pytest.mark.parametrize("said", ["not me", "I'm the wrong person", "hand over to Lea", "pass it on to Tom"])
async def test_it_is_passed_on_to_nobody(office, said):
    before = await stands(office)
    await office.say(said)
    assert office.last == "That's fine, then I leave it at that. Thank you for telling me."
    [row] = await seconds(office)
    assert (row.person_id, row.status) == (office.ids["clerk"], SessionStatus.CLOSED)
    assert (await stands(office)).id == before.id


async def test_it_is_not_theirs_to_say_that_it_does_not_apply(office):
    labels = [choice.label for choice in office.heard["clerk"][-1].choices]
    assert "Doesn't apply to us" not in labels
    asked = len(office.heard["owner"])
    await office.say("doesn't apply")
    assert office.last.endswith("That was all, thank you.")
    assert len(office.heard["owner"]) == asked


async def test_thanks_come_before_the_news_that_two_see_it_differently(office):
    await office.say("In October I asked about customer lists and nobody knew of a list.")
    await office.tap_level(0)
    reply, apart = office.heard["clerk"][-2:]
    assert reply.text.startswith("Noted, thank you.")
    assert apart.text.startswith("Two people in Finance")
    assert [choice.label for choice in apart.choices] == ["Answer it again"]
