"""The coaching as a pure function: a next step and its moment, what became of it, and what is in the way.

One thing at a time, always with a way out. Plans and blockers themselves are stored by the effects.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from bot.audit.commands import bare, command, letter
from bot.audit.hearing import says_little
from bot.audit.phrases import day as day_words
from bot.audit.phrases import lower
from bot.coaching.cards import CARDS, usual_owner
from bot.coaching.state import (
    ME,
    MOST_WORDS,
    AddEvidence,
    Done,
    Effect,
    Input,
    InTheWay,
    MovePlan,
    NotYet,
    Offer,
    Option,
    RaiseBlocker,
    SavePlan,
    State,
)
from bot.messages import Message, plain
from bot.speech import Chose, Say, Words
from bot.when import parse_day

Outcome = tuple[State, tuple[Effect, ...]]


def step(state: State, given: Input, now: datetime, zone: tzinfo = UTC) -> Outcome:
    """The next state and its effects. Never raises for any input."""
    match given:
        case Offer():
            fresh = State(
                session=state.session,
                turn=state.turn,
                phase="pick",
                criterion=given.criterion,
                name=given.name,
                because=given.because,
                options=given.options,
            )
            return _show(fresh)
        case Done(plan=plan, criterion=criterion):
            return _show(_with(state, phase="proof", plan=plan, criterion=criterion))
        case NotYet(plan=plan, criterion=criterion):
            return _show(_with(state, phase="again", plan=plan, criterion=criterion))
        case InTheWay(obstacles=obstacles, note=note):
            state = _with(state, phase="what", obstacles=obstacles)
            return _what(state, note, now.date()) if note else _show(state)
        case Words(text=text):
            return _words(state, text.strip()[:MOST_WORDS], now.astimezone(zone).date())
        case Chose(turn=turn, what=what):
            return _chose(state, turn, what, now.astimezone(zone).date())


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


def _show(state: State, *effects: Effect, preface: str = "") -> Outcome:
    state = _with(state, turn=state.turn + 1)
    card = CARDS[state.phase](state)
    if preface:
        card = card.model_copy(update={"text": f"{preface}\n\n{card.text}"})
    return state, (*effects, Say(card))


def _rest(state: State, *effects: Effect, said: str) -> Outcome:
    """Nothing is open any more; say a last word."""
    state = State(session=state.session, turn=state.turn + 1, last_choice=state.last_choice)
    return state, (*effects, Say(Message(text=said)))


def _chose(state: State, turn: int, what: str, today: date) -> Outcome:
    if turn != state.turn:
        if state.last_choice == f"{turn}:{what}":
            return state, ()
        return state, (Say(Message(kind="notice", text="That card has moved on, so nothing was changed.")),)
    state = _with(state, last_choice=f"{turn}:{what}")
    name, _, argument = what.partition(".")
    if name == "day":
        return _words(state, argument, today)
    if name == "step" and state.phase == "pick" and argument.isdigit() and int(argument) < len(state.options):
        return _show(_with(state, phase="when", chosen=state.options[int(argument)]))
    if name == "own" and state.phase in ("pick", "when"):
        return _show(_with(state, phase="own"))
    if name == "obstacle" and state.phase == "what":
        return _obstacle(state, argument)
    if name == "owner" and state.phase == "who":
        return _words(state, usual_owner(state), today)
    return _leave(state)


def _words(state: State, text: str, today: date) -> Outcome:
    if not text:
        return _show(state)
    tap = next((what for label, what in _labels(state) if label == bare(text)), None)
    if tap is not None:
        return _chose(state, state.turn, tap, today)
    heard = command(text)
    if heard is not None and heard[0] in _WAYS_OUT and not heard[1]:
        return _leave(state)
    if heard is not None and heard[0] in _BACK and state.phase in ("own", "when") and state.options:
        return _show(_with(state, phase="pick", chosen=None))
    if heard is not None and heard[0] != "hand" and state.phase in ("pick", "own"):
        return _show(state, preface=_A_NUMBER)
    return _IN_PHASE[state.phase](state, text, today)


def _leave(state: State) -> Outcome:
    """Out of the present card, with nothing changed by it."""
    if state.phase == "proof":
        return _rest(state, said="That's fine. Thank you for telling me.")
    return _rest(state, said="All right. It can wait; just say **next steps** when you like.")


def _labels(state: State) -> list[tuple[str, str]]:
    """The buttons of the present card that may be typed: those in words, which stand for none themselves."""
    choices = CARDS[state.phase](state).choices
    pairs = [(bare(choice.label), choice.id.split(":", 3)[3]) for choice in choices]
    return [
        (label, what) for label, what in pairs if len(label) > 1 and not what.startswith(("day.", "owner"))
    ]


_BACK = frozenset({"back", "other"})
_WAYS_OUT = frozenset({"cancel", "skip", "later", "out", "pause", "nothing", "neither", "unsure"})


def _pick(state: State, text: str, today: date) -> Outcome:
    number = text.strip(" .)#")
    place = int(number) - 1 if number.isdecimal() else letter(text, len(state.options))
    if place is not None and 0 <= place < len(state.options):
        return _show(_with(state, phase="when", chosen=state.options[place]))
    if (edited := _EDITED.fullmatch(text.strip(" ."))) and _place_of(edited["which"]) < len(state.options):
        option = state.options[_place_of(edited["which"])]
        wording = f"{option.text.rstrip(' .')}; {edited['how']}"
        return _show(_with(state, phase="when", chosen=option.model_copy(update={"text": wording})))
    if _SEVERAL.fullmatch(bare(text)):
        return _show(state, preface="One at a time is plenty. Which one first?")
    return _own(state, text, today) if not says_little(text) else _show(state, preface=_A_NUMBER)


_PLACES = {"1": 0, "first": 0, "one": 0, "2": 1, "second": 1, "two": 1, "3": 2, "third": 2, "three": 2}
_EDITED = re.compile(
    rf"(?:the |number |no\. ?|step )?(?P<which>{'|'.join(_PLACES)})(?: one)?[,;:.]? "
    r"(?P<how>(?:but|only|and only|except|though|without) .+)",
    re.IGNORECASE | re.DOTALL,
)
"""One of the steps with a change of one's own: "the second one, but only with the juniors"."""


