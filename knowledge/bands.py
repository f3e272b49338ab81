"""How sure an answer is: one number from the search, and the limits between the three bands."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.tables import Band
from knowledge.index import Snapshot
from knowledge.search import Found

_STANDING_SHARE = 0.05  # of one standard deviation, on the scale of late interaction


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
    """How sure it is that the best passage answers: higher is surer."""
    return found.late + _STANDING_SHARE * found.standing if found.rows else -1.0


def calibrate(snapshot: Snapshot) -> Bands:
    """The limits for this library."""
    return Bands(answer=0.9, closest=0.7)
