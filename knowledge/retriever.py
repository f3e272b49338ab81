"""The library's index and its embedding model as one: what `knowledge.port.Retriever` asks for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from knowledge.bands import CONFIRMED, PROBES, Bands, Calibration, limits, probe_text
from knowledge.chunk import chunk, embedded_text
from knowledge.confirmed import Confirmed
from knowledge.embed import MODEL_NAME, LocalEmbedder, Reading
from knowledge.index import Index, Snapshot
from knowledge.library import PassageDraft
from knowledge.minilm import WIDTH, Floats
from knowledge.port import Indexed, Ranked
from knowledge.product_names import explained
from knowledge.projection import project
from knowledge.query import Asked, Query, make_query, resolve
from knowledge.rereading import read_alone
from knowledge.search import Found, search
from knowledge.sentences import sentence_spans
from knowledge.spelling import mended
from knowledge.synonyms import Synonyms
from knowledge.vectors import FORMAT, PassageVectors, Probe, pack

_REMEMBERED = 256  # questions whose vectors are kept
_READ_AT_ONCE = 64  # passages embedded together, so that a long document needs little memory
_SHARE_WEIGHT = 0.5  # of shared words beside likeness, when a passage's decisive sentence is chosen


class LocalRetriever:
    """Everything on this machine. One instance per process; calls may come from several threads."""

    def __init__(self, embedder: LocalEmbedder | None = None) -> None:
        self.model = f"{MODEL_NAME}/{FORMAT}"
        self._embedder = embedder or LocalEmbedder()
        self._index = Index()
        self._synonyms = Synonyms(self._index.terms.of)
        self._lock = threading.Lock()
        self._calibrating = threading.Lock()
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._calibration: Calibration | None = None

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
        return Ranked(hits, self.bands(snapshot).of(found))

    def snapshot(self) -> Snapshot:
        """What can be searched now."""
        return self._index.snapshot()

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
        before = resolve(question, earlier)
        query = self._query(
            snapshot, self._ask(snapshot, question), self._ask(snapshot, before) if before else None
        )
        return read_alone(snapshot, query, search(snapshot, query, allowed, limit), self._embedder)

    def bands(self, snapshot: Snapshot) -> Bands:
        """The limits between the bands for this library, found anew when it has changed notably."""
        known = self._calibration
        if known is None or not known.fits(len(snapshot.ids), known.confirmed):
            known = self.settle(None, ())
        return known.bands

    def settle(self, kept: Calibration | None, pairs: Sequence[Confirmed]) -> Calibration:
        """Find the limits between the bands, or take the kept ones where they still fit."""
        snapshot = self._index.snapshot()
        pairs = pairs[-CONFIRMED:]
        with self._calibrating:
            if kept is None or not kept.fits(len(snapshot.ids), len(pairs)):
                found = limits(self._asked_probes(snapshot), self._asked_again(snapshot, pairs))
                kept = Calibration(found, len(snapshot.ids), len(pairs))
            self._calibration = kept
            return kept

    def decisive(self, question: str, passage: str) -> list[str]:
        """The sentences of a passage that decide the question, best first, each a slice of it."""
        snapshot = self._index.snapshot()
        details = snapshot.details_of(passage)
        if details is not None and len(details.spans):
            spans = [(int(a), int(b)) for a, b in details.spans]
            sentences = details.sentences
        else:
            spans = sentence_spans(passage)
            sentences = self._embedder.encode([passage[a:b] for a, b in spans])
        likeness = sentences @ self._ask(snapshot, question).vector
        texts = [passage[a:b] for a, b in spans]
        scores = [
            float(x) + _SHARE_WEIGHT * self._share(question, t) for x, t in zip(likeness, texts, strict=True)
        ]
        ranked = [texts[n] for n in sorted(range(len(texts)), key=lambda n: -scores[n])]
        return [t for t in ranked if _says_something(t)] or ranked

    def _share(self, question: str, sentence: str) -> float:
        """How much of the question's terms a sentence holds, 0..1."""
        wanted = set(self._index.terms.of(question))
        return len(wanted.intersection(self._index.terms.of(sentence))) / len(wanted) if wanted else 0.0

    def _asked_probes(self, snapshot: Snapshot) -> list[Found]:
        everything = np.ones(len(snapshot.ids), dtype=np.bool_)
        found = []
        step = max(1, len(snapshot.probes) // PROBES)
        for row in snapshot.probes[::step][:PROBES]:
            probe = snapshot.details(row).probe
            if probe is not None:
                asked = Asked(probe.text, probe.vector, probe.tokens, probe.spans)
                found.append(search(snapshot, self._query(snapshot, asked), everything, 1))
        return found

    def _asked_again(self, snapshot: Snapshot, pairs: Sequence[Confirmed]) -> list[tuple[Found, bool]]:
        """What is found today for confirmed questions, where it is still the passage that was spoken of."""
        documents = frozenset(snapshot.documents.tolist())
        found = [(self.found(snapshot, pair.question, documents, 1), pair) for pair in pairs]
        return [
            (each, pair.answers)
            for each, pair in found
            if each.rows and snapshot.ids[each.rows[0][0]] == pair.passage_id
        ]

    def _query(self, snapshot: Snapshot, asked: Asked, earlier: Asked | None = None) -> Query:
        return make_query(snapshot, self._index.terms, self._synonyms, asked, earlier)

    def _ask(self, snapshot: Snapshot, question: str) -> Asked:
        text = explained(question, snapshot.words)
        text = mended(text, snapshot.words, self._embedder.is_word)
        with self._lock:
            if text in self._asked:
                self._asked.move_to_end(text)
                return self._asked[text]
        asked = _asked(text, self._embedder.read([text])[0])
        with self._lock:
            self._asked[text] = asked
            while len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
        return asked

    def _packed(self, passages: Sequence[tuple[str, Sequence[str], str]]) -> list[bytes]:
        packed: list[bytes] = []
        for start in range(0, len(passages), _READ_AT_ONCE):
            packed += self._pack_batch(passages[start : start + _READ_AT_ONCE])
        return packed

    def _pack_batch(self, passages: Sequence[tuple[str, Sequence[str], str]]) -> list[bytes]:
        spans = [sentence_spans(text) for _, _, text in passages]
        probes = [probe_text(text, own) for (_, _, text), own in zip(passages, spans, strict=True)]
        texts = [embedded_text(*passage) for passage in passages]
        readings = self._embedder.read([*texts, *(probe for probe in probes if probe)])
        of_probes = iter(readings[len(texts) :])
        packed = []
        for (_, _, text), whole, own, probe, reading in zip(
            passages, texts, spans, probes, readings, strict=False
        ):
            made = _probe(probe, next(of_probes)) if probe else None
            packed.append(pack(_vectors(own, len(whole) - len(text), reading, made)))
        return packed


def _says_something(sentence: str) -> bool:
    """Whether a sentence is more than a heading or a table's rule."""
    return not sentence.startswith("#") and any(c.isalnum() for c in sentence)


def _asked(text: str, reading: Reading) -> Asked:
    spans = np.array(reading.spans, dtype=np.int64).reshape(-1, 2)
    return Asked(text, reading.vector, project(reading.tokens), spans)


def _probe(text: str, reading: Reading) -> Probe:
    spans = np.array(reading.spans, dtype=np.uint16).reshape(-1, 2)
    return Probe(text, reading.vector, spans, project(reading.tokens))


def _vectors(
    sentences: Sequence[tuple[int, int]], offset: int, reading: Reading, probe: Probe | None
) -> PassageVectors:
    """The vectors of a passage that was read after `offset` characters of headings."""
    spans: list[tuple[int, int]] = []
    vectors: list[Floats] = []
    for start, end in sentences:
        vector = reading.span_vector(start + offset, end + offset)
        if vector is not None:
            spans.append((start, end))
            vectors.append(vector)
    return PassageVectors(
        reading.vector,
        np.array(spans, dtype=np.uint16).reshape(-1, 2),
        np.array(vectors, dtype=np.float32).reshape(-1, WIDTH),
        project(reading.tokens),
        probe,
    )
