"""What `coverage score` refuses, the edges of what it computes, and tasks from the instrument."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.audit.instrument import load_instrument
from bot.coverage.formula import coverage_of
from bot.coverage.score_file import coverage_score
from bot.coverage.tasks import (
    GradeBasis,
    TaskAnswer,
    grade_of,
    rebase_due,
    task_fact,
    unanswered,
    usual_tasks,
)
from bot.errors import InputError

TASK: dict[str, Any] = {
    "id": "a", "role": "clerk", "headcount": 5, "hours": 2.0, "estimated": True, "share": "6-8",
    "mode": "helps_a_person", "accepted": 8, "review": "sampled", "tool": "approved",
    "keep_human": False, "fresh": True,
}  # fmt: skip


def task(**changes: Any) -> dict[str, Any]:
    return TASK | changes


def faults(document: object) -> set[tuple[str, str]]:
    with pytest.raises(InputError) as refused:
        coverage_score(document)
    return {(fault.where, fault.field) for fault in refused.value.faults}


def test_one_task_worked_out_by_hand() -> None:
    result: Any = coverage_score({"tasks": [TASK]})
    sd = math.sqrt((0.8 * 0.1 / 1.73) ** 2 + (0.7 * 0.05 / 1.73) ** 2) * 0.5
    assert result == {
        "coverage": pytest.approx(0.28), "low": pytest.approx(0.28 - 1.28 * sd),
        "high": pytest.approx(0.28 + 1.28 * sd), "touched": pytest.approx(0.7),
        "known_share": 1.0, "published": True, "excluded_share": 0.0,
        "change": None, "noise": None, "changed": None,
    }  # fmt: skip


@pytest.mark.parametrize("tasks", [[], [task(headcount=0)]])
def test_without_hours_nothing_is_claimed(tasks: list[dict[str, Any]]) -> None:
    result = coverage_score({"tasks": tasks, "before": tasks})
    assert result["published"] is False
    assert {value for name, value in result.items() if name != "published"} == {None}


def test_without_fresh_hours_the_share_is_known_to_be_zero() -> None:
    result = coverage_score({"tasks": [task(fresh=False), task(id="b", keep_human=True)]})
    assert (result["coverage"], result["low"], result["touched"]) == (None, None, None)
    assert (result["known_share"], result["excluded_share"]) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("hours", "published"),
    [((0.6, 0.4), True), ((0.3, 0.2), True), ((2.1, 1.4), True), ((0.59, 0.41), False)],
)
def test_it_is_published_from_sixty_percent_on(hours: tuple[float, float], published: bool) -> None:
    tasks = [task(hours=hours[0], headcount=1), task(id="b", hours=hours[1], headcount=1, fresh=False)]
    assert coverage_score({"tasks": tasks})["published"] is published


@pytest.mark.parametrize("unsafe", [{"review": "unchecked"}, {"tool": "not_approved"}])
def test_unchecked_or_unapproved_use_is_touched_but_not_covered(unsafe: dict[str, str]) -> None:
    result = coverage_score({"tasks": [task(**unsafe)]})
    assert (result["coverage"], result["low"], result["high"], result["touched"]) == (0.0, 0.0, 0.0, 0.7)


def test_change_uses_the_hours_of_before_and_the_common_basket() -> None:
    before = [task(share="none"), task(id="b", hours=6.0), task(id="gone")]
    after = [task(hours=100.0, headcount=1, estimated=False), task(id="b", hours=0.1), task(id="new")]
    result: Any = coverage_score({"tasks": after, "before": before})
    assert result["change"] == pytest.approx(0.25 * 0.28)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("headcount", -1), ("headcount", math.nan), ("headcount", True), ("headcount", "5"),
        ("hours", math.inf), ("hours", -0.1), ("hours", 169), ("hours", None), ("hours", "2-5"),
        ("estimated", 1), ("estimated", None), ("share", "5"), ("share", None), ("share", ["none"]),
        ("mode", "magic"), ("mode", None), ("accepted", 11), ("accepted", -1), ("accepted", 7.5),
        ("accepted", True), ("accepted", math.nan), ("review", ""), ("review", None), ("tool", "maybe"),
        ("keep_human", "no"), ("fresh", 0), ("id", 7), ("id", " "), ("role", None), ("headcount", 10**400),
    ],
)  # fmt: skip
def test_a_value_that_can_not_be_used_is_named(field: str, value: object) -> None:
    assert faults({"tasks": [TASK, task(**{"id": "b", field: value})]}) == {("tasks[1]", field)}


@pytest.mark.parametrize("field", sorted(TASK))
def test_a_missing_field_is_named(field: str) -> None:
    row = {name: value for name, value in TASK.items() if name != field}
    assert faults({"tasks": [TASK | {"id": "b"}], "before": [row]}) == {("before[0]", field)}


def test_every_fault_is_listed_at_once() -> None:
    found = faults({
        "tasks": [TASK, task(hours=math.nan, share="x"), 3, {"id": "c"}], "before": {}, "befor": [],
    })  # fmt: skip
    assert {("tasks[1]", "id"), ("tasks[1]", "hours"), ("tasks[1]", "share"), ("tasks[2]", "")} <= found
    assert {("tasks[3]", "hours"), ("", "before"), ("", "befor")} <= found


@pytest.mark.parametrize("document", [None, 3, [], "tasks", {}, {"tasks": None}, {"tasks": {}}])
def test_another_shape_is_refused(document: object) -> None:
    assert faults(document)


def test_an_unknown_bucket_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="allowed are none, 1-2, 3-5, 6-8, 9-10"):
        coverage_score({"tasks": [task(share="half")]})


@pytest.mark.parametrize("unused", [{"share": "none"}, {"share": None, "fresh": False}])
def test_answers_that_would_not_be_used_may_be_left_out(unused: dict[str, Any]) -> None:
    row = {name: value for name, value in TASK.items() if name not in ("mode", "accepted", "review", "tool")}
    blank = dict.fromkeys(("mode", "accepted", "review", "tool"))
    assert coverage_score({"tasks": [row | unused]}) == coverage_score({"tasks": [row | blank | unused]})


def test_one_answered_role_of_ten_is_not_the_whole() -> None:
    rules = load_instrument()
    usual = usual_tasks(rules, "finance")
    silent = [fact for n in range(9) for fact in unanswered(usual, f"role {n}", headcount=4)]
    answer = TaskAnswer("9-10", "does_it_person_checks_each", 9, "checked_each", "approved")
    answered = [
        task_fact(rules.coverage, answer, id=each.task.id, role="known", headcount=4, hours=each.hours)
        for each in usual
    ]
    result = coverage_of([*silent, *answered])
    assert result.known_share == pytest.approx(0.1)
    assert not result.published


@pytest.mark.parametrize(
    ("bases", "grade"),
    [
        ([GradeBasis(5, 2, logged=True)], "A"),
        ([GradeBasis(5, 1, logged=True)], "C"),
        ([GradeBasis(5, 2)], "B"),
        ([GradeBasis(5, 3, within_one_bucket=False)], "C"),
        ([GradeBasis(5, 2, logged=True), GradeBasis(5, 1)], "A"),
        ([GradeBasis(4, 2, logged=True), GradeBasis(2, 2), GradeBasis(5, 1)], "B"),
        ([GradeBasis(4, 2, logged=True), GradeBasis(5, 1)], "C"),
        ([], None),
    ],
)
def test_a_grade_is_the_best_that_half_of_the_hours_reach(bases: list[GradeBasis], grade: str | None) -> None:
    assert grade_of(bases) == grade


def test_hours_are_asked_for_again_after_a_year_or_when_the_role_changes() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert not rebase_due(start, start + timedelta(days=364), role_changed=False)
    assert rebase_due(start, start + timedelta(days=365), role_changed=False)
    assert rebase_due(start, start, role_changed=True)
