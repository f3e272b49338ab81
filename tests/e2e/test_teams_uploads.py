"""Policies dropped into the personal chat: shown first, confirmed by a button, and never from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from bot.store.engine import Store
from bot.store.tables import Document
from handlers.teams.files import is_of_sharepoint
from handlers.teams.incoming import FILE
from tests.fakes.teams_chats import said
from tests.fakes.teams_product import Running

TRAVEL = b"# Travel\n\n## Trains\n\nOn journeys below six hours take the train in second class.\n"


def dropped(url: str, name: str = "travel.md") -> dict[str, Any]:
    page = {"contentType": "text/html", "content": "<div>as a page</div>"}
    file = {"contentType": FILE, "name": name, "content": {"downloadUrl": url, "fileType": "md"}}
    return {"attachments": [page, file]}


async def titles(store: Store) -> set[str]:
    async with store.read() as session:
        return set((await session.exec(select(Document.title))).all())


async def test_a_new_policy_is_shown_confirmed_and_answered_from(teams: Running, sqlite_store: Store) -> None:
    teams.teams.files["travel"] = TRAVEL
    await teams.people.say("olga", "", **dropped(f"{teams.teams.url}/files/travel"))
    shown = said(await teams.people.next("olga"))
    assert "Travel would be a new policy." in shown
    assert "Travel" not in await titles(sqlite_store)
    await teams.people.click("olga", "Add it for everybody")
    assert "Travel is in." in said(await teams.people.next("olga"))
    assert "Travel" in await titles(sqlite_store)
    await teams.people.say("hanna", "Which class do I take on the train?")
    assert "second class" in said(await teams.people.next("hanna"))


async def test_a_file_from_elsewhere_is_not_fetched(teams: Running, sqlite_store: Store) -> None:
    await teams.people.say("olga", "", **dropped("https://evil.example.com/travel.md"))
    assert "not kept in your OneDrive" in said(await teams.people.next("olga"))
    await teams.people.say("olga", "", **dropped(f"{teams.teams.url}/files/gone"))
    assert "drop it once more" in said(await teams.people.next("olga"))


async def test_a_file_in_a_channel_is_left_alone(teams: Running) -> None:
    teams.teams.add_channel("19:c@thread.tacv2", "olga")
    words = "@ How many days of annual leave do I have?"
    await teams.people.speak("olga", "19:c@thread.tacv2", words, **dropped("https://evil.example.com/x"))
    assert "30 days" in said(await teams.people.next("olga", "19:c@thread.tacv2"))


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://larkfield-my.sharepoint.com/personal/olga/_layouts/15/download.aspx?tempauth=x", True),
        ("https://larkfield.sharepoint.com/a", True),
        ("http://larkfield.sharepoint.com/a", False),
        ("https://sharepoint.com.evil.example/a", False),
        ("https://evilsharepoint.com/a", False),
        ("https://user@larkfield.sharepoint.com/a", False),
        ("https://larkfield.sharepoint.com:8443/a", False),
        ("https://[/a", False),
    ],
)
def test_only_onedrive_is_believed(url: str, good: bool) -> None:
    assert is_of_sharepoint(url) is good
