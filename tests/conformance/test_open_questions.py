"""An open question from asking to knowing, with the planner in between, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from bot.clock import MovableClock
from bot.messages import Choice, Message
from bot.store.engine import Store
from bot.store.tables import OutboxMessage, OutboxStatus, Platform
from scheduler.sending import PageSender
from scheduler.service import SchedulerService
from tests.support.company import Library, make_library

QUESTION = "Can I carry annual leave into spring?"


@pytest.fixture
async def library(store: Store, clock: MovableClock, tmp_path: Path) -> Library:
    return await make_library(store, clock, tmp_path)


async def say(
    library: Library, person: int, text: str | None = None, choice: str | None = None
) -> list[Message]:
    turn = library.turn(person, text, choice)
    prepared = await library.turns.prepare(turn)
    async with library.store.write() as tx:
        return await library.turns.apply(tx, turn, prepared)


async def heard(library: Library, scheduler: SchedulerService, person: int) -> list[Message]:
    """What has reached a person unasked, once everything that is due has been planned and sent."""
    await scheduler.tick()
    stop = asyncio.Event()
    sending = asyncio.create_task(scheduler.run_sender(stop))
    while await _waiting(library):  # noqa: ASYNC110 - only the database tells when they have left
        await asyncio.sleep(0.02)
    stop.set()
    await sending
    async with library.store.read() as session:
        found = await session.exec(
            select(OutboxMessage)
            .where(OutboxMessage.person_id == person, OutboxMessage.status == OutboxStatus.SENT)
            .order_by(col(OutboxMessage.id))
        )
        return [Message.model_validate(row.message) for row in found]


async def _waiting(library: Library) -> bool:
    due = select(OutboxMessage.id).where(
        col(OutboxMessage.status).in_([OutboxStatus.PENDING, OutboxStatus.CLAIMED]),
        col(OutboxMessage.due_at) <= library.clock(),
    )
    async with library.store.read() as session:
        return (await session.exec(due.limit(1))).first() is not None


def button(message: Message, label: str) -> Choice:
    return next(choice for choice in message.choices if choice.label == label)


@pytest.mark.parametrize("anonymous", [False, True])
async def test_a_question_that_waits_is_brought_to_mind_and_its_answer_is_known(
    library: Library, anonymous: bool
) -> None:
    fay, hanna, olga = library.people.fay, library.people.hanna, library.people.olga
    scheduler = SchedulerService(library.store, library.clock, {Platform.WEB: PageSender()})
    (silent,) = await say(library, fay, QUESTION)
    label = "Send without my name" if anonymous else "Send to Olga Brandt"
    await say(library, fay, choice=button(silent, label).id)
    (mine,) = await say(library, fay, "my questions")
    assert f"“{QUESTION}” **sent** to Olga Brandt, 18 November 2026" in mine.text
    (first,) = await heard(library, scheduler, olga)
    assert first.text.startswith("Somebody asks" if anonymous else "Fay Adler asks")

    library.clock.move_to(library.clock() + timedelta(hours=2))  # type: ignore[attr-defined]
    for _ in range(7):
        library.clock.move_to(library.clock() + timedelta(days=1))  # type: ignore[attr-defined]
        messages = await heard(library, scheduler, olga)
    reminders = [message for message in messages[1:] if QUESTION in message.text]
    assert len(reminders) == 1, "once, and no more"
    assert "has been waiting for you" in reminders[0].text
    assert "Fay" not in reminders[0].text

    await say(library, olga, choice=button(reminders[0], "Answer").id)
    (preview,) = await say(library, olga, "Yes, up to five days, until the end of March.")
    # Late at night: an answer to one's own question comes at once all the same.
    library.clock.move_to(library.clock() + timedelta(hours=11))  # type: ignore[attr-defined]
    await say(library, olga, choice=button(preview, "Publish").id)
    (told,) = await heard(library, scheduler, fay)
    assert QUESTION in told.text
    assert "Olga Brandt has answered:\n> Yes, up to five days" in told.text
    (mine,) = await say(library, fay, "my questions")
    assert "**answered** by Olga Brandt, 25 November 2026" in mine.text
    (known,) = await say(library, hanna, QUESTION)
    assert f"**{QUESTION}** (answered by Olga Brandt)" in known.text
    assert "holds until 25 November 2027" in known.text
