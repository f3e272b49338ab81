"""The audit as a pure function: a state and one input give the next state and what follows.

No clock, no chance, no database: `now` is handed in, the order of anchors comes from the seed in the
state, and what a model or the embeddings propose is an input like any other. A proposal decides which
anchors are shown; only a person picks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from bot.audit import hearing
from bot.audit.instrument import Instrument
from bot.audit.parts import LEVELS
from bot.audit.planning import A_SITTING, order_shown, questions_left, wants_second
from bot.audit.state import (
    MOST_WORDS,
    Asked,
    AskFreely,
    AskProposal,
    AskSecond,
    Chose,
    Draft,
    Effect,
    Enrol,
    Facts,
    Given,
    HandOver,
    Input,
    InstrumentChanged,
    NoProposal,
    OfferSteps,
    Proposed,
    RequestApproval,
    Resume,
    SaveAnswer,
    Say,
    ShowPlacement,
    Source,
    State,
    StayOut,
    StillTrue,
    Words,
)
from bot.audit.wording import Cards
from bot.when import parse_day

Outcome = tuple[State, tuple[Effect, ...]]
_QUESTION = frozenset({"case", "different", "fresh", "place", "probe", "evidence"})
_ASKED = _QUESTION | {"welcome", "rest"}
_ALWAYS = _ASKED | {"done", "away"}


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


class Dialogue:
    """The audit of one department by one person. Holds nothing but the instrument and the facts."""

    def __init__(self, instrument: Instrument, facts: Facts) -> None:
        self.instrument = instrument
        self.facts = facts
        self.cards = Cards(instrument, facts)

    def step(self, state: State, given: Input, now: datetime) -> Outcome:
        """The next state and its effects, in the order they are to happen. Never raises for any input."""
        match given:
            case Resume():
                return self._resume(state, "", now)
            case Words(text=text):
                return self._words(state, text.strip()[:MOST_WORDS], now)
            case Asked(text=text):
                return self._asked(state, text)
            case Chose(turn=turn, what=what):
                return self._chose(state, turn, what, now)
            case Proposed() | NoProposal():
                return self._proposal(state, given)
            case InstrumentChanged():
                return self._instrument_changed(state, given)

    # Showing

    def _show(self, state: State, preface: str = "", effects: tuple[Effect, ...] = ()) -> Outcome:
        """A new card: from here on the buttons of the old one are out of date."""
        state = _with(state, turn=state.turn + 1)
        return state, (*effects, Say(self._card(state, preface)))

    def _again(self, state: State, said: str = "") -> Outcome:
        """The same card once more, after something said; its buttons stay good."""
        return state, (Say(self._card(state, said)),)

    def _card(self, state: State, preface: str = "") -> Any:
        card = self.cards.card(state)
        return card.model_copy(update={"text": f"{preface}\n\n{card.text}"}) if preface else card

    # What comes in

    def _words(self, state: State, text: str, now: datetime) -> Outcome:
        if state.phase == "placing":
            state, _ = self._proposal(state, NoProposal())
        if not text:
            return self._again(state)
        heard = self._heard(state, text)
        if heard is not None:
            return self._move(state, *heard, now)
        if hearing.is_question(text):
            return self._asked(state, text)
        if state.paused:
            return self._again(state)
        if state.interlude:
            return _IN_INTERLUDE[state.interlude](self, state, text, now)
        return _IN_PHASE[state.phase](self, state, text, now)

    def _asked(self, state: State, text: str) -> Outcome:
        """A question in the middle: it is answered, then the same card comes again."""
        card = (Say(self._card(state)),) if state.asks else ()
        return state, (AskFreely(text), *card)

    def _heard(self, state: State, text: str) -> tuple[str, str] | None:
        """The move that the words name here; a command that has no place here is an answer."""
        if state.phase == "place" and not state.interlude:
            position = hearing.letter(text, len(state.draft.shown))
            if position is not None:
                return "pick", str(state.draft.shown[position])
        found = hearing.command(text)
        if found is None:
            return None
        name, argument = found
        if state.interlude:
            name = "cancel" if name == "back" else name
            said_fully = name in {"hand", "later"} and bool(argument)
            return (name, argument) if said_fully or name in {"cancel", "pause", "help", "who"} else None
        name = _SYNONYMS.get((state.phase, name), name)
        if state.paused and name in {"start", "go"}:
            name = "resume"
        allowed = state.phase in _MOVES[name][0] if name in _MOVES else False
        return (name, argument) if allowed and name != "cancel" else None

    def _chose(self, state: State, turn: int, what: str, now: datetime) -> Outcome:
        criterion, _, move = what.partition(".")
        name, _, argument = move.partition(".")
        if turn != state.turn and name not in {"resume", "show"}:
            if state.last_choice == f"{turn}:{what}":
                return state, ()
            return state, (Say(self.cards.moved_on(state, criterion)),)
        if name not in _MOVES or state.phase not in _MOVES[name][0]:
            return self._again(state)
        return self._move(_with(state, last_choice=f"{turn}:{what}"), name, argument, now)

    def _move(self, state: State, name: str, argument: str, now: datetime) -> Outcome:
        if name not in {"pause", "why", "who", "help"}:
            state = _with(state, paused=False, later_on=None)
        if name not in _IN_PLACE:
            state = _with(state, interlude="")
        return _MOVES[name][1](self, state, argument, now)

    # Starting and stopping

    def _start(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._next_sitting(state, (Enrol(),))

    def _out(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._show(_with(state, phase="away"), effects=(StayOut(),))

    def _next_sitting(self, state: State, effects: tuple[Effect, ...] = ()) -> Outcome:
        sitting = questions_left(self.instrument, state)[:A_SITTING]
        state = _with(state, sitting=sitting, sittings=state.sittings + 1)
        return self._next(state, effects=effects)

    def _go(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._next_sitting(state)

    def _pause(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._again(_with(state, paused=True, interlude=""))

    def _resume(self, state: State, _argument: str, _now: datetime) -> Outcome:
        if state.phase == "placing":
            state, _ = self._proposal(state, NoProposal())
        return self._again(_with(state, paused=False, later_on=None))

    # Going on

    def _next(self, state: State, preface: str = "", effects: tuple[Effect, ...] = ()) -> Outcome:
        """The next open question of this sitting, or its end."""
        for criterion in state.sitting:
            if criterion not in state.settled:
                return self._show(self._opened(state, criterion), preface, effects)
        return self._end_sitting(state, preface, effects)

    def _opened(self, state: State, criterion: str) -> State:
        known = state.known.get(criterion)
        anew = known is None or not known.comparable or criterion in state.answers or state.kind != "re"
        return _with(state, current=criterion, phase="case" if anew else "different", draft=Draft())

    def _end_sitting(self, state: State, preface: str, effects: tuple[Effect, ...]) -> Outcome:
        state = _with(state, current="", draft=Draft(), turn=state.turn + 1)
        rest = questions_left(self.instrument, state)
        state = _with(
            state, phase="rest" if rest else "done", queue=state.queue if state.kind != "first" else rest
        )
        card = self._card(state, preface)
        if state.kind == "second":
            return state, (*effects, Say(card))
        first = state.kind == "first" and state.sittings == 1
        placement = ShowPlacement(provisional=first)
        if first:
            return state, (*effects, *self._said(preface), placement, Say(self._card(state)))
        return state, (*effects, Say(card), placement, OfferSteps())

    def _said(self, text: str) -> tuple[Effect, ...]:
        return (Say(self.cards.notice(text).model_copy(update={"kind": "text"})),) if text else ()

    # The question: words, proposal, pick

    def _tell(self, state: State, text: str, _now: datetime) -> Outcome:
        """Words of the last real case: look for the two closest anchors."""
        words = f"{state.draft.words}\n{text}".strip() if state.draft.words != text else text
        draft = state.draft.model_copy(update={"words": words[:MOST_WORDS]})
        state = _with(state, phase="placing", draft=draft)
        return state, (AskProposal(state.current, draft.words),)

    def _proposal(self, state: State, given: Proposed | NoProposal) -> Outcome:
        """Two neighbouring anchors side by side, or all five. A late or odd proposal changes nothing else."""
        if state.phase != "placing":
            return state, ()
        levels: tuple[int, ...] = LEVELS
        source: Source = "all"
        if isinstance(given, Proposed) and _are_two(given.levels):
            levels, source = given.levels, given.source
        shown = order_shown(state.seed, state.current, tuple(levels))
        more = "I've added that to your words." if state.draft.shown else "Thank you."
        draft = state.draft.model_copy(update={"shown": shown, "proposed_by": source})
        return self._show(_with(state, phase="place", draft=draft), more)

    def _neither(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._show(self._all_anchors(state), "Then here are all five.")

    def _all_anchors(self, state: State) -> State:
        shown = order_shown(state.seed, state.current, LEVELS)
        draft = state.draft.model_copy(update={"shown": shown, "proposed_by": "all"})
        return _with(state, phase="place", draft=draft)

    def _pick(self, state: State, argument: str, now: datetime) -> Outcome:
        if argument not in {str(level) for level in state.draft.shown}:
            return self._again(state)
        return self._level(state, int(argument), now)

    def _level(self, state: State, level: int, now: datetime) -> Outcome:
        draft = state.draft
        given = Given(
            criterion=state.current,
            claim="level",
            at=draft.at or now,
            level=level,
            evidence=hearing.evidence_class(f"{draft.words}\n{draft.probe_words}"),
            words=draft.words,
            probe_words=draft.probe_words,
            shown=draft.shown,
            proposed_by=draft.proposed_by,
        )
        state = self._keep(state, given)
        if level >= 3 and not draft.probed:
            draft = state.draft.model_copy(update={"probed": True})
            return self._show(_with(state, phase="probe", draft=draft), effects=(SaveAnswer(given),))
        return self._ask_evidence(state, given)

    def _keep(self, state: State, given: Given) -> State:
        """`state` with this answer in it; the question stays open until `_next`."""
        return _with(
            state,
            answers=state.answers | {given.criterion: given},
            carried=tuple(c for c in state.carried if c != given.criterion),
            skipped=tuple(c for c in state.skipped if c != given.criterion),
            draft=state.draft.model_copy(update={"at": given.at}),
        )

    # Probe and evidence

    def _probed(self, state: State, text: str, _now: datetime) -> Outcome:
        given = state.answers[state.current]
        words = f"{given.words}\n{text}"
        given = given.model_copy(update={"probe_words": text, "evidence": hearing.evidence_class(words)})
        draft = state.draft.model_copy(update={"probe_words": text})
        return self._ask_evidence(self._keep(_with(state, draft=draft), given), given)

    def _cannot(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._ask_evidence(state, state.answers[state.current])

    def _ask_evidence(self, state: State, given: Given) -> Outcome:
        """Ask for more only where it would count; what others could open is never asked for twice."""
        enough = self.counted(given) == given.level or given.evidence == "E2"
        if enough or state.draft.asked_evidence or state.kind == "second":
            return self._finish(state, given)
        draft = state.draft.model_copy(update={"asked_evidence": True})
        return self._show(_with(state, phase="evidence", draft=draft), effects=(SaveAnswer(given),))

    def _shown(self, state: State, text: str, _now: datetime) -> Outcome:
        given = state.answers[state.current]
        evidence = hearing.evidence_class(f"{given.words}\n{given.probe_words}", text)
        given = given.model_copy(update={"evidence_text": text, "evidence": evidence})
        return self._finish(self._keep(state, given), given)

    def _nothing(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._finish(state, state.answers[state.current])

    def _choose_again(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._show(self._all_anchors(state))

    def counted(self, given: Given) -> int:
        """min(claimed, cap of the evidence)."""
        return min(given.level or 0, self.instrument.cap(given.evidence))

    def _finish(self, state: State, given: Given) -> Outcome:
        """The answer is complete: say what became of it and go on."""
        effects: tuple[Effect, ...] = (SaveAnswer(given),)
        if wants_second(self.instrument, state, given):
            effects = (*effects, AskSecond(given.criterion))
        return self._next(state, self.cards.noted(given, self.counted(given)), effects)

    # Other answers

    def _unsure(self, state: State, _argument: str, now: datetime) -> Outcome:
        if state.phase == "different":
            state = _with(state, carried=(*state.carried, state.current))
            return self._next(state, "That's fine. I keep your last answer, with its date.")
        if state.phase == "probe":
            return self._cannot(state, "", now)
        if state.phase == "evidence":
            return self._nothing(state, "", now)
        given = Given(
            criterion=state.current, claim="unknown", at=state.draft.at or now, words=state.draft.words
        )
        return self._finish(self._keep(state, given), given)

    def _skip(self, state: State, _argument: str, now: datetime) -> Outcome:
        if state.phase == "probe":
            return self._cannot(state, "", now)
        if state.phase == "evidence":
            return self._nothing(state, "", now)
        if state.current in state.settled:
            return self._next(state, "I left it as it was.")
        return self._next(_with(state, skipped=(*state.skipped, state.current)), "Skipped; it can wait.")

    def _keep_answer(self, state: State, _argument: str, _now: datetime) -> Outcome:
        if state.current not in state.answers:
            return self._again(state)
        return self._next(state, "I left it as it was.")

    def _same(self, state: State, _argument: str, now: datetime) -> Outcome:
        known = state.known[state.current]
        if known.claim != "level" or known.level is None:
            return self._unsure(_with(state, phase="case"), "", now)
        if known.still_true_used:
            draft = Draft(keep_level=known.level)
            return self._show(_with(state, phase="fresh", draft=draft))
        state = _with(state, carried=(*state.carried, state.current))
        return self._next(state, "Confirmed, with today's date.", (StillTrue(state.current),))

    def _fresh_case(self, state: State, text: str, now: datetime) -> Outcome:
        level = state.draft.keep_level or 0
        draft = state.draft.model_copy(update={"words": text, "shown": (level,)})
        return self._level(_with(state, draft=draft), level, now)

    def _better(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._show(_with(state, phase="case"), "Good to hear. Tell me a little about it.")

    def _worse(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._show(_with(state, phase="case"), "Thank you for saying so; it happens. What changed?")

    # Does not apply

    def _not_applicable(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._again(_with(state, interlude="reason"))

    def _reason(self, state: State, text: str, now: datetime) -> Outcome:
        state = _with(state, draft=state.draft.model_copy(update={"reason": text}))
        if len(self.facts.owners) > 1:
            return self._again(_with(state, interlude="approver"))
        only = str(self.facts.owners[0].id) if self.facts.owners else ""
        return self._approver(_with(state, interlude=""), only, now)

    def _approver(self, state: State, argument: str, now: datetime) -> Outcome:
        approver = next((owner.id for owner in self.facts.owners if str(owner.id) == argument), None)
        if not state.draft.reason:
            return self._again(state)
        given = Given(
            criterion=state.current,
            claim="not_applicable",
            at=now,
            reason=state.draft.reason,
            approver=approver,
        )
        ask = () if approver is None else (RequestApproval(state.current, approver),)
        effects = (SaveAnswer(given), *ask)
        return self._next(self._keep(state, given), self.cards.noted(given, 0), effects)

    def _pick_owner(self, state: State, _text: str, _now: datetime) -> Outcome:
        return self._again(state, "Please pick one of these.")

    # Later, somebody else, back, edit

    def _later(self, state: State, argument: str, now: datetime) -> Outcome:
        """ "Later" alone asks for the day; with a day it is enough."""
        day = self._day(argument, now)
        return self._wait_until(state, day) if day else self._again(_with(state, interlude="later"))

    def _later_on(self, state: State, text: str, now: datetime) -> Outcome:
        day = self._day(text, now)
        if day is not None:
            return self._wait_until(state, day)
        sorry = 'I didn\'t catch a day there. Something like "tomorrow", "Friday" or "3 December" works.'
        return self._again(_with(state, interlude="later"), sorry)

    def _day(self, text: str, now: datetime) -> date | None:
        return parse_day(text, now.astimezone(self.facts.zone).date())

    def _wait_until(self, state: State, day: date) -> Outcome:
        return self._again(_with(state, interlude="", paused=True, later_on=day))

    def _hand(self, state: State, argument: str, now: datetime) -> Outcome:
        if argument:
            return self._hand_to(state, argument, now)
        return self._again(_with(state, interlude="hand_over"))

    def _hand_to(self, state: State, text: str, _now: datetime) -> Outcome:
        wanted = text.casefold().strip()
        matches = [
            p for p in self.facts.colleagues if wanted in (str(p.id), p.email.casefold(), p.name.casefold())
        ]
        matches = matches or [p for p in self.facts.colleagues if wanted in p.name.casefold().split()]
        if len(matches) != 1:
            return self._again(_with(state, interlude="hand_over"), self.cards.who_is(text, len(matches)))
        state = _with(state, interlude="", phase="away", turn=state.turn + 1)
        thanks = self.cards.notice(self.cards.handed(matches[0]))
        return state, (HandOver(matches[0].id), Say(thanks))

    def _back(self, state: State, _argument: str, _now: datetime) -> Outcome:
        if state.phase in ("probe", "evidence"):
            return self._show(self._all_anchors(state))
        if state.phase == "place":
            return self._show(_with(state, phase="case", draft=Draft(at=state.draft.at)))
        before = state.sitting[: state.sitting.index(state.current)] if state.current in state.sitting else ()
        if not before:
            return self._again(state, "This is the first question of this sitting.")
        return self._reopen(state, before[-1])

    def _reopen(self, state: State, criterion: str) -> Outcome:
        return self._show(_with(state, current=criterion, phase="case", draft=Draft(), interlude=""))

    def _edit(self, state: State, argument: str, _now: datetime) -> Outcome:
        if argument and argument in state.settled:
            sitting = state.sitting if argument in state.sitting else (argument, *state.sitting)
            return self._reopen(_with(state, sitting=sitting), argument)
        if not state.answers and not state.skipped:
            return self._again(state, "There is no answer to change yet.")
        return self._again(_with(state, interlude="edit"))

    def _pick_answer(self, state: State, text: str, now: datetime) -> Outcome:
        wanted = text.casefold().strip()
        for criterion in (*state.answers, *state.skipped):
            if wanted in (criterion.casefold(), self.instrument.criterion(criterion).name.casefold()):
                return self._edit(_with(state, interlude=""), criterion, now)
        return self._again(state, "Please pick one of these.")

    def _cancel(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._again(_with(state, interlude=""))

    # Asides

    def _why(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._again(state, self.cards.why(state))

    def _who(self, state: State, _argument: str, _now: datetime) -> Outcome:
        if state.phase == "welcome" and not state.interlude:
            return self._again(state)
        return self._again(state, f"**Who sees what**\n{self.cards.privacy()}")

    def _help(self, state: State, _argument: str, _now: datetime) -> Outcome:
        return self._again(state, self.cards.help())

    def _nudge(self, state: State, _text: str, _now: datetime) -> Outcome:
        return self._again(state)

    # The instrument moved on

    def _instrument_changed(self, state: State, given: InstrumentChanged) -> Outcome:
        """Answers stay as they were given; what is still open is asked in the new wording."""
        left = tuple(c for c in state.sitting if c not in given.gone)
        queue = tuple(c for c in state.queue if c not in given.gone)
        known = {c: k for c, k in state.known.items() if c not in given.gone}
        state = _with(state, version=given.version, sitting=left, queue=queue, known=known)
        said = "The questions were improved a little since you were last here."
        if state.current in given.gone:
            return self._next(state, said)
        if state.phase in ("place", "placing", "different", "fresh"):
            return self._show(_with(state, phase="case", draft=Draft(at=state.draft.at)), said)
        return state, ()


def _are_two(levels: tuple[int, ...]) -> bool:
    return len(levels) == 2 and set(levels) <= set(LEVELS) and abs(levels[0] - levels[1]) == 1


Move = Callable[[Dialogue, State, str, datetime], Outcome]

_IN_PLACE = frozenset({"approver", "why", "who", "help"})
"""Moves that leave an interlude as it is."""

_SYNONYMS = {
    ("welcome", "go"): "start",
    ("rest", "start"): "go",
    ("rest", "resume"): "go",
    ("rest", "out"): "later",
    ("different", "keep"): "same",
    ("evidence", "out"): "nothing",
    ("evidence", "neither"): "nothing",
    ("evidence", "unsure"): "nothing",
    ("probe", "unsure"): "cannot",
}

_MOVES: dict[str, tuple[frozenset[str], Move]] = {
    "start": (frozenset({"welcome"}), Dialogue._start),
    "out": (frozenset({"welcome"}), Dialogue._out),
    "go": (frozenset({"rest"}), Dialogue._go),
    "pick": (frozenset({"place"}), Dialogue._pick),
    "neither": (frozenset({"place"}), Dialogue._neither),
    "unsure": (_QUESTION, Dialogue._unsure),
    "skip": (_QUESTION, Dialogue._skip),
    "back": (_QUESTION, Dialogue._back),
    "keep": (frozenset({"case"}), Dialogue._keep_answer),
    "same": (frozenset({"different"}), Dialogue._same),
    "better": (frozenset({"different"}), Dialogue._better),
    "worse": (frozenset({"different"}), Dialogue._worse),
    "cannot": (frozenset({"probe"}), Dialogue._cannot),
    "nothing": (frozenset({"evidence"}), Dialogue._nothing),
    "again": (frozenset({"probe", "evidence"}), Dialogue._choose_again),
    "na": (_QUESTION, Dialogue._not_applicable),
    "approver": (_QUESTION, Dialogue._approver),
    "later": (_ASKED, Dialogue._later),
    "day": (_ASKED, Dialogue._later_on),
    "hand": (_QUESTION, Dialogue._hand),
    "to": (_QUESTION, Dialogue._hand_to),
    "edit": (_QUESTION | {"rest", "done"}, Dialogue._edit),
    "cancel": (_ASKED, Dialogue._cancel),
    "pause": (_ASKED, Dialogue._pause),
    "resume": (_ALWAYS, Dialogue._resume),
    "show": (_ALWAYS, Dialogue._resume),
    "why": (_QUESTION, Dialogue._why),
    "who": (_ALWAYS, Dialogue._who),
    "help": (_ALWAYS, Dialogue._help),
}

_IN_PHASE: dict[str, Move] = {
    "welcome": Dialogue._nudge,
    "case": Dialogue._tell,
    "different": Dialogue._tell,
    "fresh": Dialogue._fresh_case,
    "placing": Dialogue._tell,
    "place": Dialogue._tell,
    "probe": Dialogue._probed,
    "evidence": Dialogue._shown,
    "rest": Dialogue._nudge,
    "done": Dialogue._nudge,
    "away": Dialogue._nudge,
}
_IN_INTERLUDE: dict[str, Move] = {
    "reason": Dialogue._reason,
    "approver": Dialogue._pick_owner,
    "later": Dialogue._later_on,
    "hand_over": Dialogue._hand_to,
    "edit": Dialogue._pick_answer,
}
