"""Long lists in pieces that a database takes in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """`items` in their order, at most `size` at a time."""
    return (items[first : first + size] for first in range(0, len(items), size))
