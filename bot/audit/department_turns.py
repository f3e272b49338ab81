"""One department, asked after by its name: who may see where it stands is shown it, everybody else hears who
sees what and whom to ask. Nobody learns here who answered and who did not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, actor, can
from bot.audit.company_words import one_department
from bot.audit.department_questions import Kind, department_asked, may_ask
from bot.audit.hearing import is_question
from bot.audit.instrument import Instrument
from bot.audit.phrases import day, joined, quoted
from bot.audit.records import latest_answers, placement_of
from bot.audit.result import placement_message
from bot.audit.scoring import Scores
from bot.messages import Message, plain
from bot.organisation.directory import active_departments, holders
from bot.store.tables import Answer, AuditLogEntry, Claim, Department, DutyName, Person, Role
from bot.turns import Turn

PREFIX = "department"
READ = "answers.read"
"""In the audit log: somebody was shown a department's answers with their words."""
InASitting = Callable[[AsyncSession, Turn], Awaitable[bool]]


class DepartmentUseCase:
    """A use case (see bot.turns.UseCase). `in_a_sitting` says whether an open sitting takes a turn's words:
    there such a question is answered as one in between (bot.coaching.asides), and the sitting goes on.
    """

    prefix = PREFIX

    def __init__(self, instrument: Instrument, in_a_sitting: InASitting | None = None) -> None:
        self._instrument = instrument
        self._in_a_sitting = in_a_sitting

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words that ask after one department, from whomever. Never in a channel."""
        if not await self.asks(tx, turn):
            return False
        if self._in_a_sitting is None or not is_question(turn.text or ""):
            return True
        return not await self._in_a_sitting(tx, turn)

    async def asks(self, tx: AsyncSession, turn: Turn) -> bool:
        """The words name a department and ask what of it is known."""
        text = turn.text or ""
        if turn.public or not may_ask(text):
            return False
        return department_asked(text, await active_departments(tx)) is not None

    async def prepare(self, turn: Turn) -> None:
        """Nothing takes time here."""

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        """What the asker may see of the department that is named."""
        asked = department_asked(turn.text or "", await active_departments(tx))
        if asked is None:
            return []
        kind, wanted = asked
        who = await actor(tx, turn.person_id)
        if kind == "words" and can(who, Action.READ_RAW_ANSWERS, wanted.id):
            return [await self._words_of(tx, wanted, turn)]
        if not can(who, Action.SEE_DEPARTMENT, wanted.id):
            said = [_INSTEAD.get(kind, ""), await _not_shown(tx, who, wanted, kind)]
        elif kind in _INSTEAD:
            said = [_INSTEAD[kind], _SEES.format(plain(wanted.name))]
        else:
            return [await self._standing(tx, who, wanted, kind == "words", turn.at)]
        return [Message(kind="result", text="\n\n".join(filter(None, said)))]

    async def _standing(
        self, tx: AsyncSession, who: Actor, wanted: Department, words: bool, now: datetime
    ) -> Message:
        """Where it stands. Only its leads learn whether it was not asked, did not answer or is too small."""
        scores = await placement_of(tx, self._instrument, wanted.id or 0, now)
        if wanted.id in who.leads:
            said = placement_message(self._instrument, wanted.name, scores, provisional=False)
        else:
            said = Message(kind="result", text=await self._from_outside(tx, who, wanted, scores))
        first = _OWN_WORDS if wanted.id in who.leads else _THEIR_WORDS
        return said.model_copy(update={"text": f"{first}\n\n{said.text}"}) if words else said

    async def _from_outside(self, tx: AsyncSession, who: Actor, wanted: Department, scores: Scores) -> str:
        answered = any(each.claimed is not None for each in scores.criteria.values())
        if not answered or await _headcount(tx, wanted.id) < self._instrument.privacy.min_group:
            return f"There is nothing that I could show of {plain(wanted.name)} alone."
        # The team sees what its lead was told: where it stands as a whole.
        as_a_whole = not can(who, Action.SEE_COMPANY)
        return one_department(self._instrument, wanted.name, scores, as_a_whole)

    async def _words_of(self, tx: AsyncSession, wanted: Department, turn: Turn) -> Message:
        """What its leads wrote, for whoever runs the programme; that it was read is kept."""
        rows = await latest_answers(tx, self._instrument, wanted.id or 0, turn.at)
        lines = [self._line(rows[each.id]) for each in self._instrument.criteria if each.id in rows]
        if not lines:
            return Message(text=f"There is no answer of {plain(wanted.name)} that I could show.")
        tx.add(
            AuditLogEntry(
                at=turn.at,
                actor_id=turn.person_id,
                action=READ,
                resource=f"department:{wanted.id}",
            )
        )
        text = f"**What {plain(wanted.name)} answered last**\n\n" + "\n\n".join(lines)
        return Message(kind="result", text=text)

    def _line(self, row: Answer) -> str:
        name, on = self._instrument.criterion(row.criterion).name, day(row.answered_at)
        counts = "" if row.counted == row.level else f", counts as {row.counted}"
        said = {Claim.UNKNOWN: "to find out", Claim.NOT_APPLICABLE: "does not apply"}.get(
            row.claim, f"level {row.level}{counts}"
        )
        words = row.words or row.reason
        return f"**{name}**, {on}: {said}" + (f"\n\n{quoted(words)}" if words else "")


async def read_by(tx: AsyncSession, department_id: int) -> dict[str, datetime]:
    """Who was shown a department's answers with their words, by name, and when last."""
    rows = await tx.exec(
        select(Person.name, func.max(AuditLogEntry.at))
        .join(Person, col(Person.id) == AuditLogEntry.actor_id)
        .where(AuditLogEntry.action == READ, AuditLogEntry.resource == f"department:{department_id}")
        .group_by(Person.name)
        .order_by(Person.name)
    )
    return dict(rows.all())


async def _not_shown(tx: AsyncSession, who: Actor, wanted: Department, kind: Kind) -> str:
    """Who sees what, and whom to ask: the same, whatever there is to see."""
    name = plain(wanted.name)
    runs = joined([plain(each.name) for each in await holders(tx, DutyName.PROGRAMME_OWNER)] or [_SOMEBODY])
    leads = [plain(each.name) for each in await holders(tx, DutyName.LEAD, wanted.id)]
    first = f"Where {name} stands is shown to its own team, the executives and {runs}."
    if kind == "words":
        first = f"What somebody in {name} wrote is read by whoever wrote it and by {runs}."
    ask = f"{joined(leads)} can tell you more: a word with them is the best way." if leads else ""
    return " ".join(filter(None, (first, ask, _OF_LEADS if who.leads else _OF_OTHERS.get(kind, ""))))


async def _headcount(tx: AsyncSession, department: int | None) -> int:
    query = select(func.sum(Role.headcount)).where(
        Role.department_id == department, col(Role.archived_at).is_(None)
    )
    return int((await tx.exec(query)).one() or 0)


_SOMEBODY = "whoever runs the AI programme"
_INSTEAD: dict[Kind, str] = {
    "whether": "Who has answered and who has not, I tell nobody.",
    "compare": "I rank no departments and set none against another: each starts from another place.",
}
_SEES = "“Where does {} stand?” shows what there is to see of it."
_THEIR_WORDS = "What leads write is for them and for whoever runs the AI programme. What I can show:"
_OWN_WORDS = "“Show our answers” lists what was answered. And this is where it stands:"
_OF_LEADS = "“Our processes” shows the work that passes through both of you, if any is known."
_OF_OTHERS: dict[Kind, str] = dict.fromkeys(
    ("words", "whether"), "If you sent on a question about the policies, its answer comes to you here."
)
