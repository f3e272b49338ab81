"""The second rater: when one is asked, how two answers are settled, and whether the anchors are clear enough.

The rules are the section `second_rater` of the instrument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.audit.parts import LEVELS, Criterion, EvidenceClass
from bot.audit.scoring import Agreement, Claim

HIGH_CLAIM = 3
BIG_RISE = 2
SAMPLED_SHARE = 0.1
TIME_TO_SETTLE = timedelta(days=7)
PAIRS_FOR_KAPPA = 30
CLEAR_ANCHORS = 0.6
"""Below this kappa the anchors are rewritten; the raters are not blamed."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What stands after a second answer. `contested`: still far apart when the time to settle was over.

    `ask_for_cases`: both are asked for one recent case, and the first answer stands meanwhile.
    `show_anchors`: the lead is shown both anchors side by side.
    """

    level: int
    agreement: Agreement
    contested: bool = False
    ask_for_cases: bool = False
    show_anchors: bool = False


def wants_second_rater(criterion: Criterion, claimed: Claim, last_time: Claim | None, draw: float) -> bool:
    """Whether a team member is asked the same question. `draw` is a chance from 0 to 1, handed in.

    Levels 3 and 4 on a critical criterion, a rise of two or more, and a tenth of all other levels.
    """
    if not isinstance(claimed, int):
        return False
    if criterion.critical and claimed >= HIGH_CLAIM:
        return True
    risen = isinstance(last_time, int) and claimed - last_time >= BIG_RISE
    return risen or draw < SAMPLED_SHARE


def agreement_of(first: int, second: int) -> Agreement:
    """How far two levels for one criterion lie apart."""
    apart = abs(first - second)
    if apart == 0:
        return "same_level"
    return "one_level_apart" if apart == 1 else "two_or_more_apart_unresolved"


def settle(first: int, second: int, asked_at: datetime, now: datetime) -> Settlement:
    """What stands after the lead answered `first` and a team member, without seeing it, `second`."""
    agreement = agreement_of(first, second)
    if agreement == "same_level":
        return Settlement(first, agreement)
    if agreement == "one_level_apart":
        return Settlement(min(first, second), agreement, show_anchors=True)
    if now - asked_at < TIME_TO_SETTLE:
        return Settlement(first, agreement, ask_for_cases=True)
    return Settlement(min(first, second), agreement, contested=True)


def corroborated(evidence: EvidenceClass) -> EvidenceClass:
    """The class of evidence once a second person answered unseen: an artefact is then corroborated."""
    return "E3" if evidence == "E2" else evidence


def weighted_kappa(pairs: Sequence[tuple[int, int]]) -> float | None:
    """Cohen's kappa with quadratic weights over pairs of levels, at most 1; None below 30 pairs.

    Also None when chance alone could not disagree (every rater always gives one and the same level).
    """
    if len(pairs) < PAIRS_FOR_KAPPA:
        return None
    seen = sum((a - b) ** 2 for a, b in pairs) / len(pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    by_chance = sum((a - b) ** 2 * first[a] * second[b] for a in LEVELS for b in LEVELS) / len(pairs) ** 2
    return None if by_chance == 0 else 1 - seen / by_chance
