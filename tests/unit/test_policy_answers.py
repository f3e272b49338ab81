"""What an answer may say: quotes word for word, claims that their quotes bear out, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import Citation
from bot.store.tables import Band
from knowledge import named, overview
from knowledge.about import asked_about
from knowledge.answer import PolicyAnswer, Source, conflict, extractive
from knowledge.changes import Change, difference
from knowledge.checker import bears_out, differ_in_figures, locate
from knowledge.followups import is_noted, recognise
from knowledge.gaps import alike
from knowledge.languages import Translations, language_of
from knowledge.parts import parts_of
from knowledge.quoting import header_of, quote_lines, section_around, section_name, stretch, unmarked
from knowledge.requests import Shown, told
from knowledge.troubled import is_troubled
from knowledge.worded import Asked, Claim, Claims, with_model
from tests.fakes.language_model import QueuedModel
from tests.fakes.live import Watched

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
    return [passage.split(". ")[0].rstrip(".") + "."]


# ── Checks ──────────────────────────────────────────────────────────────────────────────────────────────


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


# ── Without a model ─────────────────────────────────────────────────────────────────────────────────────


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


# ── With a model ────────────────────────────────────────────────────────────────────────────────────────

GOOD = {"text": "You have 30 days of leave.", "passage": 1, "quote": "Everybody has 30 days of leave a year."}


async def ask(*claims: dict[str, Any], answered: bool = True) -> tuple[PolicyAnswer, PolicyAnswer]:
    plain = extractive("How many days?", Band.ANSWER, [LEAVE, HANDBOOK], first, TODAY)
    model = QueuedModel([{"answered": answered, "claims": list(claims)}])
    return await with_model(model, Asked("How many days?"), [LEAVE, HANDBOOK], plain, TODAY), plain


async def test_checked_claims_are_the_answer() -> None:
    answer, _ = await ask(GOOD)
    assert answer.model == "queued"
    assert answer.text == (
        "You have 30 days of leave.\n> Everybody has 30 days of leave a year.\n\n"
        "_Leave, Annual leave: version 2, owner Olga Brandt, in force since 15 January 2026_"
    )
    assert answer.citations == (LEAVE.cited("Everybody has 30 days of leave a year."),)


@pytest.mark.parametrize(
    "wrong",
    [
        GOOD | {"passage": 0},
        GOOD | {"passage": 7},
        GOOD | {"passage": 2},
        GOOD | {"quote": "Everybody has 45 days of leave a year."},
        GOOD | {"quote": ""},
        GOOD | {"text": "You have 45 days of leave."},
        GOOD | {"text": "You do not have leave."},
        GOOD | {"text": "You have 30 days of leave: www.evil.example"},
    ],
)
async def test_a_claim_that_fails_a_check_is_dropped(wrong: dict[str, Any]) -> None:
    answer, plain = await ask(wrong)
    assert answer == plain
    answer, _ = await ask(wrong, GOOD)
    assert len(answer.citations) == 1
    assert answer.citations[0].passage_id == 1


@given(
    st.lists(st.builds(Claim, text=st.text(), passage=st.integers(0, 99), quote=st.text()), max_size=5),
    st.lists(st.integers(0, 400)),
    st.booleans(),
)
def test_claims_are_read_whole_and_once_however_the_json_is_cut(
    said: list[Claim], cuts: list[int], ascii_only: bool
) -> None:
    text = json.dumps(
        {"answered": True, "claims": [claim.model_dump() for claim in said]}, ensure_ascii=ascii_only
    )
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    claims = Claims()
    read = []
    for start, end in pairwise(places):
        fresh = claims.take(text[start:end])
        # Nothing is read before its closing brace was there.
        assert all(json.dumps(claim.quote, ensure_ascii=ascii_only) in text[:end] for claim in fresh)
        read += fresh
    assert read == said


async def test_what_is_shown_live_is_how_the_answer_begins() -> None:
    plain = extractive("How many days?", Band.ANSWER, [LEAVE, HANDBOOK], first, TODAY)
    other = {
        "text": "The handbook says 28 days.",
        "passage": 2,
        "quote": "Everybody has 28 days of leave a year.",
    }
    live = Watched()
    model = QueuedModel([{"answered": True, "claims": [GOOD, GOOD | {"passage": 2}, other]}])
    answer = await with_model(model, Asked("How many days?"), [LEAVE, HANDBOOK], plain, TODAY, live=live)
    assert answer.text == live.text
    assert len(live.written) == 2
    assert "Two policies give different figures" in live.written[1]
    assert "28" in live.written[1]


async def test_a_model_leaves_no_date_out_and_claims_of_one_place_share_it() -> None:
    coming = replace(LEAVE, effective=date(2026, 12, 24), review_by=date(2026, 6, 1))
    ahead = {"text": "Ask 14 days ahead.", "passage": 1, "quote": "Ask 14 days before."}
    model = QueuedModel([{"answered": True, "claims": [GOOD, ahead]}])
    plain = extractive("How many days?", Band.ANSWER, [coming], first, TODAY)
    answer = await with_model(model, Asked("How many days?"), [coming], plain, TODAY)
    assert answer.text == (
        "You have 30 days of leave.\n> Everybody has 30 days of leave a year.\n\n"
        "_Leave, Annual leave: version 2, owner Olga Brandt, comes into force on 24 December 2026, its "
        "review was due on 1 June 2026_\n\n_This is not in force yet: it holds from 24 December 2026._"
        "\n\nAsk 14 days ahead.\n> Ask 14 days before."
    )


async def test_a_model_that_finds_no_answer_changes_nothing() -> None:
    answer, plain = await ask(answered=False)
    assert answer == plain


@pytest.mark.parametrize("reason", ["time-out", "rate limit", "unreachable", "refusal", "unusable"])
async def test_every_failure_of_a_model_ends_in_the_plain_answer(reason: Any) -> None:
    plain = extractive("How many days?", Band.ANSWER, [LEAVE], first, TODAY)
    answer = await with_model(QueuedModel([reason]), Asked("How many days?"), [LEAVE], plain, TODAY)
    assert answer == replace(plain, settled=False)


async def test_passages_are_material_behind_a_marker_that_nobody_can_guess() -> None:
    markers = set()
    for _ in range(2):
        model = QueuedModel(["off"])
        plain = PolicyAnswer(Band.SILENT, "")
        await with_model(model, Asked("How many days?"), [LEAVE], plain, TODAY)
        (marker,) = {line for line in model.contents[0].split("\n") if line and line in model.instructions[0]}
        assert model.contents[0].count(marker) == 2
        assert LEAVE.text not in model.instructions[0]
        markers.add(marker)
    assert len(markers) == 2


# ── Other languages ─────────────────────────────────────────────────────────────────────────────────────


def test_in_a_thread_fewer_words_tell_the_language_that_it_is_in() -> None:
    assert language_of("und in Portugal?") is None
    assert language_of("und in Portugal?", "de") == "de"
    assert language_of("and in Portugal?", "de") is None
    assert language_of("Portugal?", "de") is None
    assert language_of("et au Portugal, c'est combien ?", "de") == "fr"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wie viel Geld bekomme ich pro Jahr für meine Weiterbildung?", "de"),
        ("Darf ich das?", "de"),
        ("Que dois-je faire si le téléphone est volé ?", "fr"),
        ("¿Cuántos días de vacaciones tengo?", "es"),
        ("Quanti giorni di ferie ho?", "it"),
        ("Hoeveel vakantiedagen heb ik?", "nl"),
        ("Quantos dias de férias eu tenho?", "pt"),
        ("Ile dni urlopu mam w roku?", "pl"),
        ("Можно ли использовать ChatGPT?", "other"),
        ("有給休暇は何日ありますか", "other"),
        ("May I use it?", None),
        ("GDPR", None),
        ("ok", None),
        ("", None),
        ("12 / 34 !!", None),
        ("Who signs a SOC 2 report de facto?", None),
        ("Is the Los Angeles office closed on Dia de los Muertos?", None),
        ("When does Müller & Söhne get paid?", None),
        ("Do I need a visa for São Paulo?", None),
    ],
)
def test_only_what_is_clearly_another_language_is_taken_for_one(text: str, language: str | None) -> None:
    assert language_of(text) == language


async def test_a_translation_is_asked_for_once_and_has_to_keep_the_numbers() -> None:
    question = "Darf ich 5 Tage oder 1.000 Euro nehmen?"
    good = "May I take 5 days or 1,000 euros?"
    for wrong in (
        "May I take 6 days or 1,000 euros?",
        "May I?",
        "",
        good + " See http://x.example",
        good * 9,
    ):
        model = QueuedModel([{"english": wrong}, "time-out", {"english": good}])
        translations = Translations(model)
        assert await translations.english(question) is None
        assert await translations.english(question) is None
        assert await translations.english(question) == good
        assert await translations.english("darf ich  5 tage oder 1.000 euro nehmen?") == good
        assert "material" in model.instructions[0]
    assert await Translations(None).english(question) is None


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("Sie haben 30 Tage Urlaub.", True),
        ("Sie haben dreißig Tage Urlaub.", True),
        ("Sie haben zwölf Tage Urlaub.", False),
        ("Sie haben keine 30 Tage Urlaub.", False),
        ("Non avete 30 giorni.", False),
    ],
)
def test_claims_in_other_languages_are_checked_too(claim: str, holds: bool) -> None:
    assert bears_out("Everybody has 30 days of leave a year.", claim) is holds


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────


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


# ── In conversation ─────────────────────────────────────────────────────────────────────────────────────


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
