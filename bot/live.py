"""What a person sees while an answer is being made: what is being done, and the first finished words.

All of it is a courtesy. The answer itself goes through the outbox, whole, in the end: it takes the place of
what was shown live. So a surface may lose any of this, and nothing here raises for a platform's faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.messages import Message

KEPT = "live"
"""Where a stored event's payload keeps the reference of what was shown, for whoever goes on with it."""


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


def in_place(messages: Sequence[Message], shown: str | None) -> list[Message]:
    """The messages, of which the first takes the place of what was shown live, if anything was."""
    if shown is None or not messages:
        return list(messages)
    return [messages[0].model_copy(update={"continues": shown}), *messages[1:]]
