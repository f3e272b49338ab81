"""The decisive sentence of the best passage, read once more by itself.

In a passage every word is read in the light of all the others, so that a sentence seems to be about whatever
stands around it. By itself it shows better whether it speaks of what was asked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from knowledge.embed import LocalEmbedder
from knowledge.index import Snapshot
from knowledge.projection import project
from knowledge.query import Query
from knowledge.search import Found, harmonic, nearest_words
from knowledge.sentences import sentence_spans

_LONGEST = 240  # characters of a sentence that are read: more would cost more time than it tells


def read_alone(snapshot: Snapshot, query: Query, found: Found, embedder: LocalEmbedder) -> Found:
    """What was found, with `alone`."""
    if not found.rows:
        return found
    row = found.rows[0][0]
    text, start = snapshot.text(row)
    spans = embedder.pieces([text])[0]
    sentence = _decisive(query, snapshot.tokens(row), spans, text, start)
    reading = embedder.read([sentence[:_LONGEST]])[0]
    touched = harmonic(query, nearest_words(query, project(reading.tokens)))
    return replace(found, alone=touched + float(reading.vector @ query.vector))


def _decisive(
    query: Query, tokens: npt.NDArray[np.float32], spans: list[tuple[int, int]], text: str, start: int
) -> str:
    """The sentence that, together with the headings above it, touches the question most fully."""
    likeness = query.tokens @ tokens.T
    starts = np.array([a for a, _ in spans[: len(tokens)]])
    above = starts < start
    best, fullest = text[start:], -1.0
    for first, last in sentence_spans(text[start:]):
        own = (starts >= first + start) & (starts < last + start)
        if own.any():
            full = harmonic(query, likeness[:, own | above].max(axis=1))
            if full > fullest:
                best, fullest = text[first + start : last + start], full
    return best
