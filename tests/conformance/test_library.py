"""The policy library on both databases: what goes in, who finds it, and what happens where it is silent."""

from __future__ import annotations

import asyncio
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from bot.clock import MovableClock
from bot.errors import InputError, NotFound
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import (
    Band,
    CachedAnswer,
    Document,
    DocumentVersion,
    Duty,
    DutyName,
    OutboxMessage,
    Passage,
    PassageVector,
    Person,
    PolicyQuestion,
)
from knowledge.catalogue import document, documents
from knowledge.confirmed import Confirmed, confirmed
from knowledge.feedback import feedback_choices
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details
from knowledge.gaps import listed
from knowledge.port import Ranked
from knowledge.service import KnowledgeService, Question
from tests.fakes.language_model import QueuedModel
from tests.fakes.retriever import WordRetriever
from tests.support.company import LEAVE, Library, make_library, plant_people


@pytest.fixture
async def library(store: Store, clock: MovableClock, tmp_path: Path) -> Library:
    return await make_library(store, clock, tmp_path)


async def add(library: Library, *places: Path, given: Details | None = None) -> list[tuple[str, str | None]]:
    filing = library.service.filing
    return [(o.status, o.reason) async for o in filing.add([str(place) for place in places], given)]


async def say(
    library: Library, person: int, text: str | None = None, choice: str | None = None, **named: object
):
    turn = library.turn(person, text, choice, **named)
    prepared = await library.turns.prepare(turn)
    async with library.store.write() as tx:
        return await library.turns.apply(tx, turn, prepared)


async def told(library: Library, person: int) -> list[str]:
    """What was written to a person unasked, oldest first."""
    async with library.store.read() as session:
        found = await session.exec(
            select(OutboxMessage).where(OutboxMessage.person_id == person).order_by(col(OutboxMessage.id))
        )
        return [row.message["text"] for row in found]


def pick(message: Message, label: str) -> str:
    return next(choice.id for choice in message.choices if choice.label == label)


# ── In ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_bytes_are_no_new_version_and_are_not_embedded_again(library: Library) -> None:
    before = library.retriever.prepared
    assert await add(library, library.folder / "leave.md") == [("unchanged", None)]
    assert library.retriever.prepared == before
    (library.folder / "leave.md").write_text(LEAVE.replace("30 days", "31 days"))
    assert await add(library, library.folder / "leave.md") == [("new version", None)]
    answer = await library.service.ask(library.people.fay, "How many days of annual leave?")
    assert "31 days" in answer.text
    assert "30 days" not in answer.text
    assert answer.citations[0].version == 2
    async with library.store.read() as session:
        versions = (await session.exec(select(DocumentVersion).order_by(col(DocumentVersion.id)))).all()
        assert [(v.document_id, v.number, v.current) for v in versions if v.document_id == 1] == [
            (1, 1, False),
            (1, 2, True),
        ]


