"""Slack requests accepted per second, durably stored, beside a bare Bolt app whose listener does nothing.

The server runs on one core, the client on the other, in the same run and one after the other, several rounds;
the medians count. Our side stores every request before it replies (SQLite with synchronous=FULL, PostgreSQL
with fsync and synchronous_commit on); answering and the sign of life are left out, as they are with the bare
app. Every request is signed, and each is a message of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import func, select

from bot.clock import system_clock
from bot.store.engine import Store
from bot.store.tables import InboxEvent
from handlers.inbox import Inbox
from handlers.running import served
from handlers.slack.clients import Clients, OneToken
from handlers.slack.gate import Gate, Intake
from tests.fakes.slack_server import BOT, TEAM, TOKEN, FakeSlack
from tests.fakes.slack_workspace import SECRET, signed
from tests.support.databases import PostgresFactory, SqliteFactory

REQUESTS, WARM_UP, CONNECTIONS, ROUNDS = 6_000, 500, 64, 3
FLOOR = 0.7


@dataclass(frozen=True)
class Pace:
    """Requests a second, and the 99th percentile of their times in milliseconds."""

    per_second: float
    p99_ms: float


# ── The servers, each in a process of its own ─────────────────────────────────────────────────────────────


async def serve(url: str) -> None:
    """Serve the bare app (no `url`) or ours on a store, until killed; prints the port."""
    fake = FakeSlack()
    async with served(fake.app(), "127.0.0.1", 0) as api:
        site = web.Application()
        if url:
            clients = Clients(OneToken(TOKEN), f"{api}/api/")
            store = Store(url)
            intake = Intake(store, Inbox(store), system_clock)
            gate = Gate(intake, AsyncApp(client=clients.bare(TOKEN), signing_secret=""), SECRET)
            site.add_routes([web.post("/slack/events", gate.take)])
        else:
            site.add_routes([web.post("/slack/events", _bare(f"{api}/api/"))])
        async with served(site, "127.0.0.1", 0) as address:
            sys.stdout.write(address.rpartition(":")[2] + "\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


def _bare(api: str) -> object:
    app = AsyncApp(signing_secret=SECRET, client=AsyncWebClient(TOKEN, base_url=api))

    @app.event("message")
    async def nothing() -> None:
        return

    async def take(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    return take


# ── The client ────────────────────────────────────────────────────────────────────────────────────────────


def requests(number: int, first: int) -> list[bytes]:
    """Signed requests, each with a message of its own, as bytes for the wire."""
    return [_request(first + n) for n in range(number)]


def _request(number: int) -> bytes:
    ts = f"{time.time():.0f}.{number:06d}"
    event = {"type": "message", "channel_type": "im", "channel": f"D{number % 500}", "user": "UA", "ts": ts}
    auth = {"team_id": TEAM, "enterprise_id": None, "user_id": BOT, "is_bot": True}
    around = {"type": "event_callback", "team_id": TEAM, "api_app_id": "A1", "event_id": f"Ev{number}"}
    text = {"text": "How many days of annual leave do I have this year, and by when do I have to ask?"}
    body = json.dumps({**around, "authorizations": [auth], "event": {**event, **text}}).encode()
    headers = {
        "Host": "x",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **signed(body),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /slack/events HTTP/1.1\r\n{head}\r\n".encode() + body


async def drive(port: int, first: int) -> Pace:
    """Send everything over a fixed number of connections, each as fast as it is answered."""
    await _all(port, requests(WARM_UP, first))
    waiting = requests(REQUESTS, first + WARM_UP)
    began = time.perf_counter()
    times = await _all(port, waiting)
    return Pace(REQUESTS / (time.perf_counter() - began), statistics.quantiles(times, n=100)[98] * 1000)


async def _all(port: int, waiting: list[bytes]) -> list[float]:
    waiting = list(reversed(waiting))
    times: list[float] = []
    await asyncio.gather(*(_connection(port, waiting, times) for _ in range(CONNECTIONS)))
    return times


async def _connection(port: int, waiting: list[bytes], times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while waiting:
        began = time.perf_counter()
        writer.write(waiting.pop())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n", 1)[0], head
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
        )
        await reader.readexactly(length)
        times.append(time.perf_counter() - began)
    writer.close()


# ── The rounds ────────────────────────────────────────────────────────────────────────────────────────────


def measure(url: str, first: int) -> Pace:
    """One server on the first core, the client here on the second."""
    command = ["taskset", "-c", "0", sys.executable, "-m", "benchmarks.slack_accept", "serve", url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        return asyncio.run(drive(int(process.stdout.readline()), first))
    finally:
        process.kill()
        process.communicate()


async def _stored(url: str) -> int:
    store = Store(url)
    try:
        async with store.read() as session:
            return int((await session.exec(select(func.count()).select_from(InboxEvent))).one())
    finally:
        await store.close()


def rounds() -> dict[str, list[Pace]]:
    """The measured paces of the bare app and of ours on each database."""
    found: dict[str, list[Pace]] = {"bare Bolt": [], "SQLite": [], "PostgreSQL": []}
    with tempfile.TemporaryDirectory() as folder:
        postgres = PostgresFactory()
        try:
            # The tests' server does not wait for its disk; here it must.
            asyncio.run(postgres._execute("ALTER SYSTEM SET fsync = on"))
            asyncio.run(postgres._execute("SELECT pg_reload_conf()"))
            urls = {
                "bare Bolt": "",
                "SQLite": SqliteFactory(Path(folder)).url(),
                "PostgreSQL": asyncio.run(postgres.url()),
            }
            # From here on: the databases' servers run where they like, the client on the last core.
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
            for number in range(ROUNDS):
                for name, url in urls.items():
                    found[name].append(measure(url, number * (REQUESTS + WARM_UP)))
            for name in ("SQLite", "PostgreSQL"):
                assert asyncio.run(_stored(urls[name])) == ROUNDS * (REQUESTS + WARM_UP), (
                    "every request is stored"
                )
        finally:
            postgres.close()
    return found


def main() -> Iterator[tuple[str, float, str]]:
    """(name, pace in relation to the bare app, figures) for each database; 0.7 is the floor, 1 the goal."""
    found = rounds()
    bare = statistics.median(pace.per_second for pace in found["bare Bolt"])
    late = statistics.median(pace.p99_ms for pace in found["bare Bolt"])
    for name in ("SQLite", "PostgreSQL"):
        pace = statistics.median(one.per_second for one in found[name])
        p99 = statistics.median(one.p99_ms for one in found[name])
        figures = f"{pace:.0f}/s, p99 {p99:.0f} ms; bare Bolt {bare:.0f}/s, p99 {late:.0f} ms"
        yield f"Slack accepted, {name}", pace / bare, figures


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(sys.argv[2]))
    else:
        for line in main():
            print(*line)
