"""What is said around an answer is told from new questions."""

from __future__ import annotations

import pytest

from knowledge import named
from knowledge.about import asked_about
from knowledge.followups import is_noted, recognise
from knowledge.parts import parts_of
from knowledge.troubled import is_troubled


@pytest.mark.parametrize(
    ("text", "offered", "request_"),
    [
        ("Tell me more", False, "more"),
        ("What does that mean?", False, "more"),
        ("I don't understand", False, "more"),
        ("What does a legal hold mean?", False, None),
        ("Why?", False, "why"),
        ("why is that so", False, "why"),
        ("Why are prompts logged?", False, None),
        ("are you sure?", False, "sure"),
        ("is that true", False, "sure"),
        ("what's the source", False, "where"),
        ("that's not what I asked", False, "wrong"),
        ("You are useless!", False, "wrong"),
        ("this doesn't help", False, "wrong"),
        ("what is wrong with private accounts?", False, None),
        ("link?", False, "where"),
        ("translate to French", False, "language"),
        ("auf Deutsch bitte", False, "language"),
        ("translate contracts to French", False, None),
        ("summarise", False, "shorter"),
        ("Who is responsible for backups?", False, None),
        ("who is responsible for this policy?", False, "owner"),
        ("whom can I ask about parking?", False, None),
        ("how old are laptops when they are replaced?", False, None),
        ("when is it reviewed next?", False, "since"),
        ("yes please", True, "send"),
        ("yes please", False, None),
        ("send it", True, "send"),
        ("ok, send it", True, "send"),
        ("yes please ask them", True, "send"),
        ("Sure, go ahead", True, "send"),
        ("can you ask Saoirse Quill please", True, "send"),
        ("please pass my question on to her, thanks", True, "send"),
        ("Can you ask for leave?", True, None),
        ("ok", True, None),
        ("yes, but without my name", True, "send-anonymous"),
        ("anonymously please", True, "send-anonymous"),
        ("no thanks", True, "leave"),
        ("no", False, None),
    ],
)
def test_short_requests_are_told_from_new_questions(text: str, offered: bool, request_: str | None) -> None:
    found = recognise(text, offered)
    assert (found[0] if found else None) == request_


@pytest.mark.parametrize("text", ["ok", "Got it!", "😀", "...", "never mind", "cool then"])
def test_what_asks_for_nothing_is_no_question(text: str) -> None:
    assert is_noted(text)
    assert not is_noted("ok so how many days of leave")


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("what are you?", "itself"),
        ("Are you a real person or a bot?", "itself"),
        ("who made you", "itself"),
        ("do you store what I ask?", "privacy"),
        ("can my boss see my questions", "privacy"),
        ("is this anonymous", "privacy"),
        ("who can read what I write here", "privacy"),
        ("can you be wrong?", "errors"),
        ("can my boss read my prompts", None),
        ("who made the leave policy", None),
        ("do you store passwords", None),
        ("is overtime recorded", None),
    ],
)
def test_questions_about_the_coach_are_told_from_questions_to_the_policies(
    text: str, topic: str | None
) -> None:
    assert asked_about(text) == topic


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Who owns the leave policy?", ("owner", "leave")),
        ("when was the expenses policy last reviewed", ("since", "expenses")),
        ("is the leave policy still valid?", ("since", "leave")),
        ("show me the policy on leave", ("show", "leave")),
        ("is there a dog policy?", ("show", "dog")),
        ("who owns the building", None),
        ("what are the rules", None),
        ("when does the policy start", None),
        ("how many days of leave does the policy give me", None),
    ],
)
def test_documents_that_are_named_are_recognised(text: str, fact: tuple[str, str] | None) -> None:
    assert named.recognise(text) == fact


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("which policies are there?", True),
        ("list all policies", True),
        ("what can I ask you?", True),
        ("which policies are stale", False),
        ("which policies apply to contractors", False),
    ],
)
def test_the_list_of_documents_is_asked_for_in_few_ways(text: str, lists: bool) -> None:
    assert named.asks_for_list(text) is lists


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("how many days do I get and can I carry them over?", 2),
        ("What is the limit? And who approves more?", 2),
        ("I sent data to a wrong person. what now? will I get fired?", 2),
        ("Hi, how do I copy and paste?", 1),
        ("whats the limit and do i have to ask everyone", 2),
        ("terms and what not", 1),
        ("Really? Why?", 1),
        ("who? what is it? and how? and when is it? and why is it?", 1),
        ("Can contractors and interns use it?", 1),
    ],
)
def test_two_questions_are_told_from_one(text: str, parts: int) -> None:
    assert len(parts_of(text)) == parts


@pytest.mark.parametrize(
    ("text", "troubled"),
    [
        ("I hate it here and my manager is bullying me", True),
        ("im so burnt out, i can't go on", True),
        ("what do we do about bullying", False),
        ("Can I use AI to find abusive tickets?", False),
        ("my laptop is broken", False),
    ],
)
def test_somebody_in_trouble_is_told_from_questions_about_trouble(text: str, troubled: bool) -> None:
    assert is_troubled(text) is troubled
