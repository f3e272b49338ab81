"""What is said after an answer, and about the library itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.tables import (
    Duty,
    DutyName,
    PolicyQuestion,
)
from tests.support.company import Library, make_library, pick, say, told


@pytest.fixture
async def library(store: Store, clock: MovableClock, tmp_path: Path) -> Library:
    return await make_library(store, clock, tmp_path)


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
