"""The library's index and its embedding model as one: what `knowledge.port.Retriever` asks for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from knowledge.bands import Bands, calibrate, confidence
from knowledge.chunk import chunk, embedded_text
from knowledge.embed import MODEL_NAME, LocalEmbedder, Reading
from knowledge.index import Index, Snapshot
from knowledge.library import PassageDraft
from knowledge.minilm import WIDTH, Floats
from knowledge.port import Indexed, Ranked
from knowledge.projection import project
from knowledge.query import Query, expand, resolve
from knowledge.search import Found, search
from knowledge.sentences import sentence_spans
from knowledge.vectors import PassageVectors, pack

_REMEMBERED = 256  # questions whose vectors are kept
_READ_AT_ONCE = 64  # passages embedded together, so that a long document needs little memory


class LocalRetriever:
    """Everything on this machine. One instance per process; calls may come from several threads."""

    def __init__(self, embedder: LocalEmbedder | None = None) -> None:
        self.model = f"{MODEL_NAME}/1"
        self._embedder = embedder or LocalEmbedder()
        self._index = Index()
        self._lock = threading.Lock()
        self._questions: OrderedDict[str, Reading] = OrderedDict()
        self._bands: tuple[Snapshot, Bands] | None = None

    def prepare(self, title: str, text: str) -> list[PassageDraft]:
        """The passages of a document with their vectors."""
        chunks = chunk(text, self._embedder.pieces, title)
        packed = self._packed([(title, c.heading_path, c.text) for c in chunks])
        return [
            PassageDraft(c.heading_path, c.text, c.start, c.end, vectors, WIDTH)
            for c, vectors in zip(chunks, packed, strict=True)
        ]

    def vectors(self, title: str, heading_path: Sequence[str], text: str) -> tuple[bytes, int]:
        """The vectors of one passage."""
        return self._packed([(title, heading_path, text)])[0], WIDTH

    def update(self, added: Sequence[Indexed], removed: Sequence[int]) -> None:
        """Take passages in and out."""
        self._index.update(added, removed)

    def search(
        self, question: str, documents: frozenset[int], limit: int, earlier: Sequence[str] = ()
    ) -> Ranked:
        """The best passages of `documents` only; `earlier` are the questions before in the thread."""
        snapshot = self._index.snapshot()
        found = self.found(snapshot, question, documents, limit, earlier)
        hits = tuple((int(snapshot.ids[row]), score) for row, score in found.rows)
        return Ranked(hits, self.bands(snapshot).of(confidence(found)))

    def found(
        self,
        snapshot: Snapshot,
        question: str,
        documents: frozenset[int],
        limit: int,
        earlier: Sequence[str] = (),
    ) -> Found:
        """What `search` ranks by, with the parts of its confidence."""
        allowed = np.isin(snapshot.documents, np.fromiter(documents, np.int64, len(documents)))
        return search(snapshot, self._query(snapshot, resolve(question, earlier)), allowed, limit)

    def snapshot(self) -> Snapshot:
        """What can be searched now."""
        return self._index.snapshot()

    def bands(self, snapshot: Snapshot) -> Bands:
        """The limits between the bands for this library, found once per change of it."""
        with self._lock:
            if self._bands is None or self._bands[0] is not snapshot:
                self._bands = (snapshot, calibrate(snapshot))
            return self._bands[1]

    def decisive(self, question: str, passage: str) -> list[str]:
        """The sentences of a passage that decide the question, best first, each a slice of it."""
        spans = sentence_spans(passage)
        details = self._index.snapshot().details_of(passage)
        if details is not None and len(details.spans):
            spans = [(int(a), int(b)) for a, b in details.spans]
            sentences = details.sentences
        else:
            sentences = self._embedder.encode([passage[a:b] for a, b in spans])
        likeness = sentences @ self._reading(question).vector
        shares = [self._share(question, passage[a:b]) for a, b in spans]
        order = sorted(range(len(spans)), key=lambda n: -(float(likeness[n]) + shares[n] / 2))
        texts = [passage[a:b] for a, b in (spans[n] for n in order)]
        return [t for t in texts if not t.startswith("#")] or texts

    def _share(self, question: str, sentence: str) -> float:
        """How much of the question's terms a sentence holds, 0..1."""
        wanted = set(self._index.terms.of(question))
        return len(wanted.intersection(self._index.terms.of(sentence))) / len(wanted) if wanted else 0.0

    def _query(self, snapshot: Snapshot, texts: Sequence[tuple[str, float]]) -> Query:
        vector = np.zeros(WIDTH, dtype=np.float32)
        terms: dict[int, float] = {}
        for text, weight in texts:
            vector += np.float32(weight) * self._reading(text).vector
            for term, share in expand(self._index.terms.of(text), snapshot):
                terms[term] = max(terms.get(term, 0.0), weight * share)
        tokens = project(np.concatenate([self._reading(text).tokens for text, _ in texts]))
        return Query(tuple(terms.items()), vector / np.linalg.norm(vector), tokens)

    def _reading(self, question: str) -> Reading:
        with self._lock:
            if question in self._questions:
                self._questions.move_to_end(question)
                return self._questions[question]
        reading = self._embedder.read([question])[0]
        with self._lock:
            self._questions[question] = reading
            while len(self._questions) > _REMEMBERED:
                self._questions.popitem(last=False)
        return reading

    def _packed(self, passages: Sequence[tuple[str, Sequence[str], str]]) -> list[bytes]:
        packed: list[bytes] = []
        for start in range(0, len(passages), _READ_AT_ONCE):
            batch = passages[start : start + _READ_AT_ONCE]
            texts = [embedded_text(*each) for each in batch]
            readings = self._embedder.read(texts)
            for (_, _, text), whole, reading in zip(batch, texts, readings, strict=True):
                packed.append(pack(_vectors(text, len(whole) - len(text), reading)))
        return packed


def _vectors(text: str, offset: int, reading: Reading) -> PassageVectors:
    """The vectors of a passage that was read after `offset` characters of headings."""
    spans: list[tuple[int, int]] = []
    sentences: list[Floats] = []
    for start, end in sentence_spans(text):
        vector = reading.span_vector(start + offset, end + offset)
        if vector is not None:
            spans.append((start, end))
            sentences.append(vector)
    return PassageVectors(
        reading.vector,
        np.array(spans, dtype=np.uint16).reshape(-1, 2),
        np.array(sentences, dtype=np.float32).reshape(-1, WIDTH),
        project(reading.tokens),
    )
