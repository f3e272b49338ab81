"""People at their Slack: what they type and click becomes signed requests, as Slack would send them.

A click finds its button in what the bot really posted. A request that is not acknowledged is sent again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack_server import APP, BOT, TEAM, Channel, FakeSlack

SECRET = "fake-signing-secret"
PATIENCE = 15.0


def signed(body: bytes, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers of a request that Slack signed `at` a time (seconds since 1970)."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


@dataclass
class Workspace:
    """Everybody's hands. `endpoint` is where the bot takes requests."""

    slack: FakeSlack
    endpoint: str
    http: aiohttp.ClientSession
    retries: int = 2
    replies: list[tuple[int, str]] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    # ── Requests ─────────────────────────────────────────────────────────────────────────────────────────

    async def send_json(self, body: dict[str, Any], **headers: str) -> int:
        """Deliver an event; send it again while it is not acknowledged. Returns the last status."""
        raw = json.dumps(body).encode()
        for attempt in range(self.retries + 1):
            more = (
                {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_error"} if attempt else {}
            )
            status = await self._send(
                raw, {"Content-Type": "application/json", **signed(raw), **more, **headers}
            )
            if status == 200:
                break
        return status

    async def send_form(self, form: dict[str, str]) -> int:
        """Deliver an interaction or a slash command; Slack sends those once."""
        raw = urlencode(form).encode()
        return await self._send(raw, {"Content-Type": "application/x-www-form-urlencoded", **signed(raw)})

    async def _send(self, raw: bytes, headers: dict[str, str]) -> int:
        async with self.http.post(self.endpoint, data=raw, headers=headers) as response:
            self.replies.append((response.status, await response.text()))
            return response.status

    def event(self, event: dict[str, Any], **around: Any) -> dict[str, Any]:
        """An event as it is wrapped for delivery."""
        return {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event_id": f"Ev{next(self._numbers):08d}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "enterprise_id": None, "user_id": BOT, "is_bot": True}],
            "event": event,
            **around,
        }

    # ── What people do ───────────────────────────────────────────────────────────────────────────────────

    async def say(self, user: str, text: str, thread: str | None = None, **extra: Any) -> dict[str, Any]:
        """Write to the bot in the direct message. Returns the event that was delivered."""
        channel = self.slack.direct(user)
        body = self.said(channel, user, text, thread, channel_type="im", **extra)
        await self.send_json(body)
        return body

    def said(
        self, channel: Channel, user: str, text: str, thread: str | None = None, **extra: Any
    ) -> dict[str, Any]:
        """Put words into a channel and return the event about them, undelivered."""
        message = self.slack.post(channel, user, {"text": text, "thread_ts": thread})
        return self.event({**message, "channel": channel.id, "team": TEAM, **extra})

    async def speak(self, user: str, channel: str, text: str, thread: str | None = None) -> str:
        """Write in a channel. With a mention it arrives twice, as two kinds of event. Returns the `ts`."""
        place = self.slack.channels[channel]
        home = self.slack.users[user]["team_id"]
        body = self.said(place, user, text, thread, channel_type="channel", user_team=home)
        body["is_ext_shared_channel"] = place.shared
        deliveries = [body]
        if f"<@{BOT}>" in text:
            mention = {**body["event"], "type": "app_mention"}
            mention.pop("channel_type")
            deliveries.insert(0, self.event(mention, is_ext_shared_channel=place.shared))
        await asyncio.gather(*(self.send_json(delivery) for delivery in deliveries))
        return str(body["event"]["ts"])

    async def click(self, user: str, label: str, channel: str | None = None, times: int = 1) -> None:
        """Press the newest button with that label; `times` as a double click does."""
        place = self.slack.channels[channel] if channel else self.slack.direct(user)
        message, element = self.button(place, label)
        await asyncio.gather(*(self.press(user, place, message, element) for _ in range(times)))

    def button(self, place: Channel, label: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The newest button with that label, and the message it stands in."""
        for message in reversed(place.messages):
            for element in buttons(message.get("blocks", [])):
                if element["text"]["text"] == label:
                    return message, element
        raise AssertionError(f"no button {label!r} in {place.id}; last: {place.messages[-1:]}")

    async def press(self, user: str, place: Channel, message: dict[str, Any], element: dict[str, Any]) -> int:
        """Press a button of a message, however old."""
        container = {"type": "message", "message_ts": message["ts"], "channel_id": place.id}
        return await self.interact(
            {
                "type": "block_actions",
                "user": {"id": user, "team_id": self.slack.users[user]["team_id"]},
                "channel": {"id": place.id},
                "container": container,
                "message": message,
                "is_ext_shared_channel": place.shared,
                "actions": [self.action(element)],
            }
        )

    def action(self, element: dict[str, Any]) -> dict[str, Any]:
        """What Slack tells about a pressed button, or about a picked entry of a menu."""
        kind, value = element.get("type", "button"), {"value": element["value"]}
        return {
            "type": kind,
            "action_id": element["action_id"],
            **({"selected_option": {"text": element["text"], **value}} if kind == "overflow" else value),
            "action_ts": f"{time.time():.6f}{next(self._numbers)}",
        }

    async def interact(self, payload: dict[str, Any]) -> int:
        """Deliver an interaction."""
        trigger = f"trigger{next(self._numbers)}"
        self.slack.triggers[trigger] = (payload["user"]["id"], time.monotonic())
        around = {"team": {"id": TEAM}, "trigger_id": trigger, "api_app_id": APP}
        return await self.send_form({"payload": json.dumps({**around, **payload})})

    async def click_home(self, user: str, label: str) -> int:
        """Press a button of the App Home."""
        blocks = self.slack.homes[user]["blocks"]
        element = next(one for one in buttons(blocks) if one["text"]["text"] == label)
        return await self.interact(
            {
                "type": "block_actions",
                "user": {"id": user, "team_id": TEAM},
                "container": {"type": "view", "view_id": "V1"},
                "view": {"id": "V1", "type": "home"},
                "actions": [self.action(element)],
            }
        )

    async def form(self, user: str, holding: str) -> dict[str, Any]:
        """The form that is open before somebody, once it holds a field or some words."""

        def there() -> Any:
            mine = [view for view in self.slack.forms.values() if view["user"] == user]
            return mine and holding in json.dumps(mine[-1], ensure_ascii=False) and mine[-1]

        return dict(await self.wait(there))

    async def submit(self, user: str, view: dict[str, Any], **given: str) -> dict[str, Any]:
        """Fill in the fields named by the last part of their block's id, and send the form."""
        values = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                name = block["block_id"].rpartition("|")[2]
                values[block["block_id"]] = {"value": _filled(block["element"], given.get(name))}
        who = {"id": user, "team_id": TEAM}
        sent = {**view, "state": {"values": values}}
        await self.interact({"type": "view_submission", "user": who, "view": sent})
        return dict(json.loads(self.replies[-1][1] or "{}"))

    async def command(self, user: str, text: str, channel: str = "C0ANY") -> dict[str, Any]:
        """Type /stagecoach; returns what is shown to the person alone."""
        form = {
            "command": "/stagecoach",
            "text": text,
            "user_id": user,
            "team_id": TEAM,
            "channel_id": channel,
        }
        await self.send_form({**form, "trigger_id": f"trigger{next(self._numbers)}"})
        return dict(json.loads(self.replies[-1][1] or "{}"))

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Open the app's Home or Messages tab."""
        event = {"type": "app_home_opened", "user": user, "channel": self.slack.direct(user).id, "tab": tab}
        await self.send_json(self.event(event))

    # ── What people see ──────────────────────────────────────────────────────────────────────────────────

    async def wait(self, true: Callable[[], Any]) -> Any:
        """Wait until `true()` holds, and return it."""
        async with asyncio.timeout(PATIENCE):
            async with self.slack.news:
                await self.slack.news.wait_for(true)
        return true()

    async def next(self, user: str, channel: str | None = None) -> dict[str, Any]:
        """The next message of the bot that nobody has looked at yet."""
        place = self.slack.channels[channel] if channel else self.slack.direct(user)

        def unseen() -> dict[str, Any] | None:
            # What is still being written is looked at when it is done.
            done = [m for m in place.messages if m["user"] == BOT and m.get("stream", "over") == "over"]
            return next((m for m in done if not m.get("seen")), None)

        message = await self.wait(unseen)
        message["seen"] = True
        return dict(message)


def _filled(element: dict[str, Any], given: str | None) -> dict[str, Any]:
    """A field's state: what was chosen or typed, else what it held before."""
    kind = element["type"]
    if kind == "static_select":
        names = {name: one for one in element["options"] for name in (one["value"], one["text"]["text"])}
        return {"type": kind, "selected_option": names.get(given or "") or element.get("initial_option")}
    if kind == "conversations_select":
        return {"type": kind, "selected_conversation": given or element.get("initial_conversation")}
    return {"type": kind, "value": given if given is not None else element.get("initial_value")}


def buttons(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All buttons of blocks, the feedback pair and the entries of menus included."""
    found = []
    for block in blocks:
        for element in block.get("elements", []):
            if element.get("type") == "button":
                found.append(element)
            elif element.get("type") == "overflow":
                named = {"type": "overflow", "action_id": element["action_id"]}
                found += [{**option, **named} for option in element["options"]]
            elif element.get("type") == "feedback_buttons":
                for name in ("positive_button", "negative_button"):
                    found.append(
                        {**element[name], "action_id": element["action_id"], "type": "feedback_buttons"}
                    )
    return found
