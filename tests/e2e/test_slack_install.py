"""Installing in the browser, several workspaces, tokens that rotate, and Socket Mode."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlmodel import select

from bot.clock import Clock, MovableClock
from bot.config import Settings
from bot.errors import SettingsError
from bot.messages import Message
from bot.store.engine import Store
from bot.store.secrets import Sealer
from bot.store.tables import InboxEvent, Installation
from handlers.inbox import Inbox
from handlers.running import served
from handlers.slack.clients import NoToken
from handlers.slack.doctor import examine
from handlers.slack.surface import SlackSurface, make_slack
from scheduler.sending import Gone, Outgoing
from tests.e2e.test_slack_gate import Door
from tests.fakes.slack_server import TEAM, FakeSlack
from tests.fakes.slack_workspace import SECRET, Workspace

# The SDK exchanges tokens with a class that aiohttp is about to rename.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

KEY = "a-key-of-more-than-sixteen-characters"


class Site(Workspace):
    """A workspace in front of a deployment; `surface` is what runs there."""

    surface: SlackSurface
    base: str


@asynccontextmanager
async def deployed(store: Store, clock: Clock, folder: Path, **given: Any) -> AsyncIterator[Site]:
    """The surface with the given settings, behind real HTTP."""
    fake = FakeSlack()
    fake.add_user("UA", "a@example.com")
    async with served(fake.app(), "127.0.0.1", 0) as api:
        fake.url = api
        settings = Settings(
            _env_file=None,
            STAGECOACH_HOME=folder,
            slack_api_url=f"{api}/api/",
            **given,
        )  # type: ignore[call-arg]
        surface = make_slack(Door(store, Inbox(store), clock), settings)
        site = web.Application()
        surface.add_to(site)
        jar = aiohttp.CookieJar(unsafe=True)
        async with served(site, "127.0.0.1", 0) as base, aiohttp.ClientSession(cookie_jar=jar) as http:
            made = Site(fake, f"{base}/slack/events", http, retries=0)
            made.surface, made.base = surface, base
            yield made
            await surface.close()


@pytest.fixture
async def site(store: Store, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Site]:
    oauth = {
        "slack_client_id": "1.2",
        "slack_client_secret": "hush",
        "slack_signing_secret": SECRET,
        "STAGECOACH_SECRET_KEY": KEY,
        "public_url": "https://coach.example",
    }
    async with deployed(store, clock, tmp_path, **oauth) as made:
        yield made


async def install(site: Site, team: str) -> int:
    """Go through the installation as a browser does; Slack's own page is left out."""
    async with site.http.get(f"{site.base}/slack/install") as response:
        page = await response.text()
        cookie = response.headers["Set-Cookie"].split(";")[0]
    found = re.search(r"state=([^&\"]+)", page)
    assert found is not None
    assert "https://coach.example/slack/oauth_redirect" in page.replace("%3A", ":").replace("%2F", "/")
    site.slack.codes["code"] = team
    # The cookie is for https only, as it should be; this test speaks http.
    redirect = f"{site.base}/slack/oauth_redirect?code=code&state={found[1]}"
    async with site.http.get(redirect, headers={"Cookie": cookie}) as response:
        return response.status


def outgoing(team: str) -> Outgoing:
    return Outgoing(1, f"{team}:DUA", None, 1, Message(text="Hello"), "k:1", datetime.now(UTC), 0)


async def test_two_workspaces_each_with_its_own_sealed_token(site: Site, store: Store) -> None:
    assert await install(site, "T0ONE") == 200
    assert await install(site, "T0TWO") == 200
    assert await site.surface.clients.tokens.teams() == ["T0ONE", "T0TWO"]
    site.slack.direct("UA")
    for team in ("T0ONE", "T0TWO"):
        await site.surface.sender.send(outgoing(team))
        token = await site.surface.clients.tokens.token(team)
        assert site.slack.tokens[token] == team
    async with store.read() as session:
        rows = (await session.exec(select(Installation))).all()
    assert all("xoxe" not in row.sealed for row in rows)
    with pytest.raises(Gone, match="not installed"):
        await site.surface.sender.send(outgoing("T0THREE"))


async def test_a_token_is_renewed_for_a_scheduled_message(site: Site) -> None:
    site.slack.token_seconds = 600
    await install(site, "T0ONE")
    before = set(site.slack.tokens)
    tokens = site.surface.clients.tokens
    renewed = await asyncio.gather(*(tokens.token("T0ONE") for _ in range(5)))
    assert not set(renewed) & before
    del site.slack.refresh[next(iter(site.slack.refresh))]
    assert await tokens.token("T0ONE"), "while it holds, an old token is better than none"


