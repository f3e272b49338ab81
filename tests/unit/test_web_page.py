"""The page's routes without a browser: who may ask, what is refused, what is said once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.errors import NotFound, StoreUnavailable
from bot.messages import Chart, Message, Series
from handlers.web import charts
from handlers.web.app import LONGEST, Page
from handlers.web.health import Metric, exposition, health_routes
from handlers.web.ports import Cursor
from tests.fakes.page import EMPLOYEE, EXECUTIVE, LEAD, NUDGE, FakePage

Client = TestClient[web.Request, web.Application]

JSON = {"Accept": "application/json"}


@pytest.fixture
def world() -> FakePage:
    return FakePage(delay=0.01)


@pytest.fixture
async def client(world: FakePage) -> AsyncIterator[Client]:
    app = web.Application()
    Page(world).add_to(app)
    async with TestClient(TestServer(app, host="127.0.0.1")) as made:
        yield made


async def fields(client: Client, person: int = EMPLOYEE, **more: str) -> dict[str, str]:
    """What a form of the page would send."""
    html = await (await client.get(f"/?as={person}")).text()
    token = re.search(r'name="token" value="([0-9a-f]{64})"', html)
    assert token is not None
    return {"as": str(person), "token": token[1], "key": "key-00000001", **more}


def words(world: FakePage, person: int = EMPLOYEE) -> list[str]:
    return [entry.words for entry in world.lines.get(person, []) if entry.words is not None]


@pytest.mark.parametrize(
    "path", ["/", "/static/page.css", "/passage/7?as=2", "/nowhere-static", "/live?as=2"]
)
@pytest.mark.parametrize(
    "host", ["evil.example.com", "127.0.0.1.evil.example.com", "", "[", "localhost.evil"]
)
async def test_a_foreign_host_name_gets_nothing(client: Client, path: str, host: str) -> None:
    answer = await client.get(path, headers={"Host": host})
    assert answer.status in (400, 403, 404)
    assert "Maya" not in await answer.text()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:8080", "LOCALHOST"])
async def test_our_own_names_are_served(client: Client, host: str) -> None:
    assert (await client.get("/", headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/say", "/choose", "/clock", "/reset"])
async def test_a_form_from_elsewhere_does_nothing(
    client: Client, world: FakePage, path: str, headers: dict[str, str]
) -> None:
    before = world.now
    form = await fields(client, text="hello", choice="x", to="monday")
    answer = await client.post(path, data=form, headers=headers, allow_redirects=False)
    assert answer.status == 403
    assert (words(world), world.now) == ([], before)


@pytest.mark.parametrize("token", ["", "0" * 64, "é" * 10])
async def test_a_form_without_its_token_does_nothing(client: Client, world: FakePage, token: str) -> None:
    form = {**await fields(client, text="hello"), "token": token}
    assert (await client.post("/say", data=form, headers=JSON)).status == 403
    assert words(world) == []


async def test_a_token_belongs_to_one_visitor(client: Client, world: FakePage) -> None:
    form = await fields(client, text="hello")
    client.session.cookie_jar.clear()
    await client.get("/")
    assert (await client.post("/say", data=form, headers=JSON)).status == 403
    assert words(world) == []


async def test_every_page_forbids_what_it_does_not_need(client: Client) -> None:
    for path in ("/", "/passage/7?as=9", "/static/page.js", "/static/none"):
        answer = await client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
    page = await client.get("/")
    assert page.headers["Cache-Control"] == "no-store"
    cookie = SimpleCookie(page.headers["Set-Cookie"])["stagecoach"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(client: Client) -> None:
    html = await (await client.get(f"/?as={LEAD}")).text()
    assert re.findall(r'(?:src|href|action)="(?!/|#)', html) == []
    assert re.findall(r"<script(?![^>]* src=)|\son[a-z]+=|\sstyle=|<style", html) == []


async def test_the_same_key_is_said_once(client: Client, world: FakePage) -> None:
    form = await fields(client, text="hello")
    for _ in range(3):
        assert (await client.post("/say", data=form, headers=JSON)).status == 200
    assert words(world) == ["hello"]


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""},
        {"text": "  \n "},
        {"text": "a" * (LONGEST + 1)},
        {"key": ""},
        {"key": "short"},
        {"key": "a" * 65},
        {"as": "99"},
        {"as": "x"},
    ],
)
async def test_what_can_not_be_used_is_refused_in_a_sentence(
    client: Client, world: FakePage, change: dict[str, str]
) -> None:
    form = {**await fields(client, text="hello"), **change}
    answer = await client.post("/say", data=form, headers=JSON)
    assert 400 <= answer.status < 500
    assert (await answer.json())["problem"].endswith(".")
    assert world.lines == {}


async def test_only_buttons_that_were_offered_to_this_person_can_be_pressed(
    client: Client, world: FakePage
) -> None:
    world.hear(LEAD, NUDGE)
    for person, choice in ((EMPLOYEE, "nudge:1:0:now"), (LEAD, "nudge:9:9:now"), (LEAD, "")):
        form = await fields(client, person, choice=choice)
        assert (await client.post("/choose", data=form, headers=JSON)).status == 404
    form = await fields(client, LEAD, choice="nudge:1:0:now")
    assert (await client.post("/choose", data=form, headers=JSON)).status == 200
    assert words(world, LEAD) == ["Do it now"]


@pytest.mark.parametrize("days", ["0", "91", "-1", "x", "", "1e3", "٣", "9" * 30])
async def test_the_clock_moves_by_sensible_days_only(client: Client, world: FakePage, days: str) -> None:
    before = world.now
    form = await fields(client, to="days", days=days)
    assert (await client.post("/clock", data=form, headers=JSON)).status == 400 or days == "٣"
    assert (world.now - before).days in (0, 3)


async def test_an_outage_is_told_and_not_traced(client: Client, world: FakePage) -> None:
    world.broken = StoreUnavailable("The database can't be reached at /secret/place.")
    answer = await client.get("/")
    assert answer.status == 503
    assert "/secret" not in await answer.text()


async def test_before_the_sample_is_loaded_the_page_asks_for_patience(
    client: Client, world: FakePage
) -> None:
    world.broken = NotFound("The sample company is not loaded yet.")
    answer = await client.get("/")
    assert (answer.status, answer.headers["Refresh"]) == (503, "2")
    assert "not loaded yet" in await answer.text()


async def test_a_passage_is_for_those_who_may_read_it(client: Client, world: FakePage) -> None:
    assert (await client.get(f"/passage/7?as={EMPLOYEE}&in=1")).status == 200
    assert (await client.get(f"/passage/7?as={EXECUTIVE}&in=1")).status == 404
    assert (await client.get(f"/passage/8?as={EMPLOYEE}&in={'9' * 40}")).status == 404
    assert (await client.get(f"/passage/{'9' * 40}?as={EMPLOYEE}")).status == 404


async def events(
    client: Client, path: str, count: int, **headers: str
) -> list[tuple[str, dict[str, object], str]]:
    """The first `count` events of a stream: kind, data and id."""
    found: list[tuple[str, dict[str, object], str]] = []
    async with asyncio.timeout(10), client.get(path, headers=headers) as answer:
        part: dict[str, str] = {}
        while len(found) < count:
            line = (await answer.content.readline()).decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                part[name] = value
            elif part:
                found.append((part["event"], json.loads(part["data"]), part["id"]))
                part = {}
    return found


async def test_a_stream_goes_on_where_it_was_cut_off(client: Client, world: FakePage) -> None:
    world.hear(LEAD, Message(text="first"))
    world.hear(LEAD, Message(text="second"))
    whole = await events(client, f"/live?as={LEAD}&after=0.0", 3)
    assert {kind for kind, _, _ in whole} == {"chat", "people", "inside"}
    assert "first" in str(whole[0][1]["html"])
    assert "second" in str(whole[0][1]["html"])
    rest = await events(client, f"/live?as={LEAD}&after=0.0", 1, **{"Last-Event-ID": "0.1"})
    assert "first" not in str(rest[0][1]["html"])
    assert "second" in str(rest[0][1]["html"])


async def test_streams_end_with_the_server(world: FakePage) -> None:
    app = web.Application()
    Page(world).add_to(app)
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        answer = await client.get(f"/live?as={LEAD}")
        await answer.content.readline()
        async with asyncio.timeout(5):
            await client.server.close()


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "a.b", "1.2.3", "-1.2", "1" * 50 + ".1", "²․3"])
def test_a_strange_cursor_is_the_beginning(text: str) -> None:
    assert Cursor.parse(text) == Cursor()
    assert Cursor.parse(str(Cursor(3, 40))) == Cursor(3, 40)


def test_a_line_with_gaps_keeps_them() -> None:
    values = (None, 0.1, None, 0.3, 0.4, None)
    low = tuple(v and v - 0.05 for v in values)
    chart = Chart(
        kind="line",
        title="t",
        alt="a",
        labels=("a", "b", "c", "d", "e", "f"),
        series=(Series(name="s", values=values, low=low, high=values),),
        unit="%",
    )
    line = charts.line_plot(chart).lines[0]
    assert line.path.count("M") == 2
    assert len(line.dots) == 1
    assert line.band.count("Z") == 1
    assert line.end is not None
    assert line.end[2] == "40%"
    assert all(10 <= y <= 160 for y, _ in charts.line_plot(chart).rules)


def test_an_empty_chart_is_drawn_as_nothing() -> None:
    chart = Chart(kind="line", title="t", alt="a", labels=(), series=(Series(name="s", values=()),))
    assert charts.line_plot(chart).lines[0].path == ""
    assert charts.bar_share(None, chart) == 0


async def test_readiness_names_what_is_missing() -> None:
    async def fine() -> None:
        return None

    async def broken() -> None:
        raise StoreUnavailable("The database can't be reached.")

    async def metrics() -> list[Metric]:
        return [
            Metric(
                "stagecoach_events_total", "Events.\nAll.", "counter", {(("kind", 'a"b\\'),): 1234567890.0}
            )
        ]

    for checks, status in (({"database": fine}, 200), ({"database": broken, "index": fine}, 503)):
        app = web.Application()
        app.add_routes(health_routes(checks, metrics))
        async with TestClient(TestServer(app)) as client:
            assert (await client.get("/healthz")).status == 200
            ready = await client.get("/readyz")
            assert ready.status == status
            assert (await ready.json())["ready"] is (status == 200)
            assert (
                (await client.get("/metrics")).headers["Content-Type"].startswith("text/plain; version=0.0.4")
            )
    assert exposition(await metrics()) == (
        "# HELP stagecoach_events_total Events.\\nAll.\n# TYPE stagecoach_events_total counter\n"
        'stagecoach_events_total{kind="a\\"b\\\\"} 1234567890.0\n'
    )
