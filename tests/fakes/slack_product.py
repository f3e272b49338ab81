"""The real product against the fake Slack: real HTTP both ways, a real database, a small company."""

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
from bot.store.tables import Department, Duty, DutyName, Person, Platform
from handlers.app import App, put_together
from handlers.running import run_services, served
from handlers.scheduling import scheduler_of, waking
from handlers.slack.surface import SlackSurface, make_slack
from knowledge.filing import Filing
from knowledge.following import Following
from tests.fakes.retriever import WordRetriever
from tests.fakes.slack_server import TOKEN, FakeSlack
from tests.fakes.slack_workspace import SECRET, Workspace
from tests.support.company import LEAVE, SALARIES, plant_people


@dataclass
class Running:
    """The product at work, and the workspace around it."""

    app: App
    slack: FakeSlack
    people: Workspace
    surface: SlackSurface


def settings_for(api_url: str, home: Path, **more: object) -> Settings:
    """Settings that speak to the fake."""
    return Settings(
        _env_file=None,
        STAGECOACH_HOME=home,
        slack_bot_token=TOKEN,
        slack_signing_secret=SECRET,
        slack_api_url=f"{api_url}/api/",
        **more,
    )  # type: ignore[call-arg, arg-type]


def found_by_words(app: App) -> None:
    """Put the words' index in place of the embedding model's."""
    knowledge, index = app.knowledge, WordRetriever()
    knowledge.retriever = index
    knowledge.filing = Filing(app.store, app.clock, index, knowledge.filing.fetcher)
    knowledge.index = Following(app.store, index, app.clock)


@asynccontextmanager
async def running(
    store: Store, clock: Clock, folder: Path, slack: FakeSlack, by_words: bool = True
) -> AsyncIterator[Running]:
    """Start both sides, with everybody of the small company in the workspace.

    `by_words`: found by words instead of by the embedding model; quick, and sure of what it finds.
    """
    async with served(slack.app(), "127.0.0.1", 0) as api_url:
        slack.url = api_url
        app = put_together(settings_for(api_url, folder), store, clock)
        if by_words:
            found_by_words(app)
        surface = make_slack(app, app.settings)
        app.hearing[Platform.SLACK] = surface.hearing
        surface.sender.pace = type(surface.sender.pace)(apart=slack.gap)
        site = web.Application()
        surface.add_to(site)
        stop = asyncio.Event()
        scheduler = scheduler_of(app, {Platform.SLACK: surface.sender})
        services = [app.worker.run, app.worker.run, scheduler.run_sender, waking(app, scheduler)]
        services += surface.services
        async with served(site, "127.0.0.1", 0) as address, aiohttp.ClientSession() as http:
            at_work = asyncio.create_task(run_services(services, stop))
            try:
                yield Running(app, slack, Workspace(slack, f"{address}/slack/events", http), surface)
            finally:
                stop.set()
                app.news.ring()
                await at_work
                await surface.close()


async def plant(store: Store, app: App, slack: FakeSlack, folder: Path) -> None:
    """A small company with two policies; everybody has an account, named after the person."""
    people = await plant_people(store)
    async with store.write() as tx:
        hr = (await tx.get_one(Person, people.hanna)).department_id
        finance = await tx.get_one(Department, (await tx.get_one(Person, people.fay)).department_id)
        lea = Person(email="lea@example.com", name="Lea Kern", department_id=finance.id)
        eva = Person(email="eva@example.com", name="Eva Holt", department_id=hr)
        ada = Person(email="ada@example.com", name="Ada King")
        tx.add_all([lea, eva, ada])
        await tx.flush()
        tx.add(Duty(person_id=lea.id or 0, duty=DutyName.LEAD, department_id=finance.id))
        tx.add(Duty(person_id=eva.id or 0, duty=DutyName.EXECUTIVE))
        tx.add(Duty(person_id=ada.id or 0, duty=DutyName.ADMIN))
    for name in ("hanna", "fay", "olga", "lea", "eva", "ada"):
        slack.add_user(f"U{name.upper()}", f"{name}@example.com")
    for name, text in (("leave.md", LEAVE), ("salaries.md", SALARIES)):
        file = folder / name
        file.write_text(text)
        outcomes = [outcome async for outcome in app.knowledge.filing.add([str(file)])]
        assert [outcome.reason for outcome in outcomes] == [None]
