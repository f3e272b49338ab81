"""What does not apply to a department: the question to whoever runs the programme, their yes or no, and what
is still open.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import approvers
from bot.audit.instrument import Instrument
from bot.audit.phrases import day, lower
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, plain
from bot.store.outbox import write_to_person
from bot.store.tables import Answer, Claim, Department, Person

MOST = 5


def approval_question(instrument: Instrument, answer: Answer, department: Department) -> Message:
    """May this question be left out? Its buttons stay good until somebody has answered."""
    name = instrument.criterion(answer.criterion).name
    session = answer.session_id or 0
    return Message(
        kind="nudge",
        text=f"{plain(department.name)} says that **{name}** does not apply to them:\n\n"
        f"> {plain(answer.reason)}\n\nIs that right? It would hold until "
        f"{day(holds_until(instrument, answer))}.",
        choices=tuple(
            Choice(id=str(ChoiceId("audit", session, 0, f"{what}.{answer.id}")), label=label)
            for what, label in (("approve", "Yes, leave it out"), ("decline", "No, keep asking"))
        ),
    )


def holds_until(instrument: Instrument, answer: Answer) -> datetime:
    """When an approved "does not apply" runs out, however late it was approved."""
    return answer.answered_at + timedelta(days=instrument.freshness.stale_after_days)


async def open_approvals(
    tx: AsyncSession, instrument: Instrument, person_id: int, now: datetime
) -> list[tuple[Answer, Department]]:
    """Those for this person's word that would still hold, nobody has answered and no later answer has
    overtaken; oldest first.
    """
    oldest = now - timedelta(days=instrument.freshness.stale_after_days)
    rows = await tx.exec(
        select(Answer, Department)
        .join(Department, col(Department.id) == Answer.department_id)
        .where(
            Answer.claim == Claim.NOT_APPLICABLE,
            Answer.answered_at >= oldest,
            col(Answer.approved_at).is_(None),
            col(Answer.declined_at).is_(None),
            col(Answer.second).is_(False),
            col(Department.archived_at).is_(None),
        )
        .order_by(col(Answer.answered_at), col(Answer.id))
    )
    found = [each for each in rows.all() if await _stands(tx, each[0])]
    return [each for each in found if await may_confirm(tx, each[0], person_id)][:MOST]


async def may_confirm(tx: AsyncSession, answer: Answer, person_id: int) -> bool:
    """Whether an answer waits for this person's word."""
    allowed = await approvers(tx, answer.department_id, answer.picked_by)
    return person_id in {each.id for each in allowed}


async def _stands(tx: AsyncSession, answer: Answer) -> bool:
    """No later answer has taken the place of this one."""
    later = select(Answer.id).where(
        Answer.department_id == answer.department_id,
        Answer.criterion == answer.criterion,
        col(Answer.second).is_(False),
        col(Answer.answered_at) > answer.answered_at,
    )
    return (await tx.exec(later.limit(1))).first() is None


async def answer_approval(
    tx: AsyncSession, instrument: Instrument, person_id: int, answer_id: int, approve: bool, now: datetime
) -> Message:
    """The yes or no of whoever may confirm it, which the lead hears of. Others are told that they may not."""
    answer = await tx.get(Answer, answer_id, with_for_update=True)
    if answer is None or not await may_confirm(tx, answer, person_id):
        return Message(kind="notice", text=_NOT_YOURS)
    if _is_settled(answer):
        return Message(kind="notice", text="That is settled already, thank you.")
    if not await waits(tx, instrument, answer, now):
        return Message(kind="notice", text=_PAST)
    answer.approver_id = person_id
    if approve:
        answer.approved_at = now
        own = ", by your own word" if person_id == answer.picked_by else ""
        said = f"It is left out until {day(holds_until(instrument, answer))}{own}."
    else:
        answer.declined_at = now
        said = "It stays in, and I'll ask about it at the next look."
    await _tell(tx, instrument, answer, said, now)
    return Message(
        kind="text", text=f"Thank you. **{instrument.criterion(answer.criterion).name}**: {lower(said)}"
    )


_NOT_YOURS = (
    "Only whoever runs the AI programme can confirm that, and nobody about their own word while there is "
    "somebody else to ask."
)
_PAST = "That was said long ago, or was answered since, so there is nothing left to confirm."


def _is_settled(answer: Answer) -> bool:
    given = answer.approved_at is not None or answer.declined_at is not None
    return given or answer.claim is not Claim.NOT_APPLICABLE


async def waits(tx: AsyncSession, instrument: Instrument, answer: Answer, now: datetime) -> bool:
    """Whether an answer still waits for a yes or a no that would matter."""
    held = now <= holds_until(instrument, answer)
    return held and not _is_settled(answer) and await _stands(tx, answer)


async def _tell(tx: AsyncSession, instrument: Instrument, answer: Answer, said: str, now: datetime) -> None:
    """The lead reads who decided; leads who decided themselves know it."""
    if answer.picked_by in (None, answer.approver_id):
        return
    decided = await tx.get_one(Person, answer.approver_id)
    name = instrument.criterion(answer.criterion).name
    more = "" if answer.approved_at else " A word with them helps if you see it differently."
    text = f"{plain(decided.name)} has read why **{name}** does not apply to you. {said}{more}"
    key = f"approved:{answer.id}:{answer.approved_at is not None}"
    await write_to_person(tx, answer.picked_by, [Message(text=text)], key=key, now=now)
