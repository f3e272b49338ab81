"""Ids of buttons: `<part>:<session>:<turn>:<what>`.

The turn says which card the button stood on, so that a button of an old card can be told from one of the
present card. `what` may hold anything but is kept short: platforms cut ids off.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"([a-z]+):(\d{1,18}):(\d{1,9}):(.{1,120})", re.DOTALL)


class ChoiceId(NamedTuple):
    """A button's id in its four parts."""

    part: str
    session: int
    turn: int
    what: str

    def __str__(self) -> str:
        return f"{self.part}:{self.session}:{self.turn}:{self.what}"


def parse_choice_id(text: str) -> ChoiceId | None:
    """The parts of a button's id, or None when it is not one of ours."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    return ChoiceId(found[1], int(found[2]), int(found[3]), found[4])
