"""Letters, handed to a real SMTP server: what arrives, and what happens when the server misbehaves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlmodel import select

from bot.audit.instrument import load_instrument
from bot.clock import MovableClock
from bot.errors import SettingsError
from bot.messages import Chart, Choice, Citation, Message, Series, Table
from bot.store.engine import Store
from bot.store.outbox import write_to_person
from bot.store.tables import Identity, OutboxMessage, OutboxStatus, Person, Platform
from handlers.email.envelope import LONGEST_SUBJECT, subject_of
from handlers.email.pausing import PauseLinks, pause_routes
from handlers.email.sender import EmailSender
from handlers.email.server import parse_mail_server
from scheduler.sending import Gone, Outgoing, Retry, Uncertain
from scheduler.service import SchedulerService
from tests.fakes.mail_server import Postbox, certificate, mail_server
from tests.support.outbox import count, run_until_empty, until
from tests.support.talk import plant_company

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DIGEST = Message(
    kind="digest",
    text="**Larkfield, week of 16 November**\n\nFinance rose & fell in <b>. Coverage **31%**.",
    chart=Chart(
        kind="line",
        title="Coverage",
        alt="A line that rises.",
        labels=("9 Nov", "16 Nov"),
        series=(Series(name="Coverage", values=(0.2, 0.31)),),
        unit="%",
    ),
    table=Table(caption="Where all stand", columns=("Department", "WE"), rows=(("Finance", "● in place"),)),
    choices=(Choice(id="digest:0:0:sources.2026-W47", label="Where from?"),),
)


@pytest.fixture
async def box() -> AsyncIterator[Postbox]:
    async with mail_server(Postbox()) as served:
        yield served


def sender_to(box: Postbox, login: str = "", links: PauseLinks | None = None) -> EmailSender:
    url = f"smtp://{login}127.0.0.1:{box.port}?from=Coach%20<coach@larkfield.example>"
    return EmailSender(parse_mail_server(url), lambda: NOW, links=links)


def letter(message: Message = DIGEST, to: str = "lea@larkfield.example") -> Outgoing:
    return Outgoing(1, to, None, 1, message, "scheduled:7", NOW, 0)


async def test_a_digest_arrives_with_words_html_and_its_picture(box: Postbox) -> None:
    sent = await sender_to(box).send(letter())
    [(envelope, mail)] = box.letters
    assert (envelope.mail_from, envelope.rcpt_tos) == ("coach@larkfield.example", ["lea@larkfield.example"])
    assert mail["From"] == "Coach <coach@larkfield.example>"
    assert mail["Subject"] == "Larkfield, week of 16 November"
    assert mail["Message-ID"] == sent
    assert mail["List-Unsubscribe"] == "<mailto:coach@larkfield.example?subject=pause>"
    assert mail.get_content_type() == "multipart/alternative"
    words, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert words is not None
    assert html is not None
    said = words.get_content()
    assert "A line that rises." in said
    assert "Finance     ● in place" in said
    assert "Ask me where any of these figures comes from" in said
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content().startswith(b"\x89PNG")
    assert picture.get_content_disposition() == "inline"
    drawn = html.get_content()
    assert f'src="cid:{picture["Content-ID"][1:-1]}"' in drawn
    assert "rose &amp; fell in &lt;b&gt;" in drawn


async def test_a_letter_is_paused_by_one_click(box: Postbox, sqlite_store: Store) -> None:
    """As mail programs do it (RFC 8058); opening the link changes nothing, and a foreign one neither."""
    small = await plant_company(sqlite_store)
    links = PauseLinks("https://coach.example", "a secret of enough length")
    await sender_to(box, links=links).send(replace(letter(), person_id=small["lead"]))
    _, sent = box.letters[-1]
    link = re.search(r"<https://coach\.example(/[^>]+)>", sent["List-Unsubscribe"])
    assert link is not None
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    site = web.Application()
    site.add_routes(pause_routes(links, sqlite_store))

    async def paused() -> bool:
        async with sqlite_store.read() as session:
            return (await session.get_one(Person, small["lead"])).paused_until is not None

    async with TestClient(TestServer(site)) as http:
        assert (await http.get(link[1])).status == 200
        foreign = PauseLinks("", "another secret of some length").link(small["lead"])
        assert (await http.post(foreign, data={"List-Unsubscribe": "One-Click"})).status == 404
        assert not await paused()
        assert (await http.post(link[1], data={"List-Unsubscribe": "One-Click"})).status == 200
        assert await paused()


async def test_a_second_attempt_is_the_same_letter(box: Postbox) -> None:
    sender = sender_to(box)
    assert await sender.send(letter()) == await sender.send(letter())


async def test_an_answer_names_its_sources(box: Postbox) -> None:
    source = Citation(document="AI policy", section="Data", version=1, quote="Never paste.", passage_id=1)
    await sender_to(box).send(letter(Message(text="You asked. Here it is.", citations=(source,))))
    [(_, mail)] = box.letters
    words = mail.get_body(("plain",))
    assert words is not None
    assert "AI policy, Data: “Never paste.”" in words.get_content()
    assert mail["Subject"] == "You asked."


@pytest.mark.parametrize(
    ("reply", "error"),
    [("450 greylisted", Retry), ("550 no such user", Gone), ("421 closing", Retry)],
)
async def test_a_recipient_that_is_refused(box: Postbox, reply: str, error: type[Exception]) -> None:
    box.rcpt.append(reply)
    with pytest.raises(error) as raised:
        await sender_to(box).send(letter())
    assert getattr(raised.value, "unreachable", False) is (error is Gone)


@pytest.mark.parametrize(("reply", "error"), [("451 busy", Retry), ("554 spam", Gone)])
async def test_a_letter_that_is_refused(box: Postbox, reply: str, error: type[Exception]) -> None:
    box.data.append(reply)
    with pytest.raises(error) as raised:
        await sender_to(box).send(letter())
    assert not getattr(raised.value, "unreachable", False)


async def test_a_line_that_breaks_after_the_letter_is_uncertain(box: Postbox) -> None:
    box.drop = 1
    sender = sender_to(box)
    with pytest.raises(Uncertain):
        await sender.send(letter())
    with pytest.raises(Uncertain):
        await sender.find(letter())


async def test_a_server_that_is_away_is_tried_again(box: Postbox) -> None:
    sender = EmailSender(parse_mail_server("smtp://127.0.0.1:9?from=coach@larkfield.example"))
    with pytest.raises(Retry):
        await sender.send(letter())


async def test_a_wrong_password_waits_for_everybody() -> None:
    async with mail_server(Postbox(password="right")) as box:
        await sender_to(box, "coach:right@").send(letter())
        assert len(box.letters) == 1
        with pytest.raises(Retry) as raised:
            await sender_to(box, "coach:wrong@").send(letter())
    assert raised.value.whole_platform
    assert "wrong" not in str(raised.value)


async def test_a_line_is_made_safe_where_it_can_be_and_never_with_a_stranger(tmp_path: Path) -> None:
    served, trusting = certificate(tmp_path)
    async with mail_server(Postbox(tls=served)) as box:
        server = parse_mail_server(f"smtp://127.0.0.1:{box.port}?from=coach@larkfield.example")
        await EmailSender(server, tls=trusting).send(letter())
        [(envelope, _)] = box.letters
        with pytest.raises(Retry):
            await EmailSender(server).send(letter())
        assert len(box.letters) == 1
    assert envelope.rcpt_tos == ["lea@larkfield.example"]
    assert box.safe == [True]


async def test_a_password_is_not_sent_in_the_open(box: Postbox) -> None:
    server = parse_mail_server("smtp://coach:secret@mail.larkfield.example?from=coach@larkfield.example")
    with pytest.raises(Retry):
        await EmailSender(replace(server, host="127.0.0.1", port=box.port)).send(letter())
    assert box.letters == []


async def test_the_post_office_sends_once_where_a_repeat_is_not_wanted(
    sqlite_store: Store, box: Postbox
) -> None:
    small = await plant_company(sqlite_store)
    await prefer_email(sqlite_store, small["lead"])
    box.data += ["451 busy"]
    box.drop = 1
    async with sqlite_store.write() as tx:
        nudge = [Message(kind="nudge", text="A nudge.")]
        await write_to_person(tx, small["lead"], nudge, key="n", now=NOW, prefers_repeat=False)
    clock = MovableClock(NOW)
    service = SchedulerService(sqlite_store, clock, {Platform.EMAIL: sender_to(box)}, load_instrument())
    await run_until_empty(sqlite_store, [service.post])
    assert len(box.letters) == 1
    assert await count(sqlite_store, OutboxStatus.DEAD) == 1
    async with sqlite_store.read() as session:
        [row] = await session.exec(select(OutboxMessage))
    assert row.platform is Platform.EMAIL
    assert "may have arrived" in row.error


async def prefer_email(store: Store, person_id: int) -> None:
    async with store.write() as tx:
        person = await tx.get_one(Person, person_id)
        person.preferred_platform = Platform.EMAIL
        tx.add(
            Identity(
                person_id=person_id,
                platform=Platform.EMAIL,
                external_id=person.email,
                address={"conversation": person.email},
            )
        )


def test_a_subject_is_the_bold_beginning_or_the_first_sentence() -> None:
    assert subject_of(DIGEST) == "Larkfield, week of 16 November"
    assert subject_of(Message(text="Hello **Lea**, it's time. More follows.")) == "Hello Lea, it's time."
    long = subject_of(Message(text="word " * 60))
    assert len(long) <= LONGEST_SUBJECT
    assert long.endswith("word…")


@pytest.mark.parametrize(
    ("url", "port", "use_tls", "start_tls"),
    [
        ("smtps://coach%40a.example:p%40ss@mail.a.example", 465, True, False),
        ("smtp://coach%40a.example:p%40ss@mail.a.example", 587, False, True),
        ("smtp://mail.a.example?from=coach@a.example", 25, False, None),
    ],
)
def test_a_password_travels_only_in_secret(
    url: str, port: int, use_tls: bool, start_tls: bool | None
) -> None:
    server = parse_mail_server(url)
    assert (server.port, server.use_tls, server.start_tls) == (port, use_tls, start_tls)
    assert server.sender == "coach@a.example"
    assert server.password in (None, "p@ss")
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize(
    "url",
    ["mail.a.example", "http://a.example", "smtp://u:secret@a.example", "smtp://u:secret@a.example:x"],
)
def test_an_address_that_can_not_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_mail_server(url)
    assert "secret" not in str(raised.value)


async def test_nothing_unasked_at_night_and_nothing_in_the_way_of_an_answer(
    store: Store, box: Postbox
) -> None:
    small = await plant_company(store)
    night, morning = datetime(2026, 11, 20, 19, 0, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    async with store.write() as tx:
        tx.add(
            Identity(
                person_id=small["lead"], platform=Platform.EMAIL, external_id="lea",
                address={"conversation": "lea@larkfield.example"},
            )
        )  # fmt: skip
        for key, at_once in (("unasked", False), ("asked", True)):
            message = Message(text=f"This was {key}.")
            await write_to_person(tx, small["lead"], [message], key=key, now=night, at_once=at_once)
    clock, stop = MovableClock(night), asyncio.Event()
    service = SchedulerService(store, clock, {Platform.EMAIL: sender_to(box)}, load_instrument())
    running = asyncio.create_task(service.run_sender(stop))
    async with asyncio.timeout(20):
        await until(store, 1, OutboxStatus.SENT)
    assert [mail["Subject"] for _, mail in box.letters] == ["This was asked."]
    async with store.read() as session:
        row = (await session.exec(select(OutboxMessage).where(OutboxMessage.dedupe_key == "unasked:0"))).one()
    assert (row.status, row.due_at) == (OutboxStatus.PENDING, morning)
    clock.move_to(morning)
    service.wake()
    async with asyncio.timeout(20):
        await until(store, 2, OutboxStatus.SENT)
    stop.set()
    await running
