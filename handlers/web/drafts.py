"""What the page shows of an answer while it is made (bot.live.Live): what is being done, and its first words.

Kept in this process alone. The answer itself comes through the outbox; a page that is served by another
process than the one that answers shows nothing until then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.turns import Turn

_MOST = 1_000
"""People whose last draft is kept; whoever has asked longest ago goes first."""


@dataclass
class Draft:
    """An answer on its way. `text` is light Markdown and only grows."""

    event_id: int
    on_change: Callable[[], None]
    doing_now: str = ""
    text: str = ""
    reference: str | None = None

    async def doing(self, what: str) -> None:
        """Say what is being done."""
        self.doing_now = what
        self.on_change()

    async def write(self, text: str) -> None:
        """Add a finished piece of the answer."""
        self.text += text
        self.on_change()


class Drafts:
    """The last draft of each person."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._drafts: dict[int, Draft] = {}

    def open(self, turn: Turn) -> Draft:
        """Begin to show the answer to `turn`, in place of what was shown to this person before."""
        self._drafts.pop(turn.person_id, None)
        self._drafts[turn.person_id] = draft = Draft(turn.event_id, self._on_change)
        while len(self._drafts) > _MOST:
            del self._drafts[next(iter(self._drafts))]
        return draft

    def of(self, person_id: int) -> Draft | None:
        """What this person was shown last, which may be an answer that has arrived since."""
        return self._drafts.get(person_id)
