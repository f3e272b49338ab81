"""Whoever leads several departments: which one is meant by "audit Finance"."""

from __future__ import annotations

import re

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.commands import bare
from bot.organisation.directory import led_departments
from bot.store.tables import Department

_OPENS = re.compile(
    r"(?:start|begin|resume|continue|open|audit|switch to|go (?:on )?(?:with|to)|do)(?: (?:the|an|my))?"
    r"(?: (?:audit|check-? ?in|sitting|questions))?(?: (?:of|for|with|on|about))?(?: the)?"
    r" (?P<name>.{2,60}?)(?: (?:audit|department|team|questions|please))*"
)


async def department_to_open(tx: AsyncSession, person_id: int, text: str | None) -> Department | None:
    """The department led by this person that the whole of `text` asks to go on with, if any."""
    found = _OPENS.fullmatch(bare(text or ""))
    if found is None:
        return None
    led = await led_departments(tx, person_id)
    return next((each for each in led if found["name"] in (bare(each.name), each.slug)), None)
