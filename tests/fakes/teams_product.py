"""The real product against the fake Teams: real HTTP both ways, a real database, a small company."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.clock import Clock
from bot.config import Settings
from bot.store.engine import Store
from bot.store.tables import Platform
from handlers.app import App, put_together
from handlers.running import run_services, served
from handlers.scheduling import scheduler_of, waking
from handlers.teams.microsoft import Microsoft
from handlers.teams.surface import PATH, TeamsSurface, make_teams
from scheduler.service import SchedulerService
from tests.fakes.slack_product import found_by_words
from tests.fakes.slack_product import plant as plant_company
from tests.fakes.slack_server import FakeSlack
from tests.fakes.teams_chats import Chats
from tests.fakes.teams_server import APP, PASSWORD, TENANT, FakeTeams


@dataclass
class Running:
    """The product at work, and the people around it."""

    app: App
    teams: FakeTeams
    people: Chats
    surface: TeamsSurface
    scheduler: SchedulerService


def settings_for(home: Path, **more: object) -> Settings:
    """Settings of an app in one tenant."""
    return Settings(
        _env_file=None,
        STAGECOACH_HOME=home,
        **{
            "microsoft_app_id": APP,
            "microsoft_app_password": PASSWORD,
            "microsoft_app_type": "SingleTenant",
            "microsoft_app_tenant_id": TENANT,
            **more,
        },
    )  # type: ignore[call-arg, arg-type]


def microsoft(url: str) -> Microsoft:
    """The fake in Microsoft's place."""
    return Microsoft(keys=f"{url}/keys", login=f"{url}/login/", service=f"{url}/emea/", on_loopback=True)


@asynccontextmanager
async def running(store: Store, clock: Clock, folder: Path, teams: FakeTeams) -> AsyncIterator[Running]:
    """Start both sides."""
    async with served(teams.app(), "127.0.0.1", 0) as url:
        teams.url = url
        app = put_together(settings_for(folder), store, clock)
        found_by_words(app)
        surface = make_teams(app, app.settings, microsoft(url))
        app.hearing[Platform.TEAMS] = surface.hearing
        surface.sender.pace = type(surface.sender.pace)(apart=teams.gap)
        site = web.Application()
        surface.add_to(site)
        stop = asyncio.Event()
        scheduler = scheduler_of(app, {Platform.TEAMS: surface.sender})
        services = [app.worker.run, app.worker.run, scheduler.run_sender, waking(app, scheduler)]
        services += surface.services
        async with served(site, "127.0.0.1", 0) as address, aiohttp.ClientSession() as http:
            at_work = asyncio.create_task(run_services(services, stop))
            try:
                yield Running(app, teams, Chats(teams, f"{address}{PATH}", http), surface, scheduler)
            finally:
                stop.set()
                app.news.ring()
                await at_work
                await surface.close()


async def plant(store: Store, app: App, teams: FakeTeams, folder: Path) -> None:
    """The same small company as in Slack's tests; everybody has the app."""
    await plant_company(store, app, FakeSlack(), folder)
    for name in ("hanna", "fay", "olga", "lea", "eva", "ada"):
        teams.add_user(name, f"{name}@example.com")
