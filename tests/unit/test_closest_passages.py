"""What is shown where no passage is surely the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bot.store.tables import Band
from knowledge.answer import Source, extractive

BEFORE = "The policies may be silent on this. The closest"
TODAY = date(2026, 11, 18)
LEAVE = Source(1, 1, "Leave", "", "Everybody has 30 days of leave.", version=1, score=1.0, owner_id=7)
OTHERS = [
    replace(LEAVE, passage_id=n, document_id=n, document=f"Policy {n}", text=f"Rule {n}.", score=score)
    for n, score in ((2, 0.9), (3, 0.8), (4, 0.5))
]


def whole(_question: str, passage: str) -> list[str]:
    return [passage]


def test_two_passages_are_shown_where_the_second_comes_near() -> None:
    answer = extractive("How many days?", Band.CLOSEST, [LEAVE, *OTHERS], whole, TODAY)
    assert answer.text.startswith(f"{BEFORE} passages I found:\n\n**Leave**")
    assert [citation.document for citation in answer.citations] == ["Leave", "Policy 2"]
    assert answer.owner_id == LEAVE.owner_id, "the owner of the nearest is asked"


def test_one_passage_is_shown_where_no_other_comes_near() -> None:
    answer = extractive("How many days?", Band.CLOSEST, [LEAVE, OTHERS[-1]], whole, TODAY)
    assert answer.text.startswith(f"{BEFORE} passage I found:\n\n**Leave**")
    assert len(answer.citations) == 1
