"""The versions of a document: which one answers today, which one waits for its day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, exists, func, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import Document, DocumentVersion, Passage
from knowledge.passages import drop_passages
from knowledge.rows import raise_revision


@dataclass(frozen=True)
class Version:
    """A version without its text, which may be long."""

    id: int
    document_id: int
    number: int
    sha256: str
    title: str
    label: str
    effective: date | None
    current: bool

    def waits(self, effective: date | None, today: date) -> bool:
        """Whether a newer version, in force from `effective` on, waits: this one answers until then."""
        in_force = self.effective is None or self.effective <= today
        return in_force and effective is not None and effective > today


_COLUMNS = (
    *(col(DocumentVersion.id), col(DocumentVersion.document_id), col(DocumentVersion.number)),
    *(col(DocumentVersion.sha256), col(DocumentVersion.title), col(DocumentVersion.label)),
    *(col(DocumentVersion.effective), col(DocumentVersion.current)),
)


async def ends(session: AsyncSession, document_id: int | None) -> tuple[Version | None, Version | None]:
    """The present version of a document and its last one, which may wait; None where there is none."""
    found = await session.exec(
        select(*_COLUMNS)  # type: ignore[call-overload]
        .where(DocumentVersion.document_id == document_id)
        .order_by(col(DocumentVersion.number).desc())
    )
    versions = [Version(*row) for row in found]
    return next((each for each in versions if each.current), None), versions[0] if versions else None


async def ends_of(session: AsyncSession, source: str) -> tuple[Version | None, Version | None]:
    """`ends` of the document from `source`, unless it was removed."""
    found = await session.exec(
        select(Document.id).where(Document.source == source, col(Document.removed_at).is_(None))
    )
    document_id = found.first()
    return await ends(session, document_id) if document_id is not None else (None, None)


async def bring_into_force(tx: AsyncSession, today: date) -> None:
    """Let each version that is in force by `today` take the place of the one before."""
    found = await tx.exec(
        select(*_COLUMNS)  # type: ignore[call-overload]
        .where(_waits(), col(DocumentVersion.effective) <= today)
        .order_by(col(DocumentVersion.number))
        .with_for_update()
    )
    latest = {version.document_id: version for version in (Version(*row) for row in found)}
    for version in latest.values():
        await make_current(tx, version.document_id, version.id)
    if latest:
        await raise_revision(tx)


async def next_in_force(session: AsyncSession) -> date | None:
    """The day on which the next version takes the place of another, None where none waits."""
    found = await session.exec(select(func.min(DocumentVersion.effective)).where(_waits()))
    day: date | None = found.one()
    return day


async def changes_to_come(session: AsyncSession, documents: Collection[int]) -> dict[int, date]:
    """For each of these documents that has a version to come the day on which that takes its place."""
    found = await session.exec(
        select(DocumentVersion.document_id, func.min(DocumentVersion.effective))
        .where(_waits(), col(DocumentVersion.document_id).in_(documents))
        .group_by(col(DocumentVersion.document_id))
    )
    return {document: day for document, day in found if day is not None}


def _waits() -> ColumnElement[bool]:
    """The condition under which a version comes after its document's present one."""
    present = aliased(DocumentVersion)
    before = exists().where(
        col(present.document_id) == col(DocumentVersion.document_id),
        col(present.current),
        col(present.number) < col(DocumentVersion.number),
    )
    return ~col(DocumentVersion.current) & before


async def make_current(tx: AsyncSession, document_id: int, version_id: int) -> None:
    """Let a version answer, under its own title, in place of all before it, whose passages go."""
    found = await tx.exec(
        select(DocumentVersion.number, DocumentVersion.title).where(DocumentVersion.id == version_id)
    )
    number, title = found.one()
    of_document = col(DocumentVersion.document_id) == document_id
    await tx.exec(update(DocumentVersion).where(of_document).values(current=False))
    await tx.exec(update(DocumentVersion).where(col(DocumentVersion.id) == version_id).values(current=True))
    await tx.exec(update(Document).where(col(Document.id) == document_id).values(title=title))
    before = select(DocumentVersion.id).where(of_document, col(DocumentVersion.number) < number)
    await drop_passages(tx, col(Passage.version_id).in_(before))
