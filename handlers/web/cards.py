"""How a message's text and buttons share the room on the page.

Other surfaces say in words what the page can draw. Two such things are taken out of the text here: the
progress line, where the page draws its own, and lettered options ("- **A** some text", with buttons "A" and
"B" below), which become buttons that carry their own text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.messages import Choice, Message
from handlers.asides import is_aside

_PROGRESS = re.compile(r"\*\*Question \d+ of \d+\*\*[^\n]*")
_OPTION = re.compile(r"- \*\*([A-Z])\*\* +(.+)")


@dataclass(frozen=True)
class Option:
    """A button with the text it stands for."""

    choice: Choice
    text: str


@dataclass(frozen=True)
class Card:
    """A message laid out: text, then `options` with text of their own, then `answers`, then `asides`."""

    text: str
    options: tuple[Option, ...]
    answers: tuple[Choice, ...]
    asides: tuple[Choice, ...]


def card(message: Message) -> Card:
    """The message laid out for the page. Nothing it says is lost."""
    labels = {choice.label for choice in message.choices}
    texts: dict[str, str] = {}
    kept: list[str] = []
    for line in message.text.split("\n"):
        option = _OPTION.fullmatch(line)
        if option is not None and option[1] in labels and option[1] not in texts:
            texts[option[1]] = option[2]
        elif not (message.progress and _PROGRESS.fullmatch(line)):
            kept.append(line)
    asides = tuple(choice for choice in message.choices if is_aside(choice))
    return Card(
        text="\n".join(kept),
        options=tuple(Option(one, texts[one.label]) for one in message.choices if one.label in texts),
        answers=tuple(one for one in message.choices if one.label not in texts and one not in asides),
        asides=asides,
    )


def spoken(message: Message) -> dict[str, str]:
    """What picking each button of a message says: its label, or the text that its letter stands for."""
    said = {choice.id: choice.label for choice in message.choices}
    said.update({option.choice.id: _unescaped(option.text) for option in card(message).options})
    return said


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\\`*_{}\[\]<>#|~])", r"\1", text)
