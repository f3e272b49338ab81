"""Messages on their way to Teams (scheduler.sending.Sender).

Nothing is tried again here but a message whose card Teams refused: that one surely did not arrive, and leaves
as words. Everything else is the outbox's to decide; this only says what surely happened.

A bot can't read what it wrote in Teams: where a connection breaks after a message was handed over, nobody can
tell whether it arrived. What takes the place of an earlier message can be done again without harm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlmodel import col, select

from bot.store.engine import Store
from bot.store.tables import Identity, InboxEvent, Platform
from handlers.teams.activities import forms
from handlers.teams.address import Address
from handlers.teams.connector import Connector, Refused
from handlers.teams.meaning import AWAY, TOO_RICH, meaning
from scheduler.sending import Gone, Outgoing, Pace, Uncertain

log = structlog.get_logger()


@dataclass(frozen=True)
class Place:
    """Where a message goes. `direct`: into the chat with its reader alone."""

    service_url: str
    conversation: str
    direct: bool


class TeamsSender:
    """Writes to Teams. `after` is called with the address once a message is there (to end the typing)."""

    pace = Pace(per_second=50, apart=0.5, at_once=32, timeout=30.0)
    """Teams takes 50 requests a second in all, and of one conversation 60 in 30 seconds."""

    def __init__(self, store: Store, connector: Connector, after: Callable[[Address], None]) -> None:
        self._store, self._connector, self._after = store, connector, after

    async def send(self, outgoing: Outgoing) -> str:
        """Post the message, or put it in the place of another; returns its id. Raises Undelivered."""
        place = await self._place(outgoing)
        for activity in forms(outgoing.message):
            try:
                sent = await self._hand_over(place, outgoing, activity)
            except Refused as error:
                if error.status not in TOO_RICH or "attachments" not in activity:
                    raise meaning(error, place.direct) from error
                log.warning("card refused", action="teams.refused", message_id=outgoing.id, reason=error.code)
            except AWAY as error:
                raise meaning(error, place.direct) from error
            else:
                self._after(Address.parse(place.conversation))
                return sent
        raise Gone("Teams refused the message in every form.")

    async def _hand_over(self, place: Place, outgoing: Outgoing, activity: dict[str, Any]) -> str:
        shown = outgoing.message.continues
        if shown is not None:
            try:
                await self._connector.update(place.service_url, place.conversation, shown, activity)
            except Refused as error:
                # What was shown is gone: the whole answer is posted anew.
                if error.status not in (404, 405):
                    raise
                log.warning("posted anew", action="teams.replace", message_id=outgoing.id, reason=error.code)
            else:
                return shown
        sent = await self._connector.send(place.service_url, place.conversation, activity)
        return sent or f"teams:{outgoing.id}"

    async def find(self, outgoing: Outgoing) -> str | None:
        """A bot can't read a conversation; only what replaces something may be done again without harm."""
        if outgoing.message.continues is not None:
            return None
        raise Uncertain("Teams does not let an app read what it wrote.")

    async def _place(self, outgoing: Outgoing) -> Place:
        """Where the message goes, by what was heard last from there."""
        address = Address(outgoing.conversation, outgoing.thread or "")
        async with self._store.read() as session:
            known = select(Identity).where(Identity.platform == Platform.TEAMS).limit(20)
            newest = col(Identity.last_seen_at).desc().nulls_last()
            if outgoing.person_id is not None:
                known = known.where(Identity.person_id == outgoing.person_id)
            accounts = [one.address for one in await session.exec(known.order_by(newest))]
            direct = any(one.get("conversation") == outgoing.conversation for one in accounts)
            heard = select(InboxEvent.payload).where(
                InboxEvent.platform == Platform.TEAMS, InboxEvent.conversation == str(address)
            )
            event = (await session.exec(heard.order_by(col(InboxEvent.id).desc()).limit(1))).first()
        mine = [one for one in accounts if one.get("conversation") == outgoing.conversation]
        named = [*mine, *([event] if event else []), *accounts]
        urls = [str(one["service_url"]) for one in named if one.get("service_url")]
        url = urls[0] if urls else self._connector.microsoft.service
        return Place(url, str(address), direct and outgoing.person_id is not None)
