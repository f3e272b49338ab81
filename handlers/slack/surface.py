"""Slack, put together: what the composition root plugs in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.clock import Clock
from bot.config import Settings
from bot.errors import SettingsError
from bot.store.engine import Store
from bot.store.secrets import Sealer
from handlers.app import reachable_on
from handlers.inbox import Door
from handlers.slack.bolt import add_listeners
from handlers.slack.clients import Clients, OneToken, Tokens
from handlers.slack.forms import Forms, add_forms
from handlers.slack.gate import Gate, Intake
from handlers.slack.hearing import SlackHearing
from handlers.slack.home import HomeViews
from handlers.slack.installations import MINUTES_BEFORE, Installations, SealedStates
from handlers.slack.linking import Linking
from handlers.slack.manifest import SCOPES
from handlers.slack.people import People
from handlers.slack.sender import SlackSender
from handlers.slack.socket import Socket
from handlers.slack.status import Status

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
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


def make_slack(app: Door, settings: Settings) -> SlackSurface:
    """Slack as the settings say; call it in the running loop. Raises SettingsError where something misses."""
    store, inbox, clock = app.store, app.inbox, app.clock
    tokens = _tokens(settings, store, clock)
    clients = Clients(tokens, settings.slack_api_url)
    people, status = People(store, clients, clock), Status(clients)
    intake = Intake(store, inbox, clock, status.show)
    bolt = _bolt(settings, tokens, clients)
    home = HomeViews(store, people, clock)
    add_listeners(bolt, home)
    add_forms(bolt, Forms(store, people, home, intake, clock, reachable_on(settings)))

    return SlackSurface(
        hearing=SlackHearing(store, people, clock, clients, status),
        sender=SlackSender(clients, status.end),
        services=_services(settings, Linking(store, clients, people), bolt, intake, clients),
        routes=tuple(_routes(settings, intake, bolt)),
        clients=clients,
        bolt=bolt,
        intake=intake,
    )


def _tokens(settings: Settings, store: Store, clock: Clock) -> Tokens:
    if settings.slack_client_id is not None and settings.slack_client_secret is not None:
        secret = settings.slack_client_secret.get_secret_value()
        return Installations(store, _sealer(settings), clock, settings.slack_client_id, secret)
    if settings.slack_bot_token is not None:
        return OneToken(settings.slack_bot_token.get_secret_value())
    raise SettingsError("Slack needs SLACK_BOT_TOKEN, or SLACK_CLIENT_ID for installing in the browser.")


def _sealer(settings: Settings) -> Sealer:
    return Sealer([settings.secret_key.get_secret_value()] if settings.secret_key is not None else [])


def _bolt(settings: Settings, tokens: Tokens, clients: Clients) -> AsyncApp:
    # The gate has checked the signature before; a second check would only cost time.
    if isinstance(tokens, Installations):
        tokens.client = clients.bare
        return AsyncApp(
            client=clients.bare(),
            request_verification_enabled=False,
            signing_secret="",
            oauth_settings=_in_the_browser(settings, tokens),
            logger=_quiet(),
        )
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None
    return AsyncApp(
        client=clients.bare(token), request_verification_enabled=False, signing_secret="", logger=_quiet()
    )


def _quiet() -> logging.Logger:
    """Bolt's own log: its hints about the environment are not for us, its errors are."""
    logger = logging.getLogger("slack_bolt.stagecoach")
    logger.setLevel(logging.ERROR)
    return logger


def _in_the_browser(settings: Settings, installations: Installations) -> AsyncOAuthSettings:
    secret = settings.slack_client_secret.get_secret_value() if settings.slack_client_secret else None
    redirect = f"{settings.public_url.rstrip('/')}/slack/oauth_redirect" if settings.public_url else None
    return AsyncOAuthSettings(
        client_id=settings.slack_client_id,
        client_secret=secret,
        scopes=list(SCOPES),
        user_scopes=[],
        redirect_uri=redirect,
        installation_store=installations,
        installation_store_bot_only=True,
        token_rotation_expiration_minutes=MINUTES_BEFORE,
        state_store=SealedStates(_sealer(settings)),
    )


def _routes(settings: Settings, intake: Intake, bolt: AsyncApp) -> list[web.RouteDef]:
    routes = []
    if settings.slack_signing_secret is not None:
        gate = Gate(intake, bolt, settings.slack_signing_secret.get_secret_value())
        routes.append(web.post("/slack/events", gate.take))
    flow = bolt.oauth_flow
    if flow is not None:
        routes += [
            web.get("/slack/install", _page(flow.handle_installation)),
            web.get("/slack/oauth_redirect", _page(flow.handle_callback)),
        ]
    return routes


def _page(handle: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> Handler:
    async def show(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await handle(await to_bolt_request(request)))

    return show


def _services(
    settings: Settings, linking: Linking, bolt: AsyncApp, intake: Intake, clients: Clients
) -> tuple[Service, ...]:
    services: list[Service] = [linking.run]
    if settings.slack_app_token is not None and settings.slack_signing_secret is None:
        services.append(Socket(bolt, intake, settings.slack_app_token.get_secret_value(), clients.bare()).run)
    return tuple(services)
