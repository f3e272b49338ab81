"""Recipients as the planner sees them: their calendar, slot, pauses and consent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, TypeVar

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.calendar import DEFAULT_SLOT_DAY, DEFAULT_SLOT_TIME, WorkCalendar
from bot.clock import at_local, local_day, zone
from bot.store.tables import Company, Department, Duty, DutyName, Leave, OwnHoliday, Person
from scheduler.chunks import chunks

DIGEST_DAY = 0
DIGEST_TIME = time(9, 0)
"""Monday 09:00, unless the company or the department chose otherwise."""

IN_ONE_QUERY = 5_000


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person, or a department's channel.

    `slot_day` is a weekday (Monday 0). A channel has no person: nothing can be paused, and consent is the
    admin's who named the channel.
    """

    key: str
    name: str
    calendar: WorkCalendar
    slot_day: int = DEFAULT_SLOT_DAY
    slot_time: time = DEFAULT_SLOT_TIME
    digest_day: int = DIGEST_DAY
    digest_time: time = DIGEST_TIME
    person_id: int | None = None
    enrolled: bool = True
    declined: bool = False
    silent_until: date | None = None
    """The later end of pause and snooze: from that local day on messages may come again."""

    def is_silent(self, instant: datetime) -> bool:
        """Whether a pause or a snooze holds at `instant`."""
        return self.silent_until is not None and local_day(instant, self.calendar.tz) < self.silent_until

    def silence_ends(self) -> datetime | None:
        """When pause and snooze are over; None where they have no end that the calendar reaches."""
        if self.silent_until is None or self.silent_until.year >= date.max.year:
            return None
        return at_local(self.silent_until, time(0), self.calendar.tz)


class _Calendars:
    """Work calendars, one object for all people who share one: a company has few of them."""

    def __init__(self, company: Company, holidays: list[OwnHoliday]) -> None:
        self.company = company
        self.holidays = holidays
        self.known: dict[tuple[Any, ...], WorkCalendar] = {}

    def of(self, owner: Person | None, department: Department | None, leave: list[Leave]) -> WorkCalendar:
        levels = [level for level in (owner, department, self.company) if level is not None]
        place = next((level for level in levels if level.country), None)
        country, region = (place.country, place.region) if place else (None, None)
        time_zone = next(level.time_zone for level in [*levels, self.company] if level.time_zone)
        department_id = department.id if department else None
        key = (
            time_zone, country, region, department_id if self._has_own(department_id) else None,
            tuple(owner.working_days) if owner else (0, 1, 2, 3, 4),
            (owner.work_starts, owner.work_ends) if owner else None,
            tuple((away.first_day, away.last_day) for away in leave),
        )  # fmt: skip
        if key not in self.known:
            self.known[key] = self._make(time_zone, country, region, department_id, owner, leave)
        return self.known[key]

    def _has_own(self, department_id: int | None) -> bool:
        return any(own.department_id == department_id for own in self.holidays)

    def _make(
        self,
        time_zone: str,
        country: str | None,
        region: str | None,
        department_id: int | None,
        owner: Person | None,
        leave: list[Leave],
    ) -> WorkCalendar:
        own = tuple(
            (holiday.day, holiday.name)
            for holiday in self.holidays
            if holiday.country in (None, country) and holiday.department_id in (None, department_id)
        )
        common: dict[str, Any] = {
            "tz": zone(time_zone), "country": country, "region": region, "own_holidays": own,
            "leave": tuple((away.first_day, away.last_day) for away in leave),
        }  # fmt: skip
        if owner is None:
            return WorkCalendar(**common)
        return WorkCalendar(
            working_days=frozenset(owner.working_days),
            starts=owner.work_starts,
            ends=owner.work_ends,
            **common,
        )


async def load_recipients(session: AsyncSession, keys: Iterable[str], on: date) -> dict[str, Recipient]:
    """The recipients behind keys like `person:<id>` and `department:<id>`, with leave from `on` on.

    A key whose person or department is gone or archived is not in the result.
    """
    wanted: dict[str, set[int]] = {"person": set(), "department": set()}
    for key in keys:
        kind, _, number = key.partition(":")
        wanted[kind].add(int(number))
    company = await session.get(Company, 1) or Company(name="")
    calendars = _Calendars(company, list(await session.exec(select(OwnHoliday))))
    people = await _by_id(session, Person, wanted["person"])
    led = await _led_departments(session, people)
    places = {person.department_id for person in people.values()} | set(led.values()) | wanted["department"]
    departments = await _by_id(session, Department, {id_ for id_ in places if id_ is not None})
    leaves = await _leaves(session, people, on)
    found = {
        f"department:{id_}": _channel(departments[id_], calendars, company)
        for id_ in wanted["department"]
        if id_ in departments
    }
    for id_, person in people.items():
        own, leads = departments.get(person.department_id or 0), departments.get(led.get(id_, 0))
        calendar = calendars.of(person, own or leads, leaves.get(id_, []))
        found[f"person:{id_}"] = _person(person, leads or own, calendar, company)
    return found


