"""Digests that were sent, shown again as they were to those who may see such figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, actor, can
from bot.errors import NotFound
from bot.messages import Message
from bot.store.tables import SentDigest
from scheduler.phrases import SourcedFigure

LATEST = 500
"""Rows that are looked through for what somebody may see."""


@dataclass(frozen=True, slots=True)
class KeptDigest:
    """A digest as it was sent. `figures` say where each of its figures comes from."""

    id: int
    week: str
    title: str
    made_at: datetime
    message: Message
    figures: tuple[SourcedFigure, ...]


async def kept_digests(session: AsyncSession, person_id: int) -> list[KeptDigest]:
    """The digests that this person may see, the newest week first; one of each week and department."""
    who = await actor(session, person_id)
    rows = await session.exec(
        select(SentDigest).order_by(col(SentDigest.week).desc(), col(SentDigest.id)).limit(LATEST)
    )
    found: dict[tuple[str, int | None], KeptDigest] = {}
    for row in rows:
        if _may_see(who, row):
            found.setdefault((row.week, row.department_id), _kept(row))
    return list(found.values())


async def kept_digest(session: AsyncSession, person_id: int, digest_id: int) -> KeptDigest:
    """One of them. Raises NotFound where there is none, or it is not for this person."""
    row = await session.get(SentDigest, digest_id)
    if row is None or not _may_see(await actor(session, person_id), row):
        raise NotFound("There is no such digest among those that you may see.")
    return _kept(row)


def _may_see(who: Actor, row: SentDigest) -> bool:
    """Whom it went to, as long as they are with us, and who may see such figures today."""
    if row.recipient == f"person:{who.person_id}":
        return not who.outside
    if row.department_id is None:
        return can(who, Action.SEE_COMPANY)
    return can(who, Action.SEE_DEPARTMENT, row.department_id)


def _kept(row: SentDigest) -> KeptDigest:
    return KeptDigest(
        id=row.id or 0,
        week=row.week,
        title=str(row.content.get("title", row.week)),
        made_at=row.made_at,
        message=Message.model_validate(row.content["message"]),
        figures=tuple(SourcedFigure(**figure) for figure in row.content.get("figures", [])),
    )
