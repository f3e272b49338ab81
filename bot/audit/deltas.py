"""What changed between two answers to one criterion, in the honest classes of `re_audit_flow`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.audit.instrument import Instrument
from bot.audit.scoring import AnswerFact, is_stale

Delta = Literal["up_evidenced", "up_claimed", "confirmed", "carried", "down", "stale", "not_comparable"]

ARROWS: dict[Delta, Literal["up", "down"]] = {"up_evidenced": "up", "down": "down"}
"""The only classes that are drawn with an arrow."""


@dataclass(frozen=True, slots=True)
class Rated:
    """An answer with what decides whether it can be compared.

    `version` is the instrument's `major.minor.patch` at the time, `new_evidence` says that something was
    added that had not been given before, `new_lead` that the department's lead has changed since the
    answer before.
    """

    answer: AnswerFact
    version: str
    new_evidence: bool = False
    new_lead: bool = False


def delta(
    instrument: Instrument, before: Rated | None, after: Rated, now: datetime, *, anchor_changed: bool = False
) -> Delta | None:
    """The class of change from `before` to `after`; None for a first answer.

    A move from or to "unknown" or "not_applicable" is not comparable: finding out is no rise, and not
    knowing is no fall. Where the counted level stays, a higher claim is `up_claimed`; all else is the
    same level.
    """
    if is_stale(instrument, after.answer, now):
        return "stale"
    if before is None:
        return None
    if anchor_changed or after.new_lead or _line(before.version) != _line(after.version):
        return "not_comparable"
    old, new = before.answer, after.answer
    if not isinstance(old.claimed, int) or not isinstance(new.claimed, int):
        return "not_comparable"
    counted = min(old.claimed, instrument.cap(old.evidence)), min(new.claimed, instrument.cap(new.evidence))
    if counted[0] != counted[1]:
        return "up_evidenced" if counted[1] > counted[0] else "down"
    if new.claimed > old.claimed:
        return "up_claimed"
    return "confirmed" if after.new_evidence else "carried"


def _line(version: str) -> str:
    return version.rsplit(".", 1)[0]
