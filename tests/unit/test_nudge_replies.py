"""What people answer to a nudge or ask about a digest, as conversations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from bot.audit.instrument import load_instrument
from bot.clock import MovableClock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import (
    Blocker,
    Department,
    Document,
    OutboxMessage,
    Person,
    Platform,
    ScheduledMessage,
    SentDigest,
)
from bot.turns import Turn
from scheduler.cards import Desk, policy_review
from scheduler.digest_questions import DigestUseCase
from scheduler.replies import NudgeUseCase
from scheduler.sending import PageSender
from scheduler.service import SchedulerService
from scheduler.setting_changes import FOR_EVER
from tests.support.outbox import run_until_empty
from tests.support.talk import plant_company
from tests.unit.test_sample_history import planted

INSTRUMENT = load_instrument()
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
TUESDAY_10 = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # in Berlin
MONDAY_AFTER = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@dataclass
class Talk:
    """One person and one part of the coach; `tap` presses the newest button with that label."""

    store: Store
    part: NudgeUseCase | DigestUseCase
    person: int
    now: datetime
    heard: list[Message]

    async def say(self, text: str) -> list[Message]:
        turn = Turn(1, self.person, "web", f"web:{self.person}", self.now, text=text)
        async with self.store.read() as session:
            assert await self.part.wants(session, turn)
        return await self.turn(turn)

    async def tap(self, label: str) -> list[Message]:
        choices = [choice for message in self.heard for choice in message.choices if choice.label == label]
        turn = Turn(1, self.person, "web", f"web:{self.person}", self.now, choice=choices[-1].id)
        return await self.turn(turn)

    async def turn(self, turn: Turn) -> list[Message]:
        prepared = await self.part.prepare(turn)
        async with self.store.write() as tx:
            said = await self.part.apply(tx, turn, prepared)  # type: ignore[arg-type]
        self.heard += said
        return said


async def nudged(store: Store) -> tuple[dict[str, int], Talk]:
    """The lead of the small company has the first nudge before them."""
    small = await plant_company(store)
    clock = MovableClock(MONDAY)
    service = SchedulerService(store, clock, {Platform.WEB: PageSender()}, INSTRUMENT)
    await service.tick()
    clock.move_to(TUESDAY_10)
    await service.tick()
    await run_until_empty(store, [service.post])
    async with store.read() as session:
        rows = await session.exec(select(OutboxMessage).where(OutboxMessage.person_id == small["lead"]))
        heard = [Message.model_validate(row.message) for row in rows]
    return small, Talk(store, NudgeUseCase(INSTRUMENT), small["lead"], TUESDAY_10, heard)


async def lead_of(store: Store, small: dict[str, int]) -> Person:
    async with store.read() as session:
        return await session.get_one(Person, small["lead"])


async def test_the_first_nudge_says_who_sees_what_and_how_to_stay_out(sqlite_store: Store) -> None:
    _, talk = await nudged(sqlite_store)
    [message] = talk.heard
    assert "Hello Lea, I'm Stagecoach." in message.text
    assert "Ada King" in message.text
    assert "never used to judge" in message.text
    labels = [choice.label for choice in message.choices]
    assert labels == ["Start, about 3 minutes", "Later", "Hand over", "Not relevant", "Stay out"]


async def test_later_until_a_date(sqlite_store: Store) -> None:
    small, talk = await nudged(sqlite_store)
    [asked] = await talk.tap("Later")
    assert asked.choices[0].label == "Tomorrow"
    [said] = await talk.tap("In two weeks, 8 December")
    assert "Quiet until 8 December" in said.text
    lead = await lead_of(sqlite_store, small)
    assert lead.snoozed_until == date(2026, 12, 8)
    assert lead.enrolled_at is not None
    [again] = await talk.say("snooze until Friday")
    assert "27 November" in again.text


async def test_pause_all_and_resume(sqlite_store: Store) -> None:
    small, talk = await nudged(sqlite_store)
    [said] = await talk.say("Pause all")
    assert "on any platform" in said.text
    assert (await lead_of(sqlite_store, small)).paused_until == FOR_EVER
    await talk.tap("Resume")
    assert (await lead_of(sqlite_store, small)).paused_until is None


async def test_stay_out_and_change_of_mind(sqlite_store: Store) -> None:
    small, talk = await nudged(sqlite_store)
    await talk.tap("Stay out")
    assert (await lead_of(sqlite_store, small)).declined_at == TUESDAY_10
    await talk.tap("I changed my mind")
    assert (await lead_of(sqlite_store, small)).declined_at is None


async def test_not_relevant_brings_no_reminder(sqlite_store: Store) -> None:
    _, talk = await nudged(sqlite_store)
    await talk.tap("Not relevant")
    async with sqlite_store.read() as session:
        [row] = await session.exec(select(ScheduledMessage))
    assert row.detail["closed"] == "not relevant"


async def test_handing_over_tells_the_colleague(sqlite_store: Store) -> None:
    small, talk = await nudged(sqlite_store)
    await talk.tap("Hand over")
    [said] = await talk.tap("Tom Okoye")
    assert said.text == "Thank you, I've passed it on to Tom Okoye."
    async with sqlite_store.read() as session:
        rows = await session.exec(select(OutboxMessage).where(OutboxMessage.person_id == small["co-lead"]))
        [row] = rows
    assert "Lea Brandt thinks you can tell more" in row.message["text"]
    assert row.message["choices"]


async def test_nobody_can_press_a_button_of_another_person(sqlite_store: Store) -> None:
    small, talk = await nudged(sqlite_store)
    talk.person = small["clerk"]
    [said] = await talk.tap("Not relevant")
    assert said.kind == "notice"
    async with sqlite_store.read() as session:
        [row] = await session.exec(select(ScheduledMessage))
    assert "closed" not in row.detail


async def test_a_policy_that_still_holds_is_reviewed_for_a_year(sqlite_store: Store) -> None:
    small = await plant_company(sqlite_store)
    async with sqlite_store.write() as tx:
        document = Document(
            source="a.md",
            title="Leave",
            owner_id=small["owner"],
            review_by=date(2026, 12, 1),
            added_at=MONDAY,
        )
        tx.add(document)
        await tx.flush()
        row = ScheduledMessage(
            recipient=f"person:{small['owner']}", kind="policy_review", period="p", person_id=small["owner"],
            local_week="2026-W48", due_at=MONDAY, planned_at=MONDAY, detail={"document": document.id},
        )  # fmt: skip
        tx.add(row)
        await tx.flush()
    use = NudgeUseCase(INSTRUMENT)
    turn = Turn(1, small["owner"], "web", "web:1", TUESDAY_10, choice=f"nudge:{row.id}:0:holds")
    async with sqlite_store.write() as tx:
        [said] = await use.apply(tx, turn, await use.prepare(turn))
    assert "reviewed as of today" in said.text
    async with sqlite_store.read() as session:
        kept = await session.get_one(Document, document.id)
    assert kept.review_by == date(2027, 11, 24)


@pytest.mark.parametrize(
    ("what", "review_by", "expires_on"),
    [("holds", date(2027, 10, 25), date(2027, 11, 24)), ("ended", date(2026, 12, 1), date(2026, 11, 24))],
)
async def test_an_owners_answer_is_kept_for_a_year_or_ends(
    sqlite_store: Store, what: str, review_by: date, expires_on: date
) -> None:
    small = await plant_company(sqlite_store)
    async with sqlite_store.write() as tx:
        entry = Document(
            source="gap:1", title="May I bring a dog?", kind="entry", owner_id=small["owner"],
            review_by=date(2026, 12, 1), expires_on=date(2026, 12, 31), added_at=MONDAY,
        )  # fmt: skip
        tx.add(entry)
        await tx.flush()
        row = ScheduledMessage(
            recipient=f"person:{small['owner']}", kind="policy_review",
            period=f"document-{entry.id}:2026-12-01", person_id=small["owner"],
            local_week="2026-W48", due_at=MONDAY, planned_at=MONDAY, detail={"document": entry.id},
        )  # fmt: skip
        tx.add(row)
        await tx.flush()
        owner = await tx.get_one(Person, small["owner"])
        card = await policy_review(Desk(tx, INSTRUMENT, owner, TUESDAY_10), row)
    assert card is not None
    assert "your answer to **May I bring a dog?** is due by 1 December" in card.text
    choice = next(each.id for each in card.do if each.id.endswith(what))
    use = NudgeUseCase(INSTRUMENT)
    turn = Turn(1, small["owner"], "web", "web:1", TUESDAY_10, choice=choice)
    async with sqlite_store.write() as tx:
        await use.apply(tx, turn, await use.prepare(turn))
    async with sqlite_store.read() as session:
        kept = await session.get_one(Document, entry.id)
    assert (kept.review_by, kept.expires_on) == (review_by, expires_on)


async def sample_monday(store: Store) -> int:
    """The sample company after its digests; returns an executive's id."""
    await planted(store, MONDAY)
    clock = MovableClock(MONDAY + timedelta(days=1))
    page = PageSender()
    service = SchedulerService(store, clock, {Platform.WEB: page, Platform.SLACK: page}, INSTRUMENT)
    await service.tick()
    clock.move_to(MONDAY_AFTER)
    await service.tick()
    await run_until_empty(store, [service.post])
    async with store.read() as session:
        rows = await session.exec(
            select(ScheduledMessage.person_id).where(ScheduledMessage.kind == "executive_digest")
        )
        return next(person for person in rows if person)


