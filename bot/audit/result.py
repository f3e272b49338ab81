"""Where a department stands, in words and one table. Figures come from `Scores`; nothing is computed here."""

from __future__ import annotations

from bot.audit.gates import Reason, Skipped
from bot.audit.instrument import Instrument
from bot.audit.parts import ValueModel
from bot.audit.scoring import CriterionScore, Scores
from bot.messages import Message, Table, plain

STATES = {
    "not_started": "not started",
    "exploring": "first tries",
    "building": "being built",
    "operational": "in place",
    "steering": "in place and steered",
    "not_applicable": "does not apply",
}
"""The states of the instrument in plain words."""


def placement_message(instrument: Instrument, department: str, scores: Scores, provisional: bool) -> Message:
    """The placement with its reasons and the table of all criteria."""
    heading = f"**Where {plain(department)} stands**"
    if provisional:
        heading += " (a first picture: only the first field has been asked)"
    text = "\n".join([heading, "", *_lines(instrument, scores)])
    return Message(kind="result", text=text, table=_table(instrument, scores))


def _lines(instrument: Instrument, scores: Scores) -> list[str]:
    placed = scores.placement
    models = {model.order: model for model in instrument.models}
    active = [
        models[order].name
        for order in range(placed.operational_through + 1, placed.reach + 1)
        if any(scores.criteria[c.id].level >= 2 for c in models[order].criteria)
        and models[order].id != placed.working_model
    ]
    through = [models[order].name for order in range(1, placed.operational_through + 1)]
    lines = [f"- In place: {', '.join(through) if through else 'none of the five yet'}"]
    if placed.working_model is not None:
        lines.append(f"- Working on: **{instrument.model(placed.working_model).name}**")
    if active:
        lines.append(f"- Already active in: {', '.join(active)}")
    lines += [f"- Skipped: {skip_text(instrument, skip)}" for skip in placed.skipped]
    return lines


def skip_text(instrument: Instrument, skipped: Skipped) -> str:
    """The name of a skipped model with the first reasons, in words."""
    reasons = "; ".join(reason_text(instrument, reason) for reason in skipped.because[:2])
    weight = "worth closing first" if skipped.severity == "hard" else "worth an eye"
    return f"{instrument.model(skipped.model).name}, {weight}: {reasons}"


def reason_text(instrument: Instrument, reason: Reason) -> str:
    """One reason as a person says it."""
    if reason.kind == "requirement":
        active = instrument.model(reason.needed_by or "").name
        return f"{active} builds on {_requirement(instrument, reason.subject)}, which is not there yet"
    if reason.kind == "blocker":
        return f"open: {_small(instrument.blocker(reason.subject).label)}"
    name = _small(instrument.criterion(reason.subject).name)
    return f"{name} is at level {reason.level} of 4"


def _requirement(instrument: Instrument, text: str) -> str:
    subject, _, level = text.partition(" at counted level ")
    if level:
        return f"{_small(instrument.criterion(subject).name)} at level {level}"
    return f"{instrument.model(subject.split()[0]).name} in place"


def _small(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _table(instrument: Instrument, scores: Scores) -> Table:
    rows = tuple(
        (model.name, STATES[scores.models[model.id]], _levels(model, scores)) for model in instrument.models
    )
    return Table(
        caption="What counts today, level 0 to 4 for each of the four questions",
        columns=("Field", "State", "Levels"),
        rows=rows,
    )


def _levels(model: ValueModel, scores: Scores) -> str:
    return "  ".join(level_text(scores.criteria[criterion.id]) for criterion in model.criteria)


def level_text(score: CriterionScore) -> str:
    """A criterion in a cell: its counted level, `old` behind it when stale, a word for the special answers."""
    if score.claimed is None:
        return "–"
    if score.claimed == "unknown":
        return "?"
    if score.claimed == "not_applicable":
        return "n/a" if not score.applies else "n/a?"
    return f"{score.counted} (old)" if score.stale else str(score.counted)
