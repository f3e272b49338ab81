"""Policies dropped into the direct message: shown first, confirmed by a button, and never from elsewhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.tables import Department, Document, DocumentAudience, DocumentVersion, PendingUpload, Person
from handlers.slack import live
from handlers.slack.files import is_of_slack
from tests.fakes.slack_product import Running
from tests.fakes.slack_server import BOT
from tests.support.company import LEAVE

TRAVEL = b"# Travel\n\n## Trains\n\nOn journeys below six hours take the train in second class.\n"


@pytest.fixture
async def store(sqlite_store: Store) -> Store:
    return sqlite_store


@pytest.fixture(autouse=True)
def quick_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "APART_SECONDS", 0.01)


async def drop(slack: Running, user: str, name: str, data: bytes, text: str = "", **marks: Any) -> str:
    """Drop a file; returns what the bot says next."""
    file = slack.slack.drop(name, data, **marks)
    await slack.people.say(user, text, subtype="file_share", files=[file])
    return str((await slack.people.next(user))["text"])


async def documents(store: Store) -> dict[str, int]:
    """Titles of all documents, with the number of their present version."""
    async with store.read() as session:
        query = select(Document.title, DocumentVersion.number).where(
            DocumentVersion.document_id == Document.id, DocumentVersion.current
        )
        return dict((await session.exec(query)).all())


async def pending(store: Store) -> int:
    async with store.read() as session:
        return len((await session.exec(select(PendingUpload))).all())


async def test_a_new_policy_is_shown_confirmed_and_answered_from(slack: Running, store: Store) -> None:
    shown = await drop(slack, "UOLGA", "travel.md", TRAVEL)
    assert "Travel would be a new policy." in shown
    assert "Owner: Olga Brandt" in shown
    assert "Travel" not in await documents(store)
    await slack.people.click("UOLGA", "Add it for everybody")
    assert "Travel is in." in (await slack.people.next("UOLGA"))["text"]
    assert (await documents(store))["Travel"] == 1
    assert await pending(store) == 0
    await slack.people.say("UHANNA", "Which class do I take on the train?")
    assert "second class" in (await slack.people.next("UHANNA"))["text"]
    await slack.people.click("UOLGA", "Add it for everybody")
    assert "no longer have that file" in (await slack.people.next("UOLGA"))["text"]


async def test_a_new_version_shows_what_changes(slack: Running, store: Store) -> None:
    changed = LEAVE.replace("30 days", "31 days").encode()
    shown = await drop(slack, "UOLGA", "leave-2027.md", changed)
    assert "Leave would become version 2." in shown
    assert "31 days" in shown
    assert "1 section changes:" in shown
    await slack.people.click("UOLGA", "Make it the new version")
    assert "Version 2 of Leave is in." in (await slack.people.next("UOLGA"))["text"]
    assert (await documents(store))["Leave"] == 2
    again = await drop(slack, "UOLGA", "leave-2027.md", changed)
    assert "just as in this file" in again or "words stay the same" in again


async def test_what_is_not_wanted_is_thrown_away(slack: Running, store: Store) -> None:
    await drop(slack, "UOLGA", "travel.md", TRAVEL)
    await slack.people.click("UOLGA", "Leave it")
    assert "thrown the file away" in (await slack.people.next("UOLGA"))["text"]
    assert await pending(store) == 0
    assert "Travel" not in await documents(store)


async def test_a_policy_can_be_for_the_own_department_alone(slack: Running, store: Store) -> None:
    async with store.write() as tx:
        olga = (await tx.exec(select(Person).where(Person.email == "olga@example.com"))).one()
        olga.department_id = (await tx.exec(select(Department.id).where(Department.name == "Finance"))).one()
        tx.add(olga)
    await drop(slack, "UOLGA", "travel.md", TRAVEL)
    await slack.people.click("UOLGA", "Add it for Finance only")
    await slack.people.next("UOLGA")
    async with store.read() as session:
        travel = (await session.exec(select(Document).where(Document.title == "Travel"))).one()
        lines = (
            await session.exec(select(DocumentAudience).where(DocumentAudience.document_id == travel.id))
        ).all()
    assert [line.kind.value for line in lines] == ["department"]


@pytest.mark.parametrize("user", ["UHANNA", "ULEA", "UEVA"])
async def test_only_owners_and_admins_add_policies(slack: Running, store: Store, user: str) -> None:
    assert "added by their owners" in await drop(slack, user, "travel.md", TRAVEL)
    assert slack.slack.served == []
    assert "30 days" in await drop(slack, user, "travel.md", TRAVEL, "How many days of annual leave?")


async def test_an_admin_may_and_somebody_elses_policy_is_safe(slack: Running, store: Store) -> None:
    assert "new policy" in await drop(slack, "UADA", "travel.md", TRAVEL)
    async with store.write() as tx:
        leave = (await tx.exec(select(Document).where(Document.title == "Leave"))).one()
        leave.owner_id = None
        tx.add(leave)
    refusal = await drop(slack, "UOLGA", "leave.md", LEAVE.replace("30", "60").encode())
    assert "would replace Leave" in refusal
    worse = b"---\ntitle: Harmless\nsupersedes: " + str(leave.id).encode() + b"\n---\n# Harmless\n\nWords.\n"
    assert "would replace Leave" in await drop(slack, "UOLGA", "harmless.md", worse)
    assert (await documents(store)) == {"Leave": 1, "Salary bands": 1}


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.md", b"  ", "is empty"),
        ("broken.pdf", b"%PDF-1.7 broken", "broken.pdf"),
        ("fake.docx", b"no document", "is not a Word file"),
        ("many.zip", b"PK\x03\x04", "is an archive"),
    ],
)
async def test_what_cannot_be_read_is_told_plainly(
    slack: Running, store: Store, name: str, data: bytes, says: str
) -> None:
    told = await drop(slack, "UOLGA", name, data)
    assert says in told
    assert "Nothing was changed" in told
    assert await pending(store) == 0


async def test_a_file_that_is_too_large_is_not_even_fetched(slack: Running) -> None:
    told = await drop(slack, "UOLGA", "huge.pdf", b"x", size=30_000_000)
    assert "larger than 25 MB" in told
    assert slack.slack.served == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/file.md",
        "http://169.254.169.254/latest",
        "https://files.slack.com@evil.example/x",
        "https://files.slack.com.evil.example/x",
        "http://files.slack.com/x",
        "https://files.slack.com:8443/x",
        "file:///etc/passwd",
        "//files.slack.com/x",
        "https://[bad",
    ],
)
async def test_the_token_goes_to_slack_alone(slack: Running, url: str) -> None:
    assert not is_of_slack(url, "https://slack.com/api/")
    told = await drop(slack, "UOLGA", "x.md", b"x", url_private_download=url)
    assert "not kept at Slack" in told


def test_slacks_own_addresses_are_taken() -> None:
    assert is_of_slack("https://files.slack.com/files-pri/T1-F1/download/x.md", "https://slack.com/api/")


async def test_without_the_permission_the_reason_is_told(slack: Running) -> None:
    slack.slack.sign_in_page = True
    assert "files:read" in await drop(slack, "UOLGA", "travel.md", TRAVEL)


async def test_the_steps_are_cards_while_it_is_read(
    slack: Running, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()
    retriever = slack.app.knowledge.retriever
    real = retriever.prepare

    def slow(title: str, text: str) -> Any:
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return real(title, text)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(retriever, "prepare", slow)
    await drop(slack, "UOLGA", "travel.md", TRAVEL)
    await slack.people.click("UOLGA", "Add it for everybody")

    def cards() -> Any:
        found = [one for one in slack.slack.channels["DUOLGA"].messages if one.get("stream") == "running"]
        return found and len(found[-1]["cards"]) == 2 and list(found[-1]["cards"].values())

    assert await slack.people.wait(cards) == [
        ("Reading the file", "complete"),
        ("Making every passage findable", "in_progress"),
    ]
    go_on.set()
    assert "Travel is in." in (await slack.people.next("UOLGA"))["text"]


async def test_what_waits_longer_than_a_day_is_gone(
    slack: Running, store: Store, clock: MovableClock
) -> None:
    await drop(slack, "UOLGA", "travel.md", TRAVEL)
    clock.move_to(clock() + timedelta(days=2))
    await slack.people.click("UOLGA", "Add it for everybody")
    assert "no longer have that file" in (await slack.people.next("UOLGA"))["text"]
    assert await pending(store) == 0


async def test_policies_that_changed_meanwhile_are_shown_anew(slack: Running, store: Store) -> None:
    await drop(slack, "UOLGA", "leave.md", LEAVE.replace("30 days", "31 days").encode())
    async with store.write() as tx:
        version = (await tx.exec(select(DocumentVersion).where(DocumentVersion.current))).first()
        assert version is not None
        version.number = 7
        tx.add(version)
    await slack.people.click("UOLGA", "Make it the new version")
    assert "changed meanwhile" in (await slack.people.next("UOLGA"))["text"]
    assert all(one["user"] == BOT or one["text"] == "" for one in slack.slack.channels["DUOLGA"].messages)
