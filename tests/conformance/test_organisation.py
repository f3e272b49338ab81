"""Importing an organisation: as a whole, repeatable, previewed, losing nothing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from bot.errors import InputError
from bot.organisation.directory import department_by_slug, organisation_document, person_by_email
from bot.organisation.importing import import_organisation
from bot.organisation.ledger import Change
from bot.organisation.parse import parse_organisation, read_file
from bot.store.engine import Store
from bot.store.outbox import address_of
from bot.store.tables import Answer, Audience, Claim, EvidenceClass, Platform, Process, Role
from tests.conftest import NOW

TEMPLATES = frozenset({"hr", "support"})
AUDIENCES = {"support": Audience.EXTERNAL, "hr": Audience.INTERNAL}

BASE = """
company: {name: Acme, time_zone: Europe/Berlin, country: DE}
departments:
  - id: people
    name: People
    template: hr
    slot: {day: tuesday, time: 10:00}
    roles: [{id: recruiter, name: Recruiter, headcount: 4}]
    leads: [ada@acme.example.com]
  - id: support
    name: Support
    template: support
    roles:
      - {id: agent, name: Agent, headcount: 20}
people:
  - {email: Ada@acme.example.com, name: Ada, department: people, role: recruiter, slack: T1/U1,
     leave: [{from: 2026-12-01, to: 2026-12-07}]}
  - {email: ben@acme.example.com, name: Ben, duties: [executive, admin], working_days: [mon, tue, wed]}
holidays:
  - {date: 2026-12-24, name: Company day}
"""


async def take(store: Store, text: str, dry_run: bool = False, name: str = "org.yaml") -> list[Change]:
    draft = parse_organisation(text, name, TEMPLATES)
    return await import_organisation(store, draft, NOW, AUDIENCES, dry_run)


async def shown(store: Store) -> dict[str, Any]:
    async with store.read() as session:
        return await organisation_document(session)


async def test_the_same_file_again_changes_nothing(store: Store) -> None:
    first = await take(store, BASE)
    assert any(str(change) == "added: department people" for change in first)
    before = await shown(store)
    assert await take(store, BASE) == []
    assert await shown(store) == before
    assert before["people"][0]["email"] == "ada@acme.example.com"
    assert before["departments"][0]["slot"] == {"day": "tue", "time": "10:00"}
    assert [row["ad_audience"] for row in before["departments"]] == ["internal", "external"]


async def test_a_dry_run_tells_the_same_and_changes_nothing(store: Store) -> None:
    previewed = await take(store, BASE, dry_run=True)
    assert (await shown(store))["departments"] == []
    assert await take(store, BASE) == previewed


async def test_letters_follow_the_address_and_a_choice_in_the_chat_stays(store: Store) -> None:
    await take(store, BASE.replace("name: Ben,", "name: Ben, preferred: email,"))
    async with store.write() as tx:
        ben = await person_by_email(tx, "ben@acme.example.com")
        assert await address_of(tx, ben.id or 0) == (Platform.EMAIL, "ben@acme.example.com")
    moved = BASE.replace(
        "email: ben@acme.example.com", "email: b@acme.example.com, was: [ben@acme.example.com]"
    )
    moved = moved.replace("name: Ben,", "name: Ben, preferred: email,")
    assert any("letters" in str(change) for change in await take(store, moved))
    assert await take(store, moved) == []
    async with store.write() as tx:
        ben = await person_by_email(tx, "b@acme.example.com")
        assert await address_of(tx, ben.id or 0) == (Platform.EMAIL, "b@acme.example.com")
        ben.preferred_platform = Platform.SLACK
    assert await take(store, moved) == []


async def test_a_channel_chosen_in_the_settings_stays_until_the_file_names_one(store: Store) -> None:
    def with_channel(channel: str) -> str:
        return BASE.replace("- id: people\n", f"- id: people\n    channel: {channel}\n")

    async def channels() -> dict[str, str]:
        async with store.read() as session:
            return (await department_by_slug(session, "people")).channels

    await take(store, BASE)
    async with store.write() as tx:
        (await department_by_slug(tx, "people")).channels = {"slack": "C7", "email": "hr@acme.example.com"}
    assert await take(store, BASE) == []
    assert await channels() == {"slack": "C7", "email": "hr@acme.example.com"}
    await take(store, with_channel('{slack: "C8"}'))
    assert await channels() == {"slack": "C8", "email": "hr@acme.example.com"}
    await take(store, with_channel('{slack: "C8", email: ""}'))
    assert await channels() == {"slack": "C8"}


async def test_a_renamed_and_a_removed_department_keep_their_answers(store: Store) -> None:
    await take(store, BASE)
    async with store.write() as tx:
        people = await department_by_slug(tx, "people")
        assert people.id is not None
        tx.add(
            Answer(
                department_id=people.id,
                criterion="WE-1",
                claim=Claim.LEVEL,
                level=2,
                evidence=EvidenceClass.E1,
                counted=2,
                instrument_version="0.1.0",
                answered_at=NOW,
            )
        )
    renamed = BASE.replace("- id: people", "- id: hr\n    was: people").replace(
        "department: people", "department: hr"
    )
    changes = await take(store, renamed)
    assert [str(change) for change in changes] == ["renamed: department people (now hr)"]
    only_support = """
