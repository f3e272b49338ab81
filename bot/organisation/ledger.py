"""What an import does to stored rows, and the list of it that people read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

What = Literal["added", "changed", "archived", "restored", "renamed", "removed", "expired"]


@dataclass(frozen=True)
class Change:
    """One difference that an import makes, in words."""

    what: What
    subject: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.subject}" + (f" ({self.detail})" if self.detail else "")


@dataclass
class Ledger:
    """Changes rows in one transaction and writes each change down."""

    tx: AsyncSession
    now: datetime
    changes: list[Change] = field(default_factory=list)

    def note(self, what: What, subject: str, detail: str = "") -> None:
        """Write a change down that was made elsewhere."""
        self.changes.append(Change(what, subject, detail))

    def set(self, row: SQLModel, subject: str, values: dict[str, Any]) -> None:
        """Set what differs and note it."""
        before = {key: getattr(row, key) for key in values}
        differing = [key for key, value in values.items() if before[key] != value]
        for key in differing:
            setattr(row, key, values[key])
        if differing:
            said = ", ".join(f"{key}: {_shown(before[key])} -> {_shown(values[key])}" for key in differing)
            self.note("changed", subject, said)
            self.tx.add(row)

    async def all(self, table: type[Any]) -> list[Any]:
        """Every row of a table."""
        return list((await self.tx.exec(select(table))).all())

    async def add(self, rows: Iterable[SQLModel]) -> None:
        """Store new rows; they have their ids afterwards."""
        self.tx.add_all(list(rows))
        await self.tx.flush()

    def restore(self, row: Any, subject: str) -> None:
        """Bring an archived row back."""
        if row.archived_at is not None:
            row.archived_at = None
            self.tx.add(row)
            self.note("restored", subject)

    def archive(self, rows: Iterable[Any], subject: Callable[[Any], str], detail: str = "") -> None:
        """Put rows out of use without losing them."""
        for row in rows:
            if row.archived_at is None:
                row.archived_at = self.now
                self.tx.add(row)
                self.note("archived", subject(row), detail)

    async def remove(self, rows: Iterable[Any], subject: Callable[[Any], str]) -> None:
        """Delete rows that hold nothing but what the file said."""
        for row in rows:
            self.note("removed", subject(row))
            await self.tx.delete(row)
        await self.tx.flush()


def _shown(value: Any) -> str:
    if value in (None, {}, ""):
        return "none"
    return str(getattr(value, "value", value))
