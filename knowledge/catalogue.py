"""The documents as lists show them: for the command line, the page and their owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import (
    Document,
    DocumentAudience,
    DocumentVersion,
    Passage,
    Person,
    PolicyQuestion,
)
from knowledge.audience import audience_word
from knowledge.changes import difference
from knowledge.library import is_stale, present
from knowledge.passages import passage_counts
from knowledge.quoting import section_name
from knowledge.rows import saved
from knowledge.versions import changes_to_come

Shown = dict[str, Any]
_WITHOUT_TEXT = defer(DocumentVersion.text)  # type: ignore[arg-type]


async def documents(session: AsyncSession, today: date) -> list[Shown]:
    """Every present document, by id."""
    found = await session.exec(
        select(Document, DocumentVersion, Person.email)
        .join(DocumentVersion, col(DocumentVersion.document_id) == Document.id)
        .outerjoin(Person, col(Person.id) == Document.owner_id)
        .where(col(Document.removed_at).is_(None), DocumentVersion.current)
        .options(_WITHOUT_TEXT)
        .order_by(col(Document.id))
    )
    counts = await passage_counts(session)
    audiences = await _audiences(session)
    return [_shown(document, version, owner, audiences, counts, today) for document, version, owner in found]


async def _audiences(session: AsyncSession) -> dict[int, list[str]]:
    audiences: dict[int, list[str]] = {}
    for line in await session.exec(select(DocumentAudience).order_by(col(DocumentAudience.id))):
        audiences.setdefault(line.document_id, []).append(audience_word(line))
    return audiences


def _shown(
    document: Document,
    version: DocumentVersion,
    owner: str | None,
    audiences: dict[int, list[str]],
    counts: dict[int, int],
    today: date,
) -> Shown:
    number = saved(document.id)
    return {
        "id": number,
        "title": document.title,
        "kind": document.kind,
        "source": document.source,
        "version": version.number,
        "label": version.label or None,
        "owner": owner,
        "audience": audiences.get(number, []),
        "effective": _iso(version.effective),
        "reviewed": _iso(document.reviewed_on),
        "review_by": _iso(document.review_by),
        "expires": _iso(document.expires_on),
        "stale": is_stale(document, today),
        "superseded_by": document.superseded_by,
        "passages": counts.get(number, 0),
        "flags": version.flags,
    }


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


async def document(session: AsyncSession, document_id: int, today: date) -> Shown:
    """One document with its versions, what the last one changed, its passages, and the questions whose
    answers rest on it. Raises NotFound."""
    await present(session, document_id)
    shown = next(each for each in await documents(session, today) if each["id"] == document_id)
    versions = list(
        await session.exec(
            select(DocumentVersion)
            .where(DocumentVersion.document_id == document_id)
            .options(_WITHOUT_TEXT)
            .order_by(col(DocumentVersion.number))
        )
    )
    present_version = next(version for version in versions if version.current)
    texts = await _texts(session, [present_version, *versions[-2:]])
    passages = await session.exec(
        select(Passage).where(Passage.version_id == present_version.id).order_by(col(Passage.ordinal))
    )
    to_come = await changes_to_come(session, [document_id])
    return shown | {
        "changes_on": _iso(to_come.get(document_id)),
        "text": texts[present_version.number],
        "versions": [_version(version) for version in versions],
        "changes": _changes([texts[version.number] for version in versions[-2:]]),
        "passages": [
            {
                "passage_id": passage.id,
                "section": section_name(shown["title"], passage.heading_path),
                "text": passage.text,
            }
            for passage in passages
        ],
        "questions": await _resting_on(session, document_id),
    }


def _version(version: DocumentVersion) -> Shown:
    return {
        "version": version.number,
        "label": version.label or None,
        "sha256": version.sha256,
        "effective": _iso(version.effective),
        "added_at": version.added_at.isoformat(),
        "current": version.current,
    }


async def _texts(session: AsyncSession, versions: Sequence[DocumentVersion]) -> dict[int, str]:
    """Number -> text of these versions of a document."""
    numbers = [version.id for version in versions]
    found = await session.exec(
        select(DocumentVersion.number, DocumentVersion.text).where(col(DocumentVersion.id).in_(numbers))
    )
    return dict(found.all())


def _changes(texts: Sequence[str]) -> list[Shown]:
    """What the last of these texts changes in the one before."""
    if len(texts) < 2:
        return []
    changes = difference(*texts)
    return [{"section": c.section, "removed": list(c.removed), "added": list(c.added)} for c in changes]


async def _resting_on(session: AsyncSession, document_id: int) -> list[str]:
    """The last questions that were answered from a document, newest first."""
    found = await session.exec(
        select(PolicyQuestion)
        .where(PolicyQuestion.band == "answer")
        .order_by(col(PolicyQuestion.id).desc())
        .limit(1_000)
    )
    texts = [
        question.text
        for question in found
        if any(cited.get("document_id") == document_id for cited in question.answer.get("citations", []))
    ]
    return list(dict.fromkeys(texts))[:50]
