"""Documents as the database keeps them: how they come in, what supersedes them, how they are removed.

A change is one short transaction that also raises the revision, so that every process notices. What is slow
(reading a file, embedding its passages) has happened before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import InputError, NotFound
from bot.organisation.directory import person_by_email
from bot.store.tables import AudienceKind, Document, DocumentAudience, DocumentVersion, Passage
from knowledge import versions
from knowledge.audience import parse_audience
from knowledge.frontmatter import Details
from knowledge.passages import PassageDraft, drop_passages, put_passages
from knowledge.rows import raise_revision, saved
from knowledge.versions import Version


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


def source_of(source: str, details: Details) -> str:
    """The key of a document: its own stable id where it has one, so that it may move; else its place."""
    return f"id:{details.stable_id}"[:500] if details.stable_id else source


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
    document_id = saved(document.id)
    details_changed = await apply_details(tx, document, draft.details)
    present_version, last = await versions.ends(tx, document_id)
    if last is not None and last.sha256 == draft.sha256:
        details_changed |= await _set_version_details(tx, last, draft.details)
        if details_changed:
            await raise_revision(tx)
            await versions.bring_into_force(tx, now.date())
        return Stored(document_id, last.number, "changed" if details_changed else "unchanged")
    number = last.number + 1 if last else 1
    version_id = await _put_version(tx, document_id, number, draft, now, added_by)
    await put_passages(tx, document_id, version_id, draft.passages, draft.model)
    if present_version is None or not present_version.waits(draft.details.effective, now.date()):
        await versions.make_current(tx, document_id, version_id)
    await raise_revision(tx)
    return Stored(document_id, number, "new version" if last else "added")


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


async def _set_version_details(tx: AsyncSession, version: Version, details: Details) -> bool:
    """Set what `details` says of a version. A title holds from the day on which its version does."""
    fresh = {
        "title": details.title or version.title,
        "label": details.label or version.label,
        "effective": details.effective or version.effective,
    }
    if fresh == {name: getattr(version, name) for name in fresh}:
        return False
    await tx.exec(update(DocumentVersion).where(col(DocumentVersion.id) == version.id).values(**fresh))
    if version.current:
        named = update(Document).where(col(Document.id) == version.document_id)
        await tx.exec(named.values(title=fresh["title"]))
    return True


async def _put_version(
    tx: AsyncSession, document_id: int, number: int, draft: Draft, now: datetime, added_by: int | None
) -> int:
    version = DocumentVersion(
        document_id=document_id,
        number=number,
        sha256=draft.sha256,
        title=draft.title,
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
    return saved(version.id)


async def apply_details(tx: AsyncSession, document: Document, details: Details) -> bool:
    """Set what `details` says of a document as a whole, but for `supersedes`. Returns whether anything
    changed."""
    before = (document.owner_id, document.review_by, document.reviewed_on, document.expires_on)
    document.review_by = details.review_by or document.review_by
    document.reviewed_on = details.reviewed_on or document.reviewed_on
    document.expires_on = details.expires_on or document.expires_on
    if details.owner is not None:
        document.owner_id = (await person_by_email(tx, details.owner)).id
    changed = before != (document.owner_id, document.review_by, document.reviewed_on, document.expires_on)
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
    await drop_passages(tx, col(Passage.document_id) == document_id)
    await tx.exec(delete(DocumentVersion).where(col(DocumentVersion.document_id) == document_id))
    await raise_revision(tx)
    return document.title


def is_stale(document: Document, today: date) -> bool:
    """Whether the review date of a document has passed."""
    return document.review_by is not None and document.review_by < today
