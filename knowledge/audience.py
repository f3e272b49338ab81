"""Who may read which document: the filter that every search is given, made from our own tables.

A document says who may read it: everyone, departments, roles; several lines are added up, and a document
without a line is for nobody but its owner. In a public channel only what everyone may read counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, exists, false, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import InputError, NotFound
from bot.store.tables import (
    AudienceKind,
    Department,
    Document,
    DocumentAudience,
    DocumentVersion,
    Person,
    Role,
)


@dataclass(frozen=True)
class Reader:
    """Who asks: by the person's own row. `public` readers are everybody in a channel."""

    person_id: int | None
    department: str | None = None
    roles: frozenset[str] = frozenset()
    public: bool = False
    outside: bool = False


EVERYBODY = Reader(None, public=True)


async def reader(session: AsyncSession, person_id: int, public: bool = False) -> Reader:
    """The person as a reader. Somebody of another company, or who has left, may read nothing."""
    person = await session.get(Person, person_id)
    if person is None:
        raise NotFound("This person is not known here.")
    outside = person.external or person.archived_at is not None
    if public or outside:
        return Reader(person_id, public=public, outside=outside)
    department = await session.get(Department, person.department_id) if person.department_id else None
    role = await session.get(Role, person.role_id) if person.role_id else None
    names = {role.slug.casefold(), role.name.casefold()} if role else set()
    return Reader(person_id, department.slug if department else None, frozenset(names))


def may_read(who: Reader) -> ColumnElement[bool]:
    """The condition on Document under which `who` may read it."""
    if who.outside:
        return false()
    kind, value = col(DocumentAudience.kind), col(DocumentAudience.value)
    lines = [kind == AudienceKind.EVERYONE]
    if who.public:
        return _has_line(lines)
    if who.department:
        lines.append(and_(kind == AudienceKind.DEPARTMENT, value == who.department))
    if who.roles:
        lines.append(and_(kind == AudienceKind.ROLE, func.lower(value).in_(sorted(who.roles))))
    return or_(_has_line(lines), col(Document.owner_id) == who.person_id)


def _has_line(lines: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    return exists().where(col(DocumentAudience.document_id) == col(Document.id), or_(*lines))


async def readable(session: AsyncSession, who: Reader, today: date) -> frozenset[int]:
    """The ids of all documents that may answer `who` today: present, neither expired nor superseded by one
    that is in force already."""
    coming = exists().where(
        col(DocumentVersion.document_id) == col(Document.superseded_by),
        col(DocumentVersion.current),
        col(DocumentVersion.effective) > today,
    )
    found = await session.exec(
        select(Document.id).where(
            col(Document.removed_at).is_(None),
            or_(col(Document.superseded_by).is_(None), coming),
            or_(col(Document.expires_on).is_(None), col(Document.expires_on) > today),
            may_read(who),
        )
    )
    return frozenset(number for number in found if number is not None)


def audience_word(line: DocumentAudience) -> str:
    """A line of an audience as it is written in front matter and on the command line."""
    if line.kind is AudienceKind.EVERYONE:
        return "all"
    return f"role:{line.value}" if line.kind is AudienceKind.ROLE else line.value


async def parse_audience(session: AsyncSession, parts: tuple[str, ...]) -> list[tuple[AudienceKind, str]]:
    """`all`, ids of departments and `role:NAME` as lines of an audience. InputError lists what exists."""
    departments = {each.slug.casefold(): each.slug for each in await session.exec(select(Department))}
    lines = []
    for part in parts:
        lines.append(await _line_of(session, part.strip(), departments))
    if not lines:
        raise InputError("The audience is empty. Write `all`, a department's id, or role:NAME.")
    return list(dict.fromkeys(lines))


async def _line_of(session: AsyncSession, part: str, departments: dict[str, str]) -> tuple[AudienceKind, str]:
    if part.casefold() in ("all", "everyone"):
        return AudienceKind.EVERYONE, ""
    if part.casefold().startswith("role:"):
        name = part[5:].strip().casefold()
        known = {
            each.casefold() for role in await session.exec(select(Role)) for each in (role.slug, role.name)
        }
        if name not in known:
            raise InputError(f"There is no role {part[5:]!r}. Known roles: {_listed(known)}.")
        return AudienceKind.ROLE, name
    if part.casefold() not in departments:
        raise InputError(f"There is no department {part!r}. Known departments: {_listed(departments)}.")
    return AudienceKind.DEPARTMENT, departments[part.casefold()]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none yet; import the organisation first"
