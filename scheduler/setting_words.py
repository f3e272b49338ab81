"""Settings as people say them: "ask me on Thursdays at 14:00", "send the digest on Tuesdays at 8"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Literal

from bot.store.tables import Platform

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

PLACES = {
    Platform.SLACK: "in Slack",
    Platform.TEAMS: "in Teams",
    Platform.EMAIL: "by e-mail",
    Platform.WEB: "on the page",
    Platform.CHAT: "in the terminal",
}

_DAYS = "|".join(day.lower() for day in WEEKDAYS)
_HOUR = (
    r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?: ?(?P<half>am|pm|a\.m\.|p\.m))?\.?(?: ?o'?clock)?(?: ?h)?"
)
_TIME = rf"(?:at|around) (?:{_HOUR}|(?P<noon>noon))"
_INSTEAD = r"(?P<instead> (?:instead|from now on))?"
_WHEN = rf"(?:(?:on|to|every) )?(?:(?P<day>{_DAYS})(?P<plural>s?))?(?: ?{_TIME})?{_INSTEAD}"
_ASK = re.compile(rf"(?:please )?(?:ask|nudge|message|write to) me (?:only |always )?{_WHEN}")
_DIGEST = re.compile(
    r"(?:please )?(?:send|post|move|set|deliver)(?: me| us)? (?:the |our |my )?"
    rf"(?P<company>company(?:'s)? )?(?:weekly )?digest(?: of (?P<of>.+?))? {_WHEN}"
)
_BY = re.compile(
    r"(?:please )?(?:write to|message|reach|contact) me (?:(?:by|in|on|via|over|through) )?"
    r"(?P<where>e-?mail|slack|(?:microsoft |ms )?teams|here)(?: instead| from now on)?"
)
_SHOW = re.compile(
    r"(?:what are|show(?: me)?|list|open)?(?: ?(?:my|your|the))? ?settings"
    r"|when (?:do|will) you (?:ask|write to|message) me(?: again| next)?"
)

AFTERNOON_BEFORE = 7
"""Nobody wishes to be asked at two in the night: a bare hour below this is one of the afternoon."""


@dataclass(frozen=True, slots=True)
class Said:
    """A wish about settings. `day` is a weekday (Monday 0). `where` None with `by` stands for "here".

    `company` and `of` say whose digest is meant: the company's, or that of a department by its name.
    """

    what: Literal["ask", "digest", "by", "show"]
    day: int | None = None
    at: time | None = None
    company: bool = False
    of: str | None = None
    where: Platform | None = None


def read_settings(text: str) -> Said | None:
    """What `text` wishes, or None if it is not about settings."""
    words = " ".join(text.lower().replace("’", "'").split()).strip(" .!?")
    if _SHOW.fullmatch(words):
        return Said("show")
    if found := _BY.fullmatch(words):
        return Said("by", where=_platform(found["where"]))
    if found := _ASK.fullmatch(words):
        # "Ask me on Thursday" is about one Thursday: a question of snoozing, not of settings.
        once = found["day"] and not (found["plural"] or "every " in words or found["instead"])
        return None if once else _when("ask", found)
    if found := _DIGEST.fullmatch(words):
        return _when("digest", found)
    return None


def _when(what: Literal["ask", "digest"], found: re.Match[str]) -> Said | None:
    day = None if found["day"] is None else [name.lower() for name in WEEKDAYS].index(found["day"])
    at = _time(found)
    named = found["hour"] is not None or found["noon"] is not None
    if (day is None and at is None) or (named and at is None):
        return None
    if what == "ask":
        return Said("ask", day, at)
    return Said("digest", day, at, company=found["company"] is not None, of=found["of"])


def _time(found: re.Match[str]) -> time | None:
    if found["noon"]:
        return time(12)
    if found["hour"] is None:
        return None
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "")[:1]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif hour < AFTERNOON_BEFORE and found["minute"] is None:
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _platform(where: str) -> Platform | None:
    if where == "here":
        return None
    return {"s": Platform.SLACK, "e": Platform.EMAIL}.get(where[0], Platform.TEAMS)
