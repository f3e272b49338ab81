"""One lead of two departments: each card says which it is about, and words lead from one to the other."""

from __future__ import annotations

import pytest
from sqlmodel import select

from bot.store.tables import Department, DialogueSession, Duty, DutyName
from tests.support.talk import Office, open_office


@pytest.fixture
async def office(sqlite_store) -> Office:
    office = await open_office(sqlite_store)
    async with office.store.write() as tx:
        sales = (await tx.exec(select(Department).where(Department.slug == "sales"))).one()
        tx.add(Duty(person_id=office.ids["lead"], duty=DutyName.LEAD, department_id=sales.id))
    return office


async def test_words_lead_to_the_other_department_and_back(office):
    await office.say("start")
    await office.tap("Sales and Service")
    await office.say("yes")
    assert "**Question 1 of 4**, about 3 minutes\n\n_About Sales and Service_" in office.last
    await office.say("skip")
    await office.say("audit finance")
    assert office.last.startswith("Hello! I help Finance")
    await office.say("yes")
    assert "_About Finance_" in office.last
    await office.say("Continue with Sales and Service, please")
    assert "**Question 2 of 4**" in office.last
    assert "_About Sales and Service_" in office.last


@pytest.mark.parametrize(
    "said", ["Finance clerks start with Copilot", "start with the invoices", "audit legal"]
)
async def test_an_answer_that_begins_so_stays_an_answer(office, said):
    await office.say("start finance")
    await office.say("yes")
    await office.say(said)
    assert "Which of these is closest" in office.last
    async with office.store.read() as tx:
        assert len(list(await tx.exec(select(DialogueSession)))) == 1


async def test_whoever_leads_one_is_not_told_which(sqlite_store):
    office = await open_office(sqlite_store)
    await office.say("start")
    await office.say("yes")
    assert "_About" not in office.last
