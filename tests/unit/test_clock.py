"""Period keys and local times, over every hour that summer time bends."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import (
    MovableClock,
    as_utc,
    at_local,
    local_day,
    parse_instant,
    previous_weeks,
    week_key,
    week_start,
    zone,
)
from bot.errors import InputError

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
days = st.dates(date(2015, 1, 1), date(2035, 12, 31))
walls = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))


@given(days)
def test_a_week_key_starts_on_its_monday(day: date) -> None:
    monday = week_start(week_key(day))
    assert monday.weekday() == 0
    assert timedelta(0) <= day - monday < timedelta(7)


@given(days, st.integers(1, 60))
def test_previous_weeks_are_consecutive(day: date, count: int) -> None:
    keys = previous_weeks(week_key(day), count)
    starts = [week_start(key) for key in keys]
    assert keys[-1] == week_key(day)
    assert all(later - earlier == timedelta(7) for earlier, later in itertools.pairwise(starts))


@given(days, walls, st.sampled_from(ZONES))
def test_a_wall_time_is_that_time_or_the_first_after_a_gap(day: date, wall: time, name: str) -> None:
    tz = zone(name)
    shown = at_local(day, wall, tz).astimezone(tz)
    if shown.time() == wall:
        assert shown.date() == day
        assert shown.fold == 0
    else:  # skipped by summer time (an hour, or in Apia a whole day)
        asked, got = datetime.combine(day, wall), shown.replace(tzinfo=None)
        assert timedelta(0) < got - asked <= timedelta(days=1)


def test_summer_time_in_berlin() -> None:
    berlin = zone("Europe/Berlin")
    assert at_local(date(2026, 3, 29), time(2, 30), berlin) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert at_local(date(2026, 10, 25), time(2, 30), berlin) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert local_day(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), berlin) == date(2026, 11, 23)


def test_the_turn_of_the_year() -> None:
    assert week_key(date(2027, 1, 1)) == "2026-W53"
    assert week_key(date(2024, 12, 30)) == "2025-W01"


def test_a_movable_clock_runs_on() -> None:
    base = MovableClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock = MovableClock(
        datetime(2026, 11, 22, 10, tzinfo=UTC), base=lambda: datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert clock() == datetime(2026, 11, 22, 10, tzinfo=UTC)
    clock.move_to(datetime(2026, 11, 24, 8, tzinfo=UTC))
    assert clock() == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert base() >= datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "2026-11-22T10:00:00", "2026-13-01T00:00:00Z", ""])
def test_a_time_without_offset_or_sense_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Write it like"):
        parse_instant(text)


def test_naive_instants_and_unknown_zones_are_refused() -> None:
    with pytest.raises(InputError):
        as_utc(datetime(2026, 1, 1))  # noqa: DTZ001
    for name in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(InputError):
            zone(name)
    with pytest.raises(InputError):
        week_start("2026-W60")
