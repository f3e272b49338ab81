"""A second, deliberately plain implementation of `audit score`, to compare the product with.

It shares nothing with the product: no instrument file, its own tables, and whole-table scans where the
product goes step by step. A mistake would have to be made twice, in two different ways, to go unseen.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

MODELS = ["WE", "AD", "EC", "SD", "PR"]
CRITERIA = [f"{model}-{n}" for model in MODELS for n in range(1, 5)]
CRITICAL = {"WE-4", "AD-4", "EC-2", "SD-3", "SD-4", "PR-3"}
CRITICAL_BLOCKERS = {
    "WE": {"WE-B2"},
    "AD": {"AD-B1", "AD-B4", "AD-B5"},
    "EC": {"EC-B1", "EC-B4"},
    "SD": {"SD-B2", "SD-B4"},
    "PR": {"PR-B1", "PR-B2", "PR-B3"},
}
BLOCKERS = [f"{model}-B{n}" for model in MODELS for n in range(1, 6)]
REQUIRES: dict[str, list[tuple[str, int | None]]] = {
    "WE": [],
    "AD": [("WE-4", 3)],
    "EC": [("WE", None)],
    "SD": [("WE", None), ("EC-2", 3)],
    "PR": [("WE", None), ("SD", None)],
}
WEIGHT = {"E0": 0.3, "E1": 0.5, "E2": 0.8, "E3": 1.0}
HALF_LIFE = {"WE": 120, "AD": 90, "EC": 90, "SD": 90, "PR": 60}
RANK = ["not_started", "exploring", "building", "operational", "steering"]


def _chosen(document: dict[str, Any], criterion: str) -> dict[str, Any] | None:
    given = [a for a in document["answers"] if a["criterion"] == criterion]
    given.sort(key=lambda a: datetime.fromisoformat(a["at"]))
    return given[-1] if given else None


def _age(document: dict[str, Any], answer: dict[str, Any]) -> float:
    now, at = datetime.fromisoformat(document["now"]), datetime.fromisoformat(answer["at"])
    return (now - at).total_seconds() / 86400


def _level(document: dict[str, Any], criterion: str) -> int | None:
    """The level for gates, None where the criterion is approved as not applicable."""
    answer = _chosen(document, criterion)
    if answer is None or answer["claimed"] == "unknown":
        return 0
    old = _age(document, answer) > 180
    if answer["claimed"] == "not_applicable":
        return None if answer["approved"] and not old else 0
    return 0 if old else min(answer["claimed"], int(answer["evidence"][1]) + 1)


def oracle(document: dict[str, Any]) -> dict[str, Any]:
    levels = {c: _level(document, c) for c in CRITERIA}
    for model in document["not_applicable_models"]:
        levels |= {c: None for c in CRITERIA if c.startswith(model)}
    own, seen = {}, {}
    for model in MODELS:
        own[model] = _own(document, levels, model)
        missing = _gate(document["mode"], levels, seen, model) if own[model] != "not_applicable" else []
        seen[model] = (own[model], missing)
    models = {m: "building" if gap and state in RANK[3:] else state for m, (state, gap) in seen.items()}
    through = [k for k in range(6) if all(models[m] in (*RANK[3:], "not_applicable") for m in MODELS[:k])]
    reach = max([0] + [k + 1 for k, m in enumerate(MODELS) if any((levels[c] or 0) >= 2 for c in _of(m))])
    return {
        "criteria": {c: _shown(document, c) for c in CRITERIA},
        "models": models,
        "gates": {m: {"held_back_by": gap} for m, (_, gap) in seen.items()},
        "operational_through": max(through),
        "working_model": next((m for m in MODELS if models[m] in RANK[:3]), None),
        "reach": reach,
        "skipped": [
            {"model": m, "severity": "hard" if _hard(levels, models, m, reach) else "soft"}
            for m in MODELS[: max(reach - 1, 0)]
            if own[m] in RANK[:3]
        ],
    }


def _of(model: str) -> list[str]:
    return [c for c in CRITERIA if c[:2] == model]


def _own(document: dict[str, Any], levels: dict[str, int | None], model: str) -> str:
    values = sorted(v for c in _of(model) if (v := levels[c]) is not None)
    if not values:
        return "not_applicable"
    best = 0
    if values[-1] >= 1:
        best = 1
    if values[0] >= 2:
        best = 2
    if values[0] >= 3 and not CRITICAL_BLOCKERS[model] & set(document["open_blockers"]):
        best = 4 if values.count(4) >= len(values) / 2 else 3
    return RANK[best]


def _unmet(levels: dict[str, int | None], models: dict[str, str], what: str, least: int | None) -> bool:
    if least is None:
        return models[what] in RANK[:3]
    level = levels[what]
    return level is not None and level < least


def _gate(
    mode: str, levels: dict[str, int | None], seen: dict[str, tuple[str, list[str]]], model: str
) -> list[str]:
    models = {m: "building" if gap and state in RANK[3:] else state for m, (state, gap) in seen.items()}
    if mode == "strict":
        return [m for m in models if models[m] in RANK[:3]]
    return [what for what, least in REQUIRES[model] if _unmet(levels, models, what, least)]


def _hard(levels: dict[str, int | None], models: dict[str, str], model: str, reach: int) -> bool:
    low = any(c in CRITICAL and levels[c] is not None and (levels[c] or 0) < 2 for c in _of(model))
    active = [m for m in MODELS[:reach] if any((levels[c] or 0) >= 2 for c in _of(m))]
    return low or any(
        what[:2] == model and _unmet(levels, models, what, least)
        for m in active
        for what, least in REQUIRES[m]
    )


def _shown(document: dict[str, Any], criterion: str) -> dict[str, Any]:
    answer = _chosen(document, criterion)
    claimed = None if answer is None else answer["claimed"]
    row = {"claimed": claimed, "counted": None, "stale": None, "confidence": None}
    if claimed == "unknown":
        row["counted"] = 0
    elif answer is not None and isinstance(claimed, int):
        age = _age(document, answer)
        row["counted"] = min(claimed, int(answer["evidence"][1]) + 1)
        row["stale"] = age > 180
        row["confidence"] = WEIGHT[answer["evidence"]] * 2 ** (-age / HALF_LIFE[criterion[:2]]) * 0.9
    return row
