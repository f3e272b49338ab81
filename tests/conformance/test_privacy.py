"""Exports and erasures reach every table that holds something about a person, on both databases."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table
from sqlmodel import SQLModel, col, delete, select

from bot.audit.instrument import load_instrument
from bot.audit.show import audit_show
from bot.clock import MovableClock
from bot.errors import NotFound
from bot.privacy.erase import erase_person, kept_about
from bot.privacy.export import export_person
from bot.privacy.holdings import ERASED_NOTE, ERASED_REASON, ERASED_STEP, HOLDINGS, unknown_links
from bot.store.engine import Store
from bot.store.tables import (
    Answer,
    AuditLogEntry,
    Blocker,
    Department,
    DialogueSession,
    Gap,
    InboxEvent,
    OutboxMessage,
    Person,
    Plan,
    PlanStatus,
    Platform,
    PolicyQuestion,
    Process,
    SentDigest,
    SessionStatus,
    WeeklyAggregate,
)
from bot.turns import Turn
from handlers.news import News
from handlers.worker import Worker
from tests.conformance.test_inbox_and_worker import Counting
from tests.conftest import NOW
from tests.support.privacy import (
    ANSWERED,
    CANARIES,
    DIRECT,
    EMAIL,
    NAME,
    OTHERS,
    SAID,
    SLACK,
    Scene,
    all_words,
    people_named,
    plant_scene,
)
from tests.support.talk import open_office

LATER = NOW + timedelta(hours=1)
FROZEN = {"sentdigest.content"}
"""Stays as it was sent."""


@pytest.fixture
async def scene(store: Store) -> Scene:
    return await plant_scene(store, NOW)


async def exported(store: Store) -> dict:
    async with store.write() as tx:
        return await export_person(tx, EMAIL, LATER)


async def erased(store: Store) -> None:
    async with store.write() as tx:
        await erase_person(tx, EMAIL, LATER)


# ── Every table ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_column_that_names_a_person_is_handed_out_and_erased():
    assert unknown_links(SQLModel.metadata) == []


def test_a_new_table_is_noticed():
    metadata = MetaData()
    Table("person", metadata, Column("id", Integer, primary_key=True))
    Table("mood", metadata, Column("id", Integer), Column("of", ForeignKey("person.id")))
    Table("duty", metadata, Column("id", Integer), Column("person_id", ForeignKey("person.id")))
    assert unknown_links(metadata) == ["mood.of"]


async def test_the_scene_fills_every_such_column(store, scene):
    """Else the tests below would pass by themselves."""
    async with store.read() as tx:
        named = await people_named(tx)
    assert {column for column, people in named.items() if scene.noor not in people} == set()


def test_nothing_else_is_called_like_a_person():
    """A person's id that is no foreign key would be missed."""
    called = re.compile(r"person|actor|asker|author|recipient|_by$")
    links = {(holding.name, link.column) for holding in HOLDINGS for link in holding.links}
    found = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if called.search(column.name) and (table.name, column.name) not in links
    }
    assert found == {
        "answer.expired_by",
        "answer.proposed_by",
        "document.review_by",
        "document.superseded_by",
        "inboxevent.claimed_by",
        "outboxmessage.claimed_by",
        "scheduledmessage.recipient",
        "sentdigest.recipient",
    }


# ── Erasing ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_nothing_is_left_of_the_person(store, scene):
    await erased(store)
    async with store.read() as tx:
        named, words = await people_named(tx), await all_words(tx)
    assert [column for column, people in named.items() if scene.noor in people] == []
    left = {
        (column, text)
        for column, texts in words.items()
        for text in texts
        for canary in (*CANARIES, f'person:{scene.noor}"', f"person:{scene.noor}'")
        if canary in text.lower() and column not in FROZEN
    }
    assert left == set()
    ids = re.compile(rf"'(?:owner_id|approver|person_id)': {scene.noor}\b")
    assert [column for column, texts in words.items() if any(map(ids.search, texts))] == []
    assert f"person:{scene.noor}" not in words["sentdigest.recipient"] + words["scheduledmessage.recipient"]


async def test_where_the_department_stands_stays(store, scene):
    async def shown() -> dict:
        async with store.read() as tx:
            department = await tx.get_one(Department, scene.finance)
            found = await audit_show(tx, load_instrument(), department, LATER)
        return {name: value for name, value in found.items() if name not in ("plans", "blockers")}

    before = await shown()
    await erased(store)
    assert await shown() == before


async def test_what_is_frozen_stays(store, scene):
    async def frozen() -> list:
        async with store.read() as tx:
            digest = await tx.get_one(SentDigest, scene.digest)
            weeks = await tx.exec(select(WeeklyAggregate.figures))
            return [digest.week, digest.content, digest.made_at, *weeks]

    before = await frozen()
    await erased(store)
    assert await frozen() == before


