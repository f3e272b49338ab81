"""Nudges: everything that is due for one person in one message, with the same five ways to answer.

Do it now, snooze until a date, hand over, not relevant, pause all (instrument, nudges.rules).
"""

from __future__ import annotations

from bot.messages import Choice, Message, plain
from bot.store.tables import Person, ScheduledMessage
from scheduler.cards import Card, nudge_choice

HOW_TO_STOP = "One tap stops me, and I won't write again unless you say so."

LAST_TIME = "A short reminder, the only one; after that I leave it until the next time."


def compose(person: Person, head: ScheduledMessage, cards: list[Card]) -> Message:
    """One message from the cards of a bundle; the first contact says how to stay out."""
    first = person.enrolled_at is None
    parts = [f"Hello {plain(first_name(person))}, I'm Stagecoach."] if first else []
    if all(card.again for card in cards):
        parts.append(LAST_TIME)
    if len(cards) == 1:
        parts.append(cards[0].text)
    else:
        parts.append(f"{_hello(person, first)}{_word(len(cards))} things today:")
        parts.append("\n".join(f"- {card.text}" for card in cards))
    if first:
        parts.append(HOW_TO_STOP)
    return Message(kind="nudge", text="\n\n".join(parts), choices=_choices(head, cards, first))


def _hello(person: Person, first: bool) -> str:
    return "" if first else f"Hello {plain(first_name(person))}. "


def _choices(head: ScheduledMessage, cards: list[Card], first: bool) -> tuple[Choice, ...]:
    id_ = head.id or 0
    do = tuple(choice for card in cards for choice in card.do)
    always = [
        nudge_choice(id_, "snooze", "Later"),
        nudge_choice(id_, "hand", "Hand over"),
        nudge_choice(id_, "drop", "Not relevant"),
        nudge_choice(id_, "out", "Stay out") if first else nudge_choice(id_, "pause", "Pause all"),
    ]
    return (*do, *always)


def first_name(person: Person) -> str:
    """What one says to somebody: the first word of the name."""
    return person.name.split()[0] if person.name.split() else person.name


def _word(number: int) -> str:
    words = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}
    return words.get(number, str(number))
