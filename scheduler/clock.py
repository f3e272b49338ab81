"""The metronome: the only place that knows APScheduler. It ticks; the planner decides what is due.

Nothing is kept in it. Every process has its own, and a tick that comes late or twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler

TICK_SECONDS = 30
DRAIN_SECONDS = 20.0


class Metronome:
    """Calls `tick` at once and then every 30 seconds; a tick that takes longer is not overtaken."""

    def __init__(self, tick: Callable[[], Awaitable[None]], seconds: float = TICK_SECONDS) -> None:
        self._tick, self._seconds = tick, seconds
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to tick, on the running event loop."""
        self._scheduler.add_job(
            self._beat,
            "interval",
            seconds=self._seconds,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
        self._scheduler.start()
        self._spawn()

    async def _beat(self) -> None:
        # Ours, not the timer's: its shutdown would cancel what it runs itself in the middle of a transaction.
        self._spawn()

    def _spawn(self) -> None:
        if not self._running:
            task = asyncio.ensure_future(self._tick())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """No further tick; one that runs comes to its end."""
        self._scheduler.pause()
        if self._running:
            await asyncio.wait(self._running, timeout=DRAIN_SECONDS)
        self._scheduler.shutdown(wait=False)
        # Its shutdown is finished by the loop in a moment of its own.
        await asyncio.sleep(0)
