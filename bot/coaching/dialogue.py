"""The coaching as a pure function: a next step and its moment, what became of it, and what is in the way.

One thing at a time, always with a way out. Plans and blockers themselves are stored by the effects.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bot.audit.hearing import command
from bot.audit.wording import day as day_words
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, plain
from bot.when import parse_day

PREFIX = "coaching"
MOST_WORDS = 1_000
Phase = Literal[
    "idle",
    "pick",  # three steps of one criterion
    "own",  # the lead's own step
    "when",  # when, and after what?
    "proof",  # done: something others can open
    "again",  # not yet: a new day
    "what",  # what is in the way?
    "who",  # who can move it?
]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Option(_Record):
    """A step on offer; `minutes` of own effort, None where nobody estimated it."""

    text: str
    done_when: str = ""
    minutes: int | None = None


class Obstacle(_Record):
    """A usual blocker on offer."""

    code: str
    label: str
    owner: str
    first_move: str


class State(_Record):
    """Where one person's coaching about one department stands."""

    session: int = 0
    turn: int = 0
    phase: Phase = "idle"
    criterion: str = ""
    name: str = ""
    because: str = ""
    options: tuple[Option, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    chosen: Option | None = None
    plan: int | None = None
    code: str = ""
    note: str = ""
    last_choice: str = ""

    @property
    def asks_words(self) -> bool:
        """A card waits, and words may answer it."""
        return self.phase != "idle"


@dataclass(frozen=True)
class Words:
    """Something typed."""

    text: str


@dataclass(frozen=True)
class Chose:
    """A button of the card with that turn."""

    turn: int
    what: str


@dataclass(frozen=True)
class Offer:
    """Begin with the three steps of a criterion."""

    criterion: str
    name: str
    because: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Done:
    """A plan was carried out."""

    plan: int
    criterion: str


@dataclass(frozen=True)
class NotYet:
    """A plan needs a new day."""

    plan: int
    criterion: str


@dataclass(frozen=True)
class InTheWay:
    """Something is in the way; the usual obstacles of the working model are on offer."""

    obstacles: tuple[Obstacle, ...]


Input = Words | Chose | Offer | Done | NotYet | InTheWay


@dataclass(frozen=True)
class Say:
    """Tell the person."""

    message: Message


@dataclass(frozen=True)
class SavePlan:
    """Remember a step: what, on which day, after what."""

    criterion: str
    step: Option
    day: date
    after_what: str


@dataclass(frozen=True)
class MovePlan:
    """A step gets another day."""

    plan: int
    day: date


@dataclass(frozen=True)
class AddEvidence:
    """What came of a step flows back into the criterion it was for."""

    plan: int
    criterion: str
    text: str


@dataclass(frozen=True)
class RaiseBlocker:
    """Remember an obstacle and who can move it."""

    code: str
    note: str
    owner: str


Effect = Say | SavePlan | MovePlan | AddEvidence | RaiseBlocker
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
        case InTheWay(obstacles=obstacles):
            return _show(_with(state, phase="what", obstacles=obstacles))
        case Words(text=text):
            return _words(state, text.strip()[:MOST_WORDS], now.astimezone(zone).date())
        case Chose(turn=turn, what=what):
            return _chose(state, turn, what, now.astimezone(zone).date())


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


def _show(state: State, *effects: Effect, preface: str = "") -> Outcome:
    state = _with(state, turn=state.turn + 1)
    card = _CARDS[state.phase](state)
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
        return _words(state, _usual_owner(state), today)
    return _rest(state, said="All right. It can wait; just say **next steps** when you like.")


def _words(state: State, text: str, today: date) -> Outcome:
    if not text:
        return _show(state)
    heard = command(text)
    if heard is not None and heard[0] in _WAYS_OUT and not heard[1]:
        if state.phase == "proof":
            return _rest(state, said="That's fine. Well done, and thank you for telling me.")
        return _rest(state, said="All right. It can wait; just say **next steps** when you like.")
    return _IN_PHASE[state.phase](state, text, today)


_WAYS_OUT = frozenset({"cancel", "skip", "later", "out", "pause", "nothing", "neither", "unsure"})


def _pick(state: State, text: str, _today: date) -> Outcome:
    number = text.strip(" .)")
    if number.isdigit() and 1 <= int(number) <= len(state.options):
        return _show(_with(state, phase="when", chosen=state.options[int(number) - 1]))
    return _own(state, text, _today)


def _own(state: State, text: str, _today: date) -> Outcome:
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
    found = re.search(r"\bafter (.+)", text, re.IGNORECASE | re.DOTALL)
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


def _what(state: State, text: str, _today: date) -> Outcome:
    return _show(_with(state, phase="who", code="own", note=text))


def _who(state: State, text: str, _today: date) -> Outcome:
    effect = RaiseBlocker(state.code, state.note, text)
    move = next((o.first_move for o in state.obstacles if o.code == state.code), "")
    first = f" A first move that often helps: {_small(move)}" if move else ""
    return _rest(state, effect, said=f"Noted, with {plain(text)} as the one who can move it.{first}")


def _usual_owner(state: State) -> str:
    return next((o.owner for o in state.obstacles if o.code == state.code), "somebody still to be found")


def _nothing_open(state: State, _text: str, _today: date) -> Outcome:
    return state, ()


def _on(day: date) -> str:
    return f"{day.strftime('%A')}, {day_words(day)}"


def _small(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


# Cards


def _choice(state: State, what: str, label: str, primary: bool = False) -> Choice:
    made = ChoiceId(PREFIX, state.session, state.turn, what)
    return Choice(id=str(made), label=label, style="primary" if primary else "default")


def _pick_card(state: State) -> Message:
    lines = "\n".join(
        f"- **{number}** {option.text} _{_effort(option)}_" for number, option in enumerate(state.options, 1)
    )
    numbers = [_choice(state, f"step.{n}", str(n + 1)) for n in range(len(state.options))]
    count = len(state.options)
    ways = {1: "One way to go on", 2: "Two ways to begin", 3: "Three ways to begin"}.get(
        count, "Ways to begin"
    )
    return Message(
        kind="question",
        text=f"**A good next step: {_small(state.name)}.** {state.because}\n\n{ways}:\n\n{lines}\n\n"
        "Which one suits you? You can also write your own.",
        choices=(*numbers, _choice(state, "own", "My own"), _choice(state, "cancel", "Not now")),
        input_hint="A number, or your own step",
    )


def _effort(option: Option) -> str:
    minutes = f"About {option.minutes} minutes. " if option.minutes else ""
    return f"{minutes}Done when: {option.done_when}"


def _own_card(state: State) -> Message:
    return Message(
        kind="question",
        text="What is your step, in a sentence?",
        choices=(_choice(state, "cancel", "Not now"),),
        input_hint="Your step",
    )


def _when_card(state: State) -> Message:
    text = plain(state.chosen.text) if state.chosen is not None else ""
    return Message(
        kind="question",
        text=f'> {text}\n\nWhen, and after what? Something like "Thursday, after the team meeting".',
        choices=(
            _choice(state, "day.tomorrow", "Tomorrow"),
            _choice(state, "day.next week", "Next Monday"),
            _choice(state, "day.in two weeks", "In two weeks"),
            _choice(state, "own", "Change the wording"),
            _choice(state, "cancel", "Not now"),
        ),
        input_hint="A day, and after what",
    )


def _again_card(state: State) -> Message:
    return Message(
        kind="question",
        text="No problem. Which day shall we try next?",
        choices=(
            _choice(state, "day.tomorrow", "Tomorrow"),
            _choice(state, "day.next week", "Next Monday"),
            _choice(state, "day.in two weeks", "In two weeks"),
            _choice(state, "cancel", "Leave it open"),
        ),
        input_hint="A day",
    )


def _proof_card(state: State) -> Message:
    return Message(
        kind="question",
        text="Well done! Is there something a colleague could open to see it? A link, the name of a file, "
        "or one "
        "sentence on what came out.",
        choices=(_choice(state, "cancel", "Nothing at hand"),),
        input_hint="A link, a file or a sentence",
    )


def _what_card(state: State) -> Message:
    lines = "\n".join(f"- {obstacle.label}" for obstacle in state.obstacles)
    return Message(
        kind="question",
        text=f"What is in the way? One of these, or your own words:\n\n{lines}",
        choices=(
            *(_choice(state, f"obstacle.{o.code}", _short(o.label)) for o in state.obstacles),
            _choice(state, "cancel", "Nothing"),
        ),
        input_hint="What is in the way",
    )


def _short(label: str) -> str:
    """A label that fits on a button (75 characters on the tightest platform)."""
    return label if len(label) <= 70 else f"{label[:67].rstrip()}..."


def _who_card(state: State) -> Message:
    owner = _usual_owner(state)
    return Message(
        kind="question",
        text="Who can move it? A name or a team is enough.",
        choices=(_choice(state, "owner", owner), _choice(state, "cancel", "Never mind")),
        input_hint="A name or a team",
    )


def _idle_card(_state: State) -> Message:
    return Message(text="Nothing is open here. Say **next steps** when you like.")


_CARDS: dict[str, Callable[[State], Message]] = {
    "idle": _idle_card,
    "pick": _pick_card,
    "own": _own_card,
    "when": _when_card,
    "proof": _proof_card,
    "again": _again_card,
    "what": _what_card,
    "who": _who_card,
}
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