async def test_what_others_rest_on_stays_without_name_and_words(store, scene):
    await erased(store)
    async with store.read() as tx:
        answers = (await tx.exec(select(Answer).order_by(col(Answer.id)))).all()
        sittings = (await tx.exec(select(DialogueSession).order_by(col(DialogueSession.id)))).all()
        plans = (await tx.exec(select(Plan))).all()
        blockers = (await tx.exec(select(Blocker).order_by(col(Blocker.id)))).all()
        process = (await tx.exec(select(Process))).one()
    assert [(row.level, row.picked_by, row.words, row.released) for row in answers[:-1]] == [
        (level, None, "", "") for level in (1, 2, 3, 2)
    ]
    assert (answers[-1].words, answers[-1].picked_by, answers[-1].approver_id) == (OTHERS, scene.omar, None)
    assert [row.status for row in sittings] == [
        SessionStatus.FINISHED,
        SessionStatus.CLOSED,
        SessionStatus.OPEN,
    ]
    assert sittings[2].state["draft"] == {"words": OTHERS}
    assert {(row.status, row.text) for row in plans} == {
        (PlanStatus.DONE, ERASED_STEP),
        (PlanStatus.DROPPED, ERASED_STEP),
    }
    assert [(row.note, row.owner, row.raised_by, row.owner_id) for row in blockers] == [
        (ERASED_NOTE, "IT", None, scene.omar),
        (OTHERS, "", scene.omar, None),
    ]
    # What the file does not describe would be archived by the next import if nobody had noted it.
    assert (process.owner_id, process.noted_by) == (None, scene.omar)


async def test_questions_go_unless_they_became_knowledge(store, scene):
    await erased(store)
    async with store.read() as tx:
        gaps = (await tx.exec(select(Gap).order_by(col(Gap.id)))).all()
        questions = (await tx.exec(select(PolicyQuestion))).all()
    kept = next(gap for gap in gaps if gap.id == scene.kept_gap)
    assert (kept.text, kept.asker_id, kept.question_id, kept.reply) == (ANSWERED, None, None, "Not yet.")
    waiting = [gap for gap in gaps if gap is not kept]
    # The second of the group stands for it now, and her own queue is Omar's.
    assert [(gap.owner_id, gap.group_id, gap.reply) for gap in waiting] == [
        (scene.omar, None, ""),
        (scene.omar, waiting[0].id, ""),
        (scene.omar, None, ""),
    ]
    assert [row.text for row in questions] == ["Who is a former colleague?"]


async def test_what_others_said_and_read_stays_but_for_her(store, scene):
    await erased(store)
    async with store.read() as tx:
        heard = (await tx.exec(select(InboxEvent).order_by(col(InboxEvent.id)))).all()
        said = (await tx.exec(select(OutboxMessage).order_by(col(OutboxMessage.id)))).all()
    assert [row.payload["text"] for row in heard] == ["Ask a former colleague <(erased)>", OTHERS]
    assert [row.message["text"] for row in said] == [
        f"a former colleague says:\n\n> (erased) ...\n\n> {OTHERS}",
        f"She asked “(erased)?”, and you “{OTHERS}”",
    ]
    assert [[choice["label"] for choice in row.message["choices"]] for row in said] == [["No"], ["No"]]


async def test_it_is_logged_without_saying_who(store, scene):
    await erased(store)
    async with store.read() as tx:
        entries = (await tx.exec(select(AuditLogEntry).order_by(col(AuditLogEntry.id)))).all()
    assert (entries[-1].action, entries[-1].actor_id, entries[-1].subject_id) == ("person.erased", None, None)
    assert entries[-1].detail["answers"] == 5


async def test_a_second_time_there_is_nobody(store, scene):
    await erased(store)
    with pytest.raises(NotFound, match=f"nobody with the address {EMAIL}"):
        await erased(store)


async def test_an_id_is_never_given_again(store, scene):
    """A button or a key that still names it would mean somebody else."""
    await erased(store)
    async with store.write() as tx:
        fresh = Person(email="new@example.com", name="New")
        tx.add(fresh)
        await tx.flush()
        assert (fresh.id or 0) > scene.noor


async def test_what_fails_in_the_middle_changes_nothing(store, scene, monkeypatch):
    async def broken(*_: object) -> None:
        raise RuntimeError

    async with store.read() as tx:
        before = await all_words(tx)
    monkeypatch.setattr("bot.privacy.erase.take_out", broken)
    with pytest.raises(RuntimeError):
        await erased(store)
    async with store.read() as tx:
        assert await all_words(tx) == before


async def test_somebody_who_left_long_ago_can_be_erased(store, scene):
    async with store.write() as tx:
        (await tx.get_one(Person, scene.noor)).archived_at = NOW
    await erased(store)
    async with store.read() as tx:
        assert await tx.get(Person, scene.noor) is None


