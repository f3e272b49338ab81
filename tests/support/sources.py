"""Two policies that a question about leave finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from knowledge.answer import Source

TODAY = date(2026, 11, 18)
LEAVE = Source(
    passage_id=1,
    document_id=1,
    document="Leave",
    section="Annual leave",
    text="Everybody has 30 days of leave a year. Unused days may not be carried over.\nAsk 14 days before.",
    version=2,
    score=1.0,
    owner="Olga Brandt",
    effective=date(2026, 1, 15),
)
HANDBOOK = replace(
    LEAVE,
    passage_id=2,
    document_id=2,
    document="Handbook",
    text="Everybody has 28 days of leave a year.",
    score=0.9,
)


def first(question: str, passage: str) -> list[str]:
    """Takes a passage's first sentence for the one that decides any question."""
    return [passage.split(". ")[0].rstrip(".") + "."]
