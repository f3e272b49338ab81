"""The post office at work: one loop a platform, many conversations at once, each at the platform's pace.

A platform that is slow, busy or away delays nobody but its own; a conversation that hangs delays no other.
What the loop does to a row is always one of the transitions in `scheduler.outbox`, so that a stop at any
point leaves the row in a state from which another process goes on.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.clock import Clock
from bot.errors import StoreUnavailable
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import OutboxMessage, Platform, SentDigest
from scheduler import outbox
from scheduler.outbox import Claimed
from scheduler.pace import Budget, Spacing
from scheduler.sending import Gone, Outgoing, Retry, Sender, Uncertain

log = structlog.get_logger()

POLL_SECONDS = 0.5
"""How long a row that another process added may wait to be seen."""

SWEEP_SECONDS = 5.0
STORE_PAUSE_SECONDS = 1.0
DRAIN_SECONDS = 20.0
LEASE = timedelta(seconds=60)
"""Longer than any send may take, pace and time-out included."""

REPEATS = 2
"""How often a message that may have arrived is sent again where history can't tell."""


@dataclass(frozen=True, slots=True)
class Written:
    """The words of a scheduled message, and the digest to remember where it is one."""

    message: Message
    digest: SentDigest | None = None


class Writer(Protocol):
    """Puts a scheduled message into words at the moment it leaves."""

    async def __call__(self, row: OutboxMessage, now: datetime) -> Written | str | datetime:
        """The words, or in a sentence why it is no longer wanted, or the moment before which it must wait."""
        ...