departments:
  - id: support
    name: Support
    template: support
    roles: [{id: agent, name: Agent, headcount: 20}]
people: []
"""
    changes = await take(store, only_support)
    assert "archived: department hr (its answers stay)" in map(str, changes)
    back = await take(store, BASE)
    assert "restored: department people" in map(str, back) or "renamed: department hr (now people)" in map(
        str, back
    )
    async with store.read() as session:
        department = await department_by_slug(session, "people")
        answers = (await session.exec(select(Answer).where(Answer.department_id == department.id))).all()
        assert department.archived_at is None
        assert len(answers) == 1
        assert (await person_by_email(session, "ADA@acme.example.com")).name == "Ada"


async def test_a_former_id_still_finds_the_department(store: Store) -> None:
    await take(store, BASE)
    async with store.read() as session:
        before = (await department_by_slug(session, "people")).id
    moved = BASE.replace("- id: people\n    name: People", "- id: crew\n    was: [people]\n    name: Crew")
    await take(store, moved.replace("department: people", "department: crew"))
    async with store.read() as session:
        assert (await department_by_slug(session, "crew")).id == before
        # The former id still finds it.
        assert (await department_by_slug(session, "people")).id == before


async def test_every_fault_is_listed_with_line_and_field_and_nothing_goes_in(store: Store) -> None:
    bad = """
company: {name: Acme, time_zone: Mars/Olympus, country: Germany}
departments:
  - id: People Team
    name: People
    template: unknown
    colour: red
  - id: support
    name: ""
    roles: [{id: agent, name: Agent, headcount: -3}, {id: agent, name: Agent}]
    slot: {day: someday, time: "25:00"}
    leads: [nobody@acme.example.com]
  - id: support
    name: Again
people:
  - {email: not-an-address, name: X}
  - {email: a@acme.example.com, name: A, department: nowhere, working_hours: "18:00-09:00"}
