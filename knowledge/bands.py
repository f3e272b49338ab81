"""How sure an answer is: one number from the search, and the limits between the three bands.

Such numbers do not carry over between libraries, so that each finds its own limits, without anybody's labels:
a sample of its passages carries a made-up question each (a probe: a sentence of the passage of which two words
in five are forgotten), which is asked like any other. Whoever is as sure as such a half-remembered sentence
typically makes the search may answer.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.store.tables import Band
from knowledge.lexical import STOP_WORDS
from knowledge.search import Found

STANDING_WEIGHT = 0.8
PROBES = 128  # asked at most; the median then wavers by about a tenth of the spread
_ONE_IN = 4  # passages that carry a probe
_REMEMBERED = 0.6  # words of the sentence that a probe keeps
_LONGEST_PROBE = 14  # words
_FEWEST_WORDS = 3  # of a probe that carry meaning
_USUAL = (1.2, 0.15)  # median and spread before there are probes, worth _USUAL_COUNT of them
_USUAL_COUNT = 20

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True)
class Bands:
    """From `answer` upwards the policies answer; from `closest` upwards a passage is worth showing."""

    answer: float
    closest: float

    def of(self, confidence: float) -> Band:
        """The band of an answer of this confidence."""
        if confidence >= self.answer:
            return Band.ANSWER
        return Band.CLOSEST if confidence >= self.closest else Band.SILENT


def confidence(found: Found) -> float:
    """How sure it is that the best passage answers: higher is surer. -1 where nothing was found."""
    return found.late + STANDING_WEIGHT * found.standing if found.rows else -1.0


def limits(of_probes: Sequence[float]) -> Bands:
    """The limits of a library from the confidence of its probes: their median, and two spreads below it."""
    count = len(of_probes)
    median = float(np.median(of_probes)) if count else 0.0
    spread = float(np.std(of_probes)) if count else 0.0
    share = count / (count + _USUAL_COUNT)
    middle = share * median + (1 - share) * _USUAL[0]
    return Bands(answer=middle, closest=middle - 2 * (share * spread + (1 - share) * _USUAL[1]))


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
