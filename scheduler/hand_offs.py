"""What a digest asks to be decided about processes with agents at work: who owns them, and hand-overs to a
department without the ground for it. From frozen figures; departments that may not be shown are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from bot.audit.gates import CLEAN
from bot.audit.instrument import Instrument
from bot.audit.phrases import joined
from bot.messages import plain
from scheduler.decisions import Decision
from scheduler.figures import DepartmentWeek, ProcessFigure
from scheduler.phrases import names

NO_OWNER, WEAK = 60, 55
"""Weights among the other decisions: after what is unsafe in a department, before its blockers."""


def process_decisions(
    instrument: Instrument, processes: Iterable[ProcessFigure], shown: Sequence[DepartmentWeek], by: date
) -> Iterator[Decision]:
    """Processes that nobody owns, or whose agents hand work to a weak department."""
    weeks = {week.slug: week for week in shown}
    for process in processes:
        weak = _weak(instrument, process, weeks)
        if not process.owned:
            yield _no_owner(process, by)
        elif weak:
            yield _weak_hand_over(instrument, process, weak, by)


def _no_owner(process: ProcessFigure, by: date) -> Decision:
    count = len(set(process.departments))
    return Decision(
        about=f"process:{process.name}",
        weight=NO_OWNER,
        what=f"Name one owner for “{plain(process.name)}”.",
        who="You",
        by=by,
        cost=f"Agents work in it across {count} departments, and nobody answers for the result.",
    )


def _weak_hand_over(
    instrument: Instrument, process: ProcessFigure, weak: Sequence[DepartmentWeek], by: date
) -> Decision:
    lacking = dict.fromkeys(model for week in weak for model in _lacking(instrument, week))
    models = [instrument.model(model).name for model in lacking]
    return Decision(
        about=f"process:{process.name}",
        weight=WEAK,
        what=f"Have a person look at what agents hand to {names([week.name for week in weak])} in "
        f"“{plain(process.name)}”.",
        who="Its owner",
        by=by,
        cost=f"{joined(models)} {'is' if len(models) == 1 else 'are'} not in place there yet.",
    )


def _weak(
    instrument: Instrument, process: ProcessFigure, weeks: dict[str, DepartmentWeek]
) -> list[DepartmentWeek]:
    """The departments that get work from another one and lack models that agents rest on."""
    pairs = zip(process.departments, process.departments[1:], strict=False)
    down = dict.fromkeys(down for up, down in pairs if up != down and down in weeks)
    return [weeks[name] for name in down if _lacking(instrument, weeks[name])]


def _lacking(instrument: Instrument, week: DepartmentWeek) -> list[str]:
    needed = [each.model for each in instrument.models[-1].hard_requires if each.criterion is None]
    return [model for model in needed if week.states.get(model) not in (*CLEAN, "not_applicable")]
