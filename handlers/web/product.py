"""The product behind the page: the port's methods over the store, the inbox and the planner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import and_, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.access import Action, actor, can
from bot.clock import Clock, at_local, local_day, zone
from bot.errors import AccessDenied, NotFound
from bot.messages import Choice, Message
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
from handlers.web.cards import spoken
from handlers.web.drafts import Drafts
from handlers.web.ports import Begun, Conversation, Cursor, Entry, Inside, Leap, Persona, Source
from handlers.web.views import feedback_buttons

NOON = time(12, 0)
"""Where the demo's clock stops, in the company's zone: what is due that morning has come by then."""

_BEYOND = 2**62

_OFFERED = 200
"""Messages back in which a button may be picked; older ones are out of reach on the page."""


@dataclass(frozen=True)
class Known:
    """A persona by address, before the person's row is known."""

    email: str
    part: str
    introduction: str
    suggestions: tuple[str, ...]


@dataclass(frozen=True)
class Machinery:
    """What the page may do beyond talking. All of it is None outside the demo but `panel` and `source`."""

    panel: Callable[[], Awaitable[Inside]]
    source: Callable[[int, int], Awaitable[Source]]
    run_until: Callable[[datetime], Awaitable[None]] | None = None
    reset: Callable[[], Awaitable[None]] | None = None


