"""The coverage check-in as a pure function: taps only, four a task, one role after the other.

The first time a role is gone through task by task. Later one card shows all of its tasks: the same, or which
of them is more, less or different. Buckets are the instrument's; who answers never types a number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from bot.audit.parts import CoverageRules
from bot.coverage.cards import ACCEPTED, HOURS, MODES, REASONS, Cards
from bot.coverage.spoken import spoken_tap
from bot.coverage.state import (
    MOST_TASKS,
    MOST_WORDS,
    Effect,
    Input,
    LeaveOut,
    SaveTask,
    Show,
    ShowCoverage,
    State,
    Taps,
    Task,
    first_phase,
)
from bot.messages import Message
from bot.speech import Chose, Say, Words

Outcome = tuple[State, tuple[Effect, ...]]


class Checkin:
    """The check-in with the instrument's words. Holds nothing else."""

    def __init__(self, rules: CoverageRules) -> None:
        self._cards = Cards(rules)
        self._shares = tuple(rules.inputs_per_task.share_of_cases.values)

    def step(self, state: State, given: Input) -> Outcome:
        """The next state and its effects. Never raises for any input."""
        if state.phase in ("rest", "done") and isinstance(given, Words):
            return state, ()
        match given:
            case Show():
                return state, (Say(self._cards.card(state)),)
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
        tap = self.tap_of(state, text)
        if tap is not None:
            return self._chose(state, state.turn, tap)
        said = self._cards.about(state, text)
        return state, (
            Say(Message(text=said) if self._cards.leaves(text) else self._cards.card(state, said)),
        )

    def tap_of(self, state: State, text: str) -> str | None:
        """The button of the present card that `text` stands for: its label, or the same in other words."""
        choices = self._cards.card(state).choices
        said = _label(text)
        found = next((parse(choice.id) for choice in choices if _label(choice.label) == said), None)
        spoken = found or spoken_tap(state.phase, text)
        return spoken if spoken in {parse(choice.id) for choice in choices} else None

    def is_about_card(self, state: State, text: str) -> bool:
        """The words are a button's label, or ask about the card."""
        return self.tap_of(state, text) is not None or self._cards.is_about(text)

    def _chose(self, state: State, turn: int, what: str) -> Outcome:
        if turn != state.turn:
            if state.last_choice == f"{turn}:{what}":
                return state, ()
            moved = "That card has moved on, so nothing was changed. The newest one is further down."
            return state, (Say(Message(kind="notice", text=moved)),)
        state = state.model_copy(update={"last_choice": f"{turn}:{what}"})
        name, _, argument = what.partition(".")
        move = _MOVES.get((state.phase, name))
        return move(self, state, argument) if move is not None else (state, (Say(self._cards.card(state)),))

    def _show(self, state: State, *effects: Effect, said: str = "") -> Outcome:
        state = state.model_copy(update={"turn": state.turn + 1})
        return state, (*effects, Say(self._cards.card(state, said)))

    # Which tasks

    def _toggle(self, state: State, slug: str) -> Outcome:
        out = tuple(s for s in state.left_out if s != slug)
        left_out = out if slug in state.left_out else (*state.left_out, slug)
        known = {task.slug for task in state.role.tasks}
        return self._show(state.model_copy(update={"left_out": tuple(s for s in left_out if s in known)}))

    def _own(self, state: State, _argument: str) -> Outcome:
        if len(state.role.tasks) >= MOST_TASKS:
            return state, (Say(self._cards.card(state, "Ten tasks are enough for one role.")),)
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
        if state.on_tools:
            return self._show(state.model_copy(update={"phase": "tools"}), *effects)
        return self._role_done(state, *effects)

    def _hours(self, state: State, bucket: str) -> Outcome:
        if bucket not in dict(HOURS):
            return state, (Say(self._cards.card(state)),)
        taps = state.taps.model_copy(update={"hours": bucket})
        return self._show(state.model_copy(update={"phase": "share", "taps": taps}))

    def _share(self, state: State, bucket: str) -> Outcome:
        if bucket not in self._shares:
            return state, (Say(self._cards.card(state)),)
        taps = state.taps.model_copy(update={"share": bucket})
        if bucket == "none":
            return self._save(state, taps)
        return self._show(state.model_copy(update={"phase": "mode", "taps": taps}))

    def _mode(self, state: State, key: str) -> Outcome:
        for name, _, mode, review in MODES:
            if name == key:
                taps = state.taps.model_copy(update={"mode": mode, "review": review})
                return self._show(state.model_copy(update={"phase": "accepted", "taps": taps}))
        return state, (Say(self._cards.card(state)),)

    def _accepted(self, state: State, position: str) -> Outcome:
        if not position.isdigit() or int(position) >= len(ACCEPTED):
            return state, (Say(self._cards.card(state)),)
        return self._save(state, state.taps.model_copy(update={"accepted": ACCEPTED[int(position)][1]}))

    def _save(self, state: State, taps: Taps) -> Outcome:
        """Kept at once; approved tools are asked for the role as a whole and then kept with each task."""
        task = state.task
        if taps.mode is not None and task.before is not None and task.before.tool == "approved":
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
            return state, (Say(self._cards.card(state)),)
        return self._keep(state, REASONS[int(position)])

    def _keep(self, state: State, reason: str) -> Outcome:
        hours = state.taps.hours or "2-5"
        return self._save(state, Taps(hours=hours, share="none", keep_human=True, reason=reason))

    # Tools

    def _tools(self, state: State, argument: str) -> Outcome:
        """One word for all tasks of the role."""
        if argument not in ("all", "none"):
            return state, (Say(self._cards.card(state)),)
        everything = tuple(task.slug for task in state.on_tools)
        return self._on_tools(state, everything if argument == "none" else ())

    def _some(self, state: State, _argument: str) -> Outcome:
        """Not all of it: of several tasks, ask which."""
        if len(state.on_tools) < 2:
            return self._tools(state, "none")
        return self._show(state.model_copy(update={"phase": "which", "left_out": ()}))

    def _marked(self, state: State, _argument: str) -> Outcome:
        return self._on_tools(state, state.left_out) if state.left_out else self._show(state)

    def _on_tools(self, state: State, others: tuple[str, ...]) -> Outcome:
        """Keep with each task whether its tool is approved; those in `others` run on another one."""
        saved = []
        for task in state.on_tools:
            tool = "not_approved" if task.slug in others else "approved"
            taps = state.answered[task.slug].model_copy(update={"tool": tool})
            saved.append(SaveTask(state.role.role, task, taps))
        answered = state.answered | {each.task.slug: each.taps for each in saved}
        return self._role_done(state.model_copy(update={"answered": answered, "left_out": ()}), *saved)

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
            return state, (Say(self._cards.card(state)),)
        state = state.model_copy(update={"phase": "changed", "todo": (slug,)})
        # What was never described can't have changed.
        known = slug in state.answered or state.task.before is not None
        return self._show(state) if known else self._different(state, "")

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


def _label(text: str) -> str:
    return " ".join(text.casefold().replace("–", "-").strip(" .!").split())


def parse(choice_id: str) -> str:
    """What a button of ours says, without the session and the turn."""
    return choice_id.split(":", 3)[3]


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
    ("tools", "some"): Checkin._some,
    ("which", "mark"): Checkin._toggle,
    ("which", "marked"): Checkin._marked,
    ("which", "tools"): Checkin._tools,
    ("overview", "same"): Checkin._all_same,
    ("overview", "open"): Checkin._open,
    ("overview", "later"): Checkin._enough,
    ("changed", "more"): Checkin._more,
    ("changed", "different"): Checkin._different,
    ("changed", "back"): Checkin._back,
    ("rest", "next"): Checkin._next_role,
    ("rest", "enough"): Checkin._enough,
}
