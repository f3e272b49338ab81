"""What does not apply to a department: the question to whoever runs the programme, and those still open."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, plain
from bot.store.tables import Answer, Claim, Department

MOST = 5


def approval_question(instrument: Instrument, answer: Answer, department: Department) -> Message:
    """May this question be left out? Its buttons stay good until somebody has answered."""
    name = instrument.criterion(answer.criterion).name
    session = answer.session_id or 0
    return Message(
        kind="nudge",
        text=f"{plain(department.name)} says that **{name}** does not apply to them:\n\n"
        f"> {plain(answer.reason)}\n\nIs that right? It would hold for 180 days.",
        choices=tuple(
            Choice(id=str(ChoiceId("audit", session, 0, f"{what}.{answer.id}")), label=label)
            for what, label in (("approve", "Yes, leave it out"), ("decline", "No, keep asking"))
        ),
    )


async def open_approvals(tx: AsyncSession) -> list[tuple[Answer, Department]]:
    """Those that nobody has answered and no later answer has overtaken, the oldest first."""
    rows = await tx.exec(
        select(Answer, Department)
        .join(Department, col(Department.id) == Answer.department_id)
        .where(
            Answer.claim == Claim.NOT_APPLICABLE,
            col(Answer.approved_at).is_(None),
            col(Answer.declined_at).is_(None),
            col(Answer.second).is_(False),
            col(Department.archived_at).is_(None),
        )
        .order_by(col(Answer.answered_at), col(Answer.id))
    )
    return [each for each in rows.all() if await _stands(tx, each[0])][:MOST]


async def _stands(tx: AsyncSession, answer: Answer) -> bool:
    later = select(Answer.id).where(
        Answer.department_id == answer.department_id,
        Answer.criterion == answer.criterion,
        col(Answer.second).is_(False),
        col(Answer.answered_at) > answer.answered_at,
    )
    return (await tx.exec(later.limit(1))).first() is None
