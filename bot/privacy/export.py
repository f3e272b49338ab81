"""Everything that is kept about one person, as one document for them; nobody else's words stand in it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import NotFound
from bot.privacy.holdings import HOLDINGS, Holding, Reach, reach_of, words_of
from bot.privacy.traces import Quotes, scrubbed
from bot.store.tables import (
    AuditLogEntry,
    Department,
    InboxEvent,
    Person,
    Role,
    SentDigest,
)

_ANOTHER = "somebody else"
_NOT_YOURS = "(somebody else's words)"


async def anybody_by_email(tx: AsyncSession, email: str) -> Person:
    """The person with that address, archived or not, locked against changes. Raises NotFound."""
    wanted = select(Person).where(Person.email == email.strip().lower()).with_for_update()
    person = (await tx.exec(wanted)).first()
    if person is None:
        raise NotFound(f"There is nobody with the address {email}. Check the spelling.")
    return person


async def export_person(tx: AsyncSession, email: str, now: datetime) -> dict[str, Any]:
    """What every table holds about the person: plain JSON, times in ISO with their offset.

    Rows stand in the order in which they came. Who else takes part is "somebody else". That it was handed out
    is logged. Raises NotFound where nobody has that address.
    """
    person = await anybody_by_email(tx, email)
    reach = await reach_of(tx, person)
    theirs = Quotes(await words_of(tx, reach.person_id))
    others = Quotes(await words_of(tx, reach.person_id, theirs=False))
    document: dict[str, Any] = {"exported_at": _plain(now), "person": await _about(tx, person)}
    for holding in HOLDINGS:
        rows = await _rows(tx, holding.rows, reach.rows_of(holding))
        document[holding.title] = [_shown(holding, row, reach) for row in rows]
    document["messages from them"] = [
        _plain(row) for row in await _rows(tx, _table(InboxEvent), reach.heard())
    ]
    document["messages to them"] = [_heard(row, theirs, others) for row in document["messages to them"]]
    digests = await _rows(tx, _table(SentDigest), col(SentDigest.recipient) == reach.recipient)
    document["digests sent to them"] = [_plain(_only(row, ("week", "made_at"))) for row in digests]
    tx.add(AuditLogEntry(at=now, action="person.exported", subject_id=person.id))
    return document


async def _about(tx: AsyncSession, person: Person) -> dict[str, Any]:
    department = await tx.get(Department, person.department_id) if person.department_id else None
    role = await tx.get(Role, person.role_id) if person.role_id else None
    row = _plain(person.model_dump())
    return {
        **row,
        "department": department.name if department else None,
        "role": role.name if role else None,
    }


def _table(model: Any) -> Any:
    return model.__table__


async def _rows(tx: AsyncSession, table: Any, where: Any) -> list[Mapping[str, Any]]:
    found = await (await tx.connection()).execute(select(table).where(where).order_by(table.c.id))
    return [dict(row) for row in found.mappings()]


def _only(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _shown(holding: Holding, row: Mapping[str, Any], reach: Reach) -> dict[str, Any]:
    """A row without what others wrote into it, and without who they are."""
    hidden = {
        name for link in holding.links if row[link.column] != reach.person_id for name in link.words
    } | set(holding.left_out)
    shown = {name: value for name, value in row.items() if name not in hidden}
    for link in holding.links:
        if row[link.column] not in (None, reach.person_id):
            shown[link.column] = _ANOTHER
    return {name: _plain(value) for name, value in shown.items()}


def _heard(row: dict[str, Any], theirs: Quotes, others: Quotes) -> dict[str, Any]:
    """A message to the person, in which nobody else is quoted."""

    def hide(text: str) -> str:
        return others.without(text, _NOT_YOURS, but=theirs)

    return {**row, "message": scrubbed(row["message"], hide, 0)}


def _plain(value: Any) -> Any:
    """A value of a column as JSON. A file's bytes are base64."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
