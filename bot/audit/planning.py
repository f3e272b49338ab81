"""Which questions come, in which order, and when a second person is asked (instrument.yaml, first_audit_flow,
second_rater).
"""

from __future__ import annotations

import hashlib

from bot.audit.agreement import wants_second_rater
from bot.audit.instrument import Instrument
from bot.audit.state import Given, InstrumentChanged, State

A_SITTING = 4
"""At most this many questions at a time (conversation_rules)."""


def chance(*parts: object) -> int:
    """A number from 0 to 2**64 - 1 that depends on `parts` alone: chance that can be replayed."""
    text = ":".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def instrument_change(instrument: Instrument, state: State) -> InstrumentChanged | None:
    """What a sitting that was begun under another version has to hear first."""
    if state.version == instrument.version:
        return None
    ids = {criterion.id for criterion in instrument.criteria}
    asked = {*state.sitting, *state.queue, *state.known, *state.settled, state.current} - {""}
    return InstrumentChanged(instrument.version, tuple(sorted(asked - ids)))


def questions_left(instrument: Instrument, state: State) -> tuple[str, ...]:
    """The criteria that this part of the audit still asks; empty when everything has been asked."""
    if state.kind != "first":
        wanted = state.queue
    elif state.sittings == 0:
        wanted = tuple(criterion.id for criterion in instrument.models[0].criteria)
    elif state.sittings == 1:
        wanted = _screening(instrument, state)
    else:
        wanted = _remaining(instrument, state)
    return tuple(criterion for criterion in wanted if criterion not in state.settled)


def _screening(instrument: Instrument, state: State) -> tuple[str, ...]:
    later = (model for model in instrument.models[1:] if model.id not in state.no_models)
    return tuple(model.screening.id for model in later)


def _remaining(instrument: Instrument, state: State) -> tuple[str, ...]:
    active = (
        model
        for model in instrument.models[1:]
        if model.id not in state.no_models and _level(state, model.screening.id) >= 1
    )
    return tuple(criterion.id for model in active for criterion in model.criteria)


def _level(state: State, criterion: str) -> int:
    given = state.answers.get(criterion)
    if given is not None:
        return given.level or 0
    known = state.known.get(criterion)
    return (known.level or 0) if known is not None else 0


def order_shown(seed: int, criterion: str, levels: tuple[int, ...]) -> tuple[int, ...]:
    """Two anchors in random order; more keep their order, upwards or downwards at random."""
    upwards = tuple(sorted(set(levels)))
    return upwards if chance(seed, criterion, "order") % 2 else upwards[::-1]


def wants_second(instrument: Instrument, state: State, given: Given) -> bool:
    """Whether a team member is to be asked the same; never for an answer that is itself a second one."""
    if state.kind == "second" or given.claim != "level" or given.level is None:
        return False
    known = state.known.get(given.criterion)
    draw = chance(state.seed, given.criterion, "second") / 2**64
    last_time = None if known is None else known.level
    return wants_second_rater(instrument.criterion(given.criterion), given.level, last_time, draw)
