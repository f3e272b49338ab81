"""Answers to questions about the own department, from stored facts, each with the rule it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.deltas import Delta
from bot.audit.department_turns import read_by
from bot.audit.expiry import why_ended
from bot.audit.gates import ESTABLISHED
from bot.audit.instrument import Instrument
from bot.audit.opening import AUDITS, live_sessions
from bot.audit.parts import Criterion, ValueModel
from bot.audit.phrases import day, joined, quoted
from bot.audit.process_records import stored_processes
from bot.audit.records import latest_answers, open_blockers, placement_of
from bot.audit.result import level_text, placement_message
from bot.audit.scoring import CriterionScore, Scores
from bot.audit.show import deltas_of
from bot.choice_ids import ChoiceId
from bot.coaching import explained, own_answers
from bot.coaching.glossary import meaning
from bot.coaching.plans import open_plans
from bot.coaching.process_answers import through_department
from bot.coaching.questions import StoredQuestion
from bot.messages import Choice, Message, Table, plain
from bot.organisation.directory import holders
from bot.store.tables import Answer, Blocker, Claim, Department, DutyName, Person

_DELTAS: dict[Delta, str] = {
    "up_evidenced": "up, with evidence",
    "up_claimed": "described higher, not shown yet",
    "confirmed": "the same, with a new case",
    "carried": "the same, nothing new",
    "down": "down",
    "stale": "no longer counts",
    "not_comparable": "can't be compared",
}


@dataclass(frozen=True)
class Asked:
    """Who asks about which department, and when."""

    department: Department
    person_id: int
    now: datetime


async def answer(
    tx: AsyncSession, instrument: Instrument, question: StoredQuestion, asked: Asked
) -> list[Message]:
    """The messages that answer `question`. Topic "steps" is the coaching's own and not answered here."""
    department_id = asked.department.id or 0
    scores = await placement_of(tx, instrument, department_id, asked.now)
    match question.topic:
        case "holding_back":
            blockers = await open_blockers(tx, department_id, asked.now)
            return [holding_back(instrument, asked, scores, blockers)]
        case "what_would_get":
            return [what_would_get(instrument, asked, scores, question)]
        case "blockers":
            return [blocker_list(instrument, asked, await open_blockers(tx, department_id, asked.now))]
        case "compare":
            changes = await deltas_of(tx, instrument, department_id, asked.now)
            return [compared(instrument, asked, scores, changes)]
        case "standing":
            return [placement_message(instrument, asked.department.name, scores, provisional=False)]
        case "processes":
            return [
                through_department(
                    await stored_processes(tx, department_id), asked.department, scores, instrument
                )
            ]
        case "models" | "levels" | "second_view" | "nothing_done" | "others" | "all_questions" | "meaning":
            return [_of_the_method(instrument, scores, question)]
        case "who_answers":
            leads = await holders(tx, DutyName.LEAD, department_id)
            owners = await holders(tx, DutyName.PROGRAMME_OWNER)
            return [explained.who_answers(asked.department, leads, owners)]
        case "who_sees":
            owners = await holders(tx, DutyName.PROGRAMME_OWNER)
            return [explained.who_sees(asked.department, owners, await read_by(tx, department_id))]
        case "pending":
            rows = await latest_answers(tx, instrument, department_id, asked.now)
            active = {plan.criterion.split("-")[0] for plan in await open_plans(tx, department_id)}
            return [explained.pending(instrument, asked.department, rows, active, asked.now)]
        case "counting":
            rows = await latest_answers(tx, instrument, department_id, asked.now)
            return [explained.counting(instrument, _in_order(instrument, rows.values()))]
        case "change":
            rows = await latest_answers(tx, instrument, department_id, asked.now)
            own = [row for row in rows.values() if row.picked_by == asked.person_id and row.session_id]
            return [
                explained.answer_again(
                    instrument,
                    _in_order(instrument, own),
                    question.criterion,
                    # What is open now comes first; a round of everything follows it.
                    None if await live_sessions(tx, asked.person_id, AUDITS) else asked.department,
                )
            ]
        case "sureness":
            return [own_answers.sureness(instrument, scores)]
        case "put_aside" | "answered_by" | "shown":
            return [await _of_own_answers(tx, instrument, asked, question)]
        case "about_criterion":
            return [about(instrument, scores, instrument.criterion(question.criterion or "WE-1"))]
        case _:
            rows = await latest_answers(tx, instrument, department_id, asked.now)
            names = await _names_of(tx, {row.approver_id for row in rows.values()})
            return [last_answers(instrument, asked, list(rows.values()), question, names)]


