"""Every kind of scheduled message, in one table. A new kind is one entry here.

| column | meaning |
|---|---|
| who | the recipient, in words |
| when | which moment of a recipient's week it waits for |
| counts | to the cap of two a week; digests, and answers to the person's own question, do not |
| needs_yes | held back until the person agreed to be written to unasked; not what policies need of owners |
| missed | what happens to one that an outage kept from its moment |
| repeats | when it may come again |
| prefers_repeat | if a send may or may not have arrived: repeat it, or rather stay silent |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from scheduler import audit_wishes, digest_wishes, follow_up_wishes
from scheduler.wishes import Look, Wish

MAX_PER_WEEK = 2
"""Counting messages to one person in a local ISO week (instrument, nudges.defaults)."""

REMINDER_AFTER_WORKING_DAYS = 2
"""Working days from a request to its one reminder (instrument, nudges.defaults)."""


class When(StrEnum):
    """The moment that a kind waits for."""

    SLOT = "the weekly slot"
    WORKDAY = "the slot's time on the next working day"
    AT_ONCE = "the moment at which it is known, also in quiet hours: it was asked for"
    DIGEST = "the digest's day and time of that week, or the next working day"


class Missed(StrEnum):
    """How a message catches up that an outage kept from its moment."""

    NEXT_SLOT = "it waits for the next slot"
    NEXT_OPEN = "it comes at the slot's time, or at once where that is past today"
    SAME_WEEK = "it comes in the same week, or not at all: the next one tells more"
    AT_ONCE = "it leaves as soon as its platform is back"


Finder = Callable[[AsyncSession, Look], Awaitable[list[Wish]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    name: str
    who: str
    when: When
    missed: Missed
    repeats: str
    find: Finder | None
    """Reads what could be sent; None where another row's finder brings it along, or it is written at once."""
    counts: bool = True
    needs_yes: bool = True
    prefers_repeat: bool = False
    reminds: bool = False
    after_working_days: int = 0


QUESTION_ANSWERED = "question_answered"
"""Never planned: written together with the reply itself (bot.store.outbox.write_to_person, `at_once`)."""

_SLOT = (When.SLOT, Missed.NEXT_SLOT)
_WORKDAY = (When.WORKDAY, Missed.NEXT_OPEN)
_DIGEST = (When.DIGEST, Missed.SAME_WEEK)

KINDS: tuple[Kind, ...] = (
    Kind(
        "audit_invitation", "the lead of a department that is not fully audited", *_SLOT,
        "every four weeks until it is answered; after two silent cycles one question, then no more",
        audit_wishes.audits, reminds=True,
    ),
    Kind(
        "re_audit", "the lead, 90 days after the last audit, or 30 with an open next step", *_SLOT,
        "as the audit invitation", None, reminds=True,
    ),
    Kind(
        "cycle_question", "a lead after two silent cycles: change the day, hand over or pause?", *_SLOT,
        "never for the same silence", None,
    ),
    Kind(
        "coverage_update", "the lead of a department with described tasks", *_SLOT,
        "once a month", follow_up_wishes.coverage_updates, reminds=True,
    ),
    Kind(
        "reminder", "who was asked and has not answered", *_WORKDAY,
        "never: one reminder, then silence until the next cycle", follow_up_wishes.reminders,
        after_working_days=REMINDER_AFTER_WORKING_DAYS,
    ),
    Kind(
        "plan_follow_up", "who took on a next step, on its day", *_WORKDAY,
        "when the step gets a new day", follow_up_wishes.plan_follow_ups, reminds=True,
    ),
    Kind(
        "second_view", "a team member who answers one question without seeing the lead's answer", *_WORKDAY,
        "never for the same question", follow_up_wishes.second_views,
    ),
    Kind(
        "blocker_ageing", "the owner of a blocker that is two weeks old, else the lead", *_WORKDAY,
        "every four weeks while it stands", follow_up_wishes.old_blockers,
    ),
    Kind(
        "policy_review", "the owner of a policy, two weeks before its review date", *_WORKDAY,
        "when the review date moves", follow_up_wishes.policy_reviews, needs_yes=False,
    ),
    Kind(
        "open_question", "the policy owner for whom a question has waited three days", *_WORKDAY,
        "never for the same question", follow_up_wishes.open_questions, needs_yes=False,
    ),
    Kind(
        "open_approval", "who is to say whether something does not apply, after a week", *_WORKDAY,
        "never for the same answer", follow_up_wishes.open_approvals, needs_yes=False,
    ),
    Kind(
        QUESTION_ANSWERED, "who asked a question that the policies left open, once its owner has replied",
        When.AT_ONCE, Missed.AT_ONCE, "never: once for each question, with the reply", None,
        counts=False, needs_yes=False, prefers_repeat=True,
    ),
    Kind(
        "department_digest", "the channel of a department", *_DIGEST,
        "every week", digest_wishes.department_digests, counts=False, needs_yes=False,
    ),
    Kind(
        "executive_digest", "everybody with the duty of an executive", *_DIGEST,
        "every week", digest_wishes.executive_digests, counts=False, needs_yes=False,
    ),
)  # fmt: skip

BY_NAME = {kind.name: kind for kind in KINDS}

DIGESTS = ("department_digest", "executive_digest")


async def find_all(session: AsyncSession, look: Look, kinds: tuple[Kind, ...] = KINDS) -> list[Wish]:
    """Everything that could be sent within `look`, in the order of the table."""
    return [wish for kind in kinds if kind.find is not None for wish in await kind.find(session, look)]
