"""The pace of one conversation, against a platform that counts each request when it gets there."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.pace import Spacing

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MESSAGES = 1_000
LATE = 0.01
"""A busy process wakes up as much too late, in seconds."""


@dataclass
class Way:
    """Seconds to the platform and back, each between two bounds; one in `held_up` comes 0.3 s late."""

    there: tuple[float, float]
    back: tuple[float, float]
    held_up: float = 0.0

    def ways(self) -> Iterator[tuple[float, float]]:
        chance = random.Random(7)  # noqa: S311  (chance of a test, not a secret)
        while True:
            more = 0.3 * (chance.random() < self.held_up)
            yield chance.uniform(*self.there) + more, chance.uniform(*self.back)


def send_all(way: Way) -> tuple[float, int]:
    """(share of a message a second that was used, messages refused as too early)."""
    spacing, clock, refused = Spacing(1.0), 0.0, 0
    counted: list[float] = []
    for there, back in way.ways():
        began = clock + spacing.wait("C", clock, None, NOW) + LATE
        clock = began + there + back
        if counted and began + there < counted[-1] + 1.0:
            refused += 1
            spacing.refused()
            clock += 1.0
            continue
        counted.append(began + there)
        spacing.took("C", began, clock, NOW)
        if len(counted) == MESSAGES:
            break
    return (MESSAGES - 1) / (counted[-1] - counted[0]), refused


@pytest.mark.parametrize(
    ("way", "share"),
    [
        (Way((0.002, 0.005), (0.002, 0.01)), 0.97),
        (Way((0.02, 0.05), (0.05, 0.3)), 0.95),
        (Way((0.2, 0.23), (0.2, 0.4)), 0.95),
        (Way((0.02, 0.05), (0.1, 0.15), held_up=0.02), 0.94),
    ],
)
def test_the_permitted_rate_is_used_and_hardly_anything_refused(way: Way, share: float) -> None:
    used, refused = send_all(way)
    assert used >= share
    assert refused <= MESSAGES // 100


def test_a_refusal_widens_the_margin_and_success_narrows_it() -> None:
    spacing = Spacing(1.0)
    at_first = spacing.margin
    for _ in range(50):
        spacing.refused()
    assert spacing.margin == 1.0, "a message is never counted later than it is spaced"
    for _ in range(5_000):
        spacing.took("C", 0.0, 0.1, NOW)
    assert spacing.margin == at_first


def test_what_may_have_arrived_is_counted_from_its_end() -> None:
    spacing = Spacing(1.0)
    spacing.broke("C", 20.0, NOW)
    assert spacing.wait("C", 20.25, None, NOW) == 0.75


def test_a_message_of_another_process_is_waited_for_too() -> None:
    spacing = Spacing(1.0)
    spacing.took("C", 10.0, 10.1, NOW)
    later = NOW + timedelta(seconds=5)
    assert spacing.wait("C", 15.0, NOW, later) == 0.0
    assert spacing.wait("C", 15.0, later - timedelta(seconds=0.25), later) == 0.75
    assert spacing.wait("new here", 15.0, None, later) == 0.0