async def _of_own_answers(
    tx: AsyncSession, instrument: Instrument, asked: Asked, question: StoredQuestion
) -> Message:
    """Who gave the answers, what they show, and what was put aside."""
    department = asked.department
    found = await latest_answers(tx, instrument, department.id or 0, asked.now)
    rows = _in_order(instrument, found.values())
    if question.topic == "shown":
        return own_answers.shown(instrument, rows, asked.person_id)
    if question.topic == "put_aside":
        names = await _names_of(tx, {row.approver_id for row in rows})
        return own_answers.put_aside(instrument, department, rows, names, asked.now)
    leads = {each.id: each.name for each in await holders(tx, DutyName.LEAD, department.id or 0)}
    return own_answers.answered_by(instrument, department, rows, asked.person_id, leads)


async def _names_of(tx: AsyncSession, people: Iterable[int | None]) -> own_answers.Names:
    return dict((await tx.exec(select(Person.id, Person.name).where(col(Person.id).in_(set(people))))).all())


def _of_the_method(instrument: Instrument, scores: Scores, question: StoredQuestion) -> Message:
    match question.topic:
        case "models":
            return explained.models(instrument, scores, question.model)
        case "levels":
            return explained.levels(instrument)
        case "second_view":
            return explained.second_view()
        case "nothing_done":
            return explained.nothing_done(instrument)
        case "others":
            return explained.others()
        case "meaning":
            return meaning(instrument, scores, question.term or "state")
        case _:
            return explained.all_questions(instrument)


def _in_order(instrument: Instrument, rows: Iterable[Answer]) -> list[Answer]:
    order = {criterion.id: n for n, criterion in enumerate(instrument.criteria)}
    return sorted((row for row in rows if row.criterion in order), key=lambda row: order[row.criterion])


def _steps_choice(asked: Asked, label: str = "Show next steps", criterion: str = "") -> Choice:
    what = f"steps.{asked.department.id}" + (f".{criterion}" if criterion else "")
    return Choice(id=str(ChoiceId("coaching", 0, 0, what)), label=label)


def _gaps(scores: Scores, model: ValueModel) -> list[Criterion]:
    return [
        c
        for c in model.criteria
        if scores.criteria[c.id].applies and scores.criteria[c.id].level < ESTABLISHED
    ]


def _gap_line(scores: Scores, criterion: Criterion) -> str:
    found = scores.criteria[criterion.id]
    if found.claimed is None:
        return f"- {criterion.name}: not asked yet"
    if found.claimed == "unknown":
        return f"- {criterion.name}: still to find out"
    if found.claimed == "not_applicable":
        return f"- {criterion.name}: you said that it does not apply; that is still to be confirmed"
    old = ", which no longer counts" if found.stale else ""
    return f"- {criterion.name}: level {found.counted} of the {ESTABLISHED} it needs{old}"


