"""The streaming methods of the fake Slack: a message that grows piece by piece and ends by itself.

As documented (docs.slack.dev, chat.startStream, chat.appendStream, chat.stopStream, chat.update): a stream
in a direct message hangs in a thread, names its recipient, lives for about five minutes whatever is added,
takes 50 blocks in its pieces, and can't be edited while it runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.fakes.slack_limits import problems

if TYPE_CHECKING:
    from tests.fakes.slack_server import Channel

Given = dict[str, Any]
PIECE, LONGEST_PIECE, LONGEST_TITLE = 50, 12_000, 256
STATES = frozenset({"pending", "in_progress", "complete", "error"})


class Refusal(Exception):
    """Slack's `ok: false`."""


class Streams:
    """Mixed into FakeSlack. `stream_seconds` is how long a stream lives."""

    stream_seconds = 300.0
    users: dict[str, Given]

    def _writable(self, name: str) -> Channel:
        raise NotImplementedError

    def post(self, channel: Channel, user: str, given: Given) -> Given:
        raise NotImplementedError

    def _accepts(self, blocks: list[Given]) -> None:
        raise NotImplementedError

    async def _chat_startStream(self, given: Given) -> Given:
        channel = self._writable(given.get("channel", ""))
        if channel.id.startswith("D") and not given.get("thread_ts"):
            raise Refusal("invalid_thread_ts")
        for name in ("recipient_user_id", "recipient_team_id"):
            if not given.get(name):
                raise Refusal(f"missing_{name}")
        if given["recipient_user_id"] not in self.users:
            raise Refusal("user_not_found")
        if given["recipient_team_id"] != self.users[given["recipient_user_id"]]["team_id"]:
            raise Refusal("team_not_found")
        message = self.post(channel, "U0BOT", {"text": "", "thread_ts": given.get("thread_ts")})
        message |= {"blocks": [], "cards": {}, "stream": "running"}
        message["until"] = time.monotonic() + self.stream_seconds
        self._take(message, given.get("chunks") or [])
        return {"channel": channel.id, "ts": message["ts"]}

    async def _chat_appendStream(self, given: Given) -> Given:
        message = self._running(given)
        if not given.get("chunks") and not given.get("markdown_text"):
            raise Refusal("no_text")
        self._take(message, given.get("chunks") or [])
        return {"channel": given["channel"], "ts": message["ts"]}

    async def _chat_stopStream(self, given: Given) -> Given:
        message = self._running(given)
        self._take(message, given.get("chunks") or [])
        message["stream"] = "stopped"
        return {"channel": given["channel"], "ts": message["ts"], "message": message}

    async def _chat_update(self, given: Given) -> Given:
        message = self._named(given)
        if message.get("stream") == "running" and message["until"] > time.monotonic():
            raise Refusal("streaming_state_conflict")
        if not given.get("text") and not given.get("blocks"):
            raise Refusal("no_text")
        self._accepts(given.get("blocks") or [])
        kept = ("text", "blocks", "metadata", "link_names", "parse")
        message |= {name: given[name] for name in kept if name in given}
        if "stream" in message:
            message["stream"] = "over"
        return {"channel": given["channel"], "ts": message["ts"], "text": message["text"]}

    def _named(self, given: Given) -> Given:
        channel = self._writable(given.get("channel", ""))
        found = [one for one in channel.messages if one["ts"] == given.get("ts")]
        if not found:
            raise Refusal("message_not_found")
        if found[0]["user"] != "U0BOT":
            raise Refusal("cant_update_message")
        return found[0]

    def _running(self, given: Given) -> Given:
        message = self._named(given)
        if message.get("stream") != "running" or message["until"] <= time.monotonic():
            raise Refusal("message_not_in_streaming_state")
        return message

    def _take(self, message: Given, chunks: list[Given]) -> None:
        for chunk in chunks:
            if chunk.get("type") == "blocks":
                if problems(chunk["blocks"]) or len(message["blocks"]) + len(chunk["blocks"]) > PIECE:
                    raise Refusal("invalid_blocks")
                message["blocks"] = [*message["blocks"], *chunk["blocks"]]
            elif chunk.get("type") == "task_update":
                if not chunk.get("id") or chunk.get("status") not in STATES:
                    raise Refusal("invalid_chunks")
                if not 1 <= len(chunk.get("title", "")) <= LONGEST_TITLE:
                    raise Refusal("msg_too_long")
                message["cards"][chunk["id"]] = (chunk["title"], chunk["status"])
            elif chunk.get("type") == "markdown_text" and len(chunk.get("text", "")) <= LONGEST_PIECE:
                message["text"] += chunk["text"]
            else:
                raise Refusal("invalid_chunks")
