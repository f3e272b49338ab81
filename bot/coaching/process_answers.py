"""The processes that pass through the own department: from whom work comes, to whom it goes, what is
missing here.
"""

from __future__ import annotations

from bot.audit.instrument import Instrument
from bot.audit.phrases import joined
from bot.audit.processes import Process, path_words, readiness
from bot.audit.scoring import Scores
from bot.messages import Message, plain
from bot.store.tables import Department


def through_department(
    found: list[Process], department: Department, scores: Scores, instrument: Instrument
) -> Message:
    """Each process with its way and its owner. Of other departments only their place is shown."""
    crossing = [each for each in found if each.state != "stopped"]
    if not crossing:
        return Message(
            text=f"I know of no process across departments that passes through {plain(department.name)}. The "
            "audit asks for it, or your admin can add it to the organisation file."
        )
    lines = [
        f"- **{plain(each.name)}**: {plain(path_words(each))}. {plain(_owner(each))}" for each in crossing
    ]
    text = f"Through {plain(department.name)} pass:\n\n" + "\n".join(lines)
    lacks = readiness(instrument, crossing[0], {department.slug: scores}).lacks.get(department.slug, ())
    if lacks:
        text += f"\n\nBefore agents hand work to you, {joined(lacks)} should be in place."
    return Message(kind="result", text=text)


def _owner(process: Process) -> str:
    return (
        f"{process.owner} answers for the result." if process.owner else "Nobody answers for the result yet."
    )
