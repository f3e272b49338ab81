"""Days as people say them. 2026-11-25 is a Wednesday."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.when import parse_day

WEDNESDAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", "2026-11-25"),
        ("Tomorrow, after the stand-up", "2026-11-26"),
        ("the day after tomorrow", "2026-11-27"),
        ("on Friday after lunch", "2026-11-27"),
        ("Fri", "2026-11-27"),
        ("wednesday", "2026-12-02"),
        ("next Friday", "2026-12-04"),
        ("next week on tuesday", "2026-12-01"),
        ("next week", "2026-11-30"),
        ("end of the week", "2026-11-27"),
        ("morgen nach dem Jour fixe", "2026-11-26"),
        ("Freitag morgen", "2026-11-27"),
        ("am kommenden Montag", "2026-11-30"),
        ("nächsten Dienstag", "2026-12-01"),
        ("in zwei Wochen", "2026-12-09"),
        ("in einer Woche", "2026-12-02"),
        ("am 3. Dezember", "2026-12-03"),
        ("in two weeks", "2026-12-09"),
        ("in January", "2027-01-01"),
        ("not before early March", "2027-03-01"),
        ("in 10 days", "2026-12-05"),
        ("in a month", "2026-12-25"),
        ("next month", "2026-12-01"),
        ("2026-12-24", "2026-12-24"),
        ("3 December, after the town hall", "2026-12-03"),
        ("the 3rd of dec", "2026-12-03"),
        ("January 15th", "2027-01-15"),
        ("1 March 2028", "2028-03-01"),
    ],
)
def test_a_day_in_words(said, day):
    assert parse_day(said, WEDNESDAY) == date.fromisoformat(day)


@pytest.mark.parametrize("said", ["", "soon", "when I find time", "2026-11-24", "2026-13-40", "31 February"])
def test_no_day_or_a_past_one_is_none(said):
    assert parse_day(said, WEDNESDAY) is None


def test_a_month_on_from_a_long_month_ends_with_the_short_one():
    assert parse_day("in a month", date(2027, 1, 31)) == date(2027, 2, 28)


@given(st.text(max_size=60), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_any_text_gives_a_day_from_today_on_or_none(said, today):
    day = parse_day(said, today)
    assert day is None or day >= today
