"""The questions of a planted past: what was asked, what the policies said, and what became of gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import InputError
from bot.messages import Citation, plain
from bot.store.tables import Document, DocumentVersion, Gap, GapStatus, Passage, Person, PolicyQuestion
from handlers.demo.happened import GivenGap, GivenQuestion
from knowledge.answer import PolicyAnswer
from knowledge.rows import saved
from knowledge.stored import normalised, packed


@dataclass(frozen=True)
class _Found:
    """The policy behind a question, and the passage that holds the quote, where it has been added."""

    document_id: int | None = None
    citation: Citation | None = None


async def plant_questions(
    tx: AsyncSession, questions: Iterable[GivenQuestion], people: Mapping[str, Person], now: datetime
) -> None:
    """Write the questions, oldest first, each with answer and gap. Raises InputError for a stranger."""
    gaps: dict[str, int] = {}
    for given in sorted(questions, key=lambda each: each.at(now)):
        asker = _known(people, given.person)
        found = await _behind(tx, given)
        question = _question(given, asker, found, now)
        tx.add(question)
        await tx.flush()
        if given.gap:
            gap = _gap(given.gap, question, found, _known(people, given.gap.owner), now)
            gap.group_id = gaps.get(given.gap.like or "")
            tx.add(gap)
            await tx.flush()
            gaps[given.text] = saved(gap.id)


def _known(people: Mapping[str, Person], email: str) -> int:
    if email not in people:
        raise InputError(f"The history names {email}, who is not in the organisation.")
    return saved(people[email].id)


async def _behind(tx: AsyncSession, given: GivenQuestion) -> _Found:
    """The policy and the passage of a question; empty while the policies have not been added."""
    rows = await tx.exec(
        select(Document, DocumentVersion, Passage)
        .join(DocumentVersion, col(DocumentVersion.document_id) == col(Document.id))
        .join(Passage, col(Passage.version_id) == col(DocumentVersion.id))
        .where(Document.source == f"id:{given.policy}", col(DocumentVersion.current))
    )
    found = _Found()
    for document, version, passage in rows:
        found = _Found(document.id)
        if given.quote and given.quote in passage.text:
            owner = await tx.get(Person, document.owner_id) if document.owner_id else None
            return _Found(document.id, _citation(given, document, version, passage, owner))
    return found


def _citation(
    given: GivenQuestion, document: Document, version: DocumentVersion, passage: Passage, owner: Person | None
) -> Citation:
    return Citation(
        document=document.title,
        section=" › ".join(passage.heading_path),
        version=version.number,
        quote=given.quote,
        passage_id=saved(passage.id),
        document_id=saved(document.id),
        owner=owner.name if owner else None,
        effective=version.effective.isoformat() if version.effective else None,
    )


def _question(given: GivenQuestion, asker: int, found: _Found, now: datetime) -> PolicyQuestion:
    return PolicyQuestion(
        person_id=asker,
        conversation=f"person:{asker}",
        text=given.text,
        normalised=normalised(given.text),
        band=given.band,
        answer=_answer(given, found),
        passage_ids=[found.citation.passage_id] if found.citation else [],
        asked_at=given.at(now),
        mark=given.mark,
        mark_reason=given.mark_reason,
    )


def _answer(given: GivenQuestion, found: _Found) -> dict[str, Any]:
    text = f"> {plain(given.quote)}" if given.quote else "The policies do not say."
    citations = (found.citation,) if found.citation else ()
    return packed(PolicyAnswer(given.band, text, citations, nearest_document_id=found.document_id))


def _gap(given: GivenGap, question: PolicyQuestion, found: _Found, owner: int, now: datetime) -> Gap:
    closed = given.closed_days_ago
    return Gap(
        question_id=question.id,
        text=question.text,
        asker_id=question.person_id,
        anonymous=given.anonymous,
        owner_id=owner,
        nearest_document_id=found.document_id,
        status=given.status,
        opened_at=question.asked_at,
        sent_at=None if given.status is GapStatus.OFFERED else question.asked_at,
        closed_at=None if closed is None else now - timedelta(days=closed),
        reply=given.reply,
    )
