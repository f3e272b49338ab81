"""Whose digest is due for which week."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import lru_cache

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import at_local, local_day, week_key, zone
from bot.store.tables import (
    Department,
    Duty,
    DutyName,
    Person,
)
from scheduler.wishes import Look, Wish, company_zone, to_person


async def executive_digests(session: AsyncSession, look: Look) -> list[Wish]:
    """The company's week, to everybody who holds the duty of an executive."""
    usual_zone = await company_zone(session)
    rows = await session.exec(
        select(Person.id, Person.time_zone)
        .join(Duty, col(Duty.person_id) == col(Person.id))
        .where(Duty.duty == DutyName.EXECUTIVE, col(Person.archived_at).is_(None))
        .distinct()
    )
    reason = "The week of the whole company, for executives."
    return [
        to_person("executive_digest", id_ or 0, ready, reason, period=period)
        for id_, time_zone in rows
        for ready, period in weeks_in(look, time_zone or usual_zone)
    ]


async def department_digests(session: AsyncSession, look: Look) -> list[Wish]:
    """Each department's week, to its channel."""
    usual_zone = await company_zone(session)
    rows = await session.exec(
        select(Department.id, Department.name, Department.time_zone, Department.channels).where(
            col(Department.archived_at).is_(None)
        )
    )
    wishes = []
    for id_, name, time_zone, channels in rows:
        blocked = "" if channels else f"{name} has no channel for its digest."
        for ready, period in weeks_in(look, time_zone or usual_zone):
            wishes.append(
                Wish(
                    "department_digest",
                    f"department:{id_}",
                    ready,
                    f"The week of {name}, for its channel.",
                    period=period,
                    department_id=id_,
                    blocked=blocked,
                )
            )
    return wishes


@lru_cache(maxsize=256)
def weeks_in(look: Look, time_zone: str) -> tuple[tuple[datetime, str], ...]:
    """The weeks whose digest falls into the look: (the Monday after it at midnight, local; the week's key).

    A digest tells of the week before the one in which it is sent.
    """
    tz = zone(time_zone)
    first, last = local_day(look.start, tz), local_day(look.end, tz)
    monday = first - timedelta(days=first.weekday())
    weeks = []
    while monday <= last:
        weeks.append((at_local(monday, time(0), tz), week_key(monday - timedelta(days=7))))
        monday += timedelta(days=7)
    return tuple(weeks)
