"""Sentences as vectors from their words alone, for where a pass of the embedding model would take too long.

A text is the mean of its word pieces' input vectors in the embedding model, the frequent ones counted less.
Word order is lost, which a whole passage needs and a short answer beside a few examples hardly does: 0.2 ms
where the model takes twelve (docs/audit.md has the comparison).
Source: Arora, Liang, Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings", with their
a = 0.001 and without the common component, whose removal made no difference here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from knowledge.embed import LocalEmbedder
from knowledge.minilm import WEIGHTS, WIDTH, Floats

_TENSOR = "embeddings.word_embeddings.weight"
_FIRST_WORD = 1996
"""Id of "the". Before it stand markers, signs and single letters; from it on words, commonest first."""
_SMOOTHING = 0.001


class WordVectors:
    """The word vectors of the local embedding model, 47 MB that are mapped, not read."""

    def __init__(self, embedder: LocalEmbedder) -> None:
        self._embedder = embedder
        self._loaded: tuple[Tokenizer, Floats, Floats] | None = None

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, (len(texts), 384); zeros for a text without a word. The first call loads the model;
        SettingsError if there is none.
        """
        if self._loaded is None:
            tokenizer, _ = self._embedder.load()
            vectors = word_vectors(self._embedder.folder)
            self._loaded = tokenizer, _weights(len(vectors)), vectors
        tokenizer, weights, vectors = self._loaded
        made = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for n, text in enumerate(texts):  # A batch would be handed to threads, one text or many.
            pieces = tokenizer.encode(text, add_special_tokens=False).ids
            made[n] = weights[pieces] @ vectors[pieces]
        length: Floats = np.linalg.norm(made, axis=1, keepdims=True)
        return np.divide(made, length, out=made, where=length > 0)


def word_vectors(folder: Path) -> Floats:
    """The input vectors of the vocabulary, (pieces, 384), mapped from the model's file.

    Source: the README of safetensors, "Format".
    """
    path = folder / WEIGHTS
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        entry = json.loads(file.read(size))[_TENSOR]
    return np.memmap(
        path, dtype="<f4", mode="r", offset=8 + size + entry["data_offsets"][0], shape=tuple(entry["shape"])
    )


def _weights(pieces: int) -> Floats:
    """What each piece counts: a / (a + p), with p by Zipf's law from its place in the vocabulary."""
    rank = np.arange(1, pieces - _FIRST_WORD + 1)
    often = 1 / (rank * np.log(len(rank)))
    weights = np.zeros(pieces, dtype=np.float32)
    weights[_FIRST_WORD:] = _SMOOTHING / (_SMOOTHING + often)
    return weights
