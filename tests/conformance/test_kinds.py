"""Every kind of scheduled message on its whole way: due, planned once, sent by the post office, in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import load_instrument
from bot.clock import MovableClock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import write_to_person
from bot.store.tables import (
    Answer,
    Blocker,
    Claim,
    CoverageTask,
    Department,
    DialogueSession,
    Document,
    Duty,
    DutyName,
    Gap,
    GapStatus,
    Person,
    Plan,
    Platform,
    Role,
    ScheduledMessage,
    ScheduledStatus,
    SessionKind,
)
from scheduler.kinds import DIGESTS, KINDS, QUESTION_ANSWERED, Kind
from scheduler.sending import Outgoing, PageSender
from scheduler.service import SchedulerService
from tests.support.outbox import run_until_empty
from tests.support.talk import plant_company

INSTRUMENT = load_instrument()
LONG_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
BEGAN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MONDAY_9 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # in Berlin, as the others
MONDAY_NIGHT = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
TUESDAY_10 = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
THURSDAY_10 = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

Ids = dict[str, int]
Plant = Callable[[AsyncSession, Ids], Awaitable[None]]


class Recorder(PageSender):
    """A way out that keeps what left: (conversation, message)."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []

    async def send(self, outgoing: Outgoing) -> str:
        self.sent.append((outgoing.conversation, outgoing.message))
        return await super().send(outgoing)


@dataclass(frozen=True)
class Case:
    """What makes a kind due, at which ticks, and what whoever it is for reads in the end."""

    says: str
    plant: Plant
    to: str = "lead"
    ticks: list[datetime] = field(default_factory=lambda: [TUESDAY_10])


async def nothing(_tx: AsyncSession, _ids: Ids) -> None:
    """A department that was never audited is due by itself."""


async def audited(tx: AsyncSession, ids: Ids) -> None:
    criteria = [f"{model}-{number}" for model in ("WE", "AD", "EC") for number in (1, 2, 3)]
    tx.add_all(
        Answer(
            department_id=ids["finance"], criterion=criterion, claim=Claim.LEVEL, level=1, counted=1,
            instrument_version="0.1.0", answered_at=TUESDAY_10 - 100 * DAY,
        )
        for criterion in criteria
    )  # fmt: skip


async def silent_twice(tx: AsyncSession, ids: Ids) -> None:
    for ago in (70, 35):
        at = TUESDAY_10 - ago * DAY
        tx.add(
            ScheduledMessage(
                recipient=f"person:{ids['lead']}", kind="audit_invitation", period=f"-{ago}",
                person_id=ids["lead"], department_id=ids["finance"], local_week="2026-W40", due_at=at,
                planned_at=at, status=ScheduledStatus.SENT, sent_at=at,
            )
        )  # fmt: skip


async def described_task(tx: AsyncSession, ids: Ids) -> None:
    role = (await tx.exec(select(Role).where(col(Role.department_id) == ids["finance"]))).one()
    tx.add(CoverageTask(department_id=ids["finance"], role_id=role.id or 0, slug="f-1", text="Invoices"))


async def planned_step(tx: AsyncSession, ids: Ids) -> None:
    tx.add(
        Plan(department_id=ids["finance"], person_id=ids["lead"], criterion="WE-1", text="Write it down.",
             due_on=date(2026, 11, 24), created_at=BEGAN - 20 * DAY)
    )  # fmt: skip


async def second_view(tx: AsyncSession, ids: Ids) -> None:
    tx.add(
        DialogueSession(department_id=ids["finance"], person_id=ids["clerk"], kind=SessionKind.SECOND_RATER,
                        started_at=BEGAN, updated_at=BEGAN, instrument_version="0.1.0", state={})
    )  # fmt: skip


async def blocker(tx: AsyncSession, ids: Ids) -> None:
    code = INSTRUMENT.models[0].blockers[0].id
    tx.add(Blocker(department_id=ids["finance"], code=code, raised_at=TUESDAY_10 - 15 * DAY))


async def policy(tx: AsyncSession, ids: Ids) -> None:
    tx.add(
        Document(source="leave.md", title="Leave", owner_id=ids["lead"], review_by=date(2026, 12, 4),
                 added_at=LONG_BEFORE)
    )  # fmt: skip


async def question(tx: AsyncSession, ids: Ids) -> None:
    tx.add(
        Gap(text="May I carry leave over?", owner_id=ids["lead"], status=GapStatus.SENT,
            opened_at=BEGAN - 4 * DAY, sent_at=BEGAN - 4 * DAY)
    )  # fmt: skip


async def put_aside(tx: AsyncSession, ids: Ids) -> None:
    tx.add(
        Answer(department_id=ids["finance"], criterion="WE-1", claim=Claim.NOT_APPLICABLE, reason="No roles.",
               approver_id=ids["owner"], picked_by=ids["lead"], answered_at=TUESDAY_10 - 8 * DAY,
               instrument_version="0.1.0")
    )  # fmt: skip


async def answered(tx: AsyncSession, ids: Ids) -> None:
    said = [Message(kind="answer", text="Ada King has answered: yes.")]
    await write_to_person(tx, ids["clerk"], said, key="gap-closed:1", now=MONDAY_NIGHT, at_once=True)


