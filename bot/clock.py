"""The clock that is handed in, and every period key the product uses.

Nothing else reads the time. Instants are timezone-aware UTC; days, weeks and slots are calendar values in
a person's own zone, so that a change to or from summer time never shifts or doubles a period.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.errors import InputError, SettingsError

Clock = Callable[[], datetime]
"""A function without arguments that returns the present instant, in UTC."""


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class MovableClock:
    """A clock that runs on from a chosen instant and can be moved; for the demo and for dry runs."""

    def __init__(self, start: datetime | None = None, base: Clock = system_clock) -> None:
        self._base = base
        self.offset = timedelta(0) if start is None else as_utc(start) - base()

    def __call__(self) -> datetime:
        return self._base() + self.offset

    def move_to(self, instant: datetime) -> None:
        """Run on from `instant`."""
        self.offset = as_utc(instant) - self._base()


def as_utc(instant: datetime) -> datetime:
    """`instant` in UTC. Refuses one without an offset: it would mean different things to different people."""
    if instant.tzinfo is None:
        raise InputError(
            f"The time {instant.isoformat()} has no offset. Write it like 2026-11-22T10:00:00+01:00."
        )
    return instant.astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with an offset, as UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a time. Write it like 2026-11-22T10:00:00+01:00.") from None
    return as_utc(instant)


def clock_from_setting(now: str | None) -> Clock:
    """The system clock, or one that runs on from the ISO time in STAGECOACH_NOW."""
    if not now:
        return system_clock
    try:
        return MovableClock(parse_instant(now))
    except InputError as error:
        raise SettingsError(f"STAGECOACH_NOW: {error}") from None


@lru_cache(maxsize=700)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"{name!r} is not a time zone. Use a name like Europe/Berlin.") from None


def local_day(instant: datetime, tz: ZoneInfo) -> date:
    """The calendar day that `instant` falls on in `tz`."""
    return instant.astimezone(tz).date()


def week_key(day: date) -> str:
    """The ISO week of `day`, such as 2026-W47."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def week_start(key: str) -> date:
    """The Monday of an ISO week key."""
    try:
        year, week = key.split("-W")
        return date.fromisocalendar(int(year), int(week), 1)
    except ValueError:
        raise InputError(f"{key!r} is not a week. Write it like 2026-W47.") from None


def previous_weeks(key: str, count: int) -> list[str]:
    """The `count` week keys that end with `key`, oldest first."""
    last = week_start(key)
    return [week_key(last - timedelta(weeks=back)) for back in range(count - 1, -1, -1)]


def at_local(day: date, wall: time, tz: ZoneInfo) -> datetime:
    """The instant at which the clock on the wall in `tz` shows `wall` on `day`, in UTC.

    A time that the change to summer time skips becomes the first instant after the gap; a time that occurs
    twice in autumn is the first of the two (PEP 495, fold=0).
    """
    local = datetime.combine(day, wall, tzinfo=tz)
    instant = local.astimezone(UTC)
    if instant.astimezone(tz).time() == wall:
        return instant
    # In the gap: with fold=0 the offset from before the change is used, which lands after the gap by
    # the minutes the wall time stood inside it; step back to the change itself.
    before = local.replace(fold=0).utcoffset() or timedelta(0)
    after = local.replace(fold=1).utcoffset() or timedelta(0)
    gap = abs(after - before)
    lower, upper = instant - gap, instant
    while upper - lower > timedelta(seconds=1):
        middle = lower + (upper - lower) / 2
        if middle.astimezone(tz).utcoffset() == instant.astimezone(tz).utcoffset():
            upper = middle
        else:
            lower = middle
    return upper.replace(microsecond=0)