Row = TypeVar("Row", Person, Department)
_LOOKED_AT: dict[type, tuple[Any, ...]] = {
    Person: (
        Person.id, Person.name, Person.department_id, Person.time_zone, Person.country, Person.region,
        Person.working_days, Person.work_starts, Person.work_ends, Person.slot_day, Person.slot_time,
        Person.paused_until, Person.snoozed_until, Person.enrolled_at, Person.declined_at,
    ),
    Department: (
        Department.id, Department.name, Department.time_zone, Department.country, Department.region,
        Department.slot_day, Department.slot_time, Department.settings,
    ),
}  # fmt: skip


async def _by_id(session: AsyncSession, table: type[Row], ids: Collection[int]) -> dict[int, Row]:
    """The rows with these ids that are not archived.

    They read like the objects but are plain rows of what is looked at here, at a fraction of the cost: a tick
    reads thousands.
    """
    found: dict[int, Row] = {}
    for chunk in chunks(sorted(ids), IN_ONE_QUERY):
        rows: Any = await session.exec(
            select(*_LOOKED_AT[table]).where(col(table.id).in_(chunk), col(table.archived_at).is_(None))
        )
        found |= {row.id: row for row in rows}
    return found


async def _leaves(session: AsyncSession, people: Collection[int], on: date) -> dict[int, list[Leave]]:
    leaves: dict[int, list[Leave]] = {}
    for chunk in chunks(sorted(people), IN_ONE_QUERY):
        rows = await session.exec(
            select(Leave)
            .where(col(Leave.person_id).in_(chunk), Leave.last_day >= on)
            .order_by(col(Leave.first_day))
        )
        for leave in rows:
            leaves.setdefault(leave.person_id, []).append(leave)
    return leaves


async def _led_departments(session: AsyncSession, people: Collection[int]) -> dict[int, int]:
    """Person -> the department they lead; of several the first."""
    led: dict[int, int] = {}
    for chunk in chunks(sorted(people), IN_ONE_QUERY):
        rows = await session.exec(
            select(Duty.person_id, Duty.department_id)
            .where(Duty.duty == DutyName.LEAD, col(Duty.person_id).in_(chunk))
            .order_by(col(Duty.id))
        )
        for person_id, department_id in rows:
            if department_id is not None:
                led.setdefault(person_id, department_id)
    return led


def _person(
    person: Person, department: Department | None, calendar: WorkCalendar, company: Company
) -> Recipient:
    day, wall = person.slot_day, person.slot_time
    if department is not None:
        day = department.slot_day if day is None else day
        wall = department.slot_time if wall is None else wall
    digest_day, digest_time = _digest_slot(company.settings)
    ends = [until for until in (person.paused_until, person.snoozed_until) if until is not None]
    return Recipient(
        key=f"person:{person.id}",
        name=person.name,
        calendar=calendar,
        slot_day=DEFAULT_SLOT_DAY if day is None else day,
        slot_time=DEFAULT_SLOT_TIME if wall is None else wall,
        digest_day=digest_day,
        digest_time=digest_time,
        person_id=person.id,
        enrolled=person.enrolled_at is not None,
        declined=person.declined_at is not None,
        silent_until=max(ends, default=None),
    )


def _channel(department: Department, calendars: _Calendars, company: Company) -> Recipient:
    day, wall = _digest_slot({**company.settings, **department.settings})
    return Recipient(
        key=f"department:{department.id}",
        name=department.name,
        calendar=calendars.of(None, department, []),
        digest_day=day,
        digest_time=wall,
    )


def _digest_slot(settings: dict[str, Any]) -> tuple[int, time]:
    """`digest_day` (Monday 0) and `digest_time` ("09:00") of the settings; both were checked when set."""
    wall = settings.get("digest_time")
    return (
        int(settings.get("digest_day", DIGEST_DAY)),
        time.fromisoformat(wall) if isinstance(wall, str) else DIGEST_TIME,
    )
