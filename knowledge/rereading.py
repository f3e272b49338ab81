"""The decisive sentence of the best passage, read once more by itself.

In a passage every word is read in the light of all the others, so that a sentence seems to be about whatever
stands around it. By itself it shows better whether it speaks of what was asked. Of a long sentence only the
clauses are read that do: more would cost more time than it tells.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from knowledge.embed import LocalEmbedder
from knowledge.index import Snapshot
from knowledge.projection import project
from knowledge.query import Query
from knowledge.search import Found, harmonic, nearest_words
from knowledge.sentences import sentence_spans

_MOST_PIECES = 40  # word pieces of a sentence that are read
_CLAUSE = re.compile(r"(?:[,;:|•–—]|\s-)\s+|\s(?=\()")  # after which a new part of a sentence begins


def read_alone(snapshot: Snapshot, query: Query, found: Found, embedder: LocalEmbedder) -> Found:
    """What was found, with `alone`."""
    if not found.rows:
        return found
    row = found.rows[0][0]
    text, start = snapshot.text(row)
    spans = embedder.pieces([text])[0]
    first, last = _decisive(query, snapshot.tokens(row), spans, text, start)
    reading = embedder.read([text[first:last]])[0]
    touched = harmonic(query, nearest_words(query, project(reading.tokens)))
    return replace(found, alone=touched + float(reading.vector @ query.vector))


def _decisive(
    query: Query, tokens: npt.NDArray[np.float32], spans: list[tuple[int, int]], text: str, start: int
) -> tuple[int, int]:
    """Where the sentence is that, together with the headings above it, touches the question most fully."""
    likeness = query.tokens @ tokens.T
    starts = np.array([a for a, _ in spans[: len(tokens)]])
    headings = likeness[:, starts < start].max(axis=1, initial=-1.0)

    def fullness(part: tuple[int, int]) -> float:
        own = likeness[:, (starts >= part[0]) & (starts < part[1])]
        return harmonic(query, np.maximum(own.max(axis=1), headings)) if own.size else -1.0

    sentences = [(start + a, start + b) for a, b in sentence_spans(text[start:])]
    sentence = max(sentences, key=fullness, default=(start, len(text)))
    return max(_parts(text, starts, *sentence), key=fullness)


def _parts(text: str, starts: npt.NDArray[np.int64], first: int, last: int) -> list[tuple[int, int]]:
    """A sentence; of a long one, from the beginning of each clause on, as much as is read."""
    clauses = (first, *(match.end() for match in _CLAUSE.finditer(text, first, last)))
    return [(clause, _end(text, starts, clause, last)) for clause in clauses]


def _end(text: str, starts: npt.NDArray[np.int64], clause: int, last: int) -> int:
    """Where to stop reading what begins at `clause`: `last`, or before it after a whole word."""
    beyond = int(np.searchsorted(starts, clause)) + _MOST_PIECES
    if beyond >= len(starts) or starts[beyond] >= last:
        return last
    blank = text.rfind(" ", clause + 1, int(starts[beyond]))
    return blank if blank > 0 else int(starts[beyond])
