"""The sentences of the scoring rules one by one, and everything that `audit score` refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.audit.score_file import audit_score
from bot.errors import InputError

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MODELS = ("WE", "AD", "EC", "SD", "PR")


def given(
    criterion: str, claimed: object, evidence: str = "E3", days: float = 10, **more: Any
) -> dict[str, Any]:
    at = (NOW - timedelta(days=days)).isoformat()
    return {
        "criterion": criterion,
        "claimed": claimed,
        "evidence": evidence,
        "at": at,
        "approved": False,
    } | more


def whole(model: str, claimed: object = 3, **more: Any) -> list[dict[str, Any]]:
    return [given(f"{model}-{n}", claimed, **more) for n in range(1, 5)]


def document(*answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"now": NOW.isoformat(), "mode": "strict", "open_blockers": [], "not_applicable_models": []}
    return base | {"answers": list(answers)} | more


def score(*answers: dict[str, Any], **more: Any) -> Any:
    return audit_score(document(*answers, **more))


def test_nothing_answered() -> None:
    result = score()
    nothing = {"claimed": None, "counted": None, "stale": None, "confidence": None}
    assert result["criteria"] == {f"{model}-{n}": nothing for model in MODELS for n in range(1, 5)}
    assert result["models"] == dict.fromkeys(MODELS, "not_started")
    assert (result["operational_through"], result["working_model"], result["reach"]) == (0, "WE", 0)
    assert result["skipped"] == []


@pytest.mark.parametrize(("evidence", "counted"), [("E0", 1), ("E1", 2), ("E2", 3), ("E3", 4)])
def test_evidence_caps_what_counts(evidence: str, counted: int) -> None:
    assert score(given("WE-1", 4, evidence))["criteria"]["WE-1"]["counted"] == counted
    assert score(given("WE-1", 0, evidence))["criteria"]["WE-1"]["counted"] == 0


def test_confidence_is_not_rounded() -> None:
    row = score(given("PR-1", 3, "E2", days=30.5))["criteria"]["PR-1"]
    assert row["confidence"] == pytest.approx(0.8 * 0.5 ** (30.5 / 60) * 0.9, rel=1e-14)


def test_special_answers_show_as_they_are() -> None:
    criteria = score(given("WE-1", "unknown", days=300), given("WE-2", "not_applicable", approved=True))[
        "criteria"
    ]
    assert criteria["WE-1"] == {"claimed": "unknown", "counted": 0, "stale": None, "confidence": None}
    assert criteria["WE-2"] == {
        "claimed": "not_applicable",
        "counted": None,
        "stale": None,
        "confidence": None,
    }


def test_a_stale_answer_shows_its_level_and_counts_as_nothing() -> None:
    result = score(*whole("WE", 4, days=181))
    assert result["criteria"]["WE-1"]["counted"] == 4
    assert result["criteria"]["WE-1"]["stale"] is True
    assert (result["models"]["WE"], result["reach"]) == ("not_started", 0)


def test_of_equal_times_the_later_in_the_list_counts() -> None:
    first, second = given("WE-1", 1), given("WE-1", 3)
    assert score(first, second)["criteria"]["WE-1"]["claimed"] == 3
    assert score(second, first)["criteria"]["WE-1"]["claimed"] == 1
    east = given("WE-1", 2, at="2026-11-12T11:00:00+01:00")  # the same instant, written elsewhere
    assert score(first, east)["criteria"]["WE-1"]["claimed"] == 2


@pytest.mark.parametrize(
    ("levels", "state"),
    [
        ((0, 0, 0, 0), "not_started"), ((1, 0, 0, 0), "exploring"), ((4, 4, 4, 1), "exploring"),
        ((2, 2, 2, 2), "building"), ((4, 4, 4, 2), "building"), ((3, 3, 3, 4), "operational"),
        ((3, 3, 4, 4), "steering"),
    ],
)  # fmt: skip
def test_the_lowest_criterion_decides_the_state(levels: tuple[int, ...], state: str) -> None:
    answers = [given(f"WE-{n}", level) for n, level in enumerate(levels, 1)]
    assert score(*answers)["models"]["WE"] == state


def test_half_of_the_applicable_criteria_is_enough_to_steer() -> None:
    away = given("WE-4", "not_applicable", approved=True)
    three = [given("WE-1", 4), given("WE-2", 3), given("WE-3", 3), away]
    assert score(*three)["models"]["WE"] == "operational"
    assert score(*three[1:], given("WE-1", 4), given("WE-2", 4, days=1))["models"]["WE"] == "steering"


def test_an_open_critical_blocker_allows_building_at_most() -> None:
    assert score(*whole("WE", 4), open_blockers=["WE-B2"])["models"]["WE"] == "building"
    assert score(*whole("WE", 4), open_blockers=["WE-B1", "AD-B1"])["models"]["WE"] == "steering"


def test_a_shut_gate_reports_building_at_most() -> None:
    strict = score(*whole("AD"))
    assert strict["models"]["AD"] == "building"
    assert strict["gates"]["AD"] == {"held_back_by": ["WE"]}
    chain = score(*whole("AD"), given("WE-4", 3), mode="chain")
    assert chain["models"]["AD"] == "operational"
    assert chain["gates"]["AD"] == {"held_back_by": []}
    assert chain["operational_through"] == 0
    assert chain["working_model"] == "WE"


def test_a_chain_gate_looks_at_reported_states() -> None:
    # SD is in place by itself, but its own gate is shut: PR may not stand on it.
    result = score(*whole("WE"), *whole("SD"), *whole("PR"), mode="chain")
    assert result["gates"]["SD"]["held_back_by"] == ["EC-2"]
    assert result["gates"]["PR"]["held_back_by"] == ["SD"]
    assert result["models"]["PR"] == "building"
    assert [(each["model"], each["severity"]) for each in result["skipped"]] == [
        ("AD", "hard"),
        ("EC", "hard"),
    ]


@pytest.mark.parametrize("waived", [
    {"not_applicable_models": ["EC"]}, {"extra": given("EC-2", "not_applicable", approved=True)},
])  # fmt: skip
def test_a_requirement_on_what_does_not_apply_holds(waived: dict[str, Any]) -> None:
    extra = waived.pop("extra", None)
    result = score(*whole("WE"), *whole("SD"), *([extra] if extra else []), mode="chain", **waived)
    assert result["models"]["SD"] == "operational"


@pytest.mark.parametrize(("approved", "days", "state"), [
    (True, 180, "not_applicable"), (True, 180.001, "not_started"), (False, 1, "not_started"),
])  # fmt: skip
def test_a_model_does_not_apply_while_all_its_criteria_are_approved(
    approved: bool, days: float, state: str
) -> None:
    result = score(*whole("WE"), *whole("AD", "not_applicable", days=days, approved=approved))
    assert result["models"]["AD"] == state
    assert result["operational_through"] == (2 if state == "not_applicable" else 1)


def test_everything_in_place_or_not_applicable() -> None:
    answers = [answer for model in MODELS for answer in whole(model)]
    result = score(*answers, not_applicable_models=["PR"])
    assert (result["operational_through"], result["working_model"], result["reach"]) == (5, None, 4)


def test_a_hard_skip_by_a_requirement_of_an_active_model() -> None:
    # WE-4 at 2 is no longer unsafe by itself; AD, once active, requires it at 3.
    ground = [given(f"WE-{n}", 2) for n in range(1, 5)]
    assert score(*ground, given("AD-1", 2))["skipped"] == [
        {"model": "WE", "severity": "hard", "because": ["AD requires WE-4 at counted level 3"]}
    ]
    assert score(*ground[:3], given("WE-4", 3), given("AD-1", 2))["skipped"] == [
        {"model": "WE", "severity": "soft", "because": [f"WE-{n} is below 3" for n in (1, 2, 3)]}
    ]


def test_only_own_states_decide_what_is_skipped() -> None:
    # EC is in place by itself and merely waits behind its gate.
    result = score(*whole("EC"), given("SD-1", 2))
    assert result["models"]["EC"] == "building"
    assert [each["model"] for each in result["skipped"]] == ["WE", "AD"]


def test_a_soft_skip_by_an_open_blocker_names_it() -> None:
    result = score(*whole("WE"), *whole("AD"), given("EC-1", 2), open_blockers=["AD-B1"])
    assert result["skipped"] == [{"model": "AD", "severity": "soft", "because": ["AD-B1 is open"]}]


def faults(document: object) -> set[tuple[str, str]]:
    with pytest.raises(InputError) as refused:
        audit_score(document)
    return {(fault.where, fault.field) for fault in refused.value.faults}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("criterion", "WE-5"), ("criterion", None), ("criterion", ["WE-1"]), ("claimed", 5), ("claimed", -1),
        ("claimed", True), ("claimed", 2.5), ("claimed", None), ("claimed", "3"), ("claimed", float("nan")),
        ("claimed", []), ("evidence", "E4"), ("evidence", None), ("evidence", 2), ("approved", "yes"),
        ("approved", None), ("at", "2026-11-01"), ("at", "2026-11-01T10:00:00"), ("at", "yesterday"),
        ("at", None), ("at", 1763800000), ("at", "2026-11-22T10:00:00.000001Z"),
        ("at", "2026-11-22T10:30:00+00:15"), ("at", "0001-01-01T00:00:00+14:00"),
    ],
)  # fmt: skip
def test_an_answer_that_can_not_be_used_is_named(field: str, value: object) -> None:
    assert faults(document(given("WE-1", 1), given("WE-2", 1) | {field: value})) == {("answers[1]", field)}


@pytest.mark.parametrize("field", ["criterion", "claimed", "evidence", "at"])
def test_a_missing_field_is_named(field: str) -> None:
    answer = {name: value for name, value in given("WE-1", 1).items() if name != field}
    assert faults(document(answer)) == {("answers[0]", field)}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"now": "2026-11-22T10:00:00"}, ("", "now")), ({"now": None}, ("", "now")),
        ({"mode": "lenient"}, ("", "mode")), ({"answers": {}}, ("", "answers")),
        ({"answers": [None]}, ("answers[0]", "")), ({"open_blockers": ["WE-B9"]}, ("open_blockers[0]", "")),
        ({"open_blockers": "WE-B2"}, ("", "open_blockers")), ({"open_blocker": []}, ("", "open_blocker")),
        ({"not_applicable_models": ["WE", "XX"]}, ("not_applicable_models[1]", "")),
    ],
)  # fmt: skip
def test_a_document_that_can_not_be_used_says_where(changes: dict[str, Any], place: tuple[str, str]) -> None:
    assert faults(document() | changes) == {place}


@pytest.mark.parametrize("given_document", [None, 3, "text", [], {}])
def test_another_shape_is_refused(given_document: object) -> None:
    assert faults(given_document)


def test_every_fault_is_listed_at_once() -> None:
    wrong = document(given("WE-1", 9), given("XX", 1, days=-1), 7, mode="?", open_blockers=["?"])
    assert {("", "mode"), ("answers[0]", "claimed"), ("answers[1]", "criterion"), ("answers[1]", "at"),
            ("answers[2]", ""), ("open_blockers[0]", "")} == faults(wrong)  # fmt: skip


def test_an_answer_of_this_very_moment_counts() -> None:
    assert score(given("WE-1", 3, days=0))["criteria"]["WE-1"]["confidence"] == 0.9
