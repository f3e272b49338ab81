"""What is due now becomes a row, once: `plan`. What would become one, and why: `explain`.

Any number of planners may run at once. Each (recipient, kind, period) is a unique row, so the database keeps
us from planning anything twice; people are locked while their week is counted, so that two planners can't
both find room for one more message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import local_day, parse_instant, zone
from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import LONG_AGO, UNSENT, addresses_of, insert_once
from bot.store.tables import (
    Company,
    Department,
    OutboxMessage,
    Person,
    Platform,
    ScheduledMessage,
    ScheduledStatus,
)
from scheduler.chunks import chunks
from scheduler.decide import Decision, Ledger, decide
from scheduler.directory import Recipient, load_recipients
from scheduler.kinds import KINDS, Kind, find_all
from scheduler.wishes import Look, Wish

BEGAN = "planning_began"
"""The company's setting that remembers the first tick."""

AT_ONCE = 500
"""Recipients planned in one transaction: short enough that nobody waits for a lock that matters."""

IN_ONE_QUERY = 5_000
"""Keys looked up in one statement; a database binds at most 32,766 values."""

NOT_WRITTEN_YET = Message(kind="nudge", text="…")
"""What stands in the outbox until the message is written, at the moment it is sent."""


@dataclass
class Planned:
    """What one tick did: rows added to the ledger, and messages handed to the post office."""

    rows: int = 0
    messages: int = 0
    decisions: list[Decision] = field(default_factory=list)


async def plan(store: Store, now: datetime, kinds: tuple[Kind, ...] = KINDS) -> Planned:
    """Plan everything that is due at `now`: ledger rows and outbox rows, in small transactions.

    Raises StoreUnavailable; what was planned before the database went away stays planned.
    """
    look = Look(now, now, await _begin(store, now))
    async with store.read() as session:
        wishes = await find_all(session, look, kinds)
        due = [found for found in await _decide(session, wishes, look) if not found.held]
    planned = Planned()
    wanted: dict[str, list[Wish]] = {}
    for decision in due:
        wanted.setdefault(decision.recipient.key, []).append(decision.wish)
    for keys in chunks(sorted(wanted), AT_ONCE):
        async with store.write() as tx:
            await _plan_some(tx, keys, [wish for key in keys for wish in wanted[key]], look, planned)
    return planned


async def _began(session: AsyncSession) -> datetime | None:
    """When the first tick of this company was."""
    company = await session.get(Company, 1)
    began = company.settings.get(BEGAN) if company else None
    return parse_instant(began) if isinstance(began, str) else None


async def _begin(store: Store, now: datetime) -> datetime | None:
    """When planning began; from now on, if it has not begun yet."""
    async with store.read() as session:
        began = await _began(session)
    if began is not None:
        return began
    async with store.write() as tx:
        company = await tx.get(Company, 1, with_for_update=True)
        if company is None:
            return None
        company.settings = {BEGAN: now.isoformat(), **company.settings}
    return now


async def _plan_some(
    tx: AsyncSession, keys: Sequence[str], wishes: list[Wish], look: Look, planned: Planned
) -> None:
    """Decide again with the recipients locked, and write it down."""
    await _lock(tx, keys)
    due = [found for found in await _decide(tx, wishes, look) if not found.held]
    ids = await _insert(tx, due, look.start)
    found = ((ids.get((each.recipient.key, each.wish.kind, each.period)), each) for each in due)
    heads = [(id_, decision) for id_, decision in found if id_ is not None and decision.head]
    await _hand_over(tx, heads, look.start)
    planned.messages += len(heads)
    planned.rows += len(ids)
    planned.decisions += due


async def _lock(tx: AsyncSession, keys: Sequence[str]) -> None:
    """Hold the recipients, always in the same order. SQLite has one writer anyway and ignores this."""
    for table, prefix in ((Person, "person:"), (Department, "department:")):
        ids = sorted(int(key.removeprefix(prefix)) for key in keys if key.startswith(prefix))
        if ids:
            statement = select(table.id).where(col(table.id).in_(ids)).order_by(col(table.id))
            await tx.exec(statement.with_for_update(key_share=True))


async def _decide(session: AsyncSession, wishes: list[Wish], look: Look) -> list[Decision]:
    keys = {wish.recipient for wish in wishes}
    recipients = await load_recipients(session, keys, local_day(look.start, zone("UTC")))
    ledger = await _ledger(session, wishes, recipients, look)
    return decide(wishes, recipients, ledger, look)


async def _ledger(
    session: AsyncSession, wishes: list[Wish], recipients: dict[str, Recipient], look: Look
) -> Ledger:
    people = sorted(each.person_id for each in recipients.values() if each.person_id is not None)
    ledger = Ledger(keys=await _known_keys(session, wishes, recipients, look))
    weeks = _weeks(recipients.values(), look)
    for chunk in chunks(people, IN_ONE_QUERY):
        counted = await session.exec(
            select(ScheduledMessage.person_id, ScheduledMessage.local_week, func.count())
            .where(
                col(ScheduledMessage.person_id).in_(chunk),
                col(ScheduledMessage.local_week).in_(weeks),
                col(ScheduledMessage.counts),
                ScheduledMessage.status != ScheduledStatus.CANCELLED,
            )
            .group_by(col(ScheduledMessage.person_id), col(ScheduledMessage.local_week))
        )
        ledger.counts.update({(person or 0, week): number for person, week, number in counted})
    ledger.contacted = await _contacted(session, recipients.values())
    return ledger


