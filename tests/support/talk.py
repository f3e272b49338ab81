"""A small company, and a person who talks to the coach: what is typed and tapped goes through the real use cases
and a real database, what comes back is kept as a transcript.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.audit.instrument import load_instrument
from bot.audit.proposal import AnchorProposer
from bot.audit.sessions import AuditUseCase, start_choice
from bot.coaching.sessions import Asides, CoachingUseCase
from bot.coverage.sessions import CoverageUseCase
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import Company, Department, Duty, DutyName, Person, Role
from bot.turns import Turn, UseCase

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class Small:
    """Ids of the small company: Finance with two leads and two clerks, and a programme owner."""

    department: int
    lead: int
    co_lead: int
    owner: int
    clerk: int
    role: int


async def plant_company(store: Store) -> Small:
    """Store the small company."""
    async with store.write() as tx:
        tx.add(Company(name="Larkfield", time_zone="Europe/Berlin"))
        finance = Department(slug="finance", name="Finance", template="finance")
        tx.add(finance)
        await tx.flush()
        department = finance.id or 0
        role = Role(department_id=department, slug="clerk", name="Accounts payable clerk", headcount=8)
        tx.add(role)
        await tx.flush()
        people = {}
        for name in ("Lea Brandt", "Tom Okoye", "Ada King", "Kim Sato", "Ravi Nair"):
            email = f"{name.split()[0].lower()}@larkfield.example"
            place = None if name == "Ada King" else department
            people[name] = Person(email=email, name=name, department_id=place, role_id=None)
            tx.add(people[name])
        await tx.flush()
        ids = {name: person.id or 0 for name, person in people.items()}
        for name in ("Lea Brandt", "Tom Okoye"):
            tx.add(Duty(person_id=ids[name], duty=DutyName.LEAD, department_id=department))
        tx.add(Duty(person_id=ids["Ada King"], duty=DutyName.PROGRAMME_OWNER))
    return Small(
        department, ids["Lea Brandt"], ids["Tom Okoye"], ids["Ada King"], ids["Kim Sato"], role.id or 0
    )


@dataclass
class Talk:
    """One person's conversation. `say` types, `tap` presses a button of the last messages by its label."""

    store: Store
    parts: list[UseCase[Any]]
    person: int
    now: datetime = MONDAY
    heard: list[Message] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    event: int = 0

    async def say(self, text: str) -> list[Message]:
        self.log.append(f"you: {text}")
        return await self._turn(text=text)

    async def tap(self, label: str) -> list[Message]:
        """Press the newest button with that label."""
        self.log.append(f"you: [{label}]")
        return await self._turn(choice=self.button(label))

    def button(self, label: str) -> str:
        for message in reversed(self.heard):
            for choice in message.choices:
                if choice.label == label:
                    return choice.id
        raise AssertionError(f"no button {label!r}; the last message was: {self.heard[-1].text}")

    async def press(self, choice: str) -> list[Message]:
        return await self._turn(choice=choice)

    async def _turn(self, text: str | None = None, choice: str | None = None) -> list[Message]:
        self.now += timedelta(seconds=30)
        self.event += 1
        turn = Turn(
            self.event, self.person, "chat", f"chat:{self.person}", self.now, text=text, choice=choice
        )
        part = await self._part(turn)
        prepared = await part.prepare(turn)
        async with self.store.write() as tx:
            said = await part.apply(tx, turn, prepared)
        self.heard += said
        for message in said:
            labels = " | ".join(choice.label for choice in message.choices)
            self.log.append(f"bot: {message.text}" + (f"\n     [{labels}]" if labels else ""))
        return said

    async def _part(self, turn: Turn) -> UseCase[Any]:
        if turn.choice is not None:
            return next(part for part in self.parts if turn.choice.startswith(f"{part.prefix}:"))
        async with self.store.read() as tx:
            for part in self.parts:
                if await part.wants(tx, turn):  # type: ignore[attr-defined]
                    return part
        return self.parts[0]

    @property
    def last(self) -> str:
        return self.heard[-1].text


def parts(store: Store, proposer: AnchorProposer | None = None, policies: Any = None) -> list[UseCase[Any]]:
    """The audit and the coaching as the product puts them together; all five anchors without a proposer."""
    instrument = load_instrument()
    coaching = CoachingUseCase(instrument)
    audit = AuditUseCase(
        instrument,
        store,
        proposer or AnchorProposer(instrument),
        asides=Asides(coaching, policies),
        offer_steps=coaching.offer_steps,
    )
    return [audit, coaching, CoverageUseCase(instrument)]


__all__ = ["MONDAY", "Small", "Talk", "parts", "plant_company", "start_choice"]
