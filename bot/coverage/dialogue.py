"""The coverage check-in as a pure function: taps only, four a task, one role after the other.

The first time a role is gone through task by task. Later one card shows all of its tasks: the same, or
which of them is more, less or different. Buckets are the instrument's; the people who answer never type a
number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bot.audit.parts import CoverageRules
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, plain

PREFIX = "coverage"
MOST_TASKS = 10
MOST_WORDS = 200
Phase = Literal[
    "tasks",  # which of the usual tasks does this role have?
    "own",  # a task in own words
    "hours",
    "share",
    "mode",
    "accepted",
    "reason",  # why a person keeps it
    "tools",  # approved tools, for the whole role
    "overview",  # later: one card with all tasks
    "changed",  # later: how has this one changed?
    "rest",  # between two roles
    "done",
]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Taps(_Record):
    """What was tapped about one task; names are the instrument's buckets. `mode` None where AI plays no
    part.
    """

    hours: str = ""
    share: str = ""
    mode: str | None = None
    accepted: int | None = None
    review: str | None = None
    tool: str | None = None
    keep_human: bool = False
    reason: str = ""


class Task(_Record):
    """A repetitive task of the role. `before` is what was answered last."""

    slug: str
    text: str
    own: bool = False
    hint: str = ""
    before: Taps | None = None


class RoleTasks(_Record):
    """A role and its tasks, as they stand when the check-in begins."""

    role: int
    name: str
    tasks: tuple[Task, ...]


class State(_Record):
    """Where a check-in stands. `roles` are still to come, the first of them is the present one."""

    session: int
    turn: int = 0
    phase: Phase = "tasks"
    roles: tuple[RoleTasks, ...]
    left_out: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()
    taps: Taps = Taps()
    answered: dict[str, Taps] = {}
    last_choice: str = ""

    @property
    def role(self) -> RoleTasks:
        return self.roles[0]

    @property
    def task(self) -> Task:
        """The task that is asked about now."""
        return next(task for task in self.role.tasks if task.slug == self.todo[0])

    @property
    def updating(self) -> bool:
        """This role was described before, so that one card shows all of it."""
        return any(task.before is not None for task in self.role.tasks)

    @property
    def asks_words(self) -> bool:
        """Words can answer the present card; everything else is tapped."""
        return self.phase in ("own", "reason")


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
class Show:
    """Show the present card."""


Input = Words | Chose | Show


@dataclass(frozen=True)
class Say:
    """Tell the person."""

    message: Message


@dataclass(frozen=True)
class SaveTask:
    """Store what was tapped about a task."""

    role: int
    task: Task
    taps: Taps


@dataclass(frozen=True)
class LeaveOut:
    """The role does not have this usual task."""

    role: int
    task: Task


@dataclass(frozen=True)
class ShowCoverage:
    """Work out and show the figure."""


Effect = Say | SaveTask | LeaveOut | ShowCoverage
Outcome = tuple[State, tuple[Effect, ...]]

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
    ("5 or 6", 5),
    ("3 or 4", 3),
    ("Fewer", 1),
    ("I don't know", None),
)
REASONS = (
    "It needs judgement or care for people",
    "A law or policy wants a person",
    "A mistake would cost too much",
)


class Checkin:
    """The check-in with the instrument's words. Holds nothing else."""

    def __init__(self, rules: CoverageRules) -> None:
        self._ask = rules.inputs_per_task
        self._shares = tuple(rules.inputs_per_task.share_of_cases.values)

    def step(self, state: State, given: Input) -> Outcome:
        """The next state and its effects. Never raises for any input."""
        if state.phase in ("rest", "done") and isinstance(given, Words):
            return state, ()
        match given:
            case Show():
                return state, (Say(self.card(state)),)
            case Words(text=text):
                return self._words(state, " ".join(text.split())[:MOST_WORDS])
            case Chose(turn=turn, what=what):
                return self._chose(state, turn, what)

    def _words(self, state: State, text: str) -> Outcome:
        if state.phase == "reason" and text:
            return self._keep(state, text)
        if state.phase == "own" and text:
            # The same words are the same task, also after it was left out for a while.
            slug = f"own-{hashlib.sha256(text.casefold().encode()).hexdigest()[:12]}"
            if slug in {task.slug for task in state.role.tasks}:
                return self._not_own(state, "")
            task = Task(slug=slug, text=text, own=True)
            return self._show(
                _with_role(state, tasks=(*state.role.tasks, task)).model_copy(update={"phase": "tasks"})
            )
        return state, (Say(self.card(state, "Here a tap is enough.")),)

    def _chose(self, state: State, turn: int, what: str) -> Outcome:
        if turn != state.turn:
            if state.last_choice == f"{turn}:{what}":
                return state, ()
            moved = "That card has moved on, so nothing was changed. The newest one is further down."
            return state, (Say(Message(kind="notice", text=moved)),)
        state = state.model_copy(update={"last_choice": f"{turn}:{what}"})
        name, _, argument = what.partition(".")
        move = _MOVES.get((state.phase, name))
        return move(self, state, argument) if move is not None else (state, (Say(self.card(state)),))

    def _show(self, state: State, *effects: Effect, said: str = "") -> Outcome:
        state = state.model_copy(update={"turn": state.turn + 1})
        return state, (*effects, Say(self.card(state, said)))

    # Which tasks

    def _toggle(self, state: State, slug: str) -> Outcome:
        out = tuple(s for s in state.left_out if s != slug)
        left_out = out if slug in state.left_out else (*state.left_out, slug)
        known = {task.slug for task in state.role.tasks}
        return self._show(state.model_copy(update={"left_out": tuple(s for s in left_out if s in known)}))

    def _own(self, state: State, _argument: str) -> Outcome:
        if len(state.role.tasks) >= MOST_TASKS:
            return state, (Say(self.card(state, "Ten tasks are enough for one role.")),)
        return self._show(state.model_copy(update={"phase": "own"}))

    def _not_own(self, state: State, _argument: str) -> Outcome:
        return self._show(state.model_copy(update={"phase": "tasks"}))

    def _go(self, state: State, _argument: str) -> Outcome:
        gone = tuple(
            LeaveOut(state.role.role, task) for task in state.role.tasks if task.slug in state.left_out
        )
        kept = tuple(task for task in state.role.tasks if task.slug not in state.left_out)
        state = _with_role(state, tasks=kept)
        state = state.model_copy(update={"todo": tuple(task.slug for task in kept), "left_out": ()})
        return self._next(state, *gone)

    # Four taps a task

    def _next(self, state: State, *effects: Effect, said: str = "") -> Outcome:
        """The next task of the role, else its tools, else what follows the role."""
        if state.todo:
            return self._show(
                state.model_copy(update={"phase": "hours", "taps": Taps()}), *effects, said=said
            )
        if state.updating:
            return self._show(state.model_copy(update={"phase": "overview"}), *effects, said=said)
        return self._tools_or_done(state, *effects)

    def _tools_or_done(self, state: State, *effects: Effect) -> Outcome:
        if any(taps.mode is not None and taps.tool is None for taps in state.answered.values()):
            return self._show(state.model_copy(update={"phase": "tools"}), *effects)
        return self._role_done(state, *effects)

    def _hours(self, state: State, bucket: str) -> Outcome:
        if bucket not in dict(HOURS):
            return state, (Say(self.card(state)),)
        taps = state.taps.model_copy(update={"hours": bucket})
        return self._show(state.model_copy(update={"phase": "share", "taps": taps}))

    def _share(self, state: State, bucket: str) -> Outcome:
        if bucket not in self._shares:
            return state, (Say(self.card(state)),)
        taps = state.taps.model_copy(update={"share": bucket})
        if bucket == "none":
            return self._save(state, taps)
        return self._show(state.model_copy(update={"phase": "mode", "taps": taps}))

    def _mode(self, state: State, key: str) -> Outcome:
        for name, _, mode, review in MODES:
            if name == key:
                taps = state.taps.model_copy(update={"mode": mode, "review": review})
                return self._show(state.model_copy(update={"phase": "accepted", "taps": taps}))
        return state, (Say(self.card(state)),)

    def _accepted(self, state: State, position: str) -> Outcome:
        if not position.isdigit() or int(position) >= len(ACCEPTED):
            return state, (Say(self.card(state)),)
        return self._save(state, state.taps.model_copy(update={"accepted": ACCEPTED[int(position)][1]}))

    def _save(self, state: State, taps: Taps) -> Outcome:
        """Kept at once; approved tools are asked for the role as a whole and then kept with each task."""
        task = state.task
        if taps.mode is not None and task.before is not None:
            taps = taps.model_copy(update={"tool": task.before.tool})
        state = state.model_copy(
            update={"answered": state.answered | {task.slug: taps}, "todo": state.todo[1:], "taps": Taps()}
        )
        return self._next(state, SaveTask(state.role.role, task, taps))

    def _skip(self, state: State, _argument: str) -> Outcome:
        return self._next(state.model_copy(update={"todo": state.todo[1:], "taps": Taps()}))

    # Kept for people

    def _ask_reason(self, state: State, _argument: str) -> Outcome:
        return self._show(state.model_copy(update={"phase": "reason"}))

    def _reason(self, state: State, position: str) -> Outcome:
        if not position.isdigit() or int(position) >= len(REASONS):
            return state, (Say(self.card(state)),)
        return self._keep(state, REASONS[int(position)])

    def _keep(self, state: State, reason: str) -> Outcome:
        hours = state.taps.hours or "2-5"
        return self._save(state, Taps(hours=hours, share="none", keep_human=True, reason=reason))

    # Tools

    def _tools(self, state: State, argument: str) -> Outcome:
        approved = {"all": "approved", "none": "not_approved"}.get(argument)
        if approved is None:
            return state, (Say(self.card(state)),)
        tasks = {task.slug: task for task in state.role.tasks}
        with_tool = {
            slug: taps.model_copy(update={"tool": approved})
            for slug, taps in state.answered.items()
            if taps.mode is not None and taps.tool is None
        }
        saved = tuple(SaveTask(state.role.role, tasks[slug], taps) for slug, taps in with_tool.items())
        return self._role_done(state.model_copy(update={"answered": state.answered | with_tool}), *saved)

    def _role_done(self, state: State, *effects: Effect) -> Outcome:
        rest = state.roles[1:]
        if rest:
            blank = state.model_copy(update={"roles": rest, "answered": {}, "phase": "rest"})
            return self._show(blank, *effects)
        state = state.model_copy(update={"phase": "done", "answered": {}, "turn": state.turn + 1})
        return state, (*effects, ShowCoverage())

    def _next_role(self, state: State, _argument: str) -> Outcome:
        return self._show(state.model_copy(update={"phase": first_phase(state.role)}))

    def _enough(self, state: State, _argument: str) -> Outcome:
        state = state.model_copy(update={"phase": "done", "turn": state.turn + 1})
        return state, (ShowCoverage(),)

    # Later

    def _all_same(self, state: State, _argument: str) -> Outcome:
        """Every task that was not opened is confirmed as it was."""
        same = tuple(
            SaveTask(state.role.role, task, task.before)
            for task in state.role.tasks
            if task.before is not None and task.slug not in state.answered
        )
        return self._tools_or_done(state, *same)

    def _open(self, state: State, slug: str) -> Outcome:
        if slug not in {task.slug for task in state.role.tasks}:
            return state, (Say(self.card(state)),)
        return self._show(state.model_copy(update={"phase": "changed", "todo": (slug,)}))

    def _more(self, state: State, argument: str) -> Outcome:
        """One bucket up or down; where there is none further, or nothing to compare with, the four taps."""
        before = state.task.before
        position = (
            self._shares.index(before.share) if before is not None and before.share in self._shares else None
        )
        to = None if position is None else position + (1 if argument == "up" else -1)
        if before is None or to is None or not 0 <= to < len(self._shares) or before.mode is None:
            return self._different(state, "")
        task, share = state.task, self._shares[to]
        taps = before.model_copy(update={"share": share})
        if share == "none":
            taps = Taps(hours=before.hours, share="none")
        state = state.model_copy(
            update={"answered": state.answered | {task.slug: taps}, "todo": (), "phase": "overview"}
        )
        return self._show(state, SaveTask(state.role.role, task, taps), said="Noted.")

    def _different(self, state: State, _argument: str) -> Outcome:
        return self._show(state.model_copy(update={"phase": "hours", "taps": Taps()}))

    def _back(self, state: State, _argument: str) -> Outcome:
        return self._show(state.model_copy(update={"phase": "overview", "todo": ()}))

    # Cards

    def card(self, state: State, said: str = "") -> Message:
        """The card that stands now."""
        card = _CARDS[state.phase](self, state)
        return card.model_copy(update={"text": f"{said}\n\n{card.text}"}) if said else card

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
            text=f"These come back every week for many people like your **{plain(state.role.name)}**. Are "
            f"they yours "
            f"too? Leave out what isn't, or add your own.\n\n{lines}\n\n_Then four taps for each, under "
            f"three minutes "
            "in all. It is about hours of work, never about a person._",
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
                self._choice(state, "tools.none", "Not all of it"),
            ),
        )

    def _overview_card(self, state: State) -> Message:
        lines = "\n".join(
            f"- **{n}** {plain(task.text)}: {share_words(state.answered.get(task.slug) or task.before)}"
            for n, task in enumerate(state.role.tasks, 1)
        )
        opened = (
            self._choice(state, f"open.{task.slug}", f"{n} changed")
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


def share_words(taps: Taps | None) -> str:
    """What was last said of a task, in a few words."""
    if taps is None:
        return "not asked yet"
    if taps.keep_human:
        return "kept for people"
    if taps.share == "none":
        return "no AI yet"
    return f"AI has a part in {dict(SHARES).get(taps.share, taps.share)} of ten cases"


def first_phase(role: RoleTasks) -> Phase:
    """A role that was described before begins with one card, a new one with its tasks."""
    return "overview" if any(task.before is not None for task in role.tasks) else "tasks"


def _with_role(state: State, **changes: Any) -> State:
    role = state.role.model_copy(update=changes)
    return state.model_copy(update={"roles": (role, *state.roles[1:])})


Move = Callable[[Checkin, State, str], Outcome]
_MOVES: dict[tuple[str, str], Move] = {
    ("tasks", "toggle"): Checkin._toggle,
    ("tasks", "own"): Checkin._own,
    ("tasks", "go"): Checkin._go,
    ("tasks", "later"): Checkin._enough,
    ("own", "not_own"): Checkin._not_own,
    ("hours", "hours"): Checkin._hours,
    ("hours", "skip"): Checkin._skip,
    ("share", "share"): Checkin._share,
    ("share", "skip"): Checkin._skip,
    ("share", "keep"): Checkin._ask_reason,
    ("reason", "reason"): Checkin._reason,
    ("mode", "mode"): Checkin._mode,
    ("accepted", "accepted"): Checkin._accepted,
    ("tools", "tools"): Checkin._tools,
    ("overview", "same"): Checkin._all_same,
    ("overview", "open"): Checkin._open,
    ("overview", "later"): Checkin._enough,
    ("changed", "more"): Checkin._more,
    ("changed", "different"): Checkin._different,
    ("changed", "back"): Checkin._back,
    ("rest", "next"): Checkin._next_role,
    ("rest", "enough"): Checkin._enough,
}
_CARDS: dict[str, Callable[[Checkin, State], Message]] = {
    "tasks": Checkin._tasks_card,
    "own": Checkin._own_card,
    "hours": Checkin._hours_card,
    "share": Checkin._share_card,
    "mode": Checkin._mode_card,
    "accepted": Checkin._accepted_card,
    "reason": Checkin._reason_card,
    "tools": Checkin._tools_card,
    "overview": Checkin._overview_card,
    "changed": Checkin._changed_card,
    "rest": Checkin._rest_card,
    "done": Checkin._done_card,
}
