"""The passages of documents as the database keeps them, with their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.outbox import insert_once
from bot.store.tables import Document, DocumentVersion, Passage, PassageVector
from knowledge.rows import saved


@dataclass(frozen=True)
class PassageDraft:
    """A passage before it has an id. `vectors` are rows of `dimensions` numbers as the index wants them."""

    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    vectors: bytes
    dimensions: int


StoredPassage = tuple[Passage, str, bytes | None, int | None]
"""A passage, its document's title, and its vectors with their width, None where the model has made none."""


async def put_passages(
    tx: AsyncSession, document_id: int, version_id: int, drafts: Sequence[PassageDraft], model: str
) -> None:
    """Store the passages of a version with the vectors that `model` made of them."""
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
        for ordinal, passage in enumerate(drafts)
    ]
    tx.add_all(rows)
    await tx.flush()
    for row, passage in zip(rows, drafts, strict=True):
        tx.add(
            PassageVector(
                passage_id=saved(row.id),
                model=model,
                dimensions=passage.dimensions,
                vectors=passage.vectors,
            )
        )
    await tx.flush()


async def drop_passages(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """Take out the passages that `which` marks, with their vectors."""
    await tx.exec(
        delete(PassageVector).where(col(PassageVector.passage_id).in_(select(Passage.id).where(which)))
    )
    await tx.exec(delete(Passage).where(which))


async def passage_counts(session: AsyncSession) -> dict[int, int]:
    """How many passages each document's present version has."""
    found = await session.exec(
        select(Passage.document_id, func.count())
        .join(DocumentVersion, col(DocumentVersion.id) == Passage.version_id)
        .where(DocumentVersion.current)
        .group_by(col(Passage.document_id))
    )
    return dict(found.all())


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
