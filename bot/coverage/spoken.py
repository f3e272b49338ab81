"""Taps said in words: "about three hours", "half of them", "8 of 10". What is not plainly one stays words."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.audit.commands import bare, command

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = rf"\d+(?:[.,]\d+)?|half an?|an?|{'|'.join(_NUMBERS[1:])}"
_ABOUT = r"(?:(?:about|around|roughly|maybe|perhaps|some|say|circa|ca|approx(?:imately)?) )?"
_TIME = re.compile(
    rf"{_ABOUT}(?P<from>{_NUMBER})(?:(?: ?- ?| to | or )(?P<to>{_NUMBER}))?"
    r" ?(?P<unit>h|hrs?|hours?|m|mins?|minutes?)?"
    r"(?: (?:a|per|each|every) (?P<per>day|week|month)| (?P<ly>daily|weekly|monthly))?"
)
_OF_TEN = re.compile(
    rf"{_ABOUT}(?P<count>{_NUMBER})(?: (?:of|out of) (?:10|ten|them|the ten))?(?: cases| results)?"
)
_PER = {"day": 5.0, "daily": 5.0, "month": 0.25, "monthly": 0.25}
_HOURS = ((0.5, "0.5-1"), (1.0, "0.5-1"), (2.0, "1-2"), (5.0, "2-5"), (10.0, "5-10"))
_ALL = r"(?:all|every one|everything|all (?:10|ten|of (?:them|it)))"
_NONE = r"(?:none|no|nope|nothing|never|zero|not at all|none of them|not yet)"
_SHARES = ((0.5, "none"), (2.5, "1-2"), (5.5, "3-5"), (8.5, "6-8"), (10.0, "9-10"))
_MODES = {
    "helps": r"(?:it |ai )?(?:only |just |mostly )?(?:helps|assists|supports)(?: us| me| people| a person)?",
    "unchecked": r"(?:nobody|no one) checks(?: it| them)?|(?:it is |its )?(?:unchecked|not checked)",
    "each": r"(?:we |i )?check (?:each|every|all)(?: one)?(?: of them)?|(?:each|every) one is checked",
    "samples": r"(?:we |i )?(?:check )?(?:samples|spot checks?)|samples are checked|spot checked",
}


def spoken_tap(phase: str, text: str) -> str | None:
    """The button of a card in this phase that the whole of `text` stands for without being its label."""
    found = _IN_PHASE.get(phase)
    return None if found is None else found(bare(text.replace("%", " percent")))


def _number(said: str) -> float:
    if said.startswith("half a"):
        return 0.5
    if said in ("a", "an"):
        return 1.0
    return float(_NUMBERS.index(said)) if said in _NUMBERS else float(said.replace(",", "."))


def _hours(said: str) -> str | None:
    found = _TIME.fullmatch(said)
    if found is None or (found["unit"] is None and not found["from"][0].isdigit()):
        return None
    count = _number(found["from"])
    if found["to"]:
        count = (count + _number(found["to"])) / 2
    if (found["unit"] or "h").startswith("m"):
        count /= 60
    count *= _PER.get(found["per"] or found["ly"] or "", 1.0)
    if count < 0.5:
        return "hours.<0.5"
    return f"hours.{next((name for limit, name in _HOURS if count <= limit), '>10')}"


def _share(said: str) -> str | None:
    if re.fullmatch(_NONE, said):
        return "share.none"
    count = _of_ten(said)
    return None if count is None else f"share.{next(name for limit, name in _SHARES if count <= limit)}"


def _of_ten(said: str) -> float | None:
    """A count of ten cases, from words, a number or a percentage."""
    if re.fullmatch(_ALL, said):
        return 10.0
    if re.fullmatch(r"(?:about )?half(?: of (?:them|it))?", said):
        return 5.0
    if found := re.fullmatch(r"(?:about )?(\d{1,3}) percent", said):
        return min(int(found[1]) / 10, 10.0)
    found = _OF_TEN.fullmatch(said)
    count = _number(found["count"]) if found else 11.0
    return count if count <= 10 else None


def _mode(said: str) -> str | None:
    return next((f"mode.{name}" for name, words in _MODES.items() if re.fullmatch(words, said)), None)


def _accepted(said: str) -> str | None:
    if (command(said) or ("",))[0] == "unsure":
        return "accepted.9"
    if re.fullmatch(_NONE, said):
        return "accepted.8"
    count = _of_ten(said)
    return None if count is None else f"accepted.{10 - round(count) if count >= 3 else 8}"


def _tools(said: str) -> str | None:
    if re.fullmatch(rf"yes|yep|yeah|ja|{_ALL}", said):
        return "tools.all"
    return "some" if re.fullmatch(r"no|nope|nein|not all|some of it", said) else None


def _tasks(said: str) -> str | None:
    return "go" if (command(said) or ("",))[0] == "start" else None


_SAME = re.compile(
    r"(?:all|everything|the rest|its all|it is all)(?: is| stayed)?(?: the)? same|(?:no|nope|nothing)"
    r"(?: new| has changed| changed)?"
)


def _overview(said: str) -> str | None:
    return "same" if _SAME.fullmatch(said) or _is_same(said) else None


def _changed(said: str) -> str | None:
    return "back" if _is_same(said) else None


def _is_same(said: str) -> bool:
    return (command(said) or ("",))[0] == "same"


_IN_PHASE: dict[str, Callable[[str], str | None]] = {
    "tasks": _tasks,
    "hours": _hours,
    "share": _share,
    "mode": _mode,
    "accepted": _accepted,
    "tools": _tools,
    "overview": _overview,
    "changed": _changed,
}
