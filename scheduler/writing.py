"""Puts scheduled messages into words at the moment they leave, from what is true then."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import OutboxMessage, Person, ScheduledMessage
from scheduler.cards import CARDS, Card, Desk
from scheduler.digest import write_digest
from scheduler.directory import load_recipients
from scheduler.freezing import ensure_frozen
from scheduler.kinds import DIGESTS
from scheduler.nudges import compose
from scheduler.outbox import bundle_of
from scheduler.post import Written


class ScheduledWriter:
    """The post office's `Writer`: looks at who is written to, then at what each kind has to say."""

    def __init__(self, store: Store, instrument: Instrument) -> None:
        self._store, self._instrument = store, instrument

    async def __call__(self, row: OutboxMessage, now: datetime) -> Written | str | datetime:
        """The words of a row, or why it is no longer wanted, or when quiet hours are over for it."""
        if row.scheduled_id is None:
            return await self._direct(row, now)
        async with self._store.read() as session:
            head = await session.get(ScheduledMessage, row.scheduled_id)
        if head is None:
            return "It is no longer planned."
        if head.kind in DIGESTS:
            await ensure_frozen(self._store, self._instrument, head.period, now)
        async with self._store.read() as session:
            refused = await self._refused(session, head, now)
            if refused:
                return refused
            if head.kind in DIGESTS:
                return await write_digest(session, self._instrument, head, now)
            return await self._nudge(session, head, now)

    async def _direct(self, row: OutboxMessage, now: datetime) -> Written | datetime:
        """What somebody else's answer brought about: written already, and none for the night."""
        async with self._store.read() as session:
            found = await load_recipients(session, [f"person:{row.person_id}"], now.date())
        recipient = found.get(f"person:{row.person_id}")
        opens = recipient.calendar.next_open(now) if recipient is not None else now
        return Written(Message.model_validate(row.message)) if opens in (None, now) else opens

    async def _refused(self, session: AsyncSession, head: ScheduledMessage, now: datetime) -> str | datetime:
        """Why the recipient gets nothing, or from when on; empty if nothing stands in the way."""
        found = await load_recipients(session, [head.recipient], now.date())
        recipient = found.get(head.recipient)
        if recipient is None:
            return "Whom it was for has left."
        if recipient.declined:
            return f"{recipient.name} chose to stay out."
        if recipient.is_silent(now):
            return f"{recipient.name} paused until {recipient.silent_until}."
        # A platform that was away may come back at night.
        opens = recipient.calendar.next_open(now)
        return "" if opens in (None, now) else opens

    async def _nudge(self, session: AsyncSession, head: ScheduledMessage, now: datetime) -> Written | str:
        person = await session.get_one(Person, head.person_id)
        desk = Desk(session, self._instrument, person, now)
        bundle = await session.exec(
            select(ScheduledMessage).where(bundle_of(head)).order_by(col(ScheduledMessage.id))
        )
        cards = [card for one in bundle if (card := await _card(desk, one)) is not None]
        return Written(compose(person, head, cards)) if cards else "What it was about has been settled."


async def _card(desk: Desk, row: ScheduledMessage) -> Card | None:
    write = CARDS.get(row.kind)
    return await write(desk, row) if write is not None else None
