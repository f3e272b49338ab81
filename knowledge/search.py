"""Finding passages: words and meaning together, then a closer reading of the few best.

1. Every passage gets a BM25 score and the likeness of its vector; the best of both are the candidates.
2. Candidates are ordered by a weighted sum of BM25, whole-passage likeness and best-sentence likeness, each
   scaled to 0..1 over the candidates. Where the meaning of a name is asked for, those that say it come first.
3. The ten best are read word by word: late interaction (Khattab and Zaharia 2020, "ColBERT") over the token
   vectors, added to the order with a weight of its own. Where a quantity is asked for, so is whether the
   sentences that are nearest hold one.
Weights are round numbers; docs/retrieval.md says what was tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.index import Snapshot
from knowledge.minilm import Floats
from knowledge.query import Query
from knowledge.sentences import sentence_spans
from knowledge.tables import quantities_held

CANDIDATES = 60  # of each kind of score
READ_CLOSELY = 10
BM25_SHARE = 0.3
LATE_WEIGHT = 0.5
QUANTITY_WEIGHT = 0.1
NAME_WEIGHT = 1.0
_NEAR = 0.8  # share of the nearest sentence's likeness that one needs to count as near
_SYNONYM_ORDERS = 0.9  # how near a word comes to one that the passage has a synonym of, in the order
_SYNONYM_TOUCHES = 0.75  # and in how sure an answer is
_USUAL_LIKENESS = 0.1  # cosine of a question and a passage that have nothing to do with each other
_USUAL_COUNT = 20
_LEAST = 0.05  # likeness below which a word counts as missing


@dataclass(frozen=True)
class Found:
    """Rows of the snapshot with scores, best first.

    `late` is how fully the best passage touches the words of the question (0..1); `standing` is how much
    nearer the nearest passage is than the average of all that were searched (difference of cosines); `alone`
    is how well the passage's decisive sentence fits the question when it is read by itself (0..2); `held` is
    how far the passage holds the quantity that is asked for (0..1), 1 where none is; `said` is how far it
    says what the name means whose meaning is asked for (0..1), 0 where none is.
    """

    rows: tuple[tuple[int, float], ...]
    late: float
    standing: float
    alone: float = 0.0
    held: float = 1.0
    said: float = 0.0


def search(
    snapshot: Snapshot,
    query: Query,
    allowed: npt.NDArray[np.bool_],
    limit: int,
    meant: Floats | None = None,
) -> Found:
    """The best `limit` of the rows that `allowed` marks; no other row is looked at closely or counted.

    `meant` is another model's likeness of every row; the rows are ordered by it in place of the own one.
    """
    open_rows = np.flatnonzero(allowed)
    if not len(open_rows):
        return Found((), 0.0, 0.0)
    words = snapshot.postings.score(query.terms)[open_rows]
    likeness = snapshot.likeness(query.vector)[open_rows]
    near_by_meaning = likeness if meant is None else meant[open_rows]
    picked = np.union1d(_best(words, max(CANDIDATES, limit)), _best(near_by_meaning, max(CANDIDATES, limit)))
    sentences = snapshot.nearest_sentences(open_rows[picked], query.vector)
    scores = BM25_SHARE * _scaled(words[picked]) + (1 - BM25_SHARE) / 2 * (
        _scaled(near_by_meaning[picked]) + _scaled(sentences)
    )
    said = _said(snapshot, query, open_rows[picked])
    scores += NAME_WEIGHT * said
    order = np.argsort(-scores, kind="stable")
    near = order[:READ_CLOSELY]
    nearest = [nearest_words(query, snapshot.tokens(int(open_rows[picked[n]]))) for n in near]
    late = [
        _late(snapshot, query, int(open_rows[picked[n]]), each) for n, each in zip(near, nearest, strict=True)
    ]
    scores[near] += LATE_WEIGHT * _scaled(np.array(late))
    held = [_held(snapshot, query, int(open_rows[picked[n]])) for n in near]
    scores[near] += QUANTITY_WEIGHT * np.array(held)
    scores[order[READ_CLOSELY:]] = np.minimum(scores[order[READ_CLOSELY:]], scores[near].min())
    final = np.argsort(-scores, kind="stable")[:limit]
    rows = tuple((int(open_rows[picked[n]]), float(scores[n])) for n in final)
    best = int(np.flatnonzero(near == final[0])[0])
    touched = _with_synonyms(snapshot, query, rows[0][0], nearest[best], _SYNONYM_TOUCHES)
    return Found(
        rows, harmonic(query, touched), _standing(likeness), held=held[best], said=float(said[final[0]])
    )


def _held(snapshot: Snapshot, query: Query, row: int) -> float:
    """How far the sentences of a passage that are nearest to the question hold what it asks for."""
    if query.quantity is None:
        return 1.0
    vectors, (text, start) = snapshot.details(row), snapshot.text(row)
    likeness = vectors.sentences @ query.vector
    near = likeness >= _NEAR * likeness.max(initial=0.0)
    held = quantities_held(query.quantity, text[start:], vectors.spans.tolist(), text[:start], near)
    return float(held.max(initial=0.0))


def _said(snapshot: Snapshot, query: Query, rows: npt.NDArray[np.intp]) -> Floats:
    """How far each of these passages says what the name means whose meaning is asked for. Only those are
    looked at that hold the rarest of its words."""
    said = np.zeros(len(rows), dtype=np.float32)
    if query.name is None or not (terms := [snapshot.vocabulary.get(term) for term in query.name.terms]):
        return said
    rarest = max(terms, key=snapshot.postings.rarity)
    holders, _ = snapshot.postings.of(snapshot.postings.size if rarest is None else rarest)
    for n in np.flatnonzero(np.isin(rows, holders)):
        text, start = snapshot.text(int(rows[n]))
        own = text[start:]
        said[n] = query.name.said(own, sentence_spans(own), text[:start]).max(initial=0.0)
    return said


def _with_synonyms(snapshot: Snapshot, query: Query, row: int, nearest: Floats, by: float) -> Floats:
    """`nearest`, where words of the question that the passage has a synonym of come near `by` at least."""
    touched = nearest.copy()
    for token, terms in query.others:
        if any(snapshot.postings.holds(term, row) for term in terms):
            touched[token] = max(float(touched[token]), by)
    return touched


def nearest_words(query: Query, passage: Floats) -> Floats:
    """For each word of the question the likeness of the passage's nearest word (MaxSim), -1..1."""
    if not len(passage):
        return np.zeros(len(query.tokens), dtype=np.float32)
    nearest: Floats = (query.tokens @ passage.T).max(axis=1, initial=-1.0)
    return nearest