def holding_back(instrument: Instrument, asked: Asked, scores: Scores, blockers: list[Blocker]) -> Message:
    """What keeps the working model from being in place: its gaps and the open blockers."""
    working = scores.placement.working_model
    if working is None:
        return Message(
            kind="result", text="Nothing at the moment: every model that applies to you is in place."
        )
    model = instrument.model(working)
    lines = [_gap_line(scores, criterion) for criterion in _gaps(scores, model)]
    lines += [f"- Open since {day(row.raised_at)}: {blocker_words(instrument, row)}" for row in blockers]
    return Message(
        kind="result",
        text=f"{plain(asked.department.name)} works on **{model.name}**. It counts as in place when each "
        f"of its four questions stands at level {ESTABLISHED} or more, and nothing critical is in the "
        "way. Missing "
        f"now:\n\n" + "\n".join(lines),
        choices=(_steps_choice(asked),),
    )


def what_would_get(instrument: Instrument, asked: Asked, scores: Scores, question: StoredQuestion) -> Message:
    """What is missing before a model is in place, its own gaps first, then what it stands on."""
    if question.criterion is not None:
        return about(instrument, scores, instrument.criterion(question.criterion))
    model = instrument.model(question.model or scores.placement.working_model or "WE")
    if scores.models[model.id] in ("operational", "steering"):
        return Message(kind="result", text=f"**{model.name}** is in place already.")
    if scores.own[model.id] == "not_applicable":
        return Message(
            kind="result", text=f"**{model.name}** does not apply to {plain(asked.department.name)}."
        )
    lines = [_gap_line(scores, criterion) for criterion in _gaps(scores, model)]
    held = scores.held_back_by[model.id]
    if held:
        names = [_held_name(instrument, each) for each in held]
        lines.append(f"- Before it: {joined(names)}")
    return Message(
        kind="result",
        text=f"**{model.name}** ({model.order} of 5) counts as in place when each of its four questions "
        f"stands at level {ESTABLISHED} or more and what it builds on is in place. From here that "
        "takes:\n\n" + "\n".join(lines),
        choices=(_steps_choice(asked),),
    )


def _held_name(instrument: Instrument, name: str) -> str:
    if "-" in name:
        return f"“{instrument.criterion(name).name}” at level {ESTABLISHED}"
    return f"{instrument.model(name).name} in place"


def blocker_words(instrument: Instrument, row: Blocker) -> str:
    """What is in the way and with whom it lies, in a few words."""
    known = {kind.id: kind.label for model in instrument.models for kind in model.blockers}
    what = known[row.code] if row.code in known else plain(row.note)
    return f"{what} (with {plain(row.owner)})" if row.owner else what


def blocker_list(instrument: Instrument, asked: Asked, blockers: list[Blocker]) -> Message:
    """The open blockers with their age, each with a button that says it is out of the way."""
    new = Choice(id=str(ChoiceId("coaching", 0, 0, f"block.{asked.department.id}")), label="Add one")
    if not blockers:
        return Message(text="Nothing is noted as being in your way.", choices=(new,))
    lines = [
        f"- **{n}** {blocker_words(instrument, row)}, {since_when(asked.now, row.raised_at)}"
        for n, row in enumerate(blockers, 1)
    ]
    solved = [
        Choice(id=str(ChoiceId("coaching", row.id or 0, 0, "resolved")), label=f"{n} is out of the way")
        for n, row in enumerate(blockers[:8], 1)
    ]
    return Message(kind="result", text="In your way:\n\n" + "\n".join(lines), choices=(*solved, new))


def since_when(now: datetime, raised_at: datetime) -> str:
    """For how long something has been open, in full days."""
    days = (now - raised_at).days
    if days == 0:
        return "since today"
    return "for a day" if days == 1 else f"for {days} days"


