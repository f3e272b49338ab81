"""Other words for the same thing: a small general vocabulary of offices (data/synonyms.txt)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files

_LONGEST = 4  # terms of a phrase


class Synonyms:
    """Groups of phrases that mean the same, looked up by their terms."""

    def __init__(self, terms_of: Callable[[str], list[str]]) -> None:
        """`terms_of` makes a phrase into the terms that the index uses."""
        self._groups: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for line in _lines():
            phrases = [tuple(terms_of(phrase)) for phrase in line.split(",")]
            for phrase in phrases:
                if phrase:
                    others = self._groups.setdefault(phrase, [])
                    others += [other for other in phrases if other and other != phrase]

    def of(self, terms: Sequence[str]) -> dict[str, float]:
        """Terms that may stand for those of a question, each with its share (0..1) of a whole synonym."""
        found: dict[str, float] = {}
        for start in range(len(terms)):
            for end in range(start + 1, min(start + _LONGEST, len(terms)) + 1):
                for other in self._groups.get(tuple(terms[start:end]), ()):
                    for term in other:
                        found[term] = max(found.get(term, 0.0), 1 / len(other))
        return {term: share for term, share in found.items() if term not in terms}


@lru_cache(maxsize=1)
def _lines() -> tuple[str, ...]:
    text = (files("knowledge") / "data" / "synonyms.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))
