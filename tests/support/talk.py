"""A small company whose people talk to the coach: what is typed and tapped goes through the real use cases
and a real database; what comes back, to them and to others, is written down as a transcript.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select

from bot.audit.contested import ContestedUseCase
from bot.audit.department_turns import DepartmentUseCase
from bot.audit.event_turns import EventUseCase
from bot.audit.instrument import Instrument, load_instrument
from bot.audit.sessions import AuditUseCase
from bot.audit.state import NoProposal, Proposed
from bot.coaching.asides import Asides
from bot.coaching.sessions import CoachingUseCase
from bot.coverage.sessions import CoverageUseCase, names_coverage
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import Company, Department, Duty, DutyName, OutboxMessage, Person, Platform, Role
from bot.turns import Turn
from scheduler.settings import SettingsUseCase

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PEOPLE = {
    "lead": "Lea Brandt",
    "co-lead": "Tom Okoye",
    "owner": "Ada King",
    "clerk": "Kim Sato",
}


async def plant_company(store: Store) -> dict[str, int]:
    """Store Finance with two leads, a clerk and a programme owner. Returns the ids of `PEOPLE` and
    "finance".
    """
    async with store.write() as tx:
        tx.add(Company(name="Larkfield", time_zone="Europe/Berlin"))
        finance = Department(slug="finance", name="Finance", template="finance")
        tx.add(finance)
        tx.add(Department(slug="sales", name="Sales and Service", template="sales"))
        await tx.flush()
        department = finance.id or 0
        tx.add(Role(department_id=department, slug="clerk", name="Accounts payable clerk", headcount=8))
        ids = {"finance": department}
        for key, name in PEOPLE.items():
            email = f"{name.split()[0].lower()}@larkfield.example"
            person = Person(email=email, name=name, department_id=None if key == "owner" else department)
            tx.add(person)
            await tx.flush()
            ids[key] = person.id or 0
        for key in ("lead", "co-lead"):
            tx.add(Duty(person_id=ids[key], duty=DutyName.LEAD, department_id=department))
        tx.add(Duty(person_id=ids["owner"], duty=DutyName.PROGRAMME_OWNER))
    return ids


@dataclass
class ToldProposals:
    """Proposes what the test says; all five anchors otherwise."""

    levels: tuple[int, ...] = ()

    async def propose(self, criterion: str, words: str) -> Proposed | NoProposal:
        return Proposed(self.levels, "embeddings") if self.levels else NoProposal()


class OnePolicy:
    """A policy library with one answer, for questions in the middle of an audit."""

    prefix = "kb"

    async def prepare(self, turn: Turn) -> str:
        return turn.text or ""

    async def apply(self, tx: Any, turn: Turn, prepared: str) -> list[Message]:
        said = "The AI policy says: never paste account numbers into a chat tool."
        return [Message(kind="answer", text=said)]


@dataclass
class Office:
    """The small company at work: its people, its clock, and everything that was said."""

    store: Store
    ids: dict[str, int]
    proposals: ToldProposals
    parts: list[Any]
    now: datetime = MONDAY
    who: str = "lead"
    heard: dict[str, list[Message]] = field(default_factory=lambda: {key: [] for key in PEOPLE})
    log: list[str] = field(default_factory=list)
    event: int = 0
    seen_outbox: int = 0

    async def say(self, text: str) -> list[Message]:
        """Type `text` as the present person."""
        self.log.append(f"you: {text}")
        return await self._turn(text=text)

    async def tap(self, label: str, older: bool = False) -> list[Message]:
        """Press the newest button with that label; with `older` the one on the card before."""
        self.log.append(f"you: [{label}]" + (" on an older card" if older else ""))
        return await self._turn(choice=self.button(label, older))

    def button(self, label: str, older: bool = False) -> str:
        """The id of the newest button with that label, or of the newest one on an earlier card."""
        found = [
            choice.id
            for message in reversed(self.heard[self.who])
            for choice in message.choices
            if choice.label == label
        ]
        distinct = list(dict.fromkeys(found))
        assert len(distinct) > older, f"no such button {label!r}; last: {self.heard[self.who][-1:]}"
        return distinct[1] if older else distinct[0]

    async def tap_level(self, level: int) -> list[Message]:
        """Press the button of that level, wherever chance has put it."""
        choices = self.heard[self.who][-1].choices
        return await self.tap(next(c.label for c in choices if c.id.endswith(f".pick.{level}")))

    async def press(self, choice: str) -> list[Message]:
        """Send a button's id as it is."""
        return await self._turn(choice=choice)

    async def _turn(self, text: str | None = None, choice: str | None = None) -> list[Message]:
        self.now += timedelta(seconds=30)
        self.event += 1
        person = self.ids[self.who]
        turn = Turn(self.event, person, "chat", f"chat:{person}", self.now, text=text, choice=choice)
        part = await self._part(turn)
        prepared = await part.prepare(turn)
        async with self.store.write() as tx:
            said = await part.apply(tx, turn, prepared)
        self.heard[self.who] += said
        self.log += [_shown("bot", message) for message in said]
        await self._deliver()
        return said

    async def _part(self, turn: Turn) -> Any:
        if turn.choice is not None:
            return next(part for part in self.parts if turn.choice.startswith(f"{part.prefix}:"))
        async with self.store.read() as tx:
            for part in self.parts:
                if await part.wants(tx, turn):
                    return part
        return OnePolicy()

    async def _deliver(self) -> None:
        """What was written to others reaches them at once."""
        async with self.store.read() as tx:
            rows = list(
                await tx.exec(
                    select(OutboxMessage)
                    .where(col(OutboxMessage.id) > self.seen_outbox)
                    .order_by(col(OutboxMessage.id))
                )
            )
        for row in rows:
            self.seen_outbox = row.id or 0
            key = next(key for key, person in self.ids.items() if person == row.person_id and key in PEOPLE)
            message = Message.model_validate(row.message)
            self.heard[key].append(message)
            self.log.append(_shown(f"to {PEOPLE[key]}", message))

    @property
    def last(self) -> str:
        """The text of the last message to the present person."""
        return self.heard[self.who][-1].text


def _shown(who: str, message: Message) -> str:
    lines = [message.text]
    if message.table is not None:
        lines += [f"| {' | '.join(row)} |" for row in message.table.rows]
    if message.choices:
        lines.append(f"[{' | '.join(choice.label for choice in message.choices)}]")
    text = "\n".join(lines).replace("\n", "\n     ")
    return f"{who}: {text}".replace("\n     \n", "\n\n")


async def open_office(store: Store, instrument: Instrument | None = None, proposer: Any = None) -> Office:
    """The company on an empty database, with the parts as the product puts them together."""
    proposals = ToldProposals()
    parts = parts_on(store, instrument or load_instrument(), proposer or proposals)
    return Office(store, await plant_company(store), proposals, parts)


def parts_on(store: Store, used: Instrument, proposer: Any) -> list[Any]:
    """What takes turns, going by this instrument."""
    coaching = CoachingUseCase(used, elsewhere=names_coverage)
    coverage = CoverageUseCase(used)
    audit = AuditUseCase(
        used,
        store,
        proposer,
        asides=Asides(coaching, OnePolicy(), store, DepartmentUseCase(used)),
        offer_steps=coaching.offer_steps,
        elsewhere=names_coverage,
        beside=coverage.is_at,
    )
    return [
        SettingsUseCase([Platform.EMAIL]),
        DepartmentUseCase(used, audit.wants),
        ContestedUseCase(used),
        audit,
        coaching,
        EventUseCase(used),
        coverage,
    ]
