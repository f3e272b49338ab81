"""What a history file may hold: sittings, coverage, blockers, plans and questions, each with its time.

Times count back from the demo's now, so that trends, staleness and last week's change look the same on any
day.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.organisation.draft import DAYS
from bot.store.tables import Band, Claim, EvidenceClass, GapStatus, PlanStatus, SessionKind

_TIME_OF_DAY = time(13, 0, tzinfo=UTC)
"""When things of other days happened: working hours in Europe and in New York."""


class Entry(BaseModel):
    """A part of the file. An unknown field is a slip and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dated(Entry):
    """Something that happened: so many days or hours ago, or on a day of the week before this one."""

    days_ago: int | None = Field(default=None, ge=1)
    hours_ago: int | None = Field(default=None, ge=1, le=23)
    last_week: Literal["mon", "tue", "wed", "thu", "fri"] | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        if sum(value is not None for value in (self.days_ago, self.hours_ago, self.last_week)) != 1:
            raise ValueError("give exactly one of days_ago, hours_ago and last_week")
        return self

    def at(self, now: datetime) -> datetime:
        """The instant in UTC; always before `now`."""
        if self.hours_ago is not None:
            return now - timedelta(hours=self.hours_ago)
        if self.last_week is not None:
            back = now.weekday() + 7 - DAYS.index(self.last_week)
            return _on_day(now, back)
        return _on_day(now, self.days_ago or 0)


def _on_day(now: datetime, days_ago: int) -> datetime:
    return datetime.combine(now.date() - timedelta(days=days_ago), _TIME_OF_DAY)


class Enrolment(Dated):
    """A person who agreed to be written to."""

    person: str


class GivenAnswer(Entry):
    """One criterion as it was answered. `level` is needed for a level and for nothing else.

    A not_applicable that isn't `approved` waits for its approver.
    """

    criterion: str
    claim: Claim = Claim.LEVEL
    level: int | None = Field(default=None, ge=0, le=4)
    evidence: EvidenceClass = EvidenceClass.E0
    words: str = ""
    evidence_text: str = ""
    reason: str = ""
    approver: str | None = None
    approved: bool = False
    agreement: Literal["single_rater", "same_level", "one_level_apart"] = "single_rater"
    second: bool = False
    released: str = ""
    """The sentence of `words` that its author let stand in the digest."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.claim is Claim.LEVEL) != (self.level is not None):
            raise ValueError("a level is needed, unless the claim is unknown or not_applicable")
        if self.claim is Claim.NOT_APPLICABLE and not (self.reason and self.approver):
            raise ValueError("not_applicable needs a reason and an approver")
        if self.released not in self.words:
            raise ValueError("a released sentence is part of the words")
        return self


class Sitting(Dated):
    """At most four answers that one person gave in one go."""

    department: str
    by: str
    kind: SessionKind
    answers: tuple[GivenAnswer, ...] = Field(min_length=1, max_length=4)


class TaskTaps(Entry):
    """The taps on one repetitive task."""

    share: str
    mode: str | None = None
    accepted: int | None = Field(default=None, ge=0, le=10)
    review: str | None = None
    tool: str | None = None
    keep_human: bool = False
    reason: str = ""


class CheckIn(Dated):
    """All tasks of a role, by the instrument's id, at one time."""

    tasks: dict[str, TaskTaps]


class RoleCoverage(Entry):
    """A role's check-ins, oldest first, on baseline hours that were frozen at the first."""

    department: str
    role: str
    by: str
    hours: dict[str, str]
    check_ins: tuple[CheckIn, ...]


class GivenBlocker(Dated):
    """Something in the way. `owner` is whoever can move it."""

    department: str
    code: str
    note: str
    owner: str
    by: str
    resolved_days_ago: int | None = None


class GivenPlan(Dated):
    """A next step that somebody took on. `due_days` counts from today, negative in the past."""

    department: str
    person: str
    criterion: str
    text: str
    done_when: str
    after_what: str
    due_days: int
    status: PlanStatus = PlanStatus.OPEN
    closed_days_ago: int | None = None
    outcome: str = ""


class GivenGap(Entry):
    """What became of a question that the policies did not answer. `like` is the text of an earlier one."""

    owner: str
    status: GapStatus
    anonymous: bool = False
    like: str | None = None
    reply: str = ""
    closed_days_ago: int | None = None


class GivenQuestion(Dated):
    """A question to the policies. `policy` is the id of the one that answered it, or was nearest, and `quote`
    what it said, word for word.
    """

    person: str
    text: str
    band: Band
    policy: str
    quote: str = ""
    mark: Literal[-1, 1] | None = None
    mark_reason: str = ""
    gap: GivenGap | None = None

    @model_validator(mode="after")
    def _quoted(self) -> Self:
        if (self.band is Band.SILENT) == bool(self.quote):
            raise ValueError("a quote is needed, unless the policies were silent")
        return self


class History(Entry):
    """The whole past of a sample company."""

    enrolled: tuple[Enrolment, ...]
    sittings: tuple[Sitting, ...]
    coverage: tuple[RoleCoverage, ...]
    blockers: tuple[GivenBlocker, ...]
    plans: tuple[GivenPlan, ...]
    questions: tuple[GivenQuestion, ...]
