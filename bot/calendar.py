"""Working days, quiet hours and slots in a recipient's own zone. Pure: it reads no clock and no table.

Every answer is computed from calendar days and the clock on the wall, so that a change to or from summer
time neither skips nor doubles a day. Rules: the section `nudges` of the instrument.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from bot.clock import at_local, local_day, week_key

QUIET_UNTIL = time(8, 30)
QUIET_FROM = time(18, 0)
"""Quiet hours of everybody, whatever hours they work (instrument, nudges.defaults.quiet_hours)."""

DEFAULT_SLOT_DAY = 1
DEFAULT_SLOT_TIME = time(10, 0)
"""Tuesday 10:00 (instrument, nudges.defaults.send_window)."""

LOOK_AHEAD_DAYS = 400
"""How far ahead a working day is looked for; someone away for longer than that gets nothing."""


@lru_cache(maxsize=1024)
def public_holidays(country: str | None, region: str | None, year: int) -> dict[date, str]:
    """The public holidays of a year, by day. A country or region that the calendar doesn't know has none."""
    if not country:
        return {}
    for subdivision in (region, None):
        try:
            # In English wherever it is known, never in whatever language the machine is set to.
            found = holidays.country_holidays(country, subdiv=subdivision, years=year, language="en_US")
            return dict(found.items())
        except NotImplementedError:
            continue
    return {}


def knows_place(country: str, region: str | None) -> bool:
    """Whether public holidays of this place are known; for imports, which warn where they are not."""
    regions = holidays.list_supported_countries().get(country)
    return regions is not None and (not region or region in regions)


@dataclass(frozen=True)
class WorkCalendar:
    """When somebody may be written to unasked.

    `working_days` are weekdays (Monday 0). `own_holidays` are days off that no public calendar knows, by
    name.
    `leave` lists days away, first and last included. Quiet hours lie outside of `starts` to `ends`, and
    outside of 08:30 to 18:00 in any case; who works at night only is written to by day.
    """

    tz: ZoneInfo
    working_days: frozenset[int] = frozenset(range(5))
    starts: time = time(9, 0)
    ends: time = time(17, 30)
    country: str | None = None
    region: str | None = None
    own_holidays: tuple[tuple[date, str], ...] = ()
    leave: tuple[tuple[date, date], ...] = ()
    _cache: dict[date, str] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def opens(self) -> time:
        """The first moment of a working day at which a message may come."""
        return self._window[0]

    @property
    def closes(self) -> time:
        """The moment from which on a working day is quiet again."""
        return self._window[1]

    @property
    def _window(self) -> tuple[time, time]:
        first, last = max(self.starts, QUIET_UNTIL), min(self.ends, QUIET_FROM)
        return (first, last) if first < last else (QUIET_UNTIL, QUIET_FROM)

    def why_free(self, day: date) -> str:
        """Why nothing is sent on `day`, in words ("a public holiday"); empty on a working day."""
        if day not in self._cache:
            self._cache[day] = self._why_free(day)
        return self._cache[day]

    def _why_free(self, day: date) -> str:
        if any(first <= day <= last for first, last in self.leave):
            return "a day of leave"
        if day.weekday() not in self.working_days:
            return "not a working day"
        for own, title in self.own_holidays:
            if own == day:
                return f"a day off ({title})"
        if name := public_holidays(self.country, self.region, day.year).get(day):
            return f"a public holiday ({name})"
        return ""

    def works_on(self, day: date) -> bool:
        """Whether `day` is a working day: no free weekday, holiday or leave."""
        return not self.why_free(day)

    def working_days_from(self, day: date) -> Iterator[date]:
        """The working days on or after `day`, as far as one looks ahead."""
        return (
            later
            for later in (day + timedelta(days=step) for step in range(LOOK_AHEAD_DAYS))
            if self.works_on(later)
        )

    def add_working_days(self, day: date, count: int) -> date | None:
        """The working day that is `count` working days after `day`; None if there is none to be found."""
        following = self.working_days_from(day + timedelta(days=1))
        for _ in range(count - 1):
            next(following, None)
        return next(following, None)

    def is_open(self, instant: datetime) -> bool:
        """Whether a message may come at `instant`: on a working day and outside of quiet hours."""
        local = instant.astimezone(self.tz)
        return self.opens <= local.time() < self.closes and self.works_on(local.date())

    def next_open(self, instant: datetime) -> datetime | None:
        """The first instant at or after `instant` at which a message may come."""
        if self.is_open(instant):
            return instant
        for day in self.working_days_from(local_day(instant, self.tz)):
            opening = at_local(day, self.opens, self.tz)
            if opening >= instant:
                return opening
        return None

    def at(self, day: date, wall: time) -> datetime:
        """`wall` on `day`, moved into the hours in which a message may come."""
        return at_local(day, max(self.opens, wall if wall < self.closes else self.opens), self.tz)

    def next_workday_at(self, wall: time, since: datetime) -> datetime | None:
        """The first `wall` on a working day at or after `since`."""
        for day in self.working_days_from(local_day(since, self.tz)):
            if (moment := self.at(day, wall)) >= since:
                return moment
        return None

    def slot_day(self, monday: date, weekday: int) -> date | None:
        """The day on which the weekly slot falls in the week of `monday`.

        That weekday, or the next working day where it is free; None if the rest of that week is free too.
        """
        wanted = monday + timedelta(days=weekday)
        for day in self.working_days_from(wanted):
            return day if day < monday + timedelta(days=7) else None
        return None

    def slot(self, monday: date, weekday: int, wall: time) -> datetime | None:
        """The instant of the weekly slot in the week of `monday`; None if that week has no day for it."""
        day = self.slot_day(monday, weekday)
        return None if day is None else self.at(day, wall)

    def slots_from(self, since: datetime, weekday: int, wall: time) -> Iterator[datetime]:
        """The weekly slots from the week of `since` on, at most a year of them."""
        monday = monday_of(local_day(since, self.tz))
        for week in range(LOOK_AHEAD_DAYS // 7):
            if (moment := self.slot(monday + timedelta(weeks=week), weekday, wall)) is not None:
                yield moment

    def week_of(self, instant: datetime) -> str:
        """The ISO week in this zone, such as 2026-W47."""
        return week_key(local_day(instant, self.tz))


def monday_of(day: date) -> date:
    """The Monday of the ISO week of `day`."""
    return day - timedelta(days=day.weekday())
