"""Answers that end early, because the world they described has changed (instrument.yaml, freshness).

What ended keeps its level on screen and counts as unknown until it is asked anew. An end is never undone and
never reaches back: before `expired_at` the answer counts as it did.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import Answer, DialogueSession, SessionKind, SessionStatus

LEAD_CHANGED = "lead changed"
REORGANISATION = "reorganisation"
TOOL_WITHDRAWN = "tool withdrawn"
INCIDENT = "incident linked to the criterion"
EVENTS = (LEAD_CHANGED, REORGANISATION, TOOL_WITHDRAWN, INCIDENT)
"""The events of the instrument, `freshness.early_expiry_events`."""

REASONS = {
    LEAD_CHANGED: "the department has a new lead",
    REORGANISATION: "the department was reorganised",
    TOOL_WITHDRAWN: "a tool was withdrawn",
    INCIDENT: "something went wrong there",
}
"""Why an answer is asked again, after "because"."""

SHARE_MOVED = 1 / 3
"""A department is a different one when a third of its places came, went or changed their role."""
_LONGEST_LIFE = timedelta(days=225)
"""180 days and 45 more: what is older is stale already."""


async def standing(tx: AsyncSession, department_id: int, now: datetime) -> list[Answer]:
    """The latest answer to each criterion that may still count, second raters' answers left out."""
    rows = await tx.exec(
        select(Answer)
        .where(
            Answer.department_id == department_id,
            Answer.answered_at <= now,
            Answer.answered_at > now - _LONGEST_LIFE,
            col(Answer.second).is_(False),
        )
        .order_by(col(Answer.answered_at), col(Answer.id))
    )
    latest = {row.criterion: row for row in rows}
    return [row for row in latest.values() if row.expired_by is None]


def expire(rows: Iterable[Answer], event: str, now: datetime, note: str = "") -> tuple[str, ...]:
    """End these answers now. Returns their criteria; an answer that ended before keeps its first reason."""
    ended = []
    for row in rows:
        if row.expired_by is None:
            row.expired_by, row.expired_at, row.expired_note = event, now, note
            ended.append(row.criterion)
    return tuple(sorted(ended))


class Ended(Protocol):
    """What a stored answer tells of an early end."""

    expired_by: str | None
    expired_note: str


def why_ended(row: Ended) -> str:
    """Why an answer ended early, after "because"; empty where it did not."""
    if row.expired_by is None:
        return ""
    return row.expired_note or REASONS.get(row.expired_by, row.expired_by)


async def lead_left(
    tx: AsyncSession, department_id: int, gone: Collection[int], anybody_stays: bool, now: datetime
) -> tuple[str, ...]:
    """Leads have left a department: their answers end, and all of them where no earlier lead stays.

    A sitting that one of them has open is closed; what was answered in it stays as an answer.
    """
    await _close_sittings(tx, department_id, gone, now)
    rows = await standing(tx, department_id, now)
    return expire((row for row in rows if not anybody_stays or row.picked_by in gone), LEAD_CHANGED, now)


async def _close_sittings(
    tx: AsyncSession, department_id: int, people: Collection[int], now: datetime
) -> None:
    live = await tx.exec(
        select(DialogueSession).where(
            DialogueSession.department_id == department_id,
            col(DialogueSession.person_id).in_(people),
            col(DialogueSession.kind).in_((SessionKind.FIRST_AUDIT, SessionKind.RE_AUDIT)),
            col(DialogueSession.status).in_((SessionStatus.OPEN, SessionStatus.PAUSED)),
        )
    )
    for row in live:
        away = {"phase": "away", "interlude": "", "turn": row.state.get("turn", 0) + 1}
        row.state, row.status, row.finished_at = {**row.state, **away}, SessionStatus.CLOSED, now


def is_reorganised(before: Mapping[str, tuple[str, int]], after: Mapping[str, tuple[str, int]]) -> bool:
    """Whether so many places came, went or changed their role that the old answers describe another
    department.

    Both map a role's id to its name and headcount. A role that only got a new id is the same role.
    """
    people = sum(count for _, count in before.values())
    if not people:
        return False
    old, new = _by_role(before, after), _by_role(after, before)
    moved = sum(abs(old.get(role, 0) - new.get(role, 0)) for role in old.keys() | new.keys())
    return moved / people >= SHARE_MOVED


def _by_role(roles: Mapping[str, tuple[str, int]], others: Mapping[str, tuple[str, int]]) -> dict[str, int]:
    """Headcounts by id where both know it, else by name."""
    counts: dict[str, int] = {}
    for slug, (name, count) in roles.items():
        key = slug if slug in others else f"name {name.casefold()}"
        counts[key] = counts.get(key, 0) + count
    return counts


def names_tool(row: Answer, tool: str) -> bool:
    """Whether an answer was given about this tool."""
    said = f"{row.words}\n{row.probe_words}\n{row.evidence_text}"
    return re.search(rf"(?<!\w){re.escape(tool)}(?!\w)", said, re.IGNORECASE) is not None
