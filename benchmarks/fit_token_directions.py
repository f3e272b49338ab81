"""Fit knowledge/data/token_directions.f2 anew: `python -m benchmarks.fit_token_directions`.

Principal components, without centring, of the token states of the sample company's policies.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from knowledge.chunk import chunk, embedded_text
from knowledge.embed import LocalEmbedder
from knowledge.projection import TOKEN_WIDTH

ROOT = Path(__file__).parents[1]
POLICIES = ROOT / "handlers" / "demo" / "sample" / "policies"
TARGET = ROOT / "knowledge" / "data" / "token_directions.f2"


def main() -> None:
    """Read the policies, keep the strongest directions, write them as half floats."""
    embedder = LocalEmbedder()
    texts = []
    for path in sorted(POLICIES.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        texts += [embedded_text("", c.heading_path, c.text) for c in chunk(text, embedder.pieces)]
    tokens = np.concatenate([reading.tokens for reading in embedder.read(texts)]).astype(np.float64)
    _, directions = np.linalg.eigh(tokens.T @ tokens)
    strongest = directions[:, ::-1][:, :TOKEN_WIDTH]
    strongest *= np.sign(strongest[np.abs(strongest).argmax(axis=0), np.arange(TOKEN_WIDTH)])
    TARGET.write_bytes(strongest.astype("<f2").tobytes())


if __name__ == "__main__":
    main()
