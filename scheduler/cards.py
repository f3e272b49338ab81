"""What each kind of nudge says. One function a kind; None means that it is no longer needed.

Each reads the present state at the moment of sending. Nothing here ranks, counts streaks or scolds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.approvals import approval_question, waits
from bot.audit.instrument import Instrument
from bot.audit.records import latest_answers, placement_of
from bot.audit.sessions import start_choice
from bot.choice_ids import ChoiceId
from bot.coverage.sessions import start_choice as start_coverage
from bot.messages import Choice, plain
from bot.store.tables import (
    Answer,
    Blocker,
    Company,
    CoverageAnswer,
    Department,
    DialogueSession,
    Document,
    Duty,
    DutyName,
    Gap,
    GapStatus,
    Person,
    Plan,
    PlanStatus,
    ScheduledMessage,
    SessionStatus,
)


@dataclass(frozen=True)
class Card:
    """One thing in a nudge: what it is about, and the button that does it now."""

    text: str
    do: tuple[Choice, ...] = ()
    again: bool = False
    """It was asked before, and this is the one reminder."""


@dataclass(frozen=True)
class Desk:
    """What a card is written from."""

    session: AsyncSession
    instrument: Instrument
    person: Person
    now: datetime


WriteCard = Callable[[Desk, ScheduledMessage], Awaitable[Card | None]]


def nudge_choice(scheduled_id: int, what: str, label: str) -> Choice:
    """A button of the nudge that is planned as `scheduled_id`."""
    return Choice(id=str(ChoiceId("nudge", scheduled_id, 0, what)), label=label)


def spoken(day: date) -> str:
    """A day as people say it: 18 November."""
    return f"{day.day} {day:%B}"


async def audit_invitation(desk: Desk, row: ScheduledMessage) -> Card | None:
    """The first audit: what this is and who sees what, or where it was left."""
    department = await desk.session.get(Department, row.department_id)
    if department is None or department.archived_at is not None:
        return None
    answers = await latest_answers(desk.session, desk.instrument, department.id or 0, desk.now)
    name = plain(department.name)
    start = (start_choice(department.id or 0, "Start, about 3 minutes"),)
    if answers:
        kept = "one answer is" if len(answers) == 1 else f"{len(answers)} answers are"
        return Card(
            f"The first look at {name} has begun: {kept} kept. Shall we go on from there? At most four "
            "questions, about 3 minutes.",
            (start_choice(department.id or 0, "Go on"),),
        )
    owners = await _programme_owners(desk.session)
    return Card(
        f"I'd like to understand how {name} works with AI today: four questions about real cases, in your "
        f"own words, about 3 minutes. You and {owners} see what you write; your team and the executives see "
        "where it stands. It is never used to judge anyone's performance.",
        start,
    )


async def re_audit(desk: Desk, row: ScheduledMessage) -> Card | None:
    """Time for a fresh look; begins with what became of the last answers."""
    department = await desk.session.get(Department, row.department_id)
    if department is None or department.archived_at is not None:
        return None
    last = await last_time(desk, department)
    return Card(
        f"{last} What is different in {plain(department.name)} since then? Four questions at most, about 2 "
        "minutes.",
        (start_choice(department.id or 0, "Have a look"),),
    )


async def last_time(desk: Desk, department: Department) -> str:
    """What became of the last answers, in a sentence or two."""
    answers = await latest_answers(desk.session, desk.instrument, department.id or 0, desk.now)
    when = max((answer.answered_at for answer in answers.values()), default=None)
    if when is None:
        return ""
    scores = await placement_of(desk.session, desk.instrument, department.id or 0, desk.now)
    working = scores.placement.working_model
    standing = (
        f"put {plain(department.name)} at work on **{desk.instrument.model(working).name}**"
        if working
        else f"showed all five fields of {plain(department.name)} in place"
    )
    done = await desk.session.exec(
        select(Plan.id).where(
            Plan.department_id == department.id, Plan.status == PlanStatus.DONE, col(Plan.closed_at) >= when
        )
    )
    steps = len(done.all())
    since = f" {_times(steps, 'next step has', 'next steps have')} been done since." if steps else ""
    return f"Your answers of {spoken(when.date())} {standing}.{since}"


async def cycle_question(desk: Desk, row: ScheduledMessage) -> Card | None:
    """After two silent cycles: what would suit better?"""
    department = await desk.session.get(Department, row.department_id)
    if department is None or row.id is None:
        return None
    return Card(
        f"I asked about {plain(department.name)} twice, and it may just have been a bad moment. What would "
        "suit you better? This is the last time that I bring it up by myself.",
        (
            start_choice(department.id or 0, "Do it now"),
            nudge_choice(row.id, "day", "Another day"),
        ),
    )


async def second_view(desk: Desk, row: ScheduledMessage) -> Card | None:
    """A blind question for somebody of the team."""
    sitting = await desk.session.get(DialogueSession, row.detail.get("sitting"))
    if sitting is None or sitting.status not in (SessionStatus.OPEN, SessionStatus.PAUSED):
        return None
    department = await desk.session.get_one(Department, sitting.department_id)
    start = ChoiceId("audit", sitting.id or 0, 0, "-.show")
    return Card(
        f"May I ask you one thing about how {plain(department.name)} works with AI? You know it from the "
        "inside, and a second view makes the picture fairer. About a minute; it is never about a person's "
        "performance.",
        (Choice(id=str(start), label="Have a look", style="primary"),),
    )


async def coverage_update(desk: Desk, row: ScheduledMessage) -> Card | None:
    """One card: same, more, less, different."""
    department = await desk.session.get(Department, row.department_id)
    if department is None:
        return None
    found = await desk.session.exec(
        select(CoverageAnswer.answered_at)
        .where(CoverageAnswer.department_id == department.id)
        .order_by(col(CoverageAnswer.answered_at).desc())
        .limit(1)
    )
    last = found.first()
    if last is not None and last > row.planned_at:
        return None
    since = f"since {spoken(last.date())}" if last else "so far"
    return Card(
        f"The everyday tasks of {plain(department.name)}: does AI do the same, more or less of them {since}? "
        "Taps only, about a minute.",
        (start_coverage(department.id or 0, "Go through the tasks"),),
    )


async def plan_follow_up(desk: Desk, row: ScheduledMessage) -> Card | None:
    """The day of a next step has come."""
    plan = await desk.session.get(Plan, row.detail.get("plan"))
    if plan is None or plan.status != PlanStatus.OPEN or plan.due_on is None or plan.followed_up_at:
        return None
    moment = plan.after_what.strip().removeprefix("after ").rstrip(".")
    after = f", after {plain(moment)}" if moment else ""
    choices = tuple(
        Choice(id=str(ChoiceId("coaching", plan.id or 0, 0, what)), label=label)
        for what, label in (("done", "Done"), ("not_yet", "Not yet"), ("dropped", "Dropped"))
    )
    return Card(
        f"For {spoken(plan.due_on)}{after} you planned: **{plain(plan.text)}** How did it go?", choices
    )


async def blocker_ageing(desk: Desk, row: ScheduledMessage) -> Card | None:
    """Something has been in the way for two weeks or more."""
    blocker = await desk.session.get(Blocker, row.detail.get("blocker"))
    if blocker is None or blocker.resolved_at is not None:
        return None
    department = await desk.session.get_one(Department, blocker.department_id)
    days = (desk.now - blocker.raised_at).days
    label = desk.instrument.blocker(blocker.code).label
    resolved = ChoiceId("coaching", blocker.id or 0, 0, "resolved")
    return Card(
        f"In the way of {plain(department.name)} for {days} days: **{plain(label.rstrip('.'))}**. Can it "
        "move, or does it need somebody else?",
        (Choice(id=str(resolved), label="It is solved"),),
    )


async def policy_review(desk: Desk, row: ScheduledMessage) -> Card | None:
    """A policy's review date is near, or past."""
    document = await desk.session.get(Document, row.detail.get("document"))
    if document is None or document.removed_at is not None or document.review_by is None or row.id is None:
        return None
    if document.review_by.isoformat() != row.period.rpartition(":")[2]:
        return None
    late = document.review_by < desk.now.date()
    when = f"was due on {spoken(document.review_by)}" if late else f"is due by {spoken(document.review_by)}"
    if document.kind == "entry":
        return Card(
            f"A review of your answer to **{plain(document.title)}** {when}. If it still holds, one tap "
            "keeps it for another year; else it ends.",
            (
                nudge_choice(row.id, "holds", "It still holds"),
                nudge_choice(row.id, "ended", "It no longer holds"),
            ),
        )
    return Card(
        f"A review of **{plain(document.title)}** {when}. If it still holds, one tap keeps it for another "
        "year; else send me the new version.",
        (nudge_choice(row.id, "holds", "It still holds"),),
    )


