"""How the policies are used, for their owners: what is asked most, answered worst and never, what is stale.

Nobody is named. The words of a question are shown only when several people asked the same: what one person
typed stays between that person and the coach, unless it was sent on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import Band, Document, PolicyQuestion
from knowledge.library import is_stale
from knowledge.rows import saved

WINDOW = timedelta(days=90)
MIN_ASKERS = 2
_SHOWN = 5


@dataclass(frozen=True)
class DocumentUse:
    """One document over the window: answers that rest on it, bad marks among them, and its upkeep."""

    document_id: int
    title: str
    answers: int
    bad_marks: int
    stale: bool
    unowned: bool


@dataclass(frozen=True)
class Usage:
    """The use of a set of documents. Questions come with how often they were asked, most first; passages
    with the section that was quoted of them, and in how many answers."""

    documents: tuple[DocumentUse, ...]
    most_asked: tuple[tuple[str, int], ...]
    worst_answered: tuple[tuple[str, int], ...]
    never_answered: tuple[tuple[str, int], ...]
    unanswered: int
    passages: tuple[tuple[int, str, int], ...]


async def usage(
    session: AsyncSession,
    now: datetime,
    owner_id: int | None = None,
    documents: frozenset[int] | None = None,
    least: int = MIN_ASKERS,
) -> Usage:
    """The use of all documents, of those that `owner_id` owns, or of `documents`, over the last 90 days.

    Of a question that fewer than `least` people asked, no words are given.
    """
    query = select(Document).where(col(Document.removed_at).is_(None), col(Document.superseded_by).is_(None))
    if owner_id is not None:
        query = query.where(Document.owner_id == owner_id)
    found_documents = await session.exec(query.order_by(col(Document.title)))
    chosen = [each for each in found_documents if documents is None or each.id in documents]
    own = {saved(document.id) for document in chosen}
    found = await session.exec(select(PolicyQuestion).where(PolicyQuestion.asked_at >= now - WINDOW))
    # Of several documents behind an answer all have to be among those that may be told about.
    questions = [
        question
        for question in found
        if (_about(question) <= own if documents is not None else own & _about(question))
    ]
    answered = [question for question in questions if question.band is Band.ANSWER]
    silent = [question for question in questions if question.band is not Band.ANSWER]
    return Usage(
        documents=tuple(_use(document, answered, now) for document in chosen),
        most_asked=_often(questions, least),
        worst_answered=_often((question for question in questions if question.mark == -1), least),
        never_answered=_often(silent, least),
        unanswered=len(silent),
        passages=_passages(answered, own),
    )


def _about(question: PolicyQuestion) -> set[int]:
    """The documents that an answer rests on, or the nearest one where there was none."""
    cited = {citation["document_id"] for citation in question.answer.get("citations", [])}
    return cited or {question.answer.get("nearest_document_id") or 0}


def _use(document: Document, answered: Sequence[PolicyQuestion], now: datetime) -> DocumentUse:
    resting = [question for question in answered if document.id in _about(question)]
    return DocumentUse(
        document_id=saved(document.id),
        title=document.title,
        answers=len(resting),
        bad_marks=sum(question.mark == -1 for question in resting),
        stale=is_stale(document, now.date()),
        unowned=document.owner_id is None,
    )


def _often(questions: Iterable[PolicyQuestion], least: int) -> tuple[tuple[str, int], ...]:
    askers: dict[str, set[int | None]] = {}
    texts: dict[str, str] = {}
    times: Counter[str] = Counter()
    for question in questions:
        askers.setdefault(question.normalised, set()).add(question.person_id)
        texts.setdefault(question.normalised, question.text)
        times[question.normalised] += 1
    shared = [(texts[key], count) for key, count in times.most_common() if len(askers[key]) >= least]
    return tuple(shared[:_SHOWN])


def _passages(answered: Sequence[PolicyQuestion], own: set[int]) -> tuple[tuple[int, str, int], ...]:
    counts = Counter(
        (citation["passage_id"], citation["section"])
        for question in answered
        for citation in question.answer.get("citations", [])
        if citation["document_id"] in own
    )
    return tuple((passage, section, count) for (passage, section), count in counts.most_common(_SHOWN))
