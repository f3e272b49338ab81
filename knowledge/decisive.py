"""Which sentences of a passage decide a question.

A sentence, list item or table row is compared with the question as a passage is: by the likeness of its
vector and word by word (late interaction, see search.py). It is read under the heading that stands above it,
and a row under its table's header, since those say what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.minilm import Floats
from knowledge.query import Query
from knowledge.tables import Span, is_header, is_row, quantities_held

_QUANTITY_WEIGHT = 0.2  # of holding the quantity that is asked for
_NAME_WEIGHT = 1.0  # of saying what the name means whose meaning is asked for
_NEAR = 0.8  # share of the best sentence's score that a further one needs
_ROW_NEAR = 0.95  # the same for rows of a table: each stands for itself
_ROW_ALIKE = 0.85  # the same where no word of the question tells the best row from the others


@dataclass(frozen=True)
class ReadPassage:
    """A passage as the model read it: unit vectors of its sentences (n, 384) at `spans`, and of its words,
    (m, width), which begin at the characters `starts`; those of the headings above it begin below 0."""

    text: str
    spans: Sequence[Span]
    sentences: Floats
    words: Floats
    starts: npt.NDArray[np.integer]
    headings: str = ""


def decisive(query: Query, passage: ReadPassage, terms: Callable[[str], frozenset[int]]) -> list[str]:
    """The sentences that decide the question, best first, each a slice of the passage: the best one, and
    those that come near it. `terms` gives the terms of a text, as numbers of the query's kind."""
    text, spans = passage.text, passage.spans
    scores = _scores(query, passage)
    if query.quantity is not None:
        held = quantities_held(query.quantity, text, spans, passage.headings)
        scores += np.float32(_QUANTITY_WEIGHT) * held
    if query.name is not None:
        scores += np.float32(_NAME_WEIGHT) * query.name.said(text, spans, passage.headings)
    telling = [n for n in range(len(spans)) if _tells(text, spans, n)] or list(range(len(spans)))
    ranked = sorted(telling, key=lambda n: -scores[n])
    near = [n for n in ranked if scores[n] >= _NEAR * scores[ranked[0]]] or ranked[:1]
    if near and is_row(text, spans[near[0]]):
        share = _ROW_NEAR if _is_named(query, passage, near[0], terms) else _ROW_ALIKE
        near = [n for n in near if is_row(text, spans[n]) and scores[n] >= share * scores[near[0]]]
    return [text[start:end] for start, end in (spans[n] for n in near)]


def _scores(query: Query, passage: ReadPassage) -> Floats:
    """For each sentence how well it fits the question."""
    likeness: Floats = passage.sentences @ query.vector
    words = query.tokens @ passage.words.T
    if not words.size:
        return likeness
    nearest = np.stack([_nearest(words, passage.starts, read) for read in _read_together(passage)])
    fits: Floats = likeness + nearest @ query.weights + nearest.mean(axis=1)
    return fits


def _nearest(words: Floats, starts: npt.NDArray[np.integer], read: Sequence[Span]) -> Floats:
    """For each word of the question how near the nearest word of these spans comes to it."""
    parts = [words[:, slice(*np.searchsorted(starts, span))] for span in read]
    nearest: Floats = np.concatenate(parts, axis=1).max(axis=1, initial=0.0)
    return nearest


def _is_named(query: Query, passage: ReadPassage, n: int, terms: Callable[[str], frozenset[int]]) -> bool:
    """Whether a word of the question stands in the row `n` and not in the header, which all rows share."""
    shared = passage.headings
    for number in range(n):
        if is_header(passage.text, passage.spans, number):
            shared = passage.text[slice(*passage.spans[number])]
    asked = {term for term, _ in query.terms}
    return bool(asked & terms(passage.text[slice(*passage.spans[n])]) - terms(shared))


def _read_together(passage: ReadPassage) -> Iterator[list[Span]]:
    """Each sentence with the heading over it, and with the header of the table that it is a row of."""
    heading: Span = (int(passage.starts.min(initial=0)), 0)
    header: Span | None = None
    for n, span in enumerate(passage.spans):
        if passage.text.startswith("#", span[0]):
            heading = span
        if not is_row(passage.text, span):
            header = None
        elif is_header(passage.text, passage.spans, n):
            header = span
        yield [span, heading, header] if header else [span, heading]


def _tells(text: str, spans: Sequence[Span], n: int) -> bool:
    """Whether a sentence is more than a heading, a table's header or its rule."""
    start, end = spans[n]
    named = text.startswith("#", start) or is_header(text, spans, n)
    return not named and any(letter.isalnum() for letter in text[start:end])
