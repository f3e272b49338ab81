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

from bot.access import Action, actor, can
from bot.audit.company import CompanyView, DepartmentScores, company_view
from bot.audit.instrument import Instrument
from bot.audit.phrases import joined
from bot.audit.process_records import stored_processes
from bot.audit.processes import Readiness, path_words, what_it_lacks
from bot.audit.records import latest_answers, placement_of
from bot.audit.result import STATES
from bot.messages import Message, Table, plain
from bot.organisation.directory import active_departments
from bot.store.tables import Company, Department, Role
from bot.turns import Turn

PREFIX = "company"
MOST_ACTIONS = 5
MOST_PROCESSES = 5

_ASKED = re.compile(
    r"(where|how) (does|do|is) (the|our|my) (whole )?company (stand|doing)"
    r"|(show me )?the (company('s)? )?map|company (map|view|scan)"
    r"|what (should|do|can) we (do|deploy) next|where are (the|our) gaps"
    r"|(show me |show |list |what are |which are )?(the |our )?processes( across (the )?departments)?"
    r"|which (processes|departments) (do|does) (our |the )?(agents|processes) cross"
)


@dataclass(frozen=True)
class Prepared:
    """Nothing is found out beforehand: what is stored is read in the transaction."""


class CompanyUseCase:
    """A use case (see bot.turns.UseCase)."""

    prefix = PREFIX

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words that ask for the whole company, from somebody who may see it. Never in a channel."""
        words = " ".join((turn.text or "").lower().replace("’", "'").split()).strip(" .?!")
        if turn.public or not _ASKED.fullmatch(words):
            return False
        return can(await actor(tx, turn.person_id), Action.SEE_COMPANY)

    async def prepare(self, turn: Turn) -> Prepared:
        """Nothing takes time here."""
        return Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """The map and the next actions, as of now."""
        company = await tx.get(Company, 1)
        departments = await active_departments(tx)
        people = await _headcounts(tx)
        known = [
            DepartmentScores(
                department.slug,
                department.name,
                await placement_of(tx, self._instrument, department.id or 0, turn.at),
            )
            for department in departments
            if people.get(department.id or 0, 0) >= self._instrument.privacy.min_group
            and await self._asked(tx, department, turn.at)
        ]
        view = company_view(self._instrument, known, await stored_processes(tx))
        name = company.name if company else "the company"
        return [
            Message(
                kind="result",
                text=self._text(name, departments, known, view),
                table=self._table(departments, view),
            )
        ]

    async def _asked(self, tx: AsyncSession, department: Department, now: datetime) -> bool:
        return bool(await latest_answers(tx, self._instrument, department.id or 0, now))

    def _text(
        self, name: str, departments: list[Department], known: list[DepartmentScores], view: CompanyView
    ) -> str:
        lines = [
            f"**Where {plain(name)} stands**",
            f"{len(known)} of {len(departments)} departments answered.",
        ]
        steps = [
            f"{number}. {plain(action.why.rstrip('.'))}."
            for number, action in enumerate(view.actions[:MOST_ACTIONS], start=1)
        ]
        if steps:
            lines.append("What to do next, in this order:\n\n" + "\n".join(steps))
        if view.processes:
            across = [f"- {_in_a_line(each)}" for each in view.processes[:MOST_PROCESSES]]
            lines.append("Processes across departments:\n\n" + "\n".join(across))
        if any(each.scores.open_blockers for each in known):
            lines.append(_ABOUT_BLOCKERS)
        return "\n\n".join(lines)

    def _table(self, departments: list[Department], view: CompanyView) -> Table:
        rows = []
        for department in departments:
            states = view.map.get(department.slug)
            cells = (
                tuple(STATES[states[model.id]] for model in self._instrument.models)
                if states
                else ("–",) * len(self._instrument.models)
            )
            rows.append((department.name, *cells))
        return Table(
            caption="Where each department stands in the five models",
            columns=("Department", *(model.name for model in self._instrument.models)),
            rows=tuple(rows),
        )


_ABOUT_BLOCKERS = 'Say "blockers of all departments" to see what is in the way, and with whom it lies.'
_AT_WORK = {"planned": "planned", "trial": "agents on trial", "live": "agents at work"}


def _in_a_line(each: Readiness) -> str:
    """Its way, its owner, how far agents are, and what it lacks."""
    process = each.process
    state = _AT_WORK[process.state] if process.agents else "no agents yet"
    owner = f"{process.owner} answers for it" if process.owner else "nobody answers for it yet"
    lacks = f"Missing: {joined(what_it_lacks(each))}." if each.missing else "Everything is there."
    return (
        f"**{plain(process.name)}** ({plain(path_words(process))}): {state}; {plain(owner)}. {plain(lacks)}"
    )


async def _headcounts(tx: AsyncSession) -> dict[int, int]:
    query = (
        select(Role.department_id, func.sum(Role.headcount))
        .where(col(Role.archived_at).is_(None))
        .group_by(col(Role.department_id))
    )
    return {department: int(count) for department, count in await tx.exec(query)}
