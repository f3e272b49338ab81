"""What a person sees while an answer is being made: what is being done, and the first finished words.

All of it is a courtesy. The answer itself goes through the outbox, whole, in the end: it takes the place of
what was shown live. So a surface may lose any of this, and nothing here raises for a platform's faults.
"""

from __future__ import annotations

from typing import Protocol


class Live(Protocol):
    """One answer on its way, on one surface."""

    @property
    def reference(self) -> str | None:
        """The surface's name of the message with the words written so far; None where there is none."""
        ...

    async def doing(self, what: str) -> None:
        """Say what is being done, in a few words such as "Searching the policies"."""
        ...

    async def write(self, text: str) -> None:
        """Add a finished piece of the answer (light Markdown): checked, and never taken back."""
        ...


class Unseen:
    """For surfaces that show nothing until the answer is there."""

    reference: str | None = None

    async def doing(self, what: str) -> None:
        """Nothing is shown."""

    async def write(self, text: str) -> None:
        """Nothing is shown."""


UNSEEN = Unseen()
