"""The pure audit rules on given answers: what `audit score` reads and prints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from bot.audit.gates import Mode
from bot.audit.instrument import Instrument, load_instrument
from bot.audit.parts import LEVELS, EvidenceClass
from bot.audit.scoring import AnswerFact, Claim, CriterionScore, Scores, score
from bot.clock import parse_instant
from bot.errors import InputError
from bot.reading import Reading

_SPECIAL = ("unknown", "not_applicable")


def audit_score(document: object, instrument: Instrument | None = None) -> dict[str, object]:
    """The states and the placement that follow from `{"now", "mode", "answers", ...}`, ready for JSON.

    `mode` is strict if left out, `open_blockers` and `not_applicable_models` are empty, an answer's
    `approved` is false. `evidence` may be left out or null where there is no level to prove. Raises
    InputError that lists every fault with its place.
    """
    rules = instrument or load_instrument()
    reading = Reading()
    lists = ["open_blockers", "not_applicable_models"]
    fields = reading.record(document, "", ["now", "answers"], ["mode", *lists]) or {}
    now = _instant(reading, fields["now"], "", "now") if "now" in fields else None
    mode = reading.choice(fields.get("mode", "strict"), "", "mode", ("strict", "chain"))
    answers = _answers(reading, rules, fields.get("answers", []), now)
    blockers = [kind.id for model in rules.models for kind in model.blockers]
    open_blockers = _ids(reading, fields, "open_blockers", blockers)
    models = _ids(reading, fields, "not_applicable_models", [model.id for model in rules.models])
    reading.finish("The answers can't be scored. Please mend these places and try again:")
    return as_document(score(rules, answers, open_blockers, models, cast(Mode, mode), cast(datetime, now)))


def as_document(scores: Scores) -> dict[str, object]:
    """`scores` in the shape that `audit score` prints."""
    placement = scores.placement
    return {
        "criteria": {name: _criterion(each) for name, each in scores.criteria.items()},
        "models": dict(scores.models),
        "gates": {name: {"held_back_by": list(ids)} for name, ids in scores.held_back_by.items()},
        "operational_through": placement.operational_through,
        "working_model": placement.working_model,
        "reach": placement.reach,
        "skipped": [
            {"model": each.model, "severity": each.severity, "because": [str(why) for why in each.because]}
            for each in placement.skipped
        ],
    }


def _criterion(each: CriterionScore) -> dict[str, object]:
    return {
        "claimed": each.claimed,
        "counted": each.counted,
        "stale": each.stale,
        "confidence": each.confidence,
    }


def _ids(reading: Reading, fields: Mapping[str, object], field: str, allowed: list[str]) -> list[str]:
    rows = reading.rows(fields.get(field, []), field)
    read = [reading.choice(row, f"{field}[{index}]", "", allowed) for index, row in enumerate(rows)]
    return [name for name in read if name is not None]


def _instant(reading: Reading, value: object, where: str, field: str) -> datetime | None:
    text = reading.text(value, where, field)
    if text is None:
        return None
    try:
        return parse_instant(text)
    except (InputError, OverflowError) as error:
        at_the_edge = isinstance(error, OverflowError)
        reading.fault(where, field, "lies outside the calendar" if at_the_edge else str(error))
        return None


def _answers(reading: Reading, rules: Instrument, value: object, now: datetime | None) -> list[AnswerFact]:
    ids = [criterion.id for criterion in rules.criteria]
    rows = reading.rows(value, "answers")
    read = [_answer(reading, rules, ids, row, f"answers[{index}]", now) for index, row in enumerate(rows)]
    return [answer for answer in read if answer is not None]


def _answer(
    reading: Reading, rules: Instrument, ids: list[str], row: object, where: str, now: datetime | None
) -> AnswerFact | None:
    noted = len(reading.faults)
    special = isinstance(row, dict) and row.get("claimed") in _SPECIAL
    needed = ["criterion", "claimed", "at"] if special else ["criterion", "claimed", "evidence", "at"]
    fields = reading.record(row, where, needed, ["evidence", "approved"])
    if fields is None:
        return None
    criterion = (
        reading.choice(fields["criterion"], where, "criterion", ids) if "criterion" in fields else None
    )
    claimed = _claimed(reading, fields["claimed"], where) if "claimed" in fields else None
    evidence = _evidence(reading, rules, fields, where, special)
    approved = reading.flag(fields.get("approved", False), where, "approved")
    at = _instant(reading, fields["at"], where, "at") if "at" in fields else None
    if at is not None and now is not None and at > now:
        reading.fault(where, "at", f"{fields['at']} lies after now; an answer can't come from the future")
    if len(reading.faults) > noted or at is None:
        return None
    return AnswerFact(
        cast(str, criterion), cast(Claim, claimed), at, cast(EvidenceClass, evidence), bool(approved)
    )


def _claimed(reading: Reading, value: object, where: str) -> Claim | None:
    if value in _SPECIAL:
        return cast(Claim, value)
    if isinstance(value, str):
        reading.fault(
            where, "claimed", f"is {value!r}; a level from 0 to 4, unknown or not_applicable is needed"
        )
        return None
    return reading.whole(value, where, "claimed", LEVELS[-1])


def _evidence(
    reading: Reading, rules: Instrument, fields: Mapping[str, object], where: str, special: bool
) -> str | None:
    """The class of evidence; without a level to prove it may be left out."""
    value = fields.get("evidence")
    if (special and value is None) or "evidence" not in fields:
        return "E0"
    return reading.choice(value, where, "evidence", sorted(rules.evidence.classes))
