"""The process's figures for Prometheus: what waits, what left, what failed. Counted in the database."""

from __future__ import annotations

from typing import Any

from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import InboxEvent, OutboxMessage, ScheduledMessage
from handlers.app import App
from handlers.web.health import Metric


async def figures(app: App) -> list[Metric]:
    """Rows by their status in the inbox, the outbox and the schedule."""
    async with app.store.read() as session:
        counts = (
            ("stagecoach_inbox_events", "Incoming events by status", InboxEvent.status),
            ("stagecoach_outbox_messages", "Outgoing messages by status", OutboxMessage.status),
            ("stagecoach_scheduled_messages", "Scheduled messages by status", ScheduledMessage.status),
        )
        return [
            Metric(name, words, "gauge", await _by_status(session, column)) for name, words, column in counts
        ]


async def _by_status(session: AsyncSession, column: Any) -> dict[tuple[tuple[str, str], ...], float]:
    rows = await session.exec(select(column, func.count()).group_by(column))
    return {(("status", str(status)),): float(count) for status, count in rows}