async def channel(tx: AsyncSession, ids: Ids) -> None:
    (await tx.get_one(Department, ids["finance"])).channels = {"slack": "C-finance"}


async def executive(tx: AsyncSession, ids: Ids) -> None:
    tx.add(Duty(person_id=ids["owner"], duty=DutyName.EXECUTIVE))


CASES = {
    "audit_invitation": Case("how Finance works with AI today", nothing),
    "re_audit": Case("What is different in Finance since then?", audited),
    "cycle_question": Case("I asked about Finance twice", silent_twice),
    "coverage_update": Case("The everyday tasks of Finance", described_task),
    "reminder": Case("A short reminder, the only one", nothing, ticks=[TUESDAY_10, THURSDAY_10]),
    "plan_follow_up": Case("**Write it down.** How did it go?", planned_step),
    "second_view": Case("May I ask you one thing about how Finance works", second_view, to="clerk"),
    "blocker_ageing": Case("In the way of Finance for 15 days", blocker),
    "policy_review": Case("A review of **Leave** is due by 4 December", policy),
    "open_question": Case("A question has been waiting for you", question),
    "open_approval": Case("waited for your word for 8 days; I bring it up this once", put_aside, to="owner"),
    QUESTION_ANSWERED: Case("has answered: yes.", answered, to="clerk", ticks=[MONDAY_NIGHT]),
    "department_digest": Case("Finance", channel, to="C-finance", ticks=[MONDAY_9]),
    "executive_digest": Case("Larkfield", executive, to="owner", ticks=[MONDAY_9]),
}


async def staffed(store: Store, plant: Plant) -> Ids:
    """The small company, everybody of which agreed to be written to, and what makes a kind due."""
    ids = await plant_company(store)
    async with store.write() as tx:
        for person in await tx.exec(select(Person)):
            person.enrolled_at = LONG_BEFORE
        await plant(tx, ids)
    return ids


async def sent_at(store: Store, ticks: list[datetime]) -> list[tuple[str, Message]]:
    """What leaves when the clock of a company that began on Monday morning ticks at these moments."""
    recorder, clock = Recorder(), MovableClock(BEGAN)
    service = SchedulerService(store, clock, {Platform.WEB: recorder, Platform.SLACK: recorder}, INSTRUMENT)
    await service.tick()
    for now in ticks:
        clock.move_to(now)
        # The second tick of a moment finds everything planned already.
        await service.tick()
        await service.tick()
        await run_until_empty(store, [service.post])
    return recorder.sent


def test_every_kind_has_its_case() -> None:
    assert [kind.name for kind in KINDS] == list(CASES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_it_is_planned_once_sent_and_says_what_it_should(store: Store, kind: Kind) -> None:
    case = CASES[kind.name]
    ids = await staffed(store, case.plant)
    sent = await sent_at(store, case.ticks)
    conversation = f"web:{ids[case.to]}" if case.to in ids else case.to
    texts = [message.text for to, message in sent if to == conversation and case.says in message.text]
    assert len(texts) == 1, sent
    async with store.read() as session:
        rows = await session.exec(
            select(ScheduledMessage).where(
                ScheduledMessage.kind == kind.name, ScheduledMessage.due_at >= BEGAN
            )
        )
        found = [(row.status, row.counts) for row in rows]
    if kind.name == QUESTION_ANSWERED:
        assert found == [], "it is written, not planned, and so can't count"
        return
    assert [status for status, _ in found] == [ScheduledStatus.SENT]
    assert all(counts <= kind.counts for _, counts in found)


def test_what_was_asked_for_and_digests_never_count() -> None:
    assert {kind.name for kind in KINDS if not kind.counts} == {QUESTION_ANSWERED, *DIGESTS}


@pytest.mark.parametrize("off", [-1, 1])
async def test_a_clock_that_is_an_hour_off_sends_once(store: Store, off: int) -> None:
    """The clock jumps by an hour between two ticks and back again."""
    await staffed(store, nothing)
    jumps = [TUESDAY_10, TUESDAY_10 + timedelta(hours=off), TUESDAY_10 + timedelta(minutes=1)]
    assert len(await sent_at(store, jumps)) == 1


async def test_three_days_down_are_caught_up_with_as_the_table_says(store: Store) -> None:
    """From Monday morning to Thursday noon: the step and the digest still come, the slot is next week's."""

    async def plant(tx: AsyncSession, ids: Ids) -> None:
        await planned_step(tx, ids)
        await channel(tx, ids)

    ids = await staffed(store, plant)
    noon, next_slot = THURSDAY_10 + timedelta(hours=2), TUESDAY_10 + 7 * DAY
    sent = await sent_at(store, [noon])
    assert sorted(to for to, _ in sent) == ["C-finance", f"web:{ids['lead']}"]
    assert any("How did it go?" in message.text for _, message in sent)
    assert not any("how Finance works with AI" in message.text for _, message in sent)
    async with store.read() as session:
        kinds = set(await session.exec(select(ScheduledMessage.kind)))
    assert kinds == {"plan_follow_up", "department_digest"}
    later = await sent_at(store, [next_slot])
    assert any("how Finance works with AI" in message.text for _, message in later)
