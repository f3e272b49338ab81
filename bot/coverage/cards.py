"""The cards of a coverage check-in: a state goes in, a message comes out. Everything is tapped."""

from __future__ import annotations

from collections.abc import Callable

from bot.audit.commands import command
from bot.audit.hearing import says_little
from bot.audit.parts import CoverageRules
from bot.choice_ids import ChoiceId
from bot.coverage.state import (
    PREFIX,
    State,
    Taps,
    Task,
)
from bot.messages import Choice, Message, plain

SHARES = (("none", "None"), ("1-2", "1–2"), ("3-5", "3–5"), ("6-8", "6–8"), ("9-10", "9–10"))
HOURS = (
    ("<0.5", "Under ½ hour"),
    ("0.5-1", "½–1 hour"),
    ("1-2", "1–2 hours"),
    ("2-5", "2–5 hours"),
    ("5-10", "5–10 hours"),
    (">10", "Over 10 hours"),
)
MODES: tuple[tuple[str, str, str, str], ...] = (
    ("helps", "It helps a person", "helps_a_person", "checked_each"),
    ("each", "It does it, each one is checked", "does_it_person_checks_each", "checked_each"),
    ("samples", "It does it, samples are checked", "does_it_samples_checked", "sampled"),
    ("unchecked", "It does it, nobody checks", "does_it_samples_checked", "unchecked"),
)
"""One tap says both what AI does and how its work is checked: button, label, mode, review."""
ACCEPTED: tuple[tuple[str, int | None], ...] = (
    ("All 10", 10),
    ("9", 9),
    ("8", 8),
    ("7", 7),
    ("6", 6),
    ("5", 5),
    ("4", 4),
    ("3", 3),
    ("Fewer", 1),
    ("I don't know", None),
)
REASONS = (
    "It needs judgement or care for people",
    "A law or policy wants a person",
    "A mistake would cost too much",
)


_GUESS = "A rough guess is fine; tap what is nearest, or skip it. It is about the task, never about a person."
_LEAVE = 'Just leave it, every tap is kept. Say "coverage" to go on.'
_ABOUT = {
    **dict.fromkeys(("explain", "why", "unsure"), _GUESS),
    **dict.fromkeys(("pause", "quit", "later"), _LEAVE),
    "who": "The figure of the department is for its own team and the executives; it is never about a person.",
    "time": "",
    "skip": "This one is needed for the task; a guess will do.",
    "back": "A tap can't be taken back, but at the end you can go through it again.",
}


