"""One incoming thing -> one use case -> messages.

A button belongs to the part that made it: its id begins with that part's prefix. Free words go to whoever
waits for them (an open audit question, an owner's reply), then to whoever recognises them, and at last to the
policies: a question is what people come with most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import bindparam
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.live import Live
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import InboxEvent, Person, Platform
from bot.turns import Turn, UseCase


class Hearing(Protocol):
    """A surface's translation of a stored event."""

    async def __call__(self, event: InboxEvent) -> Turn | None:
        """Who said what; None where there is nothing to answer (an echo, a stranger)."""
        ...


class Listener(Protocol):
    """A part that may want free words."""

    async def wants(self, session: AsyncSession, turn: Turn) -> bool:
        """Whether these words are for it: because it asked, or because it recognises them."""
        ...


_ARCHIVED = select(Person.archived_at).where(Person.id == bindparam("person"))


class PlainHearing:
    """The page's and the terminal's events: they name the person and hold a text or a choice."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, event: InboxEvent) -> Turn | None:
        """The turn of somebody who is here."""
        payload = event.payload
        found = await self._store.look(_ARCHIVED, {"person": payload["person_id"]})
        if event.id is None or found != [(None,)]:
            return None
        return Turn(
            event_id=event.id,
            person_id=payload["person_id"],
            platform=event.platform.value,
            conversation=event.conversation,
            at=event.received_at,
            text=payload.get("text"),
            choice=payload.get("choice"),
            thread=payload.get("thread"),
        )


SAY = "say:"
"""A button whose id begins so stands for words: picking it is saying what follows."""


@dataclass(frozen=True)
class Routed:
    """What a part prepared for a turn (with the words of a button that stands for words)."""

    part: UseCase[Any]
    turn: Turn
    prepared: Any


class Conversation:
    """Knows the parts and who gets a turn. `parts` are asked in their order; `otherwise` takes the rest.

    `live` shows on a platform what is going on; a surface that can do so adds itself, as with `hearing`.
    """

    def __init__(
        self,
        store: Store,
        parts: Sequence[UseCase[Any]],
        otherwise: UseCase[Any],
        hearing: dict[Platform, Hearing],
        live: dict[Platform, Callable[[Turn], Live]] | None = None,
    ) -> None:
        self._store = store
        self._live = {} if live is None else live
        self._parts = {part.prefix: part for part in (*parts, otherwise)}
        self._otherwise = otherwise
        self._hearing = hearing

    async def hear(self, event: InboxEvent) -> Turn | None:
        """Who said what, by the surface's own translation, and how it is shown what is done about it."""
        turn = await self._hearing[event.platform](event)
        shows = self._live.get(event.platform)
        return turn if turn is None or shows is None else replace(turn, live=shows(turn))

    async def prepare(self, turn: Turn) -> Routed:
        """Find the part that answers, and let it do whatever takes time."""
        if turn.choice is not None and turn.choice.startswith(SAY):
            turn = replace(turn, text=turn.choice.removeprefix(SAY), choice=None)
        part = await self._part_for(turn)
        return Routed(part, turn, await part.prepare(turn))

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: object) -> list[Message]:
        """Let the part change its state and reply, in the caller's transaction."""
        assert isinstance(prepared, Routed)  # noqa: S101  (it is what `prepare` returned)
        messages: list[Message] = await prepared.part.apply(tx, prepared.turn, prepared.prepared)
        return messages

    async def _part_for(self, turn: Turn) -> UseCase[Any]:
        if turn.choice is not None:
            prefix = turn.choice.partition(":")[0]
            return self._parts.get(prefix, self._otherwise)
        async with self._store.read() as session:
            for part in self._parts.values():
                wants = getattr(part, "wants", None)
                if wants is not None and await wants(session, turn):
                    return part
        return self._otherwise