"""
    with pytest.raises(InputError) as caught:
        await take(store, bad)
    said = "\n".join(map(str, caught.value.faults))
    for line, field in [
        (2, "company.time_zone"),
        (2, "company.country"),
        (4, "departments[1].id"),
        (7, "departments[1].colour"),
        (9, "departments[2].name"),
        (10, "departments[2].roles[1].headcount"),
        (11, "departments[2].slot.day"),
        (11, "departments[2].slot.time"),
        (16, "people[1].email"),
        (17, "people[2].working_hours"),
    ]:
        assert f"org.yaml, line {line}: {field}: " in said, said
    assert (await shown(store))["departments"] == []


async def test_what_points_nowhere_or_stands_twice_is_a_fault(store: Store) -> None:
    bad = BASE + "  - {date: 2026-12-25, name: Day, departments: [moon]}\n"
    bad = bad.replace("leads: [ada@acme", "leads: [eve@acme").replace("template: hr", "template: circus")
    bad = bad.replace("role: recruiter", "role: clown").replace("  - id: support", "  - id: people")
    with pytest.raises(InputError) as caught:
        await take(store, bad)
    said = "\n".join(map(str, caught.value.faults))
    assert "org.yaml, line 9: departments[1].leads[1]: eve@acme.example.com is not among the people" in said
    assert "departments[1].template: 'circus' is unknown; there are hr, support" in said
    assert "departments[2].id: 'people' is given twice" in said
    assert "people[1].role: the department has no role 'clown'" in said
    assert "holidays[2].departments: there is no department 'moon'" in said


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"\x7fELF\0\0\0", "is not a text file"),
        (b"company: caf\xe9", "not UTF-8"),
        (b"a: " + b"x" * 10_000_000, "far too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(raw: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_file(raw, "org.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2", "line 2"),
        ("- 1\n- 2", "does not describe an organisation"),
        ("departments: [{id: a, name: A, name: B}]", "given twice"),
        ("a: &x [1]\nb: *x", "no aliases"),
        ("[" * 300 + "]" * 300, "nested too deeply"),
    ],
)
def test_broken_yaml_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_organisation(text, "org.yaml", TEMPLATES)


async def test_the_same_company_as_csv(store: Store) -> None:
    text = (
        "email,name,department,role,lead,slack,leave,duties\n"
        "ada@acme.example.com,Ada,People,Recruiter,yes,T1/U1,2026-12-01/2026-12-07,\n"
        "ben@acme.example.com,Ben,,,,,,executive;admin\n"
        "cai@acme.example.com,Cai,People,Recruiter,,,,\n"
    )
    await take(store, text, name="people.csv")
    assert await take(store, text, name="people.csv") == []
    document = await shown(store)
    assert document["departments"] == [
        {
            "id": "people",
            "name": "People",
            "ad_audience": "internal",
            "roles": [{"id": "recruiter", "name": "Recruiter", "headcount": 2}],
            "leads": ["ada@acme.example.com"],
        }
    ]
    assert document["people"][1]["duties"] == ["executive", "admin"]


def test_csv_faults_name_the_line() -> None:
    with pytest.raises(InputError, match="line 1: department: this column is missing"):
        parse_organisation("email,name,colour\n", "p.csv", TEMPLATES)
    with pytest.raises(InputError, match=r"line 3: people\[2\].email"):
        parse_organisation("email,name,department\na@b.example,A,X\nnope,B,X\n", "p.csv", TEMPLATES)
    with pytest.raises(InputError, match="line 2: has more or fewer cells"):
        parse_organisation("email,name,department\na@b.example,A\n", "p.csv", TEMPLATES)


PROCESSES = """
processes:
  - id: hire
    name: From request to first day
    owner: ada@acme.example.com
    departments: [support, people, support]
    agents: true
    state: trial
    baseline: {measure: days from request to first day, value: 41.5, date: 2026-06-30}
