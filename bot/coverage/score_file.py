"""The pure coverage rules on a given document: what `coverage score` reads and prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from bot.audit.instrument import Instrument, load_instrument
from bot.audit.parts import CoverageRules
from bot.coverage.formula import Change, TaskFact, change_between, coverage_of
from bot.coverage.tasks import TaskAnswer, task_fact
from bot.reading import Reading

MOST_HEADS = 10_000_000
HOURS_IN_A_WEEK = 168

_ALWAYS = ("id", "role", "headcount", "hours", "estimated", "keep_human", "fresh")
_ANSWER = ("share", "mode", "accepted", "review", "tool")


def coverage_score(document: object, instrument: Instrument | None = None) -> dict[str, object]:
    """Coverage of `{"tasks": [...], "before": [...]}` as fractions; None where it can't be computed.

    Raises InputError that lists every fault with its place. A task that is not fresh, or kept for people, may
    leave out the five answers, one where AI plays no part (share "none") all but the share: these are unused.
    """
    rules = (instrument or load_instrument()).coverage
    reading = Reading()
    fields = reading.record(document, "", ["tasks"], ["before"]) or {}
    tasks = _tasks(reading, rules, fields.get("tasks", []), "tasks")
    given_before = fields.get("before")
    before = None if given_before is None else _tasks(reading, rules, given_before, "before")
    reading.finish("The coverage can't be computed. Please mend these places and try again:")
    change = Change(None, None, None) if before is None else change_between(before, tasks)
    return asdict(coverage_of(tasks)) | asdict(change)


def _tasks(reading: Reading, rules: CoverageRules, value: object, field: str) -> list[TaskFact]:
    facts: list[TaskFact] = []
    seen: dict[str, str] = {}
    for index, row in enumerate(reading.rows(value, field)):
        where = f"{field}[{index}]"
        name = row.get("id") if isinstance(row, dict) else None
        if isinstance(name, str) and seen.setdefault(name, where) != where:
            reading.fault(where, "id", f"{name!r} stands already at {seen[name]}; each task needs its own id")
        fact = _task(reading, rules, row, where)
        if fact is not None:
            facts.append(fact)
    return facts


def _task(reading: Reading, rules: CoverageRules, row: object, where: str) -> TaskFact | None:
    noted = len(reading.faults)
    fields = reading.record(row, where, _needed(row), _ANSWER)
    if fields is None:
        return None
    given = {
        name: _value(reading, rules, fields, where, name) for name in (*_ALWAYS, *_ANSWER) if name in fields
    }
    if len(reading.faults) > noted:
        return None
    return _fact(rules, given)


def _needed(row: object) -> list[str]:
    """The fields that this task must have: an answer that would not be used may be left out."""
    fields = row if isinstance(row, Mapping) else {}
    if fields.get("fresh") is False or fields.get("keep_human") is True:
        return list(_ALWAYS)
    return [*_ALWAYS, *(_ANSWER[:1] if fields.get("share") == "none" else _ANSWER)]


def _value(
    reading: Reading, rules: CoverageRules, fields: Mapping[str, object], where: str, name: str
) -> object:
    value = fields[name]
    if value is None and (name == "accepted" or name not in _needed(fields)):
        return None
    inputs = rules.inputs_per_task
    match name:
        case "id" | "role":
            return reading.text(value, where, name)
        case "headcount":
            return reading.number(value, where, name, MOST_HEADS)
        case "hours":
            return reading.number(value, where, name, HOURS_IN_A_WEEK)
        case "accepted":
            return reading.whole(value, where, name, 10)
        case "share":
            return reading.choice(value, where, name, inputs.share_of_cases.values)
        case "mode":
            return reading.choice(value, where, name, inputs.mode.weights)
        case "review":
            return reading.choice(value, where, name, inputs.review_status)
        case "tool":
            return reading.choice(value, where, name, inputs.tool_status)
        case _:
            return reading.flag(value, where, name)


def _fact(rules: CoverageRules, given: Mapping[str, object]) -> TaskFact:
    share = cast("str | None", given.get("share"))
    answer = None
    if share is not None:
        answer = TaskAnswer(
            share,
            cast("str | None", given.get("mode")),
            cast("int | None", given.get("accepted")),
            cast("str | None", given.get("review")),
            cast("str | None", given.get("tool")),
        )
    return task_fact(
        rules,
        answer,
        id=cast(str, given["id"]),
        role=cast(str, given["role"]),
        headcount=cast(float, given["headcount"]),
        hours=cast(float, given["hours"]),
        estimated=cast(bool, given["estimated"]),
        keep_human=cast(bool, given["keep_human"]),
        fresh=cast(bool, given["fresh"]),
    )
