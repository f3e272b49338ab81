"""What is known about a department's own answers: who gave them, what they show, how firm they are, and what
was put aside as not applying.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.audit.instrument import Instrument
from bot.audit.phrases import count_words, day, joined, quoted
from bot.audit.records import no_models
from bot.audit.scoring import Scores, confidence_band
from bot.messages import Message, plain
from bot.store.tables import Answer, Claim, Department

Names = Mapping[int | None, str]
"""The names of people, by id."""
_BANDS = {"high": "firm", "medium": "fair", "low": "thin"}
_SHOWS = {"E0": "a statement so far", "E1": "one recent case", "E2": "something that others can open"}


def put_aside(
    instrument: Instrument, department: Department, rows: Iterable[Answer], names: Names, now: datetime
) -> Message:
    """What was said not to apply, and who confirmed it and until when, or who is asked to."""
    lines = [
        f"- **{instrument.model(each).name}** does not concern {plain(department.name)}: so it stands in the "
        "description of the organisation, which an administrator can change"
        for each in no_models(department)
    ]
    lines += [
        f"- **{instrument.criterion(row.criterion).name}**: {aside_words(instrument, row, names, now)}"
        for row in rows
        if row.claim is Claim.NOT_APPLICABLE
    ]
    if not lines:
        return Message(text=f"Nothing of {plain(department.name)} is put aside as not applying.")
    return Message(kind="result", text="Said not to apply:\n\n" + "\n".join(lines))


def aside_words(instrument: Instrument, row: Answer, names: Names, now: datetime) -> str:
    """What became of one "does not apply", with its days."""
    who = plain(names.get(row.approver_id) or "whoever runs the AI programme")
    said = f"said on {day(row.answered_at)}"
    if row.declined_at is not None:
        return f"{said}; {who} asked on {day(row.declined_at)} to keep it in, so it comes again"
    if row.approved_at is None:
        return f"{said}; it waits for a word from {who} and counts as open until then"
    until = row.answered_at + timedelta(days=instrument.freshness.stale_after_days)
    holds = "holds" if now <= until else "held"
    if row.approver_id == row.picked_by:
        who = f"{who}, who said so: there was nobody else to ask,"
    return f"{said}, confirmed by {who} on {day(row.approved_at)}; it {holds} until {day(until)}"


def answered_by(
    instrument: Instrument, department: Department, rows: Sequence[Answer], asker: int, leads: Names
) -> Message:
    """From whom the answers come: leads by name, others without. Who did not answer is told to nobody."""
    if not rows:
        return Message(text=f"None of the questions has an answer of {plain(department.name)} yet.")
    counts = Counter(_giver(row, asker, leads) for row in rows)
    given = (
        "all by you"
        if set(counts) == {"you"}
        else joined([f"{count_words(count)} by {who}" for who, count in counts.most_common()])
    )
    return Message(
        kind="result",
        text=f"{plain(department.name)} has answered {count_words(len(rows))} of the "
        f"{len(instrument.criteria)} questions: {given}. What others wrote stays theirs, and nobody is told "
        "who did not answer.",
    )


def _giver(row: Answer, asker: int, leads: Names) -> str:
    if row.picked_by == asker:
        return "you"
    return plain(leads[row.picked_by]) if row.picked_by in leads else "others in the team"


def sureness(instrument: Instrument, scores: Scores) -> Message:
    """How firm the picture is, and which answers are thin."""
    bands = {
        each: _BANDS[confidence_band(instrument, found.confidence)]
        for each, found in scores.criteria.items()
        if found.confidence is not None
    }
    rule = (
        "How sure I am of an answer follows from what can be shown, how old it is, and whether two people "
        "see it the same way."
    )
    if not bands:
        return Message(kind="result", text=f"{rule} There is no level to be sure of yet.")
    counts = Counter(bands.values())
    said = joined([f"{count_words(counts[word])} {word}" for word in _BANDS.values() if counts[word]])
    thin = [f"**{instrument.criterion(each).name}**" for each, word in bands.items() if word == "thin"]
    more = f"\n\nThin: {joined(thin)}. A recent case or a link makes these firmer." if thin else ""
    return Message(kind="result", text=f"{rule} Of your answers: {said}.{more}")


def shown(instrument: Instrument, rows: Iterable[Answer], asker: int) -> Message:
    """What each answer has to show; the words of what the asker gave, the kind alone for all others."""
    lines = []
    for row in rows:
        if row.claim is not Claim.LEVEL:
            continue
        kind = _SHOWS.get(row.evidence.value, "something that others can open, and a second view")
        own = f"\n\n{quoted(row.evidence_text)}" if row.evidence_text and row.picked_by == asker else ""
        lines.append(f"**{instrument.criterion(row.criterion).name}**: {kind}{own}")
    if not lines:
        return Message(text="There is no answer with a level yet, so there is nothing to show for one.")
    return Message(
        kind="result",
        text="What your answers have to show. I keep links and never open them.\n\n" + "\n\n".join(lines),
    )
