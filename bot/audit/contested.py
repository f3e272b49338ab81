"""What waits for whoever runs the programme: answers on which two people lie two or more levels apart, both
views side by side with a tap that settles it, and what does not apply, to be confirmed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, actor, can
from bot.audit.agreement import TIME_TO_SETTLE
from bot.audit.approvals import answer_approval, approval_question, may_confirm, open_approvals
from bot.audit.instrument import Instrument
from bot.audit.phrases import day, lower
from bot.audit.views import lead_view, with_level
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.messages import Choice, Message, plain
from bot.store.outbox import write_to_person
from bot.store.tables import Answer, AuditLogEntry, Department, Person
from bot.turns import Turn

PREFIX = "contested"
MOST = 6
UNRESOLVED = "two_or_more_apart_unresolved"
_LIVES = timedelta(days=180)
_ASKED = re.compile(
    r"(?:show |list )?(?:me )?(?:the |all )?(?:open )?contested(?: answers)?"
    r"|(?:what|which answers) (?:is|are) contested"
)
_APPROVALS = re.compile(
    r"(?:show |list )?(?:me )?(?:the |all |my )?(?:open |pending )?approvals"
    r"|what (?:waits|is waiting) for me|what do i have to (?:approve|confirm)"
)

_YES = re.compile(r"(?:yes,? )?leave (?:it|that) out|(?:i )?(?:approve|confirm)(?:d|ed)?(?: it| that)?")
_NO = re.compile(r"(?:no,? )?keep asking|(?:i )?(?:decline|reject)(?:d|ed)?(?: it| that)?")


@dataclass(frozen=True)
class Contest:
    """Two views of one question: the answer that stands now, the lead's own, and the colleague's."""

    department: Department
    stands: Answer
    lead: Answer
    second: Answer


async def contests(tx: AsyncSession, now: datetime) -> list[Contest]:
    """What is contested now, by department and question. Answers past their life are left out."""
    rows = await tx.exec(
        select(Answer, Department)
        .join(Department, col(Department.id) == Answer.department_id)
        .where(
            Answer.agreement == UNRESOLVED,
            col(Answer.second).is_(False),
            Answer.answered_at > now - _LIVES,
            col(Department.archived_at).is_(None),
        )
        .order_by(Department.name, Answer.criterion, col(Answer.answered_at).desc(), col(Answer.id).desc())
    )
    newest = {(row.department_id, row.criterion): (row, each) for row, each in reversed(rows.all())}
    found = [await _contest(tx, row, department, now) for row, department in newest.values()]
    return sorted(filter(None, found), key=lambda each: (each.department.name, each.stands.criterion))


async def _contest(tx: AsyncSession, row: Answer, department: Department, now: datetime) -> Contest | None:
    second = (
        await tx.exec(
            select(Answer)
            .where(
                Answer.department_id == row.department_id,
                Answer.criterion == row.criterion,
                col(Answer.second).is_(True),
                Answer.answered_at <= now,
            )
            .order_by(col(Answer.answered_at).desc(), col(Answer.id).desc())
            .limit(1)
        )
    ).first()
    if second is None:
        return None
    stands = await lead_view(tx, second, now)
    lead = await lead_view(tx, second, second.answered_at + TIME_TO_SETTLE - timedelta(seconds=1))
    if stands is None or lead is None or stands.id != row.id:
        return None
    return Contest(department, stands, lead, second)


class ContestedUseCase:
    """A use case (see bot.turns.UseCase)."""

    prefix = PREFIX

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words that ask for what waits, from whoever may settle it. Never in a channel."""
        words = _words(turn)
        if turn.public or not any(each.fullmatch(words) for each in (_ASKED, _APPROVALS, _YES, _NO)):
            return False
        return can(await actor(tx, turn.person_id), Action.SEE_COMPANY)

    async def prepare(self, turn: Turn) -> None:
        """Nothing takes time here."""

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        """The list, or one that is settled. Nobody settles what they said themselves while others can."""
        words = _words(turn)
        if turn.choice is None and not _ASKED.fullmatch(words):
            waiting = await open_approvals(tx, self._instrument, turn.person_id, turn.at)
            if len(waiting) == 1 and not _APPROVALS.fullmatch(words):
                [(answer, _)] = waiting
                yes, row = _YES.fullmatch(words) is not None, answer.id or 0
                return [await answer_approval(tx, self._instrument, turn.person_id, row, yes, turn.at)]
            return [approval_question(self._instrument, *each) for each in waiting] or [_NO_OPEN]
        contested = await contests(tx, turn.at)
        found = [each for each in contested if await may_confirm(tx, each.lead, turn.person_id)]
        if not found and (contested or not can(await actor(tx, turn.person_id), Action.APPROVE)):
            return [_NOT_YOURS]
        if turn.choice is None:
            return [self._listed(found)]
        choice = parse_choice_id(turn.choice)
        if choice is not None and choice.what == "list":
            return [self._listed(found)]
        wanted = next((each for each in found if choice and each.stands.id == choice.session), None)
        if choice is None or wanted is None:
            return [Message(kind="notice", text="That is settled already, thank you.")]
        return [await self._settled(tx, wanted, choice.what == "lead", turn)]

    def _listed(self, found: list[Contest]) -> Message:
        if not found:
            return Message(text="No answer is contested at the moment.")
        lines = [self._line(number, each) for number, each in enumerate(found[:MOST], start=1)]
        left = len(found) - MOST
        more = f"\n\n_And {left} more, which come up as these are settled._" if left > 0 else ""
        return Message(
            kind="result",
            text="**Seen quite differently**\n\nA word with the lead often settles it; neither view is "
            "wrong, they are seen from two places.\n\n" + "\n\n".join(lines) + more,
            choices=tuple(
                Choice(id=str(ChoiceId(PREFIX, each.stands.id or 0, 0, what)), label=f"{number}: {label}")
                for number, each in enumerate(found[:MOST], start=1)
                for what, label in (("lead", "as the lead says"), ("other", "as the colleague says"))
            ),
        )

    def _line(self, number: int, each: Contest) -> str:
        criterion = self._instrument.criterion(each.stands.criterion)
        until = each.second.answered_at + TIME_TO_SETTLE
        waits = each.stands.id == each.lead.id
        state = (
            f"They have until {day(until)} to talk it over." if waits else "The lower one counts meanwhile."
        )
        return (
            f"**{number}. {plain(each.department.name)}: {lower(criterion.name)}.** {state}\n"
            f"- The lead: {criterion.levels[each.lead.level or 0]}\n"
            f"- A colleague: {criterion.levels[each.second.level or 0]}"
        )

    async def _settled(self, tx: AsyncSession, each: Contest, as_lead: bool, turn: Turn) -> Message:
        level = (each.lead if as_lead else each.second).level or 0
        row = with_level(self._instrument, each.lead, level, "one_level_apart", turn.at)
        row.approver_id = turn.person_id
        tx.add(row)
        tx.add(
            AuditLogEntry(
                at=turn.at,
                actor_id=turn.person_id,
                action="answer.settled",
                resource=f"department:{each.department.id}",
                detail={"criterion": row.criterion, "level": level},
            )
        )
        await self._tell(tx, each, as_lead, turn)
        name = self._instrument.criterion(row.criterion).name
        return Message(
            text=f"Settled: **{lower(name)}** in {plain(each.department.name)} stands as "
            f"{'the lead' if as_lead else 'the colleague'} sees it. Thank you."
        )

    async def _tell(self, tx: AsyncSession, each: Contest, as_lead: bool, turn: Turn) -> None:
        """Both who answered read what became of it."""
        decided = plain((await tx.get_one(Person, turn.person_id)).name)
        criterion = self._instrument.criterion(each.lead.criterion)
        level = (each.lead if as_lead else each.second).level or 0
        for row, chosen in ((each.lead, as_lead), (each.second, not as_lead)):
            if row.picked_by in (None, turn.person_id):
                continue
            text = (
                f"{decided} has looked at both views of **{lower(criterion.name)}** in "
                f"{plain(each.department.name)} and goes with {'yours' if chosen else 'the other one'}:\n\n"
                f"> {criterion.levels[level]}\n\nIf you see it differently, a word with them helps."
            )
            key = f"settled:{each.stands.id}:{row.picked_by}"
            await write_to_person(tx, row.picked_by, [Message(text=text)], key=key, now=turn.at)


def _words(turn: Turn) -> str:
    return " ".join((turn.text or "").lower().split()).strip(" .?!")


_NO_OPEN = Message(text="Nothing waits for your word at the moment.")
_NOT_YOURS = Message(
    kind="notice",
    text="Only whoever runs the AI programme can settle that, and nobody about their own word while there is "
    "somebody else to ask.",
)
