"""Whether a request comes from Teams: the token of the Bot Framework, checked claim by claim.

Everything that can be said without Microsoft's keys is said first, so that nobody can make us fetch keys with
a token that could never be good. botframework-connector blocks on the keys, and breaks on a key that it does
not know; the rules are the same.

Source: Microsoft Learn, "Authenticate requests from the Bot Connector service to your bot".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
import structlog
from botframework.connector.auth import AuthenticationConstants, EndorsementsValidator

from bot.errors import StagecoachError
from handlers.teams.incoming import Activity

log = structlog.get_logger()

ISSUER = AuthenticationConstants.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER
ALGORITHMS = ["RS256"]
LEEWAY_SECONDS = 300
SERVICE_URL = AuthenticationConstants.SERVICE_URL_CLAIM
FRESH_SECONDS = 24 * 3_600.0
APART_SECONDS, AGAIN_SECONDS = 60.0, 2.0
"""How often an unknown key makes us ask for the keys anew; and while we have none at all."""

_NO_KEYS = (aiohttp.ClientError, TimeoutError, OSError, KeyError, TypeError, ValueError, jwt.PyJWTError)
"""What it may look like when the keys can't be had, or can't be read."""


class Untrusted(StagecoachError):
    """The request is not Teams', or can't be shown to be. `str(error)` says why, for the log alone."""


class KeysAway(StagecoachError):
    """Microsoft's keys can't be had at the moment, so that nobody can be told from anybody."""


@dataclass(frozen=True)
class Key:
    """A public key, and the channels that it may speak for."""

    key: jwt.PyJWK
    endorsements: tuple[str, ...]


class Keys:
    """Microsoft's keys: fetched when first needed, daily, and when an unknown one is met."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self._keys: dict[str, Key] = {}
        self._asked_at: float | None = None
        self._fetched_at = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def find(self, name: str) -> Key:
        """The key with that id. Raises Untrusted or KeysAway."""
        async with self._one_at_a_time:
            now = asyncio.get_running_loop().time()
            stale = name not in self._keys or now - self._fetched_at > FRESH_SECONDS
            apart = APART_SECONDS if self._keys else AGAIN_SECONDS
            if stale and (self._asked_at is None or now - self._asked_at > apart):
                self._asked_at = now
                await self._fetch(now)
        if not self._keys:
            raise KeysAway("Microsoft's keys can't be fetched.")
        if name not in self._keys:
            raise Untrusted("It is signed with a key that Microsoft does not name.")
        return self._keys[name]

    async def _fetch(self, now: float) -> None:
        try:
            found = await self._get(str((await self._get(self._url))["jwks_uri"]))
            self._keys = {str(one["kid"]): _key(one) for one in found["keys"] if one.get("kty") == "RSA"}
            self._fetched_at = now
        except _NO_KEYS as error:
            # What we have may be old, but it was theirs.
            log.warning("no keys", action="teams.keys", kind=type(error).__name__)

    async def _get(self, url: str) -> Any:
        async with self._http.get(url, allow_redirects=False) as response:
            response.raise_for_status()
            return await response.json(content_type=None)


def _key(one: dict[str, Any]) -> Key:
    return Key(jwt.PyJWK(one, "RS256"), tuple(one.get("endorsements") or ()))


class Verifier:
    """Knows our own id and checks tokens against it."""

    def __init__(self, app_id: str, keys: Keys) -> None:
        self._app_id, self._keys = app_id, keys

    async def check(self, header: str | None, activity: Activity) -> None:
        """Return where the token is good for this activity. Raises Untrusted or KeysAway."""
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token or " " in token:
            raise Untrusted("There is no token.")
        try:
            head = jwt.get_unverified_header(token)
            self._check_claims(jwt.decode(token, options={"verify_signature": False}), activity)
            key = await self._keys.find(_key_id(head))
            if not EndorsementsValidator.validate(activity.get("channelId"), key.endorsements):
                raise Untrusted("The key may not speak for this channel.")
            jwt.decode(
                token,
                key.key,
                algorithms=ALGORITHMS,
                audience=self._app_id,
                issuer=ISSUER,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"], "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Untrusted(type(error).__name__) from error

    def _check_claims(self, claims: dict[str, Any], activity: Activity) -> None:
        if claims.get("iss") != ISSUER:
            raise Untrusted("Somebody else issued it.")
        if claims.get("aud") != self._app_id:
            raise Untrusted("It is for another app.")
        if not claims.get(SERVICE_URL) or claims.get(SERVICE_URL) != activity.get("serviceUrl"):
            raise Untrusted("It is for another service address.")


def _key_id(head: dict[str, Any]) -> str:
    name = head.get("kid")
    if head.get("alg") not in ALGORITHMS or not isinstance(name, str):
        raise Untrusted("It is not signed as Microsoft signs.")
    return name
