""" "Is looking it up …": the sign of life while an answer is on its way. Losing it harms nobody."""

from __future__ import annotations

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

    async def show(self, heard: Heard) -> None:
        """Say that something is being done about words that were heard in a conversation."""
        ts = heard.payload.get("thread") or heard.payload.get("ts")
        if heard.payload["kind"] != "say" or heard.payload.get("outside") or not ts:
            return
        place = str(Address(heard.address.team, heard.address.channel))
        self._shown = dict(list(self._shown.items())[-REMEMBERED:])
        self._shown[place] = str(ts)
        await self._set(heard.address, str(ts), LOOKING)

    async def end(self, address: Address) -> None:
        """A reply is there. Slack ends the status of its thread; ours may hang on the question."""
        ts = self._shown.pop(str(Address(address.team, address.channel)), None)
        if ts is not None:
            await self._set(address, ts, "")

    async def _set(self, address: Address, ts: str, status: str) -> None:
        try:
            client = await self._clients.of(address.team)
            await client.assistant_threads_setStatus(channel_id=address.channel, thread_ts=ts, status=status)
        except (StagecoachError, SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("no status shown", action="slack.status", kind=type(error).__name__)
