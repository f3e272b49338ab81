"""What is said not to apply helps nobody before it is confirmed, and never rests in silence for good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.audit.instrument import load_instrument
from bot.audit.queues import questions_due
from bot.audit.records import latest_answers, placement_of
from bot.store.tables import Answer, Claim, Duty, DutyName
from tests.support.talk import Office, open_office

INSTRUMENT = load_instrument()


@pytest.fixture
async def office(sqlite_store) -> Office:
    """The lead has said that the first question does not apply."""
    office = await open_office(sqlite_store)
    for words in ("start", "yes", "doesn't apply", "We are two people and share one desk."):
        await office.say(words)
    return office


async def stands(office: Office) -> Answer:
    async with office.store.read() as tx:
        return (await latest_answers(tx, INSTRUMENT, office.ids["finance"], office.now))["WE-1"]


async def claimed(office: Office) -> tuple[object, bool]:
    async with office.store.read() as tx:
        scores = await placement_of(tx, INSTRUMENT, office.ids["finance"], office.now)
    found = scores.criteria["WE-1"]
    return found.claimed, found.applies


async def test_what_was_declined_is_to_find_out_and_counts_as_open(office):
    office.who = "owner"
    await office.tap("No, keep asking")
    assert await claimed(office) == ("unknown", True)
    office.who = "lead"
    assert office.last.startswith("Ada King has read why **Reach across roles** does not apply to you.")
    await office.say("show our answers")
    assert "Ada King asked on 23 November 2026 to keep it in" in office.heard["lead"][-2].text


async def test_what_nobody_answers_waits_and_is_asked_again_after_its_days(office):
    row = await stands(office)
    assert await claimed(office) == ("not_applicable", True)
    for days, due in ((100, False), (181, True)):
        at = office.now + timedelta(days=days)
        assert ("WE-1" in questions_due(INSTRUMENT, {"WE-1": row}, (), (), at)) == due


async def test_a_late_yes_holds_for_what_is_left_and_a_very_late_one_says_so(office):
    office.who = "owner"
    office.now += timedelta(days=150)
    await office.say("approvals")
    assert "It would hold until 22 May 2027." in office.last
    office.now += timedelta(days=31)
    await office.tap("Yes, leave it out")
    assert "nothing left to confirm" in office.last
    assert (await stands(office)).approved_at is None
    await office.say("approvals")
    assert office.last == "Nothing waits for your word at the moment."


async def test_a_yes_to_what_was_answered_since_changes_nothing(office):
    asked = office.heard["owner"][-1].choices[0].id
    await office.say("back")
    await office.say("In October two of our eight clerks used it for 12 letters.")
    await office.tap_level(2)
    office.who = "owner"
    await office.press(asked)
    assert "nothing left to confirm" in office.last
    assert (await stands(office)).claim is Claim.LEVEL


async def test_whoever_runs_the_programme_and_leads_is_not_written_to_about_their_own_word(office):
    async with office.store.write() as tx:
        tx.add(Duty(person_id=office.ids["lead"], duty=DutyName.PROGRAMME_OWNER))
    before = len(office.heard["lead"])
    asked = office.heard["owner"][-1].choices[0].id
    await office.press(asked)
    assert [message.text for message in office.heard["lead"][before:]] == [
        "Thank you. **Reach across roles**: it is left out until 22 May 2027."
    ]
