"""Where a department stands, as a message: the sentences, and one table of all models."""

from __future__ import annotations

from bot.audit.instrument import Instrument
from bot.audit.parts import ValueModel
from bot.audit.placement_words import placement_with_reasons, provisional_sentences
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
    """The placement with its reasons and the table of all models."""
    sentences = (provisional_sentences if provisional else placement_with_reasons)(instrument, scores)
    return Message(
        kind="result",
        text=f"**Where {plain(department)} stands**\n\n{sentences}",
        table=_table(instrument, scores, instrument.models[:1] if provisional else instrument.models),
    )


def _table(instrument: Instrument, scores: Scores, models: tuple[ValueModel, ...]) -> Table:
    rows = tuple((model.name, state_text(model, scores), _levels(model, scores)) for model in models)
    signs = "– not asked, ? to find out"
    if any("n/a?" in row[2] for row in rows):
        signs = f"{signs}, n/a? waits to be confirmed"
    return Table(
        caption=f"What counts today: level 0 to 4 for each of the four questions ({signs})",
        columns=("Model", "State", "Levels"),
        rows=rows,
    )


def state_text(model: ValueModel, scores: Scores) -> str:
    """The state of a model in plain words. One that was never asked about is not said to lack anything."""
    asked = any(scores.criteria[criterion.id].claimed is not None for criterion in model.criteria)
    state = scores.models[model.id]
    return STATES[state] if asked or state != "not_started" else "not asked yet"


def _levels(model: ValueModel, scores: Scores) -> str:
    return "  ".join(level_text(scores.criteria[criterion.id]) for criterion in model.criteria)


def level_text(score: CriterionScore) -> str:
    """A criterion in a cell: its counted level, `old` behind it when stale, a sign for the special
    answers.
    """
    if score.claimed is None:
        return "–"
    if score.claimed == "unknown":
        return "?"
    if score.claimed == "not_applicable":
        return "n/a?" if score.applies else "n/a"
    return f"{score.counted} (old)" if score.stale else str(score.counted)
