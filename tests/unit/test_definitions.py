"""Questions for what a word means, and the sentences and rows that say it."""

from __future__ import annotations

import pytest

from knowledge.definitions import Name, name_in
from knowledge.lexical import Terms
from knowledge.sentences import sentence_spans

CLASSES = """| Class | Meaning | Examples |
|---|---|---|
| Green | Public | Prices |
| Red | Would hurt somebody | Door codes |

A picture with flat numbers is Red.
- Red: never by e-mail.
"""


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("what is red data", "red data"),
        ("What are red data?", "red data"),
        ("What does “amber” mean?", "amber"),
        ("What does confidential mean here?", "confidential"),
        ("what is meant by a legal hold", "legal hold"),
        ("what's the definition of personal data?", "personal data"),
        ("define shadow AI", "shadow ai"),
        ("What is Codelark for?", "codelark"),
        ("what counts as a gift?", "gift"),
        ("what is the maximum price of a hotel?", None),
        ("What is the deadline for claims?", None),
        ("what is it?", None),
        ("What are you allowed to do?", None),
        ("what is new", None),
        ("What does a seat cost?", None),
        ("How long is red data kept?", None),
    ],
)
def test_what_a_question_asks_the_meaning_of(question: str, name: str | None) -> None:
    found = name_in(question, Terms().of)
    assert (found.words if found else None) == name


@pytest.mark.parametrize(
    ("words", "sentence", "said"),
    [
        ("personal data", "Personal data is everything that relates to a person.", 1.0),
        ("personal data", "Personal data is deleted after a year.", 0.0),
        ("personal data", "The protection of personal data is a duty.", 0.0),
        ("shadow ai", "- **Shadow AI**: Unauthorized use of tools.", 0.7),
        ("retaliation", "By retaliation we mean any disadvantage.", 1.0),
        ("gifts", "A gift is anything of value.", 1.0),
        ("pii", "PII (personal information) means names and addresses.", 1.0),
        ("c++ (new)", "C++ (new) means anything.", 1.0),
    ],
)
def test_which_sentences_say_what_a_name_means(words: str, sentence: str, said: float) -> None:
    (found,) = Name(words, Terms().of).said(sentence, [(0, len(sentence))])
    assert found == pytest.approx(said)


def test_a_row_says_it_where_its_kind_stands_around_it() -> None:
    spans = sentence_spans(CLASSES)

    def best(words: str, headings: str) -> str:
        said = Name(words, Terms().of).said(CLASSES, spans, headings)
        return CLASSES[slice(*spans[int(said.argmax())])] if said.any() else ""

    assert best("red data", "Data classes").startswith("| Red | Would hurt")
    assert best("red", "").startswith("| Red | Would hurt")
    assert best("red lights", "Data classes") == "", "the classes are not of lights"
    assert best("class", "Data classes") == "", "a header says nothing"
