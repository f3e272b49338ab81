"""The forward pass of the embedding model in NumPy: a BERT encoder, computed without padding.

The texts of a batch are laid end to end, so that the linear layers see one tall matrix and no padding is
ever multiplied; only attention goes text by text. Query, key and value are one matrix product.
Architecture: Devlin et al. 2019, "BERT", with the sizes of MiniLM-L6 (6 layers, 12 heads, 384 wide).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

HEADS = 12
WIDTH = 384
LAYERS = 6
_HEAD = WIDTH // HEADS
_EPSILON = np.float32(1e-12)  # layer_norm_eps of the model's config.json
_ROWS = 64  # rows of the wide layer whose activations fit into a core's second-level cache three times
_SHORT = 128  # tokens; the attention scores of all heads of a longer text do not fit in there
_FEW_HEADS = 3

# Minimax fit of the log-odds of the normal distribution function, log(P(x) / (1 - P(x))) = x * Q(x * x),
# on |x| < 6.5, so that gelu(x) = x * P(x) = x / (1 + exp(-x * Q(x * x))) costs one exponential. The largest
# absolute error of gelu is 6e-7 in single precision (tests/unit/test_embed.py measures it against math.erf).
_LOG_ODDS = tuple(
    np.float32(c)
    for c in (
        3.6278565e-09,
        -2.675665e-07,
        7.948142e-06,
        -1.1054678e-04,
        -6.605338e-05,
        7.26683e-02,
        1.5957686,
    )
)


@dataclass(frozen=True)
class Layer:
    """One encoder layer. Matrices are (in, out); the query part is already scaled by 1/sqrt(head width)."""

    qkv: Floats
    qkv_bias: Floats
    out: Floats
    out_bias: Floats
    norm: tuple[Floats, Floats]
    up: Floats
    up_bias: Floats
    down: Floats
    down_bias: Floats
    final_norm: tuple[Floats, Floats]


@dataclass(frozen=True)
class Encoder:
    """The weights: embedding tables and layers."""

    words: Floats
    positions: Floats
    norm: tuple[Floats, Floats]
    layers: tuple[Layer, ...]

    def forward(self, texts: Sequence[Integers]) -> list[Floats]:
        """Token ids of each text (at most 512 each) -> their last hidden states, (len, 384) each."""
        lengths = [len(ids) for ids in texts]
        bounds = np.concatenate(([0], np.cumsum(lengths)))
        spans = list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
        hidden = self.words[np.concatenate(texts)]
        hidden += self.positions[np.concatenate([np.arange(n) for n in lengths])]
        _normalise(hidden, self.norm)
        room = _Room(len(hidden))
        for layer in self.layers:
            _apply(layer, hidden, spans, room)
        return [hidden[start:end] for start, end in spans]


def load_encoder(tensors: Mapping[str, Floats]) -> Encoder:
    """The encoder from the named tensors of a Hugging Face BERT checkpoint."""
    positions = tensors["embeddings.position_embeddings.weight"]
    kinds = tensors["embeddings.token_type_embeddings.weight"]
    return Encoder(
        words=tensors["embeddings.word_embeddings.weight"],
        positions=positions + kinds[0],  # only ever one segment
        norm=_norm_of(tensors, "embeddings.LayerNorm"),
        layers=tuple(_load_layer(tensors, f"encoder.layer.{n}") for n in range(LAYERS)),
    )


def _load_layer(tensors: Mapping[str, Floats], at: str) -> Layer:
    scale = np.float32(_HEAD**-0.5)
    heads = [(_matrix(tensors, f"{at}.attention.self.{part}")) for part in ("query", "key", "value")]
    heads[0] = (heads[0][0] * scale, heads[0][1] * scale)
    out, up, down = (
        _matrix(tensors, f"{at}.{part}")
        for part in ("attention.output.dense", "intermediate.dense", "output.dense")
    )
    return Layer(
        qkv=np.ascontiguousarray(np.concatenate([weight for weight, _ in heads], axis=1)),
        qkv_bias=np.concatenate([bias for _, bias in heads]),
        out=out[0],
        out_bias=out[1],
        norm=_norm_of(tensors, f"{at}.attention.output.LayerNorm"),
        up=up[0],
        up_bias=up[1],
        down=down[0],
        down_bias=down[1],
        final_norm=_norm_of(tensors, f"{at}.output.LayerNorm"),
    )


def _matrix(tensors: Mapping[str, Floats], at: str) -> tuple[Floats, Floats]:
    return np.ascontiguousarray(tensors[f"{at}.weight"].T), tensors[f"{at}.bias"]


def _norm_of(tensors: Mapping[str, Floats], at: str) -> tuple[Floats, Floats]:
    return tensors[f"{at}.weight"], tensors[f"{at}.bias"]


class _Room:
    """Arrays that every layer writes over, so that memory is asked for once and stays in the caches."""

    def __init__(self, rows: int) -> None:
        self.qkv: Floats = np.empty((rows, 3 * WIDTH), dtype=np.float32)
        self.mixed: Floats = np.empty((rows, WIDTH), dtype=np.float32)
        self.out: Floats = np.empty((rows, WIDTH), dtype=np.float32)
        self.wide: Floats = np.empty((min(rows, _ROWS), 4 * WIDTH), dtype=np.float32)
        self.square: Floats = np.empty_like(self.wide)
        self.odds: Floats = np.empty_like(self.wide)


def _apply(layer: Layer, hidden: Floats, spans: Sequence[tuple[int, int]], room: _Room) -> None:
    """One layer over `hidden`, in place."""
    np.matmul(hidden, layer.qkv, out=room.qkv)
    room.qkv += layer.qkv_bias
    for start, end in spans:
        _attend(room.qkv[start:end], room.mixed[start:end])
    np.matmul(room.mixed, layer.out, out=room.out)
    room.out += layer.out_bias
    hidden += room.out
    _normalise(hidden, layer.norm)
    _feed_forward(layer, hidden, room)


def _attend(qkv: Floats, out: Floats) -> None:
    """Self-attention of one text, a few heads at once; writes the mixed values to `out` (len, 384)."""
    length = len(qkv)
    query, key, value = qkv.reshape(length, 3, HEADS, _HEAD).transpose(1, 2, 0, 3)
    result = out.reshape(length, HEADS, _HEAD).transpose(1, 0, 2)
    together = HEADS if length <= _SHORT else _FEW_HEADS
    for first in range(0, HEADS, together):
        heads = slice(first, first + together)
        scores = np.matmul(query[heads], key[heads].transpose(0, 2, 1))
        scores -= scores.max(axis=2, keepdims=True)
        np.exp(scores, out=scores)
        mixed = np.matmul(scores, value[heads])
        mixed /= scores.sum(axis=2, keepdims=True)
        result[heads] = mixed


def _feed_forward(layer: Layer, hidden: Floats, room: _Room) -> None:
    """The wide layer in blocks of rows, in place, so that its activations never leave the cache."""
    for start in range(0, len(hidden), _ROWS):
        rows = hidden[start : start + _ROWS]
        count = len(rows)
        wide = np.matmul(rows, layer.up, out=room.wide[:count])
        wide += layer.up_bias
        gelu(wide, room.square[:count], room.odds[:count])
        rows += np.matmul(wide, layer.down, out=room.out[:count])
        rows += layer.down_bias
    _normalise(hidden, layer.final_norm)


def gelu(x: Floats, square: Floats, odds: Floats) -> None:
    """Gaussian error linear unit in place, to 6e-7 of the exact one (see _LOG_ODDS).

    `square` and `odds` are arrays of the same shape to work in.
    """
    np.multiply(x, x, out=square)
    np.minimum(square, np.float32(36), out=square)  # beyond 6 the result is x or 0 in single precision
    np.multiply(square, _LOG_ODDS[0], out=odds)
    for coefficient in _LOG_ODDS[1:-1]:
        odds += coefficient
        odds *= square
    odds += _LOG_ODDS[-1]
    odds *= x
    np.clip(odds, np.float32(-80), np.float32(80), out=odds)
    np.negative(odds, out=odds)
    np.exp(odds, out=odds)
    odds += np.float32(1)
    x /= odds


def _normalise(rows: Floats, parameters: tuple[Floats, Floats]) -> None:
    """Layer normalisation in place (population variance)."""
    rows -= rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows)[:, None] / np.float32(rows.shape[1])
    rows /= np.sqrt(variance + _EPSILON)
    rows *= parameters[0]
    rows += parameters[1]
