"""Which questions ask for a quantity, and which sentences hold it."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.quantities import Quantity, asked_for
from knowledge.tables import quantities_held


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How many days of leave do I get?", Quantity("count", "day")),
        ("how many paid days?", Quantity("count", "day")),
        ("How often is it checked?", Quantity("count")),
        ("Laptop stolen, how fast do I report it?", Quantity("duration")),
        ("How much notice do I have to give?", Quantity("duration")),
        ("How much may a gift cost?", Quantity("amount")),
        ("When are raises paid?", Quantity("moment")),
        ("until when?", Quantity("moment")),
        ("What do I do when I am ill?", None),
        ("Who approves this?", None),
        ("How do I report an incident?", None),
    ],
)
def test_what_a_question_asks_for(question: str, asked: Quantity | None) -> None:
    assert asked_for(question) == asked


@pytest.mark.parametrize(
    ("followup", "kind"),
    [("and in Zurich?", "amount"), ("what about flights?", "amount"), ("until when?", "moment")],
)
def test_a_follow_up_asks_for_what_the_question_before_it_did(followup: str, kind: str) -> None:
    found = asked_for(followup, "How much may a hotel cost?")
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize("followup", ["and who approves that?", "can I book it myself?", "why?"])
def test_a_follow_up_that_asks_something_else_does_not(followup: str) -> None:
    assert asked_for(followup, "How much may a hotel cost?") is None


@pytest.mark.parametrize(
    ("question", "sentence", "held"),
    [
        ("How long are logs kept?", "Logs are kept for 180 days.", 1.0),
        ("How long are logs kept?", "Logs are kept until the case is closed.", 1.0),
        ("How long are logs kept?", "The owner keeps logs safe.", 0.0),
        ("How soon do I report it?", "Tell IT Security without delay.", 1.0),
        ("How long must a password be?", "At least 14 characters.", 1.0),
        ("How much may a gift cost?", "Gifts are limited to EUR 35.", 1.0),
        ("How much may a gift cost?", "Ask one of the 3 leads.", 0.5),
        ("How many keys do I get?", "You get two security keys.", 1.0),
        ("How many keys do I get?", "Keep keys at home.", 0.0),
        ("When is pay raised?", "Raises take effect on 1 April.", 1.0),
        ("When is pay raised?", "Pay follows the band.", 0.0),
    ],
)
def test_what_a_sentence_holds(question: str, sentence: str, held: float) -> None:
    asked = asked_for(question)
    assert asked is not None
    assert asked.held(sentence) == held


def test_a_row_is_read_with_its_tables_header() -> None:
    header, rule, row = "| Country | Days a year |", "|---|---|", "| Germany | 30 |"
    text = "\n".join(["## Leave of 30 days", header, rule, row, "Ask 2 weeks ahead."])
    spans = [(text.index(part), text.index(part) + len(part)) for part in text.split("\n")]
    days = Quantity("count", "day")
    assert quantities_held(days, text, spans).tolist() == [0, 0, 0, 1, 0.5]
    looked_at = np.array([False, False, False, True, False])
    assert quantities_held(days, text, spans, "", looked_at).tolist() == [0, 0, 0, 1, 0]
    # A passage that begins inside a table has the header among its headings.
    assert quantities_held(days, row, [(0, len(row))], f"Leave > {header}").tolist() == [1]
    assert quantities_held(days, row, [(0, len(row))], "Leave").tolist() == [0.5]
