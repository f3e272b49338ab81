"""What is said not to apply helps nobody before it is confirmed, and never rests in silence for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import delete

from bot.access import approvers
from bot.audit.instrument import load_instrument
from bot.audit.queues import questions_due
from bot.audit.records import latest_answers, placement_of
from bot.store.tables import Answer, Claim, Duty, DutyName, Person, ScheduledMessage
from scheduler.cards import Desk
from scheduler.handover import hand_over
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


@pytest.mark.parametrize(("words", "approved"), [("Yes, leave it out", True), ("keep asking!", False)])
async def test_the_words_of_the_buttons_will_do_where_one_thing_waits(office, words, approved):
    office.who = "owner"
    await office.say(words)
    row = await stands(office)
    assert (row.approved_at is not None, row.declined_at is not None) == (approved, not approved)


async def test_of_two_that_wait_words_settle_neither(office):
    for words in ("doesn't apply", "We have no tools of our own."):
        await office.say(words)
    office.who = "owner"
    said = await office.say("I approve that")
    assert [message.text.split("**")[1] for message in said] == [
        "Reach across roles",
        "Shared picture of limits",
    ]
    assert (await stands(office)).approved_at is None


async def test_nobody_confirms_their_own_word_while_there_is_somebody_else(office):
    async with office.store.write() as tx:
        tx.add(Duty(person_id=office.ids["lead"], duty=DutyName.PROGRAMME_OWNER))
    asked = office.heard["owner"][-1].choices[0].id
    await office.press(asked)
    assert office.last.startswith("Only whoever runs the AI programme can confirm that")
    await office.say("approvals")
    assert office.last == "Nothing waits for your word at the moment."
    assert (await stands(office)).approved_at is None
    office.who = "owner"
    await office.press(asked)
    assert (await stands(office)).approver_id == office.ids["owner"]


async def rearranged(store, duties: dict[str, DutyName]) -> Office:
    """The small company with other people running its programme."""
    office = await open_office(store)
    async with office.store.write() as tx:
        await tx.exec(delete(Duty).where(Duty.duty == DutyName.PROGRAMME_OWNER))
        for name, duty in duties.items():
            tx.add(Duty(person_id=office.ids[name], duty=duty))
    for words in ("start", "yes", "doesn't apply"):
        await office.say(words)
    return office


async def test_an_executive_is_asked_where_only_the_leads_run_the_programme(sqlite_store):
    duties = {"lead": DutyName.PROGRAMME_OWNER, "co-lead": DutyName.EXECUTIVE, "owner": DutyName.EXECUTIVE}
    office = await rearranged(sqlite_store, duties)
    assert office.last.endswith("Ada King reads it and says yes or no."), "the co-lead leads Finance, too"
    await office.say("We are two people and share one desk.")
    office.who = "owner"
    await office.say("approvals")
    await office.tap("Yes, leave it out")
    assert (await stands(office)).approver_id == office.ids["owner"]
    assert office.heard["lead"][-1].text.startswith("Ada King has read why")


async def test_where_nobody_else_can_it_shows_as_the_leads_own_word(sqlite_store):
    office = await rearranged(sqlite_store, {"lead": DutyName.PROGRAMME_OWNER})
    assert "There is nobody else who could confirm it" in office.last
    await office.say("We are two people and share one desk.")
    assert "until you confirm it in the message that I send you" in office.heard["lead"][-2].text
    assert (await stands(office)).approved_at is None, "it takes a second look"
    await office.tap("Yes, leave it out")
    assert office.last == (
        "Thank you. **Reach across roles**: it is left out until 22 May 2027, by your own word."
    )
    await office.say("what does not apply to us?")
    assert (
        "confirmed by Lea Brandt, who said so: there was nobody else to ask, on"
        in office.heard["lead"][-2].text
    )


async def test_of_two_who_run_the_programme_only_the_other_one_has_a_say(sqlite_store):
    office = await open_office(sqlite_store)
    async with office.store.write() as tx:
        tx.add(Duty(person_id=office.ids["lead"], duty=DutyName.PROGRAMME_OWNER))
        await tx.flush()
        allowed = await approvers(tx, office.ids["finance"], office.ids["lead"])
        assert [person.name for person in allowed] == ["Ada King"]
        await tx.exec(delete(Duty).where(Duty.person_id == office.ids["owner"]))
        tx.add(Duty(person_id=office.ids["co-lead"], duty=DutyName.PROGRAMME_OWNER))
        await tx.flush()
        allowed = await approvers(tx, office.ids["finance"], office.ids["lead"])
        assert [person.name for person in allowed] == ["Tom Okoye"], "though he leads Finance, too"


async def test_a_silent_approver_passes_it_on_to_another_who_may(office):
    async with office.store.write() as tx:
        tx.add(Duty(person_id=office.ids["clerk"], duty=DutyName.PROGRAMME_OWNER))
        row = ScheduledMessage(
            recipient=f"person:{office.ids['owner']}", kind="open_approval", period="answer-1",
            local_week="w", person_id=office.ids["owner"], department_id=office.ids["finance"],
            detail={"answer": 1}, due_at=office.now, planned_at=office.now,
        )  # fmt: skip
        tx.add(row)
        await tx.flush()
        owner = await tx.get_one(Person, office.ids["owner"])
        desk = Desk(tx, INSTRUMENT, owner, office.now)
        assert not await hand_over(desk, row, office.ids["co-lead"])
        assert await hand_over(desk, row, office.ids["clerk"])
    assert (await stands(office)).approver_id == office.ids["clerk"]
    office.who = "clerk"
    await office.say("hello")
    await office.tap("Yes, leave it out")
    assert (await stands(office)).approved_at is not None
