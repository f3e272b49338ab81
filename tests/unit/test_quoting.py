"""Words of a policy as people read them, and requests about an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.messages import Citation
from bot.store.tables import Band
from knowledge import overview
from knowledge.answer import extractive
from knowledge.changes import Change, difference
from knowledge.followups import recognise
from knowledge.gaps import alike
from knowledge.quoting import (
    header_of,
    in_short,
    quote_lines,
    section_around,
    section_name,
    stretch,
    unmarked,
)
from knowledge.requests import Shown, told
from tests.support.sources import LEAVE, TODAY, first


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("Who owns this?", "owner"),
        ("whose policy is that", "owner"),
        ("Since when?", "since"),
        ("is it still valid?", "since"),
        ("Where does it say so?", "where"),
        ("show me the passage", "where"),
        ("Shorter please", "shorter"),
        ("tl;dr", "shorter"),
        ("in German, please", "language"),
        ("auf Deutsch", "language"),
        ("Which policy covers dogs?", None),
        ("Where do I find the form for travel expenses in the intranet today?", None),
        ("May I use it in Germany?", None),
        ("How many days of leave do I have?", None),
    ],
)
def test_requests_about_the_last_answer_are_recognised(text: str, request_: str | None) -> None:
    found = recognise(text)
    assert (found[0] if found else None) == request_


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("What is asked most?", "asked"),
        ("what do people ask most", "asked"),
        ("Most asked questions", "asked"),
        ("Which questions are answered worst?", "worst"),
        ("the worst answers", "worst"),
        ("Which questions are never answered?", "never"),
        ("unanswered questions", "never"),
        ("What can't you answer?", "never"),
        ("Where are the policies silent?", "never"),
        ("Which policies are stale?", "stale"),
        ("show me the overdue reviews", "stale"),
        ("Which documents are out of date?", "stale"),
        ("Which policies have no owner?", "unowned"),
        ("policies without an owner", "unowned"),
        ("What do the answers rest on?", "rest"),
        ("which passages are used most", "rest"),
        ("How are the policies used?", "all"),
        ("What is asked of new employees?", None),
        ("What do I ask in an interview?", None),
        ("Which policies apply to contractors?", None),
        ("Who owns the leave policy?", None),
        ("What is the worst that can happen?", None),
    ],
)
def test_the_overview_is_asked_for_in_words(text: str, part: str | None) -> None:
    assert overview.recognise(text) == part


def test_like_questions_gather_and_opposite_ones_do_not() -> None:
    assert alike("Can I carry leave into spring?", "May we carry our leave into the spring")
    assert not alike("May I carry leave over?", "May I not carry leave over?")
    assert not alike("May I carry leave over?", "May I bring a dog?")
    assert not alike("?", "!")


def test_rows_of_a_table_are_told_by_their_columns() -> None:
    passage = "Text\n\n| Tool | Limit |\n| --- | --- |\n| **Draft**desk | 5 \\| 6 |\n| Other |  |"
    header = header_of(passage, "| Other |  |", ())
    assert (
        quote_lines(passage[passage.index("| Tool") :], header)
        == "> Tool: Draftdesk; Limit: 5 \\| 6\n> Tool: Other"
    )
    assert header_of("| Other | x |", "| Other | x |", ("Tools", "Tool | Limit")) == ["Tool", "Limit"]
    assert section_name("Tools", ("Tools", "The list", "Tool | Limit")) == "The list"


def test_where_a_quote_stands_is_shown_by_its_section() -> None:
    passage = (
        "# Leave\n\nRest well.\n\n## Annual leave\n\nEverybody has 30 days.\n\n## Illness\n\nTell your lead."
    )
    source = replace(LEAVE, text=passage)
    shown = Shown(source, "Everybody has 30 days.", "Everybody has 30 days.")
    assert told("where", "", shown, TODAY).text == (
        "It stands in **Leave**, Annual leave:\n\n> **Annual leave**\n> Everybody has 30 days."
    )
    assert told("more", "", shown, TODAY).text.endswith("> **Illness**\n> Tell your lead.")
    assert section_around(passage, "Rest well.") == "# Leave\n\nRest well."
    assert section_around(passage, "Tell your lead.") == "## Illness\n\nTell your lead."


def test_a_quote_can_be_understood_on_its_own() -> None:
    passage = (
        "# Budget\n\nEach person has 500 euros a year. That means unused money is lost. It covers:\n\n"
        "* books\n* courses\n\nAsk Kim."
    )
    assert stretch(passage, ["That means unused money is lost."]) == (
        "Each person has 500 euros a year. That means unused money is lost."
    )
    assert (
        stretch(passage, ["It covers:"])
        == "That means unused money is lost. It covers:\n\n* books\n* courses"
    )
    assert stretch(passage, ["Ask Kim."]) == "Ask Kim."
    assert stretch("This policy holds. Ask Kim.", ["This policy holds."]) == "This policy holds."
    two = "Ask Kim first. It covers:\n\n- " + "word " * 90
    assert stretch(two, ["Ask Kim first.", "It covers:"]) == "Ask Kim first."
    assert stretch("Go now.\n\n## Then\n\nStay.", ["Go now.", "Stay."]) == "Go now."
    long = f"{'word ' * 90}end. That is all. It covers:\n\n- {'word ' * 90}"
    assert stretch(long, ["That is all."]) == "That is all."
    assert stretch(long, ["It covers:"]) == "That is all. It covers:"


def test_lists_rows_and_code_are_told_as_words() -> None:
    assert quote_lines("* **Desk**\n+ Chair\n- Lamp") == "> - Desk\n> - Chair\n> - Lamp"
    assert quote_lines("| Tool | Limit\n| --- | ---\n| A | 5") == "> Tool; Limit\n> A; 5"
    assert quote_lines("```java\ncall();\n```") == "> call();"
    assert unmarked("_(also by train)_ and *.py, 5 * 3, snake_case _it covers:_") == (
        "(also by train) and *.py, 5 * 3, snake_case it covers:"
    )
    assert unmarked("**Leaving Larkfield - _Managers_**") == "Leaving Larkfield - Managers"


def test_a_quote_in_short_is_what_decides() -> None:
    quote = "| Germany | 30 |\n| Portugal | 26 |\n\nThe 24th counts as half a day. Ask early."
    rows = ["| Germany | 30 |", "| Portugal | 26 |"]
    assert in_short(quote, ["Ask early.", "The 24th counts as half a day."]) == "Ask early."
    assert in_short(quote, ["The 24th counts as half a day.", rows[0]]) == "\n".join(rows)
    assert in_short(quote, [rows[1], "Ask early."]) == rows[1]
    assert in_short(quote, ["It is not there."]) == quote


def test_a_quote_can_not_become_markup() -> None:
    assert quote_lines("# <!channel> *now* [x](y)") == "> \\<!channel\\> now \\[x\\](y)"


def test_the_difference_of_two_versions_is_told_by_section() -> None:
    before = "# A\n\n## One\nStays.\nGoes.\n\n## Two\nSame.\n\n## Gone\nLeaves."
    after = "# A\n\n## Two\nSame.\n\n## One\nStays.\nComes."
    assert [(c.section, c.removed, c.added) for c in difference(before, after)] == [
        ("One", ("Goes.",), ("Comes.",)),
        ("Gone", ("Leaves.",), ()),
    ]
    assert difference(before, before) == []
    wrapped = "## One\nIt is **so**, and\nstays so. Not this.\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"
    again = "## One\nIt is so, and stays so.\nBut that.\n\n| a | b |\n|---|---|\n| 1 | 3 |\n"
    assert difference(wrapped, again) == [Change("One", ("Not this.", "1; 2"), ("But that.", "1; 3"))]


def test_a_citation_carries_its_document() -> None:
    cited = LEAVE.cited("Everybody has 30 days")
    assert isinstance(cited, Citation)
    assert (cited.document_id, cited.version, cited.owner) == (1, 2, "Olga Brandt")


@pytest.mark.parametrize(("score", "sources"), [(0.92, 2), (0.88, 1)])
def test_a_section_that_fits_as_well_is_quoted_beside_the_first(score: float, sources: int) -> None:
    other = replace(LEAVE, passage_id=3, section="Carrying over", text="At most 5 days go over.", score=score)
    answer = extractive("how many days of leave?", Band.ANSWER, [LEAVE, other], first, TODAY)
    assert [citation.passage_id for citation in answer.citations] == [1, 3][:sources]
    assert "different figures" not in answer.text
