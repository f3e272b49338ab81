"""Answers to questions about the method itself: how levels and models work, what is open, who has a say.

From the instrument and what is stored, as everything that is said of a department.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bot.audit.instrument import Instrument
from bot.audit.parts import ValueModel
from bot.audit.phrases import count_words, day, joined, lower, privacy
from bot.audit.queues import questions_due
from bot.audit.records import Answers, no_models
from bot.audit.result import state_text
from bot.audit.scoring import Scores
from bot.audit.state import Facts, Someone
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, Table, plain
from bot.store.tables import Answer, Claim, Department, Person

MOST_NAMED = 6
"""Open questions that are named; the rest is counted."""


def models(instrument: Instrument, scores: Scores, model_id: str | None) -> Message:
    """The five models, each with its state here, or what one of them is about."""
    if model_id is not None:
        return _one_model(instrument.model(model_id), scores)
    lines = [
        f"- **{model.order} {model.name}**: {model.in_short}. _{state_text(model, scores)}_"
        for model in instrument.models
    ]
    return Message(
        kind="result",
        text="Five models, each built on the one before, with where you stand in each:\n\n"
        + "\n".join(lines),
    )


def _one_model(model: ValueModel, scores: Scores) -> Message:
    return Message(
        kind="result",
        text=f"**{model.name}** (model {model.order} of 5): {model.in_short}. {model.purpose}\n\n"
        f"It is in place when this is true:\n\n> {model.operational_definition}\n\n"
        f"With you it is _{state_text(model, scores)}_.",
    )


def levels(instrument: Instrument) -> Message:
    """What the levels mean, from 0 to 4."""
    lines = [
        f"- **{level} {each.name}**: {each.meaning}"
        for level, each in sorted(instrument.scale.levels.items())
    ]
    return Message(
        kind="result",
        text="Each question has five levels. Its own sentences say more; in common they have this:\n\n"
        + "\n".join(lines),
    )


def counting(instrument: Instrument, rows: Iterable[Answer]) -> Message:
    """How an answer counts, and which ones of the department count as less than they say, and why."""
    caps = {name: each.caps_counted_level_at for name, each in instrument.evidence.classes.items()}
    lines = [
        f"- **{instrument.criterion(row.criterion).name}**: described as {row.level}, counts as "
        f"{row.counted} until {_lacks(row)}"
        for row in rows
        if row.claim is Claim.LEVEL and row.expired_by is None and (row.counted or 0) < (row.level or 0)
    ]
    less = "\n".join(["Of your answers:\n", *lines]) if lines else "All of your answers count in full."
    return Message(
        kind="result",
        text="What can be shown counts. A statement alone counts as "
        f"{caps['E0']} at most, with one recent case as {caps['E1']}, with something that others can open as "
        f"{caps['E2']}, and as {caps['E3']} once a colleague, asked separately, sees it the same way. "
        "Nothing is averaged: the lowest of its four questions decides how far a model is. After "
        f"{instrument.freshness.stale_after_days} days an answer no longer counts.\n\n{less}",
    )


def _lacks(row: Answer) -> str:
    if row.evidence >= "E2":
        return "a colleague, asked separately, sees it the same way"
    return "there is one recent case" if (row.level or 0) <= 2 else "there is something that others can open"


def pending(
    instrument: Instrument, department: Department, rows: Answers, active: set[str], now: datetime
) -> Message:
    """Which questions are open now, else when the next look is due. `active`: models with an open step."""
    open_now = questions_due(instrument, rows, no_models(department), active, now)
    sitting = "At most four at a time, about three minutes; say **start**."
    if open_now:
        names = [f"**{lower(instrument.criterion(each).name)}**" for each in open_now[:MOST_NAMED]]
        more = len(open_now) - len(names)
        listed = joined([*names, f"{count_words(more)} more"] if more else names)
        return Message(kind="result", text=f"Open at the moment: {listed}. {sitting}")
    following = _next_look(instrument, rows, active)
    return Message(kind="result", text=f"Nothing is open today. The next look is due on {day(following)}.")


def _next_look(instrument: Instrument, rows: Answers, active: set[str]) -> datetime:
    """When the first of the answers is as old as the cadence allows; there are some, or all would be open."""
    days = instrument.re_audit_flow.cadence_days
    due = [
        max(row.answered_at, row.still_true_at or row.answered_at)
        + timedelta(days=days["model_with_open_next_step" if name.split("-")[0] in active else "default"])
        for name, row in rows.items()
        if row.claim is not Claim.NOT_APPLICABLE
    ]
    return min(due)


def who_answers(department: Department, leads: Iterable[Person], owners: Iterable[Person]) -> Message:
    """Who has a say about a department."""
    led = joined([plain(each.name) for each in leads]) or "nobody yet"
    runs = joined([plain(each.name) for each in owners]) or "nobody yet"
    return Message(
        kind="result",
        text=f"The answers of {plain(department.name)} come from whoever leads it: {led}. What does not "
        f"apply is confirmed by whoever runs the AI programme: {runs}. Now and then I ask somebody in the "
        "team the same question, without showing your answer.",
    )


def who_sees(department: Department, owners: Iterable[Person], read: Mapping[str, datetime]) -> Message:
    """Who sees what, as it is said before the first question; `read`: who has opened the department's answers
    here, and when last.
    """
    known = tuple(Someone(each.id or 0, each.name, each.email) for each in owners)
    text = f"**Who sees what**\n{privacy(Facts(department=department.name, owners=known))}"
    if read:
        who = joined([f"{plain(name)} (last on {day(at)})" for name, at in read.items()])
        text = f"{text}\n\nOpened in this chat so far by {who}."
    return Message(kind="result", text=text)


def second_view() -> Message:
    """When a second person is asked."""
    return Message(
        kind="result",
        text="Now and then I ask somebody in the team the same question, without showing your answer: where "
        "people's safety rests on it and you describe a 3 or 4, after a rise of two levels, and else one "
        "time in ten, by chance. Where the two differ by a level, the lower one counts and you hear of it; "
        "where they differ by more, you both get a week to talk it over. I don't say who it was, and nobody "
        "is being checked: two people see more than one.",
    )


def nothing_done(instrument: Instrument) -> Message:
    """What happens when nobody answers."""
    return Message(
        kind="result",
        text="Nothing bad. I remind you once, and then I keep quiet until the next round. An answer that is "
        f"{instrument.freshness.stale_after_days} days old no longer counts, so the picture of your "
        "department fades with time. Nobody is told who did not answer.",
    )


def others() -> Message:
    """Comparisons with other departments, and what other people answered."""
    return Message(
        kind="result",
        text="What others answered is theirs to tell, and I compare nobody with them: each team starts from "
        "another place. “Compare with last quarter” shows how far yours has come.",
    )


def all_questions(instrument: Instrument) -> Message:
    """What is asked, all twenty of them."""
    rows = tuple(
        (f"{model.order} {model.name}", "; ".join(each.name for each in model.criteria))
        for model in instrument.models
    )
    return Message(
        kind="result",
        text="Twenty questions, four for each of the five models. At most four come at a time, about three "
        "minutes; a first round takes six to twelve minutes in all, and what plays no part with you is not "
        "asked. “Tell me about” and a name shows more of one.",
        table=Table(caption="What is asked", columns=("Model", "Questions"), rows=rows),
    )


def answer_again(
    instrument: Instrument, rows: Iterable[Answer], criterion: str | None, anew: Department | None
) -> Message:
    """The buttons that open given answers of one's own once more, or all of `anew`."""
    choices = tuple(
        Choice(
            id=str(ChoiceId("audit", row.session_id or 0, 0, f"{row.criterion}.look")),
            label=instrument.criterion(row.criterion).name,
        )
        for row in rows
        if criterion in (None, row.criterion)
    )
    if not choices:
        none = (
            "You have given no answer yet, so there is nothing to change. **Start** brings up what is open."
        )
        one = "I have no answer of yours to that; if it is open, **start** brings it up."
        return Message(text=one if criterion else none)
    if anew is not None and criterion is None:
        again = ChoiceId("audit", 0, 0, f"again.{anew.id}")
        choices = (*choices, Choice(id=str(again), label="Everything"))
    return Message(
        kind="question",
        text="Which one shall we look at again? Your answer stands until there is a new one.",
        choices=choices,
    )
