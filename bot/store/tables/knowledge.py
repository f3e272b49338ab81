"""Policies, their versions and passages, what was asked and what stayed open."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from bot.store.tables.base import NEVER_AGAIN, Row, by_value, json_type, no_dict, no_list


class Band(StrEnum):
    """How sure an answer is. `CLOSEST` is shown as "the policies may be silent"."""

    ANSWER = "answer"
    CLOSEST = "closest"
    SILENT = "silent"


class GapStatus(StrEnum):
    """Where a question that the policies did not answer stands."""

    OFFERED = "offered"
    SENT = "sent"
    ANSWERED = "answered"
    DECLINED = "declined"


class AudienceKind(StrEnum):
    """Who may read a document."""

    EVERYONE = "everyone"
    DEPARTMENT = "department"
    ROLE = "role"


class Document(Row, table=True):
    """A policy. `source` tells where it came from: the same source again is a new version of it."""

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(unique=True, max_length=500)
    title: str
    kind: str = "policy"
    """policy, or entry: an owner's answer to a question."""
    owner_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    review_by: date | None = None
    reviewed_on: date | None = None
    expires_on: date | None = None
    superseded_by: int | None = Field(default=None, foreign_key="document.id")
    added_at: datetime
    removed_at: datetime | None = None


class DocumentAudience(Row, table=True):
    """One line of a document's audience. `value` is a department's id or a role's name, else empty."""

    __table_args__ = (UniqueConstraint("document_id", "kind", "value"),)

    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id", index=True)
    kind: AudienceKind = Field(sa_type=by_value(AudienceKind))
    value: str = ""


class DocumentVersion(Row, table=True):
    """A version's text, normalised to Markdown. The same bytes never make a second one in a row.

    One version of a document is `current`; one with a higher number comes into its place on the day from
    which it is `effective`. Only these have passages.
    """

    __table_args__ = (UniqueConstraint("document_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id", index=True)
    number: int
    sha256: str = Field(max_length=64)
    title: str = ""
    """The document's from the day on which this version is the present one."""
    text: str
    label: str = ""
    """The version as the document itself calls it."""
    effective: date | None = None
    added_at: datetime
    added_by: int | None = Field(default=None, foreign_key="person.id")
    current: bool = True
    flags: list[str] = Field(default_factory=no_list, sa_type=json_type())


class Passage(Row, table=True):
    """A slice of a version's text: `text` stands there from `start` to `end` (characters)."""

    __table_args__ = (Index("ix_passage_version_ordinal", "version_id", "ordinal"),)

    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id", index=True)
    version_id: int = Field(foreign_key="documentversion.id")
    ordinal: int
    heading_path: list[str] = Field(default_factory=no_list, sa_type=json_type())
    text: str
    start: int
    end: int


class PassageVector(Row, table=True):
    """A passage's vectors by one embedding model: the whole first, then its sentences, as raw bytes."""

    __table_args__ = (UniqueConstraint("passage_id", "model"),)

    id: int | None = Field(default=None, primary_key=True)
    passage_id: int = Field(foreign_key="passage.id", ondelete="CASCADE")
    model: str = Field(max_length=120)
    dimensions: int
    vectors: bytes = Field(sa_type=LargeBinary)


class BandLimits(Row, table=True):
    """The limits between the bands that the library found for itself, by embedding model.

    They hold for about as many passages and confirmed questions as there were then.
    """

    model: str = Field(primary_key=True, max_length=120)
    passages: int
    confirmed: int
    limits: dict[str, float] = Field(sa_type=json_type())


class Revision(Row, table=True):
    """A counter by name. Raising it tells every process that what it holds in memory is out of date."""

    name: str = Field(primary_key=True, max_length=40)
    value: int = 0


class PolicyQuestion(Row, table=True):
    """A question and what was answered. `answer` is the stored reply; feedback points at this row's id."""

    __table_args__ = NEVER_AGAIN

    id: int | None = Field(default=None, primary_key=True)
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    conversation: str = Field(default="", max_length=200, index=True)
    thread: str | None = None
    text: str
    normalised: str = Field(default="", index=True, max_length=500)
    band: Band = Field(sa_type=by_value(Band))
    answer: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    passage_ids: list[int] = Field(default_factory=no_list, sa_type=json_type())
    model: str | None = None
    took_ms: int = 0
    asked_at: datetime
    mark: int | None = None
    """+1 or -1 from the asker."""
    mark_reason: str = ""


class Gap(Row, table=True):
    """A question that goes, or went, to a policy's owner. Like questions share a `group_id`."""

    __table_args__ = NEVER_AGAIN

    id: int | None = Field(default=None, primary_key=True)
    question_id: int | None = Field(default=None, foreign_key="policyquestion.id", index=True)
    text: str
    asker_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    anonymous: bool = False
    owner_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    nearest_document_id: int | None = Field(default=None, foreign_key="document.id")
    group_id: int | None = Field(default=None, foreign_key="gap.id", index=True)
    status: GapStatus = Field(default=GapStatus.OFFERED, sa_type=by_value(GapStatus))
    opened_at: datetime
    sent_at: datetime | None = None
    closed_at: datetime | None = None
    reply: str = ""
    answering_in: str = Field(default="", max_length=200)
    """The conversation in which its owner is writing the reply: the next words there are it."""
    entry_document_id: int | None = Field(default=None, foreign_key="document.id")


class PendingUpload(Row, table=True):
    """A file that was dropped in a chat and waits for a yes. Gone with the decision, or a day later.

    `document_id` and `base_version` name what it would be a new version of, as it was shown; None for a new
    document.
    """

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    name: str = Field(max_length=300)
    data: bytes = Field(sa_type=LargeBinary)
    document_id: int | None = Field(default=None, foreign_key="document.id", ondelete="CASCADE")
    base_version: int | None = None
    dropped_at: datetime


class CachedAnswer(Row, table=True):
    """An answer by normalised question, audience and index revision; never by likeness."""

    key: str = Field(primary_key=True, max_length=64)
    revision: int = Field(index=True)
    answer: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    made_at: datetime
