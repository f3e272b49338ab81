"""What the post office and a platform say to each other.

A platform is a `Sender`. It raises, besides what is its own fault,

    Undelivered              base of what can happen to a message on its way
    ├── Retry                not now: the platform is busy or away; it surely did not arrive
    ├── Gone                 never: the channel, the person or the token is gone, or the message was refused
    └── Uncertain            it may have arrived: the connection broke after the message was handed over
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.errors import StagecoachError
from bot.messages import Message


class Undelivered(StagecoachError):
    """A message did not surely arrive. `str(error)` is a reason for an admin; never a person's words."""


class Retry(Undelivered):
    """It surely did not arrive; worth another attempt.

    `after`: seconds that the platform asked for; `whole_platform`: it asked everybody, not this conversation.
    """

    def __init__(self, reason: str, after: float | None = None, whole_platform: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.whole_platform = whole_platform


class Gone(Undelivered):
    """No attempt will help until somebody mends something; the sentence says what.

    `unreachable`: this account can't be written to at all, so that the person's next one is used from now on.
    """

    def __init__(self, reason: str, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


class Uncertain(Undelivered):
    """It may have arrived, and only the platform's history can tell."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on its way. `delivery_id` is the same at every attempt; leave it with the platform."""

    id: int
    conversation: str
    thread: str | None
    person_id: int | None
    message: Message
    delivery_id: str
    claimed_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Pace:
    """What a platform permits: messages a second in all (None = no limit) and seconds between two messages of
    one conversation; how many may be under way at once, and how long one may take, in seconds.
    """

    per_second: float | None = None
    apart: float = 0.0
    at_once: int = 32
    timeout: float = 20.0


class Sender(Protocol):
    """A way out. Safe to call for several conversations at once."""

    pace: Pace

    async def send(self, outgoing: Outgoing) -> str:
        """Send, and return the platform's id of the message. Raises Undelivered."""
        ...

    async def find(self, outgoing: Outgoing) -> str | None:
        """Look for an earlier attempt in the platform's history, from `claimed_at` on.

        Returns its id, or None if it surely did not arrive. Raises Uncertain where the history can't be read
        at all, Retry where it can't be read now.
        """
        ...


class PageSender:
    """The page and the terminal read the outbox themselves: there a message has arrived once it is marked."""

    pace = Pace(at_once=8)

    async def send(self, outgoing: Outgoing) -> str:
        """Nothing to do but to be marked."""
        return f"page:{outgoing.id}"

    async def find(self, outgoing: Outgoing) -> str | None:
        """An attempt that was not marked did not arrive."""
        return None
