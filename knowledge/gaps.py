"""Questions that the policies left open: to whom they go, how like ones gather, what becomes of them.

A question goes to the owner of the nearest policy only when its asker says so, with or without a name. The
owner's reply becomes an entry of the library: dated, with an expiry, always shown with the question that it
answered. The asker is told of every step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import Stemmer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.organisation.directory import default_owner
from bot.store.tables import (
    Document,
    DocumentAudience,
    Gap,
    GapStatus,
    Person,
    PolicyQuestion,
)
from knowledge.audience import audience_word
from knowledge.frontmatter import Details
from knowledge.rows import saved

ENTRY_HOLDS = timedelta(days=365)
"""How long an owner's reply answers before its owner has to confirm it."""
_ALIKE = 0.6
_SMALL = frozenset(
    re.findall(
        r"\w+",
        "a an and any are as at be by can could do does for from have how i if in is it may me must my of on "
        "or our shall should that the there this to us we what when where which who whom whose why will with "
        "would you your",
    )
)
_NEGATION = frozenset(("no", "not", "never", "without", "cannot"))


@dataclass(frozen=True)
class Group:
    """Like questions that wait for one owner. `first` stands for all of them."""

    first: Gap
    members: tuple[Gap, ...]

    @property
    def askers(self) -> int:
        """How many people asked."""
        return len({gap.asker_id for gap in self.members})


async def owner_for(session: AsyncSession, owner_id: int | None) -> Person | None:
    """Who answers for a question: the nearest policy's owner if still here, else the default owner."""
    owner = await session.get(Person, owner_id) if owner_id else None
    if owner is not None and owner.archived_at is None:
        return owner
    return await default_owner(session)


def alike(one: str, other: str) -> bool:
    """Whether two questions may go to their owner as one: most of their words agree, and both or neither
    ask for a "not". The reply names the question that it answers, so that a near miss can be seen."""
    mine, theirs = _stems(one), _stems(other)
    if (mine & _NEGATION) != (theirs & _NEGATION) or not mine | theirs:
        return False
    return len(mine & theirs) / len(mine | theirs) >= _ALIKE


def _stems(text: str) -> set[str]:
    words = [word for word in re.findall(r"\w+", text.casefold()) if word not in _SMALL]
    return set(Stemmer.Stemmer("english").stemWords(words))


async def of_question(session: AsyncSession, question_id: int) -> Gap | None:
    """The gap that a question has already become."""
    return (await session.exec(select(Gap).where(Gap.question_id == question_id))).first()


async def waiting(session: AsyncSession, person_id: int, text: str) -> Gap | None:
    """The question of this person that waits for its owner and is as good as the same."""
    found = await session.exec(
        select(Gap).where(Gap.asker_id == person_id, Gap.status == GapStatus.SENT).order_by(col(Gap.id))
    )
    return next((gap for gap in found if alike(gap.text, text)), None)


async def send(
    tx: AsyncSession, question: PolicyQuestion, owner: Person, anonymous: bool, now: datetime
) -> tuple[Gap, bool]:
    """Put a question into its owner's queue. Returns it, and whether it opens a group of its own."""
    waiting = await open_groups(tx, saved(owner.id))
    group = next((each for each in waiting if alike(each.first.text, question.text)), None)
    gap = Gap(
        question_id=question.id,
        text=question.text,
        asker_id=question.person_id,
        anonymous=anonymous,
        owner_id=owner.id,
        nearest_document_id=question.answer.get("nearest_document_id"),
        group_id=group.first.id if group else None,
        status=GapStatus.SENT,
        opened_at=now,
        sent_at=now,
    )
    tx.add(gap)
    await tx.flush()
    return gap, group is None


async def open_groups(session: AsyncSession, owner_id: int) -> list[Group]:
    """What waits for an owner, oldest first."""
    found = await session.exec(
        select(Gap).where(Gap.owner_id == owner_id, Gap.status == GapStatus.SENT).order_by(col(Gap.id))
    )
    return _grouped(list(found))


def _grouped(gaps: Sequence[Gap]) -> list[Group]:
    groups: dict[int, list[Gap]] = {}
    for gap in gaps:
        groups.setdefault(gap.group_id or saved(gap.id), []).append(gap)
    return [Group(members[0], tuple(members)) for members in groups.values()]


