"""Teams, put together: what the composition root plugs in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from bot.config import Settings
from bot.errors import SettingsError
from handlers.inbox import Door
from handlers.teams.connector import Connector, pool
from handlers.teams.gate import Gate, Intake
from handlers.teams.hearing import TeamsHearing
from handlers.teams.linking import Linking
from handlers.teams.live import Typing
from handlers.teams.microsoft import Microsoft
from handlers.teams.people import People
from handlers.teams.sender import TeamsSender
from handlers.teams.tokens import app_type, make_tokens
from handlers.teams.trust import Keys, Verifier

Service = Callable[[asyncio.Event], Awaitable[None]]
PATH = "/api/messages"


@dataclass(frozen=True)
class TeamsSurface:
    """Teams' ears (`hearing`, `routes`, `services`) and mouth (`sender`)."""

    hearing: TeamsHearing
    sender: TeamsSender
    services: tuple[Service, ...]
    routes: tuple[web.RouteDef, ...]
    connector: Connector
    keys: Keys
    http: aiohttp.ClientSession

    async def close(self) -> None:
        """Give back the connections to Microsoft. Nothing may be sent afterwards."""
        await self.http.close()

    def add_to(self, site: web.Application) -> None:
        """Add the routes to an aiohttp application."""
        site.add_routes(self.routes)


def make_teams(app: Door, settings: Settings, microsoft: Microsoft | None = None) -> TeamsSurface:
    """Teams as the settings say; call it in the running loop. Raises SettingsError where something misses."""
    check(settings)
    microsoft = microsoft or Microsoft(on_loopback=settings.teams_anonymous)
    http = pool()
    keys = Keys(http, microsoft.keys)
    connector = Connector(make_tokens(settings, http, microsoft), microsoft, http)
    people, typing = People(app.store, connector, app.clock), Typing(connector)
    verifier = Verifier(settings.microsoft_app_id, keys) if settings.microsoft_app_id else None
    intake = Intake(app.inbox, app.clock, typing.heard)
    tenant = settings.microsoft_app_tenant_id or ""
    gate = Gate(intake, microsoft, verifier, settings.teams_anonymous, tenant)
    return TeamsSurface(
        hearing=TeamsHearing(app.store, people, app.clock, connector, typing),
        sender=TeamsSender(app.store, connector, typing.end),
        services=(Linking(app.store, connector, people).run,),
        routes=(web.post(PATH, gate.take),),
        connector=connector,
        keys=keys,
        http=http,
    )


def check(settings: Settings) -> None:
    """Refuse settings that can't work or would trust too much. Raises SettingsError.

    People are recognised by their address, and whoever runs a tenant decides which addresses its accounts
    have: so the tenant has to be named, also for an app that others could install.
    """
    if settings.teams_anonymous:
        return
    if not settings.microsoft_app_tenant_id:
        raise SettingsError("MICROSOFT_APP_TENANT_ID is missing: the id of your organisation's tenant.")
    if app_type(settings) != "UserAssignedMSI" and settings.microsoft_app_password is None:
        raise SettingsError("MICROSOFT_APP_PASSWORD is missing: the secret of the app's registration.")
