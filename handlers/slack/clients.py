"""Web API clients, one connection pool for all, and whose token speaks for which workspace."""

from __future__ import annotations

from typing import Protocol

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import StagecoachError

CALL_SECONDS = 12.0
CONNECT_SECONDS = 4.0


class NoToken(StagecoachError):
    """The app is not installed in that workspace, or no longer."""


class Tokens(Protocol):
    """Where tokens come from: the environment, or the installations in the database."""

    async def token(self, team: str) -> str:
        """The token of a workspace or organisation; of the only one where `team` is empty. Raises NoToken."""
        ...

    async def teams(self) -> list[str]:
        """The workspaces and organisations that are installed; one empty name where only Slack knows."""
        ...

    async def revoked(self, team: str) -> None:
        """Slack said that this workspace's token is no longer good."""
        ...


class OneToken:
    """The token of the environment: it speaks for one workspace, whatever its id."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, team: str) -> str:
        """The one token."""
        return self._token

    async def teams(self) -> list[str]:
        """Slack has to be asked which one it is."""
        return [""]

    async def revoked(self, team: str) -> None:
        """Only the environment can give another."""


class Clients:
    """Makes clients that never try again by themselves: the outbox decides about a second attempt."""

    def __init__(self, tokens: Tokens, api_url: str) -> None:
        self.tokens = tokens
        self.api_url = api_url if api_url.endswith("/") else f"{api_url}/"
        self._session: aiohttp.ClientSession | None = None
        self._made: dict[str, AsyncWebClient] = {}

    async def of(self, team: str) -> AsyncWebClient:
        """A client with the token of `team`. Raises NoToken."""
        token = await self.tokens.token(team)
        if token not in self._made:
            self._made = {**dict(list(self._made.items())[-200:]), token: self.bare(token)}
        return self._made[token]

    def bare(self, token: str | None = None) -> AsyncWebClient:
        """A client with that token, or with none."""
        return AsyncWebClient(
            token=token,
            base_url=self.api_url,
            session=self.pool(),
            retry_handlers=[],
            timeout=int(CALL_SECONDS),
        )

    def pool(self) -> aiohttp.ClientSession:
        """The connections that all clients share."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS, connect=CONNECT_SECONDS),
                connector=aiohttp.TCPConnector(limit=64),
            )
            self._made = {}
        return self._session

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
