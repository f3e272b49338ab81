"""The company's scan in conversation: who may see it, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.audit.company_turns import CompanyUseCase, Prepared
from bot.audit.instrument import load_instrument
from bot.coaching.all_blockers import AllBlockersUseCase
from bot.organisation.directory import active_departments, person_by_email
from bot.organisation.importing import import_organisation
from bot.organisation.parse import parse_organisation
from bot.store.engine import Store
from bot.store.tables import Audience, Blocker
from bot.turns import Turn
from handlers.demo.history import load_history, plant
from handlers.demo.sample_files import HISTORY_FILE, organisation_file
from tests.conftest import NOW

ASKED = "Where does the company stand?"


async def test_an_executive_sees_the_map_and_what_to_do_next(sqlite_store: Store) -> None:
    instrument = load_instrument()
    audiences = {template.id: Audience(template.ad_audience) for template in instrument.departments}
    file = organisation_file(NOW.date())
    draft = parse_organisation(file.text, file.name, frozenset(audiences))
    await import_organisation(sqlite_store, draft, NOW, audiences)
    async with sqlite_store.write() as tx:
        await plant(tx, load_history(HISTORY_FILE), NOW, instrument)
    company = CompanyUseCase(instrument)
    async with sqlite_store.read() as tx:
        turns = {
            name: Turn(
                1, (await person_by_email(tx, f"{name}@tarnwood.example.com")).id or 0, "web", "c", NOW, ASKED
            )
            for name in ("mirela.castellan", "elena.marquardt", "devon.price", "maya.okonkwo")
        }
        wanted = {name: await company.wants(tx, turn) for name, turn in turns.items()}
        assert wanted == {
            "mirela.castellan": True,
            "elena.marquardt": True,
            "devon.price": True,
            "maya.okonkwo": True,
        }
        (lead,) = await company.apply(tx, turns["maya.okonkwo"], Prepared())
        (clerk,) = await company.apply(tx, turns["devon.price"], Prepared())
        assert (
            clerk.text == "The picture of the whole company is shown to the executives and Elena Marquardt."
        )
        assert lead.text == f"{clerk.text} “Where do we stand?” shows your own department."
        for text in ("Overview", "Where are the gaps?", "What is next?", "Who owns the processes?"):
            assert not await company.wants(tx, replace(turns["maya.okonkwo"], text=text))
        executive = turns["mirela.castellan"]
        assert not await company.wants(tx, replace(executive, public=True))
        assert not await company.wants(tx, replace(executive, text="May I use a company car?"))
        (message,) = await company.apply(tx, executive, Prepared())
        assert await company.wants(tx, replace(executive, text="Who is worst?"))
        assert not await company.wants(tx, replace(turns["devon.price"], text="Who is worst?"))
        assert not await company.wants(tx, replace(executive, text="How is the works council doing?"))
        (rank,) = await company.apply(tx, replace(executive, text="Who is worst?"), Prepared())
    assert rank.text.startswith("I rank no departments")
    assert "5 of 6 departments answered" in message.text
    assert 'Say "blockers of all departments"' in message.text
    first = "1. Begin with “Data and tool rules in daily use” and “Shared picture of limits” in "
    assert first in message.text
    assert "Engineering: it already works beyond Workforce Empowerment" in message.text
    assert "**What is covered**" in message.text
    assert "**Where most gaps are**" in message.text
    assert "**From complaint to refund** (Customer Support → Finance → Customer Support)" in message.text
    assert "a first look at Legal and Compliance" in message.text
    assert "nobody answers for it yet" in message.text
    assert message.table is not None
    rows = {row[0]: row[1:] for row in message.table.rows}
    assert list(rows) == [row[0] for row in message.table.rows]
    assert rows["Legal and Compliance"] == ("–",) * 5, "never asked, and never guessed"
    assert rows["Customer Support"][0] == "in place"


async def test_who_runs_the_programme_sees_what_is_in_the_way_everywhere(sqlite_store: Store) -> None:
    instrument = load_instrument()
    audiences = {template.id: Audience(template.ad_audience) for template in instrument.departments}
    file = organisation_file(NOW.date())
    draft = parse_organisation(file.text, file.name, frozenset(audiences))
    await import_organisation(sqlite_store, draft, NOW, audiences)
    blockers = AllBlockersUseCase(instrument)
    long_ago = NOW - timedelta(days=20)
    async with sqlite_store.write() as tx:
        people = {
            name: (await person_by_email(tx, f"{name}@tarnwood.example.com")).id or 0
            for name in ("mirela.castellan", "elena.marquardt", "devon.price", "maya.okonkwo")
        }
        rows = {row.slug: row.id or 0 for row in await active_departments(tx)}
        tx.add(Blocker(department_id=rows["hr"], code="WE-B1", owner="IT", raised_at=NOW - timedelta(days=3)))
        tx.add(Blocker(department_id=rows["legal"], code="own", note="Ana is away", raised_at=NOW))
        tx.add(Blocker(department_id=rows["support"], code="WE-B2", raised_at=long_ago, escalated_at=NOW))
        turns = {name: Turn(1, who, "web", "c", NOW, "Blockers") for name, who in people.items()}
        wanted = {name: await blockers.wants(tx, turn) for name, turn in turns.items()}
        assert wanted == {
            "mirela.castellan": True,
            "elena.marquardt": True,
            "devon.price": False,
            "maya.okonkwo": False,
        }
        assert not await blockers.wants(tx, replace(turns["elena.marquardt"], public=True))
        (owner,) = await blockers.apply(tx, turns["elena.marquardt"], None)
        (executive,) = await blockers.apply(tx, turns["mirela.castellan"], None)
        assert await blockers.apply(tx, turns["devon.price"], None) == []
    lines = owner.text.splitlines()[2:]
    assert [line.split("**")[1] for line in lines] == [
        "Customer Support",
        "People and HR",
        "Legal and Compliance",
    ]
    assert "for 20 days. **It is critical and has waited too long.**" in lines[0]
    assert "(with IT), for 3 days." in lines[1]
    assert "Ana is away" in owner.text
    assert "Ana is away" not in executive.text
