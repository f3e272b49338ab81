"""The pace at which messages leave: a platform's rate used up, and not overstepped."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST_MARGIN = 0.03
"""Seconds by which the way to a platform may differ from one message to the next, until it shows."""

WIDENING, CALMING = 1.25, 0.998
"""What a refused message makes of the margin, and what an accepted one leaves of it: half after some 350."""

UNUSUAL = 2.0
"""A send that takes so many times the mean may have been held up on its way there."""

FORGETTING = 0.05
"""The weight of the latest send in the mean."""

REMEMBERED = 5_000
"""Conversations whose last send is kept in memory."""

ANOTHERS = timedelta(milliseconds=100)
"""A message marked so much later than our own last one was sent by another process."""


class Budget:
    """Spaces sends evenly over time, so that a platform's rate is used up and never overstepped."""

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._free_at = 0.0

    async def take(self) -> None:
        """Wait for this send's turn."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._free_at)
        self._free_at = turn + self._gap
        await asyncio.sleep(turn - now)

    def pause(self, seconds: float) -> None:
        """The platform asked everybody to wait."""
        self._free_at = max(self._free_at, asyncio.get_running_loop().time() + seconds)


@dataclass(frozen=True, slots=True)
class _Last:
    counted_by: float
    ended_at: datetime


class Spacing:
    """Keeps two messages of one conversation as far apart as the platform wants them.

    A platform counts a request at some moment between its start and its end. To count from the end is safe,
    but gives away the way there and back at every message. So we count from the start, plus a margin for a
    way that takes longer once than the next time. The margin widens when the platform refuses a message as
    too early, and shrinks again while it takes them. A send is never counted later than its end, and one that
    took unusually long is counted from there.
    """

    def __init__(self, apart: float) -> None:
        self.margin = LEAST_MARGIN
        self._apart = apart
        self._usual = 0.0
        self._last: dict[str, _Last] = {}

    def took(self, conversation: str, began: float, ended: float, now: datetime) -> None:
        """The platform took a message. `began`, `ended`: seconds of the loop's clock; `now` is its end."""
        self.margin = max(LEAST_MARGIN, self.margin * CALMING)
        took = ended - began
        self._usual += FORGETTING * (took - self._usual) if self._usual else took
        counted_by = ended if took > UNUSUAL * self._usual else min(ended, began + self.margin)
        self._remember(conversation, counted_by, now)

    def broke(self, conversation: str, ended: float, now: datetime) -> None:
        """It may have arrived, at any moment until the end."""
        self._remember(conversation, ended, now)

    def refused(self) -> None:
        """The platform refused a message as too early."""
        self.margin = min(self._apart, self.margin * WIDENING)

    def wait(self, conversation: str, clock: float, last_sent_at: datetime | None, now: datetime) -> float:
        """Seconds until the conversation may get its next message.

        `last_sent_at` is when any process marked the last one as sent; `clock` is the loop's time.
        """
        ours = self._last.get(conversation)
        by_another = last_sent_at is not None and (ours is None or last_sent_at > ours.ended_at + ANOTHERS)
        if by_another and last_sent_at is not None:
            past = (now - last_sent_at).total_seconds()
        elif ours is not None:
            past = clock - ours.counted_by
        else:
            return 0.0
        return min(self._apart, max(0.0, self._apart - past))

    def _remember(self, conversation: str, counted_by: float, now: datetime) -> None:
        if len(self._last) > REMEMBERED:
            since = counted_by - self._apart
            self._last = {key: last for key, last in self._last.items() if last.counted_by > since}
        self._last[conversation] = _Last(counted_by, now)
