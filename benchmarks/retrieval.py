"""Retrieval beside bm25s and LlamaIndex's hybrid retriever, on the same passages: quality, speed, ratios.

`python -m benchmarks.retrieval DIR` over a folder in the evaluation format. The others live in an environment
of their own (var/bench-retrieval), made at the first run. LlamaIndex is given our vectors of passages and
questions, so that no embedding is counted against it; our time includes embedding the question.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.embed import LocalEmbedder
from knowledge.evaluate import EvaluationQuestion, gains_of, load_documents, load_questions, ndcg
from knowledge.minilm import WIDTH
from knowledge.port import Indexed
from knowledge.retriever import LocalRetriever
from knowledge.vectors import whole

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "var" / "bench-retrieval"
OTHERS = ("bm25s==0.3.16", "llama-index-core==0.14.25", "llama-index-retrievers-bm25==0.8.0", "PyStemmer")
Rank = Callable[[str], list[int]]


def main(folder: Path, embedder: LocalEmbedder | None = None) -> None:
    """Index, ask, compare, print."""
    embedder = embedder or LocalEmbedder()
    questions = [q for q in load_questions(folder) if q.answerable]
    documents = load_documents(folder)
    retriever = LocalRetriever(embedder)
    passages = [
        Indexed(0, number, document.title, d.heading_path, d.text, d.vectors, WIDTH)
        for number, document in enumerate(documents)
        for d in retriever.prepare(document.title, document.text)
    ]
    passages = [Indexed(n, *tuple(vars(p).values())[1:]) for n, p in enumerate(passages)]
    retriever.update(passages, [])
    names = [documents[p.document_id].name for p in passages]
    everything = frozenset(range(len(documents)))

    def ours(text: str) -> list[int]:
        snapshot = retriever.snapshot()
        found = retriever.found(snapshot, text, everything, 10)
        return [int(snapshot.ids[row]) for row, _ in found.rows]

    ours("warm up")
    results = {"stagecoach": timed(ours, questions)}
    results |= others(passages, questions, embedder)
    show(results, questions, passages, names)


def timed(rank: Rank, questions: list[EvaluationQuestion]) -> dict[str, Any]:
    """The ranks of every question and the processor's time of each, in milliseconds."""
    ranks, took = [], []
    for question in questions:
        started = time.process_time()
        ranks.append(rank(question.text))
        took.append((time.process_time() - started) * 1000)
    return {"ranks": ranks, "ms": took}


def others(
    passages: list[Indexed], questions: list[EvaluationQuestion], embedder: LocalEmbedder
) -> dict[str, dict[str, Any]]:
    """The same by the other libraries, in their own environment."""
    python = PLACE / "bin" / "python"
    if not python.exists():
        print("Installing bm25s and LlamaIndex into their own environment ...", file=sys.stderr)
        venv.create(PLACE, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *OTHERS], check=True)
    texts = [f"{p.title}\n{' > '.join(p.heading_path)}\n{p.text}" for p in passages]
    asked = [question.text for question in questions]
    material = PLACE / "material.npz"
    np.savez(material, passages=[whole(p.vectors) for p in passages], questions=embedder.encode(asked))
    (PLACE / "material.json").write_text(json.dumps({"texts": texts, "questions": asked}), encoding="utf-8")
    script = Path(__file__).with_name("retrieval_others.py")
    done = subprocess.run([python, script, PLACE], check=True, stdout=subprocess.PIPE)
    results: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return results


def show(
    results: dict[str, dict[str, Any]],
    questions: list[EvaluationQuestion],
    passages: list[Indexed],
    names: list[str],
) -> None:
    """A line each, with the ratio to ours."""
    table = {}
    for name, result in results.items():
        scores = []
        for question, ranks in zip(questions, result["ranks"], strict=True):
            found = [{"doc": names[n], "text": passages[n].text} for n in ranks]
            scores.append(ndcg(gains_of(question.gold, found), len(question.gold)))
        table[name] = float(np.mean(scores)), float(np.percentile(result["ms"], 95))
    quality, speed = table["stagecoach"]
    print(f"{len(passages)} passages, {len(questions)} questions with an answer; time of the processor")
    for name, (score, p95) in table.items():
        print(
            f"{name:14} nDCG@10 {score:.3f}  p95 {p95:7.2f} ms   ours: quality x{quality / score:.2f}, "
            f"time x{speed / p95:.2f}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
