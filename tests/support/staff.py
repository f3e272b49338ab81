"""A big company in a few inserts: departments with a lead each, executives, people in twelve zones."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.engine import Store
from bot.store.tables import Company, Department, Duty, DutyName, Person

ZONES = (
    "Europe/Berlin", "Europe/Lisbon", "America/New_York", "America/Sao_Paulo", "America/St_Johns",
    "Asia/Kolkata", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia",
    "Africa/Casablanca", "Asia/Kathmandu",
)  # fmt: skip


async def put(tx: AsyncSession, table: type[SQLModel], rows: list[dict[str, object]]) -> None:
    """Many complete rows at once; validation is left out, so that a hundred thousand take seconds."""
    for first in range(0, len(rows), 5_000):
        await (await tx.connection()).execute(insert(table), rows[first : first + 5_000])


def complete(table: type[SQLModel], **values: object) -> dict[str, object]:
    """A row of `table` with its defaults."""
    return table(**values).model_dump(exclude={"id"} if "id" not in values else None)


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
        template = complete(Department, id=1, slug="d", name="D", template="finance")
        rows = [
            template
            | {"id": n, "slug": f"d{n}", "name": f"Department {n}", "time_zone": ZONES[n % 12]}
            | {"channels": {"slack": f"C{n}"} if channels else {}}
            for n in range(1, departments + 1)
        ]
        await put(tx, Department, rows)
        somebody = complete(Person, id=1, email="p@example.com", name="P", enrolled_at=enrolled)
        persons = [
            somebody
            | {"id": n, "email": f"p{n}@example.com", "name": f"Person {n}", "time_zone": ZONES[n % 12]}
            | {"department_id": n % departments + 1 if departments else None}
            for n in range(1, people + 1)
        ]
        await put(tx, Person, persons)
        leads = [
            complete(Duty, person_id=n, duty=DutyName.LEAD, department_id=n)
            for n in range(1, departments + 1)
        ]
        await put(tx, Duty, leads)
        await put(
            tx,
            Duty,
            [complete(Duty, person_id=people - n, duty=DutyName.EXECUTIVE) for n in range(executives)],
        )
