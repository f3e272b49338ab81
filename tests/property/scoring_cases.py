"""Random documents for `audit score`, with enough high answers that every state and gate really occurs.

A document is made from one seed: hundreds a second instead of tens, at the price that Hypothesis can't
shrink one. A failing document is small enough to read as it is.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.property.scoring_oracle import BLOCKERS, CRITERIA, MODELS

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
EDGES = [timedelta(0), 180 * DAY, 180 * DAY + timedelta(microseconds=1)]


def answer(criterion: str, claimed: object, evidence: str, age: timedelta, approved: bool) -> dict[str, Any]:
    return {
        "criterion": criterion,
        "claimed": claimed,
        "evidence": evidence,
        "at": (NOW - age).isoformat(),
        "approved": approved,
    }


def any_answer(chance: random.Random, criterion: str) -> dict[str, Any]:
    """Mostly levels, mostly high and fresh; now and then special, stale, or at the edge of staleness."""
    claimed = chance.choice([*(0, 1, 2, 3, 3, 3, 4, 4, 4) * 2, "unknown", "not_applicable", "not_applicable"])
    ages = [chance.randrange(170) * DAY, timedelta(seconds=chance.randrange(400 * 86_400)), *EDGES]
    age = chance.choices(ages, [6, 3, 1, 1, 1])[0]
    return answer(criterion, claimed, chance.choice(["E0", "E1", "E2", "E2", "E3", "E3", "E3"]), age,
                  chance.random() < 0.5)  # fmt: skip


def good_answer(chance: random.Random, criterion: str) -> dict[str, Any]:
    return answer(criterion, chance.choice([3, 4]), chance.choice(["E2", "E3"]), 10 * DAY, False)


def random_document(chance: random.Random) -> dict[str, Any]:
    """A department with some models in place, some begun, some not applicable, answers in any order."""
    given: list[dict[str, Any]] = []
    for model in MODELS:
        kind = chance.choice(["good", "good", "mixed", "mixed", "empty"])
        for criterion in (c for c in CRITERIA if c.startswith(model)):
            if kind == "good" and chance.random() < 0.93:
                given.append(good_answer(chance, criterion))
            elif kind != "empty":
                given += [any_answer(chance, criterion) for _ in range(chance.choice([0, 1, 1, 2]))]
    chance.shuffle(given)
    return {
        "now": NOW.isoformat(),
        "mode": chance.choice(["strict", "chain"]),
        "answers": given,
        "open_blockers": chance.sample(BLOCKERS, chance.choice([0, 0, 1, 2])),
        "not_applicable_models": chance.sample(MODELS, chance.choice([0, 0, 1, 2])),
    }


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Random documents, one for each seed."""
    return st.integers(0, 2**48).map(lambda seed: random_document(random.Random(seed)))  # noqa: S311
