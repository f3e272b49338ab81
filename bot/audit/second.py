"""A second person's view of one criterion: asked blind, compared, and settled (instrument.yaml,
second_rater).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BindParameter, bindparam, exists
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.agreement import TIME_TO_SETTLE, Settlement, corroborated, settle
from bot.audit.instrument import Instrument
from bot.audit.opening import LIVE, keep_state, load_state, open_session
from bot.audit.phrases import lower
from bot.audit.planning import chance
from bot.audit.state import State
from bot.audit.views import lead_view, with_level
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, plain
from bot.organisation.directory import holders
from bot.store.columns import columns, objects
from bot.store.outbox import write_to_person
from bot.store.tables import (
    Answer,
    Claim,
    Department,
    DialogueSession,
    Duty,
    DutyName,
    EvidenceClass,
    Person,
    SessionKind,
)


async def ask_second(
    tx: AsyncSession,
    instrument: Instrument,
    department: Department,
    session_id: int,
    criterion: str,
    now: datetime,
) -> None:
    """Open a blind question for a team member chosen by chance, where there is anybody to ask.

    The invitation itself is the scheduler's: it finds the open sitting.
    """
    team = await _team(tx, department.id or 0)
    if not team:
        return
    person = team[chance(session_id, criterion, "who") % len(team)]
    for found in await objects(tx, _OPEN_SECOND, {"person": person, "department": department.id}):
        state = load_state(found)
        if criterion not in (*state.queue, *state.answers):
            await keep_state(tx, found, state.model_copy(update={"queue": (*state.queue, criterion)}))
        return
    state = State(
        session=0,
        kind="second",
        version=instrument.version,
        seed=chance(session_id, criterion) % 2**31,
        queue=(criterion,),
    )
    await open_session(tx, state, department.id or 0, person, now)


# Read in many a turn, so they are put together once.
_OPEN_SECOND = (
    select(DialogueSession)
    .where(
        DialogueSession.person_id == bindparam("person"),
        DialogueSession.department_id == bindparam("department"),
        DialogueSession.kind == SessionKind.SECOND_RATER,
        col(DialogueSession.status).in_(LIVE),
    )
    .with_for_update()
)
_DEPARTMENT: BindParameter[int] = bindparam("department")
_TEAM = (
    select(Person.id)
    .where(
        Person.department_id == _DEPARTMENT,
        col(Person.archived_at).is_(None),
        col(Person.declined_at).is_(None),
        col(Person.external).is_(False),
        ~exists().where(
            col(Duty.person_id) == Person.id,
            col(Duty.duty) == DutyName.LEAD,
            col(Duty.department_id) == _DEPARTMENT,
        ),
    )
    .order_by(col(Person.id))
)


async def _team(tx: AsyncSession, department_id: int) -> list[int]:
    """The members without the leads, by id."""
    return [member for (member,) in await columns(tx, _TEAM, {"department": department_id})]


async def resolve(
    tx: AsyncSession,
    instrument: Instrument,
    department: Department,
    second: Answer,
    now: datetime,
    blind: bool = True,
) -> list[Message]:
    """Compare a second view with the lead's answer. Returns what whoever gave it is told after the reply.

    The same level corroborates it. One level apart: the lower stands, and the lead sees both anchors. Two
    or more: both are asked for a recent case; `settle_contested` ends it after seven days. Whoever may have
    seen the first answer (not `blind`) corroborates nothing; what such a person has to show counts.
    """
    first = await lead_view(tx, second)
    if first is None or first.level is None or second.level is None:
        return []
    settled = settle(first.level, second.level, now, now)
    if settled.ask_for_cases:
        first.agreement = settled.agreement
        about = _apart(instrument, department, second.criterion)
        await _ask_for_a_case(tx, about, first, f"apart:{second.id}:{first.picked_by}", now)
        # A co-lead reads it in the reply itself.
        return [about.model_copy(update={"choices": await _answer_again(tx, second)})] if blind else []
    agreed = _agreed(instrument, first, settled, now) if blind else _shared(instrument, first, second, now)
    tx.add(agreed)
    if settled.show_anchors:
        await _tell_lead(tx, instrument, department, first, second, now)
    return []


def _agreed(instrument: Instrument, first: Answer, settled: Settlement, now: datetime) -> Answer:
    """The answer that now stands; an artefact that a second person saw unasked is corroborated."""
    evidence = EvidenceClass(corroborated(first.evidence.value))
    return with_level(instrument, first, settled.level, settled.agreement, now, evidence)


def _shared(instrument: Instrument, first: Answer, second: Answer, now: datetime) -> Answer:
    """The answer that two leads gave: the lower level, with the better of what they have to show."""
    settled = settle(first.level or 0, second.level or 0, now, now)
    evidence = max(first.evidence, second.evidence, key=lambda each: each.value)
    return with_level(instrument, first, settled.level, settled.agreement, now, evidence)


async def _tell_lead(
    tx: AsyncSession,
    instrument: Instrument,
    department: Department,
    first: Answer,
    second: Answer,
    now: datetime,
) -> None:
    criterion = instrument.criterion(first.criterion)
    text = (
        f"A colleague in {plain(department.name)} sees **{criterion.name}** a little differently. You "
        "picked:\n\n"
        f"> {criterion.levels[first.level or 0]}\n\n"
        "They picked:\n\n"
        f"> {criterion.levels[second.level or 0]}\n\n"
        "I go with the lower one for now. If you talk it over and see it differently, just tell me at "
        "the next look."
    )
    if first.picked_by is not None:
        message = Message(kind="nudge", text=text)
        await write_to_person(tx, first.picked_by, [message], key=f"second:{second.id}", now=now)


def _apart(instrument: Instrument, department: Department, criterion: str) -> Message:
    name = instrument.criterion(criterion).name
    return Message(
        kind="nudge",
        text=f"Two people in {plain(department.name)}, you and one more, see **{lower(name)}** quite "
        "differently. That is worth knowing. Could you think of one recent case, and talk about it in "
        "the team? If nothing changes within a week, I go with the lower view.",
    )


async def _ask_for_a_case(tx: AsyncSession, about: Message, first: Answer, key: str, now: datetime) -> None:
    if first.picked_by is not None:
        message = about.model_copy(update={"choices": await _answer_again(tx, first)})
        await write_to_person(tx, first.picked_by, [message], key=key, now=now)


async def _answer_again(tx: AsyncSession, answer: Answer) -> tuple[Choice, ...]:
    """The button that opens this question once more, where it was asked in a sitting of that person."""
    sitting = None if answer.session_id is None else await tx.get(DialogueSession, answer.session_id)
    if sitting is None or sitting.kind is SessionKind.COACHING or sitting.person_id != answer.picked_by:
        return ()
    again = ChoiceId("audit", sitting.id or 0, 0, f"{answer.criterion}.look")
    return (Choice(id=str(again), label="Answer it again"),)


async def settle_contested(tx: AsyncSession, instrument: Instrument, now: datetime) -> int:
    """Where two views were two or more apart seven days ago: the lower level stands if they still are, and
    whoever runs the programme is told. Returns how many ended so.

    A lead who spoke again within the week is compared as of then; what the lead says later is a new answer.
    """
    rows = await tx.exec(
        select(Answer).where(
            col(Answer.second).is_(True),
            Answer.answered_at <= now - TIME_TO_SETTLE,
            Answer.answered_at > now - 3 * TIME_TO_SETTLE,
            Answer.claim == Claim.LEVEL,
        )
    )
    count = 0
    for second in rows:
        latest = await _open_after_a_week(tx, second, now)
        if latest is None:
            continue
        settled = settle(latest.level or 0, second.level or 0, second.answered_at, now)
        if settled.level < (latest.level or 0) or settled.agreement != latest.agreement:
            tx.add(_agreed(instrument, latest, settled, now))
            count += 1
        if settled.contested:
            await _tell_owners(tx, instrument, second, now)
    return count


async def _open_after_a_week(tx: AsyncSession, second: Answer, now: datetime) -> Answer | None:
    """The lead's answer that this view is still to be compared with; None where nothing is open."""
    first, latest = await lead_view(tx, second), await lead_view(tx, second, now)
    if first is None or latest is None or latest.level is None or second.level is None:
        return None
    if first.agreement != "two_or_more_apart_unresolved":
        return None
    if latest.id == first.id:
        return latest
    in_time = latest.answered_at <= second.answered_at + TIME_TO_SETTLE
    return latest if in_time and latest.agreement == "single_rater" else None


async def _tell_owners(tx: AsyncSession, instrument: Instrument, second: Answer, now: datetime) -> None:
    department = await tx.get_one(Department, second.department_id)
    name = instrument.criterion(second.criterion).name
    message = Message(
        kind="nudge",
        text=f"Two people in {plain(department.name)} still see **{lower(name)}** quite differently after a "
        "week. The lower view counts for now. A word with the lead may settle it.",
        choices=(Choice(id=str(ChoiceId("contested", 0, 0, "list")), label="Show both views"),),
    )
    for owner in await holders(tx, DutyName.PROGRAMME_OWNER):
        key = f"contested:{second.id}:{owner.id}"
        await write_to_person(tx, owner.id or 0, [message], key=key, now=now)
