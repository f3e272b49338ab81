"""Days as people say them in a chat: "tomorrow", "Friday", "in two weeks", "3 December", "2026-12-03"; the
German words are understood, too.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NUMBERS = {
    word: number
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), 1
    )
} | {"a": 1, "an": 1, "a couple of": 2}
_NUMBER = r"(\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")"

_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_IN = re.compile(rf"\bin {_NUMBER} (day|week|month)s?\b")
_WEEKDAY = re.compile(r"\b(next )?(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b")
_MONTH_NAMES = "|".join(f"{month[:3]}(?:{month[3:]})?" if month != "may" else "may" for month in MONTHS)
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH_NAMES})\b(?:,? (\d{{4}}))?")
_MONTH_DAY = re.compile(rf"\b({_MONTH_NAMES}) (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}}))?")
_MONTH_ALONE = re.compile(rf"\b(?:in|early|until|till|from|beginning of)(?: early)? ({_MONTH_NAMES})\b")
_FIXED = {
    "day after tomorrow": 2,
    "tomorrow": 1,
    "today": 0,
    "this afternoon": 0,
    "this evening": 0,
    "tonight": 0,
}


def parse_day(text: str, today: date) -> date | None:
    """The day that `text` names, seen from `today`, or None where it names none or one in the past.

    A weekday is the next one after today; "next Friday" on a Wednesday is the Friday of next week. A day
    and month without a year is the next such day, a month alone ("in January") its first day.
    """
    said = _in_english(" ".join(text.lower().split()))
    for reader in (_iso, _fixed, _in_some, _week_or_month, _calendar, _weekday, _in_month):
        day = reader(said, today)
        if day is not None:
            return day if day >= today else None
    return None


_GERMAN = {
    "(?:(?<=tag )|(?<=mittwoch )|am )morgens?": "",
    "übermorgen": "day after tomorrow",
    "morgen": "tomorrow",
    "heute": "today",
    "kommende[nrs]?": "",
    "nächste[nrs]?": "next",
    "woche[n]?": "week",
    "monat(?:e[n]?)?": "month",
    "tag(?:e[n]?)?": "day",
    "ein(?:em|er|en)": "one",
    "zwei": "two",
    "drei": "three",
    "vier": "four",
    "montag": "monday",
    "dienstag": "tuesday",
    "mittwoch": "wednesday",
    "donnerstag": "thursday",
    "freitag": "friday",
    "januar": "january",
    "februar": "february",
    "märz": "march",
    "mai": "may",
    "juni": "june",
    "juli": "july",
    "oktober": "october",
    "dezember": "december",
}
_GERMAN_WORDS = tuple((re.compile(rf"\b{word}\b"), english) for word, english in _GERMAN.items())


def _in_english(said: str) -> str:
    """`said` with the German words for days in English, "3. dezember" as "3 december"."""
    for word, english in _GERMAN_WORDS:
        said = word.sub(english, said)
    return " ".join(re.sub(r"\b(\d{1,2})\. ", r"\1 ", said).split())


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _iso(said: str, _today: date) -> date | None:
    found = _ISO.search(said)
    return _make(int(found[1]), int(found[2]), int(found[3])) if found else None


def _fixed(said: str, today: date) -> date | None:
    for words, days in _FIXED.items():
        if re.search(rf"\b{words}\b", said):
            return today + timedelta(days=days)
    return None


def _in_some(said: str, today: date) -> date | None:
    found = _IN.search(said)
    if found is None:
        return None
    count = int(found[1]) if found[1].isdigit() else _NUMBERS[found[1]]
    if found[2] == "month":
        return _add_months(today, count)
    return today + timedelta(days=count * (7 if found[2] == "week" else 1))


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    # The last days of a long month fall back to the last day of a short one.
    return next(made for back in range(4) if (made := _make(year, month + 1, day.day - back)))


def _week_or_month(said: str, today: date) -> date | None:
    if re.search(r"\bend of (the|this) week\b", said):
        return today + timedelta(days=(4 - today.weekday()) % 7)
    if re.search(r"\bnext week\b", said) and not _WEEKDAY.search(said):
        return today + timedelta(days=7 - today.weekday())
    if re.search(r"\bnext month\b", said):
        return _add_months(today.replace(day=1), 1)
    return None


def _calendar(said: str, today: date) -> date | None:
    if found := _DAY_MONTH.search(said):
        return _next_such_day(int(found[1]), found[2], found[3], today)
    if found := _MONTH_DAY.search(said):
        return _next_such_day(int(found[2]), found[1], found[3], today)
    return None


def _next_such_day(day: int, month: str, year: str | None, today: date) -> date | None:
    number = next(n for n, name in enumerate(MONTHS, 1) if name.startswith(month[:3]))
    if year:
        return _make(int(year), number, day)
    this_year = _make(today.year, number, day)
    return this_year if this_year and this_year >= today else _make(today.year + 1, number, day)


def _weekday(said: str, today: date) -> date | None:
    found = _WEEKDAY.search(said)
    if found is None:
        return None
    wanted = next(n for n, name in enumerate(_WEEKDAYS) if name.startswith(found[2][:3]))
    if found[1] or "next week" in said:
        return today + timedelta(days=7 - today.weekday() + wanted)
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def _in_month(said: str, today: date) -> date | None:
    found = _MONTH_ALONE.search(said)
    if found is None or found[1][:3] == f"{today:%b}".lower():
        return None
    return _next_such_day(1, found[1], None, today)
