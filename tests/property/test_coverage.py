"""The coverage formula against a simulation of the same inputs, a second implementation, and its own
promises.
"""

from __future__ import annotations

import random
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.coverage.score_file import coverage_score

SHARE = {"none": (0.0, 0.0), "1-2": (0.15, 0.05), "3-5": (0.4, 0.1), "6-8": (0.7, 0.1), "9-10": (0.95, 0.05)}
MODE = {"helps_a_person": 0.5, "does_it_person_checks_each": 1.0, "does_it_samples_checked": 1.0}
Row = dict[str, Any]


def random_task(chance: random.Random, name: str) -> Row:
    return {
        "id": name,
        "role": chance.choice(["clerk", "buyer"]),
        "headcount": chance.randint(1, 30),
        "hours": chance.choice([0.25, 0.75, 1.5, 3.5, 7.5, 12.0]),
        "estimated": chance.random() < 0.7,
        "share": chance.choice(list(SHARE)),
        "mode": chance.choice(list(MODE)),
        "accepted": chance.choice([None, *range(11)]),
        "review": chance.choice(["checked_each", "sampled", "sampled", "unchecked"]),
        "tool": chance.choice(["approved", "approved", "approved", "not_approved"]),
        "keep_human": chance.random() < 0.15,
        "fresh": chance.random() < 0.8,
    }


def random_tasks(chance: random.Random, fewest: int = 0, most: int = 12) -> list[Row]:
    return [random_task(chance, f"t{n}") for n in range(chance.randint(fewest, most))]


def safe(row: Row) -> bool:
    return row["review"] != "unchecked" and row["tool"] == "approved"


def simulate(rows: list[Row], draws: int = 20_000) -> npt.NDArray[np.float64]:
    """Hours lognormal with the given spread around their mean; shares and acceptance anywhere in their
    width.
    """
    dice = np.random.default_rng(20261122)
    handled, hours = np.zeros(draws), np.zeros(draws)
    for row in (each for each in rows if each["fresh"] and not each["keep_human"]):
        spread = np.log(1 + (0.5 if row["estimated"] else 0.15) ** 2)
        weight = row["headcount"] * row["hours"] * np.exp(dice.normal(-spread / 2, sqrt(spread), draws))
        share = SHARE[row["share"]][0] + SHARE[row["share"]][1] * dice.uniform(-1, 1, draws)
        middle, width = (0.75, 0.25) if row["accepted"] is None else (row["accepted"] / 10, 0.05)
        accepted = np.clip(middle + width * dice.uniform(-1, 1, draws), 0, 1)
        handled += weight * share * MODE[row["mode"]] * accepted * safe(row)
        hours += weight
    return handled / hours


def test_the_interval_agrees_with_a_simulation() -> None:
    chance = random.Random(3)  # noqa: S311
    points, ends = [], []
    while len(points) < 200:
        rows = random_tasks(chance, 2)
        result: Any = coverage_score({"tasks": rows})
        if result["coverage"] is None:
            continue
        drawn = simulate(rows)
        low, high = np.quantile(drawn, [0.1, 0.9])
        points.append(abs(result["coverage"] - drawn.mean()))
        ends.append(max(abs(result["low"] - low), abs(result["high"] - high)))
    assert max(points) < 0.02
    assert sorted(ends)[180] < 0.02
    assert max(ends) < 0.04


def second_opinion(rows: list[Row]) -> dict[str, Any]:
    """Coverage written a second time, from the formulas, in whole-table steps."""
    hours = np.array([row["headcount"] * row["hours"] for row in rows], dtype=float)
    human = np.array([row["keep_human"] for row in rows], dtype=bool)
    on = ~human & np.array([row["fresh"] for row in rows], dtype=bool)
    share = np.array([SHARE[row["share"]] for row in rows]).reshape(-1, 2)[on]
    taken = [(0.75, 0.25) if row["accepted"] is None else (row["accepted"] / 10, 0.05) for row in rows]
    taken_of = np.array(taken).reshape(-1, 2)[on]
    weight = np.array([MODE[row["mode"]] * safe(row) for row in rows], dtype=float)[on]
    cv = np.array([0.5 if row["estimated"] else 0.15 for row in rows], dtype=float)[on]
    c = share[:, 0] * weight * taken_of[:, 0]
    sd = np.stack([share[:, 1], taken_of[:, 1]]) / 1.73
    var = weight**2 * ((taken_of[:, 0] * sd[0]) ** 2 + (share[:, 0] * sd[1]) ** 2)
    p = hours[on] / hours[on].sum() if on.any() else np.array([])
    result: dict[str, Any] = dict.fromkeys(
        ["coverage", "low", "high", "touched", "known_share", "excluded_share"]
    )
    result["excluded_share"] = hours[human].sum() / hours.sum() if hours.size else None
    result["known_share"] = hours[on].sum() / hours[~human].sum() if (~human).any() else None
    result["published"] = result["known_share"] is not None and result["known_share"] >= 0.6 - 1e-9
    if on.any():
        mean = float(p @ c)
        half = 1.28 * sqrt(float(p**2 @ ((c - mean) ** 2 * cv**2 + var)))
        result |= {"coverage": mean, "low": max(0, mean - half), "high": min(1, mean + half)}
        result["touched"] = float(p @ share[:, 0])
    return result


