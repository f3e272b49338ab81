"""The door: POST /slack/events takes events, interactions and slash commands.

A request is acknowledged only once what it holds is stored. Bolt acknowledges before its listeners run and
swallows what goes wrong in them, so that an event could be lost: here an error is a 503, and Slack sends
again. Redeliveries are welcome; the inbox knows them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from sqlmodel import col, select

from bot.clock import Clock
from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.tables import InboxEvent, Platform
from handlers.inbox import Arrival, Inbox
from handlers.slack.incoming import Answered, Heard, Payload, understand

log = structlog.get_logger()

MOST_BESIDE = 50


class Intake:
    """Keeps what was heard. `on_heard` is told of each new thing, beside the acknowledgement."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        clock: Clock,
        on_heard: Callable[[Heard], Awaitable[None]] | None = None,
    ) -> None:
        self._store, self._inbox, self._clock, self._on_heard = store, inbox, clock, on_heard
        self._beside: set[asyncio.Task[None]] = set()

    async def keep(self, heard: Heard) -> None:
        """Store it, once. Raises StoreUnavailable where it could not be stored: acknowledge nothing then."""
        if heard.in_known_thread and not await self._known(str(heard.address)):
            return
        arrival = Arrival(Platform.SLACK, heard.key[:200], str(heard.address), heard.payload, self._clock())
        new = await self._inbox.record(arrival) is not None
        # In a burst the signs of life would only delay the answers.
        if new and self._on_heard is not None and len(self._beside) < MOST_BESIDE:
            task = asyncio.ensure_future(self._on_heard(heard))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)

    async def _known(self, conversation: str) -> bool:
        """Whether this person has spoken to us in this thread before."""
        before = select(InboxEvent.id).where(col(InboxEvent.conversation) == conversation).limit(1)
        async with self._store.read() as session:
            return (await session.exec(before)).first() is not None


class Gate:
    """The HTTP side. `bolt` takes what needs no keeping: the opened App Home, shortcuts that open a form."""

    def __init__(self, intake: Intake, bolt: AsyncApp, signing_secret: str) -> None:
        self._intake, self._bolt = intake, bolt
        self._verifier = SignatureVerifier(signing_secret)

    async def take(self, request: web.Request) -> web.Response:
        """Answer one request of Slack."""
        raw = await request.read()
        if not self._signed(raw, request):
            return web.json_response({"error": "The signature is missing, wrong or too old."}, status=401)
        try:
            body = parsed(raw, request.content_type)
        except ValueError:
            return web.json_response({"error": "The body can't be read."}, status=400)
        return await self._answer(body)

    def _signed(self, raw: bytes, request: web.Request) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            return bool(self._verifier.is_valid_request(raw, headers))
        except (ValueError, TypeError):
            return False

    async def _answer(self, body: Payload) -> web.Response:
        what = understand(body)
        if isinstance(what, Heard):
            try:
                await self._intake.keep(what)
            except StoreUnavailable as error:
                log.warning("not stored, not acknowledged", action="slack.store_away", reason=str(error))
                return web.Response(status=503, headers={"Retry-After": "5"})
            return _reply(what.body)
        if isinstance(what, Answered):
            return _reply(what.body)
        return await to_aiohttp_response(await dispatch(self._bolt, body))


async def dispatch(bolt: AsyncApp, body: Payload) -> BoltResponse:
    """Give a payload that was read already to Bolt's listeners."""
    return await bolt.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))


def _reply(body: Payload | None) -> web.Response:
    return web.Response() if body is None else web.json_response(body)


def parsed(raw: bytes, content_type: str) -> Payload:
    """The payload of a request: JSON, a form with JSON in `payload`, or a form. Raises ValueError."""
    text = raw.decode()
    if content_type == "application/json":
        body = json.loads(text)
    else:
        form = dict(parse_qsl(text, keep_blank_values=True))
        body = json.loads(form["payload"]) if "payload" in form else form
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body
