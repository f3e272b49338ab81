"""The ground that every move of the audit stands on: showing a card, going on, and ending a sitting."""

from __future__ import annotations

from typing import Any

from bot.audit.instrument import Instrument
from bot.audit.planning import questions_left
from bot.audit.state import Draft, Effect, Facts, Given, OfferSteps, ShowPlacement, State
from bot.audit.wording import Cards
from bot.messages import Message, plain
from bot.speech import Say

Outcome = tuple[State, tuple[Effect, ...]]
"""The next state, and what follows from the step, in order."""


def changed(state: State, **changes: Any) -> State:
    """`state` with some of its fields replaced."""
    return state.model_copy(update=changes)


class Steps:
    """What moves have in common: the instrument, the facts, the cards."""

    def __init__(self, instrument: Instrument, facts: Facts) -> None:
        self.instrument = instrument
        self.facts = facts
        self.cards = Cards(instrument, facts)

    def show(self, state: State, preface: str = "", effects: tuple[Effect, ...] = ()) -> Outcome:
        """A new card: from here on the buttons of the old one are out of date."""
        state = changed(state, turn=state.turn + 1)
        return state, (*effects, Say(self.card(state, preface)))

    def again(self, state: State, said: str = "") -> Outcome:
        """The same card once more, after something said; its buttons stay good."""
        return state, (Say(self.back_to(state, said) if said else self.card(state)),)

    def back_to(self, state: State, said: str = "") -> Message:
        """The same card after something else was said, here or in a message of its own: a long one is not
        read out again, its buttons are there.
        """
        card = self.cards.card(state)
        text = f"{said}\n\n{self._briefly(state, card.text, not said)}".strip()
        return card.model_copy(update={"text": text})

    def _briefly(self, state: State, in_full: str, returns: bool) -> str:
        """The present card in a line, where it stands above in full and the line says enough."""
        if state.paused or state.interlude or state.phase in ("process", "path", "rest", "done", "away"):
            return in_full
        if state.phase == "welcome":
            return "Shall we start?" if state.greeted else in_full
        at = self.cards.progress(state)
        place = f"uestion {at.done + 1} of {at.total}"
        lead_in = f"Back to q{place}" if returns else f"**Q{place}**"
        if state.phase in ("place", "fresh"):
            return f"{lead_in}.\n\n{in_full}" if returns else in_full
        if state.phase in ("probe", "evidence"):
            ask = self.cards.ask_again(state)
            return f"{lead_in}. {ask}" if returns else ask
        about = f", about {plain(self.facts.department)}" if state.named else ""
        different = " What is different now?" if state.phase == "different" else ""
        return f"{lead_in}{about}: {self.cards.criterion(state).question}{different}"

    def card(self, state: State, preface: str = "") -> Message:
        """The present card, with `preface` above it."""
        card = self.cards.card(state)
        return card.model_copy(update={"text": f"{preface}\n\n{card.text}"}) if preface else card

    def go_on(self, state: State, preface: str = "", effects: tuple[Effect, ...] = ()) -> Outcome:
        """The next open question of this sitting, or its end."""
        for criterion in state.sitting:
            if criterion not in state.settled:
                return self.show(self.opened(state, criterion), preface, effects)
        return self.end_sitting(state, preface, effects)

    def opened(self, state: State, criterion: str) -> State:
        """`state` with this question open; in a re-audit it begins with what is different."""
        known = state.known.get(criterion)
        anew = known is None or not known.comparable or criterion in state.answers or state.kind != "re"
        return changed(state, current=criterion, phase="case" if anew else "different", draft=Draft())

    def end_sitting(self, state: State, preface: str, effects: tuple[Effect, ...]) -> Outcome:
        """The sitting is over: where the department stands, and what comes next."""
        state = changed(state, current="", draft=Draft(), turn=state.turn + 1)
        rest = questions_left(self.instrument, state)
        state = changed(
            state, phase="rest" if rest else "done", queue=state.queue if state.kind != "first" else rest
        )
        if state.kind == "second":
            return state, (*effects, Say(self.card(state, preface)))
        first = state.kind == "first" and state.sittings == 1
        placement = ShowPlacement(provisional=first and bool(rest))
        if not rest:
            return state, (*effects, Say(self.card(state, preface)), placement, OfferSteps())
        # Whoever is asked to go on has seen the picture before.
        steps = () if first else (OfferSteps(),)
        return state, (*effects, *self.said(preface), placement, Say(self.card(state)), *steps)

    def said(self, text: str) -> tuple[Effect, ...]:
        """A short reply on its own."""
        return (Say(self.cards.notice(text).model_copy(update={"kind": "text"})),) if text else ()

    def counted(self, given: Given) -> int:
        """min(claimed, cap of the evidence)."""
        return min(given.level or 0, self.instrument.cap(given.evidence))

    def with_answer(self, state: State, given: Given) -> State:
        """`state` with this answer in it; the question stays open until `_next`."""
        return changed(
            state,
            answers=state.answers | {given.criterion: given},
            carried=tuple(c for c in state.carried if c != given.criterion),
            skipped=tuple(c for c in state.skipped if c != given.criterion),
            draft=state.draft.model_copy(update={"at": given.at}),
        )
