"""`chat`: one conversation over the terminal, by the same path as every other surface."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from typing import Any

import typer
from sqlmodel import and_, col, or_, select

from bot.config import Settings
from bot.errors import InputError
from bot.messages import Message
from bot.organisation.directory import person_by_email
from bot.store.tables import Identity, InboxEvent, InboxStatus, OutboxMessage, OutboxStatus, Platform
from handlers.app import App, open_app
from handlers.commands.common import run
from handlers.inbox import Arrival

LONGEST_LINE = 20_000

READ = "read:"
"""How the outbox marks what the terminal has shown."""


def chat(settings: Settings, email: str, as_json: bool) -> None:
    """Talk as the person with that address until the input ends."""
    run(_talk(settings, email, as_json))


async def _talk(settings: Settings, email: str, as_json: bool) -> None:
    async with open_app(settings) as app:
        terminal = await Terminal.of(app, email)
        if not as_json:
            await _with_a_person(terminal)
            return
        async for line in _lines():
            if line.strip():
                typer.echo(json.dumps({"messages": await terminal.answer(line)}, ensure_ascii=False))
                sys.stdout.flush()


async def _lines() -> AsyncIterator[str]:
    """The lines of the input; one that is far too long arrives cut off.

    A thread of its own reads them, and one that a stop may leave behind: no other way lets SIGTERM in while
    a terminal, a pipe or a file is waited for.
    """
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str](maxsize=1)

    def read() -> None:
        line = "-"
        while line:
            line = sys.stdin.readline(LONGEST_LINE + 1)
            rest = line
            while rest and not rest.endswith("\n"):
                rest = sys.stdin.readline(LONGEST_LINE + 1)
            try:
                asyncio.run_coroutine_threadsafe(lines.put(line), loop).result()
            except (RuntimeError, CancelledError):
                return  # The conversation is over.

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        yield line


async def _with_a_person(terminal: Terminal) -> None:
    offered: list[dict[str, str]] = []
    typer.echo("Say something, or the number of a choice. Ctrl-D ends.", err=True)
    typer.echo("> ", nl=False, err=True)
    async for line in _lines():
        word = line.strip()
        if word:
            offered = await _exchange(terminal, word, offered)
        typer.echo("> ", nl=False, err=True)


async def _exchange(terminal: Terminal, word: str, offered: list[dict[str, str]]) -> list[dict[str, str]]:
    """Say a word or pick a choice by its number, print the replies, and return what they offer."""
    if word.isdecimal() and 1 <= int(word) <= len(offered):
        given = {"choose": offered[int(word) - 1]["id"]}
    else:
        given = {"say": word}
    fresh: list[dict[str, str]] = []
    for message in await terminal.answer(json.dumps(given)):
        typer.echo(f"\n{message['text']}")
        for citation in message["citations"]:
            typer.echo(f"  [{citation['document']}, {citation['section']}, version {citation['version']}]")
        for choice in message["choices"]:
            fresh.append(choice)
            typer.echo(f"  {len(fresh)}. {choice['label']}")
    typer.echo("")
    return fresh


class Terminal:
    """One person's conversation on the platform `chat`."""

    def __init__(self, app: App, person_id: int) -> None:
        self._app, self._person_id = app, person_id
        self._conversation = f"chat:{person_id}"
        self._run, self._count = secrets.token_hex(6), 0

    @classmethod
    async def of(cls, app: App, email: str) -> Terminal:
        """The terminal of the person with that address. Raises NotFound."""
        async with app.store.write() as tx:
            person = await person_by_email(tx, email)
            assert person.id is not None  # noqa: S101  (it was read from the database)
            accounts = await tx.exec(select(Identity.id).where(Identity.person_id == person.id).limit(1))
            if accounts.first() is None:
                # Somebody known on no platform gets what is written to them unasked here.
                address = {"conversation": f"chat:{person.id}"}
                tx.add(
                    Identity(
                        person_id=person.id, platform=Platform.CHAT, external_id=person.email, address=address
                    )
                )
        return cls(app, person.id)

    async def answer(self, line: str) -> list[dict[str, Any]]:
        """The messages that one line of input brings, and whatever else arrived since."""
        try:
            payload = _payload(line)
        except InputError as refusal:
            return [_shown(Message(kind="notice", text=str(refusal)))]
        self._count += 1
        event_id = await self._app.inbox.record(
            Arrival(
                Platform.CHAT,
                f"{self._run}:{self._count}",
                self._conversation,
                {"person_id": self._person_id, **payload},
                self._app.clock(),
            )
        )
        while not await self._done(event_id):
            if not await self._app.worker.answer_next():
                # Another process took it.
                await self._app.news.wait(0.1)
        return [_shown(message) for message in await self._deliver()]

    async def _done(self, event_id: int | None) -> bool:
        async with self._app.store.read() as session:
            event = await session.get(InboxEvent, event_id)
        return event is None or event.status is not InboxStatus.NEW

    async def _deliver(self) -> list[Message]:
        """What is there to be read: fresh replies, and what the scheduler sent and nobody has read yet."""
        while await self._leaving():
            # A running server is handing over a message of this conversation at this moment.
            await self._app.news.wait(0.05)
        async with self._app.store.write() as tx:
            rows = await tx.exec(
                select(OutboxMessage)
                .where(
                    OutboxMessage.conversation == self._conversation,
                    OutboxMessage.platform == Platform.CHAT,
                    or_(
                        and_(
                            OutboxMessage.status == OutboxStatus.PENDING,
                            col(OutboxMessage.scheduled_id).is_(None),
                        ),
                        and_(
                            OutboxMessage.status == OutboxStatus.SENT,
                            col(OutboxMessage.external_id).not_like(f"{READ}%"),
                        ),
                    ),
                )
                .order_by(col(OutboxMessage.id))
                .with_for_update()
            )
            delivered = []
            for row in rows:
                row.status, row.sent_at = OutboxStatus.SENT, row.sent_at or self._app.clock()
                row.external_id = f"{READ}{row.id}"
                tx.add(row)
                delivered.append(Message.model_validate(row.message))
        return delivered

    async def _leaving(self) -> bool:
        async with self._app.store.read() as session:
            found = await session.exec(
                select(OutboxMessage.id)
                .where(
                    OutboxMessage.conversation == self._conversation,
                    OutboxMessage.platform == Platform.CHAT,
                    OutboxMessage.status == OutboxStatus.CLAIMED,
                )
                .limit(1)
            )
        return found.first() is not None


def _payload(line: str) -> dict[str, str]:
    if len(line) > LONGEST_LINE:
        raise InputError(f"That is too long. Please keep it below {LONGEST_LINE:,} characters.")
    try:
        given = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        raise InputError('Please send one JSON object a line: {"say": "..."} or {"choose": "..."}.') from None
    match given:
        case {"say": str(text)} if len(given) == 1 and text.strip():
            return {"text": text}
        case {"choose": str(choice)} if len(given) == 1 and choice.strip():
            return {"choice": choice}
    raise InputError('Please send either {"say": "some words"} or {"choose": "the id of a choice"}.')


def _text(message: Message) -> str:
    """The words of a message; what a terminal can't draw is said in them."""
    parts = [message.text]
    if message.table is not None:
        rows = (message.table.columns, *message.table.rows)
        parts.append("\n".join([message.table.caption, *(" | ".join(row) for row in rows)]))
    if message.chart is not None:
        parts.append(message.chart.alt)
    return "\n\n".join(parts)


def _shown(message: Message) -> dict[str, Any]:
    return {
        "text": _text(message),
        "choices": [{"id": choice.id, "label": choice.label} for choice in message.choices],
        "citations": [citation.model_dump() for citation in message.citations],
        "kind": message.kind,
    }