async def test_a_figure_is_explained_from_the_digest_as_it_was_sent(sqlite_store: Store) -> None:
    executive = await sample_monday(sqlite_store)
    async with sqlite_store.write() as tx:
        # What happens later does not change what was said.
        for blocker in await tx.exec(select(Blocker)):
            await tx.delete(blocker)
    async with sqlite_store.read() as session:
        found = await session.exec(select(SentDigest).where(SentDigest.recipient == f"person:{executive}"))
        digest = found.one()
    figure = digest.content["figures"][-1]
    talk = Talk(sqlite_store, DigestUseCase(), executive, MONDAY_AFTER, [])
    coverage = next(each for each in digest.content["figures"] if each["meaning"].startswith("Coverage:"))
    [said] = await talk.say(f"Where does {coverage['text']} come from?")
    assert coverage["text"] in said.text
    assert "hours a week" in said.text
    assert figure["source"]
    [unknown] = await talk.say("where does 99.9% come from")
    assert "does not say" in unknown.text
    [shown] = await talk.say("show me the digest")
    assert shown.text == digest.content["message"]["text"]


@pytest.mark.parametrize(
    "words", ["where does the money come from?", "how is the weather", "may I use 3 tools?"]
)
async def test_other_questions_are_left_to_the_policies(sqlite_store: Store, words: str) -> None:
    executive = await sample_monday(sqlite_store)
    turn = Turn(1, executive, "web", f"web:{executive}", MONDAY_AFTER, text=words)
    async with sqlite_store.read() as session:
        assert not await DigestUseCase().wants(session, turn)
        assert not await NudgeUseCase(INSTRUMENT).wants(session, turn)


