"""Planning on both databases: exactly one row, however many planners run, and settings that bind at once."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func
from sqlmodel import col, select

from bot.store.engine import Store
from bot.store.tables import (
    Answer,
    Claim,
    CoverageTask,
    Department,
    Document,
    Gap,
    GapStatus,
    OutboxMessage,
    Person,
    Role,
    ScheduledMessage,
    ScheduledStatus,
)
from scheduler.planner import explain, plan
from tests.support.staff import staff

LONG = bool(os.environ.get("STAGECOACH_LONG"))
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
TUESDAY_10 = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # in Berlin
ENROLLED = datetime(2026, 1, 1, tzinfo=UTC)


async def rows_of(store: Store) -> list[ScheduledMessage]:
    async with store.read() as session:
        return list(await session.exec(select(ScheduledMessage).order_by(col(ScheduledMessage.id))))


async def test_eight_planners_make_exactly_one_row_for_each_recipient_and_week(store: Store) -> None:
    recipients, weeks = (1_000, 52) if LONG else (24, 2)
    await staff(store, people=recipients, departments=0, executives=recipients)
    await plan(store, MONDAY - timedelta(days=8))
    for week in range(weeks):
        # Midday in every zone of the world, all eight at the same time.
        for hours in range(0, 31, 6) if LONG else (1, 6, 12, 20):
            now = MONDAY + timedelta(weeks=week, hours=hours)
            await asyncio.gather(*(plan(store, now + timedelta(seconds=n)) for n in range(8)))
    async with store.read() as session:
        planned = await session.exec(select(func.count()).select_from(ScheduledMessage))
        handed = await session.exec(select(func.count()).select_from(OutboxMessage))
        pairs = await session.exec(
            select(func.count()).select_from(
                select(ScheduledMessage.recipient, ScheduledMessage.period).distinct().subquery()
            )
        )
        assert planned.one() == handed.one() == pairs.one() == recipients * weeks


async def busy_lead(store: Store) -> None:
    """One lead of a never-audited department with tasks, who also owns a policy and a question."""
    await staff(store, people=3, departments=1, executives=0, enrolled=ENROLLED)
    async with store.write() as tx:
        lead = await tx.get_one(Person, 1)
        lead.time_zone, (await tx.get_one(Department, 1)).time_zone = "Europe/Berlin", "Europe/Berlin"
        role = Role(department_id=1, slug="clerk", name="Clerk", headcount=8)
        tx.add(role)
        await tx.flush()
        tx.add(CoverageTask(department_id=1, role_id=role.id or 0, slug="finance-1", text="Invoices"))
        tx.add(
            Document(
                source="leave.md", title="Leave", owner_id=1, review_by=date(2026, 12, 1), added_at=ENROLLED
            )
        )
        for number in range(3):
            tx.add(
                Gap(text=f"Question {number}", owner_id=1, status=GapStatus.SENT, opened_at=ENROLLED,
                    sent_at=MONDAY + timedelta(days=number - 3))
            )  # fmt: skip


async def test_many_planners_never_overstep_two_messages_a_week(store: Store) -> None:
    await busy_lead(store)
    await plan(store, MONDAY - timedelta(days=7))
    for day in range(9):
        for hour in (9, 12):
            now = MONDAY + timedelta(days=day, hours=hour, minutes=1)
            await asyncio.gather(*(plan(store, now) for _ in range(4)))
    heads = [row.local_week for row in await rows_of(store) if row.counts]
    assert heads.count("2026-W48") == 2
    assert heads.count("2026-W49") == 2
    async with store.read() as session:
        assert len((await session.exec(select(OutboxMessage))).all()) == len(heads)


async def test_what_is_due_together_leaves_as_one_message(store: Store) -> None:
    await busy_lead(store)
    await plan(store, MONDAY - timedelta(days=7))
    planned = await plan(store, TUESDAY_10)
    assert planned.messages == 1
    assert planned.rows >= 3
    assert {row.kind for row in await rows_of(store)} >= {
        "audit_invitation",
        "coverage_update",
        "policy_review",
    }
    assert (await plan(store, TUESDAY_10 + timedelta(seconds=30))).rows == 0


@pytest.mark.parametrize("setting", ["paused_until", "snoozed_until"])
async def test_a_pause_binds_every_kind(store: Store, setting: str) -> None:
    await busy_lead(store)
    await plan(store, MONDAY - timedelta(days=7))
    async with store.write() as tx:
        setattr(await tx.get_one(Person, 1), setting, date(2026, 11, 25))
    assert (await plan(store, TUESDAY_10)).rows == 0
    assert (await plan(store, TUESDAY_10 + timedelta(days=1))).messages == 1


async def test_reminded_once_then_silence_until_the_next_cycle(store: Store) -> None:
    await staff(store, people=1, departments=1, executives=0, enrolled=ENROLLED)
    async with store.write() as tx:
        (await tx.get_one(Person, 1)).time_zone = "Europe/Berlin"
    await plan(store, MONDAY - timedelta(days=7))
    kinds = await _a_quarter_of_silence(store)
    # Two cycles of asking and reminding, one question, then nothing more.
    assert kinds == ["audit_invitation", "reminder"] * 2 + ["cycle_question"]


async def _a_quarter_of_silence(store: Store) -> list[str]:
    now = MONDAY
    while now < MONDAY + timedelta(days=150):
        # The slot is on Tuesday, a reminder follows two working days later.
        if now.weekday() in (1, 3):
            await plan(store, now + timedelta(hours=12))
            await _deliver(store, now + timedelta(hours=13))
        now += timedelta(days=1)
    return [row.kind for row in await rows_of(store) if row.person_id == 1]


async def _deliver(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        for row in await tx.exec(
            select(ScheduledMessage).where(ScheduledMessage.status == ScheduledStatus.PLANNED)
        ):
            row.status, row.sent_at = ScheduledStatus.SENT, now


async def test_an_answer_spares_the_reminder_and_moves_the_next_audit(store: Store) -> None:
    await staff(store, people=1, departments=1, executives=0, enrolled=ENROLLED)
    async with store.write() as tx:
        (await tx.get_one(Person, 1)).time_zone = "Europe/Berlin"
    await plan(store, MONDAY - timedelta(days=7))
    await plan(store, TUESDAY_10)
    await _deliver(store, TUESDAY_10)
    answered = TUESDAY_10 + timedelta(hours=1)
    criteria = [f"{model}-{number}" for model in ("WE", "AD", "EC") for number in (1, 2, 3)]
    async with store.write() as tx:
        tx.add_all(
            Answer(
                department_id=1, criterion=criterion, claim=Claim.LEVEL, level=1, counted=1,
                instrument_version="0.1.0", answered_at=answered,
            )
            for criterion in criteria
        )  # fmt: skip
    lines = await explain(store, answered, answered + timedelta(days=120))
    audits = [line for line in lines if line["kind"] in ("re_audit", "audit_invitation", "reminder")]
    # 90 days after the answer is Monday 22 February 2027; the next slot is Tuesday.
    assert [str(line["local_time"])[:16] for line in audits if line["kind"] == "re_audit"] == [
        "2027-02-23T10:00"
    ]
    assert not [line for line in audits if str(line["time"]) < "2027-02"]


async def test_explaining_writes_nothing_and_says_what_a_tick_does(store: Store) -> None:
    await busy_lead(store)
    await plan(store, MONDAY - timedelta(days=7))
    before = len(await rows_of(store))
    lines = await explain(store, TUESDAY_10 - timedelta(minutes=1), TUESDAY_10 + timedelta(minutes=1))
    assert len(await rows_of(store)) == before
    said = {(line["recipient"], line["kind"], line["period"]) for line in lines if not line["held"]}
    await plan(store, TUESDAY_10)
    assert {(row.recipient, row.kind, row.period) for row in (await rows_of(store))[before:]} == said
    assert all(line["reason"] for line in lines)
