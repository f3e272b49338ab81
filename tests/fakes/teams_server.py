"""A Bot Connector service that behaves: conversations, members, tokens, keys, its limits and its refusals.

It keeps chats and channels with what was said in them. `refuse` plans a fault. `teams_chats` drives it as
people do.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

TENANT = "5e1f0000-0000-4000-8000-000000000001"
APP, PASSWORD = "1f0c3d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f", "fake-app-password"
BOT = f"28:{APP}"
KEY_ID = "key-1"
LARGEST = 100 * 1024
ISSUER = "https://api.botframework.com"
_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

Fault = web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]] | Exception


@dataclass
class Chat:
    """A personal chat, a group chat or a channel. A thread of a channel is part of it."""

    id: str
    kind: str
    members: set[str] = field(default_factory=set)
    blocked: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    posted_at: float = -10.0


class FakeTeams:
    """The server's side. `gap` > 0 refuses a second message to a conversation within so many seconds."""

    def __init__(self, gap: float = 0.0) -> None:
        self.gap = gap
        self.url = ""
        self.users: dict[str, dict[str, Any]] = {}
        self.chats: dict[str, Chat] = {}
        self.installed: set[str] = set()
        self.typing: list[str] = []
        self.calls: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.tokens_asked = 0
        self.password = PASSWORD
        self.anonymous = False
        self.keys_asked = 0
        self.keys_away = False
        self.endorsements = ["msteams", "webchat"]
        self.key = _KEY
        self.files: dict[str, bytes] = {}
        self.news = asyncio.Condition()
        self._faults: list[tuple[str, Fault]] = []
        self._ids = itertools.count(1_700_000_000_000)

    @property
    def service_url(self) -> str:
        """What activities name as the address to answer at."""
        return f"{self.url}/emea/"

    # ── People and places ────────────────────────────────────────────────────────────────────────────────

    def add_user(self, user: str, email: str, **marks: Any) -> str:
        """Somebody with an account (or, with other `marks`, a guest), for whom the app is installed."""
        self.users[user] = {
            "id": f"29:{user}",
            "name": user,
            "aadObjectId": f"aad-{user}",
            "email": email,
            "userPrincipalName": f"{user}@home.example",
            "tenantId": TENANT,
            "userRole": "user",
            **marks,
        }
        self.installed.add(user)
        return user

    def add_channel(self, channel: str, *members: str, kind: str = "channel") -> Chat:
        """A channel or a group chat with the app and `members` in it."""
        self.chats[channel] = Chat(channel, kind, set(members))
        return self.chats[channel]

    def personal(self, user: str) -> Chat:
        """The chat between `user` and the app."""
        return self.chats.setdefault(f"a:1-{user}", Chat(f"a:1-{user}", "personal", {user}))

    def stamp(self) -> str:
        """A new activity's id."""
        return str(next(self._ids))

    # ── Faults ───────────────────────────────────────────────────────────────────────────────────────────

    def refuse(self, what: str, fault: Fault, times: int = 1) -> None:
        """Answer the next `times` calls of `what` (send, update, member, open, token) with a fault."""
        self._faults += [(what, fault)] * times

    async def _fault(self, what: str, request: web.Request) -> web.StreamResponse | None:
        for number, (named, fault) in enumerate(self._faults):
            if named == what:
                del self._faults[number]
                if isinstance(fault, Exception):
                    assert request.transport is not None
                    request.transport.close()
                    return web.Response()
                return await fault(request) if callable(fault) else fault
        return None

    # ── The service ──────────────────────────────────────────────────────────────────────────────────────

    def app(self) -> web.Application:
        """The server as an aiohttp application."""
        app = web.Application(client_max_size=4 * 1024**2)
        base = "/emea/v3/conversations"
        app.add_routes(
            [
                web.post("/login/{tenant}/oauth2/v2.0/token", self._token),
                web.get("/keys", self._openid),
                web.get("/jwks", self._jwks),
                web.get("/files/{name}", self._file),
                web.post(base, self._called("open", self._open)),
                web.post(base + "/{chat}/activities", self._called("send", self._send)),
                web.put(base + "/{chat}/activities/{activity}", self._called("update", self._update)),
                web.get(base + "/{chat}/members/{user}", self._called("member", self._member)),
                web.get(base + "/{chat}/pagedmembers", self._called("members", self._members)),
            ]
        )
        return app

    def _called(self, what: str, handler: Callable[[web.Request], Awaitable[web.Response]]) -> Any:
        async def call(request: web.Request) -> web.StreamResponse:
            self.calls.append((what, request.path))
            fault = await self._fault(what, request)
            if fault is not None:
                return fault
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if token not in self.tokens and not (self.anonymous and not token):
                return no(401, "Unauthorized")
            reply = await handler(request)
            async with self.news:
                self.news.notify_all()
            return reply

        return call

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.tokens_asked += 1
        fault = await self._fault("token", request)
        if fault is not None:
            return fault
        form = await request.post()
        good = {
            "grant_type": "client_credentials",
            "client_id": APP,
            "client_secret": self.password,
            "scope": f"{ISSUER}/.default",
        }
        if dict(form) != good or request.match_info["tenant"] != TENANT:
            return web.json_response({"error": "invalid_client"}, status=401)
        token = f"token-{self.tokens_asked}"
        self.tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": 3_599, "token_type": "Bearer"})

    async def _openid(self, request: web.Request) -> web.Response:
        self.keys_asked += 1
        if self.keys_away:
            return web.Response(status=503)
        return web.json_response({"issuer": ISSUER, "jwks_uri": f"{self.url}/jwks"})

    async def _jwks(self, request: web.Request) -> web.Response:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return web.json_response({"keys": [{**public, "kid": KEY_ID, "endorsements": self.endorsements}]})

    async def _file(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["name"])
        return web.Response(status=403) if data is None else web.Response(body=data)

    def _chat(self, request: web.Request) -> tuple[Chat | None, str]:
        """The chat, and the thread that is named with it."""
        name, _, thread = unquote(request.match_info["chat"]).partition(";messageid=")
        return self.chats.get(name), thread

    async def _open(self, request: web.Request) -> web.Response:
        given = await request.json()
        if given["bot"]["id"] != BOT or given["tenantId"] != TENANT or given["isGroup"]:
            return no(400, "BadSyntax")
        user = self._named(given["members"][0]["id"])
        if user is None or user not in self.installed:
            return no(403, "BotNotInConversationRoster")
        return web.json_response({"id": self.personal(user).id}, status=201)

    def _named(self, name: str) -> str | None:
        found = (
            user for user, profile in self.users.items() if name in (profile["id"], profile["aadObjectId"])
        )
        return next(found, None)

    async def _send(self, request: web.Request) -> web.Response:
        chat, thread = self._chat(request)
        activity = await request.json()
        refusal = self._refusal(chat, await request.read(), activity)
        if refusal is not None or chat is None:
            return refusal or no(404, "ConversationNotFound")
        if activity["type"] == "typing":
            self.typing.append(chat.id)
            return web.Response(status=202)
        wait = chat.posted_at + self.gap - time.monotonic()
        if wait > 0:
            return busy(wait)
        chat.posted_at = time.monotonic()
        return web.json_response({"id": self.post(chat, activity, thread)["id"]}, status=201)

    async def _update(self, request: web.Request) -> web.Response:
        chat, _ = self._chat(request)
        activity = await request.json()
        refusal = self._refusal(chat, await request.read(), activity)
        if refusal is not None or chat is None:
            return refusal or no(404, "ConversationNotFound")
        for number, message in enumerate(chat.messages):
            if message["id"] == request.match_info["activity"]:
                kept = {name: message[name] for name in ("id", "user", "thread")}
                chat.messages[number] = {**activity, **kept, "edited": True}
                return web.json_response({"id": message["id"]})
        return no(404, "ActivityNotFoundInConversation")

    def _refusal(self, chat: Chat | None, raw: bytes, activity: dict[str, Any]) -> web.Response | None:
        if chat is None:
            return no(404, "ConversationNotFound")
        if chat.blocked or (chat.kind == "personal" and not chat.members & self.installed):
            return no(403, "MessageWritesBlocked")
        if len(raw) > LARGEST:
            return no(413, "MessageSizeTooBig")
        return no(400, "BadSyntax") if activity["type"] == "message" and not _fits(activity) else None

    def post(self, chat: Chat, activity: dict[str, Any], thread: str = "") -> dict[str, Any]:
        """Put a message of the app into a chat, as the API does."""
        message = {**activity, "id": self.stamp(), "user": BOT, "thread": thread}
        chat.messages.append(message)
        return message

    async def _member(self, request: web.Request) -> web.Response:
        chat, _ = self._chat(request)
        user = self._named(unquote(request.match_info["user"]))
        if chat is None or user is None or user not in chat.members:
            return no(404, "MemberNotFoundInConversation")
        return web.json_response(self.users[user])

    async def _members(self, request: web.Request) -> web.Response:
        chat, _ = self._chat(request)
        if chat is None:
            return no(404, "ConversationNotFound")
        members = sorted(chat.members)
        start = int(request.query.get("continuationToken", 0))
        page = [self.users[user] for user in members[start : start + 2]]
        more = {"continuationToken": str(start + 2)} if start + 2 < len(members) else {}
        return web.json_response({"members": page, **more})


def _fits(activity: dict[str, Any]) -> bool:
    """Whether Teams takes the message: words, or one card that it can draw; not both, as it splits those."""
    cards = activity.get("attachments") or []
    if not cards:
        return bool(activity.get("text"))
    content = cards[0]["content"]
    known = content.get("type") == "AdaptiveCard" and content.get("version") in ("1.4", "1.5")
    return len(cards) == 1 and not activity.get("text") and known and bool(activity.get("summary"))


def no(status: int, code: str) -> web.Response:
    """A refusal as the service words it."""
    return web.json_response({"error": {"code": code, "message": "No."}}, status=status)


def busy(seconds: float) -> web.Response:
    """Too many messages."""
    head = {"Retry-After": str(max(1, round(seconds + 0.5)))}
    return web.json_response({"error": {"code": "TooManyRequests"}}, status=429, headers=head)
