"""The company's map from all departments' scores: pockets, shared obstacles, and what to do next and why.

Pure. Departments are never ranked: everything stands in the order in which the departments were handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.audit.gates import ACTIVE, CLEAN, ESTABLISHED, ModelState
from bot.audit.instrument import Instrument
from bot.audit.parts import ValueModel
from bot.audit.phrases import joined
from bot.audit.processes import HandOff, Process, Readiness, in_order, what_it_lacks
from bot.audit.scoring import Scores

STRONG: tuple[ModelState, ...] = ("building", *CLEAN)
SHARED_FROM = 2
MOST_NAMES = 4
ActionKind = Literal["hard_skip", "shared_blocker", "hand_off", "deploy", "prepare", "shared_gap", "spread"]


@dataclass(frozen=True, slots=True)
class DepartmentScores:
    """One department with its scores. `id` is stable, `name` is what people read."""

    id: str
    name: str
    scores: Scores


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that several departments have in common: a blocker's or a criterion's id, and where."""

    subject: str
    departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pocket:
    """A model in which a department is strong although it still works on an earlier one."""

    department: str
    model: str
    state: ModelState


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do next: what it is about (an id or a process), for which departments, and why in
    words.
    """

    kind: ActionKind
    subject: str
    departments: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class CompanyView:
    """`map` holds each department's reported state per model; `actions` stand in the order to take them
    in.
    """

    map: Mapping[str, Mapping[str, ModelState]]
    pockets: tuple[Pocket, ...]
    shared_blockers: tuple[Shared, ...]
    shared_gaps: tuple[Shared, ...]
    processes: tuple[Readiness, ...]
    actions: tuple[Action, ...]


def company_view(
    instrument: Instrument, departments: Sequence[DepartmentScores], processes: Sequence[Process] = ()
) -> CompanyView:
    """The view of the whole company.

    Order of actions: models that later work already rests on without ground (they can do harm); critical
    blockers, then others, that stop several departments (one removal helps all); processes in which agents
    already hand work to a department that is not ready, or that nobody owns; processes that are ready for
    agents, then the one that lacks least; the gaps most departments work on; pockets others can learn from.
    """
    pockets = tuple(_pockets(instrument, departments))
    blockers = _shared(departments, lambda each: sorted(each.scores.open_blockers))
    blockers = sorted(blockers, key=lambda each: not instrument.blocker(each.subject).critical)
    gaps = _shared(departments, lambda each: _gaps(instrument, each.scores))
    names = {each.id: each.name for each in departments}
    named = [replace(each, names=names | dict(each.names or {})) for each in processes]
    across = in_order(instrument, named, {each.id: each.scores for each in departments})
    actions = [
        *_hard_skips(instrument, departments),
        *(_blocker_action(instrument, each) for each in blockers),
        *_hand_offs(across),
        *_deployments(across),
        *(_gap_action(instrument, each, departments) for each in gaps),
        *_spread(instrument, departments, pockets),
    ]
    return CompanyView(
        map={each.id: each.scores.models for each in departments},
        pockets=pockets,
        shared_blockers=tuple(blockers),
        shared_gaps=tuple(gaps),
        processes=tuple(across),
        actions=tuple(actions),
    )


def _shared(
    departments: Sequence[DepartmentScores], subjects: Callable[[DepartmentScores], list[str]]
) -> list[Shared]:
    """What at least two departments have in common, the most widespread first."""
    found: dict[str, list[str]] = {}
    for each in departments:
        for subject in subjects(each):
            found.setdefault(subject, []).append(each.id)
    common = [Shared(subject, tuple(ids)) for subject, ids in found.items() if len(ids) >= SHARED_FROM]
    return sorted(common, key=lambda each: (-len(each.departments), each.subject))


def _gaps(instrument: Instrument, scores: Scores) -> list[str]:
    """The criteria below 3 of the model that the department works on."""
    working = scores.placement.working_model
    if working is None:
        return []
    rated = {criterion.id: scores.criteria[criterion.id] for criterion in instrument.model(working).criteria}
    return [name for name, each in rated.items() if each.applies and each.level < ESTABLISHED]


def _pockets(instrument: Instrument, departments: Sequence[DepartmentScores]) -> Iterator[Pocket]:
    for each in departments:
        for model in _later_models(instrument, each.scores):
            if each.scores.own[model.id] in STRONG:
                yield Pocket(each.id, model.id, each.scores.own[model.id])


def _later_models(instrument: Instrument, scores: Scores) -> list[ValueModel]:
    working = scores.placement.working_model
    if working is None:
        return []
    order = instrument.model(working).order
    return [model for model in instrument.models if model.order > order]


def _hard_skips(instrument: Instrument, departments: Sequence[DepartmentScores]) -> Iterator[Action]:
    """Each department stands under the first model that it skips: what comes later can wait for that."""
    first = {each.id: _first_hard_skip(each) for each in departments}
    for model in instrument.models:
        skipping = [each for each in departments if first[each.id] == model.id]
        if skipping:
            already = "it already works" if len(skipping) == 1 else "they already work"
            why = (
                f"{_to_begin_with(instrument, model, skipping)} in {_listed(skipping)}: {already} beyond "
                f"{model.name}, and that is not safe before this holds"
            )
            yield Action("hard_skip", model.id, tuple(each.id for each in skipping), why)


def _first_hard_skip(each: DepartmentScores) -> str | None:
    """Skipped models stand in their order."""
    return next((skip.model for skip in each.scores.placement.skipped if skip.severity == "hard"), None)


def _to_begin_with(instrument: Instrument, model: ValueModel, skipping: Sequence[DepartmentScores]) -> str:
    """What is missing there: critical questions that are not safe, else the lowest ones; two at most."""
    rated = [
        (criterion.critical and each.level < ACTIVE, -each.level, criterion.name)
        for department in skipping
        for criterion in model.criteria
        if (each := department.scores.criteria[criterion.id]).applies and each.level < ESTABLISHED
    ]
    rated.sort(key=lambda found: found[:2], reverse=True)
    names = list(dict.fromkeys(f"“{name}”" for *_, name in rated))[:2]
    return f"Begin with {joined(names)}" if names else "Clear what stands in the way"


def _blocker_action(instrument: Instrument, shared: Shared) -> Action:
    kind = instrument.blocker(shared.subject)
    why = (
        f"Solve “{kind.label}” once for {len(shared.departments)} departments that it holds up. First move: "
        f"{kind.first_move}"
    )
    return Action("shared_blocker", kind.id, shared.departments, why)


def _gap_action(instrument: Instrument, shared: Shared, departments: Sequence[DepartmentScores]) -> Action:
    criterion = instrument.criterion(shared.subject)
    here = [each for each in departments if each.id in shared.departments]
    why = f"Share one good answer to “{criterion.name}”: {_listed(here)} work on it now"
    return Action("shared_gap", criterion.id, shared.departments, why)


def _hand_offs(across: Sequence[Readiness]) -> Iterator[Action]:
    """Agents at work in a process that nobody owns, or that hand work to a department that is not ready."""
    for each in across:
        process = each.process
        if not process.at_work:
            continue
        if process.owner is None:
            count = len(set(process.departments))
            why = (
                f"Name one owner for “{process.name}”: agents work in it across {count} departments, and "
                "nobody answers for its result"
            )
            yield Action("hand_off", process.name, process.departments, why)
        for lacks in dict.fromkeys(weak.lacks for weak in each.weak):
            yield _weak_hand_off(process, lacks, [weak for weak in each.weak if weak.lacks == lacks])


def _weak_hand_off(process: Process, lacks: tuple[str, ...], weak: Sequence[HandOff]) -> Action:
    to = list(dict.fromkeys(process.name_of(each.downstream) for each in weak))
    why = (
        f"In “{process.name}”, have a person look at what agents hand to {joined(to)}: "
        f"{joined(lacks)} {'is' if len(lacks) == 1 else 'are'} not in place there yet"
    )
    ids = dict.fromkeys(name for each in weak for name in (each.upstream, each.downstream))
    return Action("hand_off", process.name, tuple(ids), why)


def _deployments(across: Sequence[Readiness]) -> Iterator[Action]:
    """Every process that is ready for agents; where none is, the one that lacks least."""
    waiting = [each for each in across if not each.process.at_work]
    ready = [each for each in waiting if not each.missing]
    for each in ready:
        why = (
            f"Let agents take on “{each.process.name}”: every department on its way has the ground for it, "
            f"{each.process.owner} answers for the result, and there is a figure to compare with"
        )
        yield Action("deploy", each.process.name, each.process.departments, why)
    if waiting and not ready:
        nearest = waiting[0]
        why = (
            f"Prepare “{nearest.process.name}” for agents next, since it lacks least: "
            f"{'; '.join(what_it_lacks(nearest))}"
        )
        yield Action("prepare", nearest.process.name, nearest.process.departments, why)


def _spread(
    instrument: Instrument, departments: Sequence[DepartmentScores], pockets: Sequence[Pocket]
) -> Iterator[Action]:
    """Who is strong in a model that others work on now: the pocket shows them how."""
    names = {each.id: each.name for each in departments}
    for pocket in pockets:
        learners = [
            each
            for each in departments
            if each.id != pocket.department and each.scores.placement.working_model == pocket.model
        ]
        if learners:
            model = instrument.model(pocket.model).name
            why = (
                f"Let {names[pocket.department]} show {_listed(learners)} how: it is further in {model}, "
                "which is the ground that comes next there"
            )
            ids = (pocket.department, *(each.id for each in learners))
            yield Action("spread", pocket.model, ids, why)


def _listed(departments: Sequence[DepartmentScores]) -> str:
    """Their names; of many the first three, and how many more."""
    names = [each.name for each in departments]
    if len(names) <= MOST_NAMES:
        return joined(names)
    return f"{', '.join(names[: MOST_NAMES - 1])} and {len(names) - MOST_NAMES + 1} more"
