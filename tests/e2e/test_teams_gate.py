"""The door: what is not Teams' is turned away, and nothing is acknowledged that is not stored."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlmodel import select

from bot.clock import Clock, MovableClock
from bot.config import Settings
from bot.errors import SettingsError
from bot.store.engine import Store
from bot.store.tables import InboxEvent
from handlers.inbox import Inbox
from handlers.running import served
from handlers.teams.microsoft import Microsoft
from handlers.teams.surface import PATH, check, make_teams
from tests.fakes.teams_chats import Chats, signed
from tests.fakes.teams_product import microsoft, settings_for
from tests.fakes.teams_server import APP, ISSUER, KEY_ID, FakeTeams


@dataclass
class Door:
    """What `make_teams` needs, without anybody behind it."""

    store: Store
    inbox: Inbox
    clock: Clock


@asynccontextmanager
async def door(
    store: Store, clock: Clock, folder: Path, settings: Settings | None = None
) -> AsyncIterator[Chats]:
    """The gate over a store, and people who knock."""
    fake = FakeTeams()
    fake.add_user("ann", "a@example.com")
    async with served(fake.app(), "127.0.0.1", 0) as url:
        fake.url = url
        surface = make_teams(
            Door(store, Inbox(store), clock), settings or settings_for(folder), microsoft(url)
        )
        site = web.Application()
        surface.add_to(site)
        async with served(site, "127.0.0.1", 0) as address, aiohttp.ClientSession() as http:
            yield Chats(fake, f"{address}{PATH}", http, retries=0)
            await surface.close()


@pytest.fixture
async def people(store: Store, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Chats]:
    async with door(store, clock, tmp_path) as knocking:
        yield knocking


@pytest.fixture
async def few(sqlite_store: Store, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Chats]:
    """Where the database makes no difference."""
    async with door(sqlite_store, clock, tmp_path) as knocking:
        yield knocking


async def stored(store: Store) -> list[InboxEvent]:
    async with store.read() as session:
        return list((await session.exec(select(InboxEvent))).all())


def saying(people: Chats, text: str = "hi", **more: Any) -> dict[str, Any]:
    return people.activity("ann", people.teams.personal("ann"), "message", text=text, **more)


async def test_redeliveries_shuffled_and_at_once_are_stored_once(people: Chats, store: Store) -> None:
    bodies = [saying(people, f"number {n}") for n in range(150)]
    deliveries = bodies + random.Random(1).sample(bodies, 45)  # noqa: S311
    random.Random(2).shuffle(deliveries)  # noqa: S311
    statuses = await asyncio.gather(*(people.deliver(body) for body in deliveries))
    assert set(statuses) == {200}
    rows = await stored(store)
    assert sorted(row.payload["text"] for row in rows) == sorted(f"number {n}" for n in range(150))
    assert people.teams.keys_asked == 1


async def test_a_redelivery_is_known_by_its_id(few: Chats, sqlite_store: Store) -> None:
    body = saying(few)
    for moment in ("2026-11-18T09:00:00Z", "2026-11-18T09:00:15Z"):
        assert await few.deliver({**body, "timestamp": moment}) == 200
    assert len(await stored(sqlite_store)) == 1


async def test_the_same_id_in_another_chat_is_another_message(few: Chats, sqlite_store: Store) -> None:
    few.teams.add_user("bob", "b@example.com")
    for user in ("ann", "bob"):
        body = few.activity(user, few.teams.personal(user), "message", text=user)
        assert await few.deliver({**body, "id": "1"}) == 200
    assert len(await stored(sqlite_store)) == 2


ANOTHER = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def forged(**head: Any) -> Callable[[FakeTeams], str]:
    def make(teams: FakeTeams) -> str:
        claims = jwt.decode(signed(teams)[7:], options={"verify_signature": False})
        key, algorithm = head.get("key", teams.key), head.get("alg", "RS256")
        names = {"kid": head["kid"]} if "kid" in head else {}
        return f"Bearer {jwt.encode(claims, key, algorithm, headers=names)}"

    return make


FORGERIES: dict[str, Callable[[FakeTeams], str | None]] = {
    "no header": lambda teams: None,
    "empty": lambda teams: "",
    "no token": lambda teams: "Bearer",
    "another scheme": lambda teams: signed(teams).replace("Bearer", "Basic"),
    "nonsense": lambda teams: "Bearer a.b.c",
    "not even that": lambda teams: "Bearer ä ö",
    "two tokens": lambda teams: f"{signed(teams)} {signed(teams)[7:]}",
    "another key": forged(key=ANOTHER, kid=KEY_ID),
    "an unknown key": forged(kid="key-9"),
    "no key named": forged(),
    "a secret instead of a key": forged(key="x" * 40, alg="HS256", kid=KEY_ID),
    "no signature": forged(key=None, alg="none", kid=KEY_ID),
    "cut off": lambda teams: signed(teams)[:-8],
    "another issuer": lambda teams: signed(teams, iss="https://login.example.com"),
    "a sign-in's issuer": lambda teams: signed(teams, iss="https://sts.windows.net/t/"),
    "another audience": lambda teams: signed(teams, aud="another-app"),
    "no audience": lambda teams: signed(teams, aud=None),
    "two audiences": lambda teams: signed(teams, aud=[APP, "another-app"]),
    "another service": lambda teams: signed(teams, serviceurl="https://smba.trafficmanager.net/x/"),
    "no service": lambda teams: signed(teams, serviceurl=None),
    "too old": lambda teams: signed(teams, exp=int(time.time()) - 301),
    "without an end": lambda teams: signed(teams, exp=None),
    "not yet": lambda teams: signed(teams, nbf=int(time.time()) + 400),
    "claims of another kind": lambda teams: signed(teams, exp="soon"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_what_teams_did_not_sign_is_turned_away(few: Chats, sqlite_store: Store, forgery: str) -> None:
    header = FORGERIES[forgery](few.teams)
    headers = {} if header is None else {"Authorization": header}
    assert await few.knock(saying(few), headers) == 401
    assert await stored(sqlite_store) == []


async def test_a_key_that_may_not_speak_for_the_channel_is_turned_away(few: Chats) -> None:
    few.teams.endorsements = ["webchat"]
    assert await few.knock(saying(few), {"Authorization": signed(few.teams)}) == 401


async def test_unknown_keys_do_not_make_us_ask_again_and_again(few: Chats) -> None:
    for _ in range(20):
        assert await few.knock(saying(few), {"Authorization": forged(kid="key-9")(few.teams)}) == 401
    assert few.teams.keys_asked == 1
    for _ in range(5):
        assert await few.knock(saying(few), {"Authorization": signed(few.teams, aud="other")}) == 401
    assert few.teams.keys_asked == 1


async def test_where_the_keys_are_away_teams_has_to_send_again(few: Chats, sqlite_store: Store) -> None:
    few.teams.keys_away = True
    body = saying(few)
    assert await few.deliver(body) == 503
    assert await stored(sqlite_store) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        "http://smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://evil.trafficmanager.net/",
        "https://user@smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net:8443/",
        "https://botframework.com.evil.example/",
        "https://[::1/",
        "file:///etc/passwd",
        "",
        None,
        7,
    ],
)
async def test_a_foreign_service_address_is_turned_away(few: Chats, sqlite_store: Store, url: Any) -> None:
    """Even where the token vouches for it: our own token would go there."""
    token = {"Authorization": signed(few.teams, serviceurl=url)}
    assert await few.knock({**saying(few), "serviceUrl": url}, token) == 401
    assert await stored(sqlite_store) == []
    assert Microsoft().is_service(url) is False


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net/teams",
        "https://emea.ng.botframework.com/",
        "https://smba.infra.gcc.teams.microsoft.com/teams/",
    ],
)
def test_microsofts_own_addresses_are_believed(url: str) -> None:
    assert Microsoft().is_service(url)
    assert not Microsoft().is_service("http://127.0.0.1:8080/"), (
        "this machine only where it stands in for Teams"
    )


@pytest.mark.parametrize("tenant", ["another-tenant", ""])
async def test_another_tenant_is_refused(few: Chats, sqlite_store: Store, tenant: str) -> None:
    body = saying(few, channelData={})
    body["conversation"]["tenantId"] = tenant
    assert await few.knock(body, {"Authorization": signed(few.teams)}) == 403
    assert await stored(sqlite_store) == []


RIDDLES: list[Any] = [
    [],
    "x",
    7,
    None,
    {},
    {"type": "message"},
    {"type": "message", "conversation": "x", "from": 7, "text": {"a": 1}},
    {"type": ["message"]},
    {"type": "invoke", "name": "adaptiveCard/action", "value": "x"},
    {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": {"data": []}}},
    {"type": "invoke", "name": "task/fetch", "value": {}},
    {"type": "invoke", "name": "signin/verifyState"},
    {"type": "conversationUpdate", "membersAdded": [7, None, {"id": None}]},
    {"type": "installationUpdate", "action": 7},
    {"type": "message", "entities": [None, {"type": "mention", "mentioned": "x", "text": None}], "text": "a"},
    {"type": "message", "attachments": [None, {"contentType": 3}], "text": None, "value": {"choice": 3}},
    {"type": "message", "value": {"say": "snooze until", "day": "2026-99-99"}},
    {"type": "messageReaction", "reactionsAdded": []},
    {"type": "message", "text": "long place", "conversation": {"id": "x" * 500}},
]


@pytest.mark.parametrize("number", range(len(RIDDLES)))
async def test_a_signed_riddle_is_no_error_of_ours(few: Chats, sqlite_store: Store, number: int) -> None:
    riddle = RIDDLES[number]
    body = {**saying(few), "text": None, **riddle} if isinstance(riddle, dict) else riddle
    if isinstance(riddle, dict) and isinstance(riddle.get("conversation"), dict):
        body["conversation"] = {**saying(few)["conversation"], **riddle["conversation"]}
    status = await few.knock(body, {"Authorization": signed(few.teams)})
    assert status in (200, 400, 401, 403, 501)
    assert len(await stored(sqlite_store)) <= 1


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
async def test_what_is_no_json_is_no_error_of_ours(few: Chats, raw: bytes) -> None:
    headers = {"Authorization": signed(few.teams), "Content-Type": "application/json"}
    async with few.http.post(few.endpoint, data=raw, headers=headers) as response:
        assert response.status == 400


async def test_a_page_in_a_browser_cannot_speak_for_somebody(few: Chats) -> None:
    headers = {"Authorization": signed(few.teams), "Content-Type": "text/plain"}
    async with few.http.post(few.endpoint, data=b"{}", headers=headers) as response:
        assert response.status == 400


async def test_what_others_say_in_a_channel_is_not_kept(few: Chats, sqlite_store: Store) -> None:
    few.teams.add_channel("19:c@thread.tacv2", "ann")
    await few.speak("ann", "19:c@thread.tacv2", "just talking")
    await few.speak("ann", "19:c@thread.tacv2", "@ hello &amp; <at>Bob</at>\xa0there")
    (row,) = await stored(sqlite_store)
    assert row.payload["text"] == "hello & @Bob there"
    assert row.payload["public"] is True
    assert row.conversation == f"19:c@thread.tacv2;messageid={row.payload['thread']}"
    assert "name" not in row.payload, "no name is kept"


async def test_an_outage_of_the_database_is_not_acknowledged(clock: MovableClock, tmp_path: Path) -> None:
    store = Store("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    async with door(store, clock, tmp_path) as people:
        assert await people.deliver(saying(people)) == 503
        press = people.activity("ann", people.teams.personal("ann"), "invoke", name="adaptiveCard/action")
        press["value"] = {"action": {"verb": "choose", "data": {"choice": "home:1:0:x"}}}
        assert await people.deliver(press) == 503
    await store.close()


def anonymous(folder: Path, **more: object) -> Settings:
    none = dict.fromkeys(
        ("microsoft_app_id", "microsoft_app_password", "microsoft_app_type", "microsoft_app_tenant_id")
    )
    return settings_for(folder, **{**none, "teams_anonymous": True, **more})


async def test_without_tokens_only_this_machine_is_served(
    sqlite_store: Store, clock: MovableClock, tmp_path: Path
) -> None:
    async with door(sqlite_store, clock, tmp_path, anonymous(tmp_path)) as people:
        assert await people.knock(saying(people), {}) == 200
        for proxied in ({"X-Forwarded-For": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"}):
            assert await people.knock(saying(people), proxied) == 401
        assert await people.knock({**saying(people), "serviceUrl": "https://evil.example.com/"}, {}) == 401
    assert len(await stored(sqlite_store)) == 1


async def test_with_an_app_and_without_tokens_a_token_is_checked_where_one_comes(
    sqlite_store: Store, clock: MovableClock, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, teams_anonymous=True)
    async with door(sqlite_store, clock, tmp_path, settings) as people:
        assert await people.knock(saying(people), {}) == 200
        assert await people.knock(saying(people), {"Authorization": "Bearer a.b.c"}) == 401


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        ({"microsoft_app_tenant_id": None}, "MICROSOFT_APP_TENANT_ID"),
        ({"microsoft_app_password": None}, "MICROSOFT_APP_PASSWORD"),
        ({"microsoft_app_type": "Other"}, "MICROSOFT_APP_TYPE"),
    ],
)
def test_a_start_that_would_trust_too_much_is_refused(
    tmp_path: Path, missing: dict[str, object], names: str
) -> None:
    with pytest.raises(SettingsError, match=names):
        check(settings_for(tmp_path, **missing))
    check(settings_for(tmp_path, microsoft_app_type="userassignedmsi", microsoft_app_password=None))


def test_the_issuer_is_microsofts() -> None:
    from handlers.teams.trust import ISSUER as OURS

    assert OURS == ISSUER
