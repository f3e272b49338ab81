"""The bands' limits on both databases: found once, kept, and taken over by every process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.tables import BandLimits
from knowledge.bands import Bands, Calibration
from knowledge.calibration import settle
from knowledge.confirmed import Confirmed
from tests.fakes.retriever import WordRetriever
from tests.support.company import Library, make_library


class Measuring(WordRetriever):
    """A retriever whose limits are the number of times that they were found."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.given: list[Calibration | None] = []

    def settle(self, kept: Calibration | None, pairs: Sequence[Confirmed]) -> Calibration:
        self.given.append(kept)
        if kept is not None and kept.fits(self.size, len(pairs)):
            return kept
        return Calibration(Bands(answer=1.5, closest=1.0), self.size, len(pairs))


async def test_limits_are_found_once_for_all_processes(store: Store) -> None:
    first, second = Measuring(100), Measuring(104)
    await settle(store, first)
    await settle(store, second)
    assert first.given == [None]
    assert second.given == [Calibration(Bands(1.5, 1.0), 100, 0)]
    grown = Measuring(120)
    await settle(store, grown)
    async with store.read() as session:
        row = await session.get(BandLimits, "words")
    assert row is not None
    assert row.passages == 120


async def test_limits_of_another_model_are_not_taken_over(store: Store) -> None:
    one, other = Measuring(100), Measuring(100)
    other.model = "letters"
    await settle(store, one)
    await settle(store, other)
    assert other.given == [None]


@pytest.fixture
async def library(store: Store, clock: MovableClock, tmp_path: Path) -> Library:
    return await make_library(store, clock, tmp_path)


async def test_limits_are_looked_up_once_for_each_state_of_the_library(library: Library) -> None:
    asked: list[int] = []
    library.retriever.settle = lambda kept, pairs: asked.append(len(pairs))  # type: ignore[method-assign]
    for _ in range(3):
        await library.service.search(library.people.fay, "annual leave")
    assert asked == [0]
    await library.put("bikes.md", "# Bikes\n\nBikes cost 2 euros.\n")
    await library.service.search(library.people.fay, "annual leave")
    assert asked == [0, 0]
