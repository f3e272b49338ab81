"""A real process, killed while it streams an answer to Slack: no word is lost, and none stands twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bot.store.engine import Store
from bot.store.tables import Company, Person
from handlers.running import served
from tests.fakes.responses_server import ResponsesServer, responses_server
from tests.fakes.slack_server import BOT, FakeSlack
from tests.fakes.slack_workspace import Workspace
from tests.support.command import stagecoach
from tests.support.processes import Serving

POLICY = "# Leave\n\nEmployees have 30 days of annual leave. Leave is asked for two weeks ahead.\n"
CLAIMS = (
    {"text": "You have 30 days of annual leave.", "passage": 1, "quote": "30 days of annual leave"},
    {"text": "Leave is asked for two weeks ahead.", "passage": 1, "quote": "asked for two weeks ahead"},
)
PATIENCE = 120.0


@asynccontextmanager
async def company(url: str, home: Path) -> AsyncIterator[tuple[FakeSlack, str]]:
    """One person, one policy, and a Slack."""
    store, fake = Store(url), FakeSlack()
    async with store.write() as tx:
        tx.add(Company(name="Larkfield", time_zone="Europe/Berlin"))
        tx.add(Person(email="hanna@larkfield.example", name="Hanna"))
    await store.close()
    fake.add_user("UHANNA", "hanna@larkfield.example")
    (home / "leave.md").write_text(POLICY)
    added = await asyncio.to_thread(
        stagecoach, home, "kb", "add", str(home / "leave.md"), "--audience", "all", DATABASE_URL=url
    )
    assert added.status == 0, added.err
    async with served(fake.app(), "127.0.0.1", 0) as api:
        fake.url = api
        yield fake, api


def from_bot(fake: FakeSlack) -> list[dict[str, Any]]:
    return [message for message in fake.direct("UHANNA").messages if message["user"] == BOT]


async def until(fake: FakeSlack, holds: Any) -> None:
    async with asyncio.timeout(PATIENCE), fake.news:
        await fake.news.wait_for(holds)


def stalling(server: ResponsesServer) -> None:
    """The first claim comes, and then nothing."""
    server.answers = [{"answered": True, "claims": list(CLAIMS)}]
    whole = json.dumps(server.answers[0])
    server.cut_after = whole.index(CLAIMS[1]["text"])
    server.behaviour = "stall"


async def test_killed_in_the_middle_of_a_stream_the_next_process_replaces_its_words(
    url: str, tmp_path: Path, processes: list[Serving]
) -> None:
    async with company(url, tmp_path) as (fake, api), responses_server() as model:
        stalling(model)
        more = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": model.address, "OPENAI_MODEL": "tiny"}

        async def start() -> str:
            processes.append(Serving(tmp_path, url, api, **more))
            return f"{await processes[-1].address()}/slack/events"

        async with aiohttp.ClientSession() as http:
            people = Workspace(fake, await start(), http)
            await people.say("UHANNA", "How many days of annual leave do I have?")
            await until(fake, lambda: any("30 days" in json.dumps(one["blocks"]) for one in from_bot(fake)))
        (shown,) = from_bot(fake)
        assert shown["stream"] == "running"
        await processes[-1].kill()
        model.behaviour = ""
        await start()
        await until(fake, lambda: any(one.get("stream") == "over" for one in from_bot(fake)))
        await processes[-1].stop()
    (answer,) = from_bot(fake)
    assert answer["ts"] == shown["ts"]
    said = answer["text"]
    assert all(said.count(claim["text"]) == 1 for claim in CLAIMS), said
    assert "AI-generated" in said
