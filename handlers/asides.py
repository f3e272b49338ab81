"""Which buttons of a message lead away from what was asked, so that a surface can show them quietly."""

from __future__ import annotations

import re

from bot.messages import Choice

_ALWAYS = frozenset({"skip", "later", "hand", "edit", "pause"})
_ASIDES = _ALWAYS | {"again", "drop", "na", "snooze", "why"}


def is_aside(choice: Choice) -> bool:
    """Whether the button leads away from what was asked, instead of answering it."""
    return choice.style == "default" and _what(choice) in _ASIDES


def is_always_there(choice: Choice) -> bool:
    """Whether it is one of the asides that every question of an audit offers, and few people need."""
    return choice.style == "default" and _what(choice) in _ALWAYS


def _what(choice: Choice) -> str:
    """What the last part of the button's id says."""
    return re.split(r"[.:]", choice.id)[-1]
