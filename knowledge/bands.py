"""How sure an answer is, and the limits between the three bands.

Such numbers do not carry over between libraries, so that each finds its own limits, without anybody's
labels: a sample of its passages carries a made-up question each (a probe: a sentence of the passage of which
two words in five are forgotten), which is asked like any other. An answer has to make the search at least as
sure as all but the lowest third of these half-remembered sentences do, and to touch the words of its question
as fully as nearly all of them. docs/retrieval.md has the curve.
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
PROBES = 192  # asked at most; the limits then waver by about a tenth of the spread
_ONE_IN = 4  # passages that carry a probe
_REMEMBERED = 0.6  # words of the sentence that a probe keeps
_LONGEST_PROBE = 14  # words
_FEWEST_WORDS = 3  # of a probe that carry meaning
_ANSWER_QUANTILE = 0.35
_TOUCH_QUANTILE = 0.07
_USUAL_COUNT = 10

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True)
class Bands:
    """The policies answer from `answer` (confidence) and `touch` (late interaction) upwards.

    From `closest` upwards a passage is worth showing.
    """

    answer: float
    touch: float
    closest: float

    def of(self, found: Found) -> Band:
        """The band of what a search found."""
        sure = confidence(found)
        if sure >= self.answer and found.late >= self.touch:
            return Band.ANSWER
        return Band.CLOSEST if sure >= self.closest else Band.SILENT


USUAL = Bands(answer=1.05, touch=0.65, closest=0.75)
"""The limits of a library that has no probes yet; they count as much as _USUAL_COUNT probes."""


def confidence(found: Found) -> float:
    """How sure it is that the best passage answers: higher is surer. -1 where nothing was found."""
    return found.late + STANDING_WEIGHT * found.standing if found.rows else -1.0


def limits(probes: Sequence[Found]) -> Bands:
    """The limits of a library from what its probes found."""
    if not probes:
        return USUAL
    sure = np.array([confidence(found) for found in probes])
    answer = float(np.quantile(sure, _ANSWER_QUANTILE))
    touch = float(np.quantile([found.late for found in probes], _TOUCH_QUANTILE))
    share = len(probes) / (len(probes) + _USUAL_COUNT)

    def blended(own: float, usual: float) -> float:
        return share * own + (1 - share) * usual

    return Bands(
        answer=blended(answer, USUAL.answer),
        touch=blended(touch, USUAL.touch),
        closest=blended(answer - 2 * float(sure.std()), USUAL.closest),
    )


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
