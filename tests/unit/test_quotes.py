"""What a quote takes in of a table or a list that stands beside the sentences it quotes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.quoting import MAX_QUOTE, stretch

ROWS = ("| Germany | 30 |", "| Portugal | 26 |", "| United States | 22 |")
BEFORE, AFTER = "Leave differs by country.", "In the first year there is a twelfth a month."
PASSAGE = "\n".join(["## Leave", "", BEFORE, "", "| Country | Days a year |", "|---|---|", *ROWS, "", AFTER])


def rows_in(quote: str | None) -> list[str]:
    return [row for row in ROWS if row in (quote or "")]


def test_a_sentence_that_reaches_for_a_row_gets_all_of_them() -> None:
    assert rows_in(stretch(PASSAGE, [AFTER, ROWS[2]])) == list(ROWS)
    assert rows_in(stretch(PASSAGE, [BEFORE, ROWS[0]])) == list(ROWS)
    assert rows_in(stretch(PASSAGE, [AFTER])) == []


def test_a_row_that_decides_stays_by_itself() -> None:
    assert stretch(PASSAGE, [ROWS[1]]) == ROWS[1]


def test_a_table_that_is_too_long_is_left_out() -> None:
    long = [f"| Country number {n} | {n} |" for n in range(30)]
    after = PASSAGE.replace("\n".join(ROWS), "\n".join(long))
    assert stretch(after, [AFTER, long[-1]]) == AFTER
    assert stretch(after, [BEFORE, long[0]]) == BEFORE


def test_a_quote_of_several_items_begins_with_a_whole_one() -> None:
    items = "1. Look into the catalogue. There are 140.\n2. Ask the key user.\n3. Then read the list."
    second, last = "There are 140.", "3. Then read the list."
    assert stretch(items, [last, second]) == items
    assert stretch(items, [second]) == second
    assert stretch(f"- Free. {'Long. ' * 80}{second}\n{last}", [last, second]) == f"{second}\n{last}"


@given(st.lists(st.sampled_from([BEFORE, *ROWS, AFTER]), min_size=1, unique=True))
def test_a_quote_is_a_slice_that_holds_what_decides(decisive: list[str]) -> None:
    quote = stretch(PASSAGE, decisive)
    assert quote is not None
    assert quote in PASSAGE
    assert decisive[0] in quote
    assert len(quote) <= MAX_QUOTE
    assert decisive[0] in ROWS or len(rows_in(quote)) in (0, len(ROWS))
