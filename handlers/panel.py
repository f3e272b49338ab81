"""What the page's inside panel shows: the map of departments, and what the planner has sent and will send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.placement_words import placement_sentences
from bot.audit.records import placement_of
from bot.clock import parse_instant, zone
from bot.errors import NotFound
from bot.organisation.directory import active_departments
from bot.store.tables import (
    Answer,
    Company,
    Department,
    Document,
    DocumentVersion,
    OutboxMessage,
    OutboxStatus,
    Passage,
    Person,
    ScheduledMessage,
    ScheduledStatus,
)
from handlers.app import App
from handlers.web.ports import Inside, MapCell, MapRow, Posting, Source
from knowledge.audience import readable, reader
from scheduler.planner import explain

AHEAD = timedelta(days=7)
MOST_SHOWN = 12


@dataclass(frozen=True)
class Panel:
    """Reads the panel's contents from an app."""

    app: App

    async def inside(self) -> Inside:
        """The whole panel as of the product's clock."""
        now = self.app.clock()
        async with self.app.store.read() as session:
            company = await session.get(Company, 1)
            departments = await active_departments(session)
            rows = [await self._row(session, department, now) for department in departments]
            tz = zone(company.time_zone if company else "UTC")
            gone = await _gone(session, tz)
        coming = [_coming(line, tz) for line in await explain(self.app.store, now, now + AHEAD)]
        return Inside(
            now=now.astimezone(tz),
            models=tuple((model.id, model.name) for model in self.app.instrument.models),
            rows=tuple(rows),
            coming=tuple(coming[:MOST_SHOWN]),
            gone=tuple(gone),
        )

    async def _row(self, session: AsyncSession, department: Department, now: datetime) -> MapRow:
        assert department.id is not None  # noqa: S101  (read from the database)
        asked = await session.exec(select(Answer.id).where(Answer.department_id == department.id).limit(1))
        if asked.first() is None:
            cells = tuple(MapCell(model.id, None) for model in self.app.instrument.models)
            return MapRow(department.name, cells, "Never asked yet.")
        scores = await placement_of(session, self.app.instrument, department.id, now)
        skipped = {each.model: each.severity for each in scores.placement.skipped}
        stale = {
            model.id: any(scores.criteria[criterion.id].stale for criterion in model.criteria)
            for model in self.app.instrument.models
        }
        cells = tuple(
            MapCell(model.id, scores.models[model.id], skipped.get(model.id), stale[model.id])
            for model in self.app.instrument.models
        )
        return MapRow(department.name, cells, placement_sentences(self.app.instrument, scores))

    async def source(self, passage_id: int, person_id: int) -> Source:
        """The document behind a passage, if that person may read it. Raises NotFound."""
        async with self.app.store.read() as session:
            passage = await session.get(Passage, passage_id)
            who = await reader(session, person_id)
            allowed = await readable(session, who, self.app.clock().date())
            if passage is None or passage.document_id not in allowed:
                raise NotFound("This passage is no longer there, or it is not for you.")
            document = await session.get_one(Document, passage.document_id)
            version = await session.get_one(DocumentVersion, passage.version_id)
            owner = await session.get(Person, document.owner_id) if document.owner_id else None
        return Source(
            passage_id=passage_id,
            document=document.title,
            section=" › ".join(passage.heading_path),
            version=version.label or str(version.number),
            text=version.text,
            start=passage.start,
            end=passage.end,
            owner=owner.name if owner else None,
            effective=version.effective.isoformat() if version.effective else None,
            reviewed=document.reviewed_on.isoformat() if document.reviewed_on else None,
        )


def _coming(line: dict[str, Any], tz: ZoneInfo) -> Posting:
    at, local = parse_instant(str(line["time"])), datetime.fromisoformat(str(line["local_time"]))
    elsewhere = local.utcoffset() != at.astimezone(tz).utcoffset()
    return Posting(
        at=at,
        local=_spoken(local) + (" their time" if elsewhere else ""),
        recipient=str(line.get("name") or line["recipient"]),
        kind=str(line["kind"]),
        why=str(line["why"] if line["held"] else line["reason"]),
        held=bool(line["held"]),
    )


def _spoken(local: datetime) -> str:
    """A local time as a person would note it: Tue 24 Nov, 10:00."""
    return f"{local:%a} {local.day} {local:%b, %H:%M}"


async def _gone(session: AsyncSession, tz: ZoneInfo) -> list[Posting]:
    """The latest scheduled messages that left, newest first."""
    rows = await session.exec(
        select(ScheduledMessage, OutboxMessage, Person)
        .join(OutboxMessage, col(OutboxMessage.scheduled_id) == ScheduledMessage.id)
        .outerjoin(Person, col(Person.id) == ScheduledMessage.person_id)
        .where(
            ScheduledMessage.status == ScheduledStatus.SENT,
            OutboxMessage.status == OutboxStatus.SENT,
        )
        .order_by(col(OutboxMessage.id).desc())
        .limit(MOST_SHOWN)
    )
    return [
        Posting(
            at=message.sent_at or scheduled.due_at,
            local=_spoken((message.sent_at or scheduled.due_at).astimezone(tz)),
            recipient=person.name if person else scheduled.recipient,
            kind=scheduled.kind,
            why=scheduled.reason,
            person_id=scheduled.person_id,
        )
        for scheduled, message, person in rows
    ]
