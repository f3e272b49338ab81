"""Short words that more than one part of the product knows go to the one that a person means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import select

from bot.config import Settings, for_demo
from bot.organisation.importing import import_organisation
from bot.organisation.parse import parse_organisation
from bot.store.engine import Store
from bot.store.tables import Answer, DialogueSession, Person, SessionStatus
from handlers.app import put_together
from handlers.commands.chat import Terminal
from tests.conftest import NOW

COMPANY = """\
departments:
  - id: finance
    name: Finance
    template: finance
    roles: [{id: clerk, name: Clerk, headcount: 8}]
    leads: [lea@larkfield.example]
people:
  - {email: lea@larkfield.example, name: Lea Sommer, department: finance}
"""


class Lead:
    """A lead in the middle of a first sitting."""

    def __init__(self, store: Store, terminal: Terminal) -> None:
        self.store, self.terminal = store, terminal

    async def says(self, words: str) -> str:
        """What comes back, as one text."""
        said = await self.terminal.answer(json.dumps({"say": words}))
        return "\n".join(message["text"] for message in said)

    async def stored(self, table: type[Any]) -> list[Any]:
        """All rows of a table."""
        async with self.store.read() as tx:
            return list(await tx.exec(select(table)))


@pytest.fixture
async def lead(sqlite_store: Store, tmp_path: Any) -> Lead:
    draft = parse_organisation(COMPANY, "company.yaml", frozenset({"finance"}))
    await import_organisation(sqlite_store, draft, NOW, {})
    settings = for_demo(Settings(_env_file=None, STAGECOACH_HOME=tmp_path))  # type: ignore[call-arg]
    app = put_together(settings, sqlite_store, lambda: NOW)
    found = Lead(sqlite_store, await Terminal.of(app, "lea@larkfield.example"))
    await found.says("audit")
    assert "Question 1 of 4" in await found.says("start")
    return found


async def test_pause_and_resume_are_about_the_open_sitting(lead: Lead) -> None:
    assert "Everything is where you left it" in await lead.says("pause")
    assert "Question 1 of 4" in await lead.says("resume")
    (person,) = await lead.stored(Person)
    assert person.paused_until is None


@pytest.mark.parametrize("words", ["Hello", "good morning!", "hi 👋"])
async def test_a_greeting_in_the_middle_shows_the_question_that_waits(lead: Lead, words: str) -> None:
    said = await lead.says(words)
    assert said.startswith("Hello!")
    assert "Question 1 of 4" in said
    await lead.says("pause")
    said = await lead.says(words)
    assert "I'm Stagecoach" in said
    assert "wait where you left them" in said
    assert "Question 1 of 4" in await lead.says("go on")
    assert await lead.stored(Answer) == []


async def test_without_a_question_that_waits_pause_stops_all_messages(lead: Lead) -> None:
    await lead.says("pause")
    assert "nothing comes from me unasked" in await lead.says("pause")
    assert "Good to have you back" in await lead.says("resume")
    assert "Question 1 of 4" in await lead.says("resume")


async def test_who_wants_no_more_questions_is_heard_twice(lead: Lead) -> None:
    assert "I stop here" in await lead.says("Stop asking me!")
    (person,) = await lead.stored(Person)
    assert person.paused_until is None
    assert "nothing comes from me unasked" in await lead.says("don't ask me again")
    (person,) = await lead.stored(Person)
    assert person.paused_until is not None


async def test_pausing_all_messages_is_never_taken_for_an_answer(lead: Lead) -> None:
    assert "nothing comes from me unasked" in await lead.says("pause all messages")
    (person,) = await lead.stored(Person)
    assert person.paused_until is not None


@pytest.mark.parametrize("words", ["coverage", "audit", "thanks!", "Thank you", "continue the audit"])
async def test_words_that_open_a_part_are_no_answer(lead: Lead, words: str) -> None:
    said = await lead.says(words)
    assert "closest to how it is" not in said
    assert "closer to how it is" not in said
    assert "policies do not say" not in said
    assert await lead.stored(Answer) == []
    assert SessionStatus.OPEN in {row.status for row in await lead.stored(DialogueSession)}
    assert "to how it is today?" in await lead.says("Last week two of eight clerks matched 40 invoices.")


@pytest.mark.parametrize(
    "words", ["What do you store about me?", "delete my answers", "Export my data", "Lösche meine Daten"]
)
async def test_whoever_asks_hears_what_is_kept_and_who_can_end_it(lead: Lead, words: str) -> None:
    await lead.says("Two of our eight clerks used it last week.")
    amid = await lead.says(words)
    assert "an administrator can hand to you or erase" in amid
    assert "to how it is today?" in amid
    await lead.says("B")
    await lead.says("pause")
    said = await lead.says(words)
    assert "lea@larkfield.example" in said
    assert "1 answer to the audit" in said
    assert "to have it erased, ask your administrator" in said