async def _contacted(session: AsyncSession, recipients: Iterable[Recipient]) -> set[int]:
    """Those without consent to whom a counting message went before."""
    waiting = sorted(each.person_id for each in recipients if each.person_id and not each.enrolled)
    found: set[int] = set()
    for chunk in chunks(waiting, IN_ONE_QUERY):
        rows = await session.exec(
            select(ScheduledMessage.person_id)
            .where(
                col(ScheduledMessage.person_id).in_(chunk),
                col(ScheduledMessage.counts),
                ScheduledMessage.status != ScheduledStatus.CANCELLED,
            )
            .distinct()
        )
        found.update(person for person in rows if person is not None)
    return found


def _weeks(recipients: Iterable[Recipient], look: Look) -> list[str]:
    """The local weeks that the look touches, in any of the recipients' zones."""
    weeks: set[str] = set()
    for calendar in {id(each.calendar): each.calendar for each in recipients}.values():
        at = look.start
        while at < look.end:
            weeks.add(calendar.week_of(at))
            at += timedelta(days=7)
        weeks.add(calendar.week_of(look.end))
    return sorted(weeks)


async def _known_keys(
    session: AsyncSession, wishes: list[Wish], recipients: dict[str, Recipient], look: Look
) -> set[tuple[str, str, str]]:
    weeks = _weeks(recipients.values(), look)
    keys = [
        (wish.recipient, wish.kind, period)
        for wish in wishes
        for period in ([wish.period] if wish.period else weeks)
    ]
    known: set[tuple[str, str, str]] = set()
    columns = (
        col(ScheduledMessage.recipient), col(ScheduledMessage.kind), col(ScheduledMessage.period),
    )  # fmt: skip
    for chunk in chunks(keys, IN_ONE_QUERY):
        known.update(
            (r, k, p) for r, k, p in await session.exec(select(*columns).where(tuple_(*columns).in_(chunk)))
        )
    return known


async def _insert(tx: AsyncSession, due: list[Decision], now: datetime) -> dict[tuple[str, str, str], int]:
    """Add the rows that nobody planned yet. Returns the ids of those that are new."""
    if not due:
        return {}
    make = postgresql_insert if tx.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = (
        make(ScheduledMessage)
        .on_conflict_do_nothing(index_elements=["recipient", "kind", "period"])
        .returning(
            col(ScheduledMessage.id), col(ScheduledMessage.recipient),
            col(ScheduledMessage.kind), col(ScheduledMessage.period),
        )
    )  # fmt: skip
    # Rows handed in beside the statement are sent in batches, without compiling a statement for each.
    result = await (await tx.connection()).execute(statement, [_row(decision, now) for decision in due])
    return {(recipient, kind, period): int(id_ or 0) for id_, recipient, kind, period in result}


_PLANNED = ScheduledMessage(
    recipient="", kind="", period="", local_week="", due_at=LONG_AGO, planned_at=LONG_AGO
).model_dump(exclude={"id"})
"""The columns of a row that nothing has come of yet."""


def _row(decision: Decision, now: datetime) -> dict[str, Any]:
    wish = decision.wish
    return _PLANNED | {
        "recipient": decision.recipient.key,
        "kind": wish.kind,
        "period": decision.period,
        "person_id": decision.recipient.person_id,
        "department_id": wish.department_id,
        "local_week": decision.week,
        "counts": decision.kind.counts and decision.head,
        "due_at": decision.at,
        "planned_at": now,
        "reason": wish.reason,
        "detail": wish.detail,
    }


async def _hand_over(tx: AsyncSession, heads: list[tuple[int, Decision]], now: datetime) -> int:
    """One outbox row for each bundle, and each channel; its words are written when it is sent."""
    people = [decision.recipient.person_id for _, decision in heads if decision.recipient.person_id]
    addresses = await addresses_of(tx, people)
    message = NOT_WRITTEN_YET.model_dump(mode="json", exclude_defaults=True)
    rows: list[dict[str, object]] = []
    for id_, decision in heads:
        if decision.recipient.person_id is not None:
            to = {"": addresses[decision.recipient.person_id]}
        else:
            department = await tx.get_one(Department, decision.wish.department_id)
            to = {f":{name}": (Platform(name), at) for name, at in sorted(department.channels.items())}
        rows += [
            UNSENT
            | {
                "platform": platform,
                "conversation": conversation,
                "person_id": decision.recipient.person_id,
                "scheduled_id": id_,
                "dedupe_key": f"scheduled:{id_}{part}",
                "message": message,
                "prefers_repeat": decision.kind.prefers_repeat,
                "created_at": now,
                "due_at": decision.at,
            }
            for part, (platform, conversation) in to.items()
        ]
    return await insert_once(tx, OutboxMessage, rows, ("dedupe_key",))


async def explain(store: Store, start: datetime, end: datetime) -> list[dict[str, object]]:
    """What would be sent between two instants, and what would be held back and why, in the order of time.

    The same decisions as a tick makes, over a stretch of time and without writing anything. What is planned
    already is listed with its own row.
    """
    async with store.read() as session:
        look = Look(start, end, await _began(session) or start)
        decisions = await _decide(session, await find_all(session, look), look)
    return [as_line(decision) for decision in decisions]


def as_line(decision: Decision) -> dict[str, object]:
    """One decision as `stagecoach schedule --json` prints it."""
    return {
        "time": decision.at.isoformat(),
        "local_time": decision.local.isoformat(),
        "recipient": decision.recipient.key,
        "name": decision.recipient.name,
        "kind": decision.wish.kind,
        "period": decision.period,
        "reason": decision.wish.reason,
        "held": decision.held,
        "why": decision.why,
    }
