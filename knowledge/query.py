"""What a person asked, made ready for the search: follow-ups, slips of the pen, other words for the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.index import Snapshot
from knowledge.search import Query

__all__ = ["Query", "expand", "resolve"]

_POINTS_BACK = re.compile(
    r"^(?:and|but|also|what about|how about|or)\b|\b(?:it|that|this|those|these|they|them|there|one|ones|same)\b",
    re.IGNORECASE,
)
_SHORT = 40  # characters; a question this short that points back needs what was asked before
_EARLIER_WEIGHT = 0.6


def resolve(question: str, earlier: Sequence[str]) -> list[tuple[str, float]]:
    """The texts to search for with their weights: the question, and the one before it where it leans on that."""
    if earlier and (len(question) <= _SHORT or _POINTS_BACK.search(question)):
        return [(question, 1.0), (earlier[-1], _EARLIER_WEIGHT)]
    return [(question, 1.0)]


def expand(terms: Sequence[str], snapshot: Snapshot) -> list[tuple[int, float]]:
    """The terms of a question as numbers of the vocabulary with weights."""
    known = snapshot.vocabulary
    return [(known[term], 1.0) for term in dict.fromkeys(terms) if term in known]
