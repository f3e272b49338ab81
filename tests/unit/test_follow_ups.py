"""Which questions need the one before them: those that point back or say too little by themselves."""

from __future__ import annotations

import pytest

from knowledge.query import leans_on_earlier, resolve

EARLIER = ("How long are meeting recordings kept?",)


@pytest.mark.parametrize(
    "question",
    [
        "And in Paris?",
        "What about contractors?",
        "Does it also hold for contractors in my team?",
        "Since when?",
        "Who approves that?",
        "What should I use instead?",
        "Why?",
    ],
)
def test_a_question_that_points_back_takes_the_earlier_one_along(question: str) -> None:
    assert leans_on_earlier(question)
    assert resolve(question, EARLIER) == EARLIER[0]
    assert resolve(question, ()) is None


@pytest.mark.parametrize(
    "question",
    [
        "Which code assistants are approved?",
        "How do I report an incident with AI?",
        "Who approves a new AI tool?",
        "Can I take a sabbatical leave?",
        "Is there a canteen in Berlin?",
    ],
)
def test_a_question_of_its_own_stands_alone(question: str) -> None:
    assert resolve(question, EARLIER) is None
