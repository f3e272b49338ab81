"""The company's scan in conversation: where every department stands, and what to do next and why.

For executives and programme owners. Departments stand in the order of their names and are never ranked; one
with fewer people than the privacy limit is named without its states.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, actor, can
from bot.audit.company import CompanyView, DepartmentScores, company_view
from bot.audit.company_questions import Topic, process_asked, topic_of
from bot.audit.company_words import in_a_line, map_table, paragraphs
from bot.audit.instrument import Instrument
from bot.audit.phrases import joined
from bot.audit.process_records import stored_processes
from bot.audit.processes import Process
from bot.audit.records import latest_answers, placement_of
from bot.messages import Message, plain
from bot.organisation.directory import active_departments, holders
from bot.store.tables import Company, Department, DutyName, Role
from bot.turns import Turn

PREFIX = "company"


@dataclass(frozen=True)
class Prepared:
    """Nothing is found out beforehand: what is stored is read in the transaction."""


class CompanyUseCase:
    """A use case (see bot.turns.UseCase)."""

    prefix = PREFIX

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words that ask for the whole company, from somebody who may see it; of all others those that can
        mean nothing else. Never in a channel.
        """
        words = _words(turn)
        if turn.public or (topic_of(words) or process_asked(words)) is None:
            return False
        if not can(await actor(tx, turn.person_id), Action.SEE_COMPANY):
            return topic_of(words) == "stand" and _OF_ALL.search(words) is not None
        return topic_of(words) is not None or await _named(tx, words) is not None

    async def prepare(self, turn: Turn) -> Prepared:
        """Nothing takes time here."""
        return Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """What was asked of the company's view, as of now."""
        who = await actor(tx, turn.person_id)
        if not can(who, Action.SEE_COMPANY):
            return [await _not_shown(tx, who)]
        company = await tx.get(Company, 1)
        departments = await active_departments(tx)
        known = await self._known(tx, departments, turn.at)
        view = company_view(self._instrument, known, await stored_processes(tx))
        topic = topic_of(_words(turn))
        if topic == "rank":
            return [_NO_RANKING]
        if topic is None:
            return [await self._one(tx, turn, view)]
        name = company.name if company else "the company"
        return [self._message(name, departments, known, view, topic)]

    async def _known(
        self, tx: AsyncSession, departments: list[Department], now: datetime
    ) -> list[DepartmentScores]:
        """The departments that answered and have enough people to be shown."""
        people = await _headcounts(tx)
        return [
            DepartmentScores(
                department.slug,
                department.name,
                await placement_of(tx, self._instrument, department.id or 0, now),
            )
            for department in departments
            if people.get(department.id or 0, 0) >= self._instrument.privacy.min_group
            and await latest_answers(tx, self._instrument, department.id or 0, now)
        ]

    def _message(
        self,
        name: str,
        departments: list[Department],
        known: list[DepartmentScores],
        view: CompanyView,
        topic: Topic,
    ) -> Message:
        answered = f"{len(known)} of {len(departments)} departments answered."
        said = paragraphs(self._instrument, view, {each.id: each.name for each in known}, topic)
        lines = said or [_NOTHING[topic]]
        if topic == "stand":
            lines = [f"**Where {plain(name)} stands**", answered, *lines]
        elif topic != "processes":
            lines.append(f"_{answered}_")
        if topic == "stand" and any(each.scores.open_blockers for each in known):
            lines.append(_ABOUT_BLOCKERS)
        names = [(department.slug, department.name) for department in departments]
        table = map_table(self._instrument, names, view) if topic in ("stand", "covered") else None
        return Message(kind="result", text="\n\n".join(lines), table=table)

    async def _one(self, tx: AsyncSession, turn: Turn, view: CompanyView) -> Message:
        wanted = await _named(tx, _words(turn))
        for each in view.processes:
            if wanted is not None and each.process.name == wanted.name:
                return Message(kind="result", text=in_a_line(each))
        return Message(kind="result", text=_NOTHING["processes"])


async def _not_shown(tx: AsyncSession, who: Actor) -> Message:
    """Who sees the company's picture; whoever leads a department is told how to see that one's."""
    runs = joined([plain(each.name) for each in await holders(tx, DutyName.PROGRAMME_OWNER)] or [_SOMEBODY])
    own = " “Where do we stand?” shows your own department." if who.leads else ""
    text = f"The picture of the whole company is shown to the executives and {runs}.{own}"
    return Message(kind="result", text=text)


async def _named(tx: AsyncSession, words: str) -> Process | None:
    """The stored process that the words name, if any."""
    asked = process_asked(words) or ""
    found = await stored_processes(tx)
    return next((each for each in found if each.name.casefold() == asked.casefold()), None)


def _words(turn: Turn) -> str:
    return " ".join((turn.text or "").lower().replace("’", "'").split()).strip(" .?!")


_OF_ALL = re.compile(r"\b(?:company|departments|organi[sz]ation)\b")
_SOMEBODY = "whoever runs the AI programme"
_ABOUT_BLOCKERS = 'Say "blockers of all departments" to see what is in the way, and with whom it lies.'
_NO_RANKING = Message(
    kind="result",
    text="I rank no departments: each starts from another place, and a ranking would make answers nicer "
    "rather than truer. “Where are the gaps?” and “What should we do next?” say where help goes furthest.",
)
_NOTHING: dict[Topic, str] = {
    "rank": "",
    "stand": "There is nothing to show before the first leads have answered.",
    "covered": "There is nothing to show before the first leads have answered.",
    "gaps": "No gap is shared by several departments.",
    "next": "Nothing calls for the company as a whole; each lead has the next step of the own team.",
    "processes": "No process across departments is known yet. Leads name them in the audit, or an "
    "administrator adds them to the organisation file.",
}


async def _headcounts(tx: AsyncSession) -> dict[int, int]:
    query = (
        select(Role.department_id, func.sum(Role.headcount))
        .where(col(Role.archived_at).is_(None))
        .group_by(col(Role.department_id))
    )
    return {department: int(count) for department, count in await tx.exec(query)}
