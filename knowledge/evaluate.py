"""How well passages are found, refused and quoted, on a folder of documents with questions.

The folder holds `docs.json`, `docs/*.md` and `questions.json`; `pooled.tsv` (question, document, quote),
where present, lists further relevant passages. Nothing is fitted to the questions: they are only asked.
Measures: Manning et al. 2008, "Introduction to Information Retrieval", chapter 8.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from bot.errors import InputError
from bot.store.tables import Band
from knowledge.answer import PolicyAnswer, Source, extractive
from knowledge.bands import confidence
from knowledge.port import Indexed
from knowledge.retriever import LocalRetriever

DEPTH = 10  # passages that are judged
JUDGED_WORDS = 400  # a passage is cut here before it is judged
_NO_DAY = date(2000, 1, 1)  # documents of a folder have no dates, so that today does not matter


@dataclass(frozen=True)
class Gold:
    """A passage of `doc` that holds `quote` is relevant; without a quote any passage of it is."""

    doc: str
    quote: str = ""


@dataclass(frozen=True)
class EvaluationQuestion:
    """One question. `gold` is empty where the documents have no answer."""

    id: str
    text: str
    answerable: bool
    gold: tuple[Gold, ...]


@dataclass(frozen=True)
class Asked:
    """What came back for one question."""

    question: EvaluationQuestion
    passages: tuple[dict[str, Any], ...]
    confidence: float
    answer: PolicyAnswer
    citations: tuple[dict[str, str], ...]
    took_ms: float

    def line(self) -> dict[str, Any]:
        """The line of `--per-question`."""
        return {
            "id": self.question.id,
            "passages": list(self.passages),
            "confidence": round(self.confidence, 6),
            "band": self.answer.band.value,
            "citations": list(self.citations),
            "took_ms": round(self.took_ms, 2),
        }


def evaluate(
    folder: Path,
    group: str | None = None,
    per_question: Callable[[dict[str, Any]], None] | None = None,
    retriever: LocalRetriever | None = None,
) -> dict[str, float | int | None]:
    """Index the folder, ask every question as somebody of department `group`, and measure.

    Without a group everything may be read. `per_question` gets a record of each question. A measure that has
    nothing to measure is None. InputError says what is wrong with the folder.
    """
    documents = load_documents(folder)
    questions = load_questions(folder)
    library = _Library(documents, retriever or LocalRetriever())
    asked = []
    for question in questions:
        asked.append(library.ask(question, group))
        if per_question:
            per_question(asked[-1].line())
    return {
        **measure(asked),
        "verbatim_quote_rate": library.verbatim_rate(asked),
        **_times([each.took_ms for each in asked]),
        "questions": len(questions),
        "passages": library.size,
        "index_s": round(library.index_s, 3),
    }


@dataclass(frozen=True)
class EvaluationDocument:
    """One Markdown document, and who may read it: "all" or departments."""

    name: str
    title: str
    text: str
    groups: tuple[str, ...]


class _Library:
    """A throw-away index over the documents of a folder."""

    def __init__(self, documents: Sequence[EvaluationDocument], retriever: LocalRetriever) -> None:
        self._documents = documents
        self._retriever = retriever
        self._passages: dict[int, Indexed] = {}
        started = time.perf_counter()
        for number, document in enumerate(documents):
            for draft in retriever.prepare(document.title, document.text):
                passage_id = len(self._passages)
                self._passages[passage_id] = Indexed(
                    *(passage_id, number, document.title, draft.heading_path),
                    *(draft.text, draft.vectors, draft.dimensions),
                )
        retriever.update(list(self._passages.values()), [])
        retriever.bands(retriever.snapshot())
        self.index_s = time.perf_counter() - started
        self.size = len(self._passages)

    def ask(self, question: EvaluationQuestion, group: str | None) -> Asked:
        """One question, as a person of this department gets it answered."""
        allowed = frozenset(
            number
            for number, document in enumerate(self._documents)
            if group is None or "all" in document.groups or group in document.groups
        )
        started = time.perf_counter()
        snapshot = self._retriever.snapshot()
        found = self._retriever.found(snapshot, question.text, allowed, DEPTH)
        sure = confidence(found)
        band = self._retriever.bands(snapshot).of(found)
        sources = [self._source(int(snapshot.ids[row]), score) for row, score in found.rows]
        answer = extractive(question.text, band, sources, self._retriever.decisive, _NO_DAY)
        took = (time.perf_counter() - started) * 1000
        return Asked(question, self._shown(sources), sure, answer, self._cited(answer), took)

    def verbatim_rate(self, asked: Sequence[Asked]) -> float | None:
        """The share of quotes that stand word for word in the document that they name."""
        texts = {document.name: document.text for document in self._documents}
        held = [c["quote"] in texts[c["doc"]] for each in asked for c in each.citations]
        return _mean([float(h) for h in held])

    def _source(self, passage_id: int, score: float) -> Source:
        passage = self._passages[passage_id]
        section = " › ".join(passage.heading_path)
        return Source(
            *(passage_id, passage.document_id, passage.title, section, passage.text), version=1, score=score
        )

    def _shown(self, sources: Sequence[Source]) -> tuple[dict[str, Any], ...]:
        return tuple(
            {
                "doc": self._documents[source.document_id].name,
                "section": source.section,
                "text": source.text,
                "score": round(source.score, 6),
            }
            for source in sources
        )

    def _cited(self, answer: PolicyAnswer) -> tuple[dict[str, str], ...]:
        return tuple({"doc": self._documents[c.document_id].name, "quote": c.quote} for c in answer.citations)


# ── Measures ────────────────────────────────────────────────────────────────────────────────────────────


def measure(asked: Sequence[Asked]) -> dict[str, float | None]:
    """The measures of ranking over the answerable questions, and of refusing over all."""
    with_answer = [each for each in asked if each.question.answerable]
    without = [each for each in asked if not each.question.answerable]
    gains = [gains_of(each.question.gold, each.passages) for each in with_answer]
    sizes = [len(each.question.gold) for each in with_answer]
    return {
        "ndcg@10": _mean([ndcg(g, n) for g, n in zip(gains, sizes, strict=True)]),
        "recall@5": _mean([sum(g[:5]) / n if n else 0.0 for g, n in zip(gains, sizes, strict=True)]),
        "mrr@10": _mean([next((1 / rank for rank, x in enumerate(g, 1) if x), 0.0) for g in gains]),
        "hit@5": _mean([float(any(g[:5])) for g in gains]),
        "auroc_unanswerable": auroc([a.confidence for a in with_answer], [a.confidence for a in without]),
        "false_answer_rate": _mean([float(each.answer.band is Band.ANSWER) for each in without]),
        "answered_rate": _mean([float(each.answer.band is Band.ANSWER) for each in with_answer]),
    }


def gains_of(gold: Sequence[Gold], passages: Sequence[dict[str, Any]]) -> list[int]:
    """How many entries of `gold` each passage is the first to hold."""
    left = list(gold)
    gains = []
    for passage in passages:
        words = words_of(" ".join(str(passage["text"]).split()[:JUDGED_WORDS]))
        held = [g for g in left if g.doc == passage["doc"] and f" {words_of(g.quote)} " in f" {words} "]
        held += [g for g in left if g.doc == passage["doc"] and not words_of(g.quote)]
        left = [g for g in left if g not in held]
        gains.append(len(held))
    return gains


def ndcg(gains: Sequence[int], relevant: int) -> float:
    """Normalised discounted cumulative gain of the first ten, at most 1."""
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(relevant, DEPTH) + 1))
    reached = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:DEPTH], 1))
    return min(1.0, reached / ideal) if ideal else 0.0


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """The chance that a random positive is above a random negative; ties count half."""
    if not positive or not negative:
        return None
    above, below = np.array(positive)[:, None], np.array(negative)[None, :]
    return round(float(np.mean((above > below) + 0.5 * (above == below))), 4)


def words_of(text: str) -> str:
    """The words of a text without case and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _times(took: Sequence[float]) -> dict[str, float | None]:
    if not took:
        return {"p50_ms": None, "p95_ms": None}
    p50, p95 = np.percentile(np.array(took), [50, 95])
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


