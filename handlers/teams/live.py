"""An answer while it is being made (bot.live.Live): that somebody is typing, then the first finished words.

A message is posted without any of the words, and its name is kept with the event before it gets them. So a
process that dies leaves either a line that promises nothing, or a message that the next attempt knows and
replaces. The words are put into it about once a second, each time as a whole, by whoever writes them: when
the answer is there nothing is under way that could come after it.

Teams' own streaming works in personal chats alone, for two minutes, and can't be taken up by another process.
Nothing is tried again here: the whole answer comes through the outbox.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from botbuilder.schema import ActivityTypes

from bot.errors import StoreUnavailable
from bot.live import KEPT
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import InboxEvent
from handlers.teams.activities import forms
from handlers.teams.address import Address
from handlers.teams.connector import Connector
from handlers.teams.incoming import Heard
from handlers.teams.meaning import AWAY

log = structlog.get_logger()

TYPING_APART_SECONDS = 3.0
"""How soon typing is shown again in one place. Teams ends it by itself, or when a message arrives."""

APART_SECONDS = 1.0
LONGEST_CALL = 3.0
"""How long the words wait for Teams; after that they come all at once."""

REMEMBERED = 2_000
BEGUN = Message(text="_One moment, here it comes…_")


class Typing:
    """Shows in conversations that somebody is typing."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._shown: dict[str, float] = {}

    async def heard(self, heard: Heard) -> None:
        """Something is being done about what was heard."""
        if heard.payload["kind"] in ("say", "choose"):
            await self.show(heard.payload["service_url"], str(heard.address))

    async def show(self, service_url: str, conversation: str) -> None:
        """Show it, unless it is there still. Whatever goes wrong with it is logged and forgotten."""
        now = asyncio.get_running_loop().time()
        if now - self._shown.get(conversation, -TYPING_APART_SECONDS) < TYPING_APART_SECONDS:
            return
        self._shown = {**dict(list(self._shown.items())[-REMEMBERED:]), conversation: now}
        try:
            await self._connector.send(service_url, conversation, {"type": ActivityTypes.typing})
        except AWAY as error:
            log.info("no typing shown", action="teams.typing", kind=type(error).__name__)

    def end(self, address: Address) -> None:
        """A reply is there: what is said next is answered with a sign of its own."""
        self._shown.pop(str(address), None)


@dataclass(frozen=True)
class Spot:
    """Where an answer belongs, and to which event. `shows`: its first words may be seen there."""

    service_url: str
    conversation: str
    event_id: int
    shows: bool


class TeamsLive:
    """One answer on its way. `earlier` is what an attempt before this one showed: it is replaced as it is."""

    def __init__(
        self, store: Store, connector: Connector, typing: Typing, spot: Spot, earlier: str | None = None
    ) -> None:
        self._store, self._connector, self._typing, self._spot = store, connector, typing, spot
        self.reference: str | None = earlier
        self._over = earlier is not None or not spot.shows
        self._words = ""
        self._written_at = 0.0
        self._telling: asyncio.Task[None] | None = None

    async def doing(self, what: str) -> None:
        """Show that something is going on."""
        # Held, as a task that nobody holds may be thrown away; the next one takes its place.
        show = self._typing.show(self._spot.service_url, self._spot.conversation)
        self._telling = asyncio.create_task(show)

    async def write(self, text: str) -> None:
        """Add a finished piece; what comes quickly after another waits for the next."""
        self._words += text
        if self._over:
            return
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(LONGEST_CALL):
                if self.reference is None:
                    await self._open()
                if now - self._written_at >= APART_SECONDS:
                    self._written_at = now
                    await self._put()
        except (StoreUnavailable, *AWAY) as error:
            # What is there stays until the whole answer takes its place.
            self._over = True
            log.info("cut off", action="teams.live", event_id=self._spot.event_id, kind=type(error).__name__)

    async def _open(self) -> None:
        activity = next(forms(BEGUN))
        sent = await self._connector.send(self._spot.service_url, self._spot.conversation, activity)
        await self._keep(sent)
        self.reference = sent

    async def _put(self) -> None:
        activity = next(forms(Message(kind="answer", text=self._words, written_by_model=True)))
        spot, shown = self._spot, self.reference or ""
        await self._connector.update(spot.service_url, spot.conversation, shown, activity)

    async def _keep(self, reference: str) -> None:
        """Note with the event what is shown, for whoever goes on with it after us."""
        async with self._store.write() as tx:
            row = await tx.get(InboxEvent, self._spot.event_id, with_for_update=True)
            if row is None or not reference:
                raise StoreUnavailable("The event is gone.")
            row.payload = {**row.payload, KEPT: reference}
            tx.add(row)
