"""The scheduler as the rest of the product sees it: tick, send, and look ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.audit.instrument import Instrument, load_instrument
from bot.audit.second import settle_contested
from bot.clock import Clock
from bot.coaching.plans import escalate_blockers
from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.tables import Company, Platform
from scheduler.clock import Metronome
from scheduler.planner import Planned, explain, plan
from scheduler.post import LEASE, PostOffice
from scheduler.sending import Sender
from scheduler.writing import ScheduledWriter

HOUSEKEEPING_EVERY = timedelta(hours=1)

log = structlog.get_logger()


class SchedulerService:
    """One per process. `senders` are the platforms that are configured; the page's and the terminal's belong
    to every process that serves them.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        senders: Mapping[Platform, Sender],
        instrument: Instrument | None = None,
        lease: timedelta = LEASE,
    ) -> None:
        self.store, self.clock = store, clock
        self._kept_at: datetime | None = None
        self.instrument = instrument or load_instrument()
        self.post = PostOffice(store, clock, senders, ScheduledWriter(store, self.instrument), lease)

    async def tick(self) -> Planned:
        """Plan what is due now and hand it to the post office."""
        await self._keep_house(self.clock())
        planned = await plan(self.store, self.clock())
        if planned.messages:
            log.info("planned", action="planner.tick", rows=planned.rows, messages=planned.messages)
            self.post.wake()
        return planned

    async def _keep_house(self, now: datetime) -> None:
        """Once an hour: end what two views left open for a week, and mark blockers that wait too long."""
        if self._kept_at is not None and timedelta(0) <= now - self._kept_at < HOUSEKEEPING_EVERY:
            return
        async with self.store.write() as tx:
            # One process at a time: whoever holds the company's row.
            await tx.get(Company, 1, with_for_update=True)
            await settle_contested(tx, self.instrument, now)
            await escalate_blockers(tx, self.instrument, now)
        self._kept_at = now

    async def _beat(self) -> None:
        try:
            await self.tick()
        except StoreUnavailable as error:
            log.warning("no planning now", action="planner.store_away", reason=str(error))

    async def run(self, stop: asyncio.Event) -> None:
        """Tick and send until `stop` is set; returns when nothing of ours is under way."""
        metronome = Metronome(self._beat)
        metronome.start()
        try:
            await self.run_sender(stop)
        finally:
            await metronome.stop()

    async def run_sender(self, stop: asyncio.Event) -> None:
        """Only send, without ticking: for tests, and for a process that plans elsewhere."""
        await self.post.run(stop)

    def wake(self) -> None:
        """Something was added to the outbox: send it now rather than at the next look."""
        self.post.wake()

    async def upcoming(self, now: datetime, days: int = 14) -> list[dict[str, object]]:
        """What will be sent in the next days, and what is held back and why (see planner.explain)."""
        return await explain(self.store, now, now + timedelta(days=days))
