"""What every change to the library needs: the ids of rows, and the revision that tells of it."""

from __future__ import annotations

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.outbox import insert_once
from bot.store.tables import CachedAnswer, Revision

REVISION = "knowledge"


def saved(number: int | None) -> int:
    """The id of a row that was flushed."""
    if number is None:
        raise ValueError("the row has not been flushed")
    return number


async def revision(session: AsyncSession) -> int:
    """The number that rises with every change to what can be found."""
    row = await session.get(Revision, REVISION)
    return row.value if row else 0


async def raise_revision(tx: AsyncSession) -> int:
    """Tell every process that what it holds is out of date; cached answers go."""
    await insert_once(tx, Revision, [{"name": REVISION, "value": 0}], ("name",))
    await tx.exec(update(Revision).where(col(Revision.name) == REVISION).values(value=Revision.value + 1))
    await tx.exec(delete(CachedAnswer))
    found = await tx.exec(select(Revision.value).where(Revision.name == REVISION))
    return found.one()
