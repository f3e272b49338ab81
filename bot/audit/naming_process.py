"""A process that a lead described gets a name and a path, so that it stands in the company's view.

Asked once after a question that is about a process (`follow_up: process` in the instrument), of whoever says
that there is one. It never changes the answer itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from bot.audit import hearing
from bot.audit.state import Effect, Given, SaveProcess, State
from bot.audit.steps import Outcome, Steps, changed

MOST_CHARACTERS = 120
_BETWEEN = re.compile(r"\s*(?:,|;|→|->|>|\bthen\b|\band\b|\bto\b)\s*", re.IGNORECASE)
_LEADING = re.compile(r"^(?:from|via|back to|through)\s+", re.IGNORECASE)


def is_due(steps: Steps, state: State, given: Given) -> bool:
    """Whether the process is still to be named: a level was given, by a lead, and it was not asked before."""
    follows = steps.instrument.criterion(given.criterion).follow_up == "process"
    return follows and bool(given.level) and state.kind != "second" and not state.draft.asked_process


def begin(steps: Steps, state: State, preface: str, effects: tuple[Effect, ...]) -> Outcome:
    """Ask what the process is called."""
    draft = state.draft.model_copy(update={"asked_process": True})
    return steps.show(changed(state, phase="process", draft=draft), preface, effects)


def name(steps: Steps, state: State, text: str, now: datetime) -> Outcome:
    """Its name in words."""
    called = " ".join(text.split())[:MOST_CHARACTERS].strip(" .\"'“”")
    if not hearing.names_something(called):
        return steps.again(state, _NO_NAME)
    known = [each.casefold() for each in steps.facts.processes]
    if called.casefold() in known:
        return named(steps, state, str(known.index(called.casefold())), now)
    draft = state.draft.model_copy(update={"process": called, "path": ()})
    return steps.show(changed(state, phase="path", draft=draft))


_NO_NAME = "I need a name that others would know it by."


def named(steps: Steps, state: State, argument: str, _now: datetime) -> Outcome:
    """One that is known already: its path is, too."""
    if not argument.isdigit() or int(argument) >= len(steps.facts.processes):
        return steps.again(state)
    return steps.go_on(state, "Good, that one I know already.")


def cross(steps: Steps, state: State, argument: str, _now: datetime) -> Outcome:
    """The next department on its way."""
    known = {str(each.id): each.id for each in steps.facts.departments}
    if argument not in known:
        return steps.again(state)
    return _along(steps, state, (*state.draft.path, known[argument]))


def uncross(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """The last department was a slip."""
    return _along(steps, state, state.draft.path[:-1])


def path(steps: Steps, state: State, text: str, now: datetime) -> Outcome:
    """The departments in words: "Sales, Finance and Sales"."""
    by_name = {each.name.casefold(): each.id for each in steps.facts.departments}
    wanted = [_LEADING.sub("", part.strip(" .")) for part in _parts(text, by_name)]
    unknown = [part for part in wanted if part and part.casefold() not in by_name]
    if unknown:
        return steps.again(state, steps.cards.no_such_department(unknown[0]))
    numbers = tuple(by_name[part.casefold()] for part in wanted if part)
    state = changed(state, draft=state.draft.model_copy(update={"path": (*state.draft.path, *numbers)}))
    return crossed(steps, state, "", now) if len(set(state.draft.path)) > 1 else steps.show(state)


def _parts(text: str, names: Iterable[str]) -> list[str]:
    """`text` cut between departments; a name that holds an "and" itself stays whole."""
    known = sorted(names, key=len, reverse=True)
    for number, each in enumerate(known):
        text = re.sub(rf"(?<!\w){re.escape(each)}(?!\w)", f"\0{number}\0", text, flags=re.IGNORECASE)
    return [re.sub(r"\0(\d+)\0", lambda found: known[int(found[1])], part) for part in _BETWEEN.split(text)]


def crossed(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """The path is complete: keep it and go on."""
    draft = state.draft
    if len(set(draft.path)) < 2 or not draft.process:
        return steps.again(state)
    level = state.answers[state.current].level or 0
    effect = SaveProcess(draft.process, draft.path, level)
    return steps.go_on(state, "Thank you, the path is kept.", (effect,))


def _along(steps: Steps, state: State, taken: tuple[int, ...]) -> Outcome:
    return steps.show(changed(state, draft=state.draft.model_copy(update={"path": taken[:20]})))
