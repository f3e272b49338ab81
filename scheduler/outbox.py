"""The post office's ledger: claim, mark, put off, give up. Every function is one short transaction.

A row is claimed by one process at a time (SKIP LOCKED on PostgreSQL, one writer on SQLite), and only the
oldest unfinished row of a conversation can be claimed, so that a conversation keeps its order. A claim that
outlives its lease belonged to a process that died in the middle: nobody knows whether the message arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, func
from sqlalchemy.orm import aliased
from sqlmodel import and_, col, exists, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import (
    AuditLogEntry,
    Identity,
    OutboxMessage,
    OutboxStatus,
    Platform,
    ScheduledMessage,
    ScheduledStatus,
    SentDigest,
)
from scheduler.kinds import DIGESTS
from scheduler.sending import Outgoing

UNFINISHED = (OutboxStatus.PENDING, OutboxStatus.CLAIMED, OutboxStatus.UNCERTAIN)

GIVE_UP_AFTER = timedelta(days=2)
"""A message that could not leave for two days is put aside for an admin."""

LOGGED = {"id", "platform", "conversation", "status", "attempts", "due_at", "sent_at", "error"}
"""What an admin sees of a message: everything but its words and whom it quotes."""

LONGEST_WAIT = timedelta(minutes=1)
FIRST_WAIT = timedelta(seconds=1)
"""Pause before the second attempt; doubled at each further one, up to LONGEST_WAIT."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this process may send now. `uncertain`: look for an earlier attempt first."""

    row: OutboxMessage
    uncertain: bool
    last_sent_at: datetime | None

    @property
    def outgoing(self) -> Outgoing:
        return Outgoing(
            id=self.row.id or 0,
            conversation=self.row.conversation,
            thread=self.row.thread,
            person_id=self.row.person_id,
            message=Message.model_validate(self.row.message),
            delivery_id=self.row.dedupe_key,
            claimed_at=self.row.claimed_at or self.row.created_at,
            attempts=self.row.attempts,
        )


async def claim(
    store: Store, platform: Platform, owner: str, now: datetime, lease: timedelta, limit: int
) -> list[Claimed]:
    """Take up to `limit` rows that may leave at `now`, the longest due first, one of each conversation.

    While a row is claimed its `due_at` is the end of the lease.
    """
    async with store.write() as tx:
        rows = list(await tx.exec(_claimable(platform, now, limit)))
        last = await _last_sent(tx, platform, {row.conversation for row in rows})
        return [_take(row, owner, now, lease, last.get(row.conversation)) for row in rows]


