"""Answering a question: words, two anchors, a pick, the one probing question, something to show for it."""

from __future__ import annotations

from datetime import datetime

from bot.audit import hearing, help_words, naming_process
from bot.audit.parts import LEVELS
from bot.audit.phrases import earlier, lower, quoted
from bot.audit.planning import order_shown, wants_second
from bot.audit.scoring import STILL_TRUE_DAYS, age_days
from bot.audit.state import (
    MOST_WORDS,
    AskProposal,
    AskSecond,
    Draft,
    Effect,
    Given,
    Known,
    NoProposal,
    Proposed,
    SaveAnswer,
    Source,
    State,
    StillTrue,
)
from bot.audit.steps import Outcome, Steps, changed


def tell(steps: Steps, state: State, text: str, _now: datetime) -> Outcome:
    """Words of the last real case: look for the two closest anchors. A link alone belongs to the answer
    before, where that waits for one.
    """
    before = earlier(state)[-1:]
    if (
        not state.draft.words
        and before
        and hearing.is_only_a_link(text)
        and _waits_for_proof(steps, before[0])
    ):
        return _prove(steps, state, before[0], text)
    draft = with_words(state.draft, text)
    return changed(state, phase="placing", draft=draft), (AskProposal(state.current, draft.words),)


def with_words(draft: Draft, text: str) -> Draft:
    """`draft` with `text` added to its words; the same words again add nothing."""
    if draft.words == text:
        return draft
    words = f"{draft.words}\n{text}".strip()[:MOST_WORDS]
    return draft.model_copy(update={"words": words, "words_before": draft.words})


def above(steps: Steps, state: State, _argument: str, now: datetime) -> Outcome:
    """ "See above", "same as last time": the words of the last time, else those of the question before."""
    if state.phase == "evidence":
        return _shown_above(steps, state, now)
    if state.phase != "case" or state.draft.words:
        return steps.again(state, help_words.have_it(state, 0))
    words = _words_above(state)
    return tell(steps, state, words, now) if words else steps.again(state, help_words.NOTHING_ABOVE)


def _words_above(state: State) -> str:
    known = state.known.get(state.current)
    before = earlier(state)[-1:]
    return (known.words if known else "") or (before[0].words if before else "")


def _shown_above(steps: Steps, state: State, now: datetime) -> Outcome:
    """What an earlier answer of this sitting has to show, where a level needs that."""
    level = state.answers[state.current].level or 0
    texts = [text for each in earlier(state) for text in (each.words, each.evidence_text)]
    links = [text for text in texts if hearing.is_openable(text)]
    if level <= 2 or not links:
        return steps.again(state, help_words.have_it(state, level))
    return shown(steps, state, links[-1], now)


def _waits_for_proof(steps: Steps, given: Given) -> bool:
    return given.level is not None and given.evidence < "E2" and steps.counted(given) < given.level


def _prove(steps: Steps, state: State, given: Given, text: str) -> Outcome:
    """Put what others can open with an answer that was given before."""
    evidence = hearing.evidence_class(f"{given.words}\n{given.probe_words}", text)
    given = given.model_copy(update={"evidence_text": text, "evidence": evidence})
    state = changed(state, answers=state.answers | {given.criterion: given})
    name = lower(steps.instrument.criterion(given.criterion).name)
    said = f"Thank you, I've put that with **{name}**; it counts as {steps.counted(given)} now."
    return state, (SaveAnswer(given), *steps.again(state, said)[1])


def proposal(steps: Steps, state: State, given: Proposed | NoProposal) -> Outcome:
    """Two neighbouring anchors side by side, or all five. A late or odd proposal changes nothing else."""
    if state.phase != "placing":
        return state, ()
    levels: tuple[int, ...] = LEVELS
    source: Source = "all"
    if isinstance(given, Proposed) and _are_two(given.levels):
        levels, source = given.levels, given.source
    shown = order_shown(state.seed, state.current, tuple(levels))
    more = "I've added that to your words." if state.draft.shown else "Thank you."
    alike = state.draft.words == _words_above(state) and len(state.draft.words.split()) > 3
    if not state.draft.shown and alike:  # A short answer is just the same one again: "none".
        more = f"I take your words from above, then:\n\n{quoted(state.draft.words)}"
    draft = state.draft.model_copy(update={"shown": shown, "proposed_by": source})
    return steps.show(changed(state, phase="place", draft=draft), more)


