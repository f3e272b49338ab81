"""Words at a card of the coverage that mean one of its buttons, and words that mean none."""

from __future__ import annotations

import pytest

from bot.coverage.spoken import spoken_tap


@pytest.mark.parametrize(
    ("phase", "said", "tap"),
    [
        ("hours", "3 hours", "hours.2-5"),
        ("hours", "about 3", "hours.2-5"),
        ("hours", "Roughly 20 minutes", "hours.<0.5"),
        ("hours", "half an hour", "hours.0.5-1"),
        ("hours", "an hour a week", "hours.0.5-1"),
        ("hours", "1.5h", "hours.1-2"),
        ("hours", "six to eight hours", "hours.5-10"),
        ("hours", "1 hour per day", "hours.2-5"),
        ("hours", "15", "hours.>10"),
        ("hours", "4 hours a month", "hours.0.5-1"),
        ("hours", "it depends", None),
        ("hours", "one", None),
        ("hours", "How many hours may I work from home?", None),
        ("share", "half of them", "share.3-5"),
        ("share", "7 out of ten", "share.6-8"),
        ("share", "70%", "share.6-8"),
        ("share", "all", "share.9-10"),
        ("share", "not at all", "share.none"),
        ("share", "1 of 10", "share.1-2"),
        ("share", "40", None),
        ("mode", "it only helps us", "mode.helps"),
        ("mode", "nobody checks", "mode.unchecked"),
        ("mode", "we check samples", "mode.samples"),
        ("mode", "we check every one", "mode.each"),
        ("accepted", "8 of 10", "accepted.2"),
        ("accepted", "all of them", "accepted.0"),
        ("accepted", "two", "accepted.8"),
        ("accepted", "no idea", "accepted.9"),
        ("tools", "yes", "tools.all"),
        ("tools", "no", "some"),
        ("tasks", "let's start", "go"),
        ("overview", "nothing changed", "same"),
        ("overview", "everything is the same", "same"),
        ("changed", "the same", "back"),
        ("which", "3 hours", None),
    ],
)
def test_words_that_mean_a_tap(phase: str, said: str, tap: str | None) -> None:
    assert spoken_tap(phase, said) == tap
