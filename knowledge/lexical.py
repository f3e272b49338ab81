"""Words: how a text becomes terms, and how passages are scored by the terms of a question (BM25).

Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"; the fields title,
headings and body are added up with weights before saturation, as its section 3.6 (BM25F) has it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import Stemmer

from knowledge.minilm import Floats

K1 = 1.2
B = 0.75
TITLE_WEIGHT = 2
HEADING_WEIGHT = 2

_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’][^\W_]+)?")
STOP_WORDS = frozenset(
    """
    a about above after again all am an and any are as at be been before being below between both but by can
    could did do does doing down during each few for from further had has have having he her here hers him
    his how i if in into is it its just me more most my no nor not now of off on once only or other our ours
    out over own same she should so some such than that the their theirs them then there these they this
    those through to too under until up very was we were what when where which while who whom why will with
    would you your yours i'm i've i'd i'll it's don't doesn't can't won't isn't aren't we're what's there's
    must may might shall us get got let also
    """.split()  # noqa: SIM905 - a list of 150 strings would take a page
)


class Terms:
    """Texts as stemmed terms. Remembers the stems of words, since most words come again and again."""

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english")
        self._stems: dict[str, str] = {}

    def of(self, text: str) -> list[str]:
        """The terms of a text in order, without words that carry no meaning of their own."""
        stems = self._stems
        found = []
        for word in _WORD.findall(_folded(text)):
            if word in STOP_WORDS:
                continue
            stem = stems.get(word)
            if stem is None:
                stem = stems[word] = self._stem(word)
            found.append(stem)
        return found

    def _stem(self, word: str) -> str:
        plain = word.replace("’", "'").removesuffix("'s")
        stem: str = self._stemmer.stemWord(plain)
        return stem


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, as they are spelled."""
    return _WORD.findall(_folded(text))


def _folded(text: str) -> str:
    """Lower case without accents."""
    text = text.casefold()
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@dataclass(frozen=True)
class TermCounts:
    """One passage as numbers of terms and how often they occur, weighted by field."""

    terms: npt.NDArray[np.int32]
    counts: npt.NDArray[np.float32]
    length: float


class Vocabulary:
    """Terms as numbers, in the order in which they were first met."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def count(self, fields: Iterable[tuple[Sequence[str], float]]) -> TermCounts:
        """Count the terms of a passage's fields, each with its weight. Unknown terms become known."""
        counts: dict[int, float] = {}
        numbers = self.numbers
        for terms, weight in fields:
            for term in terms:
                number = numbers.setdefault(term, len(numbers))
                counts[number] = counts.get(number, 0.0) + weight
        keys = np.fromiter(counts.keys(), np.int32, len(counts))
        values = np.fromiter(counts.values(), np.float32, len(counts))
        return TermCounts(keys, values, float(values.sum()))


class Postings:
    """Which passages hold which terms, with the BM25 weight that each occurrence adds."""

    def __init__(self, passages: Sequence[TermCounts], size: int) -> None:
        """`size` is the number of terms of the vocabulary."""
        self.passages = len(passages)
        self.size = size
        rows = np.repeat(np.arange(len(passages), dtype=np.int32), [len(p.terms) for p in passages])
        terms = _joined([p.terms for p in passages], np.int32)
        counts = _joined([p.counts for p in passages], np.float32)
        lengths = np.array([p.length for p in passages], dtype=np.float32)
        frequency = np.bincount(terms, minlength=size)
        self.idf: Floats = np.log1p((len(passages) - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
        norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if len(lengths) else 1.0, 1.0))
        order = np.argsort(terms, kind="stable")
        self._rows = rows[order]
        self._weights = (counts / (counts + norm[rows]))[order].astype(np.float32)
        self._starts = np.concatenate(([0], np.cumsum(frequency)))

    def of(self, term: int) -> tuple[npt.NDArray[np.int32], Floats]:
        """The passages that hold a term, with its saturated frequency (0..1) in each."""
        if term >= self.size:
            return self._rows[:0], self._weights[:0]
        span = slice(self._starts[term], self._starts[term + 1])
        return self._rows[span], self._weights[span]

    def holds(self, term: int, row: int) -> bool:
        """Whether a passage holds a term."""
        rows, _ = self.of(term)
        place = int(np.searchsorted(rows, row))
        return place < len(rows) and int(rows[place]) == row

    def rarity(self, term: int | None) -> float:
        """How rare a term is among the passages, 0..1; one that none has is the rarest."""
        if term is None or term >= self.size or self._starts[term] == self._starts[term + 1]:
            return 1.0
        return min(1.0, float(self.idf[term]) / float(np.log1p(self.passages)))

    def score(self, terms: Iterable[tuple[int, float]]) -> Floats:
        """(passages,) BM25 scores of the weighted terms of a question."""
        scores = np.zeros(self.passages, dtype=np.float32)
        for term, weight in terms:
            rows, weights = self.of(term)
            if len(rows):
                scores[rows] += weights * (np.float32(weight) * self.idf[term])
        return scores


def _joined(arrays: Sequence[npt.NDArray], kind: type) -> npt.NDArray:  # type: ignore[type-arg]
    return np.concatenate(arrays) if arrays else np.empty(0, dtype=kind)
