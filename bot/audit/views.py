"""Two views of one question: the lead's as of an instant, and the answer that stands after both."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.scoring import Agreement
from bot.store.tables import Answer, EvidenceClass


async def lead_view(tx: AsyncSession, second: Answer, until: datetime | None = None) -> Answer | None:
    """The lead's latest answer when the second view was given, or by `until`."""
    rows = await tx.exec(
        select(Answer)
        .where(
            Answer.department_id == second.department_id,
            Answer.criterion == second.criterion,
            col(Answer.second).is_(False),
            Answer.answered_at <= (until or second.answered_at),
        )
        .order_by(col(Answer.answered_at).desc(), col(Answer.id).desc())
        .limit(1)
    )
    return rows.first()


def with_level(
    instrument: Instrument,
    first: Answer,
    level: int,
    agreement: Agreement,
    now: datetime,
    evidence: EvidenceClass | None = None,
) -> Answer:
    """The answer that stands from now on; the lead's own stays as it was given."""
    shown = evidence or first.evidence
    copied = first.model_dump(exclude={"id", "agreement", "level", "evidence", "counted", "answered_at"})
    return Answer(
        **copied,
        agreement=agreement,
        level=level,
        evidence=shown,
        counted=min(level, instrument.cap(shown.value)),
        answered_at=now,
    )
