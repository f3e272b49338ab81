"""The company's view in words: what is covered, where the gaps are, what to do next and why, and the
processes that cross departments. Each part can be asked for by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.audit.company import Action, CompanyView
from bot.audit.company_questions import Topic
from bot.audit.gates import CLEAN, ESTABLISHED
from bot.audit.instrument import Instrument
from bot.audit.parts import ValueModel
from bot.audit.phrases import joined
from bot.audit.processes import Readiness, path_words, what_it_lacks
from bot.audit.result import STATES, level_text, state_text
from bot.audit.scoring import Scores
from bot.messages import Table, plain

MOST_ACTIONS, MOST_OF_A_KIND = 6, 2
MOST_GAPS, MOST_PROCESSES, MOST_NAMES, MOST_ROWS = 3, 6, 4, 60

_AT_WORK = {"planned": "planned", "trial": "agents on trial", "live": "agents at work"}


def paragraphs(instrument: Instrument, view: CompanyView, names: dict[str, str], topic: Topic) -> list[str]:
    """The parts that answer `topic`. `names` are those of the departments that are known, by id."""
    parts = {
        "covered": lambda: covered(instrument, view, names),
        "gaps": lambda: gaps(instrument, view, names),
        "next": lambda: next_actions(view.actions),
        "processes": lambda: processes(view.processes),
    }
    wanted = {"stand": ("covered", "gaps", "next", "processes"), "next": ("next", "processes")}
    said = [parts[part]() for part in wanted.get(topic, (topic,))]
    return [each for each in said if each]


def covered(instrument: Instrument, view: CompanyView, names: dict[str, str]) -> str:
    """In how many departments each model is in place, and where."""
    if not view.map:
        return ""
    lines = [_model_line(model, view, names) for model in instrument.models]
    return "**What is covered**\n\n" + "\n".join(lines)


def _model_line(model: ValueModel, view: CompanyView, names: dict[str, str]) -> str:
    states = {department: states[model.id] for department, states in view.map.items()}
    there = [names[department] for department, state in states.items() if state in CLEAN]
    counts = Counter(STATES[state] for state in states.values() if state not in CLEAN)
    said = [f"in place in {_some(there)}" if there else "nowhere yet"]
    said += [f"{word} in {counts[word]}" for word in ("being built", "first tries") if counts[word]]
    if counts[STATES["not_applicable"]]:
        said.append(f"does not apply to {counts[STATES['not_applicable']]}")
    return f"- {model.name}: {', '.join(said)}"


def _some(names: Sequence[str]) -> str:
    """'4 departments (HR, Legal, Sales and 1 more)'."""
    shown = [plain(name) for name in names]
    if len(shown) > MOST_NAMES:
        shown = [*shown[: MOST_NAMES - 1], f"{len(shown) - MOST_NAMES + 1} more"]
    count = "1 department" if len(names) == 1 else f"{len(names)} departments"
    return f"{count} ({joined(shown)})"


def gaps(instrument: Instrument, view: CompanyView, names: dict[str, str]) -> str:
    """What most departments still work on; what keeps people safe is said so."""
    lines = []
    for shared in view.shared_gaps[:MOST_GAPS]:
        criterion = instrument.criterion(shared.subject)
        safe = ", and it keeps people safe" if criterion.critical else ""
        where = _some([names[each] for each in shared.departments])
        lines.append(f"- “{criterion.name}”, for {instrument.model(criterion.model_id).name}: {where}{safe}")
    return "**Where most gaps are**\n\n" + "\n".join(lines) if lines else ""


def next_actions(actions: Sequence[Action]) -> str:
    """The first actions in their order, at most two of a kind, so that no kind hides the others."""
    chosen: list[Action] = []
    for action in actions:
        if sum(each.kind == action.kind for each in chosen) < MOST_OF_A_KIND:
            chosen.append(action)
    chosen = chosen[:MOST_ACTIONS]
    lines = [f"{number}. {plain(each.why.rstrip('.'))}." for number, each in enumerate(chosen, start=1)]
    left = len(actions) - len(chosen)
    more = f"\n\n_{left} more after these._" if left else ""
    return "**What to do next, in this order**\n\n" + "\n".join(lines) + more if lines else ""


def one_department(instrument: Instrument, name: str, scores: Scores, as_a_whole: bool = False) -> str:
    """Where one department stands, and what it works on now, with its gaps there unless `as_a_whole`; no
    word of what anybody said.
    """
    states = "\n".join(f"- {model.name}: {state_text(model, scores)}" for model in instrument.models)
    working = scores.placement.working_model
    ahead = "Every model that applies is in place."
    if working is not None:
        model = instrument.model(working)
        gaps = [
            f"“{each.name}” ({level_text(scores.criteria[each.id])})"
            for each in model.criteria
            if scores.criteria[each.id].applies
            and scores.criteria[each.id].claimed is not None
            and scores.criteria[each.id].level < ESTABLISHED
        ]
        below = f" Below level {ESTABLISHED} there: {joined(gaps)}." if gaps and not as_a_whole else ""
        ahead = f"It works on {model.name} now.{below}"
    return f"**Where {plain(name)} stands**\n\n{states}\n\n{ahead}"


def processes(found: Sequence[Readiness]) -> str:
    """Each process with its way, its owner and what it lacks."""
    lines = [f"- {in_a_line(each)}" for each in found[:MOST_PROCESSES]]
    left = len(found) - len(lines)
    more = f"\n\n_And {left} more._" if left else ""
    return "**Processes across departments**\n\n" + "\n".join(lines) + more if lines else ""


def in_a_line(each: Readiness) -> str:
    """Its way, its owner, how far agents are, and what it lacks."""
    process = each.process
    state = _AT_WORK[process.state] if process.agents else "no agents yet"
    owner = f"{process.owner} answers for it" if process.owner else "nobody answers for it yet"
    lacks = "Everything is there."
    if each.missing:
        needs = "Missing" if process.at_work else "Before agents take part it needs"
        lacks = f"{needs}: {'; '.join(what_it_lacks(each))}."
    return (
        f"**{plain(process.name)}** ({plain(path_words(process))}): {state}; {plain(owner)}. {plain(lacks)}"
    )


def map_table(instrument: Instrument, names: Sequence[tuple[str, str]], view: CompanyView) -> Table:
    """Departments by models, in the order given; one of which nothing is known or shown has dashes."""
    rows = []
    for slug, name in names:
        states = view.map.get(slug)
        cells = ("–",) * len(instrument.models)
        if states:
            cells = tuple(STATES[states[model.id]] for model in instrument.models)
        rows.append((name, *cells))
    if len(rows) > MOST_ROWS:
        left = (f"{len(rows) - MOST_ROWS} more", *("…",) * len(instrument.models))
        rows = [*rows[:MOST_ROWS], left]
    return Table(
        caption="Where each department stands in the five models",
        columns=("Department", *(model.name for model in instrument.models)),
        rows=tuple(rows),
    )
