"""Takes stored events and answers them, each exactly once.

An event is claimed for a while, its use case prepares without a transaction, and one transaction then
changes the state, takes the replies into the outbox and marks the event as done. A worker that dies in
between leaves nothing half done: its claim runs out and another begins anew. Only the oldest open event of a
conversation can be claimed, so that a person's words are answered in the order they were said.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import bindparam, exists, sql, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Clock, system_clock
from bot.errors import StagecoachError, StoreUnavailable
from bot.live import KEPT, in_place
from bot.messages import Message
from bot.store.columns import columns, made
from bot.store.engine import Store
from bot.store.outbox import enqueue
from bot.store.tables import InboxEvent, InboxStatus
from bot.turns import Turn
from handlers.news import News

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
"""Longer than the slowest preparation (a model's time-out and the search before it), and as long as somebody
waits whose event was with a process that was killed."""
STORE_PAUSE_SECONDS = 1.0
RENEW_SECONDS = 10.0
MOST_RENEWALS = 90
"""Making a large document findable takes minutes; what takes a quarter of an hour never ends."""

MOST_ATTEMPTS = 3
POLL_SECONDS = 2.0
"""How late an event may be noticed that another process stored and did not live to answer."""

APOLOGY = Message(
    kind="notice",
    text="Something went wrong on my side, and I could not answer this. Nothing you said is lost. Please try "
    "again in a moment; if it happens again, tell your administrator.",
)


class Answering(Protocol):
    """What turns a stored event into replies (handlers.conversation)."""

    async def hear(self, event: InboxEvent) -> Turn | None:
        """Who said what. None where there is nothing to answer."""
        ...

    async def prepare(self, turn: Turn) -> object:
        """Whatever takes time."""
        ...

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: object) -> list[Message]:
        """Change the state in the transaction and say what to reply."""
        ...


class Worker:
    """Answers events until it is told to stop; any number of them may run, in any number of processes.

    Claims are measured by the machine's own clock, even where the product's clock is moved.
    """

    def __init__(
        self,
        store: Store,
        answering: Answering,
        clock: Clock,
        news: News,
        on_answered: Callable[[], None] = lambda: None,
        machine_clock: Clock = system_clock,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._store, self._answering, self._clock, self._news = store, answering, clock, news
        self._on_answered, self._machine_clock = on_answered, machine_clock
        self._renew_seconds = renew_seconds
        self._name = secrets.token_hex(8)

    async def run(self, stop: asyncio.Event) -> None:
        """Answer events until `stop` is set; what is being answered then is finished first."""
        while not stop.is_set():
            try:
                if await self.answer_next():
                    continue
            except StoreUnavailable as error:
                log.warning("worker.store_unavailable", action="worker.claim", error=str(error))
                await asyncio.sleep(STORE_PAUSE_SECONDS)
            await self._news.wait(POLL_SECONDS)

    async def answer_next(self) -> bool:
        """Answer the oldest event that may be answered. Returns whether there was one."""
        event = await self._claim()
        if event is None:
            return False
        try:
            await self._answer(event)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(event))
            raise
        except StoreUnavailable as error:
            log.warning(
                "worker.store_unavailable", action="worker.answer", event_id=event.id, error=str(error)
            )
            await self._give_back_later(event)
        except Exception as error:
            # Whatever goes wrong with one event, the others have to be answered.
            log.exception(
                "worker.failed", action="worker.answer", event_id=event.id, kind=type(error).__name__
            )
            await self._failed(event, error)
        self._on_answered()
        return True

    async def _claim(self) -> InboxEvent | None:
        now = self._machine_clock()
        given = {"now": now, "worker": self._name, "until": now + LEASE}
        rows = await self._store.alone(_CLAIM, given, lasting=False)
        return made(InboxEvent, rows[0]._asdict()) if rows else None

    async def _answer(self, event: InboxEvent) -> None:
        turn = await self._answering.hear(event)
        if turn is None:
            await self._finish(event, None, None)
            return
        prepared: object | Message
        try:
            prepared = await self._prepared(event, turn)
            await self._finish(event, turn, prepared)
        except StoreUnavailable:
            raise
        except StagecoachError as refusal:
            await self._finish(event, turn, Message(kind="notice", text=str(refusal)))

    async def _prepared(self, event: InboxEvent, turn: Turn) -> object:
        """What `prepare` brings. While it takes long the claim is renewed: nobody else shall begin anew."""
        renewing: list[asyncio.Task[None]] = []
        # Most turns are prepared long before: for them it stays at a timer.
        timer = asyncio.get_running_loop().call_later(
            self._renew_seconds, lambda: renewing.append(asyncio.create_task(self._keep(event)))
        )
        try:
            return await self._answering.prepare(turn)
        finally:
            timer.cancel()
            for task in renewing:
                task.cancel()
                await asyncio.wait({task})

    async def _keep(self, event: InboxEvent) -> None:
        for _ in range(MOST_RENEWALS):
            await self._renew(event)
            await asyncio.sleep(self._renew_seconds)

    async def _renew(self, event: InboxEvent) -> None:
        given = {"event": event.id, "worker": self._name, "until": self._machine_clock() + LEASE}
        try:
            await self._store.alone(_RENEW, given)
        except StoreUnavailable:
            log.warning("worker.store_unavailable", action="worker.renew", event_id=event.id)

    async def _finish(self, event: InboxEvent, turn: Turn | None, prepared: object) -> None:
        async with self._store.write() as tx:
            mine = {"event": event.id, "worker": self._name, "at": self._clock()}
            if not await columns(tx, _DONE, mine):
                return  # The claim ran out and somebody else has it.
            if turn is not None:
                messages = (
                    [prepared]
                    if isinstance(prepared, Message)
                    else await self._answering.apply(tx, turn, prepared)
                )
                await enqueue(
                    tx,
                    platform=event.platform,
                    conversation=turn.conversation,
                    thread=turn.thread,
                    messages=in_place(messages, turn.live.reference),
                    key=f"reply:{event.id}",
                    now=self._clock(),
                    person_id=turn.person_id,
                    event_id=event.id,
                )

    async def _give_back_later(self, event: InboxEvent) -> None:
        """The database went away in the middle: once it is back, nobody waits for the claim to run out."""
        until = self._machine_clock() + LEASE
        given_back = False
        while not given_back and self._machine_clock() < until:
            await asyncio.sleep(STORE_PAUSE_SECONDS)
            given_back = await self._give_back(event)

    async def _give_back(self, event: InboxEvent) -> bool:
        """Let anybody answer it at once. False where the database is away."""
        try:
            async with self._store.write() as tx:
                row = await tx.get(InboxEvent, event.id, with_for_update=True)
                if row is not None and row.status is InboxStatus.NEW and row.claimed_by == self._name:
                    row.claimed_by = row.claimed_until = None
                    tx.add(row)
        except StoreUnavailable:
            log.warning("worker.store_unavailable", action="worker.give_back", event_id=event.id)
            return False
        return True

    async def _failed(self, event: InboxEvent, error: Exception) -> None:
        """Give the event back, or after several attempts put it aside and say so."""
        try:
            async with self._store.write() as tx:
                row = await tx.get(InboxEvent, event.id, with_for_update=True)
                # Gone: whoever wrote it was erased meanwhile.
                if row is None or row.status is not InboxStatus.NEW or row.claimed_by != self._name:
                    return
                row.error = type(error).__name__
                if row.attempts < MOST_ATTEMPTS:
                    row.claimed_until = self._machine_clock() + timedelta(seconds=row.attempts)
                else:
                    row.status, row.done_at = InboxStatus.FAILED, self._clock()
                    await enqueue(
                        tx,
                        platform=row.platform,
                        conversation=row.conversation,
                        messages=in_place([APOLOGY], row.payload.get(KEPT)),
                        key=f"reply:{row.id}",
                        now=self._clock(),
                        event_id=row.id,
                    )
                tx.add(row)
        except StoreUnavailable:
            log.warning("worker.store_unavailable", action="worker.failed", event_id=event.id)


# On the table rather than through the mapped class: what every turn begins and ends with is compiled once.
_EVENTS: Any = InboxEvent.__table__  # type: ignore[attr-defined]


def _claim_statement() -> Any:
    """Claim the oldest event that may be answered, in one go; made once, as every turn begins with it."""
    event, earlier = _EVENTS, _EVENTS.alias()
    now = bindparam("now", type_=event.c.claimed_until.type)
    is_first = ~exists().where(
        earlier.c.conversation == event.c.conversation,
        earlier.c.status == InboxStatus.NEW,
        earlier.c.id < event.c.id,
    )
    oldest = (
        sql.select(event.c.id)
        .where(
            event.c.status == InboxStatus.NEW,
            event.c.claimed_until.is_(None) | (event.c.claimed_until < now),
            is_first,
        )
        .order_by(event.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(event)
        # Compared, not searched in: so it is looked up once, and one event is claimed.
        .where(event.c.id == oldest.scalar_subquery())
        .values(
            claimed_by=bindparam("worker"),
            claimed_until=bindparam("until", type_=event.c.claimed_until.type),
            attempts=event.c.attempts + 1,
        )
        .returning(event)
    )


def _renew_statement() -> Any:
    """Hold an event for longer, if it is still with this worker."""
    return (
        update(_EVENTS)
        .where(
            _EVENTS.c.id == bindparam("event"),
            _EVENTS.c.status == InboxStatus.NEW,
            _EVENTS.c.claimed_by == bindparam("worker"),
        )
        .values(claimed_until=bindparam("until", type_=_EVENTS.c.claimed_until.type))
    )


def _done_statement() -> Any:
    """Mark an event as done, if it is still with this worker."""
    return (
        update(_EVENTS)
        .where(
            _EVENTS.c.id == bindparam("event"),
            _EVENTS.c.status == InboxStatus.NEW,
            _EVENTS.c.claimed_by == bindparam("worker"),
        )
        .values(status=InboxStatus.DONE, done_at=bindparam("at"))
        .returning(_EVENTS.c.id)
    )


_CLAIM, _DONE, _RENEW = _claim_statement(), _done_statement(), _renew_statement()
