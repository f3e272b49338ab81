"""`serve` and `demo`: the whole product until it is told to stop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import typer
from aiohttp import web

from bot.clock import MovableClock, system_clock
from bot.config import Settings, check_for_serving, for_demo
from bot.errors import StagecoachError
from bot.store import migrate
from bot.store.engine import Store
from bot.store.tables import Platform
from handlers.app import App, open_app, put_together
from handlers.commands.common import log_to_stderr, run, say
from handlers.demo.personas import PERSONAS
from handlers.demo.setup import demo_clock, empty, fill, is_filled, keep_clock
from handlers.figures import figures
from handlers.panel import Panel
from handlers.running import Service, run_services, served, stop_on_signals
from handlers.scheduling import following, run_until, scheduler_of, waking
from handlers.watching import embedding, watching
from handlers.web.app import Page
from handlers.web.drafts import Drafts
from handlers.web.health import health_routes
from handlers.web.office import Office
from handlers.web.product import Known, Machinery, Product
from scheduler.sending import Sender
from scheduler.service import SchedulerService

WARM_AFTER_SECONDS = 2.0

WORKERS = 4
"""Events answered at once: enough that a slow model does not hold up a button."""


def serve(settings: Settings) -> None:
    """Every configured surface, the worker and the scheduler, until SIGTERM or SIGINT."""
    check_for_serving(settings)
    log_to_stderr()
    run(_serve(settings))


def demo(environment: Settings, reset: bool) -> None:
    """The sample company on a local page; nothing of the environment's databases or tokens is used."""
    run(_demo(for_demo(environment), reset))


async def _serve(settings: Settings) -> None:
    async with open_app(settings) as app:
        site = web.Application()
        site.add_routes(_health(app))
        senders: dict[Platform, Sender] = {}
        services: list[Service] = []
        closing: list[Callable[[], Awaitable[None]]] = []
        names = []
        if settings.slack_configured:
            # A platform's libraries are loaded only where it is used.
            from handlers.slack.surface import make_slack

            slack = make_slack(app, settings)
            slack.add_to(site)
            app.hearing[Platform.SLACK] = slack.hearing
            senders[Platform.SLACK] = slack.sender
            services += slack.services
            closing.append(slack.close)
            names.append("Slack")
        if settings.teams_configured:
            from handlers.teams.surface import make_teams

            teams = make_teams(app, settings)
            teams.add_to(site)
            app.hearing[Platform.TEAMS] = teams.hearing
            senders[Platform.TEAMS] = teams.sender
            services += teams.services
            closing.append(teams.close)
            names.append("Teams")
        if settings.smtp_url is not None:
            from handlers.email.pausing import pause_links, pause_routes
            from handlers.email.sender import EmailSender
            from handlers.email.server import parse_mail_server

            server = parse_mail_server(settings.smtp_url.get_secret_value())
            links = pause_links(settings)
            senders[Platform.EMAIL] = EmailSender(server, links=links)
            if links is not None:
                site.add_routes(pause_routes(links, app.store))
            say(f"Letters leave by {server.host}, as {server.sender}.")
        stop = stop_on_signals()
        async with served(site, settings.host, settings.port) as address:
            say(f"Stagecoach serves {' and '.join(names) or 'no chat platform'} at {address}.")
            if not names:
                say("Connect Slack (docs/slack.md) or Microsoft Teams (docs/teams.md) to be heard.")
            try:
                await run_services([*_services(app, scheduler_of(app, senders)), *services], stop)
            finally:
                for close in closing:
                    await close()


async def _demo(settings: Settings, reset: bool) -> None:
    store = Store(settings.store_url)
    try:
        await migrate.upgrade(store)
        if reset:
            await empty(store)
        clock = await demo_clock(store, system_clock(), settings.now)
        await _serve_demo(put_together(settings, store, clock), clock)
    finally:
        await store.close()


async def _serve_demo(app: App, clock: MovableClock) -> None:
    scheduler = scheduler_of(app)
    drafts = Drafts(app.news.ring)
    app.live[Platform.WEB] = drafts.open
    machinery = _machinery(app, clock, scheduler)
    product = Product(app.store, app.inbox, app.news, app.clock, _known(), machinery, drafts)
    site = web.Application()
    site.add_routes(_health(app))
    page = Page(product, demo=True)
    page.add_to(site)
    Office(page, app.store, app.clock, ()).add_to(site)
    stop = stop_on_signals()
    async with served(site, app.settings.host, app.settings.port) as address:
        if not await is_filled(app.store):
            await _fill(app, clock, stop)
        typer.echo(f"Stagecoach, with a sample company: {address}")
        sys.stdout.flush()
        await run_services(_services(app, scheduler), stop)
        await keep_clock(app.store, clock)


async def _fill(app: App, clock: MovableClock, stop: asyncio.Event) -> None:
    """Load the sample; a stop in the middle leaves it to the next start, which begins anew."""
    say("First start: loading the sample company. This takes half a minute, once.")
    await empty(app.store)
    filling = asyncio.create_task(fill(app, clock, lambda line: say(f"  {line}")))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({filling, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not filling.done():
        filling.cancel()
        # Waited for, so that nothing of it still holds the database when that is closed.
        await asyncio.gather(filling, return_exceptions=True)
        raise StagecoachError("Stopped while the sample was being loaded. The next start loads it anew.")
    filling.result()
    app.news.ring()


def _known() -> Sequence[Known]:
    return [Known(one.email, one.part, one.introduction, one.suggestions) for one in PERSONAS]


def _machinery(app: App, clock: MovableClock, scheduler: SchedulerService) -> Machinery:
    panel = Panel(app)
    one_at_a_time = asyncio.Lock()

    async def reset() -> None:
        async with one_at_a_time:
            await empty(app.store)
            clock.offset = (await demo_clock(app.store, system_clock(), app.settings.now)).offset
            await fill(app, clock, lambda line: None)

    async def move(target: datetime) -> None:
        async with one_at_a_time:
            await run_until(app, clock, scheduler, target)
            await keep_clock(app.store, clock)

    return Machinery(panel=panel.inside, source=panel.source, run_until=move, reset=reset)


def _services(app: App, scheduler: SchedulerService) -> list[Service]:
    async def load_index(stop: asyncio.Event) -> None:
        # Not in the way of the first page; a question that comes sooner loads it itself.
        await asyncio.wait([stopping := asyncio.create_task(stop.wait())], timeout=WARM_AFTER_SECONDS)
        if not stop.is_set():
            await app.knowledge.index.ready()
        await stopping

    return [
        *([app.worker.run] * WORKERS),
        scheduler.run,
        waking(app, scheduler),
        following(app),
        watching(app.knowledge),
        embedding(app.knowledge),
        load_index,
    ]


def _health(app: App) -> list[web.RouteDef]:
    async def migrations() -> None:
        problems = await migrate.behind(app.store)
        if problems:
            raise StagecoachError(problems[0])

    async def index() -> None:
        await app.knowledge.index.refresh()

    checks = {"database": app.store.ping, "migrations": migrations, "index": index}
    return health_routes(checks, lambda: figures(app))
