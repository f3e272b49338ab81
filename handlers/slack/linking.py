"""Finding everybody's account before they have written: without it no nudge and no digest could reach them.

The organisation's people are looked up by their address, slowly (Slack permits about 50 look-ups a minute),
at the start and then every hour; who was found is not asked for again.
"""

from __future__ import annotations

import asyncio

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from sqlmodel import col, select

from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.tables import Identity, Person, Platform
from handlers.slack.clients import Clients, NoToken
from handlers.slack.people import People

log = structlog.get_logger()

EVERY_SECONDS = 3_600.0
AGAIN_SECONDS = 60.0
APART_SECONDS = 1.3


class Linking:
    """A service (handlers.running.Service)."""

    def __init__(self, store: Store, clients: Clients, people: People, apart: float = APART_SECONDS) -> None:
        self._store, self._clients, self._people, self._apart = store, clients, people, apart

    async def run(self, stop: asyncio.Event) -> None:
        """Look everybody up until `stop` is set."""
        while not stop.is_set():
            pause = EVERY_SECONDS
            try:
                await self.link_all(stop)
            except (
                StoreUnavailable,
                NoToken,
                SlackApiError,
                aiohttp.ClientError,
                TimeoutError,
                OSError,
            ) as error:
                log.warning("accounts not looked up", action="slack.linking", kind=type(error).__name__)
                pause = AGAIN_SECONDS
            await _wait(stop, pause)

    async def link_all(self, stop: asyncio.Event) -> int:
        """Look up everybody who has no account yet, in every workspace. Returns how many were found."""
        found = 0
        for named in await self._clients.tokens.teams():
            team = named or await self._only_team()
            for person_id, email in await self._without_account(team):
                if stop.is_set():
                    return found
                found += await self._people.reach(team, email, person_id)
                await _wait(stop, self._apart)
        if found:
            log.info("accounts found", action="slack.linking", number=found)
        return found

    async def _only_team(self) -> str:
        who = await (await self._clients.of("")).auth_test()
        return str((who.get("is_enterprise_install") and who.get("enterprise_id")) or who["team_id"])

    async def _without_account(self, team: str) -> list[tuple[int, str]]:
        accounts = select(Identity).where(
            Identity.platform == Platform.SLACK, col(Identity.tenant).in_([team, ""])
        )
        wanted = (
            select(Person)
            .where(col(Person.archived_at).is_(None), col(Person.external).is_(False))
            .order_by(col(Person.id))
        )
        async with self._store.read() as session:
            reached = {
                account.person_id
                for account in await session.exec(accounts)
                if account.address.get("conversation")
            }
            people = (await session.exec(wanted)).all()
        return [(person.id or 0, person.email) for person in people if person.id not in reached]


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
