"""What may be wrong between Slack and this deployment, one finding a line, each with what to do."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.clock import Clock, system_clock
from bot.config import Settings
from bot.errors import StagecoachError
from bot.store.engine import Store
from bot.store.tables import Platform
from handlers.findings import Finding, undelivered
from handlers.slack.clients import Clients
from handlers.slack.manifest import SCOPES

MOST_SKEW_SECONDS = 60
"""Slack refuses nothing by our clock, but we refuse a request that seems older than five minutes."""

REACH_SECONDS = 5.0


async def examine(
    settings: Settings, store: Store, clients: Clients, clock: Clock = system_clock
) -> list[Finding]:
    """Token, permissions, signing, clock, address, and what could not be delivered."""
    findings = [_signing(settings)]
    for team in await clients.tokens.teams():
        findings += await _token(clients, team, clock)
    if settings.public_url is not None and settings.slack_signing_secret is not None:
        findings.append(await _reachable(settings.public_url))
    findings.append(await undelivered(store, Platform.SLACK))
    return findings


def _signing(settings: Settings) -> Finding:
    if settings.slack_signing_secret is None:
        if settings.slack_app_token is not None:
            return Finding("slack signing", True, "Socket Mode: no signing secret is needed.")
        return Finding("slack signing", False, "SLACK_SIGNING_SECRET is missing; it is on the app's page.")
    fits = re.fullmatch(r"[0-9a-f]{32}", settings.slack_signing_secret.get_secret_value()) is not None
    if fits:
        return Finding("slack signing", True, "The signing secret looks right.")
    return Finding(
        "slack signing",
        False,
        "SLACK_SIGNING_SECRET is not 32 hexadecimal characters. Copy it again from Basic Information.",
    )


async def _token(clients: Clients, team: str, clock: Clock) -> list[Finding]:
    try:
        reply = await (await clients.of(team)).auth_test()
    except SlackApiError as error:
        code = error.response.get("error", "") if hasattr(error.response, "get") else ""
        return [Finding("slack token", False, f"Slack refuses the token ({code}). Install the app again.")]
    except (StagecoachError, aiohttp.ClientError, TimeoutError, OSError) as error:
        said = str(error) if isinstance(error, StagecoachError) else "Slack can't be reached from here."
        return [Finding("slack token", False, said)]
    headers = {name.lower(): value for name, value in reply.headers.items()}
    name = reply.get("team") or reply.get("team_id")
    found = [Finding("slack token", True, f"The token speaks for {name}.")]
    return [*found, *_scopes(headers), *_skew(headers, clock)]


def _scopes(headers: dict[str, Any]) -> list[Finding]:
    granted = {scope.strip() for scope in str(headers.get("x-oauth-scopes", "")).split(",")} - {""}
    if not granted:
        return []
    missing = [scope for scope in SCOPES if scope not in granted]
    if not missing:
        return [Finding("slack permissions", True, "Every permission is granted.")]
    told = ", ".join(missing)
    return [Finding("slack permissions", False, f"Missing: {told}. Install the app again from the manifest.")]


def _skew(headers: dict[str, Any], clock: Clock) -> list[Finding]:
    try:
        away = abs((parsedate_to_datetime(str(headers["date"])) - clock()).total_seconds())
    except (KeyError, TypeError, ValueError):
        return []
    if away <= MOST_SKEW_SECONDS:
        return [Finding("slack clock", True, "This machine's clock agrees with Slack's.")]
    sentence = f"This machine's clock is {away:.0f} seconds off Slack's. Requests may be refused: use NTP."
    return [Finding("slack clock", False, sentence)]


async def _reachable(public_url: str) -> Finding:
    """Whether the address answers, as seen from this machine; Slack may see it differently."""
    url = f"{public_url.rstrip('/')}/healthz"
    try:
        timeout = aiohttp.ClientTimeout(total=REACH_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            if response.status == 200:
                return Finding("slack address", True, f"{public_url} answers.")
            told = f"answers with status {response.status}"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        told = "does not answer"
    return Finding("slack address", False, f"{url} {told}. Does `stagecoach serve` run? Is PUBLIC_URL right?")
