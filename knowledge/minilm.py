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
_ROWS = 128  # rows of the wide layer that fit into a core's second-level cache together with a copy

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
        for layer in self.layers:
            hidden = _apply(layer, hidden, spans)
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


def _apply(layer: Layer, hidden: Floats, spans: Sequence[tuple[int, int]]) -> Floats:
    qkv = hidden @ layer.qkv
    qkv += layer.qkv_bias
    mixed = np.empty_like(hidden)
    for start, end in spans:
        _attend(qkv[start:end], mixed[start:end])
    attended = mixed @ layer.out
    attended += layer.out_bias
    attended += hidden
    _normalise(attended, layer.norm)
    return _feed_forward(layer, attended)


def _attend(qkv: Floats, out: Floats) -> None:
    """Self-attention of one text, all heads at once; writes the mixed values to `out` (len, 384)."""
    length = len(qkv)
    query, key, value = qkv.reshape(length, 3, HEADS, _HEAD).transpose(1, 2, 0, 3)
    scores = np.matmul(query, key.transpose(0, 2, 1))
    scores -= scores.max(axis=2, keepdims=True)
    np.exp(scores, out=scores)
    mixed = np.matmul(scores, value)
    mixed /= scores.sum(axis=2, keepdims=True)
    out.reshape(length, HEADS, _HEAD)[...] = mixed.transpose(1, 0, 2)


def _feed_forward(layer: Layer, hidden: Floats) -> Floats:
    """The wide layer in blocks of rows, so that its activations never leave the cache."""
    result = np.empty_like(hidden)
    for start in range(0, len(hidden), _ROWS):
        rows = hidden[start : start + _ROWS]
        wide = rows @ layer.up
        wide += layer.up_bias
        gelu(wide)
        np.matmul(wide, layer.down, out=result[start : start + _ROWS])
    result += layer.down_bias
    result += hidden
    _normalise(result, layer.final_norm)
    return result


def gelu(x: Floats) -> None:
    """Gaussian error linear unit in place, to 6e-7 of the exact one (see _LOG_ODDS)."""
    square = np.minimum(x * x, np.float32(36))  # beyond 6 the result is x or 0 in single precision
    odds = square * _LOG_ODDS[0]
    for coefficient in _LOG_ODDS[1:-1]:
        odds += coefficient
        odds *= square
    odds += _LOG_ODDS[-1]
    odds *= x
    np.negative(np.minimum(np.maximum(odds, np.float32(-80), out=odds), np.float32(80), out=odds), out=odds)
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