async def test_what_can_not_be_read_leaves_the_rest_in(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.md").write_text("# Bikes\n\nBikes are stored in the yard.\n")
    (folder / "b.md").write_bytes(b"\x00\x01\x02")
    (folder / "sub" / "c.txt").write_text("Parking costs 3 euros a day.\n")
    (folder / ".hidden.md").write_text("# No\n\nNo.\n")
    (folder / "d.md").write_text("---\naudience: [nowhere]\n---\nText.\n")
    with zipfile.ZipFile(folder / "e.zip", "w") as archive:
        archive.writestr("in/lift-checks.txt", "Lifts are checked twice a year.\n")
        archive.writestr("g.exe", "no")
    assert await add(library, folder) == [
        ("added", None),
        ("refused", "is neither text nor a PDF, Word, Excel or HTML file"),
        (
            "refused",
            "can't be filed. There is no department 'nowhere'. Known departments: finance, hr.",
        ),
        ("added", None),
        ("added", None),
    ]
    assert [status for status, _ in await add(library, folder)].count("unchanged") == 3
    (hit, *_) = await library.service.search(library.people.hanna, "How often are lifts checked?")
    assert hit.document == "Lift checks"


async def test_what_is_given_is_checked_before_anything_is_stored(library: Library) -> None:
    for given in (Details(owner="no@example.com"), Details(audience=("mars",)), Details(supersedes="77")):
        with pytest.raises((InputError, NotFound)):
            await add(library, library.folder / "leave.md", given=given)


async def test_particulars_change_without_a_new_version(library: Library) -> None:
    given = Details(audience=("role:Internal Auditor",), review_by=date(2027, 1, 1))
    assert await add(library, library.folder / "leave.md", given=given) == [("changed", None)]
    assert await library.service.search(library.people.hanna, "annual leave") == []
    assert (await library.service.search(library.people.fay, "annual leave"))[0].version == 1


async def test_removal_takes_everything_along_and_a_document_can_come_back(library: Library) -> None:
    await library.service.ask(library.people.fay, "How many days of annual leave?")
    assert await library.service.filing.remove(1) == "Leave"
    async with library.store.read() as session:
        assert (await session.exec(select(CachedAnswer))).all() == []
        for table in (Passage, DocumentVersion):
            assert (await session.exec(select(table).where(table.document_id == 1))).all() == []
        assert len((await session.exec(select(PassageVector))).all()) == 1
    answer = await library.service.ask(library.people.fay, "How many days of annual leave?")
    assert answer.band is not Band.ANSWER
    with pytest.raises(NotFound):
        await library.service.filing.remove(1)
    assert await add(library, library.folder / "leave.md") == [("added", None)]
    assert (
        await library.service.ask(library.people.fay, "How many days of annual leave?")
    ).band is Band.ANSWER


async def test_a_superseded_document_never_answers_even_when_it_comes_second(library: Library) -> None:
    folder = library.folder / "new"
    folder.mkdir()
    (folder / "a.md").write_text("---\nid: bikes-2\nsupersedes: bikes-1\n---\nBikes cost 2 euros.\n")
    (folder / "b.md").write_text("---\nid: bikes-1\n---\n# Bikes\n\nBikes cost 9 euros.\n")
    await add(library, folder)
    found = await library.service.search(library.people.fay, "What do bikes cost?")
    assert [source.text for source in found] == ["Bikes cost 2 euros."]


async def test_a_document_holds_until_what_supersedes_it_is_in_force(library: Library) -> None:
    older = await library.put("old.md", "---\nid: bikes-1\n---\n# Bikes\n\nBikes cost 9 euros.\n")
    newer = (
        "---\nid: bikes-2\nsupersedes: bikes-1\neffective: 2027-01-01\n---\n# Bikes\n\nBikes cost 2 euros.\n"
    )
    await library.put("new.md", newer)
    hits = await library.service.search(library.people.fay, "What do bikes cost?")
    assert {source.text.splitlines()[-1] for source in hits} == {"Bikes cost 9 euros.", "Bikes cost 2 euros."}
    library.clock.move_to(datetime(2027, 1, 1, 9, tzinfo=UTC))  # type: ignore[attr-defined]
    hits = await library.service.search(library.people.fay, "What do bikes cost?")
    assert older not in {source.document_id for source in hits}


async def test_a_file_that_is_there_already_and_a_version_that_comes_too_early_are_told(
    library: Library,
) -> None:
    given, folder = Details(), library.folder
    (folder / "bikes.md").write_text("# Bikes\n\nBikes cost 2 euros.\n")
    (folder / "copy.md").write_text("# Bikes\n\nBikes cost 2 euros.\n")
    places = [str(folder / "bikes.md"), str(folder / "copy.md")]
    first, copy = [outcome async for outcome in library.service.filing.add(places, given)]
    assert first.findings == ()
    assert [found.told for found in copy.findings] == [
        f"the same file as document {first.document_id}, Bikes"
    ]
    (folder / "bikes.md").write_text("# Bikes\n\nBikes cost 3 euros.\n")
    early = Details(effective=date(2027, 1, 1))
    (again,) = [outcome async for outcome in library.service.filing.add(places[:1], early)]
    assert again.findings[0].told.startswith("in force only from 2027-01-01")


async def test_a_version_answers_until_the_next_one_is_in_force(library: Library) -> None:
    clock, file = library.clock, library.folder / "bikes.md"
    other = KnowledgeService(library.store, clock, WordRetriever(), Fetcher())

    async def add(text: str, effective: str) -> None:
        file.write_text(f"---\nid: bikes\neffective: {effective}\n---\n# Bikes\n\n{text}\n")
        (outcome,) = [each async for each in library.service.filing.add([str(file)])]
        assert outcome.status in ("added", "new version", "changed"), outcome

    async def answers(service: KnowledgeService) -> str:
        return (await service.ask(library.people.fay, "What do bikes cost?")).text

    await add("Bikes cost 2 euros.", "2026-01-01")
    await add("Bikes cost 3 euros.", "2027-01-01")
    await add("Bikes cost 4 euros.", "2027-03-01")
    assert "> Bikes cost 2 euros." in await answers(library.service)
    assert "a new version takes its place on 1 January 2027" in await answers(other)
    async with library.store.read() as session:
        (listed,) = [d for d in await documents(session, clock().date()) if d["title"] == "Bikes"]
        shown = await document(session, listed["id"], clock().date())
    assert (listed["version"], listed["passages"], shown["passages"][0]["text"]) == (
        *(1, 1, "Bikes cost 2 euros."),
    )
    clock.move_to(datetime(2027, 1, 1, 12, tzinfo=UTC))  # type: ignore[attr-defined]
    assert "> Bikes cost 3 euros." in await answers(other)
    assert "> Bikes cost 3 euros." in await answers(library.service)
    await add("Bikes cost 5 euros.", "2027-01-01")
    clock.move_to(datetime(2027, 4, 1, 12, tzinfo=UTC))  # type: ignore[attr-defined]
    assert "> Bikes cost 5 euros." in await answers(library.service), "what came later stays"
    async with library.store.read() as session:
        assert len(set(await session.exec(select(Passage.version_id)))) == len(
            await documents(session, clock().date())
        ), "no passages of old versions are left"


async def test_a_version_that_waits_keeps_its_title_for_its_day(library: Library) -> None:
    clock, fay = library.clock, library.people.fay
    await library.put("bikes.md", "---\nid: bikes\n---\n# Bikes\n\nBikes cost 2 euros.\n")
    waiting = (
        "---\nid: bikes\ntitle: Scooters\neffective: 2027-01-01\n---\n# Scooters\n\nThey cost 3 euros.\n"
    )
    await library.put("bikes.md", waiting)

    async def found(words: str) -> list[str]:
        return [source.document for source in await library.service.search(fay, words, 1)]

    assert await found("bikes") == ["Bikes"]
    assert "Scooters" not in [source.document for source in await library.service.search(fay, "scooters")]
    await library.put("bikes.md", waiting, given=Details(title="Electric scooters"))
    assert await found("bikes") == ["Bikes"], "particulars of the version that waits wait as well"
    clock.move_to(datetime(2027, 1, 1, 12, tzinfo=UTC))  # type: ignore[attr-defined]
    assert await found("scooters") == ["Electric scooters"]


async def test_going_back_to_the_present_text_takes_the_place_of_a_version_that_waits(
    library: Library,
) -> None:
    clock, fay = library.clock, library.people.fay
    first = "---\nid: bikes\n---\n# Bikes\n\nBikes cost 2 euros.\n"
    await library.put("bikes.md", first)
    await library.put(
        "bikes.md", first.replace("id: bikes", "id: bikes\neffective: 2027-01-01") + "And more.\n"
    )
    await library.put("bikes.md", first)
    for _ in range(2):
        assert "> Bikes cost 2 euros." in (await library.service.ask(fay, "What do bikes cost?")).text
        clock.move_to(datetime(2027, 4, 1, 12, tzinfo=UTC))  # type: ignore[attr-defined]


async def test_two_processes_that_file_the_same_document_file_it_once(library: Library) -> None:
    other = KnowledgeService(library.store, library.clock, WordRetriever(), Fetcher())
    file = library.folder / "bikes.md"
    file.write_text("# Bikes\n\nBikes cost 2 euros.\n")

    async def put(service: KnowledgeService) -> str:
        (status,) = [outcome.status async for outcome in service.filing.add([str(file)])]
        return status

    statuses = await asyncio.gather(put(library.service), put(other))
    assert sorted(statuses) == ["added", "unchanged"]
    assert len(await library.service.search(library.people.fay, "bikes")) == 1


async def test_vectors_of_another_model_are_made_anew_and_kept(library: Library) -> None:
    other = WordRetriever()
    other.model = "letters"
    service = KnowledgeService(library.store, library.clock, other, Fetcher())
    assert (await service.ask(library.people.fay, "How many days of annual leave?")).band is Band.ANSWER
    async with library.store.read() as session:
        found = await session.exec(select(PassageVector.model))
        assert sorted(found) == ["letters"] * 3 + ["words"] * 3


async def test_another_process_follows_with_its_next_question(library: Library) -> None:
    other = KnowledgeService(library.store, library.clock, WordRetriever(), Fetcher())
    await other.index.refresh()
    await library.put("bikes.md", "# Bikes\n\nBikes cost 2 euros.\n")
    assert (await other.ask(library.people.fay, "What do bikes cost?")).band is Band.ANSWER
    await library.service.filing.remove(3)
    assert (await other.ask(library.people.fay, "What do bikes cost?")).band is Band.SILENT


# ── Who may read ────────────────────────────────────────────────────────────────────────────────────────


async def test_only_the_audience_finds_a_document(library: Library) -> None:
    question = "salary band of a junior clerk"
    people = library.people
    assert (await library.service.ask(people.hanna, question)).band is Band.ANSWER
    assert (await library.service.ask(people.olga, question)).band is Band.ANSWER, "its owner reads it"
    for person in (people.fay, people.guest):
        answer = await library.service.ask(person, question)
        assert "41,000" not in answer.text
        assert answer.citations == ()
    assert "41,000" not in (await library.service.ask(people.hanna, question, public=True)).text
    assert await library.service.search(people.guest, "leave") == []


async def test_in_a_channel_the_rest_goes_by_direct_message(library: Library) -> None:
    question = "What is the salary band of a junior clerk?"
    shown = await say(library, library.people.hanna, question, public=True, conversation="slack:C1")
    assert [message.text for message in shown] == ["I have sent you the answer in a direct message."]
    assert "41,000" in (await told(library, library.people.hanna))[0]
    shown = await say(library, library.people.fay, question, public=True, conversation="slack:C1")
    assert "direct message" not in shown[0].text
    assert await told(library, library.people.fay) == []


async def test_a_document_that_is_closed_during_a_search_is_not_shown(library: Library) -> None:
    await library.service.index.refresh()
    loop, search = asyncio.get_running_loop(), library.retriever.search

    def closing(*words: Any) -> Ranked:
        found = search(*words)
        close = add(library, library.folder / "leave.md", given=Details(audience=("hr",)))
        asyncio.run_coroutine_threadsafe(close, loop).result()
        return found

    library.retriever.search = closing  # type: ignore[method-assign]
    answer = await library.service.ask(library.people.fay, "How many days of annual leave?")
    assert (answer.band, answer.citations) == (Band.SILENT, ())


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_quotes_and_says_where_from(library: Library) -> None:
    (message,) = await say(library, library.people.fay, "How many days of annual leave do we have?")
    assert message.text == (
        "**Leave**, Annual leave\n"
        "> Everybody has 30 days of annual leave a year. Ask your lead at least 14 days before.\n\n"
        "_Word for word from version 2, owner Olga Brandt, in force since 15 January 2026, "
        "last reviewed 2 May 2026._"
    )
    (citation,) = message.citations
    assert citation.quote == (
        "Everybody has 30 days of annual leave a year. Ask your lead at least 14 days before."
    )
    assert (citation.owner, citation.effective, citation.reviewed) == (
        "Olga Brandt",
        "2026-01-15",
        "2026-05-02",
    )
    assert message.answer_id
    assert message.choices == ()
    assert not message.written_by_model


async def test_a_cached_answer_is_the_same_and_searches_no_more(library: Library) -> None:
    first = await library.service.ask(library.people.fay, "How many days of annual leave?")
    searches = len(library.retriever.asked)
    again = await library.service.ask(library.people.fay, "how many  days of annual leave")
    assert (again.text, again.citations) == (first.text, first.citations)
    assert len(library.retriever.asked) == searches
    await library.service.ask(library.people.olga, "How many days of annual leave?")
    await library.service.ask(library.people.hanna, "How many days of annual leave?")
    assert len(library.retriever.asked) == searches + 1, "another audience, which both have"
    library.clock.move_to(library.clock() + timedelta(days=1))  # type: ignore[attr-defined]
    await library.service.ask(library.people.fay, "How many days of annual leave?")
    assert len(library.retriever.asked) == searches + 2, "dates are told by the day"


async def test_a_short_new_question_is_not_blurred_by_the_one_before(library: Library) -> None:
    await library.put("parking.md", "# Parking\n\nParking is free.\n")
    await say(library, library.people.fay, "How many days of annual leave do we have?")
    (parking,) = await say(library, library.people.fay, "Parking?")
    assert [citation.document for citation in parking.citations] == ["Parking"]
    await say(library, library.people.fay, "How many days of annual leave do we have?")
    await say(library, library.people.fay, "And is it paid in August?")
    assert library.retriever.asked[-1][2] == ("How many days of annual leave do we have?",), "it points back"


async def test_what_was_asked_before_does_not_answer_a_new_question(library: Library) -> None:
    await say(library, library.people.fay, "Annual leave days?")
    (message,) = await say(library, library.people.fay, "Sabbatical?")
    assert "may be silent" in message.text or "do not say" in message.text
    await say(library, library.people.fay, "Annual leave days?")
    (message,) = await say(library, library.people.fay, "May I take a sabbatical?")
    assert message.text.startswith("The policies do not say.")


async def test_two_questions_in_one_are_both_answered(library: Library) -> None:
    both = "How many days of annual leave do we have, and whom do I tell when I feel sick before 10:00?"
    (message,) = await say(library, library.people.fay, both)
    assert "**How many days of annual leave do we have?**" in message.text
    assert "> Everybody has 30 days" in message.text
    assert "**Whom do I tell when I feel sick before 10:00?**" in message.text
    assert "> Tell your lead before 10:00" in message.text
    assert len({citation.passage_id for citation in message.citations}) == 2
    (half,) = await say(library, library.people.fay, "How many days of annual leave? And may I bring dogs?")
    assert "> Everybody has 30 days" in half.text
    assert "The policies do not say." in half.text
    assert half.choices, "the open half may be passed on"


async def test_a_second_question_may_be_about_what_answers_the_first(library: Library) -> None:
    fay = library.people.fay
    (message,) = await say(
        library, fay, "How many days of annual leave do we have, and who owns that policy?"
    )
    assert "> Everybody has 30 days" in message.text
    assert message.text.endswith("**Who owns that policy?**\n\n**Leave** is owned by Olga Brandt.")
    (message,) = await say(library, fay, "How many days of annual leave are there a year and since when?")
    assert "**Since when?**\n\n**Leave**, version 2 has been in force since 15 January 2026." in message.text
    (silent,) = await say(library, fay, "Is there a choir of singing colleagues, and who owns that policy?")
    assert silent.text.startswith("The policies do not say.")
    assert "Who owns" not in silent.text


async def test_a_product_that_the_policies_do_not_name_is_said_not_to_be_named(library: Library) -> None:
    await library.put("tools.md", "# Tools\n\nOnly an AI tool on the list may be used for code.\n")
    question = "Which AI tool may be used for code, Copilot?"
    answer = await library.service.ask(library.people.fay, question)
    assert answer.text.startswith("_What I found does not name Copilot._\n\n**Tools**")
    await library.put("copilot.md", "# Copilot\n\nCopilot is an AI tool that may be used for code.\n")
    assert "does not name" not in (await library.service.ask(library.people.fay, question)).text


async def test_without_policies_it_says_that_there_are_none(store: Store, clock: MovableClock) -> None:
    service = KnowledgeService(store, clock, WordRetriever(), Fetcher())
    people = await plant_people(store)
    answer = await service.ask(people.fay, "How many days of annual leave?")
    assert (answer.band, answer.citations) == (Band.SILENT, ())
    assert answer.text.startswith("No policies have been added yet")


async def test_a_model_is_told_what_a_follow_up_leans_on(library: Library) -> None:
    model = QueuedModel([{"answered": False, "claims": []}] * 2)
    service = KnowledgeService(library.store, library.clock, library.retriever, Fetcher(), model)
    before = "How many days of annual leave do we have?"
    await service.answer(Question(library.people.fay, "And when I am sick, annual leave?", earlier=(before,)))
    assert f"Asked before: {before}\nQuestion: And when I am sick" in model.contents[0]
    await service.answer(
        Question(library.people.fay, "Whom do I tell of annual leave days?", earlier=(before,))
    )
    assert "Asked before" not in model.contents[1]


GERMAN = "Wie viele Tage annual leave haben wir?"


async def test_a_question_in_another_language_is_read_in_english_where_a_model_can(library: Library) -> None:
    claim = {"text": "Alle haben 30 Tage.", "passage": 1, "quote": "Everybody has 30 days of annual leave"}
    model = QueuedModel(
        [{"english": "How many days of annual leave do we have?"}, {"answered": True, "claims": [claim]}]
    )
    service = KnowledgeService(library.store, library.clock, library.retriever, Fetcher(), model)
    answer = await service.ask(library.people.fay, GERMAN)
    assert library.retriever.asked[-1][0] == "How many days of annual leave do we have?"
    assert answer.text.startswith("Alle haben 30 Tage.\n> Everybody has 30 days of annual leave")
    assert f"Question: {GERMAN}" in model.contents[1]
    assert (await service.ask(library.people.fay, GERMAN)).text == answer.text
    assert model.answers == []


async def test_a_follow_up_in_another_language_is_understood_in_its_thread(library: Library) -> None:
    nothing = {"answered": False, "claims": []}
    answers = [
        {"english": "How many days of annual leave do we have?"},
        nothing,
        {"english": "and in May?"},
        nothing,
    ]
    model = QueuedModel(answers)
    service = KnowledgeService(library.store, library.clock, library.retriever, Fetcher(), model)
    await service.ask(library.people.fay, GERMAN)
    follow_up = Question(library.people.fay, "und in Mai, annual leave?", earlier=(GERMAN,))
    await service.answer(follow_up)
    asked, _, earlier = library.retriever.asked[-1]
    assert (asked, earlier) == ("and in May?", ("How many days of annual leave do we have?",))


@pytest.mark.parametrize("with_one", [False, True])
async def test_a_question_that_was_not_understood_is_no_sure_answer(library: Library, with_one: bool) -> None:
    model = QueuedModel(["time-out", "time-out"]) if with_one else None
    service = KnowledgeService(library.store, library.clock, library.retriever, Fetcher(), model)
    answer = await service.ask(library.people.fay, "Wie das annual leave days?")
    assert answer.band is Band.CLOSEST
    assert answer.text.startswith("_Ich kann hier nur auf Englisch suchen")
    assert "> Everybody has 30 days" in answer.text
    async with library.store.read() as session:
        kept = len((await session.exec(select(CachedAnswer))).all())
    assert kept == (1 if model is None else 0), "it may be better next time"


async def test_a_policy_in_the_askers_language_needs_no_translation(library: Library) -> None:
    await library.put(
        "urlaub.md", "# Urlaub\n\nDie Tage Urlaub haben wir nicht vor dem ersten Mai, und das ist so.\n"
    )
    answer = await library.service.ask(library.people.fay, "Wie viele Tage Urlaub haben wir?")
    assert "> Die Tage Urlaub haben wir" in answer.text
    assert "Englisch" not in answer.text


async def test_requests_about_the_last_answer(library: Library) -> None:
    fay = library.people.fay
    await say(library, fay, "How many days of annual leave do we have?")
    (owner,) = await say(library, fay, "Who owns this?")
    assert owner.text == "**Leave** is owned by Olga Brandt."
    (since,) = await say(library, fay, "since when?")
    assert since.text == (
        "**Leave**, version 2 has been in force since 15 January 2026. It was last reviewed on 2 May 2026. "
        "Its next review is due on 2 May 2027."
    )
    (where,) = await say(library, fay, "Where does it say so?")
    assert "Ask your lead at least 14 days before." in where.text
    (shorter,) = await say(library, fay, "shorter, please")
    assert shorter.text == "> Everybody has 30 days of annual leave a year.\n\n_Leave_"
    (german,) = await say(library, fay, "in German")
    assert "no language model" in german.text
    (silent,) = await say(library, fay, "Who waters the plants?")
    assert silent.citations == ()
    (owner,) = await say(library, fay, "Who owns this?")
    assert owner.text.startswith("No policy answers that question"), "not the one before"
    await say(library, fay, "How many days of annual leave do we have?")
    await say(library, fay, "And when I am sick?")
    assert library.retriever.asked[-1][2] == ("How many days of annual leave do we have?",)


async def test_a_request_about_an_answer_shows_nothing_that_was_closed_meanwhile(library: Library) -> None:
    await say(library, library.people.fay, "How many days of annual leave do we have?")
    await add(library, library.folder / "leave.md", given=Details(audience=("hr",)))
    (where,) = await say(library, library.people.fay, "Where does it say so?")
    assert "30 days" not in where.text


async def test_good_marks_and_answers_beside_the_question_are_confirmed(library: Library) -> None:
    fay, question = library.people.fay, "How many days of annual leave do we have?"
    (answer,) = await say(library, fay, question)
    passage = answer.citations[0].passage_id
    up, down = feedback_choices(answer.answer_id or 0)

    async def known() -> list[Confirmed]:
        async with library.store.read() as session:
            return await confirmed(session)

    assert await known() == []
    await say(library, fay, choice=up.id)
    assert await known() == [Confirmed(question, passage, True)]
    (why,) = await say(library, fay, choice=down.id)
    assert await known() == []
    await say(library, fay, choice=pick(why, "It answers something else"))
    assert await known() == [Confirmed(question, passage, False)]
    await library.service.filing.remove(answer.citations[0].document_id)
    assert await known() == []


async def test_feedback_asks_why_once_and_belongs_to_the_asker(library: Library) -> None:
    fay = library.people.fay
    (answer,) = await say(library, fay, "How many days of annual leave do we have?")
    up, down = feedback_choices(answer.answer_id or 0)
    assert (await say(library, library.people.hanna, choice=down.id))[0].kind == "notice"
    (why,) = await say(library, fay, choice=down.id)
    assert len(why.choices) == 3
    await say(library, fay, choice=pick(why, "It is out of date"))
    assert (await say(library, fay, choice=down.id))[0].choices == ()
    async with library.store.read() as session:
        row = await session.get(PolicyQuestion, answer.answer_id)
        assert row is not None
        assert (row.mark, row.mark_reason) == (-1, "old")
    await say(library, fay, choice=up.id)
    async with library.store.read() as session:
        row = await session.get(PolicyQuestion, answer.answer_id)
        assert row is not None
        assert (row.mark, row.mark_reason) == (1, "")


# ── Silent ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_question_travels_to_its_owner_and_the_reply_becomes_knowledge(library: Library) -> None:
    fay, hanna, olga = library.people.fay, library.people.hanna, library.people.olga
    (first,) = await say(library, fay, "Can I carry annual leave into spring?")
    assert first.text.startswith(
        "The policies may be silent on this. The closest passage I found:\n\n**Leave**"
    )
    assert [choice.label for choice in first.choices] == ["Send to Olga Brandt", "Send without my name"]
    (sent,) = await say(library, fay, choice=pick(first, "Send without my name"))
    assert sent.text.startswith("Sent to Olga Brandt without your name.")
    (again,) = await say(library, fay, choice=pick(first, "Send to Olga Brandt"))
    assert again.text == "Olga Brandt has your question already. There is no answer yet."
    (second,) = await say(library, hanna, "Can we carry annual leave into the spring?")
    await say(library, hanna, choice=pick(second, "Send to Olga Brandt"))

    (asked,) = await told(library, olga)
    assert asked.startswith("Somebody asks something")
    assert "Fay" not in asked
    (queued,) = await say(library, olga, "my queue")
    assert queued.text.startswith("2 people ask")
    await say(library, olga, choice=pick(queued, "Answer"))
    (left,) = await say(library, olga, "never mind")
    assert left.text.startswith("It stays in your queue.")
    await say(library, olga, choice=pick(queued, "Answer"))
    (preview,) = await say(library, olga, "Yes: up to five days, until 31 March. See https://evil.example/x")
    assert "up to five days" in preview.text
    (published,) = await say(library, olga, choice=pick(preview, "Publish"))
    assert (
        published.text
        == "Published, and 2 people have been told. It answers from now on, until 18 November 2027."
    )
    for person in (fay, hanna):
        assert "Olga Brandt has answered:\n> Yes: up to five days" in (await told(library, person))[-1]

    (answer,) = await say(library, hanna, "May I carry annual leave into spring?")
    assert "> Yes: up to five days" in answer.text
    assert "(answered by Olga Brandt)" in answer.text
    assert "Can I carry annual leave into spring?" in answer.text
    assert "evil.example" not in answer.text
    (owner,) = await say(library, hanna, "who owns this?")
    assert owner.text == "It is an answer that Olga Brandt gave to a question."
    (since,) = await say(library, hanna, "since when?")
    assert since.text == (
        "It was answered by Olga Brandt on 18 November 2026. It holds until 18 November 2027."
    )
    (where,) = await say(library, hanna, "where does it say so?")
    assert where.text.startswith("It stands in the answer that Olga Brandt gave to a question:")
    (mine,) = await say(library, fay, "My questions?")
    assert "**answered** by Olga Brandt, 18 November 2026" in mine.text
    (late,) = await say(library, olga, choice=pick(queued, "Decline"))
    assert late.kind == "notice"

    async with library.store.read() as session:
        asked_first, asked_next = (
            "Can I carry annual leave into spring?",
            "Can we carry annual leave into the spring?",
        )
        entry, nearest = answer.citations[0].passage_id, first.citations[0].passage_id
        assert {(each.question, each.passage_id, each.answers) for each in await confirmed(session)} == {
            (text, passage, passage == entry)
            for text in (asked_first, asked_next)
            for passage in (entry, nearest)
        }

    library.clock.move_to(library.clock() + timedelta(days=366))  # type: ignore[attr-defined]
    (expired,) = await say(library, hanna, "May I carry annual leave into spring?")
    assert "five days" not in expired.text


async def test_an_owner_sees_how_the_policies_are_used_and_nobody_by_name(library: Library) -> None:
    fay, hanna, olga = library.people.fay, library.people.hanna, library.people.olga
    for person in (fay, hanna):
        await say(library, person, "How many days of annual leave do we have?")
        (silent,) = await say(library, person, "Can I carry annual leave into spring?")
        assert silent.choices
    (answer,) = await say(library, fay, "Who needs a doctor's note after four days of sick leave?")
    await say(library, fay, choice=feedback_choices(answer.answer_id or 0)[1].id)
    library.clock.move_to(library.clock() + timedelta(days=80))  # type: ignore[attr-defined]
    (used,) = await say(library, olga, "My policies")
    assert used.table is not None
    assert used.table.rows == (("Leave", "3", "1", "in time"), ("Salary bands", "0", "0", "in time"))
    assert "Asked most:\n- How many days of annual leave do we have? (2)" in used.text
    assert "Never answered:\n- Can I carry annual leave into spring? (2)" in used.text
    assert "doctor" not in used.text, "one person's words"
    assert "Fay" not in used.text + str(used.table)
    (none,) = await say(library, fay, "my policies")
    assert none.text == "You own no policy yet."


async def test_those_who_lead_see_how_all_policies_serve(library: Library) -> None:
    people, question = library.people, "How many days of annual leave do we have?"
    async with library.store.write() as tx:
        tx.add(Duty(person_id=people.fay, duty=DutyName.EXECUTIVE))
        askers = [Person(email=f"p{n}@example.com", name=f"P {n}") for n in range(5)]
        tx.add_all(askers)
    await library.put("lamps.md", "# Lamps\n\nLamps are switched off at ten o'clock.\n")
    for number, asker in enumerate(askers):
        if number == 4:
            (before,) = await say(library, people.fay, "What is asked most?")
            assert "annual leave" not in before.text, "four people's words"
        await say(library, asker.id or 0, question)
    await say(library, people.hanna, "What is the salary band of a junior clerk?")
    (asked,) = await say(library, people.fay, "what do people ask most?")
    assert f"**Asked most**\n- {question} (5 times)" in asked.text
    (unowned,) = await say(library, people.fay, "Which policies have no owner?")
    assert "- Lamps (no answer rests on it)" in unowned.text
    library.clock.move_to(library.clock() + timedelta(days=80))  # type: ignore[attr-defined]
    (rest,) = await say(library, people.fay, "what do answers rest on")
    assert rest.table is not None
    assert rest.table.rows == (("Leave", "Annual leave", "5"),)
    library.clock.move_to(library.clock() + timedelta(days=100))  # type: ignore[attr-defined]
    (stale,) = await say(library, people.fay, "which policies are stale?")
    assert "- Leave (no answer rests on it)" in stale.text
    (whole,) = await say(library, people.fay, "how are the policies used?")
    said = " ".join(message.text + str(message.table) for message in (asked, unowned, rest, stale, whole))
    assert "Salary" not in said, "what she may not read"
    assert "P 1" not in said
    (own,) = await say(library, people.olga, "which policies are stale?")
    assert own.text.startswith("Your policies over the last 90 days.")
    (nobody,) = await say(library, people.hanna, "which policies are stale?")
    assert nobody.kind == "answer", "an employee's words are a question to the policies"


async def test_declining_tells_the_asker_why(library: Library) -> None:
    (first,) = await say(library, library.people.fay, "Who waters the plants?")
    assert first.text.startswith("The policies do not say.")
    await say(library, library.people.fay, choice=pick(first, "Send to Olga Brandt"))
    (queued,) = await say(library, library.people.olga, "open questions")
    assert queued.text.startswith("Fay Adler asks")
    (reasons,) = await say(library, library.people.olga, choice=pick(queued, "Decline"))
    await say(library, library.people.olga, choice=pick(reasons, "Not a matter for a policy"))
    (news,) = await told(library, library.people.fay)
    assert "this is not something that a policy settles" in news
    async with library.store.read() as session:
        assert [gap["status"] for gap in await listed(session)] == ["declined"]


async def test_nobody_answers_in_anothers_name(library: Library) -> None:
    (first,) = await say(library, library.people.fay, "Who waters the plants?")
    assert (await say(library, library.people.hanna, choice=pick(first, "Send to Olga Brandt")))[
        0
    ].kind == "notice"
    await say(library, library.people.fay, choice=pick(first, "Send to Olga Brandt"))
    (queued,) = await say(library, library.people.olga, "my queue")
    (refused,) = await say(library, library.people.hanna, choice=pick(queued, "Answer"))
    assert refused.text == "This question is in somebody else's queue."
    async with library.store.read() as session:
        assert len((await session.exec(select(Document))).all()) == 2


# ── In a thread ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_chain_of_follow_ups_leans_on_what_began_it(library: Library) -> None:
    fay, began = library.people.fay, "How many days of annual leave do we have?"
    await say(library, fay, began)
    for text in ("And in Portugal?", "what about part-timers?", "why not in May?"):
        await say(library, fay, text)
        leant = [earlier for asked, _, earlier in library.retriever.asked if asked == text]
        assert leant[0] == (began,)
    await say(library, fay, "Whom do I tell when I feel sick?")
    assert library.retriever.asked[-1][2] == (), "it stands by itself"
    await say(library, fay, "and a note?")
    assert next(earlier for asked, _, earlier in library.retriever.asked if asked == "and a note?") == (
        "Whom do I tell when I feel sick?",
    )


async def test_more_reasons_and_doubts_are_about_the_last_answer(library: Library) -> None:
    fay = library.people.fay
    await say(library, fay, "How many days of annual leave do we have?")
    (more,) = await say(library, fay, "what do you mean?")
    assert more.text.startswith("It stands in **Leave**, Annual leave. The whole passage:")
    (where,) = await say(library, fay, "where does it say so?")
    assert where.text.startswith("It stands in **Leave**, Annual leave:\n\n> Everybody has 30 days")
    (why,) = await say(library, fay, "why?")
    assert why.text.endswith("I don't guess at reasons. Olga Brandt, who owns it, can tell you more.")
    (sure,) = await say(library, fay, "Are you sure?")
    assert "word for word" in sure.text
    assert "owned by Olga Brandt" in sure.text


async def test_where_no_policy_answers_there_is_none_to_name(library: Library) -> None:
    """Not the one that answered the question before."""
    fay = library.people.fay
    await say(library, fay, "How many days of annual leave do we have?")
    await say(library, fay, "Is there a choir of singing colleagues?")
    for request in ("who owns this?", "why?", "where does it say so?"):
        (reply,) = await say(library, fay, request)
        assert reply.text == (
            "No policy answers that question, so there is none to name. "
            "Say “yes”, and I pass it on to Olga Brandt."
        )
    (sent,) = await say(library, fay, "yes")
    assert sent.text.startswith("Sent to Olga Brandt")


async def test_a_wrong_answer_is_marked_by_saying_so(library: Library) -> None:
    fay = library.people.fay
    (answer,) = await say(library, fay, "How many days of annual leave do we have?")
    (why,) = await say(library, fay, "that's not what I asked")
    assert why.text == "Sorry about that. What was the trouble?"
    await say(library, fay, choice=pick(why, "It answers something else"))
    async with library.store.read() as session:
        question = await session.get_one(PolicyQuestion, answer.answer_id)
        assert (question.mark, question.mark_reason) == (-1, "other")


async def test_an_offer_is_taken_up_in_words(library: Library) -> None:
    fay, olga = library.people.fay, library.people.olga
    (noted,) = await say(library, fay, "ok")
    assert noted.text == "I'm here when you have a question."
    await say(library, fay, "May I bring my dog?")
    (left,) = await say(library, fay, "no thanks")
    assert left.text == "All right, it goes to nobody."
    assert await told(library, olga) == []
    await say(library, fay, "May I bring my cat along?")
    (sent,) = await say(library, fay, "yes, but without my name")
    assert sent.text.startswith("Sent to Olga Brandt without your name.")
    assert "Somebody asks" in (await told(library, olga))[0]
    await say(library, fay, "How many days of annual leave do we have?")
    (noted,) = await say(library, fay, "yes")
    assert noted.text == "I'm here when you have a question.", "nothing was offered"


async def test_the_coach_tells_of_itself_and_of_the_documents(library: Library) -> None:
    fay, hanna = library.people.fay, library.people.hanna
    (itself,) = await say(library, fay, "What are you?")
    assert "a program and not a person" in itself.text
    (owner,) = await say(library, fay, "Who owns the leave policy?")
    assert owner.text == "**Leave** is owned by Olga Brandt."
    (listed_,) = await say(library, fay, "Which policies are there?")
    assert listed_.text == "You may ask me about these:\n- Leave"
    await library.put("leaving.md", "---\nowner: hanna@example.com\n---\n# Leaving us\n\nBring your badge.\n")
    (owner,) = await say(library, fay, "Who owns the leave policy?")
    assert owner.text == "**Leave** is owned by Olga Brandt.", "the word itself goes before its stem"
    await library.service.filing.remove(3)
    (listed_,) = await say(library, hanna, "Which policies are there?")
    assert listed_.text == "You may ask me about these:\n- Leave\n- Salary bands"
    (hidden,) = await say(library, fay, "Who owns the salary bands policy?")
    assert "Olga" not in hidden.text.split("Shall I")[0]
    (unknown,) = await say(library, fay, "is there a dog policy?")
    assert unknown.text.startswith("The policies do not say.")


async def test_an_empty_library_says_whom_to_ask_and_how_to_add(
    store: Store, clock: MovableClock, tmp_path: Path
) -> None:
    library = await make_library(store, clock, tmp_path)
    for number in (1, 2):
        await library.service.filing.remove(number)
    async with store.write() as tx:
        tx.add(Duty(person_id=library.people.hanna, duty=DutyName.ADMIN))
    (employee,) = await say(library, library.people.fay, "How many days of annual leave?")
    assert employee.text.startswith("No policies have been added yet")
    assert "Shall I pass your question on to Olga Brandt?" in employee.text
    (admin,) = await say(library, library.people.hanna, "How many days of annual leave?")
    assert "`stagecoach kb add FOLDER`" in admin.text
    assert admin.choices == ()


async def test_somebody_in_trouble_is_pointed_to_people(library: Library) -> None:
    (message,) = await say(library, library.people.fay, "My boss bullies me")
    assert message.text.startswith("I'm sorry, that sounds hard.")
    assert message.choices == (), "it goes to no owner of some policy"
    await say(library, library.people.fay, "yes")
    assert await told(library, library.people.olga) == []
