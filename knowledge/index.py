"""The index in memory: what is needed to find a passage among all, and a file for what only candidates need.

It is made from the database alone and may be thrown away at any time. Passages come and go one by one;
searches go on meanwhile on what was there before. One instance may be used from several threads.
"""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.chunk import embedded_text
from knowledge.lexical import HEADING_WEIGHT, TITLE_WEIGHT, Postings, TermCounts, Terms, Vocabulary, words_of
from knowledge.minilm import WIDTH, Floats
from knowledge.port import Indexed
from knowledge.vectors import (
    PassageVectors,
    has_probe,
    likeness_of,
    sentence_bytes,
    sentence_count,
    tokens_of,
    unpack,
    whole,
)

_BLOCK = 8192  # passages whose vectors lie together: a change copies those of its own block, not of all
_NO_VECTORS: Floats = np.empty((0, WIDTH), dtype=np.float32)


@dataclass(frozen=True)
class Snapshot:
    """The index as it was at one moment. Row `n` of everything is the passage `ids[n]`.

    `blocks` are the passages' own vectors, some thousand rows each. `texts` finds a row by the hash of its
    text, `words` counts the words that were ever met (for spelling only), `probes` are the rows that hold a
    made-up question. `places` tells where in the file a passage's vectors begin, how many bytes they are and
    how many sentences are among them, how many bytes the text has that follows (what the model read of it,
    headings first), and how many characters of it are the passage.
    """

    ids: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]
    blocks: tuple[Floats, ...]
    postings: Postings
    vocabulary: Mapping[str, int]
    places: npt.NDArray[np.int64]
    file: int
    texts: Mapping[int, int]
    words: Mapping[str, int]
    probes: Sequence[int]

    def likeness(self, vector: Floats) -> Floats:
        """The cosine of every passage's own vector to a unit vector."""
        return np.concatenate([block @ vector for block in self.blocks])

    def details(self, row: int) -> PassageVectors:
        """The sentence and token vectors of a passage, read from the file."""
        return unpack(self._vectors(row))

    def tokens(self, row: int) -> Floats:
        """Only the tokens' vectors of a passage, read from the file."""
        return tokens_of(self._vectors(row))

    def nearest_sentences(self, rows: npt.NDArray[np.intp], vector: Floats) -> Floats:
        """For each of these passages the cosine of its nearest sentence, 0 for one without sentences."""
        counts = self.places[rows, 2]
        nearest = np.zeros(len(rows), dtype=np.float32)
        filled = np.flatnonzero(counts)
        if len(filled):
            parts = [
                self._sentences(int(start), int(count)) for start, _, count, *_ in self.places[rows[filled]]
            ]
            starts = np.concatenate(([0], np.cumsum(counts[filled])[:-1]))
            likeness = likeness_of(b"".join(parts), vector)
            nearest[filled] = np.maximum(np.maximum.reduceat(likeness, starts), 0)
        return nearest

    def text(self, row: int) -> tuple[str, int]:
        """What the model read of a passage, its headings first, and where the passage begins in that."""
        start, vectors, _, size, letters = self.places[row].tolist()
        text = os.pread(self.file, size, start + vectors).decode()
        return text, len(text) - letters

    def _vectors(self, row: int) -> bytes:
        start, size, *_ = self.places[row].tolist()
        return os.pread(self.file, size, start)

    def _sentences(self, start: int, count: int) -> bytes:
        first, size = sentence_bytes(count)
        return os.pread(self.file, size, start + first)


class Index:
    """Passages, ready to be searched through `snapshot()`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.terms = Terms()
        self._vocabulary = Vocabulary()
        self._ids: list[int] = []
        self._documents: list[int] = []
        self._counts: list[TermCounts] = []
        self._places = np.empty((0, 5), dtype=np.int64)
        self._texts: list[int] = []
        self._probed: list[bool] = []
        self._words: Counter[str] = Counter()
        self._blocks: tuple[Floats, ...] = (_NO_VECTORS,)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the index
        weakref.finalize(self, self._file.close)
        self._written = 0
        self._snapshot: Snapshot | None = None

    def update(self, added: Sequence[Indexed], removed: Sequence[int]) -> None:
        """Take passages out and in. A passage that is added again replaces the one with its id."""
        with self._lock:
            self._snapshot = None  # what only it held is let go before more is asked for
            gone = set(removed) | {passage.passage_id for passage in added}
            if gone.intersection(self._ids):
                self._drop(gone)
            self._add(added)

    def snapshot(self) -> Snapshot:
        """What can be searched now. Built anew after a change, which takes about 15 µs a passage."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = self._build()
            return self._snapshot

    def _drop(self, gone: set[int]) -> None:
        stays = np.array([number not in gone for number in self._ids])
        kept = np.flatnonzero(stays).tolist()
        self._ids = [self._ids[n] for n in kept]
        self._documents = [self._documents[n] for n in kept]
        self._counts = [self._counts[n] for n in kept]
        self._texts = [self._texts[n] for n in kept]
        self._probed = [self._probed[n] for n in kept]
        self._places = self._places[kept]
        parts = np.split(stays, np.cumsum([len(block) for block in self._blocks])[:-1])
        own = zip(self._blocks, parts, strict=True)
        self._blocks = tuple(block if part.all() else block[part] for block, part in own)

    def _add(self, added: Sequence[Indexed]) -> None:
        if not added:
            return
        *full, last = self._blocks if len(self._blocks[-1]) < _BLOCK else (*self._blocks, _NO_VECTORS)
        self._blocks = (*full, np.concatenate([last, np.stack([whole(p.vectors) for p in added])]))
        self._places = np.concatenate([self._places, [self._written_down(passage) for passage in added]])
        self._file.flush()
        for passage in added:
            self._ids.append(passage.passage_id)
            self._documents.append(passage.document_id)
            self._counts.append(self._count(passage))
            self._texts.append(hash(passage.text))
            self._probed.append(has_probe(passage.vectors))
            self._words.update(words_of(passage.text))

    def _written_down(self, passage: Indexed) -> tuple[int, int, int, int, int]:
        text = embedded_text(passage.title, passage.heading_path, passage.text).encode()
        start = self._written
        self._written += self._file.write(passage.vectors) + self._file.write(text)
        sentences = sentence_count(passage.vectors)
        return start, len(passage.vectors), sentences, len(text), len(passage.text)

    def _count(self, passage: Indexed) -> TermCounts:
        fields = (
            (self.terms.of(passage.title), TITLE_WEIGHT),
            (self.terms.of(" ".join(passage.heading_path)), HEADING_WEIGHT),
            (self.terms.of(passage.text), 1),
        )
        return self._vocabulary.count(fields)

    def _build(self) -> Snapshot:
        return Snapshot(
            ids=np.array(self._ids, dtype=np.int64),
            documents=np.array(self._documents, dtype=np.int64),
            blocks=self._blocks,
            postings=Postings(self._counts, len(self._vocabulary.numbers)),
            vocabulary=self._vocabulary.numbers,
            places=self._places,
            file=self._file.fileno(),
            texts={text: row for row, text in enumerate(self._texts)},
            words=self._words,
            probes=tuple(np.flatnonzero(self._probed).tolist()),
        )
