"""A stored event as a turn: who said what, and where the answer goes."""

from __future__ import annotations

from dataclasses import replace

from bot.clock import Clock
from bot.live import KEPT
from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import enqueue
from bot.store.tables import InboxEvent, Platform
from bot.turns import Turn
from handlers.home import OUTSIDE
from handlers.teams.address import Address
from handlers.teams.company import Company
from handlers.teams.connector import Connector
from handlers.teams.files import dropped
from handlers.teams.live import Spot, TeamsLive, Typing
from handlers.teams.people import Account, People, Who

STRANGER = Message(
    kind="notice",
    text="I don't know you yet: the address of your Teams account isn't in this company's list. Please ask "
    "your administrator to add it, then write to me again.",
)
IN_PRIVATE = Message(
    kind="notice",
    text="People of another company may read along here, so I answer you in our own chat.",
)
NO_CHAT = Message(
    kind="notice",
    text="People of another company may read along here, and I can't write to you alone yet. Please add me "
    "under Apps, then ask me there.",
)


class TeamsHearing:
    """What handlers.conversation.Hearing asks of a surface."""

    def __init__(
        self, store: Store, people: People, clock: Clock, connector: Connector, typing: Typing
    ) -> None:
        self._store, self._people, self._clock = store, people, clock
        self._connector, self._typing = connector, typing
        self._company = Company(connector)

    async def __call__(self, event: InboxEvent) -> Turn | None:
        """The turn of a known person. Others get one kind sentence; what needs no answer gets none."""
        heard, account = event.payload, account_of(event)
        if heard["kind"] == "removed":
            if account.personal:
                await self._people.gone(account)
            return None
        if heard["kind"] == "installed" and not account.personal:
            return None  # handlers.teams.linking looks at who is there.
        who = await self._people.find(account)
        if who.person_id is None:
            await self._reply(event, OUTSIDE if who.outside else STRANGER)
            return None
        if heard["kind"] == "installed":
            new = await self._people.welcome(account, event.id or 0)
            return _turn(event, who, text="hello") if new else None
        return await self._turn(event, account, who)

    async def _turn(self, event: InboxEvent, account: Account, who: Who) -> Turn | None:
        """What somebody known said. Where outsiders may read along, the answer goes to the personal chat."""
        heard = event.payload
        private = bool(heard["public"]) and (heard["shared"] or await self._company.is_mixed(account))
        if private and heard["kind"] == "say":
            await self._reply(event, IN_PRIVATE if who.direct else NO_CHAT)
        if private and not who.direct:
            return None
        turn = _turn(event, who, heard.get("text"), heard.get("choice"), private)
        files = dropped(self._connector, heard.get("files") or [])
        return turn and replace(turn, files=files, live=self._live(event, not private))

    def _live(self, event: InboxEvent, shows: bool) -> TeamsLive:
        spot = Spot(event.payload["service_url"], event.conversation, event.id or 0, shows)
        return TeamsLive(self._store, self._connector, self._typing, spot, event.payload.get(KEPT))

    async def _reply(self, event: InboxEvent, message: Message) -> None:
        address = _place(event)
        # Both tidings of one installation get one reply.
        once = event.conversation if event.payload["kind"] == "installed" else event.id
        async with self._store.write() as tx:
            await enqueue(
                tx,
                platform=Platform.TEAMS,
                conversation=address.conversation,
                thread=address.thread or None,
                messages=[message],
                key=f"teams-notice:{once}",
                now=self._clock(),
                event_id=event.id,
            )


def account_of(event: InboxEvent) -> Account:
    """Whom a stored event is from."""
    heard = event.payload
    return Account(
        tenant=heard["tenant"],
        user=heard["user"],
        aad=heard["aad"],
        conversation=_place(event).conversation,
        service_url=heard["service_url"],
        bot=heard["bot"],
        tz=heard.get("tz", ""),
        personal=not heard["public"],
    )


def _place(event: InboxEvent) -> Address:
    return Address.parse(event.conversation)


def _turn(
    event: InboxEvent, who: Who, text: str | None, choice: str | None = None, private: bool = False
) -> Turn | None:
    address = _place(event)
    if event.id is None or who.person_id is None:
        return None
    return Turn(
        event_id=event.id,
        person_id=who.person_id,
        platform=event.platform.value,
        conversation=who.direct if private else address.conversation,
        at=event.received_at,
        text=text,
        choice=choice,
        thread=None if private else address.thread or None,
        public=bool(event.payload["public"]) and not private,
    )
