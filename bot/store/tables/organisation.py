"""Departments, roles, people, and who holds which duty.

Nothing here is deleted by an import: what the file no longer names is archived, so that answers keep
their department and come back with it.
"""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from bot.store.tables.base import NEVER_AGAIN, Row, by_value, json_type, no_dict, no_list


class Audience(StrEnum):
    """Whom a department serves: it decides whether model AD applies."""

    EXTERNAL = "external"
    INTERNAL = "internal"
    NONE = "none"


class DutyName(StrEnum):
    """What a person answers for. `LEAD` belongs to a department, the others to the company."""

    LEAD = "lead"
    EXECUTIVE = "executive"
    ADMIN = "admin"
    PROGRAMME_OWNER = "programme_owner"
    POLICY_OWNER = "policy_owner"


class Platform(StrEnum):
    """A surface that can address a person."""

    SLACK = "slack"
    TEAMS = "teams"
    EMAIL = "email"
    WEB = "web"
    CHAT = "chat"


class ProcessState(StrEnum):
    """How far agents have come in a process."""

    PLANNED = "planned"
    TRIAL = "trial"
    LIVE = "live"
    STOPPED = "stopped"


class Company(Row, table=True):
    """The one row that describes the company. `country` and `region` choose the public holidays."""

    id: int = Field(default=1, primary_key=True)
    name: str
    time_zone: str = "UTC"
    country: str | None = None
    region: str | None = None
    settings: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())


class Department(Row, table=True):
    """A unit that is audited as one. `slug` is its id in files and commands."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    name: str
    template: str | None = None
    """The instrument's department whose usual tasks its roles start from."""
    ad_audience: Audience = Field(default=Audience.INTERNAL, sa_type=by_value(Audience))
    time_zone: str | None = None
    country: str | None = None
    region: str | None = None
    slot_day: int | None = None
    """Weekday (Monday 0) on which its lead wishes to be asked; None = Tuesday."""
    slot_time: time | None = None
    channels: dict[str, str] = Field(default_factory=no_dict, sa_type=json_type())
    """Platform -> channel where its digest goes."""
    former_slugs: list[str] = Field(default_factory=no_list, sa_type=json_type())
    settings: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    archived_at: datetime | None = None


class Role(Row, table=True):
    """A role of a department and how many people hold it. `changed_at`: when it last became another one, by
    its name or the number of people.
    """

    __table_args__ = (UniqueConstraint("department_id", "slug"),)

    id: int | None = Field(default=None, primary_key=True)
    department_id: int = Field(foreign_key="department.id", index=True)
    slug: str = Field(max_length=64)
    name: str
    headcount: int = 0
    changed_at: datetime | None = None
    archived_at: datetime | None = None


class Person(Row, table=True):
    """One human, however many accounts. `email` is kept in lower case.

    `working_days` are weekdays (Monday 0). `slot_*`, `paused_until`, `snoozed_until` and `muted` bind every
    proactive message of every kind on every platform. `enrolled_at` is the consent to be written to
    unasked; `declined_at` says that the person stayed out.
    """

    __table_args__ = NEVER_AGAIN

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, max_length=254)
    name: str
    department_id: int | None = Field(default=None, foreign_key="department.id", index=True)
    role_id: int | None = Field(default=None, foreign_key="role.id")
    time_zone: str | None = None
    country: str | None = None
    region: str | None = None
    locale: str | None = None
    working_days: list[int] = Field(default_factory=lambda: [0, 1, 2, 3, 4], sa_type=json_type())
    work_starts: time = time(9, 0)
    work_ends: time = time(17, 30)
    slot_day: int | None = None
    slot_time: time | None = None
    preferred_platform: Platform | None = Field(default=None, sa_type=by_value(Platform))
    enrolled_at: datetime | None = None
    declined_at: datetime | None = None
    paused_until: date | None = None
    snoozed_until: date | None = None
    external: bool = False
    """A guest or somebody of another company: gets no company policy."""
    archived_at: datetime | None = None


class Duty(Row, table=True):
    """A person's duty; a lead's names the department."""

    __table_args__ = (
        UniqueConstraint("person_id", "duty", "department_id"),
        Index("ix_duty_duty_department_id", "duty", "department_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    duty: DutyName = Field(sa_type=by_value(DutyName))
    department_id: int | None = Field(default=None, foreign_key="department.id")
    since: datetime | None = None


class Identity(Row, table=True):
    """A person's account on a platform. `tenant` is the Slack team or Teams tenant, else empty.

    `address` is what is needed to write to the person unasked (a Slack DM channel, a Teams conversation
    reference); it is refreshed by every activity. `reachable` turns false when the platform refuses.
    """

    __table_args__ = (UniqueConstraint("platform", "tenant", "external_id"),)

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    platform: Platform = Field(sa_type=by_value(Platform))
    tenant: str = ""
    external_id: str = Field(max_length=200)
    address: dict[str, Any] = Field(default_factory=no_dict, sa_type=json_type())
    reachable: bool = True
    last_seen_at: datetime | None = None


class Leave(Row, table=True):
    """Days on which a person is away, both ends included."""

    __table_args__ = (UniqueConstraint("person_id", "first_day", "last_day"),)

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    first_day: date
    last_day: date


class OwnHoliday(Row, table=True):
    """A day off that no public calendar knows, for one country or department, or for all."""

    __table_args__ = (UniqueConstraint("day", "name", "country", "department_id"),)

    id: int | None = Field(default=None, primary_key=True)
    day: date = Field(index=True)
    name: str
    country: str | None = None
    department_id: int | None = Field(default=None, foreign_key="department.id")


class Process(Row, table=True):
    """Work that passes through several departments. `owner_id` answers for its result, from end to end.

    The baseline is what was measured before agents took part: `baseline_value` of `baseline_measure` (its
    unit stands in its words) on `baseline_on`. `agents` says that agents do a part of it. `noted_by` is
    whoever named it in the chat; None once the organisation file describes it.
    """

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    name: str
    owner_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    agents: bool = False
    state: ProcessState = Field(default=ProcessState.PLANNED, sa_type=by_value(ProcessState))
    baseline_measure: str = ""
    baseline_value: float | None = None
    baseline_on: date | None = None
    former_slugs: list[str] = Field(default_factory=no_list, sa_type=json_type())
    noted_by: int | None = Field(default=None, foreign_key="person.id", index=True)
    noted_at: datetime | None = None
    archived_at: datetime | None = None


class ProcessStep(Row, table=True):
    """A department that a process passes through, at its place (from 0); it may come back to one."""

    __table_args__ = (UniqueConstraint("process_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    process_id: int = Field(foreign_key="process.id")
    position: int
    department_id: int = Field(foreign_key="department.id", index=True)
