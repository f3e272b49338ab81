"""Coverage in words: the point, its interval, what it rests on, and what it is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.coverage.formula import Change, Coverage, TaskFact, change_between
from bot.coverage.records import RoleRecord, coverage_at, grade, role_records, task_facts
from bot.coverage.tasks import EXCLUDED_SECOND_LOOK, Grade
from bot.messages import Message, plain
from bot.store.tables import Department

A_QUARTER = timedelta(weeks=12)


_GRADES: dict[Grade, str] = {
    "A": "on figures from the tools",
    "B": "on two answers or more that agree",
    "C": "on answers that are new or have just changed",
}


def percent(share: float | None) -> str:
    """31%."""
    return "–" if share is None else f"{round(100 * share)}%"


def coverage_message(
    instrument: Instrument, name: str, found: Coverage, letter: Grade | None, change: Change, people: float
) -> Message:
    """The figure where it may be shown, else how far it is from that."""
    if people < instrument.privacy.min_group:
        text = (
            f"Thank you, it's kept. {plain(name)} has fewer than {instrument.privacy.min_group} people "
            "in these roles, so I show no figure for it: it would be about persons."
        )
        return Message(kind="result", text=text)
    if not found.published or found.coverage is None:
        text = (
            f"So far {percent(found.known_share)} of the repetitive hours in {plain(name)} are "
            "described. From 60% on I can give one figure for the department; **coverage** describes more."
        )
        return Message(kind="result", text=text)
    return Message(kind="result", text=_figure(name, found, letter) + _change(change) + _excluded(found))


def _figure(name: str, found: Coverage, letter: Grade | None) -> str:
    known, share = letter or "C", percent(found.coverage)
    handled = "none" if share == "0%" else f"about {share}"
    return (
        f"**AI handles {handled} of the repetitive hours in {plain(name)}** at a "
        f"quality that is used{_range(found)}. That rests "
        f"on {percent(found.known_share)} of these hours and {_GRADES[known]} (grade {known}). AI has "
        f"a hand in {percent(found.touched)} in all; what nobody checks, or what runs on a tool that is not "
        "approved, doesn't count."
    )


def _range(found: Coverage) -> str:
    """The likely range; a single figure needs none."""
    low, high = percent(found.low), percent(found.high)
    return "" if low == high else f", likely between {low} and {high}"


def _change(change: Change) -> str:
    if change.change is None:
        return ""
    if not change.changed:
        return " Against twelve weeks ago: no clear change."
    points = round(100 * abs(change.change))
    return f" Against twelve weeks ago: {'up' if change.change > 0 else 'down'} {points} points."


def _excluded(found: Coverage) -> str:
    if (found.excluded_share or 0) <= EXCLUDED_SECOND_LOOK:
        return ""
    return (
        f" You keep {percent(found.excluded_share)} of the hours for people on purpose; above 30% "
        "somebody else takes a second look."
    )


async def department_message(
    tx: AsyncSession, instrument: Instrument, department: Department, now: datetime
) -> Message:
    """Where a department's coverage stands at `now`, as a message for its lead."""
    records = await role_records(tx, instrument, department, now)
    found, facts = await coverage_at(tx, instrument, department, now)
    _, earlier = await coverage_at(tx, instrument, department, now - A_QUARTER)
    people = sum(record.role.headcount for record in records)
    change = change_between(earlier, facts)
    return coverage_message(instrument, department.name, found, grade(records), change, people)


MOST_TASKS = 6


async def explained_message(
    tx: AsyncSession, instrument: Instrument, department: Department, now: datetime, time_saved: bool = False
) -> Message:
    """What a department's coverage rests on: the tasks with the most hours, and what each adds. `time_saved`:
    that was asked for, so that it comes first that nobody knows it.
    """
    records = await role_records(tx, instrument, department, now)
    if sum(record.role.headcount for record in records) < instrument.privacy.min_group:
        return await department_message(tx, instrument, department, now)
    texts = _texts(records)
    facts = [fact for fact in task_facts(instrument, records, now) if not fact.keep_human]
    largest = sorted(facts, key=lambda fact: -fact.total_hours)[:MOST_TASKS]
    lines = [
        f"- {plain(texts[fact.id])}: {round(fact.total_hours)} hours a week, "
        + (_handled(fact) if fact.fresh else "not described yet")
        for fact in largest
    ]
    said = "\n".join(lines) or "- no task yet"
    adds_up = (
        "adds up hours: for each repetitive task the hours of everybody who does it, and of these the share "
        "that AI handles at a quality that is used. What nobody checks counts as nothing. "
        f"The largest tasks of {plain(department.name)}:\n\n{said}"
    )
    text = f"Coverage {adds_up}\n\nIt says nothing about time saved: {_NO_TIME}"
    if time_saved:
        text = f"Time saved is nothing I can tell: {_NO_TIME} What I know is coverage; it {adds_up}"
    return Message(kind="result", text=text)


_NO_TIME = "I don't ask how long something takes with AI, because such guesses are mostly far too good."


def _handled(fact: TaskFact) -> str:
    if fact.safe_use or not fact.share.value:
        return f"{percent(fact.handled)} handled"
    return "0% handled, because nobody checks it or the tool is not approved"


def _texts(records: Sequence[RoleRecord]) -> dict[str, str]:
    """The words of each task, by the id that the formula knows it by."""
    stored = {
        f"{record.role.slug}:{each.task.slug}": each.task.text
        for record in records
        for each in record.described
    }
    usual = {
        f"{record.role.slug}:{each.task.id}": each.task.text for record in records for each in record.usual
    }
    return stored | usual


async def coverage_show(
    tx: AsyncSession, instrument: Instrument, department: Department, now: datetime
) -> dict[str, Any]:
    """Everything about a department's coverage as one document (`coverage show`); shares are fractions."""
    records = await role_records(tx, instrument, department, now)
    found, facts = await coverage_at(tx, instrument, department, now)
    _, earlier = await coverage_at(tx, instrument, department, now - A_QUARTER)
    change = change_between(earlier, facts)
    return {
        "department": department.slug,
        "name": department.name,
        "at": now.isoformat(),
        "coverage": found.coverage,
        "low": found.low,
        "high": found.high,
        "touched": found.touched,
        "known_share": found.known_share,
        "published": found.published,
        "excluded_share": found.excluded_share,
        "change": change.change,
        "noise": change.noise,
        "changed": change.changed,
        "since": (now - A_QUARTER).isoformat(),
        "grade": grade(records),
        "tasks": [_task(instrument, record, now) for record in records],
    }


def _task(instrument: Instrument, record: RoleRecord, now: datetime) -> dict[str, Any]:
    facts = task_facts(instrument, [record], now)
    rebased = {each.task.slug: each.task.rebased_at for each in record.described}
    texts = _texts([record])
    return {
        "role": record.role.slug,
        "headcount": record.role.headcount,
        "tasks": [
            {
                "id": fact.id,
                "text": texts[fact.id],
                "hours": fact.hours,
                "handled": fact.handled if fact.fresh else None,
                "touched": fact.share.value if fact.fresh else None,
                "keep_human": fact.keep_human,
                "fresh": fact.fresh,
                "rebased_at": _iso(rebased.get(fact.id.partition(":")[2])),
            }
            for fact in facts
        ],
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
