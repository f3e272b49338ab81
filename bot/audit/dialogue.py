"""The audit as a pure function: a state and one input give the next state and what follows.

No clock, no chance, no database: `now` is handed in, the order of anchors comes from the seed in the state,
and what a model or the embeddings propose is an input like any other. A proposal decides which anchors are
shown; only a person picks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.audit import answering, answers_aside, hearing, help_words, moves, naming_process
from bot.audit.commands import command, is_between, is_greeting, letter, picked_with_reason
from bot.audit.instrument import Instrument
from bot.audit.planning import A_SITTING, questions_left
from bot.audit.state import (
    MOST_WORDS,
    AnsweredMeanwhile,
    Asked,
    AskFreely,
    Draft,
    Facts,
    Input,
    InstrumentChanged,
    NoProposal,
    Proposed,
    Resume,
    State,
)
from bot.audit.steps import Outcome, Steps, changed
from bot.audit.wording import LETTERS
from bot.speech import Chose, Say, Words

_QUESTION = frozenset({"case", "different", "fresh", "place", "probe", "evidence", "process", "path"})
_ASKED = _QUESTION | {"welcome", "rest"}
_ALWAYS = _ASKED | {"done", "away"}
_SENTENCES = frozenset({"case", "different", "fresh", "place", "probe", "evidence", "reason"})
"""Where an answer takes more than "yes" or a number."""


class Dialogue:
    """The audit of one department by one person. Holds nothing but the instrument and the facts."""

    def __init__(self, instrument: Instrument, facts: Facts) -> None:
        self.steps = Steps(instrument, facts)
        self.cards = self.steps.cards

    def step(self, state: State, given: Input, now: datetime) -> Outcome:
        """The next state and its effects, in the order they are to happen. Never raises for any input."""
        state, effects = self._step(state, given, now)
        if state.phase == "welcome" and not state.greeted and any(isinstance(each, Say) for each in effects):
            state = changed(state, greeted=True)
        return state, effects

    def _step(self, state: State, given: Input, now: datetime) -> Outcome:
        match given:
            case Resume():
                return moves.resume(self.steps, state, "", now)
            case Words(text=text):
                return self._words(state, text.strip()[:MOST_WORDS], now)
            case Asked(text=text):
                return self._asked(state, text)
            case Chose(turn=turn, what=what):
                return self._chose(state, turn, what, now)
            case Proposed() | NoProposal():
                return answering.proposal(self.steps, state, given)
            case InstrumentChanged():
                return self._instrument_changed(state, given)
            case AnsweredMeanwhile():
                return self._answered_meanwhile(state, given)

    def _words(self, state: State, text: str, now: datetime) -> Outcome:
        if state.phase == "placing":
            state, _ = answering.proposal(self.steps, state, NoProposal())
        if not text or (state.phase == "welcome" and not state.greeted):
            return self.steps.again(state)
        if is_greeting(text) and state.asks:
            return moves.hello(self.steps, state)
        heard = self._heard(state, text)
        if heard is not None:
            return self._move(state, *heard, now)
        if state.phase == "place" and not state.interlude:
            said = self._at_the_anchors(state, text, now)
            if said is not None:
                return said
        if hearing.is_question(text):
            return self._asked(state, text)
        if state.paused:
            return self.steps.again(state)
        if state.interlude in _SENTENCES and hearing.says_little(text):
            return self.steps.again(state, help_words.more(state, text))
        if state.interlude:
            return _IN_INTERLUDE[state.interlude](self.steps, state, text, now)
        if state.phase in _SENTENCES and hearing.says_little(text):
            return self.steps.again(state, help_words.more(state, text))
        return _IN_PHASE[state.phase](self.steps, state, text, now)

    def _asked(self, state: State, text: str) -> Outcome:
        """A question in the middle: it is answered, then the same card comes again."""
        if not state.asks:
            return state, (AskFreely(text),)
        card = self.steps.back_to(state)
        if state.phase in ("case", "place") and hearing.also_tells(text):
            card = card.model_copy(update={"text": f"{card.text}\n\n_{help_words.PART_OF_IT}_"})
        return state, (AskFreely(text), Say(card))

    def _heard(self, state: State, text: str) -> tuple[str, str] | None:
        """The move that the words name here; a command that has no place here is an answer."""
        if state.phase == "place" and not state.interlude:
            position = letter(text, len(state.draft.shown))
            if position is not None:
                return "pick", str(state.draft.shown[position])
        found = command(text)
        if found is None:
            return None
        name, argument = found
        if name == "na" and argument:
            argument = hearing.reason_in(text)
        if name == "edit" and argument:
            argument = moves.answer_named(self.steps, state, argument) or ""
            if not argument:
                return None
        if state.interlude:
            begins = state.interlude == "later" and name == "start"
            name = "cancel" if begins or name in _OUT_OF_IT else name
            said_fully = name in {"hand", "later", "edit"} and bool(argument)
            return (name, argument) if said_fully or name in _AMID_INTERLUDES else None
        name = _SYNONYMS.get((state.phase, name), name)
        if state.paused and name in {"start", "go"}:
            name = "resume"
        allowed = state.phase in _MOVES[name][0] if name in _MOVES else False
        nothing_to_cancel = name == "cancel" and state.phase == "welcome"
        return (name, argument) if allowed and not nothing_to_cancel else None

    def _at_the_anchors(self, state: State, text: str, now: datetime) -> Outcome | None:
        """A pick with its reason, which is kept with the words; or two picks at once."""
        if is_between(text):
            return self.steps.again(state, help_words.BOTH)
        count = len(state.draft.shown)
        if letter(text, count) is None and letter(text, len(LETTERS)) is not None:
            return self.steps.again(state, help_words.not_on_the_card(count))
        found = picked_with_reason(text, count)
        if found is None:
            return None
        position, reason = found
        told = changed(state, draft=answering.with_words(state.draft, reason))
        return self._move(told, "pick", str(state.draft.shown[position]), now)

    def _chose(self, state: State, turn: int, what: str, now: datetime) -> Outcome:
        criterion, _, move = what.partition(".")
        name, _, argument = move.partition(".")
        if turn != state.turn and name not in _OF_ANY_CARD:
            if state.last_choice == f"{turn}:{what}":
                return state, ()
            return state, (Say(self.cards.moved_on(state, criterion)),)
        if name not in _MOVES or state.phase not in _MOVES[name][0]:
            return self.steps.again(state)
        argument = criterion if name == "look" else argument
        return self._move(changed(state, last_choice=f"{turn}:{what}"), name, argument, now)

    def _move(self, state: State, name: str, argument: str, now: datetime) -> Outcome:
        if name not in _ASIDES | {"pause", "quit"}:
            state = changed(state, paused=False, later_on=None)
        if name not in _IN_PLACE:
            state = changed(state, interlude="")
        return _MOVES[name][1](self.steps, state, argument, now)

    def _instrument_changed(self, state: State, given: InstrumentChanged) -> Outcome:
        """Answers stay as they were given; what is still open is asked in the new wording. An answer to a
        question that is gone stays stored, but is no longer part of the sitting.
        """
        left = {
            name: tuple(c for c in getattr(state, name) if c not in given.gone)
            for name in ("sitting", "queue", "carried", "skipped")
        }
        known = {c: k for c, k in state.known.items() if c not in given.gone}
        answers = {c: a for c, a in state.answers.items() if c not in given.gone}
        state = changed(state, version=given.version, known=known, answers=answers, **left)
        said = "The questions were improved a little since you were last here."
        if state.current in given.gone:
            return self.steps.go_on(changed(state, interlude="", paused=False), said)
        if state.phase in ("place", "placing") and state.draft.words:
            # What was told is not asked for twice: only the sentences to choose from are new.
            anew = answering.all_anchors(self.steps, state)
            return self.steps.show(anew, moves.with_question(self.steps, anew, said))
        if state.phase in ("place", "placing", "different", "fresh"):
            return self.steps.show(changed(state, phase="case", draft=Draft(at=state.draft.at)), said)
        return state, ()

    def _answered_meanwhile(self, state: State, given: AnsweredMeanwhile) -> Outcome:
        """What a co-lead has just answered is not asked again; it can be looked at like an answer of one's
        own.
        """
        new = tuple(criterion for criterion in given.known if criterion not in state.settled)
        here = [criterion for criterion in self._coming(state) if criterion in new]
        said = self.cards.answered_meanwhile(here, given.names) if here else ""
        state = changed(state, known={**state.known, **given.known}, carried=(*state.carried, *new))
        if state.current in new:
            return self.steps.go_on(changed(state, paused=False, later_on=None), said)
        return state, self.steps.said(said)

    def _coming(self, state: State) -> tuple[str, ...]:
        """The questions that this sitting, or the next one, is about."""
        if state.phase == "rest" or (state.phase == "welcome" and state.greeted):
            return questions_left(self.steps.instrument, state)[:A_SITTING]
        return state.sitting


Move = Callable[[Steps, State, str, datetime], Outcome]

_OUT_OF_IT = frozenset({"back", "resume", "out", "other", "at_once"})
"""What leads back to the question from a card that it was put aside for."""
_OF_ANY_CARD = frozenset({"resume", "show", "look"})
"""Moves whose buttons stay good: they show what stands now."""
_ASIDES = frozenset(
    [
        "why",
        "who",
        "help",
        "explain",
        "time",
        "about",
        "judge",
        "must",
        "data",
        "annoyed",
        "why_me",
        "names",
        "person",
        "language",
        "for_me",
    ]
)
"""Moves that say something and leave everything as it is."""
_IN_PLACE = _ASIDES | {"approver"}
"""Moves that leave an interlude as it is."""
_AMID_INTERLUDES = (_ASIDES - {"why", "explain", "judge", "for_me"}) | {"cancel", "pause", "quit"}

_SYNONYMS = {
    ("welcome", "go"): "start",
    ("welcome", "quit"): "out",
    ("rest", "start"): "go",
    ("rest", "resume"): "go",
    ("rest", "out"): "later",
    ("rest", "other"): "edit",
    ("different", "keep"): "same",
    ("evidence", "out"): "nothing",
    ("evidence", "neither"): "nothing",
    ("evidence", "unsure"): "nothing",
    ("evidence", "cancel"): "nothing",
    ("probe", "cancel"): "cannot",
    ("probe", "other"): "again",
    ("evidence", "other"): "again",
    ("probe", "unsure"): "cannot",
    ("probe", "out"): "cannot",
    ("probe", "na"): "cannot",
    ("evidence", "na"): "nothing",
    ("place", "out"): "neither",
    ("different", "above"): "same",
    ("evidence", "same"): "nothing",
    ("process", "unsure"): "skip",
    ("process", "cannot"): "skip",
    ("process", "nothing"): "skip",
    ("process", "neither"): "skip",
    ("process", "out"): "skip",
    ("path", "unsure"): "skip",
    ("path", "nothing"): "skip",
    ("path", "neither"): "skip",
    ("path", "out"): "skip",
}

_MOVES: dict[str, tuple[frozenset[str], Move]] = {
    "start": (frozenset({"welcome"}), moves.start),
    "out": (frozenset({"welcome"}), moves.out),
    "go": (frozenset({"rest"}), moves.go),
    "pick": (frozenset({"place"}), answering.pick),
    "neither": (frozenset({"place"}), answering.neither),
    "unsure": (_QUESTION, answering.unsure),
    "skip": (_QUESTION, answering.skip),
    "skip_all": (_QUESTION, answering.skip_all),
    "skip_to_last": (_QUESTION, answering.skip_to_last),
    "back": (_QUESTION, moves.back),
    "other": (_QUESTION, moves.other),
    "keep": (frozenset({"case"}), answering.keep_answer),
    "same": (frozenset({"different"}), answering.same),
    "better": (frozenset({"different"}), answering.better),
    "worse": (frozenset({"different"}), answering.worse),
    "above": (frozenset({"case", "place", "probe", "evidence", "fresh"}), answering.above),
    "cannot": (frozenset({"probe"}), answering.cannot),
    "nothing": (frozenset({"evidence"}), answering.nothing),
    "again": (frozenset({"probe", "evidence"}), answering.choose_again),
    "named": (frozenset({"process"}), naming_process.named),
    "cross": (frozenset({"path"}), naming_process.cross),
    "uncross": (frozenset({"path"}), naming_process.uncross),
    "crossed": (frozenset({"path"}), naming_process.crossed),
    "na": (_QUESTION, moves.not_applicable),
    "approver": (_QUESTION, moves.approver),
    "later": (_ASKED, moves.later),
    "day": (_ASKED, moves.later_on),
    "hand": (_QUESTION | {"rest"}, moves.hand),
    "to": (_QUESTION | {"rest"}, moves.hand_to),
    "edit": (_QUESTION | {"rest", "done"}, moves.edit),
    "look": (_QUESTION | {"rest", "done"}, moves.look),
    "cancel": (_ASKED, moves.cancel),
    "pause": (_ASKED, moves.pause),
    "quit": (_QUESTION | {"rest"}, moves.quit_here),
    "resume": (_ALWAYS, moves.resume),
    "show": (_ALWAYS, moves.resume),
    "why": (_QUESTION, answers_aside.why),
    "who": (_ALWAYS, answers_aside.who),
    "help": (_ALWAYS, answers_aside.show_help),
    "explain": (_QUESTION, answers_aside.explain),
    "time": (_ASKED, answers_aside.time_left),
    "about": (_ASKED, answers_aside.about),
    "judge": (_ASKED, answers_aside.judged),
    "must": (_ASKED, answers_aside.voluntary),
    "annoyed": (_ASKED, answers_aside.annoyed),
    "why_me": (_ASKED, answers_aside.why_me),
    "names": (_ASKED, answers_aside.no_names),
    "data": (_ASKED, answers_aside.own_data),
    "person": (_ASKED, answers_aside.person),
    "language": (_ASKED, answers_aside.language),
    "for_me": (_QUESTION, answers_aside.for_me),
}

_IN_PHASE: dict[str, Move] = {
    "welcome": moves.not_begun,
    "case": answering.tell,
    "different": answering.tell,
    "fresh": answering.fresh_case,
    "placing": answering.tell,
    "place": answering.tell,
    "probe": answering.probed,
    "evidence": answering.shown,
    "process": naming_process.name,
    "path": naming_process.path,
    "rest": moves.between,
    "done": moves.nudge,
    "away": moves.nudge,
}
_IN_INTERLUDE: dict[str, Move] = {
    "reason": moves.give_reason,
    "approver": moves.pick_owner,
    "later": moves.later_on,
    "hand_over": moves.hand_to,
    "edit": moves.pick_answer,
}
