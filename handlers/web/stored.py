"""The page's port on the real product: what was said and heard is read from the inbox and the outbox.

Nothing is kept here. The page sees the same rows that every other surface lives from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import func
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Clock
from bot.errors import AccessDenied, NotFound
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import (
    Company,
    Department,
    InboxEvent,
    InboxStatus,
    OutboxMessage,
    OutboxStatus,
    Person,
    Platform,
)
from handlers.inbox import Arrival, Inbox
from handlers.news import News
from handlers.web.inside import InsidePanel, days_on, morning_of
from handlers.web.ports import Conversation, Cursor, Entry, Inside, Leap, Persona, Source
from handlers.web.sources import open_source
from handlers.web.views import feedback_buttons

Travel = Callable[[datetime], Awaitable[None]]
"""Moves the demo's clock to an instant and sends on the way what falls due."""

_SETTLED = (OutboxStatus.SENT, OutboxStatus.UNCERTAIN)
_UNDERWAY = (OutboxStatus.PENDING, OutboxStatus.CLAIMED)


class Cast(Protocol):
    """One of the people whom a visitor may be (see handlers.demo.personas)."""

    @property
    def email(self) -> str: ...
    @property
    def part(self) -> str: ...
    @property
    def introduction(self) -> str: ...
    @property
    def suggestions(self) -> tuple[str, ...]: ...


