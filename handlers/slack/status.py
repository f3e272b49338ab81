"""The line "Stagecoach is looking it up…" under what somebody said: shown at once, changed on the way.

It is a courtesy: whatever goes wrong with it is logged and forgotten. Calls about one place go out one after
the other, so that a late one can't bring back what a reply has ended.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError

from bot.errors import StagecoachError
from handlers.slack.address import Address
from handlers.slack.clients import Clients
from handlers.slack.incoming import Heard

log = structlog.get_logger()

LOOKING = "is looking it up…"
REMEMBERED = 2_000


class Status:
    """Shows and ends the status of conversations."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._shown: dict[str, str] = {}
        self._in_turn: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def show(self, heard: Heard) -> None:
        """Say that something is being done about words that were heard in a conversation."""
        ts = heard.payload.get("thread") or heard.payload.get("ts")
        if heard.payload["kind"] == "say" and not heard.payload.get("outside") and ts:
            self._shown = dict(list(self._shown.items())[-REMEMBERED:])
            self._shown[_place(heard.address)] = str(ts)
            await self.say(heard.address, str(ts), LOOKING)

    async def say(self, address: Address, ts: str, status: str) -> None:
        """Change the status of words that are still being answered."""
        place = _place(address)
        async with self._in_turn[place]:
            if self._shown.get(place) == ts:
                await self._set(address, ts, status)

    async def end(self, address: Address) -> None:
        """A reply is there. Slack ends the status of its thread; ours may hang on the question."""
        place = _place(address)
        ts = self._shown.pop(place, None)
        if ts is None:
            return
        async with self._in_turn[place]:
            await self._set(address, ts, "")
        if place not in self._shown:
            self._in_turn.pop(place, None)

    async def _set(self, address: Address, ts: str, status: str) -> None:
        try:
            client = await self._clients.of(address.team)
            await client.assistant_threads_setStatus(channel_id=address.channel, thread_ts=ts, status=status)
        except (StagecoachError, SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("no status shown", action="slack.status", kind=type(error).__name__)


def _place(address: Address) -> str:
    return str(Address(address.team, address.channel))
