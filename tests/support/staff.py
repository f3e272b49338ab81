"""A big company in a few inserts: departments with a lead each, executives, people in twelve zones."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from bot.store.engine import Store
from bot.store.outbox import insert_once
from bot.store.tables import Company, Department, Duty, DutyName, Person

ZONES = (
    "Europe/Berlin", "Europe/Lisbon", "America/New_York", "America/Sao_Paulo", "America/St_Johns",
    "Asia/Kolkata", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia",
    "Africa/Casablanca", "Asia/Kathmandu",
)  # fmt: skip


def _rows(made: list[SQLModel]) -> list[dict[str, object]]:
    return [row.model_dump() for row in made]


async def staff(
    store: Store,
    people: int,
    departments: int,
    executives: int,
    enrolled: datetime | None = None,
    channels: bool = False,
) -> None:
    """Ids run from 1: department n is led by person n; the executives are the last people."""
    async with store.write() as tx:
        tx.add(Company(name="Larkfield", time_zone="Europe/Berlin"))
        await tx.flush()
        rows = [
            Department(
                id=n, slug=f"d{n}", name=f"Department {n}", template="finance", time_zone=ZONES[n % 12],
                channels={"slack": f"C{n}"} if channels else {},
            )
            for n in range(1, departments + 1)
        ]  # fmt: skip
        await insert_once(tx, Department, _rows(list(rows)), ("slug",))
        persons = [
            Person(
                id=n, email=f"p{n}@example.com", name=f"Person {n}", time_zone=ZONES[n % 12],
                department_id=n % departments + 1 if departments else None, enrolled_at=enrolled,
            )
            for n in range(1, people + 1)
        ]  # fmt: skip
        await insert_once(tx, Person, _rows(list(persons)), ("email",))
        duties = [
            Duty(id=n, person_id=n, duty=DutyName.LEAD, department_id=n) for n in range(1, departments + 1)
        ]
        duties += [
            Duty(id=departments + n, person_id=people - n, duty=DutyName.EXECUTIVE) for n in range(executives)
        ]
        await insert_once(tx, Duty, _rows(list(duties)), ("person_id", "duty", "department_id"))
