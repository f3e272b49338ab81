"""Two cards that wait: words are for the one that was shown last, and none goes into the other by mistake."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import col, select

from bot.coaching.plans import plan_choices
from bot.store.tables import Answer, Blocker, CoverageTask, Plan
from bot.turns import Turn
from tests.support.talk import Office, open_office


@pytest.fixture
async def office(sqlite_store) -> Office:
    office = await open_office(sqlite_store)
    await office.say("start")
    await office.tap("Start")
    for _ in range(4):
        await office.say("skip")
    await office.say("next steps")
    return office


async def rows(office: Office, table):
    async with office.store.read() as tx:
        return list(await tx.exec(select(table).order_by(col(table.id))))


async def test_a_sentence_after_another_card_is_no_step_of_ones_own(office):
    await office.say("resume")
    turns = [part for part in office.parts if part.prefix == "coaching"]
    office.log.clear()
    await office.say("We serve nobody outside, we only book invoices.")
    assert "When, and after what?" not in "\n".join(office.log)
    assert turns
    assert await rows(office, Plan) == []


async def test_a_day_for_a_step_is_no_answer_to_the_question_that_waits(office):
    await office.say("1")
    await office.say("tomorrow")
    [plan] = await rows(office, Plan)
    await office.say("go on")
    assert "Question 1 of 4" in office.last
    office.now += timedelta(days=1)
    await office.press(plan_choices(plan.id)[1].id)
    await office.say("Friday after lunch")
    assert "Moved to Friday" in office.last
    assert await rows(office, Answer) == []
    await office.say("None, everything comes by mail.")
    assert "closest to how it is today" in office.last


async def test_a_task_of_ones_own_is_no_answer_either(office):
    await office.say("go on")
    await office.say("coverage")
    await office.tap("Add one")
    await office.say("Sorting the post")
    assert "Sorting the post" in office.last
    assert await rows(office, Answer) == []
    assert await rows(office, CoverageTask) == []


async def test_a_tap_may_be_typed_while_one_is_at_it(office):
    for _ in range(2):
        await office.say("skip all")
    await office.say("coverage")
    await office.tap("Start")
    assert "before AI, how long" in office.last
    await office.say("2-5 hours")
    assert "Out of ten such cases" in office.last
    await office.say("how long is this?")
    assert "5 tasks of this role to go" in office.heard["lead"][-1].text
    await office.say("none")
    assert "2 of 5" in office.last
    await office.say("what do you mean?")
    assert "A rough guess is fine" in office.last
    part = next(part for part in office.parts if part.prefix == "coverage")
    turn = Turn(99, office.ids["lead"], "chat", "x", office.now + timedelta(hours=2), text="none")
    async with office.store.read() as tx:
        assert not await part.wants(tx, turn), "two hours later it is about something else"


@pytest.mark.parametrize("words", ["all three", "both", "yes", "4", "👍"])
async def test_a_step_takes_a_number_or_a_few_words(office, words):
    await office.say(words)
    assert "Which one suits you?" in office.last
    await office.say("the second one")
    assert "When, and after what?" in office.last


async def test_two_leads_can_not_take_on_three_steps(office):
    await office.say("1")
    await office.say("tomorrow")
    for who in ("lead", "co-lead"):
        office.who = who
        await office.say("next steps")
        await office.say("1")
    for who in ("lead", "co-lead"):
        office.who = who
        await office.say("on Friday")
    assert len(await rows(office, Plan)) == 2
    assert "2 steps open, which is plenty" in office.last


async def test_who_moves_it_oneself_is_named(office):
    await office.say("something is in the way")
    await office.say("2")
    await office.say("me")
    [blocker] = await rows(office, Blocker)
    assert blocker.owner == "Lea Brandt"
    assert blocker.code == "WE-B2"


async def test_the_team_called_it_can_move_something(office):
    await office.say("add a blocker: no licences for the new clerks")
    assert "Who can move it?" in office.last
    await office.say("IT")
    [blocker] = await rows(office, Blocker)
    assert (blocker.note, blocker.owner) == ("no licences for the new clerks", "IT")


async def test_a_usual_obstacle_may_be_typed_by_its_name(office):
    await office.say("something is in the way")
    await office.say("no protected time to learn")
    await office.say("Mara Lind")
    [blocker] = await rows(office, Blocker)
    assert (blocker.code, blocker.owner) == ("WE-B4", "Mara Lind")


async def test_what_became_of_a_step_is_no_name(office):
    await office.say("1")
    await office.say("in two weeks")
    await office.say("something is in the way")
    await office.say("no licences")
    await office.say("not yet")
    assert "Which day shall we try next?" in office.last
    assert await rows(office, Blocker) == []


async def test_a_card_of_last_week_takes_no_words(office):
    await office.tap("My own")
    office.now += timedelta(days=7)
    part = next(part for part in office.parts if part.prefix == "coaching")
    turn = Turn(99, office.ids["lead"], "chat", "x", office.now, text="Contractors in the laboratory.")
    async with office.store.read() as tx:
        assert not await part.wants(tx, turn)


async def test_of_several_steps_done_asks_which(office):
    for _ in range(2):
        await office.say("1")
        await office.say("in two weeks")
        await office.say("next steps")
    await office.say("done")
    assert "Which one do you mean?" in office.last
    await office.tap("2: Done")
    assert "Well done!" in office.last


async def test_done_with_a_link_is_one_message(office):
    await office.say("1")
    await office.say("tomorrow")
    await office.say("Done: https://wiki.example/recipes")
    assert "I've kept that" in office.last
    [plan] = await rows(office, Plan)
    assert plan.status.value == "done"


async def test_what_is_tapped_may_be_typed_beside_a_question_that_waits(office):
    await office.say("go on")
    await office.say("coverage")
    await office.say("how long is this?")
    assert "5 tasks of this role to go" in office.last
    await office.say("start")
    assert "before AI, how long" in office.last
    for said in ("2-5 hours", "3-5", "it helps a person", "8"):
        await office.say(said)
    assert "2 of 5" in office.last
    await office.say("resume")
    assert "Question 1 of 4" in office.last
    await office.say("none")
    assert "closest to how it is today" in office.last
    assert await rows(office, Answer) == []


async def test_a_step_may_be_picked_with_a_change_of_ones_own(office):
    offered = office.last
    await office.say("the second one, but only with the two juniors")
    assert "; but only with the two juniors" in office.last
    await office.say("tomorrow")
    [plan] = await rows(office, Plan)
    text, _, change = plan.text.partition(";")
    assert f"- **2** {text}" in offered
    assert change == " but only with the two juniors"
    assert plan.done_when


async def test_a_label_may_be_typed(office):
    await office.say("my own")
    assert "What is your step" in office.last
    await office.say("Write down our positions")
    await office.say("change the wording")
    assert "What is your step" in office.last
    await office.say("not now")
    assert "It can wait" in office.last


async def test_who_has_nothing_to_show_is_thanked_for_the_step(office):
    await office.say("1")
    await office.say("tomorrow")
    await office.say("done")
    await office.tap("Nothing at hand")
    assert "Thank you for telling me" in office.last
