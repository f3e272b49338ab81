"""Looking at a few columns, past the objects that rows otherwise become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, Row
from sqlalchemy.orm import Session
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
