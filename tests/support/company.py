"""A small company with policies, for tests of the library."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sqlmodel import col, select

from bot.clock import Clock
from bot.llm import WritingModel
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import Company, Department, Duty, DutyName, OutboxMessage, Person, Role
from bot.turns import Turn
from knowledge.conversation import PolicyTurns
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details
from knowledge.port import Retriever
from knowledge.service import KnowledgeService
from tests.fakes.retriever import WordRetriever

LEAVE = """---
id: leave
title: Leave
owner: olga@example.com
audience: [all]
version: "2"
effective: 2026-01-15
reviewed: 2026-05-02
review_by: 2027-05-02
---

# Leave

## Annual leave

Everybody has 30 days of annual leave a year. Ask your lead at least 14 days before.

## Sick leave

Tell your lead before 10:00 on the first day. A doctor's note is needed from the fourth day.
"""

SALARIES = """---
id: salaries
title: Salary bands
owner: olga@example.com
audience: [hr]
effective: 2026-03-01
---

# Salary bands

The salary band of a junior clerk is 41,000 to 48,000 euros a year.
"""


@dataclass
class People:
    """Ids: an "HR partner", an "Internal auditor" of Finance, the policy owner, a guest."""

    hanna: int
    fay: int
    olga: int
    guest: int


async def plant_people(store: Store) -> People:
    """Store the company."""
    async with store.write() as tx:
        hr, finance = Department(slug="hr", name="HR"), Department(slug="finance", name="Finance")
        tx.add_all([Company(name="Larkfield", time_zone="UTC"), hr, finance])
        await tx.flush()
        auditor = Role(department_id=finance.id or 0, slug="auditor", name="Internal auditor", headcount=2)
        partner = Role(department_id=hr.id or 0, slug="partner", name="HR partner", headcount=3)
        tx.add_all([auditor, partner])
        await tx.flush()
        people = [
            Person(email="hanna@example.com", name="Hanna Voss", department_id=hr.id, role_id=partner.id),
            Person(email="fay@example.com", name="Fay Adler", department_id=finance.id, role_id=auditor.id),
            Person(email="olga@example.com", name="Olga Brandt"),
            Person(email="guest@elsewhere.example", name="Gus Guest", department_id=hr.id, external=True),
        ]
        tx.add_all(people)
        await tx.flush()
        tx.add(Duty(person_id=people[2].id or 0, duty=DutyName.POLICY_OWNER))
    return People(*(person.id or 0 for person in people))


@dataclass
class Library:
    """A library over a fresh database, with the words' index, and a conversation with it."""

    store: Store
    clock: Clock
    people: People
    retriever: WordRetriever
    service: KnowledgeService
    turns: PolicyTurns
    folder: Path
    events: int = 0

    async def put(self, name: str, text: str | bytes, **given: object) -> int:
        """Write a file and add it. Returns the document's id."""
        file = self.folder / name
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        outcomes = [outcome async for outcome in self.service.filing.add([str(file)], **given)]  # type: ignore[arg-type]
        assert [outcome.reason for outcome in outcomes] == [None]
        return outcomes[0].document_id or 0

    def turn(self, person: int, text: str | None = None, choice: str | None = None, **named: object) -> Turn:
        """Something that a person says or picks in a conversation of their own."""
        self.events += 1
        made = Turn(
            event_id=self.events,
            person_id=person,
            platform="web",
            conversation=f"web:{person}",
            at=self.clock(),
            text=text,
            choice=choice,
        )
        return replace(made, **named)  # type: ignore[arg-type]


async def make_library(
    store: Store,
    clock: Clock,
    folder: Path,
    model: WritingModel | None = None,
    index: Retriever | None = None,
) -> Library:
    """A library with the two policies above; `index` in place of the words' one."""
    retriever = WordRetriever()
    service = KnowledgeService(store, clock, index or retriever, Fetcher(), model)
    people = await plant_people(store)
    library = Library(store, clock, people, retriever, service, PolicyTurns(service), folder)
    await library.put("leave.md", LEAVE)
    await library.put("salaries.md", SALARIES)
    return library


async def add(library: Library, *places: Path, given: Details | None = None) -> list[tuple[str, str | None]]:
    """What became of each file at `places`: its status, and why it was refused."""
    filing = library.service.filing
    return [(o.status, o.reason) async for o in filing.add([str(place) for place in places], given)]


async def say(
    library: Library, person: int, text: str | None = None, choice: str | None = None, **named: object
) -> list[Message]:
    """What is answered to something that a person says or picks."""
    turn = library.turn(person, text, choice, **named)
    prepared = await library.turns.prepare(turn)
    async with library.store.write() as tx:
        return await library.turns.apply(tx, turn, prepared)


async def told(library: Library, person: int) -> list[str]:
    """What was written to a person unasked, oldest first."""
    async with library.store.read() as session:
        found = await session.exec(
            select(OutboxMessage).where(OutboxMessage.person_id == person).order_by(col(OutboxMessage.id))
        )
        return [row.message["text"] for row in found]


def pick(message: Message, label: str) -> str:
    """The id of the choice that is labelled so."""
    return next(choice.id for choice in message.choices if choice.label == label)
