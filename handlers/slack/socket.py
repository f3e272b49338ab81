"""Socket Mode: the same payloads over a connection that we open. For trying things out; HTTP in production.

An envelope is acknowledged once what it holds is stored; one that is not acknowledged, Slack sends again.
"""

from __future__ import annotations

import asyncio
from time import monotonic, time

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import StoreUnavailable
from handlers.slack.gate import Intake
from handlers.slack.incoming import Answered, Heard, understand

log = structlog.get_logger()

LOOK_SECONDS = 15.0
DEAF_SECONDS = 60.0
"""A connection that answered no ping for so long is replaced, whatever it says of itself."""


class Socket(AsyncSocketModeHandler):
    """Bolt's handler, which stores before it acknowledges; `run` is a service (handlers.running.Service)."""

    def __init__(self, bolt: AsyncApp, intake: Intake, app_token: str, client: AsyncWebClient) -> None:
        super().__init__(bolt, app_token, web_client=client)
        self._intake = intake

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Take one envelope."""
        what = understand(dict(req.payload))
        if isinstance(what, Heard):
            try:
                await self._intake.keep(what)
            except StoreUnavailable as error:
                log.warning("not stored, not acknowledged", action="slack.store_away", reason=str(error))
                return
        elif not isinstance(what, Answered):
            await super().handle(client, req)
            return
        await client.send_socket_mode_response(SocketModeResponse(req.envelope_id, what.body))

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop` is set."""
        try:
            while not stop.is_set():
                try:
                    await self._stay(stop)
                except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
                    log.warning("no connection to Slack", action="slack.socket", kind=type(error).__name__)
                    await _wait(stop, LOOK_SECONDS)
        finally:
            await self.client.close()  # type: ignore[no-untyped-call]

    async def _stay(self, stop: asyncio.Event) -> None:
        await self.client.connect_to_new_endpoint(force=True)
        log.info("connected", action="slack.socket")
        since = monotonic()
        while not stop.is_set():
            await _wait(stop, LOOK_SECONDS)
            heard = self.client.last_ping_pong_time
            deaf = monotonic() - since > DEAF_SECONDS and (heard is None or time() - heard > DEAF_SECONDS)
            if deaf and not stop.is_set():
                log.warning("the connection is deaf", action="slack.socket")
                return


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