def compared(instrument: Instrument, asked: Asked, scores: Scores, changes: dict[str, Delta]) -> Message:
    """What changed between the last answer and the one before, in honest marks."""
    if not changes:
        return Message(
            text=f"There is nothing to compare yet: {plain(asked.department.name)} has answered each "
            "question once at most. After the next look there will be."
        )
    rows = tuple(
        (instrument.criterion(name).name, level_text(scores.criteria[name]), _DELTAS[kind])
        for name, kind in sorted(changes.items(), key=lambda each: list(_DELTAS).index(each[1]))
    )
    up = sum(kind == "up_evidenced" for kind in changes.values())
    down = sum(kind == "down" for kind in changes.values())
    counts = (
        (up, "up with evidence"),
        (down, "down"),
        (len(changes) - up - down, "without a change that counts"),
    )
    said = joined([f"{count} {how}" for count, how in counts if count])
    return Message(
        kind="result",
        text=f"Since the answers before: {said}. Only what can be shown counts as a change.",
        table=Table(
            caption="Change since the answer before", columns=("Question", "Level", "Change"), rows=rows
        ),
    )


def about(instrument: Instrument, scores: Scores, criterion: Criterion) -> Message:
    """Where one criterion stands, what the next level looks like, and what helps."""
    found = scores.criteria[criterion.id]
    now = _now(found)
    level = min(found.level + 1, 4)
    steps = criterion.next_steps if found.level < ESTABLISHED else (criterion.stretch_step,)
    lines = "\n".join(f"- {each.text} _About {each.minutes} minutes._" for each in steps)
    ahead = "It begins" if found.claimed is None else "The next level looks"
    return Message(
        kind="result",
        text=f"**{criterion.name}** ({criterion.id}): {now}.\n\n{criterion.why}\n\n{ahead} like this:\n\n"
        f"> {criterion.levels[level]}\n\nWhat helps:\n\n{lines}",
    )


def _now(found: CriterionScore) -> str:
    if found.claimed is None:
        return "not asked yet"
    if found.claimed == "unknown":
        return "still to find out"
    if found.claimed == "not_applicable":
        return "you said that it does not apply"
    return f"level {found.counted} of 4{', which no longer counts' if found.stale else ''}"


def last_answers(
    instrument: Instrument,
    asked: Asked,
    rows: list[Answer],
    question: StoredQuestion,
    names: own_answers.Names,
) -> Message:
    """The latest answers, with the words of those that the asker gave; `names` of who confirms what."""
    order = {criterion.id: n for n, criterion in enumerate(instrument.criteria)}
    wanted = [
        row
        for row in rows
        if row.criterion in order
        and (question.criterion in (None, row.criterion))
        and (question.month in (None, row.answered_at.month))
    ]
    if not wanted:
        return Message(text="I have no answers of your department for that.")
    lines = [
        _answer_line(instrument, asked, row, names)
        for row in sorted(wanted, key=lambda row: order[row.criterion])
    ]
    return Message(
        kind="result",
        text=f"What {plain(asked.department.name)} last answered. Words are shown to whoever wrote them.\n\n"
        + "\n\n".join(lines),
    )


def _answer_line(instrument: Instrument, asked: Asked, row: Answer, names: own_answers.Names) -> str:
    name = instrument.criterion(row.criterion).name
    said = f"\n\n{quoted(row.words)}" if row.words and row.picked_by == asked.person_id else ""
    if row.claim is Claim.LEVEL:
        again = f", confirmed on {day(row.still_true_at)}" if row.still_true_at else ""
        return f"**{name}**, {day(row.answered_at)}{again}: level {row.level}, {_counts(row)}{said}"
    if row.claim is Claim.UNKNOWN:
        return f"**{name}**, {day(row.answered_at)}: to find out{said}"
    return f"**{name}**: does not apply, {own_answers.aside_words(instrument, row, names, asked.now)}"


def _counts(row: Answer) -> str:
    if row.expired_by is not None:
        return f"no longer counts, because {plain(why_ended(row))}"
    counts = "counts in full" if row.counted == row.level else f"counts as {row.counted}"
    return f"{counts}{_VIEWS.get(row.agreement, '')}"


_VIEWS = {
    "one_level_apart": ", the lower of two views",
    "two_or_more_apart_unresolved": ", seen quite differently by two people",
}
