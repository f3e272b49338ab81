"""Rows and headers of tables among the sentences of a passage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.minilm import Floats
from knowledge.quantities import Quantity

Span = tuple[int, int]
"""The first character of a sentence, item or row, and the one behind its last."""


def is_row(text: str, span: Span) -> bool:
    """Whether a sentence of a passage is a row of a table."""
    return text.startswith("|", span[0])


def is_header(text: str, spans: Sequence[Span], n: int) -> bool:
    """Whether the sentence `n` is the header of a table: a rule follows it."""
    if n + 1 == len(spans) or not (is_row(text, spans[n]) and is_row(text, spans[n + 1])):
        return False
    return not set(text[slice(*spans[n + 1])]) - set("|:- \t")


def quantities_held(
    quantity: Quantity,
    text: str,
    spans: Sequence[Span],
    headings: str = "",
    wanted: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """For each sentence of a passage how far it holds a quantity, 0..1; headings and headers hold none.

    A row is read with its table's header, which is the last of the `headings` where the passage begins inside
    a table. Only the sentences that `wanted` marks are looked at, where it is given.
    """
    held = np.zeros(len(spans), dtype=np.float32)
    header = headings
    for n, span in enumerate(spans):
        if not is_row(text, span):
            header = ""
        elif is_header(text, spans, n):
            header = text[slice(*span)]
            continue
        if (wanted is None or wanted[n]) and not text.startswith("#", span[0]):
            held[n] = quantity.held(text[slice(*span)], header)
    return held