async def open_question(desk: Desk, row: ScheduledMessage) -> Card | None:
    """A question still waits for the owner."""
    gap = await desk.session.get(Gap, row.detail.get("gap"))
    if gap is None or gap.status != GapStatus.SENT:
        return None
    days = (desk.now - (gap.sent_at or gap.opened_at)).days
    answer = ChoiceId("kb", gap.id or 0, 0, "gap-answer")
    return Card(
        f"A question has been waiting for you for {days} days:\n\n> {plain(gap.text)}\n\nA sentence or two "
        "is enough.",
        (Choice(id=str(answer), label="Answer", style="primary"),),
    )


async def open_approval(desk: Desk, row: ScheduledMessage) -> Card | None:
    """What is said not to apply still waits for a yes or a no."""
    answer = await desk.session.get(Answer, row.detail.get("answer"))
    if answer is None or not await waits(desk.session, desk.instrument, answer, desk.now):
        return None
    department = await desk.session.get_one(Department, answer.department_id)
    asked = approval_question(desk.instrument, answer, department)
    days = (desk.now - answer.answered_at).days
    return Card(
        f"This has waited for your word for {days} days; I bring it up this once. {asked.text}", asked.choices
    )


async def reminder(desk: Desk, row: ScheduledMessage) -> Card | None:
    """The one reminder: the original card once more."""
    write = CARDS.get(str(row.detail.get("of_kind")))
    found = await desk.session.exec(
        select(ScheduledMessage).where(
            ScheduledMessage.recipient == row.recipient,
            ScheduledMessage.kind == row.detail.get("of_kind"),
            ScheduledMessage.period == row.detail.get("of_period"),
        )
    )
    original = found.first()
    if write is None or original is None or "closed" in original.detail:
        return None
    card = await write(desk, original)
    return card and replace(card, again=True)


async def _programme_owners(session: AsyncSession) -> str:
    names = await session.exec(
        select(Person.name)
        .join(Duty, col(Duty.person_id) == col(Person.id))
        .where(Duty.duty == DutyName.PROGRAMME_OWNER, col(Person.archived_at).is_(None))
        .order_by(Person.name)
    )
    found = [plain(name) for name in names]
    return " and ".join(found) if found else "whoever runs the AI programme"


async def company_name(session: AsyncSession) -> str:
    """The company's name, for sentences."""
    company = await session.get(Company, 1)
    return plain(company.name) if company and company.name else "the company"


def _times(number: int, one: str, many: str) -> str:
    return f"{'One' if number == 1 else number} {one if number == 1 else many}"


CARDS: dict[str, WriteCard] = {
    "audit_invitation": audit_invitation,
    "re_audit": re_audit,
    "cycle_question": cycle_question,
    "second_view": second_view,
    "coverage_update": coverage_update,
    "reminder": reminder,
    "plan_follow_up": plan_follow_up,
    "blocker_ageing": blocker_ageing,
    "policy_review": policy_review,
    "open_question": open_question,
    "open_approval": open_approval,
}
