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

from knowledge.lexical import HEADING_WEIGHT, TITLE_WEIGHT, Postings, TermCounts, Terms, Vocabulary, words_of
from knowledge.minilm import WIDTH, Floats
from knowledge.port import Indexed
from knowledge.vectors import PassageVectors, has_probe, sentences_of, unpack, whole


@dataclass(frozen=True)
class Snapshot:
    """The index as it was at one moment. Row `n` of everything is the passage `ids[n]`.

    `texts` finds a row by the hash of its text, `words` counts the words that were ever met (for spelling
    only), `probes` are the rows that hold a made-up question.
    """

    ids: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]
    vectors: Floats
    postings: Postings
    vocabulary: Mapping[str, int]
    places: Sequence[tuple[int, int]]
    file: int
    texts: Mapping[int, int]
    words: Mapping[str, int]
    probes: Sequence[int]

    def details(self, row: int) -> PassageVectors:
        """The sentence and token vectors of a passage, read from the file."""
        return unpack(self._read(row))

    def sentences(self, row: int) -> Floats:
        """Only the sentences' vectors of a passage, read from the file."""
        return sentences_of(self._read(row))

    def _read(self, row: int) -> bytes:
        offset, size = self.places[row]
        return os.pread(self.file, size, offset)

    def details_of(self, text: str) -> PassageVectors | None:
        """The same for the passage with this text, None where there is none."""
        row = self.texts.get(hash(text))
        return None if row is None else self.details(row)


class Index:
    """Passages, ready to be searched through `snapshot()`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.terms = Terms()
        self._vocabulary = Vocabulary()
        self._ids: list[int] = []
        self._documents: list[int] = []
        self._counts: list[TermCounts] = []
        self._places: list[tuple[int, int]] = []
        self._texts: list[int] = []
        self._probed: list[bool] = []
        self._words: Counter[str] = Counter()
        self._vectors: Floats = np.empty((0, WIDTH), dtype=np.float32)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the index
        weakref.finalize(self, self._file.close)
        self._written = 0
        self._snapshot: Snapshot | None = None

    def update(self, added: Sequence[Indexed], removed: Sequence[int]) -> None:
        """Take passages out and in. A passage that is added again replaces the one with its id."""
        with self._lock:
            gone = set(removed) | {passage.passage_id for passage in added}
            if gone.intersection(self._ids):
                self._drop(gone)
            self._add(added)
            self._snapshot = None

    def snapshot(self) -> Snapshot:
        """What can be searched now. Built anew after a change, which takes about 15 µs a passage."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = self._build()
            return self._snapshot

    def _drop(self, gone: set[int]) -> None:
        kept = [n for n, number in enumerate(self._ids) if number not in gone]
        self._ids = [self._ids[n] for n in kept]
        self._documents = [self._documents[n] for n in kept]
        self._counts = [self._counts[n] for n in kept]
        self._places = [self._places[n] for n in kept]
        self._texts = [self._texts[n] for n in kept]
        self._probed = [self._probed[n] for n in kept]
        self._vectors = self._vectors[kept]

    def _add(self, added: Sequence[Indexed]) -> None:
        if not added:
            return
        self._vectors = np.concatenate([self._vectors, np.stack([whole(p.vectors) for p in added])])
        for passage in added:
            self._ids.append(passage.passage_id)
            self._documents.append(passage.document_id)
            self._counts.append(self._count(passage))
            self._texts.append(hash(passage.text))
            self._probed.append(has_probe(passage.vectors))
            self._words.update(words_of(passage.text))
            self._places.append((self._written, len(passage.vectors)))
            self._written += self._file.write(passage.vectors)
        self._file.flush()

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
            vectors=self._vectors,
            postings=Postings(self._counts, len(self._vocabulary.numbers)),
            vocabulary=self._vocabulary.numbers,
            places=tuple(self._places),
            file=self._file.fileno(),
            texts={text: row for row, text in enumerate(self._texts)},
            words=self._words,
            probes=tuple(np.flatnonzero(self._probed).tolist()),
        )