def _place_of(which: str) -> int:
    return _PLACES[which.casefold()]


_SEVERAL = re.compile(r"both|all( of (them|it|these)| three| two)?|everything|\d( and \d)+")
_A_NUMBER = "A number is enough, or your own step in a few words."


def _own(state: State, text: str, _today: date) -> Outcome:
    if says_little(text):
        return _show(state, preface="A few words, please, so that you know later what you meant.")
    done_when = state.chosen.done_when if state.chosen is not None else ""
    return _show(_with(state, phase="when", chosen=Option(text=text, done_when=done_when)))


def _when(state: State, text: str, today: date) -> Outcome:
    day = parse_day(text, today)
    if day is None or state.chosen is None:
        return _show(state, preface="I didn't catch a day there, so I can't remember the moment for you yet.")
    saved = SavePlan(state.criterion, state.chosen, day, _after_what(text))
    return _rest(state, saved, said=f"It's a plan. I'll ask how it went on {_on(day)}, once.")


def _after_what(text: str) -> str:
    """The occasion in "Thursday, after the team meeting"; empty where none is named."""
    found = re.search(r"\b(?:after|nach) (.+)", text, re.IGNORECASE | re.DOTALL)
    return found[1].strip(" .!") if found else ""


def _again(state: State, text: str, today: date) -> Outcome:
    day = parse_day(text, today)
    if day is None or state.plan is None:
        return _show(state, preface="I didn't catch a day there.")
    return _rest(state, MovePlan(state.plan, day), said=f"Moved to {_on(day)}.")


def _proof(state: State, text: str, _today: date) -> Outcome:
    if state.plan is None:
        return _rest(state, said="Thank you.")
    effect = AddEvidence(state.plan, state.criterion, text)
    return _rest(state, effect, said="Thank you, I've kept that with the question it was for.")


def _obstacle(state: State, code: str) -> Outcome:
    for obstacle in state.obstacles:
        if obstacle.code == code:
            return _show(_with(state, phase="who", code=code, note=""))
    return _show(state)


def _what(state: State, text: str, today: date) -> Outcome:
    if text.strip(" .)#").isdecimal() and 1 <= int(text.strip(" .)#")) <= len(state.obstacles):
        return _obstacle(state, state.obstacles[int(text.strip(" .)#")) - 1].code)
    if says_little(text):
        return _show(state, preface="A few words, please: what is it?")
    for obstacle in state.obstacles:
        if bare(text) == bare(obstacle.label):
            return _obstacle(state, obstacle.code)
    return _show(_with(state, phase="who", code="own", note=text))


def _who(state: State, text: str, _today: date) -> Outcome:
    if bare(text) == "it":
        text = "IT"  # The team that it lies with most often, and the one word that looks like no name.
    elif says_little(text):
        return _show(state, preface="A name or a team, please.")
    if bare(text) in _MYSELF:
        return _rest(
            state, RaiseBlocker(state.code, state.note, ME), said="Noted, as yours to move." + _first(state)
        )
    effect = RaiseBlocker(state.code, state.note, text)
    return _rest(state, effect, said=f"Noted, with {plain(text)} as the one who can move it.{_first(state)}")


_MYSELF = frozenset({"me", "i", "myself", "me myself", "i can", "i do", "i will", "thats me", "us", "we"})


def _first(state: State) -> str:
    move = next((o.first_move for o in state.obstacles if o.code == state.code), "")
    return f" A first move that often helps: {lower(move)}" if move else ""


def _nothing_open(state: State, _text: str, _today: date) -> Outcome:
    return state, ()


def _on(day: date) -> str:
    return f"{day.strftime('%A')}, {day_words(day)}"


_IN_PHASE: dict[str, Callable[[State, str, date], Outcome]] = {
    "idle": _nothing_open,
    "pick": _pick,
    "own": _own,
    "when": _when,
    "proof": _proof,
    "again": _again,
    "what": _what,
    "who": _who,
}
