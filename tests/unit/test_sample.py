"""The sample company: its organisation imports, and every policy is one that could hang on a wall."""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from bot.audit.instrument import load_instrument
from bot.organisation.draft import OrganisationDraft
from bot.organisation.parse import parse_organisation
from bot.store.tables import DutyName
from handlers.demo.sample_files import (
    SAMPLE,
    SampleFile,
    fill_dates,
    organisation_file,
    policy_files,
    write_sample,
)
from knowledge.frontmatter import Details, split

TODAY = date(2026, 11, 23)
POLICIES = policy_files(TODAY)


@cache
def organisation(today: date = TODAY) -> OrganisationDraft:
    file = organisation_file(today)
    templates = frozenset(template.id for template in load_instrument().departments)
    return parse_organisation(file.text, file.name, templates)


def read(file: SampleFile) -> tuple[Details, str]:
    return split(file.text)


every_policy = pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.name)


def test_the_organisation_is_one_of_six_departments_and_400_people() -> None:
    draft = organisation()
    roles = [role for department in draft.departments for role in department.roles]
    assert len(draft.departments) == 6
    assert sum(role.headcount for role in roles) == 400
    assert all(department.leads for department in draft.departments)
    assert len({person.time_zone or "" for person in draft.people}) > 1
    assert len({department.time_zone for department in draft.departments}) == 3
    small = [role for role in roles if role.headcount < 5]
    assert small, "small groups have to be there, or nobody sees that they are protected"


def test_every_duty_is_held_and_one_lead_is_away_next_tuesday() -> None:
    draft = organisation()
    duties = [duty for person in draft.people for duty in person.duties]
    assert duties.count(DutyName.EXECUTIVE) == 2
    assert duties.count(DutyName.PROGRAMME_OWNER) == 1
    assert duties.count(DutyName.ADMIN) == 1
    leads = {email for department in draft.departments for email in department.leads}
    for day in range(14):
        today = TODAY + timedelta(days=day)
        tuesday = today + timedelta(days=(1 - today.weekday()) % 7 or 7)
        away = {
            person.email
            for person in organisation(today).people
            for leave in person.leave
            if leave.first <= tuesday <= leave.last
        }
        assert away & leads == {"ines.caldeira@tarnwood.example.com"}


def test_dates_are_counted_from_the_day_of_the_demo() -> None:
    assert fill_dates("from {-3d} to {+14d}, {+0d}", TODAY) == "from 2026-11-20 to 2026-12-07, 2026-11-23"
    assert fill_dates("{role} {3d} {-3}", TODAY) == "{role} {3d} {-3}"


@every_policy
def test_a_policy_says_who_owns_it_and_who_may_read_it(file: SampleFile) -> None:
    details, _ = read(file)
    owners = {person.email for person in organisation().people if DutyName.POLICY_OWNER in person.duties}
    departments = {department.id for department in organisation().departments}
    roles = {f"role:{role.id}" for department in organisation().departments for role in department.roles}
    assert details.stable_id == file.name.removesuffix(".md")
    assert details.owner in owners
    assert details.audience
    assert set(details.audience) <= {"all"} | departments | roles
    assert details.effective is not None
    assert details.effective < TODAY
    assert details.review_by is not None
    assert details.effective < details.review_by
    assert details.label
    assert details.supersedes is None or details.supersedes in {
        read(other)[0].stable_id for other in POLICIES
    }


@every_policy
def test_a_policy_reads_like_one(file: SampleFile) -> None:
    details, body = read(file)
    headings = re.findall(r"^#+ .+$", body, re.M)
    assert headings[0] == f"# {details.title}"
    assert len(set(headings)) == len(headings) >= 8
    assert 500 <= len(body.split()) <= 1400
    assert not re.search(r"lorem|ipsum|TODO|TBD|\{[+-]?\d+d\}", body, re.I)
    assert len(re.findall(r"\d+", body)) >= 5, "a policy needs figures: limits, days, amounts"
    for section in re.split(r"^## .+$", body, flags=re.M):
        assert section.strip(), "a heading without a text"


@every_policy
def test_its_tables_are_whole(file: SampleFile) -> None:
    for table in re.findall(r"(?:^\|.*\|\n)+", read(file)[1], re.M):
        rows = table.strip().split("\n")
        assert len({row.count("|") for row in rows}) == 1, rows[0]
        assert re.fullmatch(r"[|\-\s]+", rows[1])
        assert len(rows) >= 4


def test_only_our_own_addresses_occur() -> None:
    for path in sorted(SAMPLE.rglob("*")):
        if path.suffix not in (".md", ".yaml"):
            continue
        text = path.read_text("utf-8")
        assert set(re.findall(r"[\w.+-]+@([\w.-]+\w)", text)) <= {"tarnwood.example.com"}, path
        assert "http" not in text, path


def test_policies_do_not_copy_each_other() -> None:
    sentences = [
        (file.name, sentence)
        for file in POLICIES
        for sentence in set(re.findall(r"[A-Z][^.|\n]{50,}\.", read(file)[1]))
    ]
    for (first, one), (second, other) in itertools.combinations(sentences, 2):
        assert first == second or one != other, one


def test_the_collection_holds_what_hard_questions_need() -> None:
    known = {details.stable_id: details for details, _ in map(read, POLICIES)}
    superseded = {details.supersedes for details in known.values() if details.supersedes}
    overdue = {name for name, details in known.items() if details.review_by and details.review_by < TODAY}
    restricted = {name for name, details in known.items() if details.audience != ("all",)}
    assert superseded == {"ai-pilot-guidelines"}
    assert overdue - superseded == {"remote-work"}
    assert len(known) >= 20
    assert len(restricted) >= 5
    assert any("role:" in part for details in known.values() for part in details.audience or ())
    text = {details.stable_id: body for details, body in map(read, POLICIES)}
    assert "can't be claimed as expenses" in text["software-purchasing"]
    assert "may be paid with the own card and claimed" in text["expenses"]
    assert "| Recording, inside the company | 30 days |" in text["meeting-notes-recording"]
    assert "| Calls and meeting recordings, inside or with customers | 90 days |" in text["data-retention"]
    for subject in ("sabbatical", "company cars?", "dress code", "cryptocurrenc", "open-source side project"):
        assert not any(re.search(rf"\b{subject}\b", body, re.I) for body in text.values()), subject


def test_what_is_superseded_comes_first() -> None:
    assert POLICIES[0].name == "ai-pilot-guidelines.md"


def test_it_can_be_written_out_for_commands_that_read_files(tmp_path: Path) -> None:
    write_sample(tmp_path, TODAY)
    written = sorted(path.name for path in (tmp_path / "policies").iterdir())
    assert written == sorted(file.name for file in POLICIES)
    assert "{" not in (tmp_path / "policies" / "leave.md").read_text("utf-8")
    assert str(TODAY - timedelta(days=4)) in (tmp_path / "org.yaml").read_text("utf-8")
