"""Facts about documents as people are told them: owner, age, use."""

from __future__ import annotations

from datetime import date

from bot.messages import Message, Table, plain
from knowledge.answer import Source, day
from knowledge.usage import Usage


def own_policies(used: Usage) -> Message:
    """What an owner's documents are asked, as one table and a few lines."""
    if not used.documents:
        return Message(text="You own no policy yet.")
    rows = tuple(
        (plain(each.title), str(each.answers), str(each.bad_marks), "overdue" if each.stale else "in time")
        for each in used.documents
    )
    lines = ["Your policies over the last 90 days."]
    for intro, asked in (
        ("Asked most", used.most_asked),
        ("Answered worst", used.worst_answered),
        ("Never answered", used.never_answered),
    ):
        if asked:
            lines.append(f"\n{intro}:\n" + "\n".join(f"- {plain(text)} ({count})" for text, count in asked))
    if used.unanswered:
        lines.append(
            f"\nNear them, {used.unanswered} questions found no answer. Say “my queue” for those sent."
        )
    table = Table(
        caption="Your policies, 90 days", columns=("Policy", "Answers", "Bad marks", "Review"), rows=rows
    )
    return Message(kind="result", text="\n".join(lines), table=table)


def owner_of(source: Source) -> Message:
    """Who owns a document, or gave the answer that it is."""
    if source.kind == "entry":
        return Message(
            text=f"It is an answer that {plain(source.owner or 'a policy owner')} gave to a question."
        )
    if source.owner is None:
        return Message(text=f"**{plain(source.document)}** has no owner yet.")
    return Message(text=f"**{plain(source.document)}** is owned by {plain(source.owner)}.")


def since(source: Source, today: date) -> Message:
    """Since when a document holds, and when it was last looked at."""
    if source.kind == "entry":
        return Message(text=_given(source))
    parts = [
        f"**{plain(source.document)}**, version {plain(source.label) if source.label else source.version}"
    ]
    if source.effective:
        coming = source.effective > today
        parts.append(
            f"{'comes into force on' if coming else 'has been in force since'} {day(source.effective)}"
        )
    else:
        parts.append("does not say since when it holds")
    text = " ".join(parts) + "."
    if source.changes_on and source.changes_on > today:
        text += f" A new version takes its place on {day(source.changes_on)}."
    if source.reviewed:
        text += f" It was last reviewed on {day(source.reviewed)}."
    if source.review_by:
        due = "was due" if source.review_by < today else "is due"
        text += f" Its next review {due} on {day(source.review_by)}."
    return Message(text=text)


def _given(source: Source) -> str:
    """Since when an owner's answer holds, and until when."""
    when = f" on {day(source.effective)}" if source.effective else ""
    until = f" It holds until {day(source.expires)}." if source.expires else ""
    return f"It was answered by {plain(source.owner or 'a policy owner')}{when}.{until}"
