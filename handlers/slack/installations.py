"""Workspaces that installed the app in the browser: their tokens, sealed, and renewed before they run out.

The store serves Bolt (its interface AsyncInstallationStore) and our own sending alike: Bolt renews tokens
only while it authorizes a request, and scheduled messages come with none.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Clock
from bot.errors import SettingsError
from bot.store.engine import Store
from bot.store.secrets import Sealer
from bot.store.tables import Installation as Row
from bot.store.tables import Platform
from handlers.slack.clients import NoToken

log = structlog.get_logger()

MINUTES_BEFORE = 120
STATE_SECONDS = 600


class Installations(AsyncInstallationStore):
    """Installations in the database. `client` makes a bare client for the exchange of tokens."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        clock: Clock,
        client_id: str,
        client_secret: str,
        client: Callable[[], AsyncWebClient] | None = None,
    ) -> None:
        self._store, self._sealer, self._clock = store, sealer, clock
        self._client_id, self._client_secret = client_id, client_secret
        self.client = client or AsyncWebClient
        self._renewing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def logger(self) -> logging.Logger:
        """Bolt asks for it."""
        return logging.getLogger(__name__)

    # ── Our own sending (handlers.slack.clients.Tokens) ──────────────────────────────────────────────────

    async def token(self, team: str) -> str:
        """The token of a workspace or organisation, renewed if it runs out soon. Raises NoToken."""
        async with self._renewing[team]:
            bot = await self._bot(team)
            if bot is None:
                raise NoToken("The app is not installed in this workspace. Open /slack/install there.")
            renewed = await self._renewed(team, bot)
        return str(renewed.bot_token)

    async def teams(self) -> list[str]:
        """Every workspace and organisation in which the app is installed."""
        query = select(Row.tenant).where(Row.platform == Platform.SLACK, col(Row.revoked_at).is_(None))
        async with self._store.read() as session:
            return list((await session.exec(query.order_by(col(Row.id)))).all())

    async def revoked(self, team: str) -> None:
        """Remember that this workspace took the token back."""
        async with self._store.write() as tx:
            row = await _row(tx, team)
            if row is not None and row.revoked_at is None:
                row.revoked_at = self._clock()
                tx.add(row)
                log.warning("a workspace removed the app", action="slack.revoked", team=team)

    async def _bot(self, team: str) -> Bot | None:
        async with self._store.read() as session:
            row = await (_row(session, team) if team else _only(session))
        if row is None or row.revoked_at is not None:
            return None
        return Bot(**json.loads(self._sealer.open(row.sealed)))

    async def _renewed(self, team: str, bot: Bot) -> Bot:
        rotator = AsyncTokenRotator(
            client_id=self._client_id, client_secret=self._client_secret, client=self.client()
        )
        try:
            fresh = await rotator.perform_bot_token_rotation(
                bot=bot, minutes_before_expiration=MINUTES_BEFORE
            )
        except SlackTokenRotationError:
            # Another process may have renewed it just now; else the old one still holds for a while.
            log.warning("a token was not renewed", action="slack.rotation", team=team)
            return await self._bot(team) or bot
        if fresh is None:
            return bot
        await self.async_save_bot(fresh)
        return fresh

    # ── Bolt's store ─────────────────────────────────────────────────────────────────────────────────────

    async def async_save(self, installation: Installation) -> None:
        """Keep what the browser brought."""
        await self.async_save_bot(installation.to_bot())

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a bot's tokens, sealed; an earlier installation of the same workspace is replaced."""
        team = _team(bot.enterprise_id, bot.team_id, bot.is_enterprise_install)
        sealed = self._sealer.seal(json.dumps(_plain(bot)))
        async with self._store.write() as tx:
            row = await _row(tx, team)
            if row is None:
                row = Row(platform=Platform.SLACK, tenant=team, sealed=sealed, installed_at=self._clock())
            row.sealed, row.revoked_at = sealed, None
            tx.add(row)

    async def async_find_bot(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        is_enterprise_install: bool | None = False,
    ) -> Bot | None:
        """The bot of a workspace, else of its organisation."""
        for team in dict.fromkeys(
            [_team(enterprise_id, team_id, is_enterprise_install), team_id, enterprise_id]
        ):
            bot = await self._bot(team) if team else None
            if bot is not None:
                return bot
        return None

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """As async_find_bot: there are no tokens of users."""
        bot = await self.async_find_bot(
            enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
        )
        return None if bot is None else Installation(**_plain(bot), user_id=user_id or "")

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """The workspace took the token back."""
        await self.revoked(team_id or enterprise_id or "")

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """There are no tokens of users."""

    async def async_delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """The app was removed."""
        await self.async_delete_bot(enterprise_id=enterprise_id, team_id=team_id)


def _plain(bot: Bot) -> dict[str, Any]:
    kept = {name: value for name, value in vars(bot).items() if name != "custom_values"}
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in kept.items()}


def _team(enterprise_id: str | None, team_id: str | None, org_wide: bool | None) -> str:
    return str((enterprise_id if org_wide else team_id) or team_id or enterprise_id or "")


async def _row(session: AsyncSession, team: str) -> Row | None:
    query = select(Row).where(Row.platform == Platform.SLACK, Row.tenant == team)
    return (await session.exec(query)).first()


async def _only(session: AsyncSession) -> Row | None:
    """The only installation, for a channel that an organisation file names without its workspace."""
    query = select(Row).where(Row.platform == Platform.SLACK, col(Row.revoked_at).is_(None)).limit(2)
    rows = (await session.exec(query)).all()
    return rows[0] if len(rows) == 1 else None


class SealedStates(AsyncOAuthStateStore):
    """The `state` of an installation in the browser: sealed with the time, so that nothing has to be kept.

    Bolt also compares it with a cookie of the same browser.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    @property
    def logger(self) -> logging.Logger:
        """Bolt asks for it."""
        return logging.getLogger(__name__)

    async def async_issue(self, *args: Any, **named: Any) -> str:
        """A new state."""
        return self._sealer.seal(secrets.token_hex(16))

    async def async_consume(self, state: str) -> bool:
        """Whether it is ours and not older than ten minutes."""
        try:
            self._sealer.open(state, STATE_SECONDS)
        except SettingsError:
            return False
        return True
