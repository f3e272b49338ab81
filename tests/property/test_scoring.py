"""What must hold for every department, checked on random ones."""

from __future__ import annotations

import copy
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.audit.score_file import audit_score
from tests.property.scoring_cases import NOW, answer, documents, random_document
from tests.property.scoring_oracle import CRITERIA, RANK, oracle

thorough = settings(max_examples=300, deadline=None)


def without_reasons(result: dict[str, Any]) -> dict[str, Any]:
    skipped = [{name: each[name] for name in ("model", "severity")} for each in result["skipped"]]
    return result | {"skipped": skipped}


def score(document: dict[str, Any]) -> Any:
    return audit_score(document)


@settings(max_examples=2000, deadline=None)
@given(documents())
def test_a_second_implementation_agrees(document: dict[str, Any]) -> None:
    result, expected = without_reasons(score(document)), oracle(document)
    confidences = [result["criteria"][name].pop("confidence") for name in CRITERIA]
    wanted = [expected["criteria"][name].pop("confidence") for name in CRITERIA]
    assert result == expected
    assert confidences == [None if value is None else pytest.approx(value, rel=1e-12) for value in wanted]


def test_the_random_departments_reach_every_state() -> None:
    chance = random.Random(7)  # noqa: S311
    results = [score(random_document(chance)) for _ in range(400)]
    assert {state for each in results for state in each["models"].values()} == {*RANK, "not_applicable"}
    assert {each["operational_through"] for each in results} == set(range(6))
    assert {skip["severity"] for each in results for skip in each["skipped"]} == {"hard", "soft"}


@thorough
@given(documents())
def test_every_skip_says_why(document: dict[str, Any]) -> None:
    assert all(each["because"] for each in score(document)["skipped"])


def rank(state: str) -> int:
    return RANK.index(state) if state in RANK else -1


def assert_never_lower(before: Any, after: Any) -> None:
    assert after["operational_through"] >= before["operational_through"]
    assert after["reach"] >= before["reach"]
    for model, state in before["models"].items():
        assert (state == "not_applicable") == (after["models"][model] == "not_applicable")
        assert rank(after["models"][model]) >= rank(state)


def pick(data: st.DataObject, document: dict[str, Any]) -> dict[str, Any]:
    levels = [each for each in document["answers"] if isinstance(each["claimed"], int)]
    assume(levels)
    return data.draw(st.sampled_from(levels))


@thorough
@given(documents(), st.data())
def test_a_higher_answer_never_lowers_anything(document: dict[str, Any], data: st.DataObject) -> None:
    before = score(document)
    chosen = pick(data, document)
    chosen["claimed"] = data.draw(st.integers(chosen["claimed"], 4))
    assert_never_lower(before, score(document))


@thorough
@given(documents(), st.data())
def test_more_evidence_never_lowers_anything(document: dict[str, Any], data: st.DataObject) -> None:
    before = score(document)
    chosen = pick(data, document)
    chosen["evidence"] = data.draw(
        st.sampled_from([e for e in ("E0", "E1", "E2", "E3") if e >= chosen["evidence"]])
    )
    after = score(document)
    assert_never_lower(before, after)
    for name, each in after["criteria"].items():
        assert (each["counted"] or 0) >= (before["criteria"][name]["counted"] or 0)


@thorough
@given(documents(), st.data())
def test_closing_a_blocker_never_lowers_anything(document: dict[str, Any], data: st.DataObject) -> None:
    assume(document["open_blockers"])
    before = score(document)
    document["open_blockers"].remove(data.draw(st.sampled_from(document["open_blockers"])))
    assert_never_lower(before, score(document))


@thorough
@given(documents(), st.sampled_from(CRITERIA))
def test_an_unapproved_not_applicable_never_helps(document: dict[str, Any], criterion: str) -> None:
    document["answers"] = [each for each in document["answers"] if each["criterion"] != criterion]
    without = score(document)
    document["answers"].append(answer(criterion, "not_applicable", "E3", timedelta(days=1), False))
    assert without_criteria(score(document)) == without_criteria(without)


def without_criteria(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "criteria"}


@thorough
@given(documents(), st.randoms(use_true_random=False))
def test_answers_may_arrive_in_any_order(document: dict[str, Any], chance: random.Random) -> None:
    times: set[tuple[str, str]] = set()
    for each in document["answers"]:
        while (each["criterion"], each["at"]) in times:
            each["at"] = (datetime.fromisoformat(each["at"]) - timedelta(seconds=1)).isoformat()
        times.add((each["criterion"], each["at"]))
    shuffled = copy.deepcopy(document)
    chance.shuffle(shuffled["answers"])
    assert score(shuffled) == score(document)


@thorough
@given(documents(), st.integers(-14, 14))
def test_the_offset_of_a_time_does_not_matter(document: dict[str, Any], hours: int) -> None:
    moved = copy.deepcopy(document)
    for each in moved["answers"]:
        at = datetime.fromisoformat(each["at"]) + timedelta(hours=hours)
        each["at"] = at.replace(tzinfo=None).isoformat() + f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00"
    assert score(moved) == score(document)


@thorough
@given(documents())
def test_strict_is_never_kinder_than_chain(document: dict[str, Any]) -> None:
    strict, chain = (score(document | {"mode": mode}) for mode in ("strict", "chain"))
    assert_never_lower(strict, chain)
    assert strict["operational_through"] == min(strict["operational_through"], chain["operational_through"])


@pytest.mark.parametrize(
    ("age", "stale"),
    [(timedelta(days=180), False), (timedelta(days=180, microseconds=1), True)],
)
def test_an_answer_is_stale_after_180_days_and_not_at_them(age: timedelta, stale: bool) -> None:
    document = {"now": NOW.isoformat(), "answers": [answer("WE-1", 3, "E3", age, False)]}
    result = score(document)
    assert result["criteria"]["WE-1"] | {"confidence": 0} == {
        "claimed": 3, "counted": 3, "stale": stale, "confidence": 0,
    }  # fmt: skip
    assert result["reach"] == (0 if stale else 1)
