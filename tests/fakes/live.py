"""A surface that remembers what it was shown while an answer was made."""

from __future__ import annotations


class Watched:
    """Implements bot.live.Live."""

    reference: str | None = None

    def __init__(self) -> None:
        self.done: list[str] = []
        self.written: list[str] = []

    async def doing(self, what: str) -> None:
        self.done.append(what)

    async def write(self, text: str) -> None:
        self.written.append(text)

    @property
    def text(self) -> str:
        """All that was written, as it stands there."""
        return "".join(self.written)
