"""What could be sent, to whom and from when on; and what the finders of several kinds share.

There is one finder for each kind of scheduled message: in `audit_wishes`, `follow_up_wishes` and
`digest_wishes`. A finder only reads. Whether and when a wish becomes a message is the planner's to decide;
whether it is still wanted is asked again when the message is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import (
    Company,
    Duty,
    DutyName,
    Person,
)
from scheduler.phrases import day

CYCLE = timedelta(days=28)
"""After this long an unanswered request may come again: the next cycle."""


@dataclass(frozen=True, slots=True)
class Look:
    """The stretch of time that is looked at, ends included. A tick looks at one instant.

    `began` is when planning began in this company: what fell due before was not missed, and is not caught up
    with. None: it always has been.
    """

    start: datetime
    end: datetime
    began: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to send to `recipient` at a fitting moment from `ready` on.

    A recipient is `person:<id>`, or `department:<id>` for its channel.
    `period` makes it single for that recipient and kind; None stands for the local ISO week in which it is
    sent. `reason` says in words why. `blocked` says why it can't be sent at all.
    """

    kind: str
    recipient: str
    ready: datetime
    reason: str
    period: str | None = None
    person_id: int | None = None
    department_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    blocked: str = ""


def to_person(kind: str, person_id: int, ready: datetime, reason: str, **more: Any) -> Wish:
    """A wish for one person."""
    return Wish(kind, f"person:{person_id}", ready, reason, person_id=person_id, **more)


async def first_leads(session: AsyncSession) -> dict[int, int]:
    """Department -> the lead who is asked: the one who has held the duty longest and has not stayed out."""
    rows = await session.exec(
        select(Duty.department_id, Duty.person_id)
        .join(Person, col(Person.id) == col(Duty.person_id))
        .where(Duty.duty == DutyName.LEAD, col(Person.archived_at).is_(None))
        .order_by(col(Person.declined_at).is_not(None), col(Duty.since).asc().nulls_first(), col(Duty.id))
    )
    leads: dict[int, int] = {}
    for department_id, person_id in rows:
        if department_id is not None:
            leads.setdefault(department_id, person_id)
    return leads


def day_of(instant: datetime, look: Look) -> str:
    """The day of `instant` in words, seen from the look."""
    return day(instant.date(), look.start.date())


async def company_zone(session: AsyncSession) -> str:
    """The zone of everybody for whom none is known."""
    company = await session.get(Company, 1)
    return company.time_zone if company else "UTC"
