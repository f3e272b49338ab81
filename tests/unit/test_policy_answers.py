"""What an answer may say: quotes word for word, claims that their quotes bear out, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.tables import Band
from knowledge.answer import PolicyAnswer, conflict, extractive
from knowledge.checker import bears_out, differ_in_figures, locate
from knowledge.quoting import stretch
from tests.support.sources import HANDBOOK, LEAVE, TODAY, first


@given(st.text(), st.text())
def test_what_is_located_always_stands_in_the_passage(quote: str, passage: str) -> None:
    found = locate(quote, passage)
    assert found is None or (found in passage and found.split() == quote.strip().strip("\"“”„'").split())


@given(st.text(min_size=1), st.data())
def test_a_stretch_is_always_a_slice(passage: str, data: st.DataObject) -> None:
    ends = st.integers(0, len(passage))
    slices = [passage[slice(*sorted((data.draw(ends), data.draw(ends))))] for _ in range(3)]
    found = stretch(passage, slices)
    assert found is None or found in passage


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("30 days of leave", "30 days of leave"),
        ("carried over.  Ask 14", "carried over.\nAsk 14"),
        ("“Everybody has 30 days”", "Everybody has 30 days"),
        ("Everybody has 31 days of leave", None),
        ("everybody has 30 days", None),
        ("30 days", None),
        ("", None),
    ],
)
def test_only_the_very_words_are_located(quote: str, found: str | None) -> None:
    assert locate(quote, LEAVE.text) == found


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("You have 30 days of leave.", True),
        ("You have thirty days of leave.", True),
        ("You have 31 days of leave.", False),
        ("You do not have 30 days of leave.", False),
        ("You have 30 days of leave until December.", False),
        ("You have 30 days of leave, see https://evil.example/x", False),
        ("You have 30 days of leave, says <@U1>", False),
        ("You have leave.", True),
    ],
)
def test_a_claim_needs_its_figures_and_its_not(claim: str, holds: bool) -> None:
    assert bears_out("Everybody has 30 days of leave a year.", claim) is holds


def test_a_claim_may_not_lose_a_not() -> None:
    assert not bears_out("Unused days may not be carried over.", "Unused days may be carried over.")
    assert bears_out("Unused days may not be carried over.", "You can't carry unused days over.")


def test_figures_differ_only_for_the_same_unit() -> None:
    assert differ_in_figures("Report within 4 hours.", "Report within 24 hours.")
    assert not differ_in_figures("Report within 4 hours.", "Report within 4 hours or 2 days.")
    assert not differ_in_figures("Report within 4 hours.", "Limit 24 euros.")
    assert differ_in_figures("Hotels cost at most EUR 130 a night.", "A hotel may cost 120 euros a night.")


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("up to one day a week", "up to three days a week", True),
        ("two days a week", "2 days a week", False),
        ("two days a week", "3 days a week", True),
        ("on one of two days", "on two days", False),
        ("when it is due once in 3 weeks", "when it is due 2 weeks before", True),
    ],
)
def test_numbers_in_words_differ_as_those_in_digits(one: str, other: str, differ: bool) -> None:
    said = "You may work from home {}."
    assert differ_in_figures(said.format(one), said.format(other)) is differ


def test_figures_of_different_things_do_not_differ() -> None:
    carried = "Up to 5 days of leave can be carried over to the next year."
    mailbox = "The mailbox answers with a notice for 30 days."
    assert not differ_in_figures(carried, mailbox)
    assert not differ_in_figures(f"{carried} Ask HR.", f"{mailbox} Ask IT.")
    assert differ_in_figures(f"{carried} Ask HR.", "Ask HR. Up to 10 days of leave are carried over.")


def test_policies_that_differ_are_shown_as_differing() -> None:
    answer = extractive("How many days?", Band.ANSWER, [LEAVE, HANDBOOK], first, TODAY)
    assert answer.text.startswith(
        "Two policies give different figures: Leave (in force since 15 January 2026) and Handbook (in force "
        "since 15 January 2026). Ask Olga Brandt which one holds."
    )
    assert [citation.document for citation in answer.citations] == ["Leave", "Handbook"]


def test_policies_differ_by_the_whole_row_or_sentence_that_is_quoted() -> None:
    table = "| Item | Limit |\n|---|---|\n| Hotel, per night | EUR 130; EUR 190 in London |\n"
    one = (replace(LEAVE, document="Expenses", text=table), "EUR 190 in London")
    other = (replace(HANDBOOK, text="Hotel, per night: EUR 150 everywhere."), "EUR 150 everywhere")
    assert "Two policies give different figures" in (conflict([one, other], TODAY) or "")
    assert conflict([one, (one[0], "EUR 130")], TODAY) is None, "one document does not contradict itself"


def test_a_policy_to_come_is_said_not_to_hold_yet() -> None:
    coming = replace(LEAVE, effective=date(2027, 1, 1))
    alone = extractive("How many days?", Band.ANSWER, [coming], first, TODAY)
    assert alone.text.startswith("_This is not in force yet: it holds from 1 January 2027._\n\n**Leave**")
    both = extractive("How many days?", Band.ANSWER, [coming, HANDBOOK], first, TODAY)
    assert both.text.startswith("_This changes on 1 January 2027: two policies give different figures._\n\n")
    held = extractive("How many days?", Band.ANSWER, [LEAVE], first, TODAY)
    assert held.text.startswith("**Leave**")


def test_the_same_words_from_two_documents_are_quoted_once() -> None:
    copy = replace(LEAVE, passage_id=3, document_id=3, document="Leave (copy)")
    answer = extractive("How many days?", Band.ANSWER, [LEAVE, copy, HANDBOOK], first, TODAY)
    assert [citation.document for citation in answer.citations] == ["Leave", "Handbook"]


def test_an_owners_answer_is_told_as_given_by_whom_and_when() -> None:
    given = replace(LEAVE, kind="entry", document="How many days?", reviewed=LEAVE.effective)
    given = replace(given, expires=date(2027, 1, 15))
    text = extractive("How many days?", Band.ANSWER, [given], first, TODAY).text
    assert text.startswith("**How many days?** (answered by Olga Brandt)\n")
    assert text.endswith("_Word for word, given on 15 January 2026, holds until 15 January 2027._")
    confirmed = replace(given, reviewed=date(2026, 5, 2))
    assert "given on 15 January 2026, confirmed on 2 May 2026, holds" in (
        extractive("How many days?", Band.ANSWER, [confirmed], first, TODAY).text
    )


def test_a_document_that_fits_much_less_adds_nothing() -> None:
    answer = extractive("How many days?", Band.ANSWER, [LEAVE, replace(HANDBOOK, score=0.3)], first, TODAY)
    assert [citation.document for citation in answer.citations] == ["Leave"]


SECTIONS = """## Guests

