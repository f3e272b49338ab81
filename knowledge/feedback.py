"""Marks on answers: one tap, and why once where the mark is bad."""

from __future__ import annotations

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message
from bot.store.tables import PolicyQuestion
from knowledge.rows import saved

_REASONS = {"wrong": "It is wrong", "old": "It is out of date", "other": "It answers something else"}


def feedback_choices(answer_id: int) -> tuple[Choice, Choice]:
    """The two buttons under an answer, for surfaces that have no feedback buttons of their own."""
    return (
        Choice(id=str(ChoiceId("kb", answer_id, 0, "up")), label="👍"),
        Choice(id=str(ChoiceId("kb", answer_id, 0, "down")), label="👎"),
    )


async def marked(tx: AsyncSession, question: PolicyQuestion, what: str) -> Message | None:
    """Store a mark or its reason, and the reply to it. None where `what` is neither."""
    if what == "up":
        question.mark, question.mark_reason = 1, ""
        reply = Message(text="Thank you, good to know.")
    elif what == "down":
        asked_before = question.mark == -1
        question.mark = -1
        reply = Message(text="Noted, thank you.") if asked_before else _why(saved(question.id))
    elif (reason := what.removeprefix("why-")) in _REASONS and question.mark == -1:
        question.mark_reason = reason
        reply = Message(text="Thank you. The policy's owner will see that this answer did not help.")
    else:
        return None
    tx.add(question)
    await tx.flush()
    return reply


def _why(answer_id: int) -> Message:
    return Message(
        kind="question",
        text="Sorry about that. What was the trouble?",
        choices=tuple(
            Choice(id=str(ChoiceId("kb", answer_id, 0, f"why-{reason}")), label=label)
            for reason, label in _REASONS.items()
        ),
    )
