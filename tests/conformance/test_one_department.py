"""A department asked after by its name: what each person is shown, and what nobody learns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from sqlmodel import delete, select

from bot.audit.department_turns import DepartmentUseCase
from bot.audit.instrument import load_instrument
from bot.organisation.directory import person_by_email
from bot.organisation.importing import import_organisation
from bot.organisation.parse import parse_organisation
from bot.store.engine import Store
from bot.store.tables import Answer, Audience, AuditLogEntry, Department
from bot.turns import Turn
from handlers.demo.history import load_history, plant
from handlers.demo.sample_files import HISTORY_FILE, organisation_file
from tests.conftest import NOW

INSTRUMENT = load_instrument()
EXECUTIVE, OWNER = "mirela.castellan", "elena.marquardt"
QUESTIONS = (
    "How far is Customer Support?",
    "What did Support answer?",
    "Has Support answered?",
    "Are we ahead of Support?",
)


@dataclass
class Town:
    """The sample company with its history, and its people by the first part of their address."""

    store: Store

    async def asks(self, name: str, text: str) -> str:
        """What this person reads."""
        part = DepartmentUseCase(INSTRUMENT)
        async with self.store.write() as tx:
            person = await person_by_email(tx, f"{name}@tarnwood.example.com")
            turn = Turn(1, person.id or 0, "web", "c", NOW, text)
            assert await part.wants(tx, turn)
            assert not await part.wants(tx, replace(turn, public=True))
            (said,) = await part.apply(tx, turn, await part.prepare(turn))
        return said.text

    async def forget(self, slug: str) -> None:
        """As if this department had never answered."""
        async with self.store.write() as tx:
            wanted = (await tx.exec(select(Department).where(Department.slug == slug))).one()
            await tx.exec(delete(Answer).where(Answer.department_id == wanted.id))


@pytest.fixture
async def town(sqlite_store: Store) -> Town:
    audiences = {template.id: Audience(template.ad_audience) for template in INSTRUMENT.departments}
    file = organisation_file(NOW.date())
    draft = parse_organisation(file.text, file.name, frozenset(audiences))
    await import_organisation(sqlite_store, draft, NOW, audiences)
    async with sqlite_store.write() as tx:
        await plant(tx, load_history(HISTORY_FILE), NOW, INSTRUMENT)
    return Town(sqlite_store)


async def test_others_hear_who_sees_what_and_whom_to_ask_and_nothing_else(town: Town) -> None:
    others = ("rui.montalvo", "ines.caldeira", "jakub.novotny")
    before = {(who, text): await town.asks(who, text) for who in others for text in QUESTIONS}
    for (who, _), said in before.items():
        assert "can tell you more" in said, who
        assert "Workforce Empowerment" not in said
        assert "level" not in said
    await town.forget("support")
    assert before == {(who, text): await town.asks(who, text) for who in others for text in QUESTIONS}


async def test_whoever_leads_the_company_sees_where_it_stands_and_no_words(town: Town) -> None:
    stands = await town.asks(EXECUTIVE, "How is Customer Support doing?")
    words = await town.asks(EXECUTIVE, "What did Support answer?")
    assert "- Workforce Empowerment: in place" in stands
    assert stands.endswith("Below level 3 there: “Helpfulness before volume” (2).")
    assert words.startswith("What leads write is for them")
    assert words.endswith(stands)
    nothing = await town.asks(EXECUTIVE, "How is Legal and Compliance doing?")
    assert nothing == "There is nothing that I could show of Legal and Compliance alone."
    assert (await town.asks(EXECUTIVE, "Has Legal answered?")).startswith("Who has answered and who has not")


async def test_whoever_runs_the_programme_reads_the_words_and_that_is_kept(town: Town) -> None:
    async with town.store.write() as tx:
        support = (await tx.exec(select(Department).where(Department.slug == "support"))).one()
        row = (await tx.exec(select(Answer).where(Answer.department_id == support.id))).first()
        assert row is not None
        row.words, row.answered_at = "Two of us keep the list", NOW
    said = await town.asks(OWNER, "What did Support answer?")
    assert said.startswith("**What Customer Support answered last**")
    assert "> Two of us keep the list" in said
    async with town.store.read() as tx:
        (entry,) = (await tx.exec(select(AuditLogEntry).where(AuditLogEntry.action == "answers.read"))).all()
    assert entry.resource == f"department:{support.id}"
    assert "Two of us" not in str(entry.detail)


async def test_a_team_sees_where_it_stands_as_a_whole_and_its_lead_as_ever(town: Town) -> None:
    team = await town.asks("devon.price", "How far is Support?")
    lead = await town.asks("maya.okonkwo", "Where does Customer Support stand?")
    words = await town.asks("maya.okonkwo", "What did Support answer?")
    assert team.endswith("It works on AI-Native Distribution now.")
    assert lead.startswith("**Where Customer Support stands**\n\nIn place up to model 1")
    assert words.startswith("“Show our answers” lists what was answered.")
    await town.forget("support")
    assert "nothing that I could show" in await town.asks("devon.price", "How far is Support?")
