"""Passing a nudge on to a colleague: the thing itself changes hands, and the colleague is told."""

from __future__ import annotations

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import approvers
from bot.audit.opening import new_state, open_session
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, plain
from bot.store.outbox import write_to_person
from bot.store.tables import (
    Answer,
    Blocker,
    Department,
    Document,
    Duty,
    DutyName,
    Gap,
    Person,
    Plan,
    ScheduledMessage,
)
from scheduler.cards import CARDS, Desk

MOST_COLLEAGUES = 8
_OWNED = ("policy_review", "open_question")


async def colleagues(tx: AsyncSession, person: Person, row: ScheduledMessage) -> list[Person]:
    """Who may get it: policy owners for policies, whoever else may confirm what does not apply, and of all
    else the department's other leads, then its people.
    """
    if row.kind == "open_approval":
        answer = await tx.get(Answer, row.detail.get("answer"))
        allowed = await approvers(tx, answer.department_id, answer.picked_by) if answer else []
        return [each for each in allowed if each.id != person.id and each.declined_at is None]
    if row.kind in _OWNED:
        wanted = select(Person).join(Duty, col(Duty.person_id) == col(Person.id))
        wanted = wanted.where(Duty.duty == DutyName.POLICY_OWNER)
    else:
        leads = select(Duty.person_id).where(
            Duty.duty == DutyName.LEAD, Duty.department_id == row.department_id
        )
        wanted = select(Person).where(
            or_(Person.department_id == row.department_id, col(Person.id).in_(leads))
        )
        wanted = wanted.order_by(col(Person.id).in_(leads).desc())
    found = await tx.exec(
        wanted.where(
            col(Person.id) != person.id,
            col(Person.archived_at).is_(None),
            col(Person.declined_at).is_(None),
            col(Person.external).is_(False),
        ).order_by(Person.name)
    )
    return list(found)


async def hand_over(desk: Desk, row: ScheduledMessage, to: int) -> bool:
    """Let `to` have it, and tell them. False if that person may not have it."""
    person = desk.person
    if to not in {colleague.id for colleague in await colleagues(desk.session, person, row)}:
        return False
    kind = str(row.detail.get("of_kind", row.kind))
    message = await _passed_on(desk, row, kind, to)
    if message is None:
        return False
    await write_to_person(
        desk.session, to, [message], key=f"hand-over:nudge:{row.id}:{to}", now=desk.now, prefers_repeat=False
    )
    return True


async def _passed_on(desk: Desk, row: ScheduledMessage, kind: str, to: int) -> Message | None:
    said = f"{plain(desk.person.name)} thinks you can tell more about this, and passed it on to you."
    if kind in ("audit_invitation", "re_audit", "cycle_question"):
        department = await desk.session.get_one(Department, row.department_id)
        state = await new_state(desk.session, desk.instrument, department, to, desk.now, False)
        sitting = await open_session(desk.session, state, department.id or 0, to, desk.now)
        show = ChoiceId("audit", sitting, 0, "-.show")
        text = f"{said}\n\nA few questions about how {plain(department.name)} works with AI, about 3 minutes."
        return Message(kind="nudge", text=text, choices=(Choice(id=str(show), label="Have a look"),))
    card = await CARDS[kind](desk, row)
    if card is None or not await _change_hands(desk.session, row, to):
        return None
    return Message(kind="nudge", text=f"{said}\n\n{card.text}", choices=card.do)


async def _change_hands(tx: AsyncSession, row: ScheduledMessage, to: int) -> bool:
    """Make `to` responsible for what the row is about. False where only the person asked can do it."""
    for name, table in (
        ("plan", Plan),
        ("blocker", Blocker),
        ("document", Document),
        ("gap", Gap),
        ("answer", Answer),
    ):
        if name not in row.detail:
            continue
        thing = await tx.get(table, row.detail[name], with_for_update=True)
        if isinstance(thing, Plan):
            thing.person_id = to
        elif isinstance(thing, Blocker | Document | Gap):
            thing.owner_id = to
        elif isinstance(thing, Answer):
            thing.approver_id = to
        return thing is not None
    return False
