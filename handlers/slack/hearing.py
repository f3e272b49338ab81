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
from handlers.slack.address import Address
from handlers.slack.clients import Clients
from handlers.slack.files import dropped
from handlers.slack.live import SlackLive, Spot
from handlers.slack.people import People, Who
from handlers.slack.status import Status
from knowledge.uploads import PREFIX as UPLOAD

STRANGER = Message(
    kind="notice",
    text="I don't know you yet: the address of your Slack account isn't in this company's list. Please ask "
    "your administrator to add it, then write to me again.",
)
ASKED = Message(text="I have written to this person in a direct message.")
UNKNOWN = Message(kind="notice", text="I don't know this person: the address isn't in the company's list.")
IN_PRIVATE = Message(
    kind="notice",
    text="People of another company read along here, so I answer you in a direct message.",
)


class SlackHearing:
    """What handlers.conversation.Hearing asks of a surface."""

    def __init__(self, store: Store, people: People, clock: Clock, clients: Clients, status: Status) -> None:
        self._store, self._people, self._clock = store, people, clock
        self._clients, self._status = clients, status

    async def __call__(self, event: InboxEvent) -> Turn | None:
        """The turn of a known person. Others get one kind sentence; what needs no answer gets none."""
        heard, address = event.payload, Address.parse(event.conversation)
        if heard["kind"] == "profile":
            await self._people.refresh(address.team, heard["user"])
            return None
        if heard.get("outside"):
            await self._reply(event, OUTSIDE)
            return None
        who = await self._people.find(address.team, heard["user"])
        if heard.get("completes"):
            await self._complete(event, address.team, ASKED if who.person_id is not None else UNKNOWN)
        if who.person_id is None:
            await self._reply(event, OUTSIDE if who.outside else STRANGER)
            return None
        if heard.get("shared") and heard["kind"] == "say":
            await self._reply(event, IN_PRIVATE)
        turn = _turn(event, address, who)
        if turn is not None and heard.get("files"):
            turn = replace(turn, files=dropped(self._clients, address.team, heard["files"]))
        spot = _spot(event, address) if turn is not None else None
        if turn is None or spot is None:
            return turn
        live = SlackLive(self._store, self._clients, self._status, spot, heard.get(KEPT))
        return replace(turn, live=live)

    async def _complete(self, event: InboxEvent, team: str, message: Message) -> None:
        """Let the workflow go on whose step this was; its execution is the address."""
        async with self._store.write() as tx:
            await enqueue(
                tx,
                platform=Platform.SLACK,
                conversation=str(Address(team, f"={event.payload['completes']}")),
                messages=[message],
                key=f"slack-step:{event.id}",
                now=self._clock(),
                event_id=event.id,
            )

    async def _reply(self, event: InboxEvent, message: Message) -> None:
        async with self._store.write() as tx:
            await enqueue(
                tx,
                platform=Platform.SLACK,
                conversation=event.conversation,
                thread=event.payload.get("thread"),
                messages=[message],
                key=f"slack-notice:{event.id}",
                now=self._clock(),
                event_id=event.id,
            )


def _turn(event: InboxEvent, address: Address, who: Who) -> Turn | None:
    heard = event.payload
    # Where people of another company read along, and where there is no channel at all, the answer goes to the
    # direct message.
    private = bool(heard.get("shared")) or address.channel.startswith("@")
    if event.id is None or who.person_id is None:
        return None
    if not (heard.get("text") or heard.get("choice") or heard.get("files")):
        return None
    place = Address(address.team, address.channel)
    return Turn(
        event_id=event.id,
        person_id=who.person_id,
        platform=event.platform.value,
        conversation=who.direct if private or address.direct else str(place),
        at=event.received_at,
        text=heard.get("text"),
        choice=heard.get("choice"),
        thread=None if private else heard.get("thread"),
        public=bool(heard.get("public")) and not private,
    )


def _spot(event: InboxEvent, address: Address) -> Spot | None:
    """Where the answer can be shown while it is made; None where it goes elsewhere than the question."""
    heard = event.payload
    thread = heard.get("thread") or heard.get("ts")
    elsewhere = heard.get("shared") or address.channel[:1] in ("@", "=")
    if event.id is None or elsewhere or not thread or not heard.get("home"):
        return None
    place = Address(address.team, address.channel)
    # To read a document and to make it findable takes long.
    cards = bool(heard.get("files")) or str(heard.get("choice")).startswith(f"{UPLOAD}:")
    return Spot(place, str(thread), event.id, str(heard["user"]), str(heard["home"]), cards)
