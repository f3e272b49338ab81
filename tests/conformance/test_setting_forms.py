"""Settings as forms: who is offered what, that a filled form proves nothing, and that every process obeys."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from bot.errors import AccessDenied, InputError
from bot.store.engine import Store
from bot.store.tables import AuditLogEntry, Company, Department, Duty, DutyName, Person, Platform
from scheduler.planner import explain, plan
from scheduler.setting_forms import Section, save_section, setting_sections
from tests.support.talk import plant_company

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Berlin
LATER = datetime(2026, 12, 9, 9, 0, tzinfo=UTC)
PLATFORMS = (Platform.SLACK, Platform.EMAIL)


async def sections_of(store: Store, person: int, department: int | None = None) -> dict[str, Section]:
    async with store.read() as session:
        found = await setting_sections(session, person, NOW, PLATFORMS, department)
    return {each.key: each for each in found}


async def save(store: Store, person: int, key: str, **values: str) -> str:
    named = {name.replace("channel_", "channel."): value for name, value in values.items()}
    async with store.write() as tx:
        return await save_section(tx, person, key, named, NOW, PLATFORMS)


async def planned(store: Store, kind: str) -> set[str]:
    lines = await explain(store, NOW, LATER)
    sent = [line for line in lines if line["kind"] == kind and not line["held"]]
    times = [datetime.fromisoformat(str(line["local_time"])) for line in sent]
    return {f"{at:%A %H:%M}" for at in times}


async def with_admin(store: Store) -> dict[str, int]:
    small = await plant_company(store)
    async with store.write() as tx:
        tx.add(Duty(person_id=small["owner"], duty=DutyName.ADMIN))
        tx.add(Duty(person_id=small["owner"], duty=DutyName.EXECUTIVE))
        (await tx.get_one(Department, small["finance"])).channels = {"slack": "C1"}
    return small


async def test_each_is_offered_their_own(store: Store) -> None:
    small = await with_admin(store)
    finance = f"digest.{small['finance']}"
    assert list(await sections_of(store, small["clerk"])) == ["me"]
    assert list(await sections_of(store, small["lead"])) == ["me", finance]
    assert list(await sections_of(store, small["owner"])) == ["me", "digest.0"]
    assert list(await sections_of(store, small["owner"], small["finance"])) == ["me", finance, "digest.0"]
    assert list(await sections_of(store, small["clerk"], small["finance"])) == ["me"]
    for section in (await sections_of(store, small["lead"])).values():
        for field in section.fields:
            assert field.kind != "choice" or field.value in {option.value for option in field.options}


async def test_a_change_in_one_process_binds_the_others_at_once(store: Store, database: str) -> None:
    """Two stores on one database, as two replicas have them: one changes, the other plans."""
    small = await with_admin(store)
    other = Store(database)
    try:
        assert await planned(other, "audit_invitation") == {"Tuesday 10:00"}
        await save(store, small["lead"], "me", day="3", time="14:30")
        await save(store, small["lead"], f"digest.{small['finance']}", day="4", time="09:30")
        await save(store, small["owner"], "digest.0", day="1", time="11:00")
        assert await planned(other, "audit_invitation") == {"Thursday 14:30"}
        assert await planned(other, "department_digest") == {"Friday 09:30"}
        assert await planned(other, "executive_digest") == {"Tuesday 11:00"}
        await save(other, small["lead"], "me", quiet="paused")
        assert (await plan(store, datetime(2026, 11, 26, 13, 31, tzinfo=UTC))).messages == 0
    finally:
        await other.close()


async def test_quiet_there_and_back(store: Store) -> None:
    small = await plant_company(store)
    for value in ("2026-12-09", "paused", "out", "open"):
        await save(store, small["lead"], "me", quiet=value)
        [field] = [f for f in (await sections_of(store, small["lead"]))["me"].fields if f.name == "quiet"]
        assert field.value == value
    async with store.read() as session:
        lead = await session.get_one(Person, small["lead"])
    # Saving a form is no consent to be written to.
    assert (lead.paused_until, lead.declined_at, lead.enrolled_at) == (None, None, None)


async def test_channels_are_checked_and_written_down(store: Store) -> None:
    small = await with_admin(store)
    key = f"digest.{small['finance']}"
    with pytest.raises(InputError) as told:
        await save(store, small["lead"], key, channel_slack="the finance room", day="9")
    assert [fault.field for fault in told.value.faults] == ["day", "channel.slack"]
    await save(store, small["lead"], key, channel_slack="T1:C99", channel_email="all@larkfield.example")
    async with store.read() as session:
        department = await session.get_one(Department, small["finance"])
        [entry] = await session.exec(select(AuditLogEntry))
    assert department.channels == {"slack": "T1:C99", "email": "all@larkfield.example"}
    assert entry.action == "digest.channel"
    await save(store, small["lead"], key, channel_slack="")
    async with store.read() as session:
        assert (await session.get_one(Department, small["finance"])).channels == {
            "email": "all@larkfield.example"
        }


@pytest.mark.parametrize("key", ["digest.0", "digest.1", "digest.99", "digest.", "us", ""])
async def test_a_form_proves_nothing(sqlite_store: Store, key: str) -> None:
    small = await with_admin(sqlite_store)
    with pytest.raises(AccessDenied):
        await save(sqlite_store, small["clerk"], key, day="3")
    async with sqlite_store.read() as session:
        assert "digest_day" not in (await session.get_one(Company, 1)).settings
        assert "digest_day" not in (await session.get_one(Department, small["finance"])).settings


async def test_one_wrong_field_changes_nothing(sqlite_store: Store) -> None:
    small = await plant_company(sqlite_store)
    for wrong in ({"time": "03:00"}, {"place": "slack"}, {"quiet": "2020-01-01"}, {"day": "6"}):
        with pytest.raises(InputError):
            await save(sqlite_store, small["lead"], "me", **{"day": "3", **wrong})
    async with sqlite_store.read() as session:
        assert (await session.get_one(Person, small["lead"])).slot_day is None
