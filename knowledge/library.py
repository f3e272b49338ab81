"""The documents as the database keeps them: versions, particulars, removal, and the revision of the index.

A change is one short transaction that also raises the revision, so that every process notices. What is slow
(reading a file, embedding its passages) has happened before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import ColumnElement, delete, exists, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import InputError, NotFound
from bot.organisation.directory import person_by_email
from bot.store.outbox import insert_once
from bot.store.tables import (
    AudienceKind,
    CachedAnswer,
    Document,
    DocumentAudience,
    DocumentVersion,
    Passage,
    PassageVector,
    Revision,
)
from knowledge.audience import parse_audience
from knowledge.frontmatter import Details

REVISION = "knowledge"


@dataclass(frozen=True)
class PassageDraft:
    """A passage before it has an id. `vectors` are rows of `dimensions` numbers as the index wants them."""

    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    vectors: bytes
    dimensions: int


@dataclass(frozen=True)
class Draft:
    """A document ready to be stored: its text, passages and vectors are made, its particulars as given."""

    source: str
    title: str
    details: Details
    text: str
    sha256: str
    flags: tuple[str, ...]
    passages: tuple[PassageDraft, ...]
    model: str
    kind: str = "policy"


@dataclass(frozen=True)
class Stored:
    """What became of a draft: "added", "new version", "changed" (particulars only) or "unchanged"."""

    document_id: int
    version: int
    status: str


def saved(number: int | None) -> int:
    """The id of a row that was flushed."""
    if number is None:
        raise ValueError("the row has not been flushed")
    return number


def source_of(source: str, details: Details) -> str:
    """The key of a document: its own stable id where it has one, so that it may move; else its place."""
    return f"id:{details.stable_id}"[:500] if details.stable_id else source


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


async def current_version(session: AsyncSession, source: str) -> tuple[Document, DocumentVersion] | None:
    """The present version of the document from `source`."""
    found = await session.exec(
        select(Document, DocumentVersion)
        .join(DocumentVersion, col(DocumentVersion.document_id) == Document.id)
        .where(Document.source == source, col(Document.removed_at).is_(None), DocumentVersion.current)
    )
    return found.first()


async def twin(session: AsyncSession, source: str, sha256: str) -> str | None:
    """The document from elsewhere whose present version is the same file, as people name it."""
    found = await session.exec(
        select(Document.id, Document.title)
        .join(DocumentVersion, col(DocumentVersion.document_id) == Document.id)
        .where(
            Document.source != source,
            col(Document.removed_at).is_(None),
            col(DocumentVersion.current),
            DocumentVersion.sha256 == sha256,
        )
        .limit(1)
    )
    row = found.first()
    return f"document {row[0]}, {row[1]}"[:80] if row else None


async def put(tx: AsyncSession, draft: Draft, now: datetime, added_by: int | None = None) -> Stored:
    """Store a draft: a new document, a new version of one, or only its particulars. Raises InputError."""
    document = await _document(tx, draft, now)
    details_changed = await apply_details(tx, document, draft.details)
    today = now.date()
    found = await tx.exec(
        select(DocumentVersion)
        .where(DocumentVersion.document_id == document.id)
        .order_by(col(DocumentVersion.number).desc())
    )
    versions = found.all()
    last = versions[0] if versions else None
    document_id = saved(document.id)
    if last is not None and last.sha256 == draft.sha256:
        details_changed |= _set_version_details(last, draft.details)
        if details_changed:
            await raise_revision(tx)
            await bring_into_force(tx, today)
        return Stored(document_id, last.number, "changed" if details_changed else "unchanged")
    number = last.number + 1 if last else 1
    document.title = draft.title
    present = next((version for version in versions if version.current), None)
    waits = present is not None and is_to_wait(present, draft.details.effective, today)
    await _put_version(tx, document_id, number, draft, now, added_by, waits)
    await raise_revision(tx)
    return Stored(document_id, number, "new version" if last else "added")


def is_to_wait(present: DocumentVersion, effective: date | None, today: date) -> bool:
    """Whether a version that is in force from `effective` on waits: the present one answers until then."""
    in_force = present.effective is None or present.effective <= today
    return in_force and effective is not None and effective > today


async def bring_into_force(tx: AsyncSession, today: date) -> None:
    """Let each version that is in force by `today` take the place of the one before."""
    found = await tx.exec(
        select(DocumentVersion)
        .where(_waits(), col(DocumentVersion.effective) <= today)
        .order_by(col(DocumentVersion.number))
        .with_for_update()
    )
    latest = {version.document_id: version for version in found}
    for version in latest.values():
        await _make_current(tx, version)
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


async def _make_current(tx: AsyncSession, version: DocumentVersion) -> None:
    """Let a version answer in place of all before it, whose passages go."""
    of_document = col(DocumentVersion.document_id) == version.document_id
    await tx.exec(update(DocumentVersion).where(of_document).values(current=False))
    await tx.exec(update(DocumentVersion).where(col(DocumentVersion.id) == version.id).values(current=True))
    before = select(DocumentVersion.id).where(of_document, col(DocumentVersion.number) < version.number)
    await _drop_passages(tx, col(Passage.version_id).in_(before))


async def _document(tx: AsyncSession, draft: Draft, now: datetime) -> Document:
    found = await tx.exec(select(Document).where(Document.source == draft.source).with_for_update())
    document = found.first()
    if document is None:
        document = Document(source=draft.source, title=draft.title, kind=draft.kind, added_at=now)
        tx.add(document)
        await tx.flush()
        tx.add(DocumentAudience(document_id=saved(document.id), kind=AudienceKind.EVERYONE))
        await tx.flush()
    elif document.removed_at is not None:
        document.removed_at, document.added_at = None, now
    return document


def _set_version_details(version: DocumentVersion, details: Details) -> bool:
    before = (version.effective, version.label)
    version.effective = details.effective or version.effective
    version.label = details.label or version.label
    return before != (version.effective, version.label)


async def _put_version(
    tx: AsyncSession,
    document_id: int,
    number: int,
    draft: Draft,
    now: datetime,
    added_by: int | None,
    waits: bool,
) -> None:
    version = DocumentVersion(
        document_id=document_id,
        number=number,
        sha256=draft.sha256,
        text=draft.text,
        label=draft.details.label or "",
        effective=draft.details.effective,
        added_at=now,
        added_by=added_by,
        current=False,
        flags=list(draft.flags),
    )
    tx.add(version)
    await tx.flush()
    if not waits:
        await _make_current(tx, version)
    await _put_passages(tx, document_id, saved(version.id), draft)


async def _put_passages(tx: AsyncSession, document_id: int, version_id: int, draft: Draft) -> None:
    rows = [
        Passage(
            document_id=document_id,
            version_id=version_id,
            ordinal=ordinal,
            heading_path=list(passage.heading_path),
            text=passage.text,
            start=passage.start,
            end=passage.end,
        )
        for ordinal, passage in enumerate(draft.passages)
    ]
    tx.add_all(rows)
    await tx.flush()
    for row, passage in zip(rows, draft.passages, strict=True):
        tx.add(
            PassageVector(
                passage_id=saved(row.id),
                model=draft.model,
                dimensions=passage.dimensions,
                vectors=passage.vectors,
            )
        )
    await tx.flush()


async def _drop_passages(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    await tx.exec(
        delete(PassageVector).where(col(PassageVector.passage_id).in_(select(Passage.id).where(which)))
    )
    await tx.exec(delete(Passage).where(which))


async def apply_details(tx: AsyncSession, document: Document, details: Details) -> bool:
    """Set what `details` says of a document, but for `supersedes`. Returns whether anything changed."""
    before = (
        document.owner_id,
        document.review_by,
        document.reviewed_on,
        document.expires_on,
        document.title,
    )
    document.review_by = details.review_by or document.review_by
    document.reviewed_on = details.reviewed_on or document.reviewed_on
    document.expires_on = details.expires_on or document.expires_on
    document.title = details.title or document.title
    if details.owner is not None:
        document.owner_id = (await person_by_email(tx, details.owner)).id
    changed = before != (
        *(document.owner_id, document.review_by, document.reviewed_on, document.expires_on, document.title),
    )
    tx.add(document)
    await tx.flush()
    if details.audience is not None:
        changed |= await _set_audience(tx, document, details.audience)
    return changed


async def _set_audience(tx: AsyncSession, document: Document, parts: Sequence[str]) -> bool:
    document_id = saved(document.id)
    wanted = await parse_audience(tx, tuple(parts))
    found = await tx.exec(select(DocumentAudience).where(DocumentAudience.document_id == document_id))
    lines = list(found)
    if {(line.kind, line.value) for line in lines} == set(wanted):
        return False
    for line in lines:
        await tx.delete(line)
    await tx.flush()
    tx.add_all(DocumentAudience(document_id=document_id, kind=kind, value=value) for kind, value in wanted)
    await tx.flush()
    return True


async def named(session: AsyncSession, name: str) -> Document:
    """The document with this id or stable id, removed or not. Raises NotFound."""
    condition = col(Document.source) == f"id:{name}"
    if name.isdigit():
        condition = or_(condition, col(Document.id) == int(name))
    document = (await session.exec(select(Document).where(condition))).first()
    if document is None:
        raise NotFound(f"There is no document {name!r} that could be superseded. See: stagecoach kb list")
    return document


async def supersede(tx: AsyncSession, document_id: int, older: str) -> None:
    """Mark the document that `older` names as superseded by this one."""
    old = await named(tx, older)
    if old.id == document_id:
        raise InputError("A document can't supersede itself.")
    if old.superseded_by != document_id:
        old.superseded_by = document_id
        tx.add(old)
        await tx.flush()
        await raise_revision(tx)


async def present(session: AsyncSession, document_id: int) -> Document:
    """The document with this id unless it was removed. Raises NotFound."""
    document = await session.get(Document, document_id)
    if document is None or document.removed_at is not None:
        raise NotFound(f"There is no document {document_id}. See: stagecoach kb list")
    return document


async def remove(tx: AsyncSession, document_id: int, now: datetime) -> str:
    """Take a document out, with its versions, passages, vectors and cached answers. Returns its title."""
    document = await present(tx, document_id)
    document.removed_at = now
    tx.add(document)
    await tx.exec(
        update(Document).where(col(Document.superseded_by) == document_id).values(superseded_by=None)
    )
    await _drop_passages(tx, col(Passage.document_id) == document_id)
    await tx.exec(delete(DocumentVersion).where(col(DocumentVersion.document_id) == document_id))
    await raise_revision(tx)
    return document.title


async def passage_counts(session: AsyncSession) -> dict[int, int]:
    """How many passages each document's present version has."""
    found = await session.exec(
        select(Passage.document_id, func.count())
        .join(DocumentVersion, col(DocumentVersion.id) == Passage.version_id)
        .where(DocumentVersion.current)
        .group_by(col(Passage.document_id))
    )
    return dict(found.all())