def _late(snapshot: Snapshot, query: Query, row: int, nearest: Floats) -> float:
    """The weighted and the plain mean of how near the passage comes to each word of the question, added:
    rare words tell more, and all words tell something."""
    if not len(nearest):
        return 0.0
    touched = _with_synonyms(snapshot, query, row, nearest, _SYNONYM_ORDERS)
    return float(touched @ query.weights + touched.mean())


def harmonic(query: Query, nearest: Floats) -> float:
    """How fully the words of the question are touched, 0..1, from how near the nearest word comes to each.

    The weighted harmonic mean: one telling word that the passage lacks weighs more than many it has.
    """
    shares = query.weights / np.maximum(nearest, _LEAST)
    return float(1 / shares.sum()) if len(nearest) and shares.sum() > 0 else 0.0


def _standing(likeness: Floats) -> float:
    """The nearest above the average, which in a small library is taken to be near the usual one."""
    average = (float(likeness.sum()) + _USUAL_COUNT * _USUAL_LIKENESS) / (len(likeness) + _USUAL_COUNT)
    return float(likeness.max()) - average


def _best(scores: Floats, count: int) -> npt.NDArray[np.intp]:
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.argpartition(-scores, count)[:count]


def _scaled(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Between 0 (the lowest of them) and 1 (the highest)."""
    low, high = float(scores.min()), float(scores.max())
    return (scores.astype(np.float64) - low) / (high - low + 1e-9)
