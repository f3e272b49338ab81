"""Moves beside the answer: start, pause, back, edit, later, somebody else, "does not apply", and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from bot.audit import answering, help_words
from bot.audit.commands import bare
from bot.audit.phrases import earlier, lower, quoted
from bot.audit.planning import A_SITTING, questions_left
from bot.audit.state import (
    Draft,
    Effect,
    Enrol,
    Given,
    HandOver,
    NoProposal,
    RequestApproval,
    SaveAnswer,
    Someone,
    State,
    StayOut,
)
from bot.audit.steps import Outcome, Steps, changed
from bot.speech import Say
from bot.when import parse_day


def hello(steps: Steps, state: State) -> Outcome:
    """A greeting in the middle: half a sentence, and the question that waits."""
    if state.phase == "welcome" and not state.interlude:
        return steps.again(state)
    return steps.again(
        state, with_question(steps, state, "Hello! Good to have you here; this is where we were:")
    )


def start(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """The tap that begins; from now on reminders are welcome."""
    return next_sitting(steps, state, (Enrol(),))


def out(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """None of it, please."""
    return steps.show(changed(state, phase="away"), effects=(StayOut(),))


def next_sitting(steps: Steps, state: State, effects: tuple[Effect, ...] = ()) -> Outcome:
    """The next four questions at most."""
    sitting = questions_left(steps.instrument, state)[:A_SITTING]
    state = changed(state, sitting=sitting, sittings=state.sittings + 1)
    return steps.go_on(state, effects=effects)


def go(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Go on with the next sitting."""
    return next_sitting(steps, state)


