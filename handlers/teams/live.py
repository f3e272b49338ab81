"""What is shown while an answer is being made (bot.live.Live): that somebody is typing.

Teams ends it by itself after some seconds, or when the answer arrives. It is a courtesy: whatever goes wrong
with it is logged and forgotten.
"""

from __future__ import annotations

import asyncio

import structlog
from botbuilder.schema import ActivityTypes

from handlers.teams.address import Address
from handlers.teams.connector import Connector
from handlers.teams.incoming import Heard
from handlers.teams.meaning import AWAY

log = structlog.get_logger()

APART_SECONDS = 3.0
"""How soon it is shown again in one place."""

REMEMBERED = 2_000


class Typing:
    """Shows it in conversations."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._shown: dict[str, float] = {}

    async def heard(self, heard: Heard) -> None:
        """Something is being done about what was heard."""
        if heard.payload["kind"] in ("say", "choose"):
            await self.show(heard.payload["service_url"], str(heard.address))

    async def show(self, service_url: str, conversation: str) -> None:
        """Show it, unless it is there still."""
        now = asyncio.get_running_loop().time()
        if now - self._shown.get(conversation, -APART_SECONDS) < APART_SECONDS:
            return
        self._shown = {**dict(list(self._shown.items())[-REMEMBERED:]), conversation: now}
        try:
            await self._connector.send(service_url, conversation, {"type": ActivityTypes.typing})
        except AWAY as error:
            log.info("no typing shown", action="teams.typing", kind=type(error).__name__)

    def end(self, address: Address) -> None:
        """A reply is there: what is said next is answered with a sign of its own."""
        self._shown.pop(str(address), None)


class TeamsLive:
    """One answer on its way. Its words come all at once."""

    reference: str | None = None

    def __init__(self, typing: Typing, service_url: str, conversation: str) -> None:
        self._typing, self._service_url, self._conversation = typing, service_url, conversation
        self._telling: asyncio.Task[None] | None = None

    async def doing(self, what: str) -> None:
        """Show that something is going on."""
        # Held, as a task that nobody holds may be thrown away; the next one takes its place.
        self._telling = asyncio.create_task(self._typing.show(self._service_url, self._conversation))

    async def write(self, text: str) -> None:
        """The whole answer comes through the outbox."""
