"""What is said beside a question, to whoever asks about it or about the sitting; nothing changes by it."""

from __future__ import annotations

from datetime import datetime

from bot.audit import help_words
from bot.audit.phrases import privacy
from bot.audit.state import State
from bot.audit.steps import Outcome, Steps


def why(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Why this is asked."""
    return steps.again(state, help_words.why(steps.cards.criterion(state)))


def who(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Who sees what."""
    second = state.kind == "second"
    return steps.again(state, f"**Who sees what**\n{privacy(steps.facts, second)}")


def explain(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """What is asked here, in other words."""
    return steps.again(state, help_words.explained(steps.cards.criterion(state), state))


def time_left(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """How much is left of this sitting; the cards between two sittings say it themselves."""
    if state.phase == "welcome" and state.kind != "second":
        return steps.again(state, help_words.BRIEFLY)
    asks = state.phase not in ("welcome", "rest")
    return steps.again(state, help_words.time_left(steps.cards.progress(state)) if asks else "")


def judged(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Whether that was good: nobody is marked."""
    return steps.again(state, help_words.JUDGED)


def why_me(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Why this very person is asked."""
    return steps.again(state, help_words.why_me(steps.facts, state.kind == "second"))


def no_names(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Whether names are wanted: they are not."""
    return steps.again(state, help_words.NAMES)


def annoyed(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """It is too much just now: say what the ways out are."""
    return steps.again(state, help_words.ANNOYED)


def voluntary(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Whether one has to answer."""
    return steps.again(state, help_words.VOLUNTARY)


def own_data(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """What is kept about the person, and who can hand it out or erase it."""
    return steps.again(state, help_words.DATA)


def about(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """What this is."""
    return steps.again(state, help_words.about(steps.facts))


def show_help(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """What can be said here."""
    return steps.again(state, help_words.HELP)


def person(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """With whom one can talk instead."""
    return steps.again(state, help_words.person(steps.facts))


def language(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Which languages are understood."""
    return steps.again(state, help_words.LANGUAGE)


def for_me(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Nobody else can answer it, and a rough answer is enough."""
    return steps.again(state, help_words.FOR_ME)
