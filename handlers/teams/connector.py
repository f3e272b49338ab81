"""The Bot Connector service: the few calls that we need, at the address that an activity named.

Nothing is tried again here but a call whose token was refused, once, with a new one. Everything else is the
outbox's to decide. botbuilder's own client blocks a thread for each call and asks for a token each time.

Source: Microsoft Learn, "Bot Connector REST API reference".
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import aiohttp

from bot.errors import StagecoachError
from handlers.teams.microsoft import Microsoft
from handlers.teams.tokens import Tokens

CALL_SECONDS = 12.0
CONNECT_SECONDS = 4.0
Json = dict[str, Any]


class Refused(StagecoachError):
    """The service said no. `code` is its own word for why, `after` the seconds that it asked us to wait."""

    def __init__(self, status: int, code: str, after: float | None) -> None:
        super().__init__(f"Teams refused ({code or status}).")
        self.status, self.code, self.after = status, code, after


class Connector:
    """Calls with our token. Raises, besides Refused, TokenRefused, TokenAway and aiohttp's own errors."""

    def __init__(self, tokens: Tokens, microsoft: Microsoft, http: aiohttp.ClientSession) -> None:
        self.tokens, self.microsoft, self.http = tokens, microsoft, http

    async def send(self, service_url: str, conversation: str, activity: Json) -> str:
        """Post an activity; returns its id."""
        reply = await self._call("POST", service_url, _path(conversation, "activities"), activity)
        return str(reply.get("id") or "")

    async def update(self, service_url: str, conversation: str, activity_id: str, activity: Json) -> None:
        """Put an activity in the place of an earlier one of ours."""
        path = _path(conversation, "activities", activity_id)
        await self._call("PUT", service_url, path, {**activity, "id": activity_id})

    async def member(self, service_url: str, conversation: str, user: str) -> Json:
        """The profile of somebody in a conversation."""
        return await self._call("GET", service_url, _path(conversation, "members", user))

    async def members(self, service_url: str, conversation: str, token: str | None = None) -> Json:
        """A page of the profiles of a conversation, and the token of the next."""
        query = "?pageSize=200" + (f"&continuationToken={quote(token, safe='')}" if token else "")
        return await self._call("GET", service_url, _path(conversation, "pagedmembers") + query)

    async def open(self, service_url: str, tenant: str, bot: str, user: str) -> str:
        """The personal chat with somebody, made if need be; returns its id."""
        wanted = {
            "bot": {"id": bot},
            "members": [{"id": user}],
            "isGroup": False,
            "tenantId": tenant,
            "channelData": {"tenant": {"id": tenant}},
        }
        return str((await self._call("POST", service_url, "v3/conversations", wanted))["id"])

    async def _call(self, method: str, service_url: str, path: str, body: Json | None = None) -> Json:
        try:
            return await self._once(method, service_url, path, body)
        except Refused as refused:
            if refused.status != 401:
                raise
        self.tokens.forget()
        return await self._once(method, service_url, path, body)

    async def _once(self, method: str, service_url: str, path: str, body: Json | None) -> Json:
        if not self.microsoft.is_service(service_url):
            raise Refused(0, "ForeignAddress", None)
        token = await self.tokens.token()
        head = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{service_url.rstrip('/')}/{path}"
        named: Any = {"json": body, "headers": head, "allow_redirects": False}
        async with self.http.request(method, url, **named) as response:
            if response.status >= 300:
                raise Refused(response.status, await _code(response), _after(response))
            return await _object(response)


def pool() -> aiohttp.ClientSession:
    """The connections to Microsoft."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=CALL_SECONDS, connect=CONNECT_SECONDS),
        connector=aiohttp.TCPConnector(limit=64),
    )


def _path(conversation: str, *more: str) -> str:
    return "/".join(["v3/conversations", *(quote(part, safe="") for part in (conversation, *more))])


async def _object(response: aiohttp.ClientResponse) -> Json:
    """The reply; nothing where it has no body. A body that is no JSON is a broken reply."""
    raw = await response.read()
    try:
        body = await response.json(content_type=None) if raw.strip() else {}
    except ValueError as error:
        raise aiohttp.ClientPayloadError("The reply is no JSON.") from error
    return body if isinstance(body, dict) else {"value": body}


async def _code(response: aiohttp.ClientResponse) -> str:
    """The service's name of the fault, or nothing where a gateway in between replied."""
    try:
        body = await response.json(content_type=None)
    except (ValueError, aiohttp.ClientError):
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    inner = error.get("innerHttpError") if isinstance(error, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(inner, dict) and isinstance(inner.get("body"), dict):
        code = inner["body"].get("code") or code
    return str(code or "")[:80]


def _after(response: aiohttp.ClientResponse) -> float | None:
    try:
        return max(1.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
