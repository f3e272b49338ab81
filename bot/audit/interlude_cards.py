"""The cards of what a question is put aside for: a reason, a day, a colleague, an earlier answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.audit.state import State
from bot.messages import Message, plain

if TYPE_CHECKING:
    from bot.audit.wording import Cards


def _reason(cards: Cards, state: State) -> Message:
    return Message(
        kind="question",
        text=f"In a sentence: why does this not apply to your department?{_reader(cards)}",
        choices=cards.choices(state, ("cancel", "Back to the question")),
        input_hint="The reason, in a sentence",
    )


def _reader(cards: Cards) -> str:
    """Who will read the reason."""
    people = cards.facts.approvers
    if not people:
        return ""
    if [each.id for each in people] == [cards.facts.person]:
        return " There is nobody else who could confirm it, so you get it once more by yourself."
    if len(people) == 1:
        return f" {plain(people[0].name)} reads it and says yes or no."
    return " Whoever you pick then reads it and says yes or no."


def _approver(cards: Cards, state: State) -> Message:
    return Message(
        kind="question",
        text="Who should confirm that? Until then it stays open.",
        choices=(
            *(
                cards.choice(state, f"approver.{someone.id}", someone.name)
                for someone in cards.facts.approvers
            ),
            cards.choice(state, "cancel", "Back to the question"),
        ),
    )


def _later(cards: Cards, state: State) -> Message:
    return Message(
        kind="question",
        text='When suits you? A day is enough, such as "Friday" or "in two weeks".',
        choices=cards.choices(
            state,
            ("day.tomorrow", "Tomorrow"),
            ("day.next monday", "Next Monday"),
            ("day.in two weeks", "In two weeks"),
            ("cancel", "Back to the question"),
        ),
        input_hint="A day",
    )


def _hand_over(cards: Cards, state: State) -> Message:
    listed = cards.facts.colleagues[:8]
    text = "Who can tell more about this? They get the remaining questions; what you answered stays yours."
    if not listed:
        text = (
            f"I know nobody else in {plain(cards.facts.department)} yet. An administrator can add "
            "colleagues; until then we go on together."
        )
    return Message(
        kind="question",
        text=text,
        choices=(
            *(cards.choice(state, f"to.{someone.id}", someone.name) for someone in listed),
            cards.choice(state, "cancel", "Back to the question"),
        ),
        input_hint="A name or an e-mail address",
    )


def _edit(cards: Cards, state: State) -> Message:
    listed = [(f"edit.{c}", cards.instrument.criterion(c).name) for c in _given(state)]
    return Message(
        kind="question",
        text="Which one shall we look at again?",
        choices=cards.choices(state, *listed, ("cancel", "Back to the question")),
    )


def _given(state: State) -> tuple[str, ...]:
    """What can be looked at again: answers, what was carried over by a tap, what was skipped."""
    return tuple(dict.fromkeys((*state.answers, *state.carried, *state.skipped)))


INTERLUDES: dict[str, Callable[[Cards, State], Message]] = {
    "reason": _reason,
    "approver": _approver,
    "later": _later,
    "hand_over": _hand_over,
    "edit": _edit,
}
