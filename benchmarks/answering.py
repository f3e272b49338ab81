"""What one turn of a lead's answer costs us: from the stored event to the stored reply.

Measured, for a company of 1,000 departments with 200,000 stored answers and for one of 100 departments with
2,000, are three times: `own`, the process's time on the processor (all threads, the local embeddings
included, a database server's not); `busy`, the time on the wall in which we did something (not waiting for a
database server or for the disk); and `wall`, everything. Permitted are 20 ms of own time at the 99th
percentile; and because no query may grow with the age of the company, both companies should cost the same.
Beside it stand a yardstick, since machines differ and are shared, and what it takes to compare the same words
with the levels of a question.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import text as sql_text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select

from benchmarks.databases import on_both
from bot.audit.instrument import Instrument, load_instrument
from bot.audit.proposal import AnchorProposer
from bot.audit.sessions import start_choice
from bot.config import Settings
from bot.messages import Choice, Message
from bot.store.engine import Store
from bot.store.tables import Answer, Claim, Duty, DutyName, EvidenceClass, OutboxMessage, Platform
from handlers.app import App, put_together
from handlers.inbox import Arrival
from handlers.running import spare_the_collector
from knowledge.embed import LocalEmbedder
from knowledge.words import WordVectors
from tests.support.staff import complete, put, staff

PERMITTED_MS = 20.0
BIG, SMALL = (1_000, 10), (100, 1)
"""Departments, and answers of each to each of the 20 questions."""
TURNS = 500
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WORDS = (
    "Last week four of us used the assistant for the invoices of one supplier, and Kim checked every result "
    "against the order before anything was booked; see https://wiki.example/invoices for the notes.",
    "On Tuesday I asked it for a first draft of the monthly letter, changed about half of it and sent it.",
    "Two of the team tried it in spring, most of us have not touched it since.",
)


@dataclass
class Spent:
    """Milliseconds of each turn."""

    cpu: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


class Waits(selectors.DefaultSelector):
    """The event loop's selector, with the seconds that the loop had nothing to do."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> Any:
        began = time.perf_counter()
        found = super().select(timeout)
        Waits.seconds += time.perf_counter() - began
        return found


def yardstick() -> float:
    """Milliseconds of processor time for five million additions in a plain loop."""
    began, total = time.process_time(), 0
    for number in range(5_000_000):
        total += number
    return (time.process_time() - began) * 1_000


async def plant(store: Store, instrument: Instrument, departments: int, times: int) -> None:
    """Departments with a lead each, and answers that are all old enough to be asked again."""
    people = departments + 1
    await staff(store, people, departments, 0, enrolled=NOW - timedelta(days=1_000))
    one = complete(
        Answer,
        department_id=1,
        criterion="WE-1",
        claim=Claim.LEVEL,
        level=2,
        counted=2,
        evidence=EvidenceClass.E2,
        words=WORDS[0],
        shown=[1, 2],
        proposed_by="embeddings",
        instrument_version=instrument.version,
        answered_at=NOW,
    )
    async with store.write() as tx:
        await put(tx, Duty, [complete(Duty, person_id=people, duty=DutyName.PROGRAMME_OWNER)])
        for round_ in range(times, 0, -1):
            at = NOW - timedelta(days=100 * round_)
            rows = [
                one | {"department_id": n, "criterion": criterion.id, "picked_by": n, "answered_at": at}
                for n in range(1, departments + 1)
                for criterion in instrument.criteria
            ]
            await put(tx, Answer, rows)


