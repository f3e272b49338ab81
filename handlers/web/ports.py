"""What the page needs from the rest of the product, and the shapes that pass between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from bot.messages import Message

Leap = Literal["tomorrow", "tuesday", "monday"]
"""How far the demo's clock can be moved: to the next day, or the next Tuesday or Monday, in the morning."""


@dataclass(frozen=True, order=True)
class Cursor:
    """The last thing that a page has shown: the newest inbox row and the newest outbox row."""

    said: int = 0
    heard: int = 0

    def __str__(self) -> str:
        return f"{self.said}.{self.heard}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor that `str()` wrote; the start for anything else."""
        said, _, heard = text.partition(".")
        if said.isdecimal() and heard.isdecimal() and len(text) <= 40:
            return cls(int(said), int(heard))
        return cls()


@dataclass(frozen=True)
class Persona:
    """Somebody of the sample whom a visitor may be. `part` is the duty in words: Team lead, Employee ...

    `zone` is the IANA zone of the person's own clock, in which the conversation's times are shown; `admin`
    says that deliveries are shown to them.
    """

    person_id: int
    name: str
    part: str
    place: str
    introduction: str
    suggestions: tuple[str, ...] = ()
    zone: str = "UTC"
    admin: bool = False


@dataclass(frozen=True)
class Entry:
    """One line of a conversation: `words` by the person, or a `message` of ours (one of the two is set).

    `id` is the inbox row's or the outbox row's.
    """

    id: int
    at: datetime
    words: str | None = None
    message: Message | None = None


@dataclass(frozen=True)
class Begun:
    """A reply that is being made: what is being done, and the words that are finished (light Markdown)."""

    doing: str
    text: str


@dataclass(frozen=True)
class Conversation:
    """What was said after a cursor, oldest first. `busy` is true while something waits for its reply; `begun`
    is what can be shown of that.
    """

    entries: tuple[Entry, ...]
    cursor: Cursor
    busy: bool
    begun: Begun | None = None


@dataclass(frozen=True)
class MapCell:
    """Where a department stands in one model. `state` is the instrument's word; None = never asked."""

    model: str
    state: str | None
    skipped: Literal["hard", "soft"] | None = None
    stale: bool = False


@dataclass(frozen=True)
class MapRow:
    """A department across the models, in the instrument's order; `line` is its placement in words."""

    department: str
    cells: tuple[MapCell, ...]
    line: str = ""


@dataclass(frozen=True)
class Posting:
    """A scheduled message: about to leave, held back, or gone. `local` is the recipient's own time."""

    at: datetime
    local: str
    recipient: str
    kind: str
    why: str
    person_id: int | None = None
    held: bool = False


@dataclass(frozen=True)
class Inside:
    """What the panel shows. `now` is in the company's zone."""

    now: datetime
    models: tuple[tuple[str, str], ...]
    rows: tuple[MapRow, ...]
    coming: tuple[Posting, ...]
    gone: tuple[Posting, ...] = ()


@dataclass(frozen=True)
class Source:
    """A document at the version that was quoted: Markdown `text`, and the passage from `start` to `end`."""

    passage_id: int
    document: str
    section: str
    version: str
    text: str
    start: int
    end: int
    owner: str | None = None
    effective: str | None = None
    reviewed: str | None = None
    quotes: tuple[str, ...] = field(default=())


class PagePort(Protocol):
    """The product behind the page. Ids of persons are checked by the page against `personas()`."""

    company: str

    async def personas(self) -> list[Persona]:
        """Whom a visitor may be, in the order of the switch."""
        ...

    async def say(self, person_id: int, key: str, text: str) -> None:
        """Store what the person said. The same `key` a second time changes nothing."""
        ...

    async def choose(self, person_id: int, key: str, choice: str) -> None:
        """Store what the person picked. NotFound if we never offered that to this person."""
        ...

    async def conversation(self, person_id: int, after: Cursor) -> Conversation:
        """What was said after `after`."""
        ...

    async def unread(self, seen: dict[int, int]) -> dict[int, int]:
        """How many messages of ours each person has beyond the outbox id that was seen."""
        ...

    async def wait_for_news(self, since: int, seconds: float) -> int:
        """The number of the latest change: at once if it is not `since`, else after the next or in time."""
        ...

    async def inside(self) -> Inside:
        """What the panel shows."""
        ...

    async def leap(self, where: Leap) -> None:
        """Move the demo's clock and let everything that falls due happen. AccessDenied outside the demo."""
        ...

    async def leap_days(self, days: int) -> None:
        """As `leap`, by whole days (1 to 90)."""
        ...

    async def reset(self) -> None:
        """Put the demo back to its first moment. AccessDenied outside the demo."""
        ...

    async def source(self, passage_id: int, person_id: int, heard: int) -> Source:
        """The document behind a citation of the outbox row `heard`. NotFound if the person may not see it."""
        ...
