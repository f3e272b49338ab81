"""Which words ask for facts of the own department."""

from __future__ import annotations

import pytest

from bot.coaching.questions import route


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("Where do we stand?", "standing"),
        ("where are we now?", "standing"),
        ("Where does my team stand?", "standing"),
        ("Show our placement", "standing"),
        ("What did I answer last time?", "last_answers"),
        ("What is holding us back?", "holding_back"),
        ("Who will see my answers?", None),
        ("Where do we keep AI incidents?", None),
        ("We stand where our answers are", None),
    ],
)
def test_words_reach_their_topic(said: str, topic: str | None) -> None:
    found = route(said)
    assert (found.topic if found else None) == topic
