"""Sittings, answers, blockers and next steps. Answers are only ever added; the latest one counts."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from bot.store.tables.base import NEVER_AGAIN, Row, by_value, json_type, no_dict, no_list


class SessionKind(StrEnum):
    """What a dialogue is about."""

    FIRST_AUDIT = "first_audit"
    RE_AUDIT = "re_audit"
    SECOND_RATER = "second_rater"
    COVERAGE = "coverage"
    COACHING = "coaching"


class SessionStatus(StrEnum):
    """Where a dialogue stands. Only an open or paused one takes answers."""

    OPEN = "open"
    PAUSED = "paused"
    FINISHED = "finished"
    CLOSED = "closed"


class Claim(StrEnum):
    """What sort of answer was given."""

    LEVEL = "level"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class EvidenceClass(StrEnum):
    """How well an answer is supported (instrument.yaml, evidence)."""

    E0 = "E0"
    E1 = "E1"
    E2 = "E2"
    E3 = "E3"


class PlanStatus(StrEnum):
    """What became of a next step."""

    OPEN = "open"
    DONE = "done"
    NOT_YET = "not_yet"
    DROPPED = "dropped"


class DialogueSession(Row, table=True):
    """One running dialogue of one person about one department. `state` is the pure machine's own JSON.

    The partial unique index keeps a person from having two live dialogues of a kind about a department. A
    sitting whose person was erased is closed and names nobody: its answers still belong together.
    """

    __table_args__ = (
        Index(
            "uq_dialoguesession_live",
            "person_id",
            "department_id",
            "kind",
            unique=True,
            sqlite_where=text("status IN ('open', 'paused')"),
            postgresql_where=text("status IN ('open', 'paused')"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    department_id: int = Field(foreign_key="department.id", index=True)
    person_id: int = Field(foreign_key="person.id", index=True, nullable=True)
    kind: SessionKind = Field(sa_type=by_value(SessionKind))
    status: SessionStatus = Field(default=SessionStatus.OPEN, sa_type=by_value(SessionStatus))
    instrument_version: str
    state: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    remind_on: date | None = None
    """The day on which the person asked to be reminded of a paused sitting."""


class Answer(Row, table=True):
    """One answer to one criterion, as it was given.

    `words` are the person's own; `shown` lists the levels in the order they were shown; `picked_by` is the
    person who picked the anchor (never a model). `counted` is min(level, cap of the evidence). `second` marks
    a second rater's blind answer.
    """

    __table_args__ = (
        Index("ix_answer_department_criterion_at", "department_id", "criterion", "answered_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    department_id: int = Field(foreign_key="department.id")
    criterion: str = Field(max_length=8)
    claim: Claim = Field(sa_type=by_value(Claim))
    level: int | None = None
    evidence: EvidenceClass = Field(default=EvidenceClass.E0, sa_type=by_value(EvidenceClass))
    counted: int | None = None
    words: str = ""
    probe_words: str = ""
    evidence_text: str = ""
    shown: list[int] = Field(default_factory=no_list, sa_type=json_type())
    proposed_by: str = ""
    """model, embeddings or all: who chose which anchors were shown."""
    picked_by: int | None = Field(default=None, foreign_key="person.id", index=True)
    session_id: int | None = Field(default=None, foreign_key="dialoguesession.id", index=True)
    instrument_version: str
    answered_at: datetime
    reason: str = ""
    approver_id: int | None = Field(default=None, foreign_key="person.id")
    approved_at: datetime | None = None
    declined_at: datetime | None = None
    """A programme owner said that it does apply, so that it is asked again."""
    second: bool = False
    agreement: str = "single_rater"
    still_true_at: datetime | None = None
    expired_by: str | None = None
    """An early expiry event of the instrument, such as 'lead changed'."""
    expired_at: datetime | None = None
    """From when on it no longer counts; before, it did."""
    expired_note: str = ""
    """What happened, in words that everybody who sees the answer's level may read."""
    released: str = ""
    """The sentence of `words` that its author lets stand in a digest: that of the week of `released_at`."""
    released_at: datetime | None = None


class Blocker(Row, table=True):
    """Something in the way, with whoever can move it."""

    id: int | None = Field(default=None, primary_key=True)
    department_id: int = Field(foreign_key="department.id", index=True)
    code: str = Field(max_length=8)
    note: str = ""
    owner: str = ""
    owner_id: int | None = Field(default=None, foreign_key="person.id")
    raised_by: int | None = Field(default=None, foreign_key="person.id")
    raised_at: datetime
    escalated_at: datetime | None = None
    resolved_at: datetime | None = None
    session_id: int | None = Field(default=None, foreign_key="dialoguesession.id")


class Plan(Row, table=True):
    """A next step that somebody took on: what, when, and after what."""

    __table_args__ = NEVER_AGAIN

    id: int | None = Field(default=None, primary_key=True)
    department_id: int = Field(foreign_key="department.id", index=True)
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    criterion: str = Field(max_length=8)
    text: str
    done_when: str = ""
    after_what: str = ""
    due_on: date | None = None
    status: PlanStatus = Field(default=PlanStatus.OPEN, sa_type=by_value(PlanStatus))
    created_at: datetime
    followed_up_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str = ""


class CoverageTask(Row, table=True):
    """A repetitive task of a role. `baseline_hours` (per person and week) is frozen at the first answer."""

    __table_args__ = (Index("uq_coveragetask_role_slug", "role_id", "slug", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    department_id: int = Field(foreign_key="department.id", index=True)
    role_id: int = Field(foreign_key="role.id", index=True)
    slug: str = Field(max_length=64)
    text: str
    own: bool = False
    baseline_hours: float | None = None
    estimated: bool = True
    rebased_at: datetime | None = None
    archived_at: datetime | None = None


class CoverageAnswer(Row, table=True):
    """What a lead said of one task at one time. Buckets are those of instrument.yaml, coverage."""

    __table_args__ = (Index("ix_coverageanswer_task_at", "task_id", "answered_at"),)

    id: int | None = Field(default=None, primary_key=True)
    department_id: int = Field(foreign_key="department.id", index=True)
    task_id: int = Field(foreign_key="coveragetask.id")
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    session_id: int | None = Field(default=None, foreign_key="dialoguesession.id")
    answered_at: datetime
    hours: str
    """Bucket of hours per person and week."""
    share: str
    mode: str | None = None
    accepted: int | None = None
    review: str | None = None
    tool: str | None = None
    keep_human: bool = False
    reason: str = ""


class WeeklyAggregate(Row, table=True):
    """A week's frozen figures of one department (None = the company). Holds no person's data."""

    __table_args__ = (Index("uq_weeklyaggregate_department_week", "department_id", "week", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    department_id: int | None = Field(default=None, foreign_key="department.id")
    week: str = Field(max_length=8, index=True)
    frozen_at: datetime
    figures: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
