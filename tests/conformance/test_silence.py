"""What happens where the policies are silent, and how their use is seen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.tables import (
    Document,
    Duty,
    DutyName,
    Person,
)
from knowledge.confirmed import confirmed
from knowledge.feedback import feedback_choices
from knowledge.gaps import listed
from tests.support.company import Library, make_library, pick, say, told


@pytest.fixture
async def library(store: Store, clock: MovableClock, tmp_path: Path) -> Library:
    return await make_library(store, clock, tmp_path)


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
    (anew,) = await say(library, fay, "can I carry annual leave into the spring")
    assert anew.text.endswith("Olga Brandt has your question since 18 November 2026. You will hear from me.")
    assert anew.choices == ()
    (yes,) = await say(library, fay, "yes please")
    assert yes.text == "Olga Brandt has your question already. There is no answer yet."
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
