"""How sure an answer is, and the limits between the three bands.

Such numbers do not carry over between libraries, so that each finds its own limits, without anybody's
labels: a sample of its passages carries a made-up question each (a probe: a sentence of the passage of which
two words in five are forgotten), which is asked like any other. In a library about many things whatever is
on its subject stands out, answer or not; in one about few things even an answer stands out little. So the
limit of an answer rises with how far the probes' nearest passages stand out (docs/retrieval.md, the curves).

What people have confirmed moves the limit from there, the more the more of it there is.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, pstdev

import numpy as np

from bot.store.tables import Band
from knowledge.lexical import STOP_WORDS
from knowledge.search import Found

STANDING_WEIGHT = 0.8
ALONE_WEIGHT = 0.3
MISSING_WEIGHT = 0.1  # of a quantity that was asked for and is not there
SAID_WEIGHT = 0.2  # of what a name means, where that was asked for and is said
PROBES = 192  # asked at most; the limits then waver by about a tenth of the spread
CONFIRMED = 200  # pairs that count at most, the latest
_ONE_IN = 4  # passages that carry a probe
_REMEMBERED = 0.6  # words of the sentence that a probe keeps
_LONGEST_PROBE = 14  # words
_FEWEST_WORDS = 3  # of a probe that carry meaning
_LEAST_ANSWER = 0.5
_PER_STANDING = 2.0
_USUAL_COUNT = 10
_NOTABLE = 0.1  # change in the library after which its limits are found anew
_FEW = 5  # confirmed pairs that alone are not yet a notable change
_FALSE_WEIGHT = 2  # a false answer is worse than one that was held back
_SOFTNESS = 0.05  # confidence over which a confirmed pair goes from right to wrong
_FARTHEST = 0.2  # that confirmed pairs move the limit
_USUAL_STANDING = 0.4
_USUAL_SPREAD = 0.16

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True)
class Bands:
    """The policies answer from the confidence `answer` upwards; from `closest` a passage is worth showing."""

    answer: float
    closest: float

    def of(self, found: Found) -> Band:
        """The band of what a search found."""
        sure = confidence(found)
        if sure >= self.answer:
            return Band.ANSWER
        return Band.CLOSEST if sure >= self.closest else Band.SILENT


@dataclass(frozen=True)
class Calibration:
    """The limits of a library of so many passages, found with so many confirmed pairs."""

    bands: Bands
    passages: int
    confirmed: int

    def fits(self, passages: int, confirmed: int) -> bool:
        """Whether so little has changed since that the limits still hold."""
        grown = abs(self.confirmed - confirmed)
        return abs(self.passages - passages) <= _NOTABLE * self.passages and (
            grown <= max(_FEW, _NOTABLE * self.confirmed)
        )


def confidence(found: Found) -> float:
    """How sure it is that the best passage answers: higher is surer. -1 where nothing was found."""
    if not found.rows:
        return -1.0
    sure = found.late + STANDING_WEIGHT * found.standing + ALONE_WEIGHT * found.alone
    return sure - MISSING_WEIGHT * (1 - found.held) + SAID_WEIGHT * found.said


def limits(probes: Sequence[Found], confirmed: Sequence[tuple[Found, bool]] = ()) -> Bands:
    """The limits of a library from what its probes found, and what confirmed questions did (and rightly?).

    A library with few probes is taken to be near the usual one.
    """
    share = len(probes) / (len(probes) + _USUAL_COUNT)

    def blended(own: list[float], measure: Callable[[list[float]], float], usual: float) -> float:
        return share * measure(own) + (1 - share) * usual if own else usual

    standing = blended([p.standing for p in probes], median, _USUAL_STANDING)
    spread = blended([confidence(p) for p in probes], pstdev, _USUAL_SPREAD)
    answer = _moved(_LEAST_ANSWER + _PER_STANDING * standing, confirmed)
    return Bands(answer=answer, closest=answer - 2 * spread)


def _moved(limit: float, confirmed: Sequence[tuple[Found, bool]]) -> float:
    """The limit that fits what was confirmed, with the own one as if it had been confirmed by _USUAL_COUNT.

    The cost of a pair on the wrong side grows with its distance (logistic loss).
    """
    if not confirmed:
        return limit
    steps = np.linspace(-_FARTHEST, _FARTHEST, 81)
    cost = _USUAL_COUNT * (steps / _FARTHEST) ** 2
    for found, right in confirmed:
        over = (confidence(found) - limit - steps) / _SOFTNESS
        cost += np.logaddexp(0, -over) if right else _FALSE_WEIGHT * np.logaddexp(0, over)
    return limit + float(steps[cost.argmin()])


def probe_text(text: str, sentences: Sequence[tuple[int, int]]) -> str | None:
    """The made-up question of a passage, None where it carries none. The same passage, the same question."""
    seed = zlib.crc32(text.encode())
    if seed % _ONE_IN or not sentences:
        return None
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    start, end = chance.choice(sentences)
    words = [word for word in _WORD.findall(text[start:end]) if chance.random() < _REMEMBERED]
    words = words[:_LONGEST_PROBE]
    telling = [word for word in words if word.casefold() not in STOP_WORDS]
    return " ".join(words) if len(telling) >= _FEWEST_WORDS else None
