"""The cards of the coaching: a state goes in, a message comes out. The voice is that of the audit's cards."""

from __future__ import annotations

from collections.abc import Callable

from bot.audit.phrases import lower
from bot.choice_ids import ChoiceId
from bot.coaching.state import PREFIX, Option, State
from bot.messages import Choice, Message, plain


def usual_owner(state: State) -> str:
    """Who mostly can move the chosen obstacle."""
    return next((o.owner for o in state.obstacles if o.code == state.code), "somebody still to be found")


def _choice(state: State, what: str, label: str, primary: bool = False) -> Choice:
    made = ChoiceId(PREFIX, state.session, state.turn, what)
    return Choice(id=str(made), label=label, style="primary" if primary else "default")


def _pick_card(state: State) -> Message:
    lines = "\n".join(
        f"- **{number}** {option.text}{_minutes(option)}" for number, option in enumerate(state.options, 1)
    )
    numbers = [_choice(state, f"step.{n}", str(n + 1)) for n in range(len(state.options))]
    count = len(state.options)
    ways = {1: "One way to go on", 2: "Two ways to begin", 3: "Three ways to begin"}.get(
        count, "Ways to begin"
    )
    return Message(
        kind="question",
        text=f"**A good next step: {lower(state.name)}.** {state.because}\n\n{ways}:\n\n{lines}\n\n"
        "Which one suits you? You can also write your own.",
        choices=(*numbers, _choice(state, "own", "My own"), _choice(state, "cancel", "Not now")),
        input_hint="A number, or your own step",
    )


def _minutes(option: Option) -> str:
    return f" _About {option.minutes} minutes._" if option.minutes else ""


def _own_card(state: State) -> Message:
    return Message(
        kind="question",
        text="What is your step, in a sentence?",
        choices=(_choice(state, "cancel", "Not now"),),
        input_hint="Your step",
    )


def _when_card(state: State) -> Message:
    text = plain(state.chosen.text) if state.chosen is not None else ""
    until = plain(state.chosen.done_when) if state.chosen is not None else ""
    done = f"\n\n_Done when: {until}_" if until else ""
    return Message(
        kind="question",
        text=f'> {text}{done}\n\nWhen, and after what? Something like "Thursday, after the team meeting".',
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
        "or one sentence on what came out.",
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
    owner = usual_owner(state)
    return Message(
        kind="question",
        text="Who can move it? A name or a team is enough.",
        choices=(
            _choice(state, "owner", owner[:1].upper() + owner[1:]),
            _choice(state, "cancel", "Never mind"),
        ),
        input_hint="A name or a team",
    )


def _idle_card(_state: State) -> Message:
    return Message(text="Nothing is open here. Say **next steps** when you like.")


CARDS: dict[str, Callable[[State], Message]] = {
    "idle": _idle_card,
    "pick": _pick_card,
    "own": _own_card,
    "when": _when_card,
    "proof": _proof_card,
    "again": _again_card,
    "what": _what_card,
    "who": _who_card,
}