async def test_a_channel_is_told_about_its_own_digest_only(sqlite_store: Store) -> None:
    executive = await sample_monday(sqlite_store)
    async with sqlite_store.write() as tx:
        department = (await tx.exec(select(Department).order_by(Department.id))).first()
        department.channels = {"slack": "T1/C1"}
        tx.add(
            SentDigest(
                recipient=f"department:{department.id}",
                week="2026-W49",
                content={"figures": [], "message": {"text": "The department's week."}},
                made_at=MONDAY_AFTER,
            )
        )
    here = Turn(1, executive, "slack", "T1/C1", MONDAY_AFTER, text="show the digest", public=True)
    elsewhere = replace(here, conversation="T1/C2")
    use = DigestUseCase()
    async with sqlite_store.write() as tx:
        assert (await use.apply(tx, here, await use.prepare(here)))[0].text == "The department's week."
        assert (await use.apply(tx, elsewhere, await use.prepare(elsewhere)))[0].text != (
            "The department's week."
        )


async def test_others_do_not_see_an_executive_digest(sqlite_store: Store) -> None:
    await sample_monday(sqlite_store)
    use = DigestUseCase()
    turn = Turn(1, 3, "web", "web:3", MONDAY_AFTER, choice="digest:0:0:sources.2026-W48")
    async with sqlite_store.write() as tx:
        [said] = await use.apply(tx, turn, await use.prepare(turn))
    assert said.kind == "notice"
