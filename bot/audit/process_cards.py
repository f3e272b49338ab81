"""The two short cards that follow a question about a process: what it is called, and where it passes
through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.audit.state import Someone, State
from bot.messages import Message, plain

if TYPE_CHECKING:
    from bot.audit.wording import Cards

MOST_BUTTONS = 16
"""Departments on the card; in a larger company their names are typed."""


def name_card(cards: Cards, state: State) -> Message:
    """What the process is called; those that are known already are a tap away."""
    known = [(f"named.{place}", name) for place, name in enumerate(cards.facts.processes[:MOST_BUTTONS])]
    one_of = " One of these, or another name?" if known else " A few words are enough."
    return Message(
        kind="question",
        text=f"What do you call that process, from its start to its result?{one_of}\n\n"
        "_So that everyone on its way sees the same path._",
        choices=cards.choices(state, *known, ("skip", "Skip"), ("later", "Ask me later"), ("pause", "Pause")),
        progress=cards.progress(state),
        input_hint='For example "from order to payment"',
    )


def path_card(cards: Cards, state: State) -> Message:
    """Which departments it passes through, tapped one after the other."""
    path = " → ".join(plain(_name(cards, number)) for number in state.draft.path)
    so_far = f"\n\n**{path}**" if path else ""
    listed = _offered(cards, state)
    ask = "Tap them in the order of the work." if listed else "Type them in the order of the work."
    done = [("crossed", "That's all")] if len(set(state.draft.path)) > 1 else []
    undo = [("uncross", "Take the last one back")] if state.draft.path else []
    taps = [(f"cross.{each.id}", each.name) for each in listed]
    return Message(
        kind="question",
        text=f"Which departments does “{plain(state.draft.process)}” pass through? {ask}{so_far}",
        choices=cards.choices(state, *done, *taps, *undo, ("skip", "Skip"), ("pause", "Pause")),
        progress=cards.progress(state),
        input_hint="For example: Sales, Finance, Sales",
    )


def _offered(cards: Cards, state: State) -> list[Someone]:
    """The departments to tap: never the one that was tapped last."""
    last = state.draft.path[-1:]
    everyone = cards.facts.departments
    return [each for each in everyone if (each.id,) != last] if len(everyone) <= MOST_BUTTONS else []


def _name(cards: Cards, number: int) -> str:
    return next((each.name for each in cards.facts.departments if each.id == number), "?")