def is_stale(document: Document, today: date) -> bool:
    """Whether the review date of a document has passed."""
    return document.review_by is not None and document.review_by < today


StoredPassage = tuple[Passage, str, bytes | None, int | None]
"""A passage, its document's title, and its vectors with their width, None where the model has made none."""


async def passage_titles(session: AsyncSession) -> dict[int, tuple[int, str]]:
    """Of every passage of a present version the document and its title."""
    found = await session.exec(
        select(Passage.id, Passage.document_id, Document.title)
        .join(Document, col(Document.id) == Passage.document_id)
        .join(DocumentVersion, col(DocumentVersion.id) == Passage.version_id)
        .where(DocumentVersion.current)
    )
    return {saved(number): (document, title) for number, document, title in found}


async def passages_with_vectors(
    session: AsyncSession, numbers: Sequence[int], model: str
) -> list[StoredPassage]:
    """Passages by id, with the vectors that `model` made of them."""
    rows: list[StoredPassage] = []
    of_model = (col(PassageVector.passage_id) == Passage.id) & (col(PassageVector.model) == model)
    for start in range(0, len(numbers), 5_000):
        found = await session.exec(
            select(Passage, Document.title, PassageVector.vectors, PassageVector.dimensions)
            .join(Document, col(Document.id) == Passage.document_id)
            .outerjoin(PassageVector, of_model)
            .where(col(Passage.id).in_(numbers[start : start + 5_000]))
        )
        rows.extend(found.all())
    return rows


class Vectored(Protocol):
    """A passage with the vectors that were made of it."""

    @property
    def passage_id(self) -> int: ...

    @property
    def vectors(self) -> bytes: ...

    @property
    def dimensions(self) -> int: ...


async def add_vectors(tx: AsyncSession, model: str, made: Sequence[Vectored]) -> None:
    """Store the vectors that `model` made of passages which are still there and have none of it."""
    numbers = [each.passage_id for each in made]
    there = set(await tx.exec(select(Passage.id).where(col(Passage.id).in_(numbers))))
    rows: list[dict[str, object]] = [
        {
            "passage_id": each.passage_id,
            "model": model,
            "dimensions": each.dimensions,
            "vectors": each.vectors,
        }
        for each in made
        if each.passage_id in there
    ]
    await insert_once(tx, PassageVector, rows, ("passage_id", "model"))
