"""What may be wrong between Teams and this deployment, one finding a line, each with what to do."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import aiohttp
from sqlmodel import select

from bot.config import Settings
from bot.errors import StagecoachError, StoreUnavailable
from bot.store.engine import Store
from bot.store.tables import Identity, Platform
from handlers.findings import Finding, undelivered
from handlers.teams.surface import PATH, TeamsSurface
from handlers.teams.tokens import app_type
from handlers.teams.trust import KeysAway, Untrusted

REACH_SECONDS = 5.0


async def examine(settings: Settings, store: Store, surface: TeamsSurface) -> list[Finding]:
    """Registration, token, keys, address, accounts, and what could not be delivered."""
    findings = [_registration(settings)]
    if not settings.teams_anonymous:
        findings += [await _token(surface), await _keys(surface), await _address(settings.public_url)]
    return [*findings, await _accounts(store), await undelivered(store, Platform.TEAMS)]


def _registration(settings: Settings) -> Finding:
    name = "teams registration"
    if settings.teams_anonymous:
        return Finding(
            name, True, "TEAMS_ANONYMOUS=1: only a client on this machine is served, without tokens."
        )
    if not re.fullmatch(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", settings.microsoft_app_id or ""
    ):
        return Finding(name, False, "MICROSOFT_APP_ID is no app id. Copy it again from the registration.")
    return Finding(name, True, f"The app is registered as {app_type(settings)}, for one tenant.")


async def _token(surface: TeamsSurface) -> Finding:
    try:
        await surface.connector.tokens.token()
    except StagecoachError as error:
        return Finding("teams token", False, str(error))
    return Finding("teams token", True, "Microsoft gives a token for the app.")


async def _keys(surface: TeamsSurface) -> Finding:
    try:
        await surface.keys.find("")
    except KeysAway as error:
        return Finding(
            "teams keys", False, f"{error} Without them no request can be checked: open the way out."
        )
    except Untrusted:
        # No key has an empty name: that much can be said only with the keys at hand.
        return Finding("teams keys", True, "Microsoft's keys are at hand.")
    return Finding("teams keys", True, "Microsoft's keys are at hand.")


async def _address(public_url: str | None) -> Finding:
    """Whether the address answers, as seen from this machine; Teams may see it differently."""
    name = "teams address"
    if public_url is None:
        said = f"PUBLIC_URL is not set. Teams needs an https address; the bot's endpoint is that and {PATH}."
        return Finding(name, False, said)
    if urlsplit(public_url).scheme != "https":
        return Finding(name, False, "PUBLIC_URL has to begin with https: Teams takes nothing else.")
    url = f"{public_url.rstrip('/')}/healthz"
    try:
        timeout = aiohttp.ClientTimeout(total=REACH_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            if response.status == 200:
                return Finding(name, True, f"{public_url} answers.")
            told = f"answers with status {response.status}"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        told = "does not answer"
    return Finding(name, False, f"{url} {told}. Does `stagecoach serve` run? Is PUBLIC_URL right?")


async def _accounts(store: Store) -> Finding:
    """How many people can be written to."""
    try:
        async with store.read() as session:
            rows = await session.exec(select(Identity).where(Identity.platform == Platform.TEAMS))
            known = [row for row in rows if row.address.get("conversation")]
    except StoreUnavailable as error:
        return Finding("teams accounts", False, str(error))
    reachable = sum(row.reachable for row in known)
    if reachable == len(known):
        return Finding("teams accounts", True, f"People who can be written to in Teams: {reachable}.")
    away = len(known) - reachable
    return Finding(
        "teams accounts",
        True,
        f"People who can be written to in Teams: {reachable}; {away} more took the app away.",
    )
