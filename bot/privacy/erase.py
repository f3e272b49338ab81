"""The end of everything that is kept about one person, in one transaction.

What others rest on stays without the person: the levels of answers (or a department's figures would fall
apart), finished steps, blockers, answered questions that became knowledge. What is frozen stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.organisation.directory import default_owner
from bot.privacy.export import anybody_by_email
from bot.privacy.holdings import HOLDINGS, Fate, Reach, reach_of, words_of
from bot.privacy.traces import Marks, Quotes, take_out
from bot.store.tables import (
    AuditLogEntry,
    CachedAnswer,
    DialogueSession,
    Document,
    DocumentVersion,
    Gap,
    GapStatus,
    InboxEvent,
    OutboxMessage,
    Person,
    Plan,
    PlanStatus,
    ScheduledMessage,
    SentDigest,
    SessionStatus,
)


@dataclass(frozen=True)
class Line:
    """How many rows of a kind there are, and what becomes of them; an empty `then` means that they go."""

    title: str
    count: int
    then: str = ""


@dataclass(frozen=True)
class Kept:
    """What is kept about a person. `policies` are the titles of those that name the person themselves."""

    name: str
    email: str
    lines: tuple[Line, ...]
    policies: tuple[str, ...]


async def kept_about(tx: AsyncSession, email: str) -> Kept:
    """What there is, counted. Raises NotFound where nobody has that address."""
    person = await anybody_by_email(tx, email)
    reach = await reach_of(tx, person)
    lines = [Line("messages from them", await _count(tx, InboxEvent, reach.heard()))]
    for holding in HOLDINGS:
        lines.append(
            Line(holding.title, await _count(tx, holding.table, reach.rows_of(holding)), holding.then)
        )
    found = tuple(line for line in lines if line.count)
    return Kept(person.name, person.email, found, await _policies_with(tx, person))


async def _count(tx: AsyncSession, table: Any, where: Any) -> int:
    return (await tx.exec(select(func.count()).select_from(table).where(where))).one()


async def _policies_with(tx: AsyncSession, person: Person) -> tuple[str, ...]:
    said = [DocumentVersion.text, Document.title]
    found = await tx.exec(
        select(Document.title)
        .join(DocumentVersion, col(DocumentVersion.document_id) == Document.id)
        .where(
            or_(
                *(
                    cast(each, String).icontains(mark, autoescape=True)
                    for each in said
                    for mark in (person.name, person.email)
                )
            )
        )
        .distinct()
        .order_by(Document.title)
    )
    return tuple(found)


async def erase_person(tx: AsyncSession, email: str, now: datetime) -> Kept:
    """Erase everything about the person; returns what there was. Raises NotFound where nobody has that
    address.
    """
    kept = await kept_about(tx, email)
    person = await anybody_by_email(tx, email)
    reach = await reach_of(tx, person)
    marks, quotes = Marks(person, reach.accounts), Quotes(await words_of(tx, reach.person_id))
    heir = await default_owner(tx, but=reach.person_id)
    heir_id = heir.id if heir else None
    await _end(tx, reach, heir_id, now)
    await _forget_messages(tx, reach)
    await _forget_rows(tx, reach.person_id, heir_id)
    await tx.exec(delete(Person).where(col(Person.id) == reach.person_id))
    await take_out(tx, marks, quotes)
    tx.add(
        AuditLogEntry(at=now, action="person.erased", detail={line.title: line.count for line in kept.lines})
    )
    await tx.flush()
    tx.expunge_all()
    return kept


async def _end(tx: AsyncSession, reach: Reach, heir_id: int | None, now: datetime) -> None:
    """What is still open: sittings close, steps go, an owner's queue goes to somebody else."""
    live = (SessionStatus.OPEN, SessionStatus.PAUSED)
    await tx.exec(
        update(DialogueSession)
        .where(col(DialogueSession.person_id) == reach.person_id, col(DialogueSession.status).in_(live))
        .values(status=SessionStatus.CLOSED, finished_at=now)
    )
    open_steps = (PlanStatus.OPEN, PlanStatus.NOT_YET)
    await tx.exec(
        delete(Plan).where(col(Plan.person_id) == reach.person_id, col(Plan.status).in_(open_steps))
    )
    await _end_questions(tx, reach.person_id)
    await tx.exec(
        update(Gap)
        .where(col(Gap.owner_id) == reach.person_id, col(Gap.status) == GapStatus.SENT)
        .values(owner_id=heir_id, reply="", answering_in="")
    )


async def _end_questions(tx: AsyncSession, person_id: int) -> None:
    """The questions that the person passed on go, except those whose answer is knowledge by now."""
    rows = list(await tx.exec(select(Gap).where(col(Gap.entry_document_id).is_(None)).order_by(col(Gap.id))))
    gone = {row.id for row in rows if row.asker_id == person_id}
    heads: dict[int, int | None] = {}
    for row in rows:
        # The next one of a group stands for it where its first one goes.
        if row.group_id in gone and row.id not in gone:
            head = heads.setdefault(row.group_id or 0, row.id)
            row.group_id = None if head == row.id else head
            tx.add(row)
    await tx.flush()
    await tx.exec(update(Gap).where(col(Gap.id).in_(gone)).values(group_id=None))
    await tx.exec(delete(Gap).where(col(Gap.id).in_(gone)))


async def _forget_messages(tx: AsyncSession, reach: Reach) -> None:
    await tx.exec(delete(OutboxMessage).where(reach.said()))
    await tx.exec(delete(InboxEvent).where(reach.heard()))
    await tx.exec(delete(ScheduledMessage).where(reach.planned()))
    # A digest stays as it was sent; to whom is nobody's business any more.
    digests = await tx.exec(select(SentDigest.id).where(SentDigest.recipient == reach.recipient))
    for number in digests:
        await tx.exec(
            update(SentDigest).where(col(SentDigest.id) == number).values(recipient=f"nobody:{number}")
        )
    await tx.exec(delete(CachedAnswer))


async def _forget_rows(tx: AsyncSession, person_id: int, heir_id: int | None) -> None:
    """First what stays, since it may point at what goes."""
    connection = await tx.connection()
    for holding in HOLDINGS:
        for link in holding.links:
            named = holding.rows.c[link.column] == person_id
            if link.fate is not Fate.GOES:
                to = heir_id if link.fate is Fate.HANDED_ON else None
                values: Mapping[str, Any] = {link.column: to, **link.after}
                await connection.execute(update(holding.rows).where(named).values(values))
    for holding in HOLDINGS:
        for link in holding.links:
            if link.fate is Fate.GOES:
                await connection.execute(delete(holding.rows).where(holding.rows.c[link.column] == person_id))
