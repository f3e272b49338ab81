"""A chat platform that misbehaves on purpose, keeps a history, and notices who is too fast."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from scheduler.sending import Gone, Outgoing, Pace, Retry, Uncertain


@dataclass(frozen=True)
class Faults:
    """Shares of the requests that go wrong. Dropped: refused by a broken line; hung: taken, but no answer."""

    busy: float = 0.0
    error: float = 0.0
    dropped: float = 0.0
    hung: float = 0.0


BAD = Faults(busy=0.20, error=0.05, dropped=0.05, hung=0.02)
"""The bad platform of the reliability table."""


@dataclass
class FakePlatform:
    """Implements scheduler.sending.Sender. `history` is what really arrived, by conversation."""

    pace: Pace = field(default_factory=lambda: Pace(at_once=32, timeout=1.0))
    faults: Faults = field(default_factory=Faults)
    retry_after: float = 0.05
    latency: float = 0.0
    readable: bool = True
    gone: frozenset[str] = frozenset()
    slow: frozenset[str] = frozenset()
    seed: int = 1

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311  (chance of a test, not a secret)
        self.history: dict[str, list[str]] = defaultdict(list)
        self.times: dict[str, list[float]] = defaultdict(list)
        self.not_before: dict[str, float] = {}
        self.too_early = 0
        self.requests = 0

    @property
    def arrived(self) -> Counter[str]:
        """How often each delivery arrived."""
        return Counter(id_ for ids in self.history.values() for id_ in ids)

    async def send(self, outgoing: Outgoing) -> str:
        """Take the message, or go wrong."""
        now = asyncio.get_running_loop().time()
        self.requests += 1
        conversation = outgoing.conversation
        if now < self.not_before.get(conversation, 0.0):
            self.too_early += 1
        if conversation in self.gone:
            raise Gone("The channel is archived.", unreachable=True)
        if conversation in self.slow:
            await asyncio.sleep(60)
        await asyncio.sleep(self.latency)
        self._go_wrong(outgoing, now)
        self._take(outgoing, now)
        return f"ts-{outgoing.delivery_id}"

    def _take(self, outgoing: Outgoing, now: float) -> None:
        self.history[outgoing.conversation].append(outgoing.delivery_id)
        self.times[outgoing.conversation].append(now)

    def _go_wrong(self, outgoing: Outgoing, now: float) -> None:
        dice, faults = self.chance.random(), self.faults
        if (dice := dice - faults.busy) < 0:
            self.not_before[outgoing.conversation] = now + self.retry_after
            raise Retry("The platform is busy.", after=self.retry_after)
        if (dice := dice - faults.error) < 0:
            raise Retry("The platform has an error.")
        if (dice := dice - faults.dropped) < 0:
            raise Uncertain("The line broke.")
        if dice - faults.hung < 0:
            self._take(outgoing, now)
            raise Uncertain("No answer in time.")

    async def find(self, outgoing: Outgoing) -> str | None:
        """Look into the history, where it may be read."""
        if not self.readable:
            raise Uncertain("The history can't be read.")
        known = outgoing.delivery_id in self.history[outgoing.conversation]
        return f"ts-{outgoing.delivery_id}" if known else None
