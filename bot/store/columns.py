"""A row added or changed, a few columns looked at: past the book-keeping of a transaction's objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, Row, bindparam, insert, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel.ext.asyncio.session import AsyncSession


async def columns(
    tx: AsyncSession, statement: Executable, given: Mapping[str, Any] | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The rows of a SELECT of columns, with `given` for its parameters.

    It sees what the transaction has changed so far, as `tx.exec` does, at two thirds of its price.
    """
    return await tx.run_sync(_columns, statement, given)


def _columns(
    session: Session, statement: Executable, given: Mapping[str, Any] | None
) -> Sequence[Row[*tuple[Any, ...]]]:
    session.flush()
    return session.connection().execute(statement, given).all()


async def add(tx: AsyncSession, row: Any) -> None:
    """Store a new row at once, and give `row` its id. It is to be looked at and given to `change`, but is no
    object of the transaction's.
    """
    row.id = await tx.run_sync(_add, _insert(row.__class__), row.model_dump(exclude={"id"}))


def _add(session: Session, statement: Executable, given: Mapping[str, Any]) -> int:
    return int(session.connection().execute(statement, given).scalar_one())


@lru_cache(maxsize=64)
def _insert(table: Any) -> Any:
    rows = table.__table__
    return insert(rows).returning(rows.c.id)


async def change(tx: AsyncSession, row: Any, values: Mapping[str, Any]) -> None:
    """Give columns of a stored row new values: in the database at once, and in `row` as if it had been read
    anew. What is the same already is not written.
    """
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return
    await tx.run_sync(_change, _update(row.__class__), {"the_id": row.id, **changed})
    for name, value in changed.items():
        set_committed_value(row, name, value)


def _change(session: Session, statement: Executable, given: Mapping[str, Any]) -> None:
    session.connection().execute(statement, given)


@lru_cache(maxsize=64)
def _update(table: Any) -> Any:
    rows = table.__table__
    return update(rows).where(rows.c.id == bindparam("the_id"))
