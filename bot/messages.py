"""The platform-neutral message. Each surface renders it; nothing below knows a surface's markup.

Text is light Markdown: paragraphs, `**bold**`, `_italic_`, `- ` lists and `> ` quotes, no links, no
images, no HTML. What people typed and what documents say is put into `text` through `plain()`, so that
it can't become markup on any surface.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "text",  # something said
    "question",  # an audit or coverage question that waits for an answer
    "result",  # a placement, a coverage figure
    "answer",  # a policy answer
    "nudge",  # something we sent unasked
    "digest",
    "notice",  # a refusal, an error, "that question has moved on"
]

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


def plain(text: str) -> str:
    """`text` with the characters of light Markdown escaped by a backslash, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Frozen):
    """A button. `id` (at most 255 characters) comes back as it is when the person picks it."""

    id: str = Field(max_length=255)
    label: str
    style: Literal["default", "primary", "danger"] = "default"


class Citation(_Frozen):
    """Where a statement comes from. `quote` stands word for word in the passage `passage_id`."""

    document: str
    section: str
    version: int
    quote: str
    passage_id: int
    document_id: int = 0
    owner: str | None = None
    effective: str | None = None
    reviewed: str | None = None
    label: str = ""
    """The version as the document itself calls it, such as 3.1."""


class Table(_Frozen):
    """A small table. Every row has as many cells as there are columns."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Series(_Frozen):
    """One line, or the bars of one colour. `None` is a gap. `low` and `high` bound an interval."""

    name: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


class Chart(_Frozen):
    """One picture. `alt` says in words what it shows; values are shares (0..1) where `unit` is "%".

    `marks` are labels at which the measure itself changed, so that what follows is not to be compared with
    what came before; `mark_note` says how.
    """

    kind: Literal["line", "bar", "map"]
    title: str
    alt: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: Literal["%", ""] = ""
    marks: tuple[str, ...] = ()
    mark_note: str = ""


class Progress(_Frozen):
    """Question `done + 1` of `total`, about `minutes` left."""

    done: int
    total: int
    minutes: int


class Message(_Frozen):
    """One message to one person or channel, the same on every surface.

    `answer_id` is set on policy answers and lets feedback find its way back. `written_by_model` makes
    surfaces label the message as written by AI. `input_hint` says that free text is welcome, and what
    for. `continues` is the reference of what was shown live (see bot.live): this message takes its place.
    """

    kind: Kind = "text"
    text: str
    choices: tuple[Choice, ...] = ()
    citations: tuple[Citation, ...] = ()
    table: Table | None = None
    chart: Chart | None = None
    progress: Progress | None = None
    answer_id: int | None = None
    written_by_model: bool = False
    input_hint: str | None = None
    continues: str | None = None
