"""What is in the way in all departments: for whoever runs the programme or the company.

Each obstacle with its department, with whom it lies and for how long; what is critical and has waited too
long stands first. What a lead wrote in own words is shown to those who may read raw answers.
"""

from __future__ import annotations

import re

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, actor, can
from bot.audit.instrument import Instrument
from bot.coaching.stored import blocker_words, since_when
from bot.messages import Message, plain
from bot.store.tables import Blocker, Department
from bot.turns import Turn

PREFIX = "blockers"
MOST = 12

_ASKED = re.compile(
    r"(?:show |list )?(?:me )?(?:the |all )?(?P<shared>(?:shared|common) )?"
    r"(?:open |critical )?(?:blockers|obstacles)"
    r"(?P<all> (?:in|of|across|for) (?:the (?:whole )?company|(?:all )?(?:the )?departments))?"
    r"|what(?:'s| is) in the way(?P<whole> (?:in|of|across) (?:the company|all departments))?"
)


class AllBlockersUseCase:
    """A use case (see bot.turns.UseCase)."""

    prefix = PREFIX

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words that ask for what is in the way; a lead who says no more than that means the own team."""
        words = " ".join((turn.text or "").lower().replace("’", "'").split()).strip(" .?!")
        asked = _ASKED.fullmatch(words)
        if turn.public or asked is None:
            return False
        who = await actor(tx, turn.person_id)
        return can(who, Action.SEE_COMPANY) and (not who.leads or any(asked.groups()))

    async def prepare(self, turn: Turn) -> None:
        """Nothing takes time here."""

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        """The open obstacles, those that waited too long first, then the oldest."""
        who = await actor(tx, turn.person_id)
        if not can(who, Action.SEE_COMPANY):
            return []
        found = (await tx.exec(_OPEN)).all()
        if not found:
            return [Message(text="Nothing is noted as being in the way of any department.")]
        lines = [self._line(who, row, name, turn) for row, name in found[:MOST]]
        more = f"\n\n_And {len(found) - MOST} more._" if len(found) > MOST else ""
        return [Message(kind="result", text="**In the way**\n\n" + "\n".join(lines) + more)]

    def _line(self, who: Actor, row: Blocker, name: str, turn: Turn) -> str:
        known = {kind.id for model in self._instrument.models for kind in model.blockers}
        own_words = row.code not in known and not can(who, Action.READ_RAW_ANSWERS)
        what = "something of its own" if own_words else blocker_words(self._instrument, row)
        waited = " **It is critical and has waited too long.**" if row.escalated_at else ""
        return f"- **{plain(name)}**: {what}, {since_when(turn.at, row.raised_at)}.{waited}"


_OPEN = (
    select(Blocker, Department.name)
    .join(Department, col(Department.id) == col(Blocker.department_id))
    .where(col(Blocker.resolved_at).is_(None), col(Department.archived_at).is_(None))
    .order_by(col(Blocker.escalated_at).is_(None), col(Blocker.raised_at), col(Blocker.id))
    .limit(200)
)
