"""A Slack that behaves: the Web API as the documentation describes it, with its limits and its refusals.

It keeps channels, messages with metadata, users, statuses and views. `refuse` plans a fault.
`slack_workspace` drives it as people do.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.slack_files import Files
from tests.fakes.slack_limits import problems
from tests.fakes.slack_streams import Refusal, Streams

TEAM, BOT, APP, TOKEN = "T0HOME", "U0BOT", "A0STAGE", "xoxb-fake"
Fault = (
    dict[str, Any] | web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]] | Exception
)


KEPT = frozenset(
    [
        "text",
        "blocks",
        "thread_ts",
        "metadata",
        "unfurl_links",
        "unfurl_media",
        "link_names",
        "parse",
        "mrkdwn",
        "files",
    ]
)
"""What a message keeps of what was given for it."""


@dataclass
class Channel:
    """A channel or a direct message, with what was said in it."""

    id: str
    members: set[str]
    archived: bool = False
    shared: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    posted_at: float = -10.0


class FakeSlack(Streams, Files):
    """The server's side. `gap` > 0 refuses a second message to a channel within so many seconds.

    `per_minute` holds how often a method may be called in a minute, where a test asks for that.
    """

    def __init__(self, gap: float = 0.0) -> None:
        super().__init__()
        self.gap = gap
        self.per_minute: dict[str, int] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.channels: dict[str, Channel] = {}
        self.statuses: list[tuple[str, str, str]] = []
        self.prompts: dict[str, list[dict[str, str]]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.triggers: dict[str, tuple[str, float]] = {}
        self.forms: dict[str, dict[str, Any]] = {}
        self.completed: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.tokens = {TOKEN: TEAM}
        self.revoked: set[str] = set()
        self.charts = True
        self.away = False
        self.codes: dict[str, str] = {}
        self.refresh: dict[str, str] = {}
        self.token_seconds = 43_200
        self.sockets: list[web.WebSocketResponse] = []
        self.acknowledged: dict[str, Any] = {}
        self._faults: list[tuple[str, Fault]] = []
        self._ids = itertools.count(1)
        self._ts = itertools.count(1)
        self.news = asyncio.Condition()

    # ── People and places ────────────────────────────────────────────────────────────────────────────────

    def add_user(self, user: str, email: str, **marks: Any) -> str:
        """A user of this workspace (or, with other `marks`, a guest or somebody from elsewhere)."""
        self.users[user] = {
            "id": user,
            "team_id": TEAM,
            "tz": "Europe/Berlin",
            "locale": "en-GB",
            "is_email_confirmed": True,
            "profile": {"email": email},
            **marks,
        }
        return user

    def add_channel(self, channel: str, *members: str, shared: bool = False) -> Channel:
        """A channel with the bot and `members` in it."""
        self.channels[channel] = Channel(channel, {BOT, *members}, shared=shared)
        return self.channels[channel]

    def direct(self, user: str) -> Channel:
        """The direct message between `user` and the bot."""
        name = f"D{user}"
        if name not in self.channels:
            self.channels[name] = Channel(name, {BOT, user})
        return self.channels[name]

    def stamp(self) -> str:
        """A new message's `ts`."""
        return f"{int(time.time())}.{next(self._ts):06d}"

    # ── Faults ───────────────────────────────────────────────────────────────────────────────────────────

    def refuse(self, method: str, fault: Fault, times: int = 1) -> None:
        """Answer the next `times` calls of `method` (or "*") with a fault."""
        self._faults += [(method, fault)] * times

    def _fault(self, method: str) -> Fault | None:
        for number, (named, fault) in enumerate(self._faults):
            if named in (method, "*"):
                del self._faults[number]
                return fault
        return None

    # ── The Web API ──────────────────────────────────────────────────────────────────────────────────────

    def app(self) -> web.Application:
        """The server as an aiohttp application."""
        app = web.Application()
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._call),
                web.get("/socket", self._socket),
                *self.routes_of_files(),
            ]
        )
        return app

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello"})
        self.sockets.append(socket)
        async with self.news:
            self.news.notify_all()
        async for frame in socket:
            if frame.type is web.WSMsgType.TEXT:
                reply = json.loads(frame.data)
                self.acknowledged[reply["envelope_id"]] = reply.get("payload")
                async with self.news:
                    self.news.notify_all()
        return socket

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        given = await _given(request)
        self.calls.append((method, given))
        if self.away:
            return await _faulty(ConnectionResetError(), request)
        fault = self._fault(method)
        if fault is not None:
            return await _faulty(fault, request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if method != "oauth.v2.access" and token not in self.tokens:
            return _no("token_revoked" if token in self.revoked else "invalid_auth")
        called = sum(name == method for name, _ in self.calls)
        if called > self.per_minute.get(method, called):
            return _busy(30)
        handler = getattr(self, "_" + method.replace(".", "_"), None)
        if handler is None:
            return _no("unknown_method")
        try:
            reply = await handler(given)
        except Refusal as refusal:
            return _no(str(refusal))
        if isinstance(reply, web.Response):
            return reply
        async with self.news:
            self.news.notify_all()
        return web.json_response({"ok": True, **reply})

    async def _auth_test(self, given: dict[str, Any]) -> dict[str, Any]:
        return {
            "team_id": TEAM,
            "user_id": BOT,
            "bot_id": "B0BOT",
            "user": "stagecoach",
            "team": "Home",
            "url": "",
        }

    async def _oauth_v2_access(self, given: dict[str, Any]) -> dict[str, Any]:
        """Exchange a code, or a refresh token, which is good for one exchange."""
        if given.get("grant_type") == "refresh_token":
            team = self.refresh.pop(given["refresh_token"], None)
            if team is None:
                raise Refusal("invalid_refresh_token")
        else:
            team = self.codes.pop(given.get("code", ""), None)
            if team is None:
                raise Refusal("invalid_code")
        number = next(self._ids)
        token, refresh = f"xoxe.xoxb-{team}-{number}", f"xoxe-{team}-{number}"
        self.tokens[token] = team
        self.refresh[refresh] = team
        return {
            "access_token": token,
            "refresh_token": refresh,
            "expires_in": self.token_seconds,
            "token_type": "bot",
            "scope": "chat:write",
            "bot_user_id": BOT,
            "app_id": APP,
            "team": {"id": team, "name": team},
            "authed_user": {"id": "UADMIN"},
        }

    async def _apps_connections_open(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"url": f"{self.url.replace('http', 'ws', 1)}/socket"}

    async def _users_info(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("user") not in self.users:
            raise Refusal("user_not_found")
        return {"user": self.users[given["user"]]}

    async def _users_lookupByEmail(self, given: dict[str, Any]) -> dict[str, Any]:
        for user in self.users.values():
            if user["profile"]["email"] == given.get("email") and not user.get("is_stranger"):
                return {"user": user}
        raise Refusal("users_not_found")

    async def _conversations_open(self, given: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(given.get("users", ""))
        if user is None or user.get("is_bot"):
            raise Refusal("user_not_found")
        return {"channel": {"id": self.direct(user["id"]).id}}

    def _writable(self, name: str) -> Channel:
        channel = self.direct(name) if name in self.users else self.channels.get(name)
        if channel is None:
            raise Refusal("channel_not_found")
        if channel.archived:
            raise Refusal("is_archived")
        if BOT not in channel.members:
            raise Refusal("not_in_channel")
        other = next(iter(channel.members - {BOT}), "")
        if channel.id.startswith("D") and self.users.get(other, {}).get("deleted"):
            raise Refusal("user_disabled")
        return channel

    async def _chat_postMessage(self, given: dict[str, Any]) -> Any:
        channel = self._writable(given.get("channel", ""))
        text, blocks = given.get("text", ""), given.get("blocks") or []
        if not text and not blocks:
            raise Refusal("no_text")
        if len(text) > 40_000:
            raise Refusal("msg_too_long")
        self._accepts(blocks)
        wait = channel.posted_at + self.gap - time.monotonic()
        if wait > 0:
            return _busy(wait)
        channel.posted_at = time.monotonic()
        message = self.post(channel, BOT, given)
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _accepts(self, blocks: list[dict[str, Any]]) -> None:
        wrong = problems(blocks)
        if "msg_blocks_too_long" in wrong:
            raise Refusal("msg_blocks_too_long")
        drawn = any(block["type"] == "data_visualization" for block in blocks)
        if wrong or (drawn and not self.charts) or not self.shows(blocks):
            raise Refusal("invalid_blocks")

    def post(self, channel: Channel, user: str, given: dict[str, Any]) -> dict[str, Any]:
        """Put a message into a channel, as the API does."""
        message = {"type": "message", "user": user, "ts": self.stamp()}
        message |= {name: value for name, value in given.items() if name in KEPT and value is not None}
        channel.messages.append(message)
        return message

    async def _conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channels.get(given.get("channel", ""))
        if channel is None:
            raise Refusal("channel_not_found")
        return self._page([m for m in channel.messages if "thread_ts" not in m], given)

    async def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self.channels.get(given.get("channel", ""))
        if channel is None:
            raise Refusal("channel_not_found")
        return self._page(
            [m for m in channel.messages if given["ts"] in (m["ts"], m.get("thread_ts"))], given
        )

    def _page(self, messages: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
        oldest = float(given.get("oldest") or 0)
        found = [m for m in reversed(messages) if float(m["ts"]) >= oldest]
        start, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
        page = found[start : start + limit]
        if not _true(given.get("include_all_metadata")):
            page = [{name: value for name, value in m.items() if name != "metadata"} for m in page]
        more = str(start + limit) if start + limit < len(found) else ""
        return {"messages": page, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    async def _assistant_threads_setStatus(self, given: dict[str, Any]) -> dict[str, Any]:
        self.statuses.append((given["channel_id"], given["thread_ts"], given["status"]))
        return {}

    async def _assistant_threads_setSuggestedPrompts(self, given: dict[str, Any]) -> dict[str, Any]:
        prompts = given["prompts"]
        self.prompts[given["channel_id"]] = json.loads(prompts) if isinstance(prompts, str) else prompts
        return {}

    async def _views_publish(self, given: dict[str, Any]) -> dict[str, Any]:
        view = _object(given["view"])
        self._check_view(view)
        if view.get("type") != "home":
            raise Refusal("invalid_arguments")
        self.homes[given["user_id"]] = view
        return {"view": {**view, "id": f"V{next(self._ids)}"}}

    async def _views_open(self, given: dict[str, Any]) -> dict[str, Any]:
        """A form opens within three seconds of the press, and once for each."""
        pressed = self.triggers.pop(given.get("trigger_id", ""), None)
        if pressed is None or time.monotonic() - pressed[1] > 3:
            raise Refusal("expired_trigger_id" if pressed else "invalid_trigger_id")
        view = _object(given["view"]) | {"id": f"V{next(self._ids)}", "user": pressed[0]}
        self._check_view(view)
        self.forms[view["id"]] = view
        return {"view": view}

    async def _views_update(self, given: dict[str, Any]) -> dict[str, Any]:
        before = self.forms.get(given.get("view_id", ""))
        if before is None:
            raise Refusal("not_found")
        view = {**_object(given["view"]), "id": before["id"], "user": before["user"]}
        self._check_view(view)
        self.forms[before["id"]] = view
        return {"view": view}

    def _check_view(self, view: dict[str, Any]) -> None:
        short = all(len(view.get(name, {}).get("text", "")) <= 24 for name in ("title", "submit", "close"))
        if problems(view.get("blocks"), "view") or not short or len(view.get("private_metadata", "")) > 3000:
            raise Refusal("invalid_arguments")

    async def _functions_completeSuccess(self, given: dict[str, Any]) -> dict[str, Any]:
        execution = given["function_execution_id"]
        if execution in self.completed:
            raise Refusal("already_completed")
        self.completed[execution] = _object(given["outputs"])
        return {}


def _object(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _true(value: Any) -> bool:
    return str(value).lower() in ("1", "true")


async def _given(request: web.Request) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        given |= await request.json()
    elif request.method == "POST":
        given |= dict(await request.post())
    return {
        name: _object(value) if name in ("blocks", "metadata") else value for name, value in given.items()
    }


async def _faulty(fault: Fault, request: web.Request) -> web.StreamResponse:
    if isinstance(fault, Exception):
        # The connection ends without a word.
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    if isinstance(fault, dict):
        return web.json_response({"ok": False, **fault})
    return await fault(request) if callable(fault) else fault


def _no(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})


def _busy(seconds: float) -> web.Response:
    return web.json_response(
        {"ok": False, "error": "ratelimited"},
        status=429,
        headers={"Retry-After": str(max(1, round(seconds + 0.5)))},
    )
