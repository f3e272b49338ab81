"""Once per local week, never at night: twelve zones over ten years, with every change of the clocks."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.calendar import QUIET_FROM, QUIET_UNTIL, WorkCalendar, public_holidays
from bot.clock import local_day, week_key
from scheduler.decide import Decision, Ledger, decide
from scheduler.digest_wishes import weeks_in
from scheduler.directory import Recipient
from scheduler.wishes import Look, Wish, to_person

ZONES = {
    "Europe/Berlin": "DE",
    "Europe/Lisbon": "PT",
    "America/New_York": "US",
    "America/Sao_Paulo": "BR",
    "America/St_Johns": "CA",
    "Asia/Kolkata": "IN",
    "Asia/Tokyo": "JP",
    "Australia/Lord_Howe": "AU",
    "Pacific/Auckland": "NZ",
    "Pacific/Apia": "WS",
    "Africa/Casablanca": "MA",
    "Asia/Kathmandu": None,
}
START = datetime(2020, 1, 6, tzinfo=UTC)
TEN_YEARS = timedelta(weeks=520)


def somebody(zone: str, country: str | None = None, **more: object) -> Recipient:
    calendar = WorkCalendar(ZoneInfo(zone), country=country, **more)  # type: ignore[arg-type]
    return Recipient("person:1", "Somebody", calendar, person_id=1)


def decided(
    recipient: Recipient, wishes: list[Wish], look: Look, ledger: Ledger | None = None
) -> list[Decision]:
    return decide(wishes, {recipient.key: recipient}, ledger or Ledger(), look)


def digests(zone: str, look: Look) -> list[Wish]:
    return [
        to_person("executive_digest", 1, ready, "The week.", period=period)
        for ready, period in weeks_in(look, zone)
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_one_digest_in_every_local_week_of_ten_years(zone: str) -> None:
    look = Look(START, START + TEN_YEARS)
    recipient = somebody(zone)
    sent = [each for each in decided(recipient, digests(zone, look), look) if not each.held]
    weeks = Counter(week_key(each.local.date()) for each in sent)
    assert set(weeks.values()) == {1}
    # The first and the last week lie partly outside of the ten years.
    assert len(weeks) in (520, 521)
    # East of Greenwich the ten years begin in the middle of a Monday: that first one is caught up with.
    assert {each.local.time() for each in sent[1:]} == {time(9, 0)}
    assert {each.local.weekday() for each in sent} == {0}


@pytest.mark.parametrize(("zone", "country"), ZONES.items())
def test_a_holiday_moves_the_digest_to_the_next_working_day(zone: str, country: str | None) -> None:
    look = Look(START, START + TEN_YEARS)
    recipient = somebody(zone, country)
    made = decided(recipient, digests(zone, look), look)
    for each in made:
        day = each.local.date()
        if each.held:
            assert recipient.calendar.why_free(day)
            assert "holiday" in each.why
        else:
            assert recipient.calendar.works_on(day)
            monday = day - timedelta(days=day.weekday())
            before = [monday + timedelta(days=n) for n in range(day.weekday())]
            assert not any(recipient.calendar.works_on(earlier) for earlier in before)


@pytest.mark.parametrize("zone", ZONES)
def test_ticks_around_a_change_of_the_clocks_send_once_a_week(zone: str) -> None:
    """A tick every half hour for three weeks around each change in 2026, as a running process makes them."""
    recipient = somebody(zone)
    for change in changes(ZoneInfo(zone), 2026):
        ledger, sent = Ledger(), []
        now = datetime(change.year, change.month, change.day, tzinfo=UTC) - timedelta(days=10)
        for _ in range(48 * 21):
            look = Look(now, now)
            sent += [x for x in decided(recipient, digests(zone, look), look, ledger) if not x.held]
            now += timedelta(minutes=30)
        weeks = Counter(each.week for each in sent)
        assert set(weeks.values()) == {1}
        assert all(QUIET_UNTIL <= each.local.time() < QUIET_FROM for each in sent)


def changes(tz: ZoneInfo, year: int) -> list[date]:
    """The days on which the offset from UTC changes."""
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    offsets = [datetime.combine(day, time(0), tzinfo=tz).utcoffset() for day in days]
    return [days[n] for n in range(1, 365) if offsets[n] != offsets[n - 1]] or [date(year, 6, 15)]


calendars = st.builds(
    WorkCalendar,
    tz=st.sampled_from(list(ZONES)).map(ZoneInfo),
    working_days=st.frozensets(st.integers(0, 6), min_size=1),
    starts=st.times().map(lambda each: each.replace(second=0, microsecond=0, tzinfo=None)),
    ends=st.times().map(lambda each: each.replace(second=0, microsecond=0, tzinfo=None)),
    country=st.sampled_from([country for country in ZONES.values() if country]),
    leave=st.lists(
        st.tuples(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 30)).map(
            lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]))
        ),
        max_size=2,
    ).map(tuple),
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=150, deadline=None)
@given(calendars, instants, st.integers(0, 6), st.times())
def test_nothing_is_sent_in_quiet_hours(
    calendar: WorkCalendar, now: datetime, slot_day: int, slot_time: time
) -> None:
    recipient = Recipient("person:1", "Somebody", calendar, slot_day, slot_time, person_id=1)
    look = Look(now, now + timedelta(days=40))
    kinds = ["re_audit", "plan_follow_up", "blocker_ageing", "executive_digest"]
    wishes = [to_person(kind, 1, now, "", period=f"p{n}") for n, kind in enumerate(kinds)]
    for each in decided(recipient, wishes, look):
        if not each.held:
            assert calendar.works_on(each.local.date())
            assert QUIET_UNTIL <= each.local.time() < QUIET_FROM
            assert calendar.is_open(each.at)


@settings(max_examples=100, deadline=None)
@given(calendars, instants)
def test_the_next_open_moment_is_open_and_none_lies_before_it(calendar: WorkCalendar, now: datetime) -> None:
    found = calendar.next_open(now)
    if found is None:
        return
    assert calendar.is_open(found)
    step = now
    while step < min(found, now + timedelta(days=3)):
        assert not calendar.is_open(step)
        step += timedelta(minutes=37)


def test_holidays_differ_by_region() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany in public_holidays("DE", "BY", 2026)
    assert epiphany not in public_holidays("DE", "HH", 2026)
    assert public_holidays("XX", None, 2026) == {}
    assert local_day(datetime(2026, 1, 6, 23, 30, tzinfo=UTC), ZoneInfo("Asia/Tokyo")) == date(2026, 1, 7)
