"""The process's figures for Prometheus: what waits, what left, what failed. Counted in the database."""

from __future__ import annotations

from sqlmodel import col, func, select

from bot.store.tables import InboxEvent, OutboxMessage, ScheduledMessage
from handlers.app import App
from handlers.web.health import Metric


async def figures(app: App) -> list[Metric]:
    """Rows by their status in the inbox, the outbox and the schedule."""
    found = []
    async with app.store.read() as session:
        for name, table, words in (
            ("stagecoach_inbox_events", InboxEvent, "Incoming events by status"),
            ("stagecoach_outbox_messages", OutboxMessage, "Outgoing messages by status"),
            ("stagecoach_scheduled_messages", ScheduledMessage, "Scheduled messages by status"),
        ):
            query = select(table.status, func.count(col(table.id))).group_by(table.status)  # type: ignore[attr-defined]
            rows = (await session.exec(query)).all()
            values = {(("status", status.value),): float(count) for status, count in rows}
            found.append(Metric(name, words, "gauge", values))
    return found