async def test_a_state_that_is_not_ours_installs_nothing(site: Site) -> None:
    site.slack.codes["code"] = "T0ONE"
    for state in ("x", Sealer(["another key, long enough"]).seal("x")):
        url = f"{site.base}/slack/oauth_redirect?code=code&state={state}"
        async with site.http.get(url, headers={"Cookie": f"slack-app-oauth-state={state}"}) as response:
            assert response.status in (400, 401)
    assert await site.surface.clients.tokens.teams() == []


@pytest.mark.parametrize("kind", ["tokens_revoked", "app_uninstalled"])
async def test_a_workspace_that_removes_the_app_is_left_alone(site: Site, kind: str) -> None:
    await install(site, TEAM)
    event = site.event({"type": kind, "tokens": {"bot": ["U0BOT"]}})
    assert await site.send_json(event) == 200
    for _ in range(500):
        if not await site.surface.clients.tokens.teams():
            break
        await asyncio.sleep(0.01)
    with pytest.raises(NoToken):
        await site.surface.clients.tokens.token(TEAM)
    await install(site, TEAM)
    assert await site.surface.clients.tokens.teams() == [TEAM]


async def test_slacks_word_that_a_token_is_revoked_is_remembered(site: Site) -> None:
    await install(site, TEAM)
    site.slack.direct("UA")
    site.slack.refuse("chat.postMessage", {"error": "token_revoked"})
    with pytest.raises(Gone, match="revoked"):
        await site.surface.sender.send(outgoing(TEAM))
    assert await site.surface.clients.tokens.teams() == []


def test_a_sealed_text_opens_with_its_key_only() -> None:
    sealed = Sealer([KEY]).seal("xoxb-1")
    assert "xoxb" not in sealed
    assert Sealer(["the new key, as long as it", KEY]).open(sealed) == "xoxb-1"
    with pytest.raises(SettingsError, match="can't be opened"):
        Sealer(["the new key, as long as it"]).open(sealed)
    for keys in ([], ["short"]):
        with pytest.raises(SettingsError, match="16 characters"):
            Sealer(keys)


async def test_socket_mode_stores_before_it_acknowledges(
    sqlite_store: Store, clock: MovableClock, tmp_path: Path
) -> None:
    tokens = {"slack_bot_token": "xoxb-fake", "slack_app_token": "xapp-1"}
    async with deployed(sqlite_store, clock, tmp_path, **tokens) as site:
        site.slack.tokens["xapp-1"] = TEAM
        stop = asyncio.Event()
        services = [asyncio.create_task(service(stop)) for service in site.surface.services]
        socket = (await site.wait(lambda: site.slack.sockets))[0]
        said = site.said(site.slack.direct("UA"), "UA", "hello", channel_type="im")
        form = {"command": "/stagecoach", "text": "help", "user_id": "UA", "team_id": TEAM}
        home = site.event({"type": "app_home_opened", "user": "UA", "channel": "DUA", "tab": "messages"})
        for number, (kind, payload) in enumerate(
            [("events_api", said), ("events_api", said), ("slash_commands", form), ("events_api", home)]
        ):
            await socket.send_json({"type": kind, "envelope_id": f"e{number}", "payload": payload})
        await site.wait(lambda: len(site.slack.acknowledged) == 4)
        assert "/stagecoach ask" in site.slack.acknowledged["e2"]["text"]
        await site.wait(lambda: site.slack.prompts)
        stop.set()
        await asyncio.gather(*services)
    async with sqlite_store.read() as session:
        (event,) = (await session.exec(select(InboxEvent))).all()
    assert event.payload["text"] == "hello"


async def test_the_doctor_tells_what_is_wrong(
    sqlite_store: Store, clock: MovableClock, tmp_path: Path
) -> None:
    given = {
        "slack_bot_token": "xoxb-fake",
        "slack_signing_secret": "not-hexadecimal",
        "public_url": "http://127.0.0.1:9",
    }
    async with deployed(sqlite_store, clock, tmp_path, **given) as site:
        settings = Settings(_env_file=None, **given)  # type: ignore[call-arg, arg-type]
        found = await examine(settings, sqlite_store, site.surface.clients)
        wrong = {finding.name for finding in found if not finding.well}
        assert wrong == {"slack signing", "slack address"}
        site.slack.tokens.clear()
        found = await examine(settings, sqlite_store, site.surface.clients)
        assert "Install the app again" in next(one.sentence for one in found if one.name == "slack token")
        assert all(finding.sentence.strip() for finding in found)