# ── The folder ──────────────────────────────────────────────────────────────────────────────────────────


def load_documents(folder: Path) -> list[EvaluationDocument]:
    """The documents of a folder. Raises InputError."""
    documents = []
    for entry in _records(folder / "docs.json", ("doc", "file")):
        path = folder / "docs" / Path(str(entry["file"])).name
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} can't be read as UTF-8 text, but docs.json names it.") from error
        groups = tuple(str(group) for group in entry.get("groups") or ("all",))
        documents.append(EvaluationDocument(str(entry["doc"]), str(entry.get("title") or ""), text, groups))
    return documents


def load_questions(folder: Path) -> list[EvaluationQuestion]:
    """The questions of a folder with everything that is relevant to them. Raises InputError."""
    pooled = dict[str, list[Gold]]()
    for question, doc, quote in _pooled(folder / "pooled.tsv"):
        pooled.setdefault(question, []).append(Gold(doc, quote))
    questions = []
    for entry in _records(folder / "questions.json", ("id", "text", "answerable")):
        gold = [Gold(str(g["doc"]), str(g.get("quote") or "")) for g in entry.get("gold") or ()]
        gold += pooled.get(str(entry["id"]), [])
        questions.append(
            EvaluationQuestion(
                str(entry["id"]), str(entry["text"]), bool(entry["answerable"]), tuple(dict.fromkeys(gold))
            )
        )
    return questions


def _pooled(path: Path) -> Iterator[tuple[str, str, str]]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = line.split("\t")
        if len(parts) == 3:
            yield parts[0], parts[1], parts[2]


def _records(path: Path, required: Sequence[str]) -> list[dict[str, Any]]:
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is missing or is not JSON. An evaluation folder needs it.") from error
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise InputError(f"{path} has to be a list of objects.")
    for number, record in enumerate(records):
        if missing := [name for name in required if name not in record]:
            raise InputError(f"{path}, entry {number + 1}: {', '.join(missing)} is missing.")
    return records
