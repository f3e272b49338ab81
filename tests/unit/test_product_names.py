"""Names of AI products in questions."""

import pytest

from knowledge.product_names import WHETHER, explained


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("Can I put customer names into ChatGPT?", "Can I put customer names into AI tool?"),
        ("is Microsoft Copilot allowed", WHETHER),
        ("may I use chat gpt or Gemini 2.5?", WHETHER),
        ("What's our policy on DeepSeek?", WHETHER),
        ("Darf ich ChatGPT benutzen?", WHETHER),
        ("may I use chat gpt for hiring?", "may I use AI tool for hiring?"),
        ("GPT-5 for contracts?", "AI tool for contracts?"),
        ("Who is Claudette?", "Who is Claudette?"),
        ("How long is leave?", "How long is leave?"),
    ],
)
def test_a_product_is_said_as_what_it_is(asked: str, read: str) -> None:
    assert explained(asked, {"leave": 3}) == read


def test_a_name_that_the_documents_use_is_kept() -> None:
    assert explained("Is Copilot allowed, or ChatGPT?", {"copilot": 2}) == "Is Copilot allowed, or AI tool?"
