"""The scheduler within a process, and the demo's way through days in seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import col, func, select

from bot.clock import MovableClock, parse_instant
from bot.errors import StoreUnavailable
from bot.store.tables import OutboxMessage, OutboxStatus, Platform
from handlers.app import App
from handlers.running import Service
from scheduler.sending import PageSender, Sender
from scheduler.service import SchedulerService

MOST_STOPS = 2_000
"""Moments at which something falls due within one move of the demo's clock; a guard against a planner that
would find the same thing due for ever."""

LOOK_SECONDS = 0.02
MOST_LOOKS = 250
"""Five seconds for the page's messages to leave; they need milliseconds."""

FOLLOW_SECONDS = 1.0


def scheduler_of(app: App, more: Mapping[Platform, Sender] | None = None) -> SchedulerService:
    """The scheduler with the ways out of the page, the terminal and the configured platforms."""
    senders: dict[Platform, Sender] = {
        Platform.WEB: PageSender(),
        Platform.CHAT: PageSender(),
        **(more or {}),
    }
    return SchedulerService(app.store, app.clock, senders, app.instrument)


def waking(app: App, scheduler: SchedulerService) -> Service:
    """Hands a reply to the post office as soon as it is written, rather than at its next look."""

    async def run(stop: asyncio.Event) -> None:
        number = app.news.number
        while not stop.is_set():
            seen, number = number, await app.news.wait_beyond(number, FOLLOW_SECONDS)
            if number != seen:
                scheduler.wake()

    return run


def following(app: App) -> Service:
    """Rings when a scheduled message has left, also where another process sent it."""

    async def run(stop: asyncio.Event) -> None:
        last = -1
        while not stop.is_set():
            try:
                async with app.store.read() as session:
                    query = select(func.count(col(OutboxMessage.id))).where(
                        OutboxMessage.status == OutboxStatus.SENT,
                        col(OutboxMessage.scheduled_id).is_not(None),
                    )
                    sent = (await session.exec(query)).one()
            except StoreUnavailable:
                sent = last
            if sent != last:
                last = sent
                app.news.ring()
            try:
                async with asyncio.timeout(FOLLOW_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue

    return run


async def run_until(app: App, clock: MovableClock, scheduler: SchedulerService, target: datetime) -> None:
    """Move the clock to `target`, stopping at each moment at which something falls due on the way."""
    for _ in range(MOST_STOPS):
        now = clock()
        due = [
            parse_instant(str(line["time"]))
            for line in await scheduler.upcoming(now, days=_days(now, target))
            if not line["held"]
        ]
        ahead = [moment for moment in due if now < moment <= target]
        if not ahead:
            break
        clock.move_to(min(ahead) + timedelta(seconds=1))
        await scheduler.tick()
        await _wait_until_sent(app, scheduler)
    clock.move_to(max(clock(), target))
    await scheduler.tick()
    await _wait_until_sent(app, scheduler)


def _days(now: datetime, target: datetime) -> int:
    return (target - now).days + 1


async def _wait_until_sent(app: App, scheduler: SchedulerService) -> None:
    """Let the post office empty the page's box; it runs as a service beside this."""
    leaving = select(OutboxMessage.id).where(
        OutboxMessage.platform == Platform.WEB,
        col(OutboxMessage.status).in_([OutboxStatus.PENDING, OutboxStatus.CLAIMED]),
        col(OutboxMessage.due_at) <= app.clock(),
    )
    for _ in range(MOST_LOOKS):
        scheduler.wake()
        async with app.store.read() as session:
            if (await session.exec(leaving.limit(1))).first() is None:
                break
        await asyncio.sleep(LOOK_SECONDS)
    app.news.ring()
