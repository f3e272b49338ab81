"""People at their Teams: what they type and press becomes activities with a token, as Teams would send them.

A press finds its button in what the app really posted. A request that is not acknowledged is sent again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt

from tests.fakes.teams_server import APP, BOT, ISSUER, KEY_ID, TENANT, Chat, FakeTeams

PATIENCE = 15.0


def signed(teams: FakeTeams, **changed: Any) -> str:
    """The header of a request that the service signed; `changed` claims are for forgeries."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": APP,
        "serviceurl": teams.service_url,
        "nbf": now - 300,
        "exp": now + 3_600,
    }
    wanted = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return f"Bearer {jwt.encode(wanted, teams.key, 'RS256', headers={'kid': KEY_ID})}"


@dataclass
class Chats:
    """Everybody's hands. `endpoint` is where the app takes activities."""

    teams: FakeTeams
    endpoint: str
    http: aiohttp.ClientSession
    retries: int = 2
    replies: list[tuple[int, Any]] = field(default_factory=list)

    # ── Requests ─────────────────────────────────────────────────────────────────────────────────────────

    async def deliver(self, activity: dict[str, Any]) -> int:
        """Deliver an activity; send it again while it is not acknowledged. Returns the last status."""
        for _ in range(self.retries + 1):
            status = await self.knock(activity, {"Authorization": signed(self.teams)})
            if status == 200:
                break
        return status

    async def knock(self, activity: Any, headers: dict[str, str]) -> int:
        """One request, whatever it holds."""
        async with self.http.post(self.endpoint, json=activity, headers=headers) as response:
            is_json = response.content_type == "application/json"
            self.replies.append((response.status, await response.json() if is_json else None))
            return response.status

    def activity(self, user: str, chat: Chat, kind: str, thread: str = "", **more: Any) -> dict[str, Any]:
        """An activity of `user` in a chat, undelivered."""
        profile = self.teams.users[user]
        place = f"{chat.id};messageid={thread}" if thread else chat.id
        return {
            "type": kind,
            "id": self.teams.stamp(),
            "channelId": "msteams",
            "serviceUrl": self.teams.service_url,
            "from": {"id": profile["id"], "name": profile["name"], "aadObjectId": profile["aadObjectId"]},
            "recipient": {"id": BOT, "name": "Stagecoach"},
            "conversation": {"conversationType": chat.kind, "tenantId": TENANT, "id": place},
            "channelData": {"tenant": {"id": TENANT}},
            "locale": "en-GB",
            "localTimezone": "Europe/Berlin",
            **more,
        }

    # ── What people do ───────────────────────────────────────────────────────────────────────────────────

    async def say(self, user: str, text: str, **more: Any) -> dict[str, Any]:
        """Write to the app in the personal chat. Returns the activity that was delivered."""
        body = self.activity(user, self.teams.personal(user), "message", text=text, **more)
        await self.deliver(body)
        return body

    async def speak(self, user: str, chat: str, text: str, thread: str = "", **more: Any) -> str:
        """Write in a channel or a group chat; `@` stands for the mention of the app. Returns the thread."""
        place = self.teams.chats[chat]
        body = self.activity(user, place, "message", text=text.replace("@", "<at>Stagecoach</at>"), **more)
        if "@" in text:
            named = {"type": "mention", "text": "<at>Stagecoach</at>", "mentioned": {"id": BOT}}
            body["entities"] = [named]
        if place.kind == "channel":
            thread = thread or body["id"]
            body["conversation"]["id"] = f"{place.id};messageid={thread}"
        await self.deliver(body)
        return thread

    async def install(self, user: str) -> None:
        """Add the app for oneself: Teams tells of it in two ways."""
        self.teams.installed.add(user)
        chat = self.teams.personal(user)
        await self.deliver(self.activity(user, chat, "installationUpdate", action="add"))
        me = [{"id": BOT}, {"id": self.teams.users[user]["id"]}]
        await self.deliver(self.activity(user, chat, "conversationUpdate", membersAdded=me))

    async def uninstall(self, user: str) -> None:
        """Take the app away."""
        self.teams.installed.discard(user)
        chat = self.teams.personal(user)
        await self.deliver(self.activity(user, chat, "installationUpdate", action="remove"))

    async def add_to_team(self, user: str, team: str, *members: str) -> None:
        """Add the app to a team with these people."""
        place = self.teams.add_channel(team, *members)
        body = self.activity(user, place, "conversationUpdate", membersAdded=[{"id": BOT}])
        body["channelData"]["team"] = {"id": team}
        await self.deliver(body)

    async def click(
        self, user: str, label: str, chat: str | None = None, times: int = 1, **given: Any
    ) -> None:
        """Press the newest button with that label; `times` as a double click does. `given`: fields."""
        place = self.teams.chats[chat] if chat else self.teams.personal(user)
        message, action = self.button(place, label)
        await asyncio.gather(*(self.press(user, place, message, action, **given) for _ in range(times)))

    def button(self, place: Chat, label: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The newest button with that label, and the message it stands in."""
        for message in reversed(place.messages):
            for action in actions(message):
                if action["title"] == label:
                    return message, action
        raise AssertionError(f"no button {label!r} in {place.id}; last: {place.messages[-1:]}")

    async def press(
        self, user: str, place: Chat, message: dict[str, Any], action: dict[str, Any], **given: Any
    ) -> int:
        """Press a button of a message, however old."""
        data = {**action["data"], **given}
        value = {"action": {**action, "data": data}, "trigger": "manual"}
        thread = message.get("thread") or ""
        more = {"name": "adaptiveCard/action", "value": value, "replyToId": message["id"]}
        return await self.deliver(self.activity(user, place, "invoke", thread, **more))

    # ── What people see ──────────────────────────────────────────────────────────────────────────────────

    async def wait(self, true: Callable[[], Any]) -> Any:
        """Wait until `true()` holds, and return it."""
        async with asyncio.timeout(PATIENCE):
            async with self.teams.news:
                await self.teams.news.wait_for(true)
        return true()

    async def next(self, user: str, chat: str | None = None) -> dict[str, Any]:
        """The next message of the app that nobody has looked at yet."""
        place = self.teams.chats[chat] if chat else self.teams.personal(user)

        def unseen() -> dict[str, Any] | None:
            return next((one for one in place.messages if not one.get("seen")), None)

        message = await self.wait(unseen)
        message["seen"] = True
        return dict(message)


def card(message: dict[str, Any]) -> dict[str, Any]:
    """The card of a message; an empty one where it has words alone."""
    return next((one["content"] for one in message.get("attachments", [])), {"body": []})


def actions(message: dict[str, Any]) -> list[dict[str, Any]]:
    """All buttons of a message."""
    sets = [node for node in nodes(card(message)) if node.get("type") == "ActionSet"]
    return [action for one in sets for action in one["actions"]]


def said(message: dict[str, Any]) -> str:
    """Everything that can be read in a message."""
    lines = []
    for node in nodes(card(message)):
        if node.get("type") == "RichTextBlock":
            lines.append("".join(run["text"] for run in node["inlines"]))
    return message.get("text") or "\n".join(lines)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a card."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from nodes(one)
