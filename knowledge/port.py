"""What the library needs from an index: a port, so that the index can be built and tested on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from bot.store.tables import Band
from knowledge.confirmed import Confirmed
from knowledge.passages import PassageDraft

if TYPE_CHECKING:  # bands.py needs the index, which needs this module
    from knowledge.bands import Calibration

Likeness = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32] | None]
"""Passage ids -> how near each is to a question (cosine); None where not all of them are known."""


@dataclass(frozen=True)
class Indexed:
    """A passage as the index takes it in, with the vectors that `Retriever.prepare` made of it."""

    passage_id: int
    document_id: int
    title: str
    heading_path: tuple[str, ...]
    text: str
    vectors: bytes
    dimensions: int


@dataclass(frozen=True)
class Ranked:
    """Passages by rank, as (passage id, score), and how sure it is that the first one answers."""

    hits: tuple[tuple[int, float], ...]
    band: Band


class Retriever(Protocol):
    """The index and the model that embeds for it. Calls may take long and come from several threads."""

    model: str

    def prepare(self, title: str, text: str) -> list[PassageDraft]:
        """The passages of a document with their vectors."""
        ...

    def vectors(self, title: str, heading_path: Sequence[str], text: str) -> tuple[bytes, int]:
        """The vectors of one passage, for one that has none of this model yet."""
        ...

    def update(self, added: Sequence[Indexed], removed: Sequence[int]) -> None:
        """Take passages in and out."""
        ...

    def search(
        self,
        question: str,
        documents: frozenset[int],
        limit: int,
        earlier: Sequence[str] = (),
        likeness: Likeness | None = None,
    ) -> Ranked:
        """The best passages of `documents` only; `earlier` are the questions before in the thread.

        `likeness`: what another model says of the passages, for their order in place of the own one's.
        """
        ...

    def settle(self, kept: Calibration | None, pairs: Sequence[Confirmed]) -> Calibration | None:
        """Find the limits between the bands, or take the kept ones where they still fit. Returns those in
        force, None where the index has none. `pairs` are what people have confirmed, oldest first."""
        ...

    def decisive(self, question: str, passage: str, earlier: Sequence[str] = ()) -> list[str]:
        """The sentences of a passage that decide the question, best first, each a slice of it; those that
        come nowhere near the best are left out."""
        ...