Gifts are limited to EUR 35.

### Abroad

Ask first.

```
# no heading
```

## What we do not pay

- Fines and minibars.
"""


@pytest.mark.parametrize(
    ("quote", "path", "section"),
    [
        ("Gifts are limited", ("Expenses", "Guests"), "Guests"),
        ("Ask first.", ("Expenses", "Guests"), "Guests › Abroad"),
        ("# no heading", ("Expenses", "Guests"), "Guests › Abroad"),
        ("- Fines and minibars.", ("Expenses", "Guests"), "What we do not pay"),
        ("- Fines and minibars.", ("Guests",), "What we do not pay"),
    ],
)
def test_a_quote_is_said_to_stand_in_its_own_section(quote: str, path: tuple[str, ...], section: str) -> None:
    source = replace(LEAVE, document="Expenses", section="Guests", text=SECTIONS, path=path)
    assert source.cited(quote).section == section
    mid = replace(source, text=SECTIONS.removeprefix("## Guests\n\n"))
    assert mid.cited(quote).section == section, "the passage begins within the section"


def test_an_answer_names_the_section_of_its_quote() -> None:
    source = replace(LEAVE, document="Expenses", text=SECTIONS, path=("Expenses", "Guests"))
    answer = extractive("Fines?", Band.ANSWER, [source], lambda q, p: ["- Fines and minibars."], TODAY)
    assert answer.text.startswith("**Expenses**, What we do not pay\n> - Fines and minibars.")


@pytest.mark.parametrize("band", list(Band))
def test_without_a_passage_the_policies_are_silent(band: Band) -> None:
    assert extractive("Anything?", band, [], first, TODAY) == PolicyAnswer(
        Band.SILENT, "The policies do not say."
    )


def test_a_quote_that_does_not_stand_in_its_passage_is_dropped() -> None:
    answer = extractive("How many?", Band.ANSWER, [LEAVE], lambda q, p: ["Everybody has 99 days."], TODAY)
    assert (answer.band, answer.citations) == (Band.SILENT, ())


def test_a_policy_to_come_and_an_overdue_review_are_told() -> None:
    coming = replace(LEAVE, effective=date(2027, 1, 1), review_by=date(2026, 10, 1))
    answer = extractive("How many?", Band.ANSWER, [coming], first, TODAY)
    assert "comes into force on 1 January 2027" in answer.text
    assert "its review was due on 1 October 2026" in answer.text
