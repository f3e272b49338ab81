"""The embedding model against vectors that sentence-transformers made of the same weights."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from benchmarks.draw_encoder import drawn
from bot.errors import SettingsError
from knowledge.embed import MAX_TOKENS, LocalEmbedder, model_folder
from knowledge.minilm import WEIGHTS

REFERENCE = Path(__file__).parents[1] / "data" / "embedding_reference.json"
"""Texts and their vectors by sentence-transformers on PyTorch 2.13, rounded to seven digits."""


@pytest.fixture(scope="module")
def embedder() -> LocalEmbedder:
    return LocalEmbedder()


def test_vectors_agree_with_the_reference(embedder: LocalEmbedder) -> None:
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    vectors = embedder.encode(reference["texts"])
    assert np.abs(vectors - np.array(reference["vectors"])).max() < 1e-5


def test_a_text_has_the_same_vector_in_any_company(embedder: LocalEmbedder) -> None:
    texts = [
        "Keep receipts.",
        "",
        "A much longer sentence about leave. " * 30,
        "Überstunden",
        "Keep receipts.",
    ]
    alone = np.concatenate([embedder.encode([text]) for text in texts])
    assert np.abs(embedder.encode(texts) - alone).max() < 1e-6
    readings = embedder.read(texts)
    assert np.abs(np.stack([reading.vector for reading in readings]) - alone).max() < 1e-6


def test_a_reading_knows_where_its_words_stand(embedder: LocalEmbedder) -> None:
    text = "Überstunden: ask first. Then log them."
    reading = embedder.read([text])[0]
    assert len(reading.tokens) == len(reading.spans)
    assert "".join(text[a:b] for a, b in reading.spans) == text.replace(" ", "")
    np.testing.assert_allclose(np.linalg.norm(reading.tokens, axis=1), 1, atol=1e-5)
    assert reading.span_vector(0, 5) is not None
    assert reading.span_vector(12, 13) is None, "a blank between words has no vector"


def test_what_is_beyond_the_models_reach_is_not_read(embedder: LocalEmbedder) -> None:
    long = "device " * (MAX_TOKENS - 2)
    assert np.array_equal(embedder.encode([long]), embedder.encode([long + "and a tail"]))


def test_several_threads_get_what_one_gets(embedder: LocalEmbedder) -> None:
    texts = [f"Rule {n}: lock the screen." for n in range(8)]
    fresh = LocalEmbedder()
    with ThreadPoolExecutor(4) as pool:
        vectors = list(pool.map(lambda text: fresh.encode([text])[0], texts))
    assert np.abs(np.stack(vectors) - embedder.encode(texts)).max() < 1e-6


def test_it_can_be_unloaded_and_used_again() -> None:
    embedder = LocalEmbedder()
    before = embedder.encode(["Lock the screen."])
    embedder.unload()
    assert np.array_equal(embedder.encode(["Lock the screen."]), before)


def test_an_installer_may_link_the_files(embedder: LocalEmbedder, tmp_path: Path) -> None:
    for file in model_folder().iterdir():
        (tmp_path / file.name).symlink_to(file)
    text = ["Lock the screen."]
    assert np.array_equal(LocalEmbedder(tmp_path).encode(text), embedder.encode(text))


def test_other_weights_are_refused() -> None:
    with pytest.raises(SettingsError, match="checksum differs"):
        LocalEmbedder(model_folder(), sha256="0" * 64).load()


def test_the_graph_is_the_one_that_is_drawn() -> None:
    kept = (files("knowledge") / "data" / "minilm.onnx").read_bytes()
    assert drawn(model_folder() / WEIGHTS) == ModelProto.FromString(kept), "python -m benchmarks.draw_encoder"
