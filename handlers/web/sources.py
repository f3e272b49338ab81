"""The document behind a citation, for somebody who may read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import NotFound
from bot.messages import Citation
from bot.store.tables import Document, DocumentVersion, Passage, Person
from handlers.web.ports import Source
from knowledge.audience import may_read, reader

_GONE = "The passage is no longer there, or it is not meant for this person."


async def open_source(session: AsyncSession, citations: Sequence[Citation], person_id: int) -> Source:
    """The document of `citations` (of one message, all of one passage) at the version that was quoted.

    Raises NotFound if there is none, if it was removed, or if the person may not read it (any more).
    """
    if not citations:
        raise NotFound(_GONE)
    first = citations[0]
    passage = await session.get(Passage, first.passage_id)
    document_id = first.document_id or (passage.document_id if passage else 0)
    found = await session.exec(
        select(Document, DocumentVersion)
        .join(DocumentVersion, col(DocumentVersion.document_id) == col(Document.id))
        .where(
            Document.id == document_id,
            DocumentVersion.number == first.version,
            col(Document.removed_at).is_(None),
            may_read(await reader(session, person_id)),
        )
    )
    row = found.first()
    if row is None:
        raise NotFound(_GONE)
    document, version = row
    owner = await session.get(Person, document.owner_id) if document.owner_id else None
    placed = passage is not None and passage.version_id == version.id
    return Source(
        passage_id=first.passage_id,
        document=document.title,
        section=first.section,
        version=_version(version),
        text=version.text,
        start=passage.start if passage and placed else 0,
        end=passage.end if passage and placed else 0,
        owner=owner.name if owner else first.owner,
        effective=_day(version.effective) or first.effective,
        reviewed=_day(document.reviewed_on) or first.reviewed,
        quotes=tuple(citation.quote for citation in citations),
    )


def _version(version: DocumentVersion) -> str:
    if version.label and version.label != str(version.number):
        return f"{version.number}, marked {version.label}"
    return str(version.number)


def _day(day: date | None) -> str | None:
    return f"{day.day} {day:%B %Y}" if day else None
