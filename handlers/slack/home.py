"""The App Home: what each person can do and where things stand, by what the person answers for."""

from __future__ import annotations

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Clock
from bot.messages import Message
from bot.store.engine import Store
from bot.turns import Turn
from handlers.home import OUTSIDE, Home
from handlers.slack.hearing import STRANGER
from handlers.slack.people import People
from handlers.slack.render import blocks
from handlers.slack.words import Block

MOST_BLOCKS = 100


class HomeViews:
    """Draws App Homes."""

    def __init__(self, store: Store, people: People, clock: Clock) -> None:
        self._store, self._people, self._clock = store, people, clock

    async def view(self, team: str, user: str) -> dict[str, Any]:
        """The view for `views.publish`."""
        who = await self._people.find(team, user)
        if who.person_id is None:
            messages = [OUTSIDE if who.outside else STRANGER]
        else:
            async with self._store.read() as session:
                messages = await self._cards(session, who.person_id)
        drawn = [
            block for message in messages for block in (*blocks(message, native=False), {"type": "divider"})
        ]
        return {"type": "home", "blocks": _numbered(drawn[:-1][:MOST_BLOCKS])}

    async def _cards(self, session: AsyncSession, person_id: int) -> list[Message]:
        greeting = Turn(0, person_id, "slack", "", self._clock(), text="hello")
        return await Home().apply(session, greeting, None)


def _numbered(drawn: list[Block]) -> list[Block]:
    """Buttons of several cards in one view need ids of their own."""
    number = 0
    for block in drawn:
        for element in block.get("elements", []) if block["type"] == "actions" else []:
            element["action_id"], number = f"choice:{number}", number + 1
    return drawn
