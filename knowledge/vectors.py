"""A passage's vectors as one string of bytes: the whole, its sentences, and its words for late interaction.

Numbers are rounded to one byte where only a comparison among a few candidates needs them. Layout, little
endian: a header (format, sentences, tokens, token width, tokens and bytes of the probe), the passage's vector
as half floats, then for each sentence where it starts and ends in the passage (two 16-bit numbers), the
sentences' vectors and the tokens' vectors as signed bytes, each row scaled so that its largest number is 127.
Where there is a probe (a made-up question, see bands.py), its vector, the places of its tokens, their vectors
and its text follow.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.minilm import WIDTH, Floats

FORMAT = 2
_HEADER = struct.Struct("<HHHHHH")


@dataclass(frozen=True)
class Probe:
    """A made-up question with its unit vector (384,) and its tokens' vectors (n, width) at `spans`."""

    text: str
    vector: Floats
    spans: npt.NDArray[np.uint16]
    tokens: Floats


@dataclass(frozen=True)
class PassageVectors:
    """Unit vectors: `whole` (384,), `sentences` (n, 384) at `spans` (n, 2), `tokens` (m, width)."""

    whole: Floats
    spans: npt.NDArray[np.uint16]
    sentences: Floats
    tokens: Floats
    probe: Probe | None = None


def pack(vectors: PassageVectors) -> bytes:
    """The bytes to keep."""
    count, (tokens, width) = len(vectors.sentences), vectors.tokens.shape
    probe, text = vectors.probe, b""
    if probe is not None:
        text = probe.text.encode()
    parts = [
        _HEADER.pack(FORMAT, count, tokens, width, len(probe.tokens) if probe else 0, len(text)),
        vectors.whole.astype("<f2").tobytes(),
        vectors.spans.astype("<u2").tobytes(),
        _rounded(vectors.sentences).tobytes(),
        _rounded(vectors.tokens).tobytes(),
    ]
    if probe is not None:
        parts += [probe.vector.astype("<f2").tobytes(), probe.spans.astype("<u2").tobytes()]
        parts += [_rounded(probe.tokens).tobytes(), text]
    return b"".join(parts)


def whole(data: bytes) -> Floats:
    """Only the passage's own vector."""
    return np.frombuffer(data, "<f2", WIDTH, _HEADER.size).astype(np.float32)


def has_probe(data: bytes) -> bool:
    """Whether a probe is among them."""
    return bool(_HEADER.unpack_from(data)[5])


def unpack(data: bytes) -> PassageVectors:
    """What `pack` was given, as closely as the bytes tell. Rows have unit length."""
    _, count, tokens, width, probe_tokens, probe_bytes = _HEADER.unpack_from(data)
    reader = _Reader(data, _HEADER.size)
    vector = reader.take("<f2", WIDTH).astype(np.float32)
    spans = reader.take("<u2", 2 * count).reshape(count, 2)
    sentences = _unit_rows(reader.take("i1", count * WIDTH).reshape(count, WIDTH))
    rows = _unit_rows(reader.take("i1", tokens * width).reshape(tokens, width))
    if not probe_bytes:
        return PassageVectors(vector, spans, sentences, rows)
    asked = reader.take("<f2", WIDTH).astype(np.float32)
    places = reader.take("<u2", 2 * probe_tokens).reshape(probe_tokens, 2)
    words = _unit_rows(reader.take("i1", probe_tokens * width).reshape(probe_tokens, width))
    text = reader.take("u1", probe_bytes).tobytes().decode()
    return PassageVectors(vector, spans, sentences, rows, Probe(text, asked, places, words))


def sentence_count(data: bytes) -> int:
    """How many sentences there are vectors of."""
    count: int = _HEADER.unpack_from(data)[1]
    return count


def sentence_bytes(count: int) -> tuple[int, int]:
    """Where the sentences' vectors lie, as (first byte, bytes): a row of 384 bytes for each."""
    return _HEADER.size + 2 * WIDTH + 4 * count, count * WIDTH


def likeness_of(rows: bytes, vector: Floats) -> Floats:
    """The cosine of a unit vector to each of the rows that `sentence_bytes` points at."""
    floats = np.frombuffer(rows, np.int8).reshape(-1, WIDTH).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", floats, floats)) + np.float32(1e-9)
    likeness: Floats = (floats @ vector) / lengths
    return likeness


def tokens_of(data: bytes) -> Floats:
    """Only the tokens' vectors, (m, width)."""
    _, count, tokens, width, *_ = _HEADER.unpack_from(data)
    at = _HEADER.size + 2 * WIDTH + 4 * count + count * WIDTH
    return _unit_rows(np.frombuffer(data, np.int8, tokens * width, at).reshape(tokens, width))


class _Reader:
    """Takes arrays from the front of what is left."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def take(self, kind: str, count: int) -> npt.NDArray:  # type: ignore[type-arg]
        """The next `count` numbers of this kind."""
        found = np.frombuffer(self._data, kind, count, self._at)
        self._at += found.nbytes
        return found


def _rounded(rows: Floats) -> npt.NDArray[np.int8]:
    peak = np.abs(rows).max(axis=1, keepdims=True, initial=1e-9)
    rounded: npt.NDArray[np.int8] = np.rint(rows * (127 / peak)).astype(np.int8)
    return rounded


def _unit_rows(rows: npt.NDArray[np.int8]) -> Floats:
    floats = rows.astype(np.float32)
    floats /= np.sqrt(np.einsum("ij,ij->i", floats, floats))[:, None] + np.float32(1e-9)
    return floats
