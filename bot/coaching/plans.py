"""Next steps that were taken on, and obstacles that have waited too long."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.phrases import day as day_words
from bot.choice_ids import ChoiceId
from bot.coaching.state import PREFIX, Option
from bot.messages import Choice, Message, plain
from bot.store.columns import objects
from bot.store.tables import Blocker, DialogueSession, Plan, PlanStatus

OPEN_PLANS = (PlanStatus.OPEN, PlanStatus.NOT_YET)
DONE_HOLDS = timedelta(days=180)
ESCALATE_AFTER = timedelta(days=14)
"""An open critical blocker older than this is shown as an exception (instrument, digest)."""


def plan_choices(plan_id: int) -> tuple[Choice, ...]:
    """The buttons under the follow-up of a plan: done, not yet, dropped."""
    labels = (("done", "Done"), ("not_yet", "Not yet"), ("dropped", "Dropped"))
    return tuple(Choice(id=str(ChoiceId(PREFIX, plan_id, 0, what)), label=label) for what, label in labels)


def new_plan(
    row: DialogueSession, criterion: str, chosen: Option, day: date, after: str, now: datetime
) -> Plan:
    """A step that is taken on for a day, after something."""
    return Plan(
        department_id=row.department_id,
        person_id=row.person_id,
        criterion=criterion,
        text=chosen.text,
        done_when=chosen.done_when,
        after_what=after,
        due_on=day,
        created_at=now,
    )


async def open_plans(tx: AsyncSession, department_id: int) -> list[Plan]:
    """The steps that a department has taken on and not closed, oldest first."""
    return list(await tx.exec(_OPEN_PLANS, params={"department": department_id}))


_OPEN_PLANS = (
    select(Plan)
    .where(Plan.department_id == bindparam("department"), col(Plan.status).in_(OPEN_PLANS))
    .order_by(col(Plan.created_at), col(Plan.id))
)


async def plans_meant(tx: AsyncSession, person_id: int, now: datetime) -> list[Plan]:
    """The steps that a person may mean who says "done": those that are due by tomorrow, else all that are
    open; oldest first.
    """
    query = select(Plan).where(Plan.person_id == person_id, col(Plan.status).in_(OPEN_PLANS))
    plans = list(await tx.exec(query.order_by(col(Plan.created_at), col(Plan.id))))
    soon = (now + timedelta(days=1)).date()
    return [plan for plan in plans if plan.due_on and plan.due_on <= soon] or plans


async def open_and_done(tx: AsyncSession, department_id: int, now: datetime) -> tuple[list[Plan], set[str]]:
    """The open steps, oldest first, and the wording of those that were finished within half a year: these are
    not offered again.
    """
    given = {"department": department_id, "since": now - DONE_HOLDS}
    plans = await objects(tx, _OPEN_AND_DONE, given)
    done = {plan.text for plan in plans if plan.status is PlanStatus.DONE}
    return [plan for plan in plans if plan.status is not PlanStatus.DONE], done


_CLOSED_AT = Plan.__table__.c.closed_at  # type: ignore[attr-defined]
_OPEN_AND_DONE = (
    select(Plan)
    .where(
        Plan.department_id == bindparam("department"),
        col(Plan.status).in_(OPEN_PLANS)
        | ((col(Plan.status) == PlanStatus.DONE) & (bindparam("since", type_=_CLOSED_AT.type) < _CLOSED_AT)),
    )
    .order_by(col(Plan.created_at), col(Plan.id))
)


async def escalate_blockers(tx: AsyncSession, instrument: Instrument, now: datetime) -> list[Blocker]:
    """Mark the open critical blockers that have waited longer than 14 days; returns those newly marked."""
    critical = [kind.id for model in instrument.models for kind in model.blockers if kind.critical]
    rows = await tx.exec(
        select(Blocker).where(
            col(Blocker.code).in_(critical),
            col(Blocker.resolved_at).is_(None),
            col(Blocker.escalated_at).is_(None),
            Blocker.raised_at < now - ESCALATE_AFTER,
        )
    )
    found = list(rows)
    for blocker in found:
        blocker.escalated_at = now
    return found


def plan_lines(plans: list[Plan]) -> str:
    """The steps as a list, each with its day."""
    return "\n".join(
        f"- **{n}** {plain(plan.text)} _({day_words(plan.due_on) if plan.due_on else 'no day yet'})_"
        for n, plan in enumerate(plans, 1)
    )


def open_steps_card(plans: list[Plan], said: str = "") -> Message:
    """The open steps, each with its buttons; if nothing else is `said`, that they are enough for now."""
    said = said or f"You have {len(plans)} steps open, which is plenty."
    choices = tuple(
        choice.model_copy(update={"label": f"{n}: {choice.label}"})
        for n, plan in enumerate(plans, 1)
        for choice in plan_choices(plan.id or 0)
    )
    return Message(
        kind="result",
        text=f"{said}\n\n{plan_lines(plans)}\n\nHow {'is it' if len(plans) == 1 else 'are they'} going?",
        choices=choices,
    )
