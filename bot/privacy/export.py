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
    OutboxMessage,
    Person,
    Role,
    SentDigest,
)

_ANOTHER = "somebody else"
_OF_A_DIGEST = ("week", "made_at")
"""The rest are the company's figures."""
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
    document = {
        "exported_at": _plain(now),
        "person": await _about(tx, person),
        **await _holdings(tx, reach),
        **await _messages(tx, reach),
    }
    tx.add(AuditLogEntry(at=now, action="person.exported", subject_id=person.id))
    return document


async def _about(tx: AsyncSession, person: Person) -> dict[str, Any]:
    department = await tx.get(Department, person.department_id) if person.department_id else None
    role = await tx.get(Role, person.role_id) if person.role_id else None
    [row] = await _rows(tx, Person, col(Person.id) == person.id)
    names = {"department": department.name if department else None, "role": role.name if role else None}
    return {name: _plain(value) for name, value in {**row, **names}.items()}


async def _holdings(tx: AsyncSession, reach: Reach) -> dict[str, Any]:
    """The rows of every table but the messages, with the department's name in place of its number."""
    names = dict((await tx.exec(select(Department.id, Department.name))).all())
    found: dict[str, Any] = {}
    for holding in HOLDINGS:
        if holding.table is not OutboxMessage:
            rows = await _rows(tx, holding.table, reach.rows_of(holding))
            found[holding.title] = [_shown(holding, row, reach, names) for row in rows]
    return found


async def _messages(tx: AsyncSession, reach: Reach) -> dict[str, Any]:
    theirs = Quotes(await words_of(tx, reach.person_id))
    others = Quotes(await words_of(tx, reach.person_id, theirs=False))
    digests = await _rows(tx, SentDigest, col(SentDigest.recipient) == reach.recipient)
    return {
        "messages from them": [_plain(row) for row in await _rows(tx, InboxEvent, reach.heard())],
        "messages to them": [
            _heard(row, theirs, others) for row in await _rows(tx, OutboxMessage, reach.said())
        ],
        "digests sent to them": [_plain({name: row[name] for name in _OF_A_DIGEST}) for row in digests],
    }


async def _rows(tx: AsyncSession, model: Any, where: Any) -> list[dict[str, Any]]:
    table = model.__table__
    found = await (await tx.connection()).execute(select(table).where(where).order_by(table.c.id))
    return [dict(row) for row in found.mappings()]


def _shown(
    holding: Holding, row: dict[str, Any], reach: Reach, departments: Mapping[int | None, str]
) -> dict[str, Any]:
    """A row without what others wrote into it, and without who they are."""
    others = [link for link in holding.links if row[link.column] != reach.person_id]
    hidden = {*holding.left_out, *(name for link in others for name in link.words)}
    shown = {name: _plain(value) for name, value in row.items() if name not in hidden}
    shown |= {link.column: _ANOTHER for link in others if row[link.column] is not None}
    if "department_id" in shown:
        shown["department"] = departments.get(shown.pop("department_id"))
    return shown


def _heard(row: dict[str, Any], theirs: Quotes, others: Quotes) -> dict[str, Any]:
    """A message to the person, in which nobody else is quoted."""

    def hide(text: str) -> str:
        return others.without(text, _NOT_YOURS, but=theirs)

    return {
        name: _plain(value) for name, value in {**row, "message": scrubbed(row["message"], hide, 0)}.items()
    }


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