class Product:
    """Implements handlers.web.ports.PagePort."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        news: News,
        clock: Clock,
        known: Sequence[Known],
        machinery: Machinery,
        drafts: Drafts | None = None,
    ) -> None:
        self.company = ""
        self._store, self._inbox, self._news, self._clock = store, inbox, news, clock
        self._known, self._machinery, self._drafts = known, machinery, drafts
        self._personas: list[Persona] = []

    async def personas(self) -> list[Persona]:
        """Whom a visitor may be, in the order of the switch."""
        if not self._personas:
            async with self._store.read() as session:
                company = await session.get(Company, 1)
                self.company = company.name if company else ""
                found = [await _persona(session, known) for known in self._known]
            self._personas = [persona for persona in found if persona is not None]
        if not self._personas:
            raise NotFound("The sample company is not loaded yet. Load this page again in a moment.")
        return self._personas

    async def say(self, person_id: int, key: str, text: str) -> None:
        """Store what the person said."""
        await self._record(person_id, key, {"text": text})

    async def choose(self, person_id: int, key: str, choice: str) -> None:
        """Store what the person picked."""
        if not await self._offered(person_id, choice):
            raise NotFound("That button is not from this conversation. Load the page again.")
        await self._record(person_id, key, {"choice": choice})

    async def _record(self, person_id: int, key: str, payload: dict[str, object]) -> None:
        await self._inbox.record(
            Arrival(
                Platform.WEB,
                f"{person_id}:{key}",
                f"web:{person_id}",
                {"person_id": person_id, **payload},
                self._clock(),
            )
        )

    async def _offered(self, person_id: int, choice: str) -> bool:
        return choice in {
            offered.id for message in await self._recent(person_id) for offered in _buttons(message)
        }

    async def _recent(self, person_id: int) -> Sequence[OutboxMessage]:
        query = _heard(person_id).order_by(col(OutboxMessage.id).desc()).limit(_OFFERED)
        async with self._store.read() as session:
            return (await session.exec(query)).all()

    async def conversation(self, person_id: int, after: Cursor) -> Conversation:
        """What was said after `after`, oldest first."""
        async with self._store.read() as session:
            said = (await session.exec(_said(person_id).where(col(InboxEvent.id) > after.said))).all()
            heard = (await session.exec(_heard(person_id).where(col(OutboxMessage.id) > after.heard))).all()
            waiting_events = await _unanswered(session, person_id)
            labels = await self._labels(person_id, said)
            waiting = await _first_waiting(session, person_id, after.heard)
        entries = [
            (
                event.received_at,
                0,
                event.id or 0,
                Entry(event.id or 0, event.received_at, _words(event, labels)),
            )
            for event in said
        ] + [
            (
                row.created_at,
                1,
                row.id or 0,
                Entry(row.id or 0, row.sent_at or row.created_at, message=_of(row)),
            )
            for row in heard
        ]
        cursor = Cursor(
            max((event.id or 0 for event in said), default=after.said),
            # A scheduled message that has yet to leave may come after a reply with a higher number.
            min(max((row.id or 0 for row in heard), default=after.heard), waiting - 1),
        )
        return Conversation(
            tuple(entry for *_, entry in sorted(entries, key=lambda one: one[:3])),
            cursor,
            bool(waiting_events),
            self._begun(person_id, waiting_events),
        )

    def _begun(self, person_id: int, waiting: frozenset[int]) -> Begun | None:
        draft = self._drafts.of(person_id) if self._drafts else None
        if draft is None or draft.event_id not in waiting:
            return None
        return Begun(draft.doing_now, draft.text)

    async def _labels(self, person_id: int, said: Sequence[InboxEvent]) -> dict[str, str]:
        if not any("choice" in event.payload for event in said):
            return {}
        return {
            choice: words for row in await self._recent(person_id) for choice, words in _spoken(row).items()
        }

    async def unread(self, seen: dict[int, int]) -> dict[int, int]:
        """How many messages of ours each person has beyond the outbox id that was seen."""
        counts: dict[int, int] = {}
        async with self._store.read() as session:
            for person_id, last in seen.items():
                query = _heard(person_id).where(col(OutboxMessage.id) > last).subquery()
                counts[person_id] = (await session.exec(select(func.count()).select_from(query))).one()
        return counts

    async def wait_for_news(self, since: int, seconds: float) -> int:
        """The number of the latest change, at once if it is not `since`."""
        return await self._news.wait_beyond(since, seconds)

    async def inside(self) -> Inside:
        """What the panel shows."""
        return await self._machinery.panel()

    async def leap(self, where: Leap) -> None:
        """Move the clock to noon of the next such day, through everything that falls due."""
        today = local_day(self._clock(), await self._zone())
        if where == "tomorrow":
            days = 1
        else:
            days = (({"tuesday": 1, "monday": 0}[where] - today.weekday() - 1) % 7) + 1
        await self.leap_days(days)

    async def leap_days(self, days: int) -> None:
        """Move the clock by whole days, to noon of the last, through everything that falls due."""
        if self._machinery.run_until is None:
            raise AccessDenied("The clock can be moved in the demo only.")
        tz = await self._zone()
        target = at_local(local_day(self._clock(), tz) + timedelta(days=days), NOON, tz)
        await self._machinery.run_until(target)
        self._news.ring()

    async def _zone(self) -> ZoneInfo:
        async with self._store.read() as session:
            company = await session.get(Company, 1)
        return zone(company.time_zone if company else "UTC")

    async def reset(self) -> None:
        """Put the demo back to its first moment."""
        if self._machinery.reset is None:
            raise AccessDenied("Only the demo can be reset.")
        await self._machinery.reset()
        self._personas = []
        self._news.ring()

    async def source(self, passage_id: int, person_id: int, heard: int) -> Source:
        """The document behind a citation, with the quotes of the message it stood in marked."""
        found = await self._machinery.source(passage_id, person_id)
        async with self._store.read() as session:
            row = await session.get(OutboxMessage, heard)
        if row is None or row.conversation != f"web:{person_id}":
            return found
        quotes = tuple(each.quote for each in _of(row).citations if each.passage_id == passage_id)
        return replace(found, quotes=quotes)


def _said(person_id: int) -> SelectOfScalar[InboxEvent]:
    return select(InboxEvent).where(
        InboxEvent.conversation == f"web:{person_id}", InboxEvent.platform == Platform.WEB
    )


def _heard(person_id: int) -> SelectOfScalar[OutboxMessage]:
    return select(OutboxMessage).where(
        OutboxMessage.conversation == f"web:{person_id}",
        OutboxMessage.platform == Platform.WEB,
        # A reply is there as soon as it is stored; a scheduled message is written when it leaves.
        or_(
            OutboxMessage.status == OutboxStatus.SENT,
            and_(
                col(OutboxMessage.scheduled_id).is_(None),
                col(OutboxMessage.status).in_([OutboxStatus.PENDING, OutboxStatus.CLAIMED]),
            ),
        ),
    )


async def _first_waiting(session: AsyncSession, person_id: int, after: int) -> int:
    """The lowest id beyond `after` of a scheduled message on its way out; beyond all if there is none."""
    found = await session.exec(
        select(func.min(OutboxMessage.id)).where(
            OutboxMessage.conversation == f"web:{person_id}",
            OutboxMessage.platform == Platform.WEB,
            col(OutboxMessage.scheduled_id).is_not(None),
            col(OutboxMessage.status).in_([OutboxStatus.PENDING, OutboxStatus.CLAIMED]),
            col(OutboxMessage.id) > after,
        )
    )
    return found.one() or _BEYOND


async def _unanswered(session: AsyncSession, person_id: int) -> frozenset[int]:
    """The ids of what this person said and has no reply to yet."""
    waiting = _said(person_id).where(InboxEvent.status == InboxStatus.NEW)
    return frozenset(event.id or 0 for event in await session.exec(waiting))


def _buttons(row: OutboxMessage) -> tuple[Choice, ...]:
    message = _of(row)
    return (*message.choices, *feedback_buttons(message))


def _spoken(row: OutboxMessage) -> dict[str, str]:
    message = _of(row)
    return {**spoken(message), **{one.id: one.label for one in feedback_buttons(message)}}


def _of(row: OutboxMessage) -> Message:
    return Message.model_validate(row.message)


def _words(event: InboxEvent, labels: dict[str, str]) -> str:
    text = event.payload.get("text")
    if text is not None:
        return str(text)
    return labels.get(str(event.payload.get("choice")), "…")


async def _persona(session: AsyncSession, known: Known) -> Persona | None:
    person = (await session.exec(select(Person).where(Person.email == known.email))).first()
    if person is None or person.id is None:
        return None
    department = await session.get(Department, person.department_id) if person.department_id else None
    company = await session.get(Company, 1)
    zones = (owner.time_zone for owner in (person, department, company) if owner is not None)
    return Persona(
        person_id=person.id,
        name=person.name,
        part=known.part,
        place=department.name if department else "",
        introduction=known.introduction,
        suggestions=known.suggestions,
        zone=next((name for name in zones if name), "UTC"),
        admin=can(await actor(session, person.id), Action.ADMINISTER),
    )
