"""Where a conversation takes place, as one short text that the inbox and the outbox keep.

`<team>:<channel>` is a direct message or a channel; `<team>:<channel>:<thread>:<user>` one person's part of a
thread in a channel. A channel's id alone, as an organisation file names it, belongs to the only workspace.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """A place in a workspace. `team` is the workspace; of an org-wide installation, the organisation."""

    team: str
    channel: str
    thread: str = ""
    user: str = ""

    def __str__(self) -> str:
        if not self.team:
            return self.channel
        thread = f":{self.thread}:{self.user}" if self.thread else ""
        return f"{self.team}:{self.channel}{thread}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read what `str` wrote."""
        if ":" not in text:
            return cls("", text)
        team, channel, thread, user = (*text.split(":"), "", "")[:4]
        return cls(team, channel, thread, user)

    @property
    def direct(self) -> bool:
        """Whether nobody but one person reads it."""
        return self.channel.startswith("D")
