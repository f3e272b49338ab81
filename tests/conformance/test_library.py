"""The policy library on both databases: who finds what, and how it is answered."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.tables import (
    Band,
    CachedAnswer,
    PolicyQuestion,
)
from knowledge.confirmed import Confirmed, confirmed
from knowledge.feedback import feedback_choices
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details
from knowledge.port import Ranked
from knowledge.service import KnowledgeService, Question
from tests.fakes.language_model import QueuedModel
from tests.fakes.retriever import WordRetriever
from tests.support.company import Library, add, make_library, pick, plant_people, say, told


@pytest.fixture
async def library(store: Store, clock: MovableClock, tmp_path: Path) -> Library:
    return await make_library(store, clock, tmp_path)


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
