"""Run by benchmarks/retrieval.py in another environment: bm25s, and LlamaIndex fusing BM25 and vectors."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import Stemmer
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import TextNode
from llama_index.retrievers.bm25 import BM25Retriever

DEPTH = 10


class Given(BaseEmbedding):
    """Embeddings that were made before."""

    table: dict[str, list[float]]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self.table[query]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self.table[text]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self.table[query]


def main(place: Path) -> None:
    """Print the ranks and times of both as JSON."""
    material = json.loads((place / "material.json").read_text(encoding="utf-8"))
    vectors = np.load(place / "material.npz")
    texts, questions = material["texts"], material["questions"]
    results = {
        "bm25s": timed(bm25s_ranker(texts), questions),
        "llama-index": timed(llama_ranker(texts, vectors, questions), questions),
    }
    print(json.dumps(results))


def timed(rank: Any, questions: list[str]) -> dict[str, Any]:
    """Ranks and milliseconds of the processor's time of each question."""
    ranks, took = [], []
    for question in questions:
        started = time.process_time()
        ranks.append(rank(question))
        took.append((time.process_time() - started) * 1000)
    return {"ranks": ranks, "ms": took}


def bm25s_ranker(texts: list[str]) -> Any:
    """bm25s with an English stemmer and its stop words."""
    stemmer = Stemmer.Stemmer("english")
    retriever = bm25s.BM25()
    retriever.index(
        bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False
    )

    def rank(question: str) -> list[int]:
        tokens = bm25s.tokenize(question, stopwords="en", stemmer=stemmer, show_progress=False)
        found, _ = retriever.retrieve(tokens, k=DEPTH, show_progress=False)
        return [int(n) for n in found[0]]

    return rank


def llama_ranker(texts: list[str], vectors: Any, questions: list[str]) -> Any:
    """LlamaIndex: BM25 and vectors, fused by relative score."""
    nodes = [
        TextNode(id_=str(n), text=text, embedding=vector.tolist())
        for n, (text, vector) in enumerate(zip(texts, vectors["passages"], strict=True))
    ]
    table = {q: v.tolist() for q, v in zip(questions, vectors["questions"], strict=True)}
    index = VectorStoreIndex(nodes, embed_model=Given(table=table))
    words = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=50)
    fused = QueryFusionRetriever(
        [index.as_retriever(similarity_top_k=50), words],
        llm=MockLLM(),
        mode="relative_score",
        num_queries=1,
        similarity_top_k=DEPTH,
        use_async=False,
    )
    return lambda question: [int(each.node.node_id) for each in fused.retrieve(question)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
