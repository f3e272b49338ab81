"""The quiet pages without a script: settings, digests that were sent, deliveries. On both databases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlmodel import select

from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import enqueue
from bot.store.tables import (
    AuditLogEntry,
    Department,
    Duty,
    DutyName,
    OutboxMessage,
    OutboxStatus,
    Person,
    Platform,
    SentDigest,
)
from handlers.inbox import Inbox
from handlers.news import News
from handlers.web.app import Page
from handlers.web.office import Office
from handlers.web.product import Known, Machinery, Product
from scheduler.history import kept_digests
from tests.support.talk import plant_company

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
Client = TestClient[web.Request, web.Application]


async def nothing(*_: object) -> object:
    raise AssertionError("these pages don't look inside")


@pytest.fixture
async def ids(store: Store) -> dict[str, int]:
    small = await plant_company(store)
    async with store.write() as tx:
        tx.add(Duty(person_id=small["owner"], duty=DutyName.ADMIN))
        legal = Department(slug="legal", name="Legal")
        tx.add(legal)
        await tx.flush()
        for number, (recipient, department) in enumerate(
            [
                (f"person:{small['owner']}", None),
                (f"department:{small['finance']}", small["finance"]),
                (f"department:{legal.id}", legal.id),
            ]
        ):
            message = Message(kind="digest", text=f"**Digest {number}** said 31%")
            figures = [{"text": "31%", "meaning": "Coverage.", "source": "12 tasks."}]
            content = {"title": f"Digest {number}", "figures": figures, "quiet": False}
            content["message"] = message.model_dump(mode="json", exclude_defaults=True)
            tx.add(
                SentDigest(
                    recipient=recipient, week="2026-W47", department_id=department, content=content,
                    made_at=NOW,
                )
            )  # fmt: skip
    return small


@pytest.fixture
async def client(store: Store, ids: dict[str, int]) -> AsyncIterator[Client]:
    async with store.read() as session:
        people = list(await session.exec(select(Person).order_by("id")))
    known = [Known(person.email, "Somebody", "Hello.", ()) for person in people]
    machinery = Machinery(panel=nothing, source=nothing)  # type: ignore[arg-type]
    product = Product(store, Inbox(store), News(), lambda: NOW, known, machinery)
    page, app = Page(product), web.Application()
    page.add_to(app)
    Office(page, store, lambda: NOW, [Platform.SLACK]).add_to(app)
    async with TestClient(TestServer(app, host="127.0.0.1")) as made:
        yield made


async def send(client: Client, path: str, person: int, **more: str) -> tuple[int, str]:
    html = await (await client.get(f"/settings?as={person}")).text()
    token = re.search(r'name="token" value="([0-9a-f]{64})"', html)
    assert token is not None
    form = {"as": str(person), "token": token[1], **more}
    answer = await client.post(f"{path}?as={person}", data=form)
    return answer.status, await answer.text()


async def test_a_lead_moves_the_digest_with_a_form(client: Client, store: Store, ids: dict[str, int]) -> None:
    lead, section = ids["lead"], f"digest.{ids['finance']}"
    status, said = await send(
        client, "/settings", lead, section=section, **{"set.day": "3", "set.time": "10:30"}
    )
    assert (status, "Saved." in said) == (200, True)
    async with store.read() as session:
        settings = (await session.get_one(Department, ids["finance"])).settings
    assert (settings["digest_day"], settings["digest_time"]) == (3, "10:30")
    wrong = {"set.channel.slack": "a room <b>", "set.day": "1"}
    status, said = await send(client, "/settings", lead, section=section, **wrong)
    assert (status, "That is no channel there." in said) == (200, True)
    assert "<b>" not in said
    status, _ = await send(client, "/settings", ids["clerk"], section=section, **{"set.day": "1"})
    assert status == 403
    foreign = await client.post("/settings", data={"as": str(lead), "section": "me", "set.day": "1"})
    assert foreign.status == 403


async def test_each_sees_the_digests_that_are_for_them(
    client: Client, store: Store, ids: dict[str, int]
) -> None:
    seen = {}
    for name in ("clerk", "lead", "owner"):
        html = await (await client.get(f"/digests?as={ids[name]}")).text()
        seen[name] = set(re.findall(r"Digest \d", html))
    assert seen == {
        "clerk": {"Digest 1"},
        "lead": {"Digest 1"},
        "owner": {"Digest 0", "Digest 1", "Digest 2"},
    }
    async with store.read() as session:
        first = (await kept_digests(session, ids["owner"]))[0]
    html = await (await client.get(f"/digests/{first.id}?as={ids['owner']}")).text()
    assert "<strong>Digest 0</strong> said 31%" in html
    assert "12 tasks." in html
    assert (await client.get(f"/digests/{first.id}?as={ids['clerk']}")).status == 404


async def test_an_admin_reads_what_was_put_aside_and_tries_again(
    client: Client, store: Store, ids: dict[str, int]
) -> None:
    async with store.write() as tx:
        message = Message(text="words of a person")
        await enqueue(tx, platform=Platform.SLACK, conversation="C1", messages=[message], key="x", now=NOW)
        row = (await tx.exec(select(OutboxMessage))).one()
        row.status, row.error = OutboxStatus.DEAD, "The channel is archived."
    assert (await client.get(f"/deliveries?as={ids['lead']}")).status == 403
    html = await (await client.get(f"/deliveries?as={ids['owner']}")).text()
    assert "The channel is archived." in html
    assert "words of a person" not in html
    assert (await send(client, "/deliveries", ids["lead"], message=str(row.id)))[0] == 403
    status, said = await send(client, "/deliveries", ids["owner"], message=str(row.id))
    assert (status, "It is sent again now." in said) == (200, True)
    for number in (str(row.id), "999", "x", ""):
        status, said = await send(client, "/deliveries", ids["owner"], message=number)
        assert (status, "no longer put aside" in said) == (200, True)
    async with store.read() as session:
        assert (await session.exec(select(OutboxMessage.status))).one() is OutboxStatus.PENDING
        [entry] = await session.exec(select(AuditLogEntry))
    assert (entry.action, entry.actor_id) == ("delivery.again", ids["owner"])
