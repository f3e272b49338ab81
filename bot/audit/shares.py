"""Shares and counts in words: "four of our eight clerks", "a third of the team", "60%".

A share that a lead tells speaks against every anchor that names another one, by as much as the two lie apart:
the anchors' own wording decides which do. What names no share stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(_WORDS[1:])})"
_SOME = rf"(?:{_NUMBER}|nobody|none|no one|both|half)"
_WHOSE = r"(?:(?:our|the|my|us|about|those|these|them) ){0,3}"
_OF_SO_MANY = re.compile(rf"\b(?P<part>{_SOME}) (?:out )?of {_WHOSE}(?P<whole>{_NUMBER})\b")
_OF_ALL = re.compile(
    rf"\b(?P<named>half|(?:a|one) third|two thirds|(?:a|one) quarter|three quarters)(?: of)? {_WHOSE}"
    r"(?:team|people|staff|department|us|them|group|colleagues|clerks|cases)\b"
    r"|\b(?P<percent>\d{1,3}) ?(?:%|percent\b|per cent\b)",
)
_OF_US = re.compile(rf"\b(?P<part>{_NUMBER}) of (?:us|them)\b")
_NAMED = {"half": 1 / 2, "third": 1 / 3, "thirds": 2 / 3, "quarter": 1 / 4, "quarters": 3 / 4}
_NUMBERS = {word: number for number, word in enumerate(_WORDS)}
_NUMBERS |= {"both": 2, "nobody": 0, "none": 0, "no one": 0}


_SIGNS = (" of ", "half", "third", "quarter", "%", "percent", "per cent")
"""Without one of these there is no share, which most answers are done with."""


@dataclass(frozen=True)
class Share:
    """`count` of somebody or something, or the part (0 to 1) of a whole, or both; None is not known."""

    count: int | None = None
    part: float | None = None


def share_told(words: str) -> Share | None:
    """The first share or count of people that these words tell. "Seven of five" is none."""
    said = " ".join(words.lower().split())
    if not any(sign in said for sign in _SIGNS):
        return None
    if (found := _OF_SO_MANY.search(said)) is not None:
        whole = _number(found["whole"])
        count = whole // 2 if found["part"] == "half" else _number(found["part"])
        return Share(count, count / whole) if whole and count <= whole else None
    if (found := _OF_ALL.search(said)) is not None:
        part = int(found["percent"]) / 100 if found["percent"] else _NAMED[found["named"].split()[-1]]
        return Share(part=part) if part <= 1 else None
    if (found := _OF_US.search(said)) is not None:
        return Share(count=_number(found["part"]))
    return None


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[word]


_ANCHORED: tuple[tuple[re.Pattern[str], tuple[float, float]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), bounds)
    for pattern, bounds in (
        (r"^nobody\b", (0.0, 0.0)),
        (r"\b(?:under|less than) half\b", (0.0, 0.5)),
        (r"\bat least half\b|\bmost (?:of us|would|such)\b", (0.5, 1.0)),
        (r"\bfour in five\b|\bnearly every", (0.8, 1.0)),
    )
)
_FEW = re.compile(r"^one or two\b", re.IGNORECASE)
_MOST_OF_FEW = 2


def apart(anchor: str, told: Share) -> float:
    """How far what was told lies from what an anchor names, 0 to 1; 0 where it names no share."""
    if _FEW.search(anchor):
        return _more_than_few(told)
    if told.part is None:
        return 0.0
    for pattern, (low, high) in _ANCHORED:
        if pattern.search(anchor):
            return max(0.0, low - told.part, told.part - high)
    return 0.0


def _more_than_few(told: Share) -> float:
    """The part of the whole by which more, or fewer, than one or two are told."""
    if not told.count:
        return 0.0 if told.count is None else 1.0
    # Of an unknown whole, somewhat less than half is as good a guess as any.
    whole = told.count / told.part if told.part else 2 * told.count
    return max(0, told.count - _MOST_OF_FEW) / whole