def quit_here(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """No more of this, please: pause, and say how nothing comes unasked at all."""
    return steps.again(changed(state, paused=True, interlude=""), help_words.NO_MORE)


def pause(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Stop here; everything stays as it is."""
    return steps.again(changed(state, paused=True, interlude=""))


def resume(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Show the present card, on whatever device; whoever comes back is not asked again when to come."""
    if state.phase == "placing":
        state, _ = answering.proposal(steps, state, NoProposal())
    interlude = "" if state.interlude == "later" else state.interlude
    state = changed(state, paused=False, later_on=None, interlude=interlude)
    return steps.again(state, with_question(steps, state, ""))


def with_question(steps: Steps, state: State, said: str) -> str:
    """`said`, and above a card that no longer says what was asked: the question, and the words so far."""
    if state.interlude or state.phase not in ("place", "probe", "evidence"):
        return said
    words = state.draft.words or (
        state.answers[state.current].words if state.current in state.answers else ""
    )
    mine = f"You said:\n\n{quoted(words)}" if words else ""
    return "\n\n".join(filter(None, (said, steps.cards.criterion(state).question, mine)))


def not_applicable(steps: Steps, state: State, argument: str, now: datetime) -> Outcome:
    """Ask why it does not apply, unless that was said at once; it is the lead's to say, so that a second
    person just does not know.
    """
    if state.kind == "second":
        return answering.unsure(steps, state, "", now)
    if argument:
        return give_reason(steps, state, argument, now)
    return steps.again(changed(state, interlude="reason"), "Understood.")


def give_reason(steps: Steps, state: State, text: str, now: datetime) -> Outcome:
    """The reason is given, in more than a "no"; of several who may confirm it ask which one does."""
    if _NO_REASON.fullmatch(bare(text)):
        return steps.again(state, help_words.more(state, text))
    state = changed(state, draft=state.draft.model_copy(update={"reason": text}))
    if len(steps.facts.approvers) > 1:
        return steps.again(changed(state, interlude="approver"))
    only = str(steps.facts.approvers[0].id) if steps.facts.approvers else ""
    return approver(steps, changed(state, interlude=""), only, now)


_NO_REASON = re.compile(
    r"(?:(?:no|nope|nah|nothing|none|because|it|this|just|simply|so|n/?a|see above|(?:does ?nt|does not|not)"
    r"(?: apply)?|applicable|to us|here)(?: |$))+"
)


def approver(steps: Steps, state: State, argument: str, now: datetime) -> Outcome:
    """Keep the answer and ask its approver."""
    approver = next((each.id for each in steps.facts.approvers if str(each.id) == argument), None)
    if not state.draft.reason:
        return steps.again(state)
    given = Given(
        criterion=state.current,
        claim="not_applicable",
        at=now,
        reason=state.draft.reason,
        approver=approver,
    )
    state = changed(state, interlude="")
    ask = () if approver is None else (RequestApproval(state.current, approver),)
    effects = (SaveAnswer(given), *ask)
    return steps.go_on(steps.with_answer(state, given), steps.cards.noted(given, 0), effects)


def pick_owner(steps: Steps, state: State, text: str, now: datetime) -> Outcome:
    """The name of whoever is to confirm it, in words."""
    named = _who_is_meant(steps.facts.approvers, text)
    if len(named) != 1:
        return steps.again(state, "Please pick one of these.")
    return approver(steps, state, str(named[0].id), now)


def later(steps: Steps, state: State, argument: str, now: datetime) -> Outcome:
    """A day that was named with it is enough; "later" alone asks for one."""
    day = named_day(steps, argument, now)
    if day is not None:
        return wait_until(steps, state, day)
    return steps.again(changed(state, interlude="later"), "Of course.")


def later_on(steps: Steps, state: State, text: str, now: datetime) -> Outcome:
    """The day, in words."""
    day = named_day(steps, text, now)
    if day is not None:
        return wait_until(steps, state, day)
    return steps.again(changed(state, interlude="later"), "I didn't catch a day there.")


def named_day(steps: Steps, text: str, now: datetime) -> date | None:
    """The day that `text` names in the person's own zone, if any."""
    return parse_day(text, now.astimezone(steps.facts.zone).date())


def wait_until(steps: Steps, state: State, day: date) -> Outcome:
    """Pause until a day."""
    return steps.again(changed(state, interlude="", paused=True, later_on=day))


def hand(steps: Steps, state: State, argument: str, now: datetime) -> Outcome:
    """Somebody else knows better: ask who, unless a name came along."""
    if state.kind == "second":
        return _not_me(steps, state)
    if argument:
        return hand_to(steps, state, argument, now)
    return steps.again(changed(state, interlude="hand_over"))


def _not_me(steps: Steps, state: State) -> Outcome:
    """A second view is passed on to nobody: whoever knows the first answer would not be blind."""
    state = changed(state, interlude="", phase="away", turn=state.turn + 1)
    return state, (Say(steps.cards.notice(help_words.NOT_ME)),)


def hand_to(steps: Steps, state: State, text: str, _now: datetime) -> Outcome:
    """Pass the rest to the one colleague whom `text` names by id, address, name or first name."""
    if state.kind == "second":
        return _not_me(steps, state)
    matches = _who_is_meant(steps.facts.colleagues, text)
    if len(matches) != 1:
        return steps.again(changed(state, interlude="hand_over"), steps.cards.who_is(text, len(matches)))
    state = changed(state, interlude="", phase="away", turn=state.turn + 1)
    thanks = steps.cards.notice(steps.cards.handed(matches[0], bool(state.answers)))
    return state, (HandOver(matches[0].id), Say(thanks))


def other(steps: Steps, state: State, _argument: str, now: datetime) -> Outcome:
    """The pick before was a slip: its five anchors again, with the words that were said; or words were."""
    if state.phase == "place" and state.draft.words_before:
        draft = state.draft.model_copy(update={"words": state.draft.words_before, "words_before": ""})
        return steps.again(changed(state, draft=draft), help_words.TAKEN_OUT)
    before = earlier(state)[-1:]
    if state.phase not in ("case", "different") or state.draft.words or not before or before[0].level is None:
        return back(steps, state, "", now)
    given = before[0]
    again = changed(state, current=given.criterion, draft=answering.reopened(given))
    name = lower(steps.instrument.criterion(given.criterion).name)
    return steps.show(answering.all_anchors(steps, again), f"Back to **{name}**, then.")


def _who_is_meant(people: Sequence[Someone], text: str) -> list[Someone]:
    """Those whom `text` names by id, address or full name, else by a part of the name."""
    wanted = text.casefold().strip(" .!")
    exact = [each for each in people if wanted in (str(each.id), each.email.casefold(), each.name.casefold())]
    return exact or [each for each in people if wanted in each.name.casefold().split()]


def back(steps: Steps, state: State, argument: str, _now: datetime) -> Outcome:
    """One step back: to the anchors, to the words, or to the question before; or several questions."""
    if argument.removeprefix("="):
        return _back_to(steps, state, argument)
    if state.phase == "path":
        return steps.show(changed(state, phase="process"))
    if state.phase in ("probe", "evidence", "process"):
        return steps.show(answering.all_anchors(steps, state))
    if state.phase == "place":
        return steps.show(changed(state, phase="case", draft=Draft(at=state.draft.at)))
    before = state.sitting[: state.sitting.index(state.current)] if state.current in state.sitting else ()
    if not before:
        return steps.again(state, "This is the first question of this sitting.")
    return reopen(steps, state, before[-1])


def _back_to(steps: Steps, state: State, argument: str) -> Outcome:
    """So many questions back, or to the one with that number ("=2")."""
    if state.current not in state.sitting:
        return steps.again(state)
    here, count = state.sitting.index(state.current), int(argument.removeprefix("="))
    to = count - 1 if argument.startswith("=") else max(0, here - count)
    if to > here:
        return steps.again(state, "That question is still to come.")
    return reopen(steps, state, state.sitting[to])


def reopen(steps: Steps, state: State, criterion: str) -> Outcome:
    """Ask a question once more; its answer stands until there is a new one."""
    before = state.answers.get(criterion)
    draft = Draft(evidence_text=before.evidence_text) if before else Draft()
    return steps.show(changed(state, current=criterion, phase="case", draft=draft, interlude=""))


def edit(steps: Steps, state: State, argument: str, _now: datetime) -> Outcome:
    """Open a given answer, or list them."""
    if argument and argument in state.settled:
        sitting = state.sitting if argument in state.sitting else (argument, *state.sitting)
        return reopen(steps, changed(state, sitting=sitting), argument)
    if not state.settled:
        return steps.again(state, "There is no answer to change yet.")
    return steps.again(changed(state, interlude="edit"))


def look(steps: Steps, state: State, criterion: str, _now: datetime) -> Outcome:
    """Open a given answer once more, from a message that asked for it; twice is once."""
    if criterion not in state.answers or state.current == criterion:
        return steps.again(state)
    return edit(steps, state, criterion, _now)


def pick_answer(steps: Steps, state: State, text: str, now: datetime) -> Outcome:
    """The name of an answer in words."""
    criterion = answer_named(steps, state, text)
    if criterion is not None:
        return edit(steps, changed(state, interlude=""), criterion, now)
    return steps.again(state, "Please pick one of these.")


def answer_named(steps: Steps, state: State, text: str) -> str | None:
    """The given answer that `text` names: by its question's name, id or number in this sitting."""
    wanted = text.casefold().strip(" .!")
    for criterion in state.settled:
        if wanted in (criterion.casefold(), steps.instrument.criterion(criterion).name.casefold()):
            return criterion
    place = int(wanted) if wanted.isdecimal() and len(wanted) < 3 else 0
    named = state.sitting[place - 1 : place] if place else ()
    return named[0] if named and named[0] in state.settled else None


def cancel(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Back to the question."""
    return steps.again(changed(state, interlude=""))


def not_begun(steps: Steps, state: State, _text: str, _now: datetime) -> Outcome:
    """Words that neither begin nor leave."""
    return steps.again(state, help_words.NOT_BEGUN)


def between(steps: Steps, state: State, text: str, now: datetime) -> Outcome:
    """Words between two sittings: a day puts the next one off until then."""
    day = named_day(steps, text, now)
    return steps.again(state) if day is None else wait_until(steps, state, day)


def nudge(steps: Steps, state: State, _text: str, _now: datetime) -> Outcome:
    """Words where only a tap or a command counts: show the card again."""
    return steps.again(state)
