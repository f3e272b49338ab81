"""What the doctor says of Teams: each fault by its name, and what to do."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import enqueue
from bot.store.tables import OutboxStatus, Platform
from handlers.findings import Finding
from handlers.teams.doctor import examine
from tests.fakes.teams_product import Running, settings_for
from tests.fakes.teams_server import APP, TENANT
from tests.support.command import stagecoach
from tests.support.outbox import until


async def looked(teams: Running, store: Store, **more: object) -> dict[str, Finding]:
    settings = settings_for(teams.app.settings.home, **more)
    return {one.name: one for one in await examine(settings, store, teams.surface)}


async def test_all_is_well(teams: Running, sqlite_store: Store) -> None:
    await teams.people.say("hanna", "hello")
    await teams.people.next("hanna")
    found = await looked(teams, sqlite_store)
    unwell = {name for name, one in found.items() if not one.well}
    assert unwell == {"teams address"}, "the fake has no https address"
    assert "PUBLIC_URL is not set" in found["teams address"].sentence
    assert found["teams accounts"].sentence == "People who can be written to in Teams: 1."
    plain = await looked(teams, sqlite_store, public_url="http://stagecoach.example.com")
    assert "https" in plain["teams address"].sentence


async def test_every_fault_is_named(teams: Running, sqlite_store: Store) -> None:
    teams.teams.password, teams.teams.keys_away = "changed", True
    async with sqlite_store.write() as tx:
        said, now = [Message(text="Hello")], teams.app.clock()
        await enqueue(tx, platform=Platform.TEAMS, conversation="a:1", messages=said, key="k", now=now)
    async with asyncio.timeout(20):
        await until(sqlite_store, 1, OutboxStatus.DEAD)
    found = await looked(teams, sqlite_store, microsoft_app_id="my app")
    assert {name for name, one in found.items() if not one.well} == {
        "teams registration",
        "teams token",
        "teams keys",
        "teams address",
        "teams messages",
    }
    assert "MICROSOFT_APP_PASSWORD" in found["teams token"].sentence
    assert "MICROSOFT_APP_PASSWORD" in found["teams messages"].sentence


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"MICROSOFT_APP_ID": APP, "MICROSOFT_APP_TYPE": "SingleTenant"},
            "MICROSOFT_APP_TENANT_ID is missing",
        ),
        (
            {
                "MICROSOFT_APP_ID": APP,
                "MICROSOFT_APP_TYPE": "SingleTenant",
                "MICROSOFT_APP_TENANT_ID": TENANT,
            },
            "MICROSOFT_APP_PASSWORD is missing",
        ),
        ({"TEAMS_ANONYMOUS": "1"}, "only a client on this machine"),
    ],
)
def test_the_command_looks_at_the_registration(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    assert stagecoach(tmp_path, "db", "upgrade").status == 0
    looked = stagecoach(tmp_path, "doctor", "--json", **settings)
    found = {one["name"]: one for one in json.loads(looked.out)["findings"]}
    assert says in found["teams registration"]["sentence"]
    assert "Traceback" not in looked.err
