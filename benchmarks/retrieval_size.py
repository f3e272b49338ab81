"""How fast a question is and how much memory it takes, by the size of the library.

`python -m benchmarks.retrieval_size [PASSAGES ...]` (default 5000 and 100000). The passages are those of the
sample company, repeated with a word of their own and slightly turned vectors, so that no two are alike. Run
with OPENBLAS_NUM_THREADS=1 under `taskset -c 0` for the figures of one core.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

from knowledge.bands import confidence
from knowledge.embed import LocalEmbedder
from knowledge.minilm import WIDTH
from knowledge.port import Indexed
from knowledge.retriever import LocalRetriever
from knowledge.vectors import PassageVectors, pack, unpack

POLICIES = Path(__file__).parents[1] / "handlers" / "demo" / "sample" / "policies"
QUESTIONS = (
    "May I paste customer data into a chat bot?",
    "How long are audit logs kept?",
    "who approves a new ai tool",
    "What may I spend on a hotel in Paris?",
    "hotl limit per nigth",
    "How many days of annual leave do I get in Portugal, and can I carry them over?",
    "Can I work from abroad for two weeks?",
    "Whom do I tell when my laptop is stolen?",
)
_BATCH = 2_000
_DOCUMENTS = 40


def main(sizes: list[int]) -> None:
    """Print a line for each size."""
    embedder = LocalEmbedder()
    passages = read(embedder)
    for size in sizes:
        measure(embedder, passages, size)


def read(embedder: LocalEmbedder) -> list[Indexed]:
    """A few policies as passages, and how fast that went."""
    retriever = LocalRetriever(embedder)
    embedder.encode(["warm up"])
    started = time.process_time()
    found: list[Indexed] = []
    for number, path in enumerate(sorted(POLICIES.glob("*.md"))[:8]):
        for draft in retriever.prepare(path.stem, path.read_text(encoding="utf-8").split("---", 2)[2]):
            found.append(
                Indexed(len(found), number, path.stem, draft.heading_path, draft.text, draft.vectors, WIDTH)
            )
    rate = len(found) / (time.process_time() - started)
    words = np.mean([len(p.text.split()) for p in found])
    print(f"indexing: {rate:.1f} passages a second of the processor's time, {words:.0f} words each")
    return found


def measure(embedder: LocalEmbedder, passages: list[Indexed], size: int) -> None:
    """Build an index of `size` passages, ask the questions again and again, print the 95th percentile."""
    retriever = LocalRetriever(embedder)
    chance = np.random.default_rng(1)
    building = 0.0
    for first in range(0, size, _BATCH):
        batch = [varied(passages, n, chance) for n in range(first, min(size, first + _BATCH))]
        started = time.perf_counter()
        retriever.update(batch, [])
        building += time.perf_counter() - started
        del batch  # so that it is not counted with the next one
    everything = frozenset(range(_DOCUMENTS))
    started = time.perf_counter()
    retriever.snapshot()
    building += time.perf_counter() - started
    started = time.perf_counter()
    retriever.bands(retriever.snapshot())
    limits = time.perf_counter() - started
    took, busy = [], []
    for turn in range(12):
        for question in QUESTIONS:
            started, worked = time.perf_counter(), time.process_time()
            found = retriever.found(retriever.snapshot(), f"{question} ({turn})", everything, 10)
            assert confidence(found) > 0
            took.append((time.perf_counter() - started) * 1000)
            busy.append((time.process_time() - worked) * 1000)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (p50, p95), (_, busy95) = np.percentile(took, [50, 95]), np.percentile(busy, [50, 95])
    print(
        f"{size:7} passages: p50 {p50:.1f} ms, p95 {p95:.1f} ms ({busy95:.1f} ms of the processor's time), "
        f"ready after {building:.2f} s, "
        f"limits {limits:.2f} s, peak memory {memory:.0f} MB"
    )


def varied(passages: list[Indexed], number: int, chance: np.random.Generator) -> Indexed:
    """A passage like one of `passages`, but for a word and a turn of its vector."""
    base = passages[number % len(passages)]
    own = unpack(base.vectors)
    turned = own.whole + chance.standard_normal(WIDTH).astype(np.float32) * np.float32(0.02)
    vectors = PassageVectors(turned / np.linalg.norm(turned), own.spans, own.sentences, own.tokens, own.probe)
    return Indexed(
        *(number, number % _DOCUMENTS, base.title, base.heading_path),
        *(f"{base.text} item{number % 5000}", pack(vectors), WIDTH),
    )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [5_000, 100_000])
