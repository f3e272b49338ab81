"""What the pure dialogues of audit, coaching and coverage have in common: what comes in, and what is said."""

from __future__ import annotations

from dataclasses import dataclass

from bot.messages import Message


@dataclass(frozen=True)
class Words:
    """Something typed or said."""

    text: str


@dataclass(frozen=True)
class Chose:
    """A button, with the turn of the card it stood on."""

    turn: int
    what: str


@dataclass(frozen=True)
class Say:
    """Tell the person."""

    message: Message
