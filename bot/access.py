"""Who may do what. The only place that decides, and what it does not allow is denied.

Policies have audiences of their own, which are part of the search itself (knowledge.audience); this is about
everything else: departments' states and answers, the company's figures, the organisation, the schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import AccessDenied
from bot.organisation.directory import duties_of, holders
from bot.store.tables import DutyName, Person


class Action(StrEnum):
    """What somebody may wish to do."""

    SEE_DEPARTMENT = "see where a department stands"
    ANSWER_FOR_DEPARTMENT = "answer for a department"
    READ_RAW_ANSWERS = "read what a lead wrote"
    APPROVE = "approve that a criterion does not apply"
    SEE_COMPANY = "see the company's map and digest"
    ANSWER_POLICY_QUESTIONS = "answer open policy questions"
    ADMINISTER = "change the organisation and the schedule"


@dataclass(frozen=True)
class Actor:
    """A person as access sees them, from our own tables and never from what a platform claims."""

    person_id: int
    department_id: int | None
    duties: frozenset[DutyName]
    leads: frozenset[int]
    outside: bool


async def actor(session: AsyncSession, person_id: int) -> Actor:
    """The person's rights as stored now. Somebody unknown, external or gone has none."""
    person = await session.get(Person, person_id)
    if person is None or person.archived_at is not None or person.external:
        return Actor(person_id, None, frozenset(), frozenset(), outside=True)
    duties = await duties_of(session, person_id)
    return Actor(
        person_id,
        person.department_id,
        frozenset(duty.duty for duty in duties),
        frozenset(duty.department_id for duty in duties if duty.duty is DutyName.LEAD and duty.department_id),
        outside=False,
    )


_BY_DUTY: dict[Action, frozenset[DutyName]] = {
    Action.SEE_DEPARTMENT: frozenset({DutyName.EXECUTIVE, DutyName.PROGRAMME_OWNER}),
    Action.READ_RAW_ANSWERS: frozenset({DutyName.PROGRAMME_OWNER}),
    Action.APPROVE: frozenset({DutyName.PROGRAMME_OWNER}),
    Action.SEE_COMPANY: frozenset({DutyName.EXECUTIVE, DutyName.PROGRAMME_OWNER}),
    Action.ANSWER_POLICY_QUESTIONS: frozenset({DutyName.POLICY_OWNER}),
    Action.ADMINISTER: frozenset({DutyName.ADMIN}),
}

_OF_ITS_LEAD = frozenset({Action.SEE_DEPARTMENT, Action.ANSWER_FOR_DEPARTMENT})
"""What a lead may do with the own department."""


def can(who: Actor, action: Action, department_id: int | None = None) -> bool:
    """Whether `who` may do `action`, with `department_id` where it is about one department."""
    if who.outside:
        return False
    if who.duties & _BY_DUTY.get(action, frozenset()):
        return True
    if department_id is None:
        return False
    if action in _OF_ITS_LEAD and department_id in who.leads:
        return True
    # A department's own people see where it stands, never each other's words.
    return action is Action.SEE_DEPARTMENT and department_id == who.department_id


async def approvers(session: AsyncSession, department_id: int, answered_by: int | None) -> list[Person]:
    """Who may say whether an answer of a department holds: whoever runs the programme, but nobody about their
    own word. Where all of them lead the department, an executive who does not; else one of them who did not
    give the answer; where there is none either, they themselves, and it is shown as their own word.
    """
    concerned = {answered_by, *(each.id for each in await holders(session, DutyName.LEAD, department_id))}
    owners = [each for each in await holders(session, DutyName.PROGRAMME_OWNER) if not each.external]
    executives = [each for each in await holders(session, DutyName.EXECUTIVE) if not each.external]
    for people in (owners, executives if owners else []):
        if others := [each for each in people if each.id not in concerned]:
            return others
    return [each for each in owners if each.id != answered_by] or owners


def require(who: Actor, action: Action, department_id: int | None = None) -> None:
    """Raise AccessDenied unless `who` may."""
    if not can(who, action, department_id):
        raise AccessDenied(f"Sorry, you may not {action.value}. Ask your administrator who may.")