class Counter:
    """The loop of one platform."""

    def __init__(
        self,
        platform: Platform,
        sender: Sender,
        store: Store,
        clock: Clock,
        write: Writer,
        lease: timedelta = LEASE,
    ) -> None:
        self.platform, self.sender, self.store, self.clock, self.write = platform, sender, store, clock, write
        self.lease = lease
        self.owner = uuid.uuid4().hex[:12]
        self.budget = Budget(sender.pace.per_second)
        self.busy: dict[asyncio.Task[None], Claimed] = {}
        self.news = asyncio.Event()
        self.spacing = Spacing(sender.pace.apart)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then let what is under way come to its end."""
        while not stop.is_set():
            try:
                full = await self.start_some()
            except StoreUnavailable as error:
                log.warning("the database is away", action="outbox.store_away", reason=str(error))
                await asyncio.sleep(STORE_PAUSE_SECONDS)
                continue
            if not full:
                await self.nap()
        await self.drain()

    async def start_some(self) -> bool:
        """Claim what may leave now and start on it. True if there may be more to claim at once."""
        # Before anything else: news that stayed set while there is no room would make `nap` return at once,
        # again and again, and nothing else in the process would get its turn.
        self.news.clear()
        room = self.sender.pace.at_once - len(self.busy)
        if room <= 0:
            return False
        taken = await outbox.claim(self.store, self.platform, self.owner, self.clock(), self.lease, room)
        for claimed in taken:
            task = asyncio.create_task(self.deliver(claimed))
            self.busy[task] = claimed
            task.add_done_callback(self.ended)
        return len(taken) == room

    def ended(self, task: asyncio.Task[None]) -> None:
        """A delivery is over; one that failed by our own fault is left to its lease, and seen in the log."""
        claimed = self.busy.pop(task)
        self.news.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(
                "a delivery broke",
                action="outbox.broke",
                message_id=claimed.row.id,
                error=type(error).__name__,
                exc_info=error,
            )

    async def nap(self) -> None:
        """Wait until something ended, somebody called, or it is time to look again."""
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self.news.wait()
        except TimeoutError:
            return

    async def drain(self) -> None:
        """Let running deliveries end; those that don't are cut off and marked as uncertain."""
        if self.busy:
            await asyncio.wait(self.busy, timeout=DRAIN_SECONDS)
        for task in list(self.busy):
            task.cancel()
        await asyncio.gather(*self.busy, return_exceptions=True)

    async def deliver(self, claimed: Claimed) -> None:
        """Bring one claimed row to its next state."""
        row = claimed.row
        try:
            external_id = await self.already_there(claimed) or await self.send(claimed)
        except Retry as error:
            if error.whole_platform and error.after:
                self.budget.pause(error.after)
            await self.record(outbox.put_off, row, str(error), error.after, claimed.uncertain)
            if error.after:
                # What the platform put off leaves then, and not at the next look.
                asyncio.get_running_loop().call_later(error.after, self.news.set)
        except Gone as error:
            await self.put_aside(row, error)
        except (Uncertain, StoreUnavailable, TimeoutError) as error:
            reason = str(error) or "The platform did not answer in time."
            await self.record(outbox.put_off, row, reason, None, True)
        except asyncio.CancelledError:
            now = self.clock()
            await asyncio.shield(outbox.put_off(self.store, row, now, "Stopped.", 0, uncertain=True))
            raise
        else:
            if external_id is not None:
                await self.record(outbox.mark_sent, row, external_id)

    async def record(self, note: Callable[..., Awaitable[None]], row: OutboxMessage, *what: object) -> None:
        """Write down what became of a row, also where the database is away just now: nobody else knows it.

        Gives up with the lease, when others look for themselves.
        """
        loop, now = asyncio.get_running_loop(), self.clock()
        until = loop.time() + self.lease.total_seconds()
        while True:
            try:
                await note(self.store, row, now, *what)
                return
            except StoreUnavailable:
                if loop.time() > until:
                    raise
                await asyncio.sleep(STORE_PAUSE_SECONDS)

    async def already_there(self, claimed: Claimed) -> str | None:
        """The platform's id, if an earlier attempt did arrive."""
        if not claimed.uncertain:
            return None
        try:
            return await self.sender.find(claimed.outgoing)
        except Uncertain as error:
            if claimed.row.prefers_repeat and claimed.row.attempts <= REPEATS:
                return None
            raise Gone(f"It may have arrived, so it was not sent again. {error}") from error

    async def send(self, claimed: Claimed) -> str | None:
        """Write it if it is not written yet, wait for its turn, send. None if it is no longer wanted."""
        outgoing = await self.words(claimed)
        if outgoing is None:
            return None
        await asyncio.sleep(self.until_next(claimed))
        await self.budget.take()
        return await self.hand_over(outgoing)

    def until_next(self, claimed: Claimed) -> float:
        """Seconds until the conversation may get this message; others may have sent its last one."""
        clock = asyncio.get_running_loop().time()
        return self.spacing.wait(claimed.row.conversation, clock, claimed.last_sent_at, self.clock())

    async def hand_over(self, outgoing: Outgoing) -> str:
        """Send, and learn from it at what pace the platform takes messages. Raises as `Sender.send`."""
        loop, conversation = asyncio.get_running_loop(), outgoing.conversation
        began = loop.time()
        try:
            async with asyncio.timeout(self.sender.pace.timeout):
                external_id = await self.sender.send(outgoing)
        except Retry as error:
            if error.after is not None:
                self.spacing.refused()
            raise
        except (Uncertain, TimeoutError):
            self.spacing.broke(conversation, loop.time(), self.clock())
            raise
        self.spacing.took(conversation, began, loop.time(), self.clock())
        return external_id

    async def words(self, claimed: Claimed) -> Outgoing | None:
        row = claimed.row
        if row.scheduled_id is None and not row.waits:
            return claimed.outgoing
        try:
            return claimed.outgoing if await self.write_down(row) else None
        except StoreUnavailable as error:
            # Nothing has left yet, so that this is no uncertain attempt.
            raise Retry(str(error)) from error

    async def write_down(self, row: OutboxMessage) -> bool:
        """Put it into words and keep them. False if it is no longer wanted, or not now."""
        now = self.clock()
        written = await self.write(row, now)
        if isinstance(written, datetime):
            await outbox.wait_until(self.store, row, written)
            return False
        if isinstance(written, str):
            await outbox.call_off(self.store, row, now, written)
            return False
        message = await outbox.save_text(self.store, row, written.message, written.digest)
        row.message = message.model_dump(mode="json", exclude_defaults=True)
        return True

    async def put_aside(self, row: OutboxMessage, error: Gone) -> None:
        log.warning("a message was put aside", action="outbox.dead", message_id=row.id)
        await self.record(outbox.give_up, row, str(error), error.unreachable)


class PostOffice:
    """All platforms of one process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        senders: Mapping[Platform, Sender],
        write: Writer,
        lease: timedelta = LEASE,
    ) -> None:
        self.store, self.clock = store, clock
        self.counters = [
            Counter(platform, sender, store, clock, write, lease) for platform, sender in senders.items()
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Send on every platform until `stop` is set; returns when nothing of ours is under way."""
        await self.sweep(first=True)
        async with asyncio.TaskGroup() as group:
            for counter in self.counters:
                group.create_task(counter.run(stop))
            group.create_task(self.look_after(stop))

    async def look_after(self, stop: asyncio.Event) -> None:
        """Take back expired claims now and then; wake everybody at the end."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await stop.wait()
            except TimeoutError:
                await self.sweep()
        self.wake()

    async def sweep(self, first: bool = False) -> None:
        """Take back claims of processes that died. SQLite has one process: at its start all are left over."""
        try:
            number = await outbox.expire_claims(self.store, self.clock(), first and self.store.is_sqlite)
        except StoreUnavailable as error:
            log.warning("the database is away", action="outbox.store_away", reason=str(error))
            return
        if number:
            log.info("claims taken back", action="outbox.expired", number=number)

    def wake(self) -> None:
        """There may be something new to send."""
        for counter in self.counters:
            counter.news.set()
