"""One incoming thing and what a use case does with it.

A use case has two halves. `prepare` may read, search and ask a model, and takes as long as it takes; no
transaction is open meanwhile. `apply` runs inside the one transaction that also takes the replies into the
outbox and marks the event as done, so that it must be quick and see the state as it is then: what `prepare`
brought is a proposal, never a fact.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.live import UNSEEN, Live
from bot.messages import Message


@dataclass(frozen=True)
class Dropped:
    """A file that came with the words. `size` is in bytes, as the platform says.

    `read` brings its bytes, when they are wanted; it raises InputError where they can't be had.
    """

    name: str
    size: int
    read: Callable[[], Awaitable[bytes]] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Turn:
    """What one known person said or picked.

    Exactly one of `text` and `choice` is set. `choice` is the id of a Choice that we sent, as it came back.
    `event_id` is the inbox row; `thread` names the thread within the conversation where the surface has
    threads; `public` is true where others read along (a channel). `files` came with the words, which may
    be empty then. `live` shows what is going on while `prepare` runs. `seen` is for the part that said it
    wants these words: what it read to know that, so that its `prepare` need not read it again.
    """

    event_id: int
    person_id: int
    platform: str
    conversation: str
    at: datetime
    text: str | None = None
    choice: str | None = None
    thread: str | None = None
    public: bool = False
    files: tuple[Dropped, ...] = ()
    live: Live = field(default=UNSEEN, compare=False, repr=False)
    seen: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


Prepared = TypeVar("Prepared")


class UseCase(Protocol[Prepared]):
    """A part of the coach that takes turns. `prefix` is what its choice ids begin with, up to the colon."""

    prefix: str

    async def prepare(self, turn: Turn) -> Prepared:
        """Read, search, ask a model; nothing is changed."""
        ...

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """Change the state in the caller's transaction and return what to say, in order."""
        ...
