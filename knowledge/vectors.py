"""A passage's vectors as one string of bytes: the whole, its sentences, and its words for late interaction.

Numbers are rounded to one byte where only a comparison among a few candidates needs them. Layout, little
endian: a header of eight bytes (format, sentences, tokens, token width), the passage's vector as half floats,
then for each sentence where it starts and ends in the passage (two 16-bit numbers), the sentences' vectors and
the tokens' vectors as signed bytes, each row scaled so that its largest number is 127.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.minilm import WIDTH, Floats

FORMAT = 1
_HEADER = struct.Struct("<HHHH")


@dataclass(frozen=True)
class PassageVectors:
    """Unit vectors: `whole` (384,), `sentences` (n, 384) at `spans` (n, 2) of the passage, `tokens` (m, width)."""

    whole: Floats
    spans: npt.NDArray[np.uint16]
    sentences: Floats
    tokens: Floats


def pack(vectors: PassageVectors) -> bytes:
    """The bytes to keep."""
    count, (tokens, width) = len(vectors.sentences), vectors.tokens.shape
    return b"".join(
        (
            _HEADER.pack(FORMAT, count, tokens, width),
            vectors.whole.astype("<f2").tobytes(),
            vectors.spans.astype("<u2").tobytes(),
            _rounded(vectors.sentences).tobytes(),
            _rounded(vectors.tokens).tobytes(),
        )
    )


def whole(data: bytes) -> Floats:
    """Only the passage's own vector."""
    return np.frombuffer(data, "<f2", WIDTH, _HEADER.size).astype(np.float32)


def unpack(data: bytes) -> PassageVectors:
    """What `pack` was given, as closely as the bytes tell. Rows have unit length."""
    _, count, tokens, width = _HEADER.unpack_from(data)
    at = _HEADER.size + 2 * WIDTH
    spans = np.frombuffer(data, "<u2", 2 * count, at).reshape(count, 2)
    at += 4 * count
    sentences = np.frombuffer(data, np.int8, count * WIDTH, at).reshape(count, WIDTH)
    at += count * WIDTH
    rows = np.frombuffer(data, np.int8, tokens * width, at).reshape(tokens, width)
    return PassageVectors(whole(data), spans, _unit_rows(sentences), _unit_rows(rows))


def _rounded(rows: Floats) -> npt.NDArray[np.int8]:
    peak = np.abs(rows).max(axis=1, keepdims=True, initial=1e-9)
    return np.rint(rows * (127 / peak)).astype(np.int8)


def _unit_rows(rows: npt.NDArray[np.int8]) -> Floats:
    floats = rows.astype(np.float32)
    floats /= np.sqrt(np.einsum("ij,ij->i", floats, floats))[:, None] + np.float32(1e-9)
    return floats