class StoredPage:
    """Implements handlers.web.ports.PagePort. Without `travel` and `restart` the clock and data stand."""

    def __init__(
        self,
        *,
        store: Store,
        inbox: Inbox,
        news: News,
        clock: Clock,
        panel: InsidePanel,
        company: str,
        cast: Sequence[Cast],
        travel: Travel | None = None,
        restart: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.company = company
        self._store, self._inbox, self._news, self._clock = store, inbox, news, clock
        self._panel, self._cast = panel, cast
        self._travel, self._restart = travel, restart

    async def personas(self) -> list[Persona]:
        """The cast as the organisation knows it; who has left is left out."""
        async with self._store.read() as session:
            found = await session.exec(
                select(Person, Department)
                .join(Department, col(Person.department_id) == col(Department.id), isouter=True)
                .where(
                    col(Person.email).in_([one.email for one in self._cast]),
                    col(Person.archived_at).is_(None),
                )
            )
            people = {person.email: (person, department) for person, department in found}
        return [_persona(one, *people[one.email]) for one in self._cast if one.email in people]

    async def say(self, person_id: int, key: str, text: str) -> None:
        """Store words in the inbox."""
        await self._record(person_id, key, {"person_id": person_id, "text": text})

    async def choose(self, person_id: int, key: str, choice: str) -> None:
        """Store a pick in the inbox, with the label that was picked."""
        async with self._store.read() as session:
            labels = _labels(await _heard(session, person_id))
        if choice not in labels:
            raise NotFound("That button is not known here.")
        payload = {"person_id": person_id, "choice": choice, "label": labels[choice]}
        await self._record(person_id, key, payload)

    async def _record(self, person_id: int, key: str, payload: dict[str, object]) -> None:
        await self._inbox.record(
            Arrival(Platform.WEB, f"{person_id}:{key}", _conversation(person_id), payload, self._clock())
        )

    async def conversation(self, person_id: int, after: Cursor) -> Conversation:
        """The rows of both boxes after the cursor, in the order of their times."""
        async with self._store.read() as session:
            said = await _said(session, person_id, after.said)
            heard = await _heard(session, person_id, after.heard)
        entries = [_words(row) for row in said] + [_message(row) for row in heard if row.status in _SETTLED]
        entries.sort(key=lambda entry: (entry.at, entry.words is None, entry.id))
        cursor = Cursor(
            max((_id(row) for row in said), default=after.said), _last_settled(heard, after.heard)
        )
        async with self._store.read() as session:
            busy = await _is_busy(session, person_id)
        return Conversation(tuple(entries), cursor, busy)

    async def unread(self, seen: dict[int, int]) -> dict[int, int]:
        """How many rows of each person's outbox lie beyond what was seen."""
        beyond = [
            and_(OutboxMessage.conversation == _conversation(person), col(OutboxMessage.id) > last)
            for person, last in seen.items()
        ]
        names = {_conversation(person): person for person in seen}
        async with self._store.read() as session:
            counts = await session.exec(
                select(OutboxMessage.conversation, func.count())
                .where(
                    OutboxMessage.platform == Platform.WEB,
                    col(OutboxMessage.status).in_(_SETTLED),
                    or_(*beyond),
                )
                .group_by(OutboxMessage.conversation)
            )
            return {names[conversation]: count for conversation, count in counts}

    async def wait_for_news(self, since: int, seconds: float) -> int:
        """The bell of this process."""
        return await self._news.wait_beyond(since, seconds)

    async def inside(self) -> Inside:
        """The map, the clock and the schedule."""
        return await self._panel.look(self._clock(), self._news.number)

    async def leap(self, where: Leap) -> None:
        """Move the clock to the next day or weekday."""
        await self._go(morning_of(self._clock(), await self._zone_name(), where))

    async def leap_days(self, days: int) -> None:
        """Move the clock by whole days."""
        await self._go(days_on(self._clock(), await self._zone_name(), days))

    async def _go(self, target: datetime) -> None:
        if self._travel is None:
            raise AccessDenied("The clock can be moved in the demo only.")
        await self._travel(target)
        self._news.ring()

    async def reset(self) -> None:
        """The sample company from its first moment."""
        if self._restart is None:
            raise AccessDenied("Only the demo can be started again.")
        await self._restart()
        self._news.ring()

    async def source(self, passage_id: int, person_id: int, heard: int) -> Source:
        """The document that a citation of one of this person's messages names."""
        async with self._store.read() as session:
            row = await session.get(OutboxMessage, heard)
            if row is None or row.conversation != _conversation(person_id):
                raise NotFound("There is no such passage.")
            citations = Message.model_validate(row.message).citations
            found = [citation for citation in citations if citation.passage_id == passage_id]
            return await open_source(session, found, person_id)

    async def _zone_name(self) -> str:
        async with self._store.read() as session:
            company = await session.get(Company, 1)
        return company.time_zone if company else "UTC"


def _persona(one: Cast, person: Person, department: Department | None) -> Persona:
    return Persona(
        person_id=_id(person),
        name=person.name,
        part=one.part,
        place=department.name if department else "",
        introduction=one.introduction,
        suggestions=one.suggestions,
    )


def _conversation(person_id: int) -> str:
    return f"web:{person_id}"


def _id(row: InboxEvent | OutboxMessage | Person) -> int:
    if row.id is None:
        raise ValueError("the row has not been flushed")
    return row.id


async def _said(session: AsyncSession, person_id: int, after: int) -> Sequence[InboxEvent]:
    found = await session.exec(
        select(InboxEvent)
        .where(
            InboxEvent.platform == Platform.WEB,
            InboxEvent.conversation == _conversation(person_id),
            col(InboxEvent.id) > after,
        )
        .order_by(col(InboxEvent.id))
    )
    return found.all()


async def _heard(session: AsyncSession, person_id: int, after: int = 0) -> Sequence[OutboxMessage]:
    found = await session.exec(
        select(OutboxMessage)
        .where(
            OutboxMessage.platform == Platform.WEB,
            OutboxMessage.conversation == _conversation(person_id),
            col(OutboxMessage.status).in_((*_SETTLED, *_UNDERWAY)),
            col(OutboxMessage.id) > after,
        )
        .order_by(col(OutboxMessage.id))
    )
    return found.all()


async def _is_busy(session: AsyncSession, person_id: int) -> bool:
    """Whether an event waits for its answer, or an answer is on its way out."""
    where = _conversation(person_id)
    events = select(InboxEvent.id).where(
        InboxEvent.platform == Platform.WEB,
        InboxEvent.conversation == where,
        InboxEvent.status == InboxStatus.NEW,
    )
    replies = select(OutboxMessage.id).where(
        OutboxMessage.platform == Platform.WEB,
        OutboxMessage.conversation == where,
        col(OutboxMessage.status).in_(_UNDERWAY),
        col(OutboxMessage.event_id).is_not(None),
    )
    waiting = (await session.exec(events.limit(1))).first(), (await session.exec(replies.limit(1))).first()
    return any(number is not None for number in waiting)


def _last_settled(heard: Iterable[OutboxMessage], before: int) -> int:
    # A row that is still under way may be sent after a later one: the cursor waits in front of it.
    last = before
    for row in heard:
        if row.status not in _SETTLED:
            break
        last = _id(row)
    return last


def _labels(heard: Iterable[OutboxMessage]) -> dict[str, str]:
    """Everything that this person was ever offered: choice id -> label."""
    labels: dict[str, str] = {}
    for row in heard:
        if row.status in _SETTLED:
            message = Message.model_validate(row.message)
            offered = (*message.choices, *feedback_buttons(message))
            labels.update({choice.id: choice.label for choice in offered})
    return labels


def _words(row: InboxEvent) -> Entry:
    payload = row.payload
    return Entry(_id(row), row.received_at, words=str(payload.get("text") or payload.get("label") or ""))


def _message(row: OutboxMessage) -> Entry:
    at = row.created_at if row.event_id is not None else row.sent_at or row.created_at
    return Entry(_id(row), at, message=Message.model_validate(row.message))