async def group_of(session: AsyncSession, gap: Gap) -> Group:
    """The open questions that are answered together with `gap`."""
    root = gap.group_id or gap.id
    found = await session.exec(
        select(Gap)
        .where((col(Gap.id) == root) | (col(Gap.group_id) == root), col(Gap.status) == GapStatus.SENT)
        .order_by(col(Gap.id))
    )
    members = tuple(found)
    return Group(members[0] if members else gap, members)


async def being_answered(session: AsyncSession, owner_id: int, conversation: str) -> Gap | None:
    """The question that this owner is writing a reply to in this conversation."""
    found = await session.exec(
        select(Gap).where(
            Gap.owner_id == owner_id, Gap.answering_in == conversation, Gap.status == GapStatus.SENT
        )
    )
    return found.first()


async def entry_details(session: AsyncSession, gap: Gap, owner: Person, now: datetime) -> Details:
    """The particulars of the entry that a reply becomes: read by whoever may read the nearest policy."""
    lines: list[DocumentAudience] = []
    if gap.nearest_document_id:
        lines = list(
            await session.exec(
                select(DocumentAudience).where(DocumentAudience.document_id == gap.nearest_document_id)
            )
        )
    audience = tuple(audience_word(line) for line in lines) or ("all",)
    today = now.date()
    return Details(
        title=gap.text[:200],
        owner=owner.email,
        audience=audience,
        effective=today,
        reviewed_on=today,
        review_by=today + ENTRY_HOLDS - timedelta(days=30),
        expires_on=today + ENTRY_HOLDS,
    )


async def close(
    tx: AsyncSession, group: Group, status: GapStatus, reply: str, entry_id: int | None, now: datetime
) -> None:
    """End every question of a group in the same way."""
    for gap in group.members:
        gap.status, gap.reply, gap.closed_at = status, reply, now
        gap.entry_document_id, gap.answering_in = entry_id, ""
        tx.add(gap)
    await tx.flush()


async def of_asker(session: AsyncSession, person_id: int, limit: int = 10) -> list[tuple[Gap, str | None]]:
    """A person's own open and closed questions, newest first, each with its owner's name."""
    found = await session.exec(
        select(Gap, Person.name)
        .outerjoin(Person, col(Person.id) == Gap.owner_id)
        .where(Gap.asker_id == person_id)
        .order_by(col(Gap.id).desc())
        .limit(limit)
    )
    return list(found.all())


async def listed(session: AsyncSession) -> list[dict[str, object]]:
    """Every question that the policies did not answer, as the command shows it; askers are never named."""
    found = await session.exec(
        select(Gap, Person.email, Document.title)
        .outerjoin(Person, col(Person.id) == Gap.owner_id)
        .outerjoin(Document, col(Document.id) == Gap.nearest_document_id)
        .order_by(col(Gap.id))
    )
    sent = [_shown(gap, owner, nearest) for gap, owner, nearest in found]
    handled = {gap["question_id"] for gap in sent}
    questions = await session.exec(
        select(PolicyQuestion).where(PolicyQuestion.band != "answer").order_by(col(PolicyQuestion.id))
    )
    return sent + [_unsent(question) for question in questions if question.id not in handled]


def _shown(gap: Gap, owner: str | None, nearest: str | None) -> dict[str, object]:
    return {
        "id": gap.id,
        "question_id": gap.question_id,
        "text": gap.text,
        "status": gap.status.value,
        "group": gap.group_id or gap.id,
        "owner": owner,
        "nearest_document": nearest,
        "asked_at": gap.opened_at.isoformat(),
        "reply": gap.reply if gap.status is GapStatus.ANSWERED else None,
        "entry": gap.entry_document_id,
    }


def _unsent(question: PolicyQuestion) -> dict[str, object]:
    return {
        "id": None,
        "question_id": question.id,
        "text": question.text,
        "status": "not sent",
        "group": None,
        "owner": question.answer.get("owner"),
        "nearest_document": None,
        "asked_at": question.asked_at.isoformat(),
        "reply": None,
        "entry": None,
    }
