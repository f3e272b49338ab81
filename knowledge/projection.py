"""Token vectors made small: the 128 directions in which the words of policies differ most.

A principal component analysis over the model's token states of the sample company's policies. Late
interaction on the projected vectors orders passages as well as on all 384 numbers (docs/retrieval.md).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np

from knowledge.minilm import WIDTH, Floats

TOKEN_WIDTH = 128


@lru_cache(maxsize=1)
def _directions() -> Floats:
    data = (files("knowledge") / "data" / "token_directions.f2").read_bytes()
    return np.frombuffer(data, "<f2").astype(np.float32).reshape(WIDTH, TOKEN_WIDTH)


def project(tokens: Floats) -> Floats:
    """(n, 384) token vectors -> (n, 128) unit vectors."""
    small = tokens @ _directions()
    small /= np.linalg.norm(small, axis=1, keepdims=True) + np.float32(1e-9)
    return small
