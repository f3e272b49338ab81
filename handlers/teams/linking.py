"""Finding everybody's account before they have written: without it no nudge and no digest could reach them.

Where the app was added to a team, everybody of that team may be written to. Its people are looked up at the
start and then every hour; who was found is not asked for again. (Where the app is installed for somebody,
Teams tells us so by itself.)
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog
from sqlmodel import col, select

from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.tables import InboxEvent, Platform
from handlers.teams.connector import Connector, Json
from handlers.teams.hearing import account_of
from handlers.teams.meaning import AWAY
from handlers.teams.people import Account, People

log = structlog.get_logger()

EVERY_SECONDS = 3_600.0
AGAIN_SECONDS = 60.0
APART_SECONDS = 0.2
MOST_TIDINGS = 1_000
MOST_PAGES = 100


class Linking:
    """A service (handlers.running.Service)."""

    def __init__(
        self, store: Store, connector: Connector, people: People, apart: float = APART_SECONDS
    ) -> None:
        self._store, self._connector, self._people, self._apart = store, connector, people, apart

    async def run(self, stop: asyncio.Event) -> None:
        """Look everybody up until `stop` is set."""
        while not stop.is_set():
            pause = EVERY_SECONDS
            try:
                await self.link_all(stop)
            except (StoreUnavailable, *AWAY) as error:
                log.warning("accounts not looked up", action="teams.linking", kind=type(error).__name__)
                pause = AGAIN_SECONDS
            await _wait(stop, pause)

    async def link_all(self, stop: asyncio.Event) -> int:
        """Look up the people of every team that the app is in. Returns how many were found."""
        found = 0
        for team in await self._teams():
            token: str | None = None
            for _ in range(MOST_PAGES):
                page = await self._connector.members(team.service_url, team.conversation, token)
                for profile in page.get("members", []):
                    if stop.is_set():
                        return found
                    found += await self._link(team, profile)
                token = page.get("continuationToken")
                if not token:
                    break
        if found:
            log.info("accounts found", action="teams.linking", number=found)
        return found

    async def _link(self, team: Account, profile: Json) -> bool:
        aad = str(profile.get("aadObjectId") or profile.get("objectId") or "")
        account = replace(team, user=str(profile.get("id") or ""), aad=aad, tz="")
        if not account.user or not await self._people.link(account, profile):
            return False
        await asyncio.sleep(self._apart)
        return True

    async def _teams(self) -> list[Account]:
        """The teams that the app was added to and not removed from, as they were told of last."""
        tidings = (
            select(InboxEvent)
            .where(InboxEvent.platform == Platform.TEAMS, col(InboxEvent.dedupe_key).startswith("i:"))
            .order_by(col(InboxEvent.id).desc())
            .limit(MOST_TIDINGS)
        )
        latest: dict[str, Account | None] = {}
        async with self._store.read() as session:
            for event in await session.exec(tidings):
                team = event.payload.get("team")
                if team:
                    here = event.payload["kind"] == "installed"
                    latest.setdefault(team, replace(account_of(event), conversation=team) if here else None)
        return [team for team in latest.values() if team is not None]


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
