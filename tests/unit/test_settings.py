"""Settings in the chat: what words mean, who may change what, and that the planner goes by it at once."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import address_of
from bot.store.tables import (
    AuditLogEntry,
    Company,
    Department,
    Duty,
    DutyName,
    Identity,
    Person,
    Platform,
)
from bot.turns import Turn
from scheduler.planner import explain
from scheduler.setting_words import WEEKDAYS, Said, read_settings
from scheduler.settings import SettingsUseCase
from tests.support.talk import plant_company

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Berlin
LATER = datetime(2026, 12, 9, 9, 0, tzinfo=UTC)
USE = SettingsUseCase([Platform.SLACK, Platform.EMAIL])


async def tell(
    store: Store, person: int, text: str | None = None, choice: str | None = None, platform: str = "web"
) -> Message:
    turn = Turn(1, person, platform, f"{platform}:{person}", NOW, text=text, choice=choice)
    async with store.read() as session:
        assert choice is not None or await USE.wants(session, turn)
    async with store.write() as tx:
        [said] = await USE.apply(tx, turn, await USE.prepare(turn))
    return said


async def make_admin(store: Store, person: int) -> None:
    async with store.write() as tx:
        tx.add(Duty(person_id=person, duty=DutyName.ADMIN))
        tx.add(Duty(person_id=person, duty=DutyName.EXECUTIVE))


async def planned(store: Store, kind: str) -> set[str]:
    """When messages of that kind would come, by local weekday and time."""
    lines = await explain(store, NOW, LATER)
    sent = [line for line in lines if line["kind"] == kind and not line["held"]]
    times = [datetime.fromisoformat(str(line["local_time"])) for line in sent]
    return {f"{at:%A %H:%M}" for at in times}


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Ask me on Thursdays at 14:00!", Said("ask", 3, time(14))),
        ("please write to me every monday at 9.30", Said("ask", 0, time(9, 30))),
        ("ask me at 2", Said("ask", None, time(14))),
        ("ask me on fridays at 3 p.m.", Said("ask", 4, time(15))),
        ("Send the digest on Tuesdays at 8", Said("digest", 1, time(8))),
        ("move the company digest to wednesday at noon", Said("digest", 2, time(12), company=True)),
        ("send the digest of Finance at 10:00", Said("digest", None, time(10), of="finance")),
        ("write to me by e-mail", Said("by", where=Platform.EMAIL)),
        ("message me in Microsoft Teams", Said("by", where=Platform.TEAMS)),
        ("What are my settings?", Said("show")),
    ],
)
def test_what_words_mean(words: str, meaning: Said) -> None:
    assert read_settings(words) == meaning


@pytest.mark.parametrize(
    "words",
    [
        "ask me later", "ask me on Friday", "ask me on Fridays at 25", "ask me", "send the digest",
        "may I send the digest on Tuesdays to a customer?", "which settings does the tool need?",
        "write to me by hand", "show me the digest", "We ask me and the team on Thursdays at 14:00",
    ],
)  # fmt: skip
def test_what_is_not_about_settings(words: str) -> None:
    assert read_settings(words) is None


@given(st.sampled_from(WEEKDAYS), st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_every_day_and_time_can_be_said(day: str, at: time) -> None:
    assert read_settings(f"ask me on {day}s at {at:%H:%M}") == Said("ask", WEEKDAYS.index(day), at)


async def test_the_planner_goes_by_it_at_once_and_by_the_undo_too(sqlite_store: Store) -> None:
    small = await plant_company(sqlite_store)
    before = await planned(sqlite_store, "audit_invitation")
    said = await tell(sqlite_store, small["lead"], "ask me on Thursdays at 14:00")
    assert await planned(sqlite_store, "audit_invitation") == {"Thursday 14:00"}
    await tell(sqlite_store, small["lead"], choice=said.choices[0].id)
    assert await planned(sqlite_store, "audit_invitation") == before


async def test_an_admin_moves_the_companys_digest(sqlite_store: Store) -> None:
    small = await plant_company(sqlite_store)
    await make_admin(sqlite_store, small["owner"])
    said = await tell(sqlite_store, small["owner"], "send the digest on Tuesdays at 11")
    assert "of the company comes on Tuesdays at 11:00" in said.text
    assert await planned(sqlite_store, "executive_digest") == {"Tuesday 11:00"}
    shown = await tell(sqlite_store, small["owner"], "my settings")
    assert "The company's digest comes on Tuesdays at 11:00." in shown.text
    async with sqlite_store.read() as session:
        [entry] = await session.exec(select(AuditLogEntry))
    assert (entry.action, entry.actor_id) == ("digest.moved", small["owner"])
    await tell(sqlite_store, small["owner"], choice=said.choices[0].id)
    async with sqlite_store.read() as session:
        company = await session.get_one(Company, 1)
    assert "digest_day" not in company.settings


async def test_a_lead_moves_only_the_own_departments_digest(sqlite_store: Store) -> None:
    small = await plant_company(sqlite_store)
    async with sqlite_store.write() as tx:
        tx.add(Department(slug="legal", name="Legal", channels={"slack": "C2"}))
        finance = await tx.get_one(Department, small["finance"])
        finance.channels = {"slack": "C1"}
    await tell(sqlite_store, small["lead"], "send the digest on Thursdays at 10")
    assert await planned(sqlite_store, "department_digest") == {"Thursday 10:00", "Monday 09:00"}
    refused = await tell(sqlite_store, small["lead"], "send the digest of Legal on Fridays")
    assert refused.kind == "notice"
    refused = await tell(sqlite_store, small["lead"], "send the company digest on Fridays")
    assert refused.kind == "notice"
    assert await planned(sqlite_store, "department_digest") == {"Thursday 10:00", "Monday 09:00"}


@pytest.mark.parametrize(
    "code",
    [
        "digest.0.4.1000",
        "digest.1.4.1000",
        "digest.99.4.1000",
        "by.pigeon",
        "by.teams",
        "what",
        "ask.1",
        "by",
    ],
)
async def test_a_button_proves_nothing(sqlite_store: Store, code: str) -> None:
    small = await plant_company(sqlite_store)
    before = await everything(sqlite_store)
    said = await tell(sqlite_store, small["clerk"], choice=f"settings:0:0:{code}")
    assert said.kind == "notice"
    assert await everything(sqlite_store) == before


async def everything(store: Store) -> list[Any]:
    async with store.read() as session:
        return [
            [row.model_dump() for row in await session.exec(select(table))]
            for table in (Company, Department, Person, Identity, AuditLogEntry)
        ]


async def test_e_mail_there_and_back(sqlite_store: Store) -> None:
    small = await plant_company(sqlite_store)
    async with sqlite_store.write() as tx:
        tx.add(
            Identity(
                person_id=small["lead"], platform=Platform.SLACK, external_id="U1",
                address={"conversation": "T1/D1"}, reachable=False, last_seen_at=NOW,
            )
        )  # fmt: skip
    said = await tell(sqlite_store, small["lead"], "write to me by e-mail")
    assert await address(sqlite_store, small["lead"]) == (Platform.EMAIL, "lea@larkfield.example")
    await tell(sqlite_store, small["lead"], choice=said.choices[0].id)
    assert await address(sqlite_store, small["lead"]) == (Platform.WEB, f"web:{small['lead']}")
    await tell(sqlite_store, small["lead"], "write to me here", platform="slack")
    assert await address(sqlite_store, small["lead"]) == (Platform.SLACK, "T1/D1")
    unknown = await tell(sqlite_store, small["co-lead"], "write to me in Slack")
    assert "Say hello to me there" in unknown.text


async def address(store: Store, person: int) -> tuple[Platform, str]:
    async with store.read() as session:
        return await address_of(session, person)


async def test_nothing_is_set_where_others_read_along(sqlite_store: Store) -> None:
    small = await plant_company(sqlite_store)
    turn = Turn(1, small["lead"], "slack", "T1/C1", NOW, text="what are my settings?", public=True)
    async with sqlite_store.read() as session:
        assert not await USE.wants(session, turn)
