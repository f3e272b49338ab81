"""An answer while it is being made (bot.live.Live): a status, then the first finished words as a stream.

A stream is opened empty, and its name is kept with the event before any word is in it. So a process that dies
leaves either nothing to see, or a message that the next attempt knows and replaces: no words stand twice.
Words are streamed as blocks of rich text, in which nothing can act (handlers.slack.words).

Slack's rules (docs.slack.dev, chat.startStream): a stream in a direct message hangs on the question, both ids
of the recipient are needed, it ends by itself five minutes after its start; about 20 may start and about 100
pieces be added a minute. Nothing is tried again here: the whole answer comes through the outbox.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError

from bot.errors import StagecoachError, StoreUnavailable
from bot.live import KEPT
from bot.store.engine import Store
from bot.store.tables import InboxEvent
from handlers.light import cut
from handlers.slack.address import Address
from handlers.slack.clients import Clients
from handlers.slack.status import Status
from handlers.slack.words import Block, rich_elements

log = structlog.get_logger()

START_SECONDS = 3.0
"""How long the words wait for a stream to open; after that they come all at once."""

APART_SECONDS = 1.0
MOST_BLOCKS = 45
"""Slack takes 50 blocks through the pieces of a stream."""

LONGEST_TITLE = 200
AWAY = (StagecoachError, SlackClientError, aiohttp.ClientError, TimeoutError, OSError)
"""What a platform's fault may look like; it costs the show, never the answer."""


@dataclass(frozen=True)
class Shown:
    """A message that is shown live: the thread it hangs in, and its own `ts`. As text: a Live's reference."""

    thread: str
    ts: str

    def __str__(self) -> str:
        return f"{self.thread}:{self.ts}"

    @classmethod
    def parse(cls, reference: str) -> Shown:
        """Read what `str` wrote."""
        thread, _, ts = reference.partition(":")
        return cls(thread, ts)


@dataclass(frozen=True)
class Spot:
    """Where an answer belongs: in which thread of which place, to which event, for whom.

    `cards`: what is done takes long, so that each step is shown as a card; else as a status.
    """

    address: Address
    thread: str
    event_id: int
    user: str
    home: str
    cards: bool = False


class SlackLive:
    """One answer on its way. `earlier` is what an attempt before this one showed: it is replaced as it is."""

    def __init__(
        self, store: Store, clients: Clients, status: Status, spot: Spot, earlier: str | None = None
    ) -> None:
        self._store, self._clients, self._status, self._spot = store, clients, status, spot
        self.reference: str | None = earlier
        self._over = earlier is not None
        self._waiting: list[Block] = []
        self._blocks = 0
        self._steps = 0
        self._step = ""
        self._telling: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    async def doing(self, what: str) -> None:
        """Show the status, or one more card."""
        if self._over:
            return
        if self._spot.cards:
            await self._add(self._cards(what))
        elif self.reference is None:
            # Held, as a task that nobody holds may be thrown away; the next one takes its place.
            say = self._status.say(self._spot.address, self._spot.thread, _status(what))
            self._telling = asyncio.create_task(say)

    async def write(self, text: str) -> None:
        """Add a finished piece."""
        elements = rich_elements(text)
        if elements:
            await self._add([{"type": "blocks", "blocks": [{"type": "rich_text", "elements": elements}]}])

    def _cards(self, what: str) -> list[Block]:
        before = [_card(self._steps, self._step, "complete")] if self._steps else []
        self._steps, self._step = self._steps + 1, cut(what, LONGEST_TITLE)
        return [*before, _card(self._steps, self._step, "in_progress")]

    async def _add(self, chunks: list[Block]) -> None:
        self._blocks += sum(chunk["type"] == "blocks" for chunk in chunks)
        if self._over or self._blocks > MOST_BLOCKS:
            return
        if self.reference is None:
            await self._open()
        self._waiting += chunks
        if self.reference is not None and (self._following is None or self._following.done()):
            self._following = asyncio.create_task(self._follow())

    async def _open(self) -> None:
        spot = self._spot
        try:
            async with asyncio.timeout(START_SECONDS):
                client = await self._clients.of(spot.address.team)
                reply = await client.chat_startStream(
                    channel=spot.address.channel,
                    thread_ts=spot.thread,
                    recipient_user_id=spot.user,
                    recipient_team_id=spot.home,
                    task_display_mode="plan" if spot.cards else None,
                )
            reference = str(Shown(spot.thread, str(reply["ts"])))
            await self._keep(reference)
        except AWAY as error:
            self._over = True
            log.info("nothing shown live", action="slack.live", event_id=spot.event_id, kind=_kind(error))
            return
        self.reference = reference

    async def _keep(self, reference: str) -> None:
        """Note with the event what is shown, for whoever goes on with it after us."""
        async with self._store.write() as tx:
            row = await tx.get(InboxEvent, self._spot.event_id, with_for_update=True)
            if row is None:
                raise StoreUnavailable("The event is gone.")
            row.payload = {**row.payload, KEPT: reference}
            tx.add(row)

    async def _follow(self) -> None:
        """Send the pieces that wait, together, about once a second; late ones find the stream ended."""
        shown = Shown.parse(self.reference or "")
        while self._waiting and not self._over:
            chunks, self._waiting = self._waiting, []
            try:
                client = await self._clients.of(self._spot.address.team)
                channel = self._spot.address.channel
                await client.chat_appendStream(channel=channel, ts=shown.ts, chunks=chunks)
            except AWAY as error:
                # What is there stays until the whole answer takes its place.
                self._over = True
                log.info("stream cut", action="slack.live", event_id=self._spot.event_id, kind=_kind(error))
                return
            await asyncio.sleep(APART_SECONDS)


def _status(what: str) -> str:
    """ "Searching the policies" as Slack puts it after the app's name."""
    return f"is {what[:1].lower()}{what[1:].rstrip('.…')}…"


def _card(number: int, title: str, status: str) -> Block:
    return {"type": "task_update", "id": f"step-{number}", "title": title, "status": status}


def _kind(error: Exception) -> str:
    data = getattr(getattr(error, "response", None), "data", None)
    return str(data.get("error")) if isinstance(data, dict) else type(error).__name__