def second_opinion_on_change(before: list[Row], after: list[Row]) -> dict[str, Any]:
    pairs = [
        (old, new)
        for old in before
        for new in after
        if old["id"] == new["id"] and all(each["fresh"] and not each["keep_human"] for each in (old, new))
    ]
    if not pairs:
        return {"change": None, "noise": None, "changed": None}
    total = sum(old["headcount"] * old["hours"] for old, _ in pairs)
    one = [(second_opinion([old]), second_opinion([new | {"headcount": 1}])) for old, new in pairs]
    p = [old["headcount"] * old["hours"] / total for old, _ in pairs]
    d = [new["coverage"] - old["coverage"] for old, new in one]
    change = sum(a * b for a, b in zip(p, d, strict=True))
    noise = 0.0
    for (old, new), share, step in zip(pairs, p, d, strict=True):
        cv = 0.5 if old["estimated"] else 0.15
        noise += share**2 * ((step - change) ** 2 * cv**2 + task_variance(old) + task_variance(new))
    return {"change": change, "noise": 1.28 * sqrt(noise), "changed": abs(change) > 1.28 * sqrt(noise)}


def task_variance(row: Row) -> float:
    middle, width = (0.75, 0.25) if row["accepted"] is None else (row["accepted"] / 10, 0.05)
    share, share_width = SHARE[row["share"]]
    parts = (middle * share_width / 1.73) ** 2 + (share * width / 1.73) ** 2
    return MODE[row["mode"]] ** 2 * parts if safe(row) else 0.0


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**48))
def test_a_second_implementation_agrees(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    before, after = random_tasks(chance), random_tasks(chance)
    result = coverage_score({"tasks": after, "before": before})
    expected = second_opinion(after) | second_opinion_on_change(before, after)
    assert set(result) == set(expected)
    for name, value in expected.items():
        close = isinstance(value, float) and not isinstance(value, bool)
        assert result[name] == (pytest.approx(value, abs=1e-12) if close else value), name


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**48), st.integers(1, 5))
def test_hours_are_added_and_never_averaged(seed: int, parts: int) -> None:
    """A task of n people is the same as n tasks of one: coverage, touched and the shares do not move."""
    rows = random_tasks(random.Random(seed), 1)  # noqa: S311
    split = [
        row | {"id": f"{row['id']}/{n}", "headcount": row["headcount"] / parts}
        for row in rows
        for n in range(parts)
    ]
    whole, pieces = coverage_score({"tasks": rows}), coverage_score({"tasks": split})
    for name in ("coverage", "touched", "known_share", "excluded_share"):
        assert pieces[name] == (None if whole[name] is None else pytest.approx(whole[name], abs=1e-12))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**48))
def test_the_order_of_tasks_does_not_matter_and_fractions_stay_fractions(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    rows = random_tasks(chance, 1)
    result: Any = coverage_score({"tasks": rows})
    chance.shuffle(rows)
    again = coverage_score({"tasks": rows})
    assert again == {name: pytest.approx(v) if isinstance(v, float) else v for name, v in result.items()}
    if result["coverage"] is not None:
        assert 0 <= result["low"] <= result["coverage"] <= result["high"] <= 1
        assert result["coverage"] <= result["touched"]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**48))
def test_a_task_nobody_answered_changes_only_what_is_known(seed: int) -> None:
    rows = random_tasks(random.Random(seed), 1)  # noqa: S311
    silent = {"id": "x", "role": "new", "headcount": 9, "hours": 3.5, "estimated": True,
              "keep_human": False, "fresh": False}  # fmt: skip
    before, after = coverage_score({"tasks": rows}), coverage_score({"tasks": [*rows, silent]})
    assert [before[name] for name in ("coverage", "low", "high", "touched")] == [
        after[name] for name in ("coverage", "low", "high", "touched")
    ]
    assert after["known_share"] is not None
    assert before["known_share"] is None or after["known_share"] <= before["known_share"]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**48))
def test_nothing_changed_is_no_change(seed: int) -> None:
    rows = random_tasks(random.Random(seed), 1)  # noqa: S311
    result = coverage_score({"tasks": rows, "before": rows})
    assert result["change"] in (None, 0)
    assert not result["changed"]