class Cards:
    """The cards of a check-in, with the instrument's words."""

    def __init__(self, rules: CoverageRules) -> None:
        self._ask = rules.inputs_per_task

    def card(self, state: State, said: str = "") -> Message:
        """The card that stands now."""
        card = _CARDS[state.phase](self, state)
        return card.model_copy(update={"text": f"{said}\n\n{card.text}"}) if said else card

    def is_about(self, text: str) -> bool:
        """The words ask about the card, or are a tick or a number that no button bears."""
        found = command(text)
        return says_little(text) or (found is not None and found[0] in _ABOUT)

    def about(self, state: State, text: str) -> str:
        """Said when words can't answer the card: how much is left, what is meant, how to leave."""
        name = (command(text) or ("", ""))[0]
        if name == "time":
            left = len(state.todo) or len(state.role.tasks)
            return f"{left} {'task' if left == 1 else 'tasks'} of this role to go, four taps each."
        return _ABOUT.get(name, "Here a tap is enough.")

    def leaves(self, text: str) -> bool:
        """The words leave it for now, so that the card need not be read out again."""
        return (command(text) or ("",))[0] in ("pause", "quit", "later")

    def _choice(self, state: State, what: str, label: str, primary: bool = False) -> Choice:
        made = ChoiceId(PREFIX, state.session, state.turn, what)
        return Choice(id=str(made), label=label, style="primary" if primary else "default")

    def _tasks_card(self, state: State) -> Message:
        lines = "\n".join(
            f"- **{n}** {'_left out:_ ' if task.slug in state.left_out else ''}{plain(task.text)}"
            for n, task in enumerate(state.role.tasks, 1)
        )
        toggles = (
            self._choice(
                state, f"toggle.{task.slug}", f"{'Put back' if task.slug in state.left_out else 'Not'} {n}"
            )
            for n, task in enumerate(state.role.tasks, 1)
        )
        return Message(
            kind="question",
            text="**Coverage** is the share of your repetitive work that AI does well enough to be used. For "
            f"**{plain(state.role.name)}** these tasks are usual. Leave out what isn't yours, or add your "
            f"own.\n\n{lines}\n\n"
            "_Then four taps for each, under three minutes in all. It is never about a person._",
            choices=(
                self._choice(state, "go", "Start", primary=True),
                *toggles,
                self._choice(state, "own", "Add one"),
                self._choice(state, "later", "Another time"),
            ),
        )

    def _own_card(self, state: State) -> Message:
        return Message(
            kind="question",
            text="Which task? A few words; it should take a person at least half an hour a week.",
            choices=(self._choice(state, "not_own", "Never mind"),),
            input_hint="The task, in a few words",
        )

    def _heading(self, state: State) -> str:
        if state.updating:
            return f"**{plain(state.task.text)}**"
        at = len(state.role.tasks) - len(state.todo) + 1
        return f"**{at} of {len(state.role.tasks)}: {plain(state.task.text)}**"

    def _hours_card(self, state: State) -> Message:
        return Message(
            kind="question",
            text=f"{self._heading(state)}\n\n{self._ask.hours_per_person_week.ask}",
            choices=(
                *(self._choice(state, f"hours.{key}", label) for key, label in HOURS),
                self._choice(state, "skip", "Skip"),
            ),
        )

    def _share_card(self, state: State) -> Message:
        hint = f" _(Many keep {plain(state.task.hint)} for people.)_" if state.task.hint else ""
        return Message(
            kind="question",
            text=f"**{plain(state.task.text)}**\n\n{self._ask.share_of_cases.ask}{hint}",
            choices=(
                *(self._choice(state, f"share.{key}", label) for key, label in SHARES),
                self._choice(state, "keep", "A person should keep it"),
                self._choice(state, "skip", "Skip"),
            ),
        )

    def _mode_card(self, state: State) -> Message:
        return Message(
            kind="question",
            text=f"**{plain(state.task.text)}**\n\n{self._ask.mode.ask}",
            choices=tuple(self._choice(state, f"mode.{name}", label) for name, label, _, _ in MODES),
        )

    def _accepted_card(self, state: State) -> Message:
        return Message(
            kind="question",
            text=f"**{plain(state.task.text)}**\n\n{self._ask.accepted_of_last_ten.ask}",
            choices=tuple(
                self._choice(state, f"accepted.{n}", label) for n, (label, _) in enumerate(ACCEPTED)
            ),
        )

    def _reason_card(self, state: State) -> Message:
        return Message(
            kind="question",
            text=f"**{plain(state.task.text)}** stays with people. Why?",
            choices=tuple(self._choice(state, f"reason.{n}", text) for n, text in enumerate(REASONS)),
            input_hint="Or in your own words",
        )

    def _tools_card(self, state: State) -> Message:
        return Message(
            kind="question",
            text="Last tap for this role: does all of that run on tools that the company has approved?",
            choices=(
                self._choice(state, "tools.all", "Yes, all of it"),
                self._choice(state, "some", "Not all of it"),
            ),
        )

    def _which_card(self, state: State) -> Message:
        """Marked tasks run on other tools; the rest counts."""
        tasks = list(enumerate(state.on_tools, 1))
        lines = "\n".join(
            f"- **{n}** {plain(task.text)}{' _(another tool)_' if task.slug in state.left_out else ''}"
            for n, task in tasks
        )
        marks = (
            self._choice(
                state, f"mark.{task.slug}", f"{n} is approved" if task.slug in state.left_out else f"{n}"
            )
            for n, task in tasks
        )
        go_on = (self._choice(state, "marked", "That's it", primary=True),) if state.left_out else ()
        return Message(
            kind="question",
            text=f"Which of these run on a tool that is not approved yet? They count once it is.\n\n{lines}",
            choices=(*go_on, *marks, self._choice(state, "tools.none", "All of them")),
        )

    def _overview_card(self, state: State) -> Message:
        lines = "\n".join(
            f"- **{n}** {plain(task.text)}: {share_words(state.answered.get(task.slug) or task.before)}"
            for n, task in enumerate(state.role.tasks, 1)
        )
        opened = (
            self._choice(
                state, f"open.{task.slug}", f"{n} changed" if _is_known(state, task) else f"Describe {n}"
            )
            for n, task in enumerate(state.role.tasks, 1)
        )
        rest = "The rest is the same" if state.answered else "All the same"
        return Message(
            kind="question",
            text=f"**{plain(state.role.name)}**, as you last described it:\n\n{lines}\n\nHas anything "
            f"changed?",
            choices=(
                self._choice(state, "same", rest, primary=True),
                *opened,
                self._choice(state, "later", "Another time"),
            ),
        )

    def _changed_card(self, state: State) -> Message:
        return Message(
            kind="question",
            text=f"**{plain(state.task.text)}**: does AI do more of it now, less, or something different?",
            choices=(
                self._choice(state, "more.up", "More"),
                self._choice(state, "more.down", "Less"),
                self._choice(state, "different", "Different"),
                self._choice(state, "back", "The same after all"),
            ),
        )

    def _rest_card(self, state: State) -> Message:
        return Message(
            kind="question",
            text=f"That was that, thank you. Next would be **{plain(state.role.name)}**. Go on now, or "
            f"another day?",
            choices=(
                self._choice(state, "next", "Go on", primary=True),
                self._choice(state, "enough", "Another day"),
            ),
        )

    def _done_card(self, _state: State) -> Message:
        return Message(text="That's all for coverage. Thank you!")


def _is_known(state: State, task: Task) -> bool:
    return (state.answered.get(task.slug) or task.before) is not None


def share_words(taps: Taps | None) -> str:
    """What was last said of a task, in a few words."""
    if taps is None:
        return "not asked yet"
    if taps.keep_human:
        return "kept for people"
    if taps.share == "none":
        return "no AI yet"
    other = ", on a tool that is not approved yet" if taps.tool == "not_approved" else ""
    return f"AI has a part in {dict(SHARES).get(taps.share, taps.share)} of ten cases{other}"


_CARDS: dict[str, Callable[[Cards, State], Message]] = {
    "tasks": Cards._tasks_card,
    "own": Cards._own_card,
    "hours": Cards._hours_card,
    "share": Cards._share_card,
    "mode": Cards._mode_card,
    "accepted": Cards._accepted_card,
    "reason": Cards._reason_card,
    "tools": Cards._tools_card,
    "which": Cards._which_card,
    "overview": Cards._overview_card,
    "changed": Cards._changed_card,
    "rest": Cards._rest_card,
    "done": Cards._done_card,
}
