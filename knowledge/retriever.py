"""The library's index and its embedding model as one: what `knowledge.port.Retriever` asks for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from knowledge.bands import CONFIRMED, PROBES, Bands, Calibration, limits, probe_text
from knowledge.chunk import chunk, embedded_text
from knowledge.confirmed import Confirmed
from knowledge.decisive import ReadPassage, decisive
from knowledge.embed import MODEL_NAME, LocalEmbedder, Reading
from knowledge.index import Index, Snapshot
from knowledge.minilm import WIDTH, Floats
from knowledge.passages import PassageDraft
from knowledge.port import Indexed, Likeness, Ranked
from knowledge.product_names import explained
from knowledge.projection import project
from knowledge.query import Asked, Query, has_own_subject, make_query, resolve, without_courtesy
from knowledge.rereading import read_alone
from knowledge.search import Found, search
from knowledge.sentences import sentence_spans
from knowledge.spelling import mended
from knowledge.synonyms import Synonyms
from knowledge.vectors import FORMAT, PassageVectors, Probe, pack

_REMEMBERED = 256  # questions whose vectors are kept
_READ_AT_ONCE = 64  # passages embedded together, so that a long document needs little memory


class LocalRetriever:
    """Everything on this machine. One instance per process; calls may come from several threads."""

    def __init__(self, embedder: LocalEmbedder | None = None) -> None:
        self.model = f"{MODEL_NAME}/{FORMAT}"
        self._embedder = embedder or LocalEmbedder()
        self._index = Index()
        self._synonyms = Synonyms(self._index.terms.of)
        self._lock = threading.Lock()
        self._calibrating = threading.Lock()
        self._asked: OrderedDict[tuple[str, str], Asked] = OrderedDict()
        self._calibration: Calibration | None = None
        self._last: tuple[Snapshot, tuple[str, str | None], Query] | None = None

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
        self._last = None  # it holds on to a snapshot
        self._index.update(added, removed)

    def search(
        self,
        question: str,
        documents: frozenset[int],
        limit: int,
        earlier: Sequence[str] = (),
        likeness: Likeness | None = None,
    ) -> Ranked:
        """See `knowledge.port.Retriever`."""
        snapshot = self._index.snapshot()
        meant = likeness(snapshot.ids) if likeness is not None else None
        found = self.found(snapshot, question, documents, limit, earlier, meant)
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
        meant: Floats | None = None,
    ) -> Found:
        """What `search` ranks by, with the parts of its confidence."""
        allowed = np.isin(snapshot.documents, np.fromiter(documents, np.int64, len(documents)))
        query = self._question(snapshot, question, earlier)
        return read_alone(snapshot, query, search(snapshot, query, allowed, limit, meant), self._embedder)

    def _question(self, snapshot: Snapshot, question: str, earlier: Sequence[str]) -> Query:
        """A question as the search needs it, with the one before where it leans on that. The last one is
        remembered: after the search it is wanted again for each passage that is quoted."""
        before = resolve(question, earlier)
        known, words, query = self._last or (None, None, None)
        if query is None or known is not snapshot or words != (question, before):
            query = self._query(snapshot, self._ask(snapshot, question, before))
            self._last = snapshot, (question, before), query
        return query

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

    def decisive(self, question: str, passage: str, earlier: Sequence[str] = ()) -> list[str]:
        """The sentences of a passage that decide the question, best first, each a slice of it. A follow-up
        that says what it is about is decided by that: "and flights?" is about flights."""
        snapshot = self._index.snapshot()
        query = self._question(snapshot, question, () if has_own_subject(question) else earlier)
        if not passage.strip():
            return []

        def terms(text: str) -> frozenset[int]:
            known = snapshot.vocabulary
            return frozenset(known[term] for term in self._index.terms.of(text) if term in known)

        return decisive(query, self._read(snapshot, passage), terms)

    def _read(self, snapshot: Snapshot, passage: str) -> ReadPassage:
        """A passage as it was read when it was indexed, or as it is read now where it is not there."""
        row = snapshot.texts.get(hash(passage))
        if row is None:
            vectors = _vectors(sentence_spans(passage), 0, self._embedder.read([passage])[0], None)
            whole, start = passage, 0
        else:
            vectors, (whole, start) = snapshot.details(row), snapshot.text(row)
        starts = np.array([first - start for first, _ in self._embedder.pieces([whole])[0]], dtype=np.int64)
        spans = [(int(first), int(last)) for first, last in vectors.spans]
        words = vectors.tokens[: len(starts)]
        return ReadPassage(passage, spans, vectors.sentences, words, starts[: len(words)], whole[:start])

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

    def _query(self, snapshot: Snapshot, asked: Asked) -> Query:
        return make_query(snapshot, self._index.terms, self._synonyms, asked)

    def _ask(self, snapshot: Snapshot, question: str, before: str | None = None) -> Asked:
        """A question as the model reads it, in one go with what it leans on: so "and in my first year?"
        comes to be about leave."""
        own = self._clear(snapshot, question)
        text = f"{own} {self._clear(snapshot, before)}" if before else own
        with self._lock:
            if (text, own) in self._asked:
                self._asked.move_to_end((text, own))
                return self._asked[text, own]
        asked = replace(_asked(text, self._embedder.read([text])[0]), own=len(own))
        with self._lock:
            self._asked[text, own] = asked
            while len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
        return asked

    def _clear(self, snapshot: Snapshot, question: str) -> str:
        """A question without courtesy, names of products explained and slips mended."""
        text = explained(without_courtesy(question), snapshot.words)
        return mended(text, snapshot.words, self._embedder.is_word)

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
