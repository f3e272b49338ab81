"""A placement in sentences for the lead: where the department stands, and why something counts as skipped."""

from __future__ import annotations

from collections.abc import Sequence

from bot.audit.gates import ACTIVE, ESTABLISHED, Reason, Skipped
from bot.audit.instrument import Instrument
from bot.audit.phrases import count_words, joined
from bot.audit.scoring import CriterionScore, Scores

MOST_REASONS = 2
"""Reasons shown of one model; the questions themselves show the rest."""

_HEADINGS = {
    "hard": "Skipped, and later work rests on it:",
    "soft": "Skipped, and worth a look:",
}


def placement_sentences(instrument: Instrument, scores: Scores) -> str:
    """Operational through, working on, already active in, skipped: one short paragraph of plain text."""
    parts = [_through(instrument, scores), _working(instrument, scores)]
    active = _active_beyond(instrument, scores)
    if active:
        parts.append(f"You are already active in {joined(active)}.")
    if scores.placement.skipped:
        skipped = [instrument.model(each.model).name for each in scores.placement.skipped]
        parts.append(f"Skipped on the way: {joined(skipped)}.")
    return " ".join(parts)


def placement_with_reasons(instrument: Instrument, scores: Scores) -> str:
    """The same with the skipped models as a list, each with its reason; light Markdown."""
    parts = [_through(instrument, scores), _working(instrument, scores)]
    active = _active_beyond(instrument, scores)
    if active:
        parts.append(f"You are already active in {joined(active)}.")
    blocks = [" ".join(parts)]
    for severity, heading in _HEADINGS.items():
        lines = [
            f"- {skipped_line(instrument, scores, each)}"
            for each in scores.placement.skipped
            if each.severity == severity
        ]
        if lines:
            blocks.append("\n".join((heading, "", *lines)))
    return "\n\n".join(blocks)


def provisional_sentences(instrument: Instrument, scores: Scores) -> str:
    """The first picture after sitting 1, when only the first model is known; says that it is provisional."""
    first = instrument.models[0]
    done = scores.placement.operational_through >= first.order
    standing = "is in place." if done else "is the ground to work on first."
    return (
        f"A first picture, still provisional: {first.name} ({first.in_short}) {standing}"
        f"{_not_asked_about(instrument, scores)}"
    )


def _not_asked_about(instrument: Instrument, scores: Scores) -> str:
    """How many later models wait for their first question; those that do not apply are not counted."""
    count = sum(scores.own[model.id] != "not_applicable" for model in instrument.models[1:])
    if not count:
        return ""
    others = "model" if count == 1 else f"{count_words(count)} models"
    return f" I haven't asked about the other {others} yet."


def _through(instrument: Instrument, scores: Scores) -> str:
    through = scores.placement.operational_through
    if through == 0:
        return "No model is fully in place yet, and that is where most teams begin."
    if through == len(instrument.models):
        return "All models that apply to you are in place."
    return f"In place up to model {through}, {instrument.models[through - 1].name}."


def _working(instrument: Instrument, scores: Scores) -> str:
    working = scores.placement.working_model
    if working is None:
        return "From here on it is about keeping it alive and making it better."
    model = instrument.model(working)
    return f"You are working on {model.name}: {model.in_short}."


def _active_beyond(instrument: Instrument, scores: Scores) -> list[str]:
    """Names of the models after the working one that already have something repeated in them."""
    working = scores.placement.working_model
    if working is None:
        return []
    start = instrument.model(working).order
    return [
        model.name
        for model in instrument.models[start:]
        if scores.own[model.id] != "not_applicable"
        and any(scores.criteria[c.id].level >= 2 for c in model.criteria if scores.criteria[c.id].applies)
    ]


def skipped_line(instrument: Instrument, scores: Scores, skipped: Skipped) -> str:
    """A skipped model with what it lacks: its own questions first, then who waits for it."""
    own = [reason_words(instrument, scores, each) for each in skipped.because if each.kind != "requirement"]
    waiting = [each for each in skipped.because if each.kind == "requirement"]
    said = own[:MOST_REASONS] or [_needed(instrument, waiting)]
    return f"**{instrument.model(skipped.model).name}**: {', '.join(said)}"


def _needed(instrument: Instrument, waiting: Sequence[Reason]) -> str:
    """Who needs it: "needed for Expert Capability"."""
    names = dict.fromkeys(instrument.model(each.needed_by or "").name for each in waiting)
    return f"needed for {joined(list(names))}"


def reason_words(instrument: Instrument, scores: Scores, reason: Reason) -> str:
    """One reason of a model's own in words, without a full stop."""
    if reason.kind == "blocker":
        return f"“{instrument.blocker(reason.subject).label}” is still in the way"
    name = instrument.criterion(reason.subject).name
    needed = ACTIVE if reason.kind == "critical_below" else ESTABLISHED
    return f"“{name}” needs level {needed} ({_stands(scores.criteria[reason.subject])})"


def _stands(score: CriterionScore) -> str:
    """Where a question stands: nobody is told of a level that was never given."""
    if score.claimed is None:
        return "not asked yet"
    if score.claimed == "unknown":
        return "still to find out"
    if score.claimed == "not_applicable":
        return "nobody has confirmed yet that it does not apply"
    return "the answer is out of date" if score.stale else f"now {score.level}"