async def settle(store: Store) -> None:
    """Have PostgreSQL do at once what so many new rows make it do later, on the same processor."""
    if not store.is_sqlite:
        engine = create_async_engine(store.url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
                await connection.execute(sql_text(statement))
        await engine.dispose()


class Talker:
    """One lead who goes through the questions; what they type and what they tap is timed apart."""

    def __init__(self, app: App, person: int, spent: dict[str, Spent]) -> None:
        self.app, self.person, self.spent = app, person, spent
        self.turn = 0
        self.now = NOW

    async def sitting(self) -> None:
        """Four questions and what follows them."""
        choices = await self._do(choice=start_choice(self.person, "").id)
        for _ in range(30):
            move = _move(choices)
            if move is None:
                return
            if move == "words":
                choices = await self._do(text=WORDS[self.turn % len(WORDS)])
            else:
                choices = await self._do(choice=move)

    async def _do(self, text: str | None = None, choice: str | None = None) -> tuple[Choice, ...]:
        self.turn += 1
        self.now += timedelta(seconds=20)
        payload = {"person_id": self.person} | ({"text": text} if text else {"choice": choice})
        arrival = Arrival(
            Platform.CHAT, f"{self.person}.{self.turn}", f"chat:{self.person}", payload, self.now
        )
        kind = self.spent["words" if text else "choice"]
        idle = Waits.seconds
        wall, cpu = time.perf_counter(), time.process_time()
        event = await self.app.inbox.record(arrival)
        assert await self.app.worker.answer_next()
        kind.cpu.append((time.process_time() - cpu) * 1_000)
        took = time.perf_counter() - wall
        kind.wall.append(took * 1_000)
        kind.busy.append((took - (Waits.seconds - idle)) * 1_000)
        async with self.app.store.read() as tx:
            rows = await tx.exec(
                select(OutboxMessage).where(OutboxMessage.event_id == event).order_by(col(OutboxMessage.id))
            )
            said = [Message.model_validate(row.message) for row in rows]
        return tuple(choice for message in said for choice in message.choices)


def _move(choices: tuple[Choice, ...]) -> str | None:
    """What this lead does with the card: tells, picks, and ends where steps are offered."""
    moves = {choice.id.split(".")[1] if "." in choice.id else "": choice.id for choice in choices}
    if any(choice.id.startswith("coaching:") for choice in choices):
        return None
    for name in ("pick", "cannot", "nothing", "better", "go", "start"):
        if name in moves:
            return "words" if name == "better" else moves[name]
    return "words" if choices else None


async def measure(store: Store, size: tuple[int, int], turns: int = TURNS) -> dict[str, Spent]:
    """The time of each turn, by kind, after a warm-up of two sittings."""
    departments, times = size
    instrument = load_instrument()
    await plant(store, instrument, departments, times)
    await settle(store)
    app = put_together(Settings(), store, lambda: NOW)
    spent = {"words": Spent(), "choice": Spent()}
    for person in (1, 2):
        await Talker(app, person, spent).sitting()
    spent = {"words": Spent(), "choice": Spent()}
    spare_the_collector()
    for person in range(3, departments + 1):
        await Talker(app, person, spent).sitting()
        if sum(len(each.cpu) for each in spent.values()) >= turns:
            break
    return spent


def main(turns: int = TURNS) -> Iterator[tuple[str, float, str]]:
    """(name, ratio to the permitted 20 ms of own time, measured figures) for each; below 1 is good."""
    before = yardstick()
    found = {size: _run(partial(measure, size=size, turns=turns)) for size in (SMALL, BIG)}
    for number, (name, big) in enumerate(found[BIG]):
        small = found[SMALL][number][1]
        for kind, spent in big.items():
            ratio = float(np.median(spent.cpu) / np.median(small[kind].cpu))
            times = ", ".join(
                f"{what} {_shown(values)}"
                for what, values in (("own", spent.cpu), ("busy", spent.busy), ("wall", spent.wall))
            )
            figures = f"{times} ms (median / p99 of {len(spent.cpu)}), big to small {ratio:.2f}"
            p99 = float(np.percentile(spent.cpu, 99))
            yield f"answering by {kind}, {name}", p99 / PERMITTED_MS, figures
    readings = _readings()
    yield "of it, comparing", float(np.percentile(readings, 99)) / PERMITTED_MS, f"own {_shown(readings)} ms"
    yield "yardstick", 0.0, f"five million additions: {before:.0f} ms before, {yardstick():.0f} ms after"


def _run(measure: Callable[[Store], Awaitable[dict[str, Spent]]]) -> list[tuple[str, dict[str, Spent]]]:
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(Waits())) as runner:
        return runner.run(on_both(measure))


def _readings() -> list[float]:
    """Milliseconds of one comparison of a typed answer with the levels, of each of the typed answers."""
    instrument = load_instrument()
    proposer = AnchorProposer(instrument, WordVectors(LocalEmbedder()))

    async def read_all() -> list[float]:
        times = []
        for number in range(300):
            began = time.process_time()
            await proposer.propose(instrument.criteria[number % 20].id, WORDS[number % len(WORDS)])
            times.append((time.process_time() - began) * 1_000)
        return times[100:]  # what a level sounds like is read once

    return asyncio.run(read_all())


def _shown(values: list[float]) -> str:
    return f"{np.median(values):.1f} / {np.percentile(values, 99):.1f}"


if __name__ == "__main__":
    for name, ratio, figures in main(*map(int, sys.argv[1:2])):
        print(f"{name:32} {ratio:5.2f}  {figures}", flush=True)
