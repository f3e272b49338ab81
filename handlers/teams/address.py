"""Where a conversation takes place, as one short text that the inbox and the outbox keep.

It is Teams' own id: of a personal chat, a group chat or a channel; `<channel>;messageid=<thread>` is a thread
of a channel. An organisation file names a channel by the same id.
"""

from __future__ import annotations

from dataclasses import dataclass

THREAD = ";messageid="
LONGEST = 200
"""What the store keeps of a conversation's id. Teams' own have about 120 characters."""


@dataclass(frozen=True)
class Address:
    """A place in Teams. `thread` is the id of the message that a channel's thread hangs on."""

    conversation: str
    thread: str = ""

    def __str__(self) -> str:
        return f"{self.conversation}{THREAD}{self.thread}" if self.thread else self.conversation

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read what `str` wrote, or an id as Teams gives it."""
        conversation, _, thread = text.partition(THREAD)
        return cls(conversation, thread)
