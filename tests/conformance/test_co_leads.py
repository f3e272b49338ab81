"""Two leads of one department at the same time: neither is asked twice, and neither overwrites the other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import col, select

from bot.audit.records import latest_answers
from bot.store.tables import Answer, Claim
from tests.support.talk import Office, open_office

CASE = "In October two of our eight clerks used it for 12 letters."


@pytest.fixture
async def office(sqlite_store) -> Office:
    """Both have begun and are at the first question."""
    office = await open_office(sqlite_store)
    for who in ("lead", "co-lead"):
        office.who = who
        await office.say("start")
        await office.say("yes")
    return office


async def answer(office: Office, who: str, level: int, words: str = CASE) -> None:
    office.who = who
    await office.say(words)
    await office.tap_level(level)


async def rows(office: Office, criterion: str = "WE-1") -> list[Answer]:
    async with office.store.read() as tx:
        found = await tx.exec(select(Answer).where(Answer.criterion == criterion).order_by(col(Answer.id)))
        return list(found)


async def stands(office: Office, criterion: str = "WE-1") -> Answer:
    async with office.store.read() as tx:
        part = next(part for part in office.parts if part.prefix == "audit")
        found = await latest_answers(tx, part._instrument, office.ids["finance"], office.now)
    return found[criterion]


async def test_what_one_has_answered_is_not_asked_of_the_other(office):
    office.who = "co-lead"
    await office.say("resume")
    await answer(office, "lead", 2)
    office.who = "co-lead"
    office.log.clear()
    await office.say("resume")
    assert "Lea Brandt answered **reach across roles** meanwhile" in office.log[1]
    assert "Question 2 of 4" in office.last
    assert len(await rows(office)) == 1


async def test_an_answer_on_the_way_is_a_second_view_and_the_lower_one_stands(office):
    await answer(office, "lead", 2)
    await answer(office, "co-lead", 1)
    assert "You are one step apart" in "\n".join(office.log)
    mine, second, agreed = await rows(office)
    assert (mine.second, second.second, agreed.second) == (False, True, False)
    found = await stands(office)
    assert (found.id, found.level, found.agreement) == (agreed.id, 1, "one_level_apart")


async def test_agreement_counts_and_what_the_second_one_shows_too_but_nothing_is_corroborated(office):
    await answer(office, "lead", 2, "Some of us do, I think, with letters mostly.")
    office.who = "lead"
    await office.tap("Nothing at hand")
    await answer(office, "co-lead", 2, "It is all in letters.xlsx")
    found = await stands(office)
    assert (found.level, found.agreement, found.evidence.value) == (2, "same_level", "E2")


async def test_not_knowing_does_not_undo_what_the_other_knows(office):
    await answer(office, "lead", 2)
    office.who = "co-lead"
    await office.say("not sure")
    assert "That answer stands." in "\n".join(office.log)
    assert (await stands(office)).claim is Claim.LEVEL


async def test_the_same_is_never_tapped_for_an_answer_that_was_not_on_the_card(office):
    for who in ("lead", "co-lead"):
        office.who = who
        await office.say("skip all")
    await answer_all_anew(office)
    office.now += timedelta(days=95)
    for who in ("lead", "co-lead"):
        office.who = who
        await office.say("start")
        assert "What is different now?" in office.last
    office.who = "lead"
    await office.say("worse")
    await answer(office, "lead", 1)
    office.who = "co-lead"
    await office.tap("The same")
    assert "Lea Brandt answered **reach across roles** meanwhile" in office.last
    found = await stands(office)
    assert (found.level, found.still_true_at) == (1, None)


async def answer_all_anew(office: Office) -> None:
    """An answer to the first question that both know, from a sitting of the lead's that is over."""
    office.who = "lead"
    await office.say("edit reach across roles")
    await office.say(CASE)
    await office.tap_level(2)