def neither(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """None of the two: show all five."""
    if len(state.draft.shown) == len(LEVELS):
        return steps.again(state, help_words.NEAREST)
    return steps.show(all_anchors(steps, state), "Then here are all five.")


def all_anchors(steps: Steps, state: State) -> State:
    """The place card with all five anchors."""
    shown = order_shown(state.seed, state.current, LEVELS)
    draft = state.draft.model_copy(update={"shown": shown, "proposed_by": "all"})
    return changed(state, phase="place", draft=draft)


def pick(steps: Steps, state: State, argument: str, now: datetime) -> Outcome:
    """A level was picked; only one that stood on the card counts."""
    if argument not in {str(level) for level in state.draft.shown}:
        return steps.again(state)
    return give_level(steps, state, int(argument), now)


def give_level(steps: Steps, state: State, level: int, now: datetime) -> Outcome:
    """Keep the level with everything said so far; ask the probing question once at 3 or 4."""
    draft = state.draft
    given = Given(
        criterion=state.current,
        claim="level",
        at=draft.at or now,
        level=level,
        evidence=hearing.evidence_class(f"{draft.words}\n{draft.probe_words}", draft.evidence_text),
        words=draft.words,
        probe_words=draft.probe_words,
        evidence_text=draft.evidence_text,
        shown=draft.shown,
        proposed_by=draft.proposed_by,
    )
    state = steps.with_answer(state, given)
    if level >= 3 and not draft.probed:
        draft = state.draft.model_copy(update={"probed": True})
        return steps.show(changed(state, phase="probe", draft=draft), effects=(SaveAnswer(given),))
    return ask_evidence(steps, state, given)


def probed(steps: Steps, state: State, text: str, _now: datetime) -> Outcome:
    """When it last did not happen."""
    given = state.answers[state.current]
    evidence = hearing.evidence_class(f"{given.words}\n{text}", given.evidence_text)
    given = given.model_copy(update={"probe_words": text, "evidence": evidence})
    draft = state.draft.model_copy(update={"probe_words": text})
    return ask_evidence(steps, steps.with_answer(changed(state, draft=draft), given), given)


def cannot(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """No exception comes to mind."""
    return ask_evidence(steps, state, state.answers[state.current])


def ask_evidence(steps: Steps, state: State, given: Given) -> Outcome:
    """Ask for more only where it would count; what others could open is never asked for twice."""
    enough = steps.counted(given) == given.level or given.evidence == "E2"
    if enough or state.draft.asked_evidence or state.kind == "second":
        return finish(steps, state, given)
    draft = state.draft.model_copy(update={"asked_evidence": True})
    return steps.show(changed(state, phase="evidence", draft=draft), effects=(SaveAnswer(given),))


def shown(steps: Steps, state: State, text: str, _now: datetime) -> Outcome:
    """Something to show for it, or a sentence."""
    given = state.answers[state.current]
    evidence = hearing.evidence_class(f"{given.words}\n{given.probe_words}", text)
    given = given.model_copy(update={"evidence_text": text, "evidence": evidence})
    return finish(steps, steps.with_answer(state, given), given)


def reopened(given: Given) -> Draft:
    """An answer once more, with all that was said of it: only the level is picked anew."""
    return Draft(
        words=given.words,
        probe_words=given.probe_words,
        probed=(given.level or 0) >= 3,
        evidence_text=given.evidence_text,
    )


def nothing(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Nothing at hand: the answer stands as it is."""
    return finish(steps, state, state.answers[state.current])


def choose_again(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Another pick, from all five."""
    return steps.show(all_anchors(steps, state))


def finish(steps: Steps, state: State, given: Given) -> Outcome:
    """The answer is complete: say what became of it and go on."""
    effects: tuple[Effect, ...] = (SaveAnswer(given),)
    if wants_second(steps.instrument, state, given):
        effects = (*effects, AskSecond(given.criterion))
    said = steps.cards.noted(given, steps.counted(given), _capped_before(steps, state))
    if naming_process.is_due(steps, state, given):
        return naming_process.begin(steps, state, said, effects)
    return steps.go_on(state, said, effects)


def _capped_before(steps: Steps, state: State) -> tuple[Given, ...]:
    """The earlier answers of this sitting that were told that they do not count in full yet."""
    return tuple(
        each for each in earlier(state) if each.level is not None and steps.counted(each) < each.level
    )


def unsure(steps: Steps, state: State, _argument: str, now: datetime) -> Outcome:
    """Not sure: to find out, or in a re-audit the last answer stays."""
    if state.phase == "different":
        state = changed(state, carried=(*state.carried, state.current))
        return steps.go_on(state, "That's fine. I keep your last answer, with its date.")
    if state.phase == "probe":
        return cannot(steps, state, "", now)
    if state.phase == "evidence":
        return nothing(steps, state, "", now)
    if state.phase in ("process", "path"):
        return steps.go_on(state)
    given = Given(criterion=state.current, claim="unknown", at=state.draft.at or now, words=state.draft.words)
    return finish(steps, steps.with_answer(state, given), given)


def skip(steps: Steps, state: State, _argument: str, now: datetime) -> Outcome:
    """Leave this question for now."""
    if state.phase == "probe":
        return cannot(steps, state, "", now)
    if state.phase == "evidence":
        return nothing(steps, state, "", now)
    if state.phase in ("process", "path"):
        return steps.go_on(state, "That's fine, without it then.")
    if state.current in state.settled:
        return steps.go_on(state, "I left it as it was.")
    return steps.go_on(changed(state, skipped=(*state.skipped, state.current)), "Skipped; it can wait.")


def skip_all(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Leave the rest of this sitting for another time."""
    left = tuple(criterion for criterion in state.sitting if criterion not in state.settled)
    state = changed(state, skipped=(*state.skipped, *left))
    return steps.go_on(state, "All right, the rest can wait.")


def skip_to_last(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Leave all but the last question of this sitting for another time."""
    left = tuple(criterion for criterion in state.sitting if criterion not in state.settled)
    if left[:-1] == () or state.current == left[-1]:
        return steps.again(state, "This is the last one of this sitting.")
    state = changed(state, skipped=(*state.skipped, *left[:-1]))
    return steps.go_on(state, "All right, the others can wait.")


def keep_answer(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """Keep the answer that is being looked at again."""
    if state.current not in state.answers:
        return steps.again(state)
    return steps.go_on(state, "I left it as it was.")


def same(steps: Steps, state: State, _argument: str, now: datetime) -> Outcome:
    """Nothing is different: one tap is enough once, then a fresh case is asked for."""
    known = state.known[state.current]
    if known.claim == "not_applicable":
        # Its approval has run out: it takes a reason and an approver again.
        return steps.again(changed(state, interlude="reason"))
    if known.level is None:
        return unsure(steps, changed(state, phase="case"), "", now)
    if known.still_true_used or _past_confirming(steps, known, now):
        draft = Draft(keep_level=known.level)
        return steps.show(changed(state, phase="fresh", draft=draft))
    state = changed(state, carried=(*state.carried, state.current))
    return steps.go_on(state, "Confirmed, with today's date.", (StillTrue(state.current),))


def _past_confirming(steps: Steps, known: Known, now: datetime) -> bool:
    """So old that the days which a tap adds would be over already."""
    life = steps.instrument.freshness.stale_after_days + STILL_TRUE_DAYS
    return age_days(known.at, now) > life


def fresh_case(steps: Steps, state: State, text: str, now: datetime) -> Outcome:
    """A fresh case at the level that stands."""
    level = state.draft.keep_level or 0
    draft = state.draft.model_copy(update={"words": text, "shown": (level,)})
    return give_level(steps, changed(state, draft=draft), level, now)


def better(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """It got better: ask for the case."""
    return steps.show(changed(state, phase="case"), "Good to hear. Tell me a little about it.")


def worse(steps: Steps, state: State, _argument: str, _now: datetime) -> Outcome:
    """It got worse: ask what changed, never scold."""
    return steps.show(changed(state, phase="case"), "Thank you for saying so; it happens. What changed?")


def _are_two(levels: tuple[int, ...]) -> bool:
    return len(levels) == 2 and set(levels) <= set(LEVELS) and abs(levels[0] - levels[1]) == 1
