"""Questions for a quantity, and the sentences that hold one: "how long ...?" is answered by "90 days".

A sentence that is near to such a question and holds nothing of the kind usually only speaks of the same
thing. Answers to other kinds of questions (who, may I, why) can't be told by words as simple as these.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["duration", "count", "amount", "moment"]

_NUMBER = (
    r"(?:\d[\d.,]*|(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|"
    r"forty|fifty|sixty|ninety|hundred|half|quarter|twice|once)\b)"
)
_UNIT = (
    r"(?:seconds?|minutes?|hours?|days?|nights?|weeks?|fortnights?|months?|quarters?|years?|characters?|"
    r"letters?|words?|lines?|pages?|met(?:er|re)s?|kilomet(?:er|re)s?|km|miles?|feet|inch(?:es)?)\b"
)
_DURATION = (
    rf"\b{_NUMBER}[ -](?:\w+[ -]){{0,2}}?{_UNIT}|"
    r"\b(?:immediately|at once|(?:right|straight) ?away|promptly|without (?:undue )?delay|as soon as|asap|"
    r"indefinitely|permanently|no limit|(?:the )?same day|as long as|until)\b"
)
_MONTH = "january|february|march|april|june|july|august|september|october|november|december"
_WEEKDAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_MOMENT = (
    rf"\b(?:{_MONTH}|{_WEEKDAY}|may \d+|\d+ may|(?:19|20)\d\d|\d{{1,2}}[:.]\d\d|\d+(?:st|nd|rd|th)|within|"
    r"before|after|by the|as soon as|end of|daily|weekly|monthly|quarterly|yearly|annually|"
    r"(?:in|during|every|each|once a|twice a) (?:the )?(?:\w+ )?(?:day|week|month|quarter|year))\b"
)
_MONEY = r"\b(?:eur|usd|gbp|chf|euros?|dollars?|pounds?|cents?|percent)\b|[$€£%]"

_ASKED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "duration",
        re.compile(
            r"\bhow (?:long|soon|fast|quickly|early|late|far (?:ahead|back|in advance)|"
            r"much (?:time|notice|warning|leave|holiday|vacation))\b"
        ),
    ),
    (
        "count",
        re.compile(
            r"\bhow (?:often|many(?: (?:more|other|full|working|calendar|paid|extra|free))*"
            r"(?: (?P<unit>[a-z]+))?)\b"
        ),
    ),
    ("amount", re.compile(r"\bhow (?:much|high|expensive|big|large)\b")),
    (
        "moment",
        re.compile(
            r"(?:^|[,;:.] *|\b(?:and|from|since|until|till|by) )when\b|"
            r"\b(?:what time|(?:what|which) (?:date|day|month|year))\b"
        ),
    ),
)
_ASKS_OTHERWISE = re.compile(
    r"\b(?:who|whom|whose|why|where|which|what(?! about| if)|how(?! about)|can|may|do|does|is|are|must|"
    r"should)\b"
)
_HAS_NUMBER = re.compile(rf"\b{_NUMBER}", re.IGNORECASE)
_HAS_DURATION = re.compile(_DURATION, re.IGNORECASE)
_HAS_MOMENT = re.compile(f"{_DURATION}|{_MOMENT}", re.IGNORECASE)
_HAS_MONEY = re.compile(_MONEY, re.IGNORECASE)
_HAS_UNIT = re.compile(rf"\b{_UNIT}", re.IGNORECASE)
_PARTLY = 0.5  # a figure of another kind, or of none that is named


@dataclass(frozen=True)
class Quantity:
    """What kind of quantity a question asks for; of a count also the word for what is counted."""

    kind: Kind
    unit: str = ""

    def held(self, sentence: str, header: str = "") -> float:
        """How far a sentence holds one, 0..1. `header` names the columns where it is a row of a table."""
        return _HELD[self.kind](self, sentence, header)

    def _duration(self, sentence: str, header: str) -> float:
        numbered = _HAS_UNIT.search(header) and _HAS_NUMBER.search(sentence)
        return float(bool(numbered or _HAS_DURATION.search(sentence)))

    def _moment(self, sentence: str, _header: str) -> float:
        return float(_HAS_MOMENT.search(sentence) is not None)

    def _count(self, sentence: str, header: str) -> float:
        if not _HAS_NUMBER.search(sentence):
            return 0.0
        return 1.0 if self.unit in f"{sentence} {header}".casefold() else _PARTLY

    def _amount(self, sentence: str, header: str) -> float:
        if not _HAS_NUMBER.search(sentence):
            return 0.0
        return 1.0 if _HAS_MONEY.search(f"{sentence} {header}") else _PARTLY


_HELD: dict[Kind, Callable[[Quantity, str, str], float]] = {
    "duration": Quantity._duration,
    "count": Quantity._count,
    "amount": Quantity._amount,
    "moment": Quantity._moment,
}


def asked_for(question: str, earlier: str | None = None) -> Quantity | None:
    """The quantity that a question asks for, None for any other question. A follow-up that asks for nothing
    by itself ("and in Paris?") asks for what the question before it did."""
    folded = " ".join(question.casefold().split())
    for kind, form in _ASKED:
        if found := form.search(folded):
            unit = found.groupdict().get("unit") or ""
            return Quantity(kind, unit.removesuffix("s"))
    return asked_for(earlier) if earlier and not _ASKS_OTHERWISE.search(folded) else None
