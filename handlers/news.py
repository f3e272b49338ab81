"""Telling whoever waits, within this process, that something new is there."""

from __future__ import annotations

import asyncio


class News:
    """A bell that counts. `ring` wakes everybody who waits; nobody has to listen."""

    def __init__(self) -> None:
        self.number = 0
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait now."""
        self.number += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Wait for the next ring, `seconds` at most. Returns whether it rang."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True

    async def wait_beyond(self, since: int, seconds: float) -> int:
        """The number of the latest ring: at once where it is not `since`, else after the next or in time."""
        if self.number == since:
            await self.wait(seconds)
        return self.number
