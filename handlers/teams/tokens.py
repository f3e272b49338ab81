"""Our own token for the Bot Connector service: fetched once, kept until shortly before it runs out.

botbuilder makes a new client for each turn, which asks for a token each time and blocks meanwhile.

Source: Microsoft Learn, "Authenticate requests from your bot to the Bot Connector service".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from botframework.connector.auth import AuthenticationConstants

from bot.config import Settings
from bot.errors import SettingsError, StagecoachError
from handlers.teams.microsoft import Microsoft

AUDIENCE = AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE
EARLY_SECONDS = 300.0
TYPES = {"singletenant": "SingleTenant", "multitenant": "MultiTenant", "userassignedmsi": "UserAssignedMSI"}


class TokenRefused(StagecoachError):
    """Microsoft does not give us a token; somebody has to mend the registration or the settings."""


class TokenAway(StagecoachError):
    """No token can be had at the moment."""


class Tokens(Protocol):
    """Where our token comes from."""

    async def token(self) -> str | None:
        """The token; None where none is needed. Raises TokenRefused or TokenAway."""
        ...

    def forget(self) -> None:
        """The service refused the last one."""
        ...


class NoTokens:
    """A local client asks for none, and gets none."""

    async def token(self) -> str | None:
        """None."""
        return None

    def forget(self) -> None:
        """There is nothing to forget."""


@dataclass(frozen=True)
class Given:
    """A token and how many seconds it is good for."""

    token: str
    seconds: float


class Source(Protocol):
    """Asks for a new token."""

    async def ask(self) -> Given:
        """Raises TokenRefused or TokenAway."""
        ...


class Kept:
    """One token, asked for anew when it is about to run out; many who need it wait for one request."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._token, self._until = "", 0.0
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> str | None:
        """The token."""
        async with self._one_at_a_time:
            now = asyncio.get_running_loop().time()
            if now >= self._until:
                given = await self._source.ask()
                self._token = given.token
                self._until = now + max(given.seconds - EARLY_SECONDS, given.seconds / 2)
            return self._token

    def forget(self) -> None:
        """Ask for a new one next time."""
        self._until = 0.0


class Password:
    """The app's id and password (client credentials)."""

    def __init__(self, http: aiohttp.ClientSession, url: str, app_id: str, password: str) -> None:
        self._http, self._url = http, url
        self._form = {
            "grant_type": "client_credentials",
            "client_id": app_id,
            "client_secret": password,
            "scope": f"{AUDIENCE}/.default",
        }

    async def ask(self) -> Given:
        """Ask Microsoft's sign-in."""
        try:
            async with self._http.post(self._url, data=self._form, allow_redirects=False) as response:
                body = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise TokenAway("Microsoft's sign-in can't be reached.") from error
        return _given(body, response.status)


def _given(body: Any, status: int) -> Given:
    if not isinstance(body, dict) or status >= 500 or status == 429:
        raise TokenAway(f"Microsoft's sign-in is not well (status {status}).")
    if "access_token" in body:
        return Given(str(body["access_token"]), float(body.get("expires_in", 3_600)))
    raise TokenRefused(
        f"Microsoft refuses the app's password ({body.get('error', status)}). Check MICROSOFT_APP_ID, "
        "MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID; a password may have run out."
    )


class ManagedIdentity:
    """A user-assigned managed identity: the machine itself, in Azure, vouches for us."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._client: Any = None

    async def ask(self) -> Given:
        """Ask the machine's own service, on a thread: MSAL waits for it."""
        return _from_machine(await asyncio.to_thread(self._ask))

    def _ask(self) -> Any:
        import msal  # type: ignore[import-untyped]
        import requests

        if self._client is None:
            identity = msal.UserAssignedManagedIdentity(client_id=self._app_id)
            self._client = msal.ManagedIdentityClient(identity, http_client=requests.Session())
        try:
            return self._client.acquire_token_for_client(resource=AUDIENCE)
        except (requests.RequestException, msal.ManagedIdentityError) as error:
            raise TokenAway("This machine has no service for managed identities.") from error


def _from_machine(body: Any) -> Given:
    if "access_token" in body:
        return Given(str(body["access_token"]), float(body.get("expires_in", 3_600)))
    raise TokenRefused(
        f"This machine may not speak for the app ({body.get('error', 'no reason given')}). Assign the "
        "identity named in MICROSOFT_APP_ID to it."
    )


def make_tokens(settings: Settings, http: aiohttp.ClientSession, microsoft: Microsoft) -> Tokens:
    """As the settings say, which are whole (handlers.teams.surface.check)."""
    if settings.teams_anonymous or not settings.microsoft_app_id:
        return NoTokens()
    kind = app_type(settings)
    if kind == "UserAssignedMSI":
        return Kept(ManagedIdentity(settings.microsoft_app_id))
    common = AuthenticationConstants.DEFAULT_CHANNEL_AUTH_TENANT
    tenant = common if kind == "MultiTenant" else settings.microsoft_app_tenant_id or ""
    secret = settings.microsoft_app_password
    password = secret.get_secret_value() if secret is not None else ""
    url = f"{microsoft.login.rstrip('/')}/{tenant}/oauth2/v2.0/token"
    return Kept(Password(http, url, settings.microsoft_app_id, password))


def app_type(settings: Settings) -> str:
    """The registration's type, as Microsoft writes it. Raises SettingsError."""
    given = (settings.microsoft_app_type or "").lower()
    if given not in TYPES:
        raise SettingsError(f"MICROSOFT_APP_TYPE has to be one of {', '.join(TYPES.values())}.")
    return TYPES[given]
