"""The company's scan in conversation: who may see it, and what it says."""

from __future__ import annotations

from dataclasses import replace

from bot.audit.company_turns import CompanyUseCase, Prepared
from bot.audit.instrument import load_instrument
from bot.organisation.directory import person_by_email
from bot.organisation.importing import import_organisation
from bot.organisation.parse import parse_organisation
from bot.store.engine import Store
from bot.store.tables import Audience
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
            "devon.price": False,
            "maya.okonkwo": False,
        }
        executive = turns["mirela.castellan"]
        assert not await company.wants(tx, replace(executive, public=True))
        assert not await company.wants(tx, replace(executive, text="May I use a company car?"))
        (message,) = await company.apply(tx, executive, Prepared())
    assert "5 of 6 departments answered" in message.text
    assert "Engineering already builds on Workforce Empowerment" in message.text
    assert "Support hands work to Engineering" not in message.text, "the name is the department's own"
    assert "**From complaint to refund** (Customer Support → Finance → Customer Support)" in message.text
    assert "a first look at Legal and Compliance" in message.text
    assert "nobody answers for it yet" in message.text
    assert message.table is not None
    rows = {row[0]: row[1:] for row in message.table.rows}
    assert list(rows) == [row[0] for row in message.table.rows]
    assert rows["Legal and Compliance"] == ("–",) * 5, "never asked, and never guessed"
    assert rows["Customer Support"][0] == "in place"
