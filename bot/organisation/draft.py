"""The organisation as a file describes it: typed, and checked as a whole before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from bot.clock import zone
from bot.errors import InputError
from bot.store.tables import Audience, DutyName, ProcessState

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def weekday(value: Any) -> int:
    """Monday = 0 from a day's English name, whole or its first three letters."""
    word = str(value).strip().lower()
    for number, (short, full) in enumerate(zip(DAYS, _FULL_DAYS, strict=True)):
        if word in (short, full):
            return number
    raise ValueError(f"{value!r} is not a day; use {', '.join(DAYS)}")


def _days(value: Any) -> list[int]:
    listed = re.split(r"[\s,;]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed:
        raise ValueError("list the days, such as [mon, tue, wed]")
    return sorted({day if isinstance(day, int) else weekday(day) for day in listed})


def _wall_time(value: Any) -> time:
    # YAML 1.1 reads an unquoted 10:00 as the number 600 (base sixty).
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)
    if isinstance(value, time):
        return value
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", str(value).strip())
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError(f'{value!r} is not a time; write it like "09:30"')
    return time(int(found[1]), int(found[2]))


def _hours(value: Any) -> tuple[time, time]:
    if isinstance(value, tuple):
        return value[0], value[1]
    parts = str(value).split("-")
    if len(parts) != 2:
        raise ValueError(f'{value!r} is not a span; write it like "09:00-17:30"')
    first, last = _wall_time(parts[0].strip()), _wall_time(parts[1].strip())
    if first >= last:
        raise ValueError("the day has to end after it starts")
    return first, last


def _zone(value: str) -> str:
    try:
        return str(zone(value))
    except InputError as error:
        raise ValueError(str(error)) from None


def _email(value: str) -> str:
    lowered = value.strip().lower()
    if not re.fullmatch(r"[^@\s,;<>\"']+@[^@\s,;<>\"']+\.[^@\s,;<>\"'.]+", lowered) or len(lowered) > 254:
        raise ValueError(f"{value!r} is not an e-mail address")
    return lowered


