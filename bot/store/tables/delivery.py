"""What came in, what goes out, and what was planned. Constraints keep each of them single."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from bot.store.tables.base import Row, by_value, json_type, no_dict
from bot.store.tables.organisation import Platform


class InboxStatus(StrEnum):
    """`FAILED` events were tried several times and are kept for a person to look at."""

    NEW = "new"
    DONE = "done"
    FAILED = "failed"


class OutboxStatus(StrEnum):
    """`DEAD` messages are not tried again by themselves; `UNCERTAIN` ones may have arrived."""

    PENDING = "pending"
    CLAIMED = "claimed"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    DEAD = "dead"
    CANCELLED = "cancelled"


class InboxEvent(Row, table=True):
    """An event as it arrived, stored before it was acknowledged.

    `dedupe_key` names the event on its platform, so that a second delivery finds the first. Events of one
    `conversation` are processed in the order they were stored.
    """

    __table_args__ = (
        UniqueConstraint("platform", "dedupe_key"),
        Index("ix_inboxevent_status_id", "status", "id"),
        Index("ix_inboxevent_conversation_status_id", "conversation", "status", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    platform: Platform = Field(sa_type=by_value(Platform))
    dedupe_key: str = Field(max_length=200)
    conversation: str = Field(max_length=200)
    payload: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    received_at: datetime
    status: InboxStatus = Field(default=InboxStatus.NEW, sa_type=by_value(InboxStatus))
    claimed_until: datetime | None = None
    claimed_by: str | None = Field(default=None, max_length=64)
    attempts: int = 0
    done_at: datetime | None = None
    error: str = ""


class OutboxMessage(Row, table=True):
    """A message that is to leave, or left. `message` is a bot.messages.Message.

    `dedupe_key` makes the same reply or the same scheduled message exist once. `prefers_repeat` says what
    to do when a send may or may not have arrived and the platform's history can't tell: a question prefers a
    repeat, a nudge prefers silence.
    """

    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index("ix_outboxmessage_status_due_at", "status", "due_at"),
        Index("ix_outboxmessage_platform_conversation_id", "platform", "conversation", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    platform: Platform = Field(sa_type=by_value(Platform))
    conversation: str = Field(max_length=200)
    thread: str | None = None
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    event_id: int | None = Field(default=None, foreign_key="inboxevent.id")
    scheduled_id: int | None = Field(default=None, foreign_key="scheduledmessage.id", index=True)
    dedupe_key: str = Field(max_length=200)
    message: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    prefers_repeat: bool = True
    waits: bool = False
    """Not in the person's quiet hours: it was not asked for."""
    created_at: datetime
    due_at: datetime
    status: OutboxStatus = Field(default=OutboxStatus.PENDING, sa_type=by_value(OutboxStatus))
    claimed_by: str | None = Field(default=None, max_length=64)
    claimed_at: datetime | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    external_id: str | None = Field(default=None, max_length=200)
    error: str = ""


class ScheduledStatus(StrEnum):
    """`HELD` rows were due and not sent; `reason` says why in words."""

    PLANNED = "planned"
    SENT = "sent"
    HELD = "held"
    CANCELLED = "cancelled"


class ScheduledMessage(Row, table=True):
    """The planner's claim: one row per recipient, kind and period, however many planners run.

    `recipient` is `person:<id>` or `department:<id>`; `period` is a calendar value such as 2026-W47.
    `local_week` is the ISO week in the recipient's zone, for the cap over all kinds and platforms.
    """

    __table_args__ = (
        UniqueConstraint("recipient", "kind", "period"),
        Index("ix_scheduledmessage_person_week", "person_id", "local_week"),
        Index("ix_scheduledmessage_status_due_at", "status", "due_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    recipient: str = Field(max_length=64)
    kind: str = Field(max_length=40)
    period: str = Field(max_length=40)
    person_id: int | None = Field(default=None, foreign_key="person.id")
    department_id: int | None = Field(default=None, foreign_key="department.id", index=True)
    local_week: str = Field(max_length=8)
    counts: bool = True
    due_at: datetime
    planned_at: datetime
    status: ScheduledStatus = Field(default=ScheduledStatus.PLANNED, sa_type=by_value(ScheduledStatus))
    reason: str = ""
    detail: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    sent_at: datetime | None = None


class SentDigest(Row, table=True):
    """A digest as it was sent. `content` is enough to show it again to the letter."""

    __table_args__ = (UniqueConstraint("recipient", "week"),)

    id: int | None = Field(default=None, primary_key=True)
    recipient: str = Field(max_length=64)
    week: str = Field(max_length=8, index=True)
    department_id: int | None = Field(default=None, foreign_key="department.id")
    content: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    made_at: datetime


class AuditLogEntry(Row, table=True):
    """Who did or saw what, when. Never a person's words, never a secret."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    actor_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    action: str = Field(max_length=60)
    subject_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    resource: str = ""
    detail: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())


class Installation(Row, table=True):
    """A workspace's tokens, encrypted with STAGECOACH_SECRET_KEY."""

    __table_args__ = (UniqueConstraint("platform", "tenant"),)

    id: int | None = Field(default=None, primary_key=True)
    platform: Platform = Field(sa_type=by_value(Platform))
    tenant: str = Field(max_length=64)
    sealed: str
    installed_at: datetime
    revoked_at: datetime | None = None