"""


async def test_processes_are_imported_shown_changed_archived_and_come_back(store: Store) -> None:
    previewed = await take(store, BASE + PROCESSES, dry_run=True)
    assert (await shown(store))["processes"] == []
    assert await take(store, BASE + PROCESSES) == previewed
    assert "added: process hire" in map(str, previewed)
    assert await take(store, BASE + PROCESSES) == []
    [process] = (await shown(store))["processes"]
    assert process == {
        "id": "hire",
        "name": "From request to first day",
        "owner": "ada@acme.example.com",
        "departments": ["support", "people", "support"],
        "agents": True,
        "state": "trial",
        "baseline": {"measure": "days from request to first day", "value": 41.5, "date": "2026-06-30"},
    }
    shorter = PROCESSES.replace("id: hire", "id: hiring\n    was: hire").replace(
        "[support, people, support]", "[support, people]"
    )
    changes = [str(change) for change in await take(store, BASE + shorter)]
    assert changes == [
        "renamed: process hire (now hiring)",
        "changed: process hiring (departments: support > people)",
    ]
    assert [str(each) for each in await take(store, BASE)] == [], "a file without processes leaves them alone"
    assert [each.what for each in await take(store, BASE + "processes: []\n")] == ["archived"]
    assert (await shown(store))["processes"][0]["archived"]
    assert [each.what for each in await take(store, BASE + shorter)] == ["restored"]
    assert "archived" not in (await shown(store))["processes"][0]


async def test_what_a_lead_noted_in_the_chat_stays_until_the_file_names_it(store: Store) -> None:
    await take(store, BASE)
    async with store.write() as tx:
        ada = await person_by_email(tx, "ada@acme.example.com")
        tx.add(Process(slug="noted-1", name="From Request to first day", noted_by=ada.id, noted_at=NOW))
        tx.add(Process(slug="noted-2", name="Refunds", noted_by=ada.id, noted_at=NOW))
    changes = [str(change) for change in await take(store, BASE + PROCESSES)]
    assert "renamed: process noted-1 (now hire)" in changes
    assert not any("noted-2" in change for change in changes)
    assert {each["id"]: each.get("noted_in_chat", False) for each in (await shown(store))["processes"]} == {
        "hire": False,
        "noted-2": True,
    }


async def test_faults_in_processes_are_named_with_line_and_field(store: Store) -> None:
    wrong = PROCESSES.replace("[support, people, support]", "[support, sales]").replace("trial", "running")
    alone = wrong.replace("[support, sales]", "[people]").replace("ada@", "eve@").replace("running", "live")
    with pytest.raises(InputError) as refused:
        await take(store, BASE + wrong.replace("41.5", "many"))
    fields = {fault.field for fault in refused.value.faults}
    assert fields == {"processes[1].state", "processes[1].baseline.value"}
    with pytest.raises(InputError) as refused:
        await take(store, BASE + alone + alone.partition("\n")[2].partition("\n")[2])
    faults = {(fault.where, fault.field): fault.problem for fault in refused.value.faults}
    line = len(BASE.splitlines()) + 5
    assert (
        faults["org.yaml, line " + str(line + 1), "processes[1].departments"]
        == "has to name at least two departments"
    )
    assert (
        faults["org.yaml, line " + str(line), "processes[1].owner"]
        == "eve@acme.example.com is not among the people"
    )
    assert any("given twice" in said for said in faults.values())


async def answered(store: Store, slug: str, by: str, criteria: tuple[str, ...]) -> None:
    async with store.write() as tx:
        department = await department_by_slug(tx, slug)
        person = await person_by_email(tx, by)
        for criterion in criteria:
            tx.add(
                Answer(
                    department_id=department.id or 0,
                    criterion=criterion,
                    claim=Claim.LEVEL,
                    level=2,
                    evidence=EvidenceClass.E1,
                    counted=2,
                    picked_by=person.id,
                    instrument_version="0.1.0",
                    answered_at=NOW,
                )
            )


async def ended(store: Store) -> dict[str, str | None]:
    async with store.read() as tx:
        return {row.criterion: row.expired_by for row in (await tx.exec(select(Answer))).all()}


async def test_a_lead_who_goes_ends_what_the_lead_said(store: Store) -> None:
    two = BASE.replace("leads: [ada@acme.example.com]", "leads: [ada@acme.example.com, ben@acme.example.com]")
    only_ben = BASE.replace("leads: [ada@acme.example.com]", "leads: [ben@acme.example.com]")
    await take(store, two)
    await answered(store, "people", "ada@acme.example.com", ("WE-1", "WE-2"))
    await answered(store, "people", "ben@acme.example.com", ("WE-3",))
    previewed = await take(store, only_ben, dry_run=True)
    assert "expired: answers of department people (lead changed: 2 are asked again)" in map(str, previewed)
    assert set((await ended(store)).values()) == {None}
    await take(store, only_ben)
    assert await ended(store) == {"WE-1": "lead changed", "WE-2": "lead changed", "WE-3": None}
    await take(store, BASE)
    assert (await ended(store))["WE-3"] == "lead changed", "nobody of the earlier leads is left"


@pytest.mark.parametrize(
    ("role", "changed"),
    [
        ("{id: agent, name: Agent, headcount: 20}", False),
        ("{id: agent, name: Agent, headcount: 21}", True),
        ("{id: agent, name: Case worker, headcount: 20}", True),
    ],
)
async def test_a_role_that_becomes_another_one_is_marked(
    sqlite_store: Store, role: str, changed: bool
) -> None:
    await take(sqlite_store, BASE)
    await take(sqlite_store, BASE.replace("{id: agent, name: Agent, headcount: 20}", role))
    async with sqlite_store.read() as session:
        [stored] = await session.exec(select(Role).where(Role.slug == "agent"))
    assert (stored.changed_at is not None) is changed


@pytest.mark.parametrize(
    ("roles", "ends"),
    [
        ("[{id: agent, name: Agent, headcount: 26}]", False),
        ("[{id: agent, name: Agent, headcount: 27}]", True),
        ("[{id: staff, name: Agent, headcount: 20}]", False),
        ("[{id: agent, name: Agent, headcount: 15}, {id: coach, name: Coach, headcount: 5}]", True),
    ],
)
async def test_a_department_that_is_reorganised_is_asked_again(
    sqlite_store: Store, roles: str, ends: bool
) -> None:
    await take(sqlite_store, BASE)
    await answered(sqlite_store, "support", "ben@acme.example.com", ("WE-1",))
    new = BASE.replace("roles:\n      - {id: agent, name: Agent, headcount: 20}", f"roles: {roles}")
    assert new != BASE
    changes = [change.what for change in await take(sqlite_store, new)]
    assert ("expired" in changes) is ends
    assert (await ended(sqlite_store))["WE-1"] == ("reorganisation" if ends else None)
