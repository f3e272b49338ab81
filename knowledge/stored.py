"""Answers and their sources between the database and the code that uses them."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import Citation
from bot.store.tables import Band, Document, DocumentVersion, Passage, Person
from knowledge.answer import PolicyAnswer, Source
from knowledge.quoting import section_name
from knowledge.rows import saved
from knowledge.versions import changes_to_come


def normalised(text: str) -> str:
    """The form in which two questions are the same: case, spacing and closing marks do not count."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.rstrip(" ?!.…")


async def sources_of(
    session: AsyncSession, scores: dict[int, float], allowed: frozenset[int]
) -> list[Source]:
    """Passages by id as sources, best score first; only those of `allowed` documents."""
    found = await session.exec(
        select(Passage, Document, DocumentVersion, Person)
        .join(Document, col(Document.id) == Passage.document_id)
        .join(DocumentVersion, col(DocumentVersion.id) == Passage.version_id)
        .outerjoin(Person, col(Person.id) == Document.owner_id)
        .where(col(Passage.id).in_(list(scores)), col(Document.id).in_(allowed))
    )
    rows = found.all()
    to_come = await changes_to_come(session, {saved(document.id) for _, document, _, _ in rows})
    sources = [
        Source(
            passage_id=saved(passage.id),
            document_id=saved(document.id),
            document=document.title,
            section=section_name(document.title, passage.heading_path),
            path=tuple(passage.heading_path),
            text=passage.text,
            version=version.number,
            score=scores[saved(passage.id)],
            kind=document.kind,
            label=version.label,
            owner_id=document.owner_id,
            owner=owner.name if owner else None,
            effective=version.effective,
            changes_on=to_come.get(saved(document.id)),
            reviewed=document.reviewed_on,
            review_by=document.review_by,
            expires=document.expires_on,
        )
        for passage, document, version, owner in rows
    ]
    return sorted(sources, key=lambda source: -source.score)


def packed(answer: PolicyAnswer) -> dict[str, Any]:
    """An answer as JSON, to be stored."""
    return {
        "band": answer.band.value,
        "text": answer.text,
        "citations": [citation.model_dump() for citation in answer.citations],
        "model": answer.model,
        "owner_id": answer.owner_id,
        "owner": answer.owner,
        "nearest_document_id": answer.nearest_document_id,
    }


def unpacked(stored: dict[str, Any]) -> PolicyAnswer:
    """An answer from its stored form."""
    return PolicyAnswer(
        band=Band(stored["band"]),
        text=stored["text"],
        citations=tuple(Citation(**citation) for citation in stored["citations"]),
        model=stored["model"],
        owner_id=stored["owner_id"],
        owner=stored["owner"],
        nearest_document_id=stored["nearest_document_id"],
    )
