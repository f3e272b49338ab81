"""From answers to scores: what each criterion counts as, and everything that follows from it.

Pure: the instrument, the answers, the open blockers and the instant go in, `Scores` come out. The rules
are the sections `evidence`, `freshness`, `confidence` and `gates` of the instrument; states, gates and
placement follow in `bot.audit.gates`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.audit.gates import Mode, ModelState, Placement, Ratings, held_back_by, own_states, place
from bot.audit.instrument import Instrument
from bot.audit.parts import EvidenceClass

Claim = int | Literal["unknown", "not_applicable"]
Agreement = Literal["single_rater", "same_level", "one_level_apart", "two_or_more_apart_unresolved"]
Band = Literal["high", "medium", "low"]

SECONDS_A_DAY = 86_400

STILL_TRUE_DAYS = 45
"""What one tap on 'still true' adds to the life of an answer, once."""


@dataclass(frozen=True, slots=True)
class AnswerFact:
    """One answer to one criterion, given at `at` (with an offset).

    `claimed` is a level 0 to 4, or one of the special answers. `evidence` is needed with a level.
    `approved` is about a not_applicable. `still_true`: reconfirmed once by a tap. `ended_early`: an event
    such as a new lead ended its life. `agreement` says how a second rater answered.
    """

    criterion: str
    claimed: Claim
    at: datetime
    evidence: EvidenceClass = "E0"
    approved: bool = False
    still_true: bool = False
    ended_early: bool = False
    agreement: Agreement = "single_rater"


@dataclass(frozen=True, slots=True)
class CriterionScore:
    """What one criterion says and counts as. The first four fields are shown, the last two decide.

    `counted` is the claimed level after the cap of its evidence, also when stale; `confidence` runs from
    0 to 1 and is not rounded. `level` is what every gate uses: 0 for unanswered, unknown, stale, and a
    not_applicable that is not approved or has expired. `applies` is False only for an approved
    not_applicable that lives.
    """

    claimed: Claim | None = None
    counted: int | None = None
    stale: bool | None = None
    confidence: float | None = None
    level: int = 0
    applies: bool = True


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything that follows from a department's answers at one instant.

    `own` holds each model's state by its own criteria and blockers, `models` the state that is reported:
    while its gate is shut a model is reported as building at most. `held_back_by` names the models and
    criteria that keep each gate shut.
    """

    mode: Mode
    criteria: Mapping[str, CriterionScore]
    own: Mapping[str, ModelState]
    models: Mapping[str, ModelState]
    held_back_by: Mapping[str, tuple[str, ...]]
    placement: Placement
    open_blockers: frozenset[str] = frozenset()


def score(
    instrument: Instrument,
    answers: Iterable[AnswerFact],
    open_blockers: Collection[str],
    not_applicable_models: Collection[str],
    mode: Mode,
    now: datetime,
) -> Scores:
    """Score one department. Of several answers to a criterion the latest counts, of equal times the later
    one.

    Answers, blockers and models must be known to the instrument and no answer may lie after `now`; the reader
    of the input has checked that.
    """
    latest = latest_answers(answers)
    ids = [criterion.id for criterion in instrument.criteria]
    criteria = {name: criterion_score(instrument, latest.get(name), now) for name in ids}
    ratings = Ratings(
        instrument=instrument,
        levels={name: each.level for name, each in criteria.items() if each.applies},
        open_blockers=frozenset(open_blockers),
        not_applicable_models=frozenset(not_applicable_models),
    )
    own = own_states(ratings)
    models, held = held_back_by(ratings, own, mode)
    placement = place(ratings, own, models)
    return Scores(mode, criteria, own, models, held, placement, ratings.open_blockers)


def latest_answers(answers: Iterable[AnswerFact]) -> dict[str, AnswerFact]:
    """The answer that counts for each criterion: the latest, of equal times the one that comes later."""
    latest: dict[str, AnswerFact] = {}
    for answer in answers:
        known = latest.get(answer.criterion)
        if known is None or answer.at >= known.at:
            latest[answer.criterion] = answer
    return latest


def criterion_score(instrument: Instrument, answer: AnswerFact | None, now: datetime) -> CriterionScore:
    """What one answer, or none, counts as at `now`."""
    if answer is None:
        return CriterionScore()
    stale = is_stale(instrument, answer, now)
    if answer.claimed == "unknown":
        return CriterionScore("unknown", counted=0)
    if answer.claimed == "not_applicable":
        return CriterionScore("not_applicable", applies=not answer.approved or stale)
    counted = min(answer.claimed, instrument.cap(answer.evidence))
    return CriterionScore(
        claimed=answer.claimed,
        counted=counted,
        stale=stale,
        confidence=confidence(instrument, answer, now),
        level=0 if stale else counted,
    )


def age_days(at: datetime, now: datetime) -> float:
    """The age of an answer in days of 86,400 seconds, not rounded."""
    return (now - at).total_seconds() / SECONDS_A_DAY


def is_stale(instrument: Instrument, answer: AnswerFact, now: datetime) -> bool:
    """Whether the answer is past its life: older than 180 days, 45 more after 'still true', or ended
    early.
    """
    life = instrument.freshness.stale_after_days + (STILL_TRUE_DAYS if answer.still_true else 0)
    return answer.ended_early or age_days(answer.at, now) > life


def is_ageing(instrument: Instrument, answer: AnswerFact, now: datetime) -> bool:
    """Whether the answer still counts but is due for a fresh look."""
    old = age_days(answer.at, now) > instrument.freshness.ageing_after_days
    return old and not is_stale(instrument, answer, now)


def may_say_still_true(answer: AnswerFact) -> bool:
    """'Still true' is offered once, for a level; after that, or after an early end, a fresh case is asked
    for.
    """
    return isinstance(answer.claimed, int) and not answer.still_true and not answer.ended_early


def confidence(instrument: Instrument, answer: AnswerFact, now: datetime) -> float:
    """evidence weight * 0.5^(age / half-life) * agreement weight, from 0 to 1."""
    rules = instrument.confidence
    half_life = instrument.freshness.half_life_days[answer.criterion.split("-")[0]]
    decay = 0.5 ** (age_days(answer.at, now) / half_life)
    return float(rules.evidence_weight[answer.evidence] * decay * rules.agreement_weight[answer.agreement])


def confidence_band(instrument: Instrument, value: float) -> Band:
    """The word for a confidence: each band starts at its limit."""
    bands = instrument.confidence.bands
    if value >= bands["high"]:
        return "high"
    return "medium" if value >= bands["medium"] else "low"