def _text_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Zone = Annotated[str, AfterValidator(_zone)]
Email = Annotated[str, AfterValidator(_email)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Weekday = Annotated[int, BeforeValidator(lambda value: value if isinstance(value, int) else weekday(value))]
WallTime = Annotated[time, BeforeValidator(_wall_time)]


class Part(BaseModel):
    """A part of the file. A field that nobody knows is a fault: it may be a slip of the pen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CompanyPart(Part):
    """The company as a whole."""

    name: Name
    time_zone: Zone = "UTC"
    country: Country | None = None
    region: str | None = None


class RolePart(Part):
    """A role and how many people hold it."""

    id: Slug
    name: Name
    headcount: int = Field(default=0, ge=0, le=1_000_000)


class SlotPart(Part):
    """When the lead wishes to be asked."""

    day: Weekday
    time: WallTime


class DepartmentPart(Part):
    """A department. `was` lists ids that it had before, so that its answers stay with it."""

    id: Slug
    name: Name
    template: str | None = None
    was: Annotated[list[Slug], BeforeValidator(_text_list)] = []
    ad_audience: Audience | None = None
    time_zone: Zone | None = None
    country: Country | None = None
    region: str | None = None
    slot: SlotPart | None = None
    channel: dict[Literal["slack", "teams", "email"], str] = {}
    roles: list[RolePart] = []
    leads: Annotated[list[Email], BeforeValidator(_text_list)] = []


class LeavePart(Part):
    """Days away, both ends included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")


class PersonPart(Part):
    """One human. `was` lists e-mail addresses the person had before."""

    email: Email
    name: Name
    was: Annotated[list[Email], BeforeValidator(_text_list)] = []
    department: Slug | None = None
    role: Slug | None = None
    time_zone: Zone | None = None
    country: Country | None = None
    region: str | None = None
    locale: str | None = None
    working_days: Annotated[list[int], BeforeValidator(_days)] = [0, 1, 2, 3, 4]
    working_hours: Annotated[tuple[time, time], BeforeValidator(_hours)] = (time(9), time(17, 30))
    slack: Annotated[list[str], BeforeValidator(_text_list)] = []
    teams: Annotated[list[str], BeforeValidator(_text_list)] = []
    preferred: Literal["email"] | None = None
    """Where to write to somebody who has not chosen in the chat; None = where they were seen last."""
    duties: Annotated[list[DutyName], BeforeValidator(_text_list)] = []
    leave: list[LeavePart] = []
    external: bool = False


class HolidayPart(Part):
    """A day off of the company's own."""

    day: date = Field(alias="date")
    name: Name
    departments: Annotated[list[Slug], BeforeValidator(_text_list)] = []
    country: Country | None = None


class BaselinePart(Part):
    """What was measured before agents took part. `measure` says the unit, such as "days per order"."""

    measure: Name
    value: float = Field(allow_inf_nan=False)
    on: date = Field(alias="date")


class ProcessPart(Part):
    """Work that passes through several departments, in their order. `owner` answers for its result."""

    id: Slug
    name: Name
    was: Annotated[list[Slug], BeforeValidator(_text_list)] = []
    owner: Email | None = None
    departments: list[Slug]
    agents: bool = False
    state: ProcessState = ProcessState.PLANNED
    baseline: BaselinePart | None = None


class OrganisationDraft(Part):
    """The whole file."""

    company: CompanyPart | None = None
    """None leaves the company as it is stored."""
    departments: list[DepartmentPart] = Field(min_length=1)
    people: list[PersonPart] = []
    holidays: list[HolidayPart] = []
    processes: list[ProcessPart] | None = None
    """None leaves the processes as they are stored."""


Problem = tuple[tuple[str | int, ...], str]
"""Where (a path into the document) and what is wrong."""


def contradictions(draft: OrganisationDraft, templates: frozenset[str]) -> list[Problem]:
    """What no single field shows: names that point nowhere, things given twice, days in the wrong order."""
    return [
        *_departments_twice(draft),
        *_department_references(draft, templates),
        *_people_twice(draft),
        *_people_references(draft),
        *_holiday_references(draft),
        *_processes_twice(draft),
        *_process_references(draft),
    ]


def _departments_twice(draft: OrganisationDraft) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for number, department in enumerate(draft.departments):
        for field, slug in [("id", department.id), *(("was", former) for former in department.was)]:
            holder = owners.setdefault(slug, department.id)
            if holder != department.id or (field == "was" and slug == department.id):
                yield ("departments", number, field), f"{slug!r} already names another department"
            elif field == "id" and any(other.id == slug for other in draft.departments[:number]):
                yield ("departments", number, "id"), f"{slug!r} is given twice"
        seen: set[str] = set()
        for place, role in enumerate(department.roles):
            if role.id in seen:
                yield ("departments", number, "roles", place, "id"), f"{role.id!r} is given twice"
            seen.add(role.id)


def _department_references(draft: OrganisationDraft, templates: frozenset[str]) -> Iterator[Problem]:
    emails = {person.email for person in draft.people}
    for number, department in enumerate(draft.departments):
        if department.template and department.template not in templates:
            known = ", ".join(sorted(templates))
            yield (
                ("departments", number, "template"),
                f"{department.template!r} is unknown; there are {known}",
            )
        for place, email in enumerate(department.leads):
            if email not in emails:
                yield ("departments", number, "leads", place), f"{email} is not among the people"


def _people_twice(draft: OrganisationDraft) -> Iterator[Problem]:
    emails: dict[str, int] = {}
    accounts: dict[tuple[str, str], int] = {}
    for number, person in enumerate(draft.people):
        for field, email in [("email", person.email), *(("was", former) for former in person.was)]:
            if emails.setdefault(email, number) != number:
                yield ("people", number, field), f"{email} is given twice"
        for field, listed in (("slack", person.slack), ("teams", person.teams)):
            for account in listed:
                if accounts.setdefault((field, account), number) != number:
                    yield ("people", number, field), f"{account!r} already belongs to another person"


def _people_references(draft: OrganisationDraft) -> Iterator[Problem]:
    roles = {department.id: {role.id for role in department.roles} for department in draft.departments}
    for number, person in enumerate(draft.people):
        if person.department is not None and person.department not in roles:
            yield ("people", number, "department"), f"there is no department {person.department!r}"
        elif person.role is not None and person.role not in roles.get(person.department or "", set()):
            yield ("people", number, "role"), f"the department has no role {person.role!r}"
        if DutyName.LEAD in person.duties:
            yield ("people", number, "duties"), "leads are named with their department, under 'leads'"
        for place, leave in enumerate(person.leave):
            if leave.last < leave.first:
                yield ("people", number, "leave", place), "ends before it starts"


def _holiday_references(draft: OrganisationDraft) -> Iterator[Problem]:
    slugs = {department.id for department in draft.departments}
    for number, holiday in enumerate(draft.holidays):
        for slug in holiday.departments:
            if slug not in slugs:
                yield ("holidays", number, "departments"), f"there is no department {slug!r}"


def _processes_twice(draft: OrganisationDraft) -> Iterator[Problem]:
    owners: dict[str, int] = {}
    for number, process in enumerate(draft.processes or []):
        for field, slug in [("id", process.id), *(("was", former) for former in process.was)]:
            if owners.setdefault(slug, number) != number:
                yield ("processes", number, field), f"{slug!r} is given twice"


def _process_references(draft: OrganisationDraft) -> Iterator[Problem]:
    slugs = {department.id for department in draft.departments}
    emails = {person.email for person in draft.people}
    for number, process in enumerate(draft.processes or []):
        for place, slug in enumerate(process.departments):
            if slug not in slugs:
                yield ("processes", number, "departments", place), f"there is no department {slug!r}"
        if len(set(process.departments)) < 2:
            yield ("processes", number, "departments"), "has to name at least two departments"
        if process.owner is not None and process.owner not in emails:
            yield ("processes", number, "owner"), f"{process.owner} is not among the people"
