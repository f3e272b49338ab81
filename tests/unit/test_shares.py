"""Shares and counts in words, and which anchors they speak against."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.audit.instrument import load_instrument
from bot.audit.shares import Share, apart, share_told

REACH = load_instrument().criterion("WE-1").levels


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Last week four of our eight clerks used it", Share(4, 0.5)),
        ("26 of 31, same as the fortnight before", Share(26, 26 / 31)),
        ("9 out of 14 used it", Share(9, 9 / 14)),
        ("Nobody of the five did", Share(0, 0.0)),
        ("both of the two buyers", Share(2, 1.0)),
        ("Six of the nine did, one of them from planning", Share(6, 6 / 9)),
        ("half of my team used it", Share(part=0.5)),
        ("about a third of the team", Share(part=1 / 3)),
        ("Roughly 60% of the memos", Share(part=0.6)),
        ("Last week two of us wrote reminders with it", Share(count=2)),
        ("Everyone used it", None),
        ("seven of our five", None),
        ("in 2 of 2025", None),
        ("300 percent more mails", None),
        ("One of the best ideas this year", None),
    ],
)
def test_a_share_is_read_from_words_and_digits(words: str, told: Share | None) -> None:
    assert share_told(words) == told


@given(st.integers(0, 40), st.integers(1, 40))
def test_the_more_did_it_the_less_speaks_for_few_and_the_less_against_many(count: int, whole: int) -> None:
    count = min(count, whole)
    told, more = share_told(f"{count} of {whole}"), share_told(f"{min(count + 1, whole)} of {whole}")
    assert told is not None
    assert more is not None
    for level in (3, 4):
        assert apart(REACH[level], more) <= apart(REACH[level], told)
    assert apart(REACH[2], more) >= apart(REACH[2], told)
    assert min(apart(REACH[level], told) for level in REACH) == 0.0, "one of the anchors always fits"
    assert all(0.0 <= apart(REACH[level], told) <= 1.0 for level in REACH)


def test_anchors_that_name_no_share_are_never_spoken_against() -> None:
    everybody, nobody = Share(8, 1.0), Share(0, 0.0)
    for criterion in load_instrument().criteria:
        for level in criterion.levels.values():
            if not any(word in level.lower() for word in ("half", "most", "nearly", "nobody", "five", "two")):
                assert apart(level, everybody) == apart(level, nobody) == 0.0
