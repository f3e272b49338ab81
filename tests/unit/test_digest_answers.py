"""Questions about a digest: each is answered from what was sent, kindly refused, or left to the policies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.tables import SentDigest
from scheduler.digest import Digest
from scheduler.digest_answers import about_digest, all_sources, may_ask
from tests.unit.test_digest import SITUATIONS


def sent(digest: Digest) -> SentDigest:
    at = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    return SentDigest(recipient="person:1", week=digest.week, content=digest.content(), made_at=at)


BUSY = sent(SITUATIONS["busy"]())
LARGE = sent(SITUATIONS["sixty departments"]())
STALE = sent(SITUATIONS["all stale"]())


def answer(digest: SentDigest, words: str) -> str:
    found = about_digest(digest, words)
    assert found is None or may_ask(words)  # what is not asked for is never looked up
    return found.text if found is not None else ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("Where does 26% come from", "25 tasks with 1,875 hours a week"),
        ("why 26", "Coverage: the share of repetitive hours"),
        ("why only 24-28%", "a chance of 80%"),
        ("what does coverage mean", "Coverage: the share of repetitive hours"),
        ("how is coverage measured", "1,875 hours"),
        ("how do you know 1,875 hours", "25 tasks with 1,875 hours"),
        (
            "explain the 33 days",
            "Rules unclear, so people avoid AI or hide it” has stood in the way of Legal",
        ),
        ("what are the 3 stale answers", "in Marketing"),
        ("what is contested", "in Sales"),
        ("what changed since last quarter", "since 31 August"),
        ("why is Finance grey", "- AI-Native Distribution: ◔ being built"),
        ("why is Board grey", "does not show that department"),
        ("what does noise mean", "how far a figure may move by itself"),
        ("where does 5 of 5 come from", "never for a part of it"),
        ("explain the map", "first tries"),
    ],
)
def test_a_question_about_a_figure_is_answered_from_the_digest(words: str, says: str) -> None:
    assert says in answer(BUSY, words)


def test_departments_with_old_answers_are_named() -> None:
    told = answer(STALE, "which departments are stale")
    assert "- Finance: Workforce Empowerment" in told
    assert "- Legal: Workforce Empowerment" in told


@pytest.mark.parametrize(
    "words",
    ["who did not answer", "which leads haven't replied", "which teams have not answered", "who is late"],
)
def test_nobody_is_told_who_did_not_answer(words: str) -> None:
    told = answer(BUSY, words)
    assert told.startswith("I tell nobody")
    assert "5 of 5 departments" in told
    assert not any(name in told for name in ("Finance", "Legal", "Support", "Sales", "Marketing"))


def test_a_figure_that_is_not_there_is_said_not_to_be_there_with_the_nearest_and_what_can_be_asked() -> None:
    told = answer(BUSY, "where does 31% come from")
    first = told.splitlines()[0]
    assert first == (
        "The digest of the week of 16 November does not say 31%. "
        "The nearest it says is **26%**, the coverage of the departments shown."
    )
    assert "- **20 days**: age of “Dependencies live in people's heads” in Sales" in told
    assert "nearest" not in answer(BUSY, "where does 63% come from")


def test_what_did_not_fit_can_be_asked_for() -> None:
    assert "Branch 13 fell" in answer(LARGE, "which 3 more exceptions")
    assert "Branch 42" in answer(LARGE, "what are the 7 more")


@pytest.mark.parametrize(
    "words",
    [
        "why 25 days of leave",
        "where does the 14 day notice period come from",
        "how is the 14 days notice counted",
        "what is the travel policy",
        "what are our hours",
        "why is the printer red",
        "may I use 3 tools",
        "who can approve this",
        "which tools are old",
    ],
)
def test_other_questions_are_left_to_others(words: str) -> None:
    assert about_digest(BUSY, words) is None


def test_every_figure_explains_itself_and_has_a_name_of_its_own() -> None:
    for make in SITUATIONS.values():
        digest = make()
        told = all_sources(sent(digest)).text
        for figure in digest.figures:
            assert figure.name
            assert figure.text in told
            assert figure.text in answer(sent(digest), f"where does {figure.text.lower()} come from")


pieces = st.lists(
    st.sampled_from(
        ["where does", "why", "come from", "31%", "1.2.3", "5,", "%", "days", "who", "is", "grey"]
    )
    | st.text(max_size=5),
    max_size=8,
)


@given(pieces.map(" ".join))
def test_no_words_are_too_odd(words: str) -> None:
    for digest in (BUSY, STALE):
        found = about_digest(digest, words)
        assert found is None or found.text
