"""What the panel beside the chat shows: the departments on the map, what was sent, and what comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, time, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.records import placement_of
from bot.audit.scoring import Scores
from bot.clock import as_utc, at_local, zone
from bot.store.engine import Store
from bot.store.tables import Company, Department, Person, ScheduledMessage, ScheduledStatus
from handlers.web.ports import Inside, Leap, MapCell, MapRow, Posting

Schedule = Callable[[datetime, datetime], Awaitable[list[dict[str, object]]]]
"""What would be sent between two instants, as `stagecoach schedule --json` prints it."""

LOOKS_AHEAD = timedelta(days=14)
MOST_COMING = 8
MOST_GONE = 4

DAY_ENDS = time(17, 30)
"""Where a leap lands: late enough in the company's day for that day's messages to have been sent."""

_WEEKDAYS = {"tuesday": 1, "monday": 0}


def morning_of(now: datetime, zone_name: str, where: Leap) -> datetime:
    """Where a leap leads to: the next day, or the next Tuesday or Monday, at the end of the working day."""
    today = now.astimezone(zone(zone_name)).date()
    weekday = _WEEKDAYS.get(where)
    days = 1 if weekday is None else (weekday - today.weekday() - 1) % 7 + 1
    return days_on(now, zone_name, days)


def days_on(now: datetime, zone_name: str, days: int) -> datetime:
    """The end of the working day `days` days from now, in the company's zone."""
    tz = zone(zone_name)
    return at_local(now.astimezone(tz).date() + timedelta(days=days), DAY_ENDS, tz)


class InsidePanel:
    """Looks at the whole company. What it saw is kept until something happens or a minute has passed."""

    def __init__(self, store: Store, instrument: Instrument, schedule: Schedule) -> None:
        self._store, self._instrument, self._schedule = store, instrument, schedule
        self._lock = asyncio.Lock()
        self._kept: tuple[tuple[int, datetime], Inside] | None = None

    async def look(self, now: datetime, news: int) -> Inside:
        """The panel at `now`; `news` is the number of the latest change."""
        key = (news, now.replace(second=0, microsecond=0))
        async with self._lock:
            if self._kept is None or self._kept[0] != key:
                self._kept = (key, await self._look(now))
            return self._kept[1]

    async def _look(self, now: datetime) -> Inside:
        coming = await self._schedule(now, now + LOOKS_AHEAD)
        async with self._store.read() as session:
            company = await session.get(Company, 1)
            tz = zone(company.time_zone if company else "UTC")
            return Inside(
                now=now.astimezone(tz),
                models=tuple((model.id, model.name) for model in self._instrument.models),
                rows=tuple(await self._rows(session, now)),
                coming=tuple(_coming(line) for line in coming[:MOST_COMING]),
                gone=tuple(await _gone(session)),
            )

    async def _rows(self, session: AsyncSession, now: datetime) -> list[MapRow]:
        departments = await session.exec(
            select(Department).where(col(Department.archived_at).is_(None)).order_by(col(Department.name))
        )
        rows = []
        for department in departments.all():
            if department.id is not None:
                scores = await placement_of(session, self._instrument, department.id, now)
                rows.append(self._row(department.name, scores))
        return rows

    def _row(self, name: str, scores: Scores) -> MapRow:
        skipped = {one.model: one.severity for one in scores.placement.skipped}
        cells = []
        for model in self._instrument.models:
            asked = [
                scores.criteria[one.id]
                for one in model.criteria
                if scores.criteria[one.id].claimed is not None
            ]
            cells.append(
                MapCell(
                    model=model.id,
                    state=scores.models[model.id] if asked else None,
                    skipped=skipped.get(model.id) if asked else None,
                    stale=any(one.stale for one in asked),
                )
            )
        return MapRow(name, tuple(cells), _line(self._instrument, scores, cells))


def _line(instrument: Instrument, scores: Scores, cells: Sequence[MapCell]) -> str:
    if all(cell.state is None for cell in cells):
        return "not asked yet."
    through, working = scores.placement.operational_through, scores.placement.working_model
    words = f"operational through {through}"
    return f"{words}; working on {instrument.model(working).name}." if working else f"{words}."


def _words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def _coming(line: dict[str, object]) -> Posting:
    at = datetime.fromisoformat(str(line["time"]))
    held = bool(line["held"])
    return Posting(
        at=as_utc(at),
        local=_when(datetime.fromisoformat(str(line["local_time"]))),
        recipient=str(line["name"]),
        kind=_words(str(line["kind"])),
        why=str(line["why"] if held else line["reason"]),
        person_id=_person_id(str(line["recipient"])),
        held=held,
    )


def _person_id(recipient: str) -> int | None:
    kind, _, number = recipient.partition(":")
    return int(number) if kind == "person" and number.isdecimal() else None


def _when(local: datetime) -> str:
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M} there"


async def _gone(session: AsyncSession) -> list[Posting]:
    found = await session.exec(
        select(ScheduledMessage, Person, Department)
        .join(Person, col(ScheduledMessage.person_id) == col(Person.id), isouter=True)
        .join(Department, col(ScheduledMessage.department_id) == col(Department.id), isouter=True)
        .where(ScheduledMessage.status == ScheduledStatus.SENT)
        .order_by(col(ScheduledMessage.sent_at).desc(), col(ScheduledMessage.id).desc())
        .limit(MOST_GONE)
    )
    company = await session.get(Company, 1)
    home = company.time_zone if company else "UTC"
    return [_posted(*row, home) for row in found.all()]


def _posted(
    row: ScheduledMessage, person: Person | None, department: Department | None, home: str
) -> Posting:
    at = row.sent_at or row.due_at
    return Posting(
        at=at.astimezone(UTC),
        local=f"{at.astimezone(zone(home)):%A, %H:%M}",
        recipient=person.name if person else department.name if department else "the company",
        kind=_words(row.kind),
        why=row.reason,
        person_id=row.person_id,
    )
