"""The App Home: what each person can do and where things stand, by what the person answers for."""

from __future__ import annotations

from typing import Any

from bot.access import actor
from bot.audit.instrument import load_instrument
from bot.clock import Clock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import Person
from handlers.home import OUTSIDE
from handlers.slack.hearing import STRANGER
from handlers.slack.home_cards import cards
from handlers.slack.people import People
from handlers.slack.render import blocks
from handlers.slack.words import Block

MOST_BLOCKS = 100


class HomeViews:
    """Draws App Homes."""

    def __init__(self, store: Store, people: People, clock: Clock) -> None:
        self._store, self._people, self._clock = store, people, clock
        self._instrument = load_instrument()

    async def view(self, team: str, user: str) -> dict[str, Any]:
        """The view for `views.publish`."""
        who = await self._people.find(team, user)
        if who.person_id is None:
            return drawn([OUTSIDE if who.outside else STRANGER])
        async with self._store.read() as session:
            person = await session.get_one(Person, who.person_id)
            rights = await actor(session, who.person_id)
            if rights.outside:
                return drawn([OUTSIDE])
            made = cards(session, self._instrument, person, rights, self._clock())
            return drawn([card async for card in made])


def drawn(shown: list[Message]) -> dict[str, Any]:
    """Cards as a view of the Home tab."""
    made: list[Block] = []
    for card in shown:
        made += [*([{"type": "divider"}] if made else []), *blocks(card, "table")]
    return {"type": "home", "blocks": _numbered(made[:MOST_BLOCKS])}


def _numbered(made: list[Block]) -> list[Block]:
    """Buttons of several cards in one view need ids of their own."""
    number = 0
    for block in made:
        for element in block["elements"] if block["type"] == "actions" else []:
            kind = element["action_id"].partition(":")[0]
            name = element["value"] if kind == "form" else "choice"
            element["action_id"], number = f"{name}:{number}", number + 1
    return made
