"""A placement in sentences for the lead: where the department stands, and why something counts as skipped."""

from __future__ import annotations

from collections.abc import Sequence

from bot.audit.gates import Reason, Skipped
from bot.audit.instrument import Instrument
from bot.audit.scoring import Scores


def placement_sentences(instrument: Instrument, scores: Scores) -> str:
    """Operational through, working on, already active in, skipped with the reason; plain text."""
    parts = [_through(instrument, scores), _working(instrument, scores)]
    active = _active_beyond(instrument, scores)
    if active:
        parts.append(f"You are already active in {joined(active)}.")
    parts += [skipped_sentence(instrument, each) for each in scores.placement.skipped]
    return " ".join(parts)


def provisional_sentences(instrument: Instrument, scores: Scores) -> str:
    """The first picture after sitting 1, when only the first model is known; says that it is provisional."""
    first = instrument.models[0]
    done = scores.placement.operational_through >= first.order
    standing = f"{first.name} is in place." if done else f"{first.name} is the ground to work on first."
    return (
        f"A first picture, still provisional: {standing} "
        f"The other {len(instrument.models) - 1} models have not been asked about yet."
    )


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
    return f"You are working on {instrument.model(working).name}."


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


def skipped_sentence(instrument: Instrument, skipped: Skipped) -> str:
    """What was skipped, how much that matters, and why."""
    name = instrument.model(skipped.model).name
    reasons = joined([reason_words(instrument, reason) for reason in skipped.because])
    if skipped.severity == "hard":
        return f"{name} was skipped and later work rests on it: {reasons}."
    return f"{name} is not fully in place yet, which is worth a look: {reasons}."


def reason_words(instrument: Instrument, reason: Reason) -> str:
    """One reason in words, without a full stop."""
    if reason.kind == "requirement":
        needed_by = instrument.model(reason.needed_by or "").name
        return f"{needed_by} needs {_subject(instrument, reason.subject)}"
    if reason.kind == "blocker":
        return f"a blocker is open, “{instrument.blocker(reason.subject).label}”"
    name = instrument.criterion(reason.subject).name
    if reason.kind == "critical_below":
        return f"“{name}” stands at level {reason.level} and should be at least at 2 for safety"
    return f"“{name}” stands at level {reason.level} of the 3 it needs"


def _subject(instrument: Instrument, requirement: str) -> str:
    """`"WE operational"` or `"EC-2 at counted level 3"` with names instead of ids."""
    subject, _, rest = requirement.partition(" ")
    if rest == "operational":
        return f"{instrument.model(subject).name} to be in place"
    return f"“{instrument.criterion(subject).name}” at level {rest.rsplit(' ', 1)[-1]}"


def joined(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
