"""Every sentence of the audit. Nothing is decided here: a state goes in, a card comes out.

The voice: a thoughtful colleague. Short, warm, plain; no scores announced like marks, no blame, and no word
that the question itself did not explain.
"""

from __future__ import annotations

from bot.audit.instrument import Instrument
from bot.audit.interlude_cards import INTERLUDES
from bot.audit.parts import Criterion
from bot.audit.phrases import (
    count_words,
    day,
    earlier,
    hello,
    hello_again,
    hello_on,
    hello_second,
    joined,
    lower,
    missing,
    more_another_day,
    names,
    quoted,
)
from bot.audit.planning import A_SITTING, questions_left
from bot.audit.process_cards import name_card, path_card
from bot.audit.state import Facts, Given, Known, Someone, State
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, Progress, plain

PREFIX = "audit"
LETTERS = "ABCDE"


class Cards:
    """The cards of one sitting: the instrument's questions with the facts of one department."""

    def __init__(self, instrument: Instrument, facts: Facts) -> None:
        self.instrument = instrument
        self.facts = facts

    # Pieces

    def choice(self, state: State, what: str, label: str, primary: bool = False) -> Choice:
        """A button of the present card. `what` is led by the criterion, so that an old button can be
        explained.
        """
        about = ChoiceId(PREFIX, state.session, state.turn, f"{state.current or '-'}.{what}")
        return Choice(id=str(about), label=label, style="primary" if primary else "default")

    def choices(self, state: State, *pairs: tuple[str, str]) -> tuple[Choice, ...]:
        return tuple(self.choice(state, what, label) for what, label in pairs)

    def criterion(self, state: State) -> Criterion:
        return self.instrument.criterion(state.current)

    def level_name(self, level: int) -> str:
        return self.instrument.scale.levels[level].name

    def _always(self, state: State) -> tuple[Choice, ...]:
        return self.choices(
            state,
            ("skip", "Skip"),
            ("later", "Ask me later"),
            ("hand", "Not for me to say" if state.kind == "second" else "Hand over"),
            ("edit", "Edit an answer"),
            ("pause", "Pause"),
        )

    def progress(self, state: State) -> Progress:
        """Position and minutes: about three quarters of a minute a question, as a sitting of four takes
        three.
        """
        place = state.sitting.index(state.current) if state.current in state.sitting else 0
        left = len([c for c in state.sitting if c not in state.settled or c == state.current])
        return Progress(done=place, total=len(state.sitting), minutes=max(1, round(left * 0.75)))

    def _heading(self, state: State) -> str:
        at = self.progress(state)
        unit = "minute" if at.minutes == 1 else "minutes"
        about = f"\n\n_About {plain(self.facts.department)}_" if state.named else ""
        return f"**Question {at.done + 1} of {at.total}**, about {at.minutes} {unit}{about}"

    # Cards

    def card(self, state: State) -> Message:
        """The card that stands now. The same state always gives the same card."""
        if state.paused:
            return self._paused(state)
        if state.interlude:
            return INTERLUDES[state.interlude](self, state)
        return _CARDS[state.phase](self, state)

    def _welcome(self, state: State) -> Message:
        coming = questions_left(self.instrument, state)[:A_SITTING]
        known = any(criterion in state.known for criterion in coming)
        said = {
            "first": hello(self.facts, len(coming)),
            "re": hello_again(self.facts) if known or not coming else hello_on(self.facts, len(coming)),
            "second": hello_second(self.facts, len(state.queue)),
        }
        return Message(
            kind="question",
            text=said[state.kind],
            choices=(
                self.choice(state, "start", "Start", primary=True),
                self.choice(state, "out", "Not for me"),
            ),
        )

    def _case(self, state: State) -> Message:
        criterion = self.criterion(state)
        before = state.answers.get(state.current)
        keep = (("keep", "Keep my answer"),) if before else ()
        said = f"You said:\n\n{quoted(before.words)}\n\n" if before and before.words else ""
        said = said or self._asked_again(criterion, state.known.get(state.current))
        return Message(
            kind="question",
            text=f"{self._heading(state)}\n\n{said}{criterion.question}\n\n_{self._hint(state)}_",
            choices=(
                *self.choices(state, *keep, ("unsure", "Not sure"), ("why", "Why do you ask?")),
                *self._always(state),
                *(() if state.kind == "second" else self.choices(state, ("na", "Doesn't apply to us"))),
            ),
            progress=self.progress(state),
            input_hint="What happened, when, roughly how many?",
        )

    def _hint(self, state: State) -> str:
        """Where to begin; how much is enough is said once a sitting."""
        enough = "" if self.progress(state).done else " One or two sentences are plenty."
        return f"{self.criterion(state).hint}{enough}"

    def _asked_again(self, criterion: Criterion, known: Known | None) -> str:
        """Why a question whose answer ended early comes again, and what that answer was."""
        if known is None or not known.ended:
            return ""
        return (
            f"I ask this one again, because {plain(known.ended)}.\n\n{self.last_time(criterion, known)}\n\n"
        )

    def _different(self, state: State) -> Message:
        criterion, known = self.criterion(state), state.known[state.current]
        parts = (self._heading(state), criterion.question, self.last_time(criterion, known))
        return Message(
            kind="question",
            text="\n\n".join((*parts, "What is different now?")),
            choices=(
                *self.choices(
                    state,
                    ("same", "The same"),
                    ("better", "Better"),
                    ("worse", "Worse"),
                    ("unsure", "Not sure"),
                ),
                *self._always(state),
                *self.choices(state, ("why", "Why do you ask?"), ("na", "Doesn't apply to us")),
            ),
            progress=self.progress(state),
            input_hint="Or just tell me what is different",
        )

    def last_time(self, criterion: Criterion, known: Known) -> str:
        """The anchor that was picked last time, and the words it was picked with."""
        if known.claim == "not_applicable":
            return f"On {day(known.at)} you said that this does not apply to you."
        if known.level is None:
            return f"On {day(known.at)} this was still to find out."
        said = f"\n\nYou said:\n\n{quoted(known.words)}" if known.words else ""
        return f"On {day(known.at)} it was closest to:\n\n> {criterion.levels[known.level]}{said}"

    def _fresh(self, state: State) -> Message:
        tapped = state.known[state.current].still_true_used
        since = "The last confirmation was one tap" if tapped else "It has been a while"
        return Message(
            kind="question",
            text=f"Good to know it holds. {since}, so this time I'd like one fresh case: what happened, "
            "when, roughly how many?",
            choices=self._always(state),
            progress=self.progress(state),
            input_hint="One recent case",
        )

    def _place(self, state: State) -> Message:
        anchors, shown = self.criterion(state).levels, state.draft.shown
        lines = "\n".join(f"- **{LETTERS[n]}** {anchors[level]}" for n, level in enumerate(shown))
        two = len(shown) == 2
        ask = (
            "Which of these two is closer to how it is today?"
            if two
            else "Which of these is closest to how it is today?"
        )
        picks = [(f"pick.{level}", LETTERS[n]) for n, level in enumerate(shown)]
        also = [("neither", "Neither")] if two else []
        return Message(
            kind="question",
            text=f"{ask}\n\n{lines}",
            choices=(*self.choices(state, *picks, *also, ("unsure", "Not sure")), *self._always(state)),
            progress=self.progress(state),
        )

    def _probe(self, state: State) -> Message:
        before = any(given.level is not None and given.level >= 3 for given in earlier(state))
        lead_in = (
            "Well settled, too. And here:"
            if before
            else "That sounds well settled. One thing I ask everyone at this point:"
        )
        return Message(
            kind="question",
            text=f"{lead_in} when did this last _not_ happen?",
            choices=(
                *self.choices(state, ("cannot", "I can't think of a time"), ("again", "Choose again")),
                *self._always(state),
            ),
            progress=self.progress(state),
            input_hint="The last exception you remember",
        )

    def _evidence(self, state: State) -> Message:
        criterion, given = self.criterion(state), state.answers[state.current]
        if (given.level or 0) <= 2:
            ask = (
                "Could you give me one recent case: what, when, and roughly how many? Then it counts in full."
            )
        else:
            ask = self._ask_to_see(state, criterion)
        return Message(
            kind="question",
            text=ask,
            choices=(
                *self.choices(state, ("nothing", "Nothing at hand"), ("again", "Choose again")),
                *self._always(state),
            ),
            progress=self.progress(state),
            input_hint="A link, a file or a sentence",
        )

    def _ask_to_see(self, state: State, criterion: Criterion) -> str:
        """What a link is for, and what happens to it, is said in full once a sitting."""
        examples = "; ".join(lower(text) for text in criterion.evidence)
        if any((given.level or 0) >= 3 for given in earlier(state)):
            return f"And something that a colleague could open to see this? For example: {examples}."
        return (
            "Is there something that a colleague could open to see this? A link or the name of a "
            f"file is best. For example: {examples}.\n\n"
            "_I keep the link and one line about it. I never open or copy it._"
        )

    def ask_again(self, state: State) -> str:
        """What the present card asks for about an answer, without what was said with it the first time."""
        if state.phase == "probe":
            return "When did this last _not_ happen?"
        if (state.answers[state.current].level or 0) <= 2:
            return "One recent case: what, when, and roughly how many?"
        return "Is there a link, or the name of a file, that a colleague could open?"

    def _rest(self, state: State) -> Message:
        first = state.sittings == 1 and state.kind == "first"
        left = sum(criterion not in state.settled for criterion in state.queue)
        return Message(
            kind="question",
            text=self._on_to_the_others(state) if first else more_another_day(left, state.kind == "first"),
            choices=(
                self.choice(state, "go", "Go on", primary=True),
                self.choice(state, "later", "Another day"),
            ),
        )

    def _on_to_the_others(self, state: State) -> str:
        models = [self.instrument.model(criterion.split("-")[0]) for criterion in state.queue]
        listed = "; ".join(model.in_short for model in models)
        count = count_words(len(models)).capitalize()
        answered = bool(state.answers)
        thanks = (
            "Thank you, that was the ground." if answered else "That was the ground, for another day then."
        )
        return (
            f"{thanks} {count} more questions, about 3 minutes, are about what builds on it, one after the "
            f"other: {listed}. Go on now, or another day?"
        )

    def _done(self, state: State) -> Message:
        said = any(given.level is not None for given in state.answers.values())
        texts = {
            "second": "That was all. Your view is in, and it helps." if said else "That was all, thank you.",
            "re": "That's all for this time. Thank you.",
            "first": "That's everything I wanted to ask. Thank you.",
        }
        if state.kind == "first" and state.skipped:
            return Message(kind="text", text="That's all for now, thank you. What you skipped can wait.")
        return Message(kind="text", text=texts[state.kind])

    def _away(self, _state: State) -> Message:
        return Message(
            kind="text",
            text='All right, I won\'t write to you about this. If you change your mind, say "start".',
        )

    def _paused(self, state: State) -> Message:
        until = f" I'll come back to it on {day(state.later_on)}." if state.later_on else ""
        return Message(
            kind="text",
            text=f'Saved. Everything is where you left it.{until} Say "resume" whenever you like.',
            choices=(self.choice(state, "resume", "Resume", primary=True),),
        )

    # Short replies

    def notice(self, text: str, choices: tuple[Choice, ...] = ()) -> Message:
        return Message(kind="notice", text=text, choices=choices)

    def noted(self, given: Given, counted: int, capped: tuple[Given, ...] = ()) -> str:
        """What became of the answer, in one or two lines.

        `capped` are this sitting's earlier answers that do not count in full yet: what a level is, and why
        it counts as less, is said in full once.
        """
        if given.claim == "unknown":
            return 'Fine, I put that under "to find out".'
        if given.claim == "not_applicable" and given.approver is None:
            return "Thank you, it's kept. It stays open until whoever runs the AI programme confirms it."
        if given.claim == "not_applicable" and given.approver == self.facts.person:
            return "Thank you, it's kept. It stays open until you confirm it in the message that I send you."
        if given.claim == "not_applicable":
            to = names(each for each in self.facts.approvers if each.id == given.approver)
            return f"Thank you, I've passed that on to {to}. It stays open until it is confirmed."
        level = given.level or 0
        if counted == level:
            return "Noted, thank you."
        if missing(given) in map(missing, capped):
            return (
                f"Noted, thank you. Level {level} of 4; for the same reason it counts as {counted} for now."
            )
        scale = "" if capped else " (0 is not done, 4 is done by nearly all and steadily improved)"
        return (
            f"Noted, thank you. You described level {level} of 4{scale}. It counts as {counted} until "
            f"{missing(given)}."
        )

    def answered_meanwhile(self, criteria: list[str], names: dict[str, str]) -> str:
        """Said of questions that a co-lead answered while this sitting was open."""
        who = joined(sorted({plain(names[criterion]) for criterion in criteria}))
        what = joined([f"**{lower(self.instrument.criterion(criterion).name)}**" for criterion in criteria])
        those, them = ("that", "it") if len(criteria) == 1 else ("those", "one of them")
        return (
            f"{who} answered {what} meanwhile, so I don't ask you {those} again. If you see {them} "
            "differently, say **edit**."
        )

    def who_is(self, typed: str, matches: int) -> str:
        """Said when a typed name fits nobody, or several."""
        typed = typed.title() if typed.islower() and "@" not in typed else typed
        if matches:
            return f"There is more than one {plain(typed)} here. Which one? An e-mail address settles it."
        return (
            f"I don't know {plain(typed)} in {plain(self.facts.department)}. Pick somebody, or type an "
            f"e-mail address."
        )

    def no_such_department(self, typed: str) -> str:
        """Said when a typed department is none."""
        return f"I don't know a department called {plain(typed)}."

    def handed(self, someone: Someone, answered: bool) -> str:
        yours = " What you answered stays yours." if answered else ""
        return f"Done: {plain(someone.name)} gets the remaining questions.{yours} Thank you!"

    def moved_on(self, state: State, criterion: str) -> Message:
        """For a button of an old card: nothing happened, and here is how to change that answer."""
        if criterion not in state.answers or state.phase == "away":
            return self.notice("That question has moved on, so nothing was changed.")
        name = self.instrument.criterion(criterion).name
        return self.notice(
            f"That question has moved on; your answer on **{lower(name)}** is saved. Would you like to "
            "change it?",
            (
                self.choice(state, f"edit.{criterion}", "Edit that answer"),
                self.choice(state, "show", "No, go on"),
            ),
        )


_CARDS = {
    "welcome": Cards._welcome,
    "case": Cards._case,
    "different": Cards._different,
    "fresh": Cards._fresh,
    "placing": Cards._case,
    "place": Cards._place,
    "probe": Cards._probe,
    "evidence": Cards._evidence,
    "process": name_card,
    "path": path_card,
    "rest": Cards._rest,
    "done": Cards._done,
    "away": Cards._away,
}
