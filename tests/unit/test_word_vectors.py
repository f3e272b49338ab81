"""Texts as the mean of their words."""

import numpy as np
import pytest

from knowledge.embed import LocalEmbedder
from knowledge.words import WordVectors


@pytest.fixture(scope="module")
def words() -> WordVectors:
    return WordVectors(LocalEmbedder())


def test_texts_are_of_length_one_and_order_does_not_matter(words):
    one, other = words.encode(["the contract was signed by Kim", "Kim signed; by the contract was"])
    assert np.linalg.norm(one) == pytest.approx(1)
    assert one @ other == pytest.approx(1)


def test_a_text_without_a_word_is_nothing(words):
    assert not words.encode(["", "...", "1 2 3"]).any()


def test_frequent_words_count_less_and_kindred_words_are_near(words):
    bare, dressed, kindred, other = words.encode(["invoice", "the invoice of the", "bill", "violin"])
    assert bare @ dressed > 0.95
    assert bare @ kindred > bare @ other
