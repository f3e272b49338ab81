"""Somebody's words are found wherever the product quotes them, and nobody else's are."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.audit.phrases import quoted
from bot.messages import plain
from bot.privacy.traces import ERASED, Marks, Quotes, scrubbed
from bot.store.tables import Person
from knowledge.quoting import quote_lines

WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)
SPACE = st.sampled_from((" ", "  ", "\n", ", ", " *", "_ ", ". ", " - "))


@st.composite
def texts(draw: st.DrawFn, prefix: str = "") -> str:
    """Some words with what may stand between them; with a prefix no two vocabularies share a word."""
    words = draw(st.lists(WORD, min_size=4, max_size=120))
    spaces = draw(st.lists(SPACE, min_size=len(words), max_size=len(words)))
    return "".join(f"{prefix}{word}{space}" for word, space in zip(words, spaces, strict=True)).strip()


def words_left(shown: str) -> list[int]:
    """How many words stand in each line beside what was erased."""
    return [len(re.findall(r"[^\W_]+", line.replace(ERASED, ""))) for line in shown.split("\n")]


@given(texts())
def test_words_are_found_however_they_are_shown(text):
    for shown in (quoted(text), f"“{plain(text)}”", f"- **{plain(text)}** ("):
        assert words_left(Quotes([text]).without(shown)) == [0]


@given(texts())
def test_of_several_lines_each_is_found(text):
    """Of a line with fewer than four words nobody can tell who said it."""
    assert max(words_left(Quotes([text]).without(quote_lines(text)))) < 4


@given(texts("a"), texts("b"))
def test_what_others_said_stays_to_the_letter(mine, theirs):
    for shown in (quoted(theirs), f"“{plain(theirs)}”", plain(theirs), plain(mine)[:3]):
        assert Quotes([mine]).without(shown) == shown


def test_three_words_are_nobodys():
    assert Quotes(["Copilot", "I don't"]).without("> Copilot\n> I don't") == "> Copilot\n> I don't"


def test_the_beginning_is_enough_and_a_common_beginning_is_not():
    quotes = Quotes(["One two three four five six seven."])
    assert quotes.without("> one two *three* four five six ...") == "> (erased) ..."
    assert quotes.without("> one two three four five eight") == "> one two three four five eight"
    assert quotes.without("One two, three four five six seven: one two three four five six seven!") == (
        "(erased): (erased)!"
    )


def test_what_both_said_is_not_hidden_from_either():
    both, more = "One two three four five.", "One two three four five six."
    assert Quotes([both]).without(f"> {both}", but=Quotes([both])) == f"> {both}"
    assert Quotes([more]).without(f"> {more}", but=Quotes([both])) == "> (erased)."


def marks(name: str) -> Marks:
    return Marks(Person(id=7, email="will@example.com", name=name), [])


def test_a_name_of_one_word_is_no_word_of_the_language():
    assert marks("Will").without("Will it? I will. Goodwill, Will.") == (
        "a former colleague it? I will. Goodwill, a former colleague."
    )


def test_a_name_is_found_escaped_in_any_case_and_only_whole():
    scrub = marks("Ann_Lee O*Hara").without
    assert scrub("ANN_LEE o*hara, Ann\\_Lee O\\*Hara") == "a former colleague, a former colleague"
    assert scrub("Joann_Lee O*Hara; will@example.com.au") == "Joann_Lee O*Hara; (erased).au"


def test_a_person_without_a_name_takes_nothing_else_along():
    assert marks(" ").without("All of it stays.") == "All of it stays."


def test_in_json_a_button_with_the_name_goes_and_an_id_is_forgotten():
    message = {
        "text": "Who?",
        "choices": [{"id": "a:7", "label": "Will Young"}, {"id": "a:8", "label": "Ada", "style": "primary"}],
        "answer": {"owner_id": 7, "owner": "Will Young", "count": 7, "person_id": 8},
    }
    assert scrubbed(message, marks("Will Young").without, 7) == {
        "text": "Who?",
        "choices": [{"id": "a:8", "label": "Ada", "style": "primary"}],
        "answer": {"owner_id": None, "owner": "a former colleague", "count": 7, "person_id": 8},
    }
