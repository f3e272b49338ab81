"""The door: POST /api/messages takes every activity of Teams.

A request is acknowledged only once what it holds is stored: an error here is a 503, and Teams sends again.
Redeliveries are welcome; the inbox knows them. Nothing slow happens here: the platform waits 15 seconds and
then sends again, and whoever pressed a button sees it wait.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bot.clock import Clock
from bot.config import is_loopback
from bot.errors import StoreUnavailable
from bot.store.tables import Platform
from handlers.inbox import Arrival, Inbox
from handlers.teams.incoming import Activity, Heard, tenant_of, understand
from handlers.teams.microsoft import Microsoft
from handlers.teams.trust import KeysAway, Untrusted, Verifier

log = structlog.get_logger()

MOST_BESIDE = 50


class Intake:
    """Keeps what was heard. `on_heard` is told of each new thing, beside the acknowledgement."""

    def __init__(self, inbox: Inbox, clock: Clock, on_heard: Callable[[Heard], Awaitable[None]]) -> None:
        self._inbox, self._clock, self._on_heard = inbox, clock, on_heard
        self._beside: set[asyncio.Future[None]] = set()

    async def keep(self, heard: Heard) -> None:
        """Store it, once. Raises StoreUnavailable where it could not be stored: acknowledge nothing then."""
        arrival = Arrival(Platform.TEAMS, heard.key, str(heard.address), heard.payload, self._clock())
        new = await self._inbox.record(arrival) is not None
        # In a burst the signs of life would only delay the answers.
        if new and len(self._beside) < MOST_BESIDE:
            task = asyncio.ensure_future(self._on_heard(heard))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)


class Gate:
    """The HTTP side. `anonymous`: who knocks on this machine itself needs no token. An empty `tenant` takes
    any."""

    def __init__(
        self, intake: Intake, microsoft: Microsoft, verifier: Verifier | None, anonymous: bool, tenant: str
    ) -> None:
        self._intake, self._microsoft, self._verifier = intake, microsoft, verifier
        self._anonymous, self._tenant = anonymous, tenant

    async def take(self, request: web.Request) -> web.Response:
        """Answer one request of Teams."""
        activity = await _activity(request)
        if activity is None:
            return _no("The body can't be read.", 400)
        try:
            await self._admit(request, activity)
        except Untrusted as error:
            log.warning("turned away", action="teams.untrusted", reason=str(error))
            return _no("The token is missing, wrong or too old.", 401)
        except KeysAway as error:
            log.warning("not checked, not acknowledged", action="teams.keys_away", reason=str(error))
            return _later()
        if self._tenant and tenant_of(activity) != self._tenant:
            log.warning("turned away", action="teams.foreign_tenant")
            return _no("This app serves another organisation.", 403)
        return await self._answer(activity)

    async def _admit(self, request: web.Request, activity: Activity) -> None:
        """Raises Untrusted or KeysAway."""
        if not self._microsoft.is_service(activity.get("serviceUrl")):
            raise Untrusted("The service address is not Microsoft's.")
        token = request.headers.get("Authorization")
        if self._verifier is not None and not (self._anonymous and token is None):
            await self._verifier.check(token, activity)
        elif not self._anonymous or not _of_this_machine(request):
            raise Untrusted("Without tokens only this machine is served.")

    async def _answer(self, activity: Activity) -> web.Response:
        what = understand(activity)
        if isinstance(what, Heard):
            try:
                await self._intake.keep(what)
            except StoreUnavailable as error:
                log.warning("not stored, not acknowledged", action="teams.store_away", reason=str(error))
                return _later()
            return _reply(what.body, 200)
        return _reply(what.body, what.status)


async def _activity(request: web.Request) -> Activity | None:
    """What was sent. A page in somebody's browser can't send JSON to us; so nothing else is read."""
    if request.content_type != "application/json":
        return None
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _of_this_machine(request: web.Request) -> bool:
    """Whether it was sent from here, and not through a proxy that stands here."""
    forwarded = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For"))
    return not forwarded and is_loopback(request.remote or "")


def _reply(body: Activity | None, status: int) -> web.Response:
    return web.Response(status=status) if body is None else web.json_response(body, status=status)


def _no(sentence: str, status: int) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


def _later() -> web.Response:
    return web.Response(status=503, headers={"Retry-After": "5"})
