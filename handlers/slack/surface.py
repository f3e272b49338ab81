"""Slack, put together: what the composition root plugs in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp

from bot.clock import Clock
from bot.config import Settings
from bot.errors import SettingsError
from bot.store.engine import Store
from handlers.inbox import Inbox
from handlers.slack.bolt import add_listeners
from handlers.slack.clients import Clients, OneToken, Tokens
from handlers.slack.gate import Gate, Intake
from handlers.slack.hearing import SlackHearing
from handlers.slack.home import HomeViews
from handlers.slack.linking import Linking
from handlers.slack.people import People
from handlers.slack.sender import SlackSender
from handlers.slack.status import Status

Service = Callable[[asyncio.Event], Awaitable[None]]


@dataclass(frozen=True)
class SlackSurface:
    """Slack's ears (`hearing`, `routes`, `services`) and mouth (`sender`)."""

    hearing: SlackHearing
    sender: SlackSender
    services: tuple[Service, ...]
    routes: tuple[web.RouteDef, ...]
    clients: Clients
    bolt: AsyncApp
    intake: Intake

    async def close(self) -> None:
        """Give back the connections to Slack. Nothing may be sent afterwards."""
        await self.clients.close()

    def add_to(self, site: web.Application) -> None:
        """Add the routes to an aiohttp application."""
        site.add_routes(self.routes)


class Product(Protocol):
    """What of the product (handlers.app.App) this surface needs."""

    @property
    def store(self) -> Store: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def clock(self) -> Clock: ...


def make_slack(app: Product, settings: Settings) -> SlackSurface:
    """Slack as the settings say; call it in the running loop. Raises SettingsError where something misses."""
    store, inbox, clock = app.store, app.inbox, app.clock
    clients = Clients(_tokens(settings), settings.slack_api_url)
    people, status = People(store, clients, clock), Status(clients)
    intake = Intake(store, inbox, clock, status.show)
    bolt = _bolt(settings, clients)
    add_listeners(bolt, HomeViews(store, people, clock))

    return SlackSurface(
        hearing=SlackHearing(store, people, clock),
        sender=SlackSender(clients, status.end),
        services=(Linking(store, clients, people).run,),
        routes=tuple(_routes(settings, intake, bolt)),
        clients=clients,
        bolt=bolt,
        intake=intake,
    )


def _tokens(settings: Settings) -> Tokens:
    if settings.slack_bot_token is None:
        raise SettingsError("Slack needs SLACK_BOT_TOKEN, or SLACK_CLIENT_ID for installing in the browser.")
    return OneToken(settings.slack_bot_token.get_secret_value())


def _bolt(settings: Settings, clients: Clients) -> AsyncApp:
    # The gate has checked the signature before; a second check would only cost time.
    return AsyncApp(
        client=clients.bare(
            settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None
        ),
        request_verification_enabled=False,
        signing_secret="",
        ignoring_self_events_enabled=True,
    )


def _routes(settings: Settings, intake: Intake, bolt: AsyncApp) -> list[web.RouteDef]:
    if settings.slack_signing_secret is None:
        return []
    gate = Gate(intake, bolt, settings.slack_signing_secret.get_secret_value())
    return [web.post("/slack/events", gate.take)]