async def test_the_coach_goes_on_with_those_who_stay(sqlite_store):
    """One of two leads goes in the middle of everything: an answer, a second view, what does not apply."""
    office = await open_office(sqlite_store)
    for who in ("lead", "co-lead"):
        office.who = who
        await office.say("start")
        await office.say("yes")
    office.who = "lead"
    await office.say("In October two of our eight clerks used it for 12 letters.")
    await office.tap_level(2)
    await office.say("that does not apply to us")
    await office.say("nobody here writes anything to anybody")
    await office.say("pause")
    await office.say("add a blocker: nobody in finance approves the tool")
    await office.say("IT")
    office.who = "co-lead"
    await office.say("In October none of our eight clerks used it.")
    await office.tap_level(0)
    async with sqlite_store.write() as tx:
        await erase_person(tx, "lea@larkfield.example", office.now)
    office.log.clear()
    for words in ("resume", "show my answers", "plans", "blockers", "where do we stand?"):
        await office.say(words)
    office.who = "owner"
    await office.say("contested answers")
    await office.say("approvals")
    await office.tap("No, keep asking")
    shown = "\n".join(office.log)
    for said in ("seen quite differently", f"{ERASED_NOTE} (with IT)", ERASED_REASON, "stays in"):
        assert said in shown
    assert not re.search("Lea|12 letters|nobody", shown)


@pytest.mark.parametrize("text", ["a question", "a bug, too"])
async def test_a_turn_that_was_being_answered_ends_quietly(store, scene, text):
    """The model was asked; meanwhile the person was erased, and what they said with them."""

    class Slow(Counting):
        async def prepare(self, turn: Turn) -> object:
            await erased(store)
            if turn.text == "a bug, too":
                raise RuntimeError
            return None

    said = {"user": SLACK, "text": text}
    named = {"platform": Platform.SLACK, "dedupe_key": "late", "conversation": DIRECT, "payload": said}
    async with store.write() as tx:
        await tx.exec(delete(OutboxMessage))
        await tx.exec(delete(InboxEvent))
        tx.add(InboxEvent(**named, received_at=NOW))
    assert await Worker(store, Slow(), MovableClock(NOW), News()).answer_next()
    async with store.read() as tx:
        assert (await tx.exec(select(InboxEvent))).all() == []
        assert (await tx.exec(select(OutboxMessage))).all() == []


# ── Exporting ───────────────────────────────────────────────────────────────────────────────────────────


async def test_everything_about_the_person_is_handed_out(store, scene):
    document = await exported(store)
    assert [name for name, rows in document.items() if not rows] == []
    assert (document["person"]["email"], document["person"]["department"]) == (EMAIL, "Finance")
    assert document["person"]["role"] == "Clerk"
    assert {row["department"] for row in document["sittings"]} == {"Finance"}
    assert [row.get("words") for row in document["answers"]] == [SAID] * 4 + [None]
    assert [row["text"] for row in document["policy questions"]][2] == ANSWERED
    assert len(document["messages from them"]) == 4
    assert [row["payload"]["text"] for row in document["messages from them"]] == [SAID] * 4
    assert len(document["messages to them"]) == 3
    counted = await counts(store)
    assert counted == {
        title: len(rows)
        for title, rows in document.items()
        if isinstance(rows, list) and title != "digests sent to them"
    }


async def counts(store: Store) -> dict[str, int]:
    async with store.read() as tx:
        kept = await kept_about(tx, EMAIL)
    # The export itself was logged meanwhile.
    return {line.title: line.count - (line.title == "log entries") for line in kept.lines}


async def test_nobody_elses_words_and_name_are_handed_out(store, scene):
    document = await exported(store)
    text = json.dumps(document, ensure_ascii=False)
    assert "zebra" not in text
    assert "omar" not in text.lower()
    assert NAME in text
    others = "somebody else"
    assert [(row["raised_by"], row["owner_id"]) for row in document["blockers"]] == [
        (scene.noor, others),
        (others, scene.noor),
    ]
    assert (
        document["messages to them"][0]["message"]["text"]
        == f"> (somebody else's words)\n\nThank you, {NAME}."
    )


async def test_times_carry_their_offset_and_twice_gives_the_same(store, scene):
    first, second = await exported(store), await exported(store)
    times = [row["answered_at"] for row in first["answers"]]
    assert all(datetime.fromisoformat(each).utcoffset() is not None for each in times)
    log = "log entries"
    assert json.dumps({**first, log: 0}) == json.dumps({**second, log: 0})


async def test_nobody_of_that_address_is_told(store):
    with pytest.raises(NotFound, match="Check the spelling"):
        await exported(store)


async def test_nothing_is_handed_out_after_the_erasure(store, scene):
    await erased(store)
    with pytest.raises(NotFound):
        await exported(store)
