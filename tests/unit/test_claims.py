"""An answer with a model: claims that pass every check, in any language."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.tables import Band
from knowledge.answer import PolicyAnswer, extractive
from knowledge.checker import bears_out
from knowledge.languages import Translations, language_of
from knowledge.worded import Asked, Claim, Claims, with_model
from tests.fakes.language_model import QueuedModel
from tests.fakes.live import Watched
from tests.support.sources import HANDBOOK, LEAVE, TODAY, first

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