def _claimable(platform: Platform, now: datetime, limit: int) -> Any:
    earlier = aliased(OutboxMessage)
    blocked = exists().where(
        col(earlier.platform) == OutboxMessage.platform,
        col(earlier.conversation) == OutboxMessage.conversation,
        col(earlier.id) < col(OutboxMessage.id),
        col(earlier.status).in_(UNFINISHED),
        # What waits for the morning does not hold up an answer that was asked for.
        ~and_(
            col(earlier.status) == OutboxStatus.PENDING,
            col(earlier.due_at) > now,
            or_(col(earlier.waits), col(earlier.scheduled_id).is_not(None)),
        ),
    )
    return (
        select(OutboxMessage)
        .where(
            OutboxMessage.platform == platform,
            col(OutboxMessage.status).in_((OutboxStatus.PENDING, OutboxStatus.UNCERTAIN)),
            OutboxMessage.due_at <= now,
            ~blocked,
        )
        .order_by(col(OutboxMessage.due_at), col(OutboxMessage.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=OutboxMessage)
    )


def _take(row: OutboxMessage, owner: str, now: datetime, lease: timedelta, last: datetime | None) -> Claimed:
    uncertain = row.status == OutboxStatus.UNCERTAIN
    # An uncertain row keeps the time of the attempt that may have arrived: history is read from there.
    row.claimed_at = (row.claimed_at or now) if uncertain else now
    row.status, row.claimed_by, row.due_at = OutboxStatus.CLAIMED, owner, now + lease
    return Claimed(row, uncertain, last)


async def _last_sent(
    tx: AsyncSession, platform: Platform, conversations: Collection[str]
) -> dict[str, datetime]:
    """When each conversation last got a message, by whatever process."""
    rows = await tx.exec(
        select(OutboxMessage.conversation, func.max(col(OutboxMessage.sent_at)))
        .where(OutboxMessage.platform == platform, col(OutboxMessage.conversation).in_(conversations))
        .group_by(col(OutboxMessage.conversation))
    )
    return {conversation: last for conversation, last in rows if last is not None}


async def expire_claims(store: Store, now: datetime, all_of_them: bool = False) -> int:
    """Claims whose lease is over become uncertain. Returns how many.

    `all_of_them` is for the start of the only process on a database: nobody else can hold a claim then.
    """
    over = col(OutboxMessage.status) == OutboxStatus.CLAIMED
    async with store.write() as tx:
        result = await tx.exec(
            update(OutboxMessage)
            .where(over if all_of_them else and_(over, col(OutboxMessage.due_at) <= now))
            .values(status=OutboxStatus.UNCERTAIN, due_at=now, claimed_by=None)
        )
        return max(0, cast("CursorResult[Any]", result).rowcount)


async def mark_sent(store: Store, row: OutboxMessage, now: datetime, external_id: str) -> None:
    """The platform took it. What was planned together with it is sent too."""
    async with store.write() as tx:
        await _set(tx, row, status=OutboxStatus.SENT, external_id=external_id, sent_at=now, error="")
        await _settle(tx, row, now, status=ScheduledStatus.SENT, sent_at=now)


async def put_off(
    store: Store, row: OutboxMessage, now: datetime, reason: str, after: float | None, uncertain: bool
) -> None:
    """Try again later: after `after` seconds if the platform said so, else after a growing pause.

    What still could not leave after two days is put aside.
    """
    if now - row.created_at > GIVE_UP_AFTER and not uncertain:
        await give_up(store, row, now, f"It could not be delivered for two days. {reason}")
        return
    wait = timedelta(seconds=after) if after is not None else _pause(row.attempts)
    status = OutboxStatus.UNCERTAIN if uncertain else OutboxStatus.PENDING
    # A wait that the platform asked for is no failure of ours, so the next pause does not grow by it.
    attempts = row.attempts + (after is None)
    async with store.write() as tx:
        await _set(tx, row, status=status, due_at=now + wait, attempts=attempts, error=reason)


def _pause(attempts: int) -> timedelta:
    doubled: int = 2 ** min(attempts, 10)
    return min(LONGEST_WAIT, FIRST_WAIT * doubled)


async def wait_until(store: Store, row: OutboxMessage, at: datetime) -> None:
    """Not now: in quiet hours. It is none too late before `at`, so that its two days begin then."""
    async with store.write() as tx:
        await _set(tx, row, status=OutboxStatus.PENDING, due_at=at, created_at=at)


async def give_up(
    store: Store, row: OutboxMessage, now: datetime, reason: str, unreachable: bool = False
) -> None:
    """Put a message aside for an admin, with the reason. `unreachable`: the platform refuses this account, so
    write elsewhere until the person is heard from again."""
    async with store.write() as tx:
        if unreachable and row.person_id is not None:
            await _mark_unreachable(tx, row.person_id, row.platform)
        await _set(tx, row, status=OutboxStatus.DEAD, error=reason)
        await _settle(tx, row, now, status=ScheduledStatus.HELD, reason=reason)


async def call_off(store: Store, row: OutboxMessage, now: datetime, reason: str) -> None:
    """It is no longer wanted; nothing is sent, and it does not count to the cap."""
    async with store.write() as tx:
        await _set(tx, row, status=OutboxStatus.CANCELLED, error=reason)
        await _settle(tx, row, now, status=ScheduledStatus.CANCELLED, reason=reason)


async def save_text(store: Store, row: OutboxMessage, message: Message, digest: SentDigest | None) -> Message:
    """Keep the words of a scheduled message before they leave. Returns what is to be sent.

    A digest that an earlier attempt wrote for this recipient and week is sent as it was written.
    """
    async with store.write() as tx:
        if digest is not None:
            message = await _kept_digest(tx, digest, message)
        row.message = message.model_dump(mode="json", exclude_defaults=True)
        await _set(tx, row, message=row.message)
    return message


async def _kept_digest(tx: AsyncSession, digest: SentDigest, message: Message) -> Message:
    found = await tx.exec(
        select(SentDigest).where(SentDigest.recipient == digest.recipient, SentDigest.week == digest.week)
    )
    kept = found.first()
    if kept is None:
        tx.add(digest)
        return message
    return Message.model_validate(kept.content["message"])


async def _set(tx: AsyncSession, row: OutboxMessage, **values: Any) -> None:
    """Change a row that we hold. One that somebody else took over after our lease stays as it is."""
    mine = and_(col(OutboxMessage.id) == row.id, OutboxMessage.claimed_by == row.claimed_by)
    await tx.exec(update(OutboxMessage).where(mine).values(**values))


async def _settle(tx: AsyncSession, row: OutboxMessage, now: datetime, **values: Any) -> None:
    """Bring the planned messages up to date: the head that the row names and what was bundled with it."""
    if row.scheduled_id is None:
        return
    head = await tx.get(ScheduledMessage, row.scheduled_id)
    if head is None:
        return
    await tx.exec(update(ScheduledMessage).where(bundle_of(head)).values(**values))


def bundle_of(head: ScheduledMessage) -> Any:
    """The condition that finds everything sent in one message with `head`, itself included."""
    itself = col(ScheduledMessage.id) == head.id
    if not head.counts:
        return itself
    return or_(
        itself,
        and_(
            ScheduledMessage.recipient == head.recipient,
            col(ScheduledMessage.due_at) == head.due_at,
            col(ScheduledMessage.planned_at) == head.planned_at,
            col(ScheduledMessage.kind).not_in(DIGESTS),
        ),
    )


async def _mark_unreachable(tx: AsyncSession, person_id: int, platform: Platform) -> None:
    await tx.exec(
        update(Identity)
        .where(col(Identity.person_id) == person_id, col(Identity.platform) == platform)
        .values(reachable=False)
    )


async def try_again(store: Store, message_id: int, now: datetime, actor_id: int | None = None) -> bool:
    """Send a message that was put aside once more. False if it is not (or no longer) put aside.

    `actor_id` is the admin who asked for it, for the audit log; None: whoever runs the command.
    """
    async with store.write() as tx:
        entry = AuditLogEntry(
            at=now, actor_id=actor_id, action="delivery.again", resource=f"outbox:{message_id}"
        )
        result = await tx.exec(
            update(OutboxMessage)
            .where(col(OutboxMessage.id) == message_id, col(OutboxMessage.status) == OutboxStatus.DEAD)
            .values(status=OutboxStatus.PENDING, due_at=now, created_at=now, attempts=0, error="")
        )
        if cast("CursorResult[Any]", result).rowcount != 1:
            return False
        tx.add(entry)
        return True


async def dead_letters(store: Store, limit: int = 100) -> Sequence[OutboxMessage]:
    """What was put aside, newest first; `error` says why."""
    async with store.read() as session:
        found = await session.exec(
            select(OutboxMessage)
            .where(OutboxMessage.status == OutboxStatus.DEAD)
            .order_by(col(OutboxMessage.id).desc())
            .limit(limit)
        )
        return found.all()


async def delivery_log(store: Store, limit: int = 100) -> list[dict[str, object]]:
    """What happened to the latest messages: never their words."""
    async with store.read() as session:
        found = await session.exec(select(OutboxMessage).order_by(col(OutboxMessage.id).desc()).limit(limit))
        return [logged(row) for row in found]


def logged(row: OutboxMessage) -> dict[str, object]:
    """What an admin sees of one message."""
    return row.model_dump(mode="json", include=LOGGED)
