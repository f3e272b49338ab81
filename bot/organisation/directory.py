"""Who is who: the few look-ups that everything else needs, and the organisation as one document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import NotFound
from bot.organisation.draft import DAYS
from bot.store.columns import objects
from bot.store.tables import (
    Company,
    Department,
    Duty,
    DutyName,
    Identity,
    Leave,
    OwnHoliday,
    Person,
    Platform,
    Process,
    ProcessStep,
    Role,
)


async def person_by_email(tx: AsyncSession, email: str) -> Person:
    """The active person with that address. Raises NotFound."""
    found = await tx.exec(
        select(Person).where(Person.email == email.strip().lower(), col(Person.archived_at).is_(None))
    )
    person = found.first()
    if person is None:
        raise NotFound(
            f"Nobody here has the address {email}. Check the spelling, or add the person with "
            "'stagecoach org import'."
        )
    return person


async def person_by_account(
    tx: AsyncSession, platform: Platform, tenant: str, external_id: str
) -> Person | None:
    """The active person behind an account on a platform, if known."""
    found = await tx.exec(
        select(Person)
        .join(Identity, col(Identity.person_id) == Person.id)
        .where(
            Identity.platform == platform,
            col(Identity.tenant).in_([tenant, ""]),
            Identity.external_id == external_id,
            col(Person.archived_at).is_(None),
        )
    )
    return found.first()


async def department_by_slug(tx: AsyncSession, slug: str) -> Department:
    """The department with that id, or that had it once. Raises NotFound with the ids there are."""
    found = await tx.exec(select(Department).order_by(Department.slug))
    departments = found.all()
    for department in departments:
        if department.slug == slug:
            return department
    for department in departments:
        if slug in department.former_slugs:
            return department
    known = ", ".join(department.slug for department in departments if department.archived_at is None)
    raise NotFound(f"There is no department {slug!r}. There are: {known or 'none yet'}.")


async def active_departments(tx: AsyncSession) -> list[Department]:
    """Every department that is not archived, by id."""
    found = await tx.exec(
        select(Department).where(col(Department.archived_at).is_(None)).order_by(Department.slug)
    )
    return list(found.all())


async def holders(tx: AsyncSession, duty: DutyName, department_id: int | None = None) -> list[Person]:
    """The active people with a duty; leads need the department."""
    if department_id is None:
        return await objects(tx, _HOLDERS, {"duty": duty})
    return await objects(tx, _HOLDERS_IN, {"duty": duty, "department": department_id})


# These stand ready, as every turn of a dialogue asks for them.
_HOLDERS = (
    select(Person)
    .join(Duty, col(Duty.person_id) == Person.id)
    .where(col(Duty.duty) == bindparam("duty"), col(Person.archived_at).is_(None))
    .order_by(col(Person.id))
)
_HOLDERS_IN = _HOLDERS.where(Duty.department_id == bindparam("department"))
_LED = (
    select(Department)
    .join(Duty, col(Duty.department_id) == Department.id)
    .where(
        Duty.person_id == bindparam("person"),
        Duty.duty == DutyName.LEAD,
        col(Department.archived_at).is_(None),
    )
    .order_by(Department.slug)
)


async def default_owner(tx: AsyncSession, but: int | None = None) -> Person | None:
    """Who answers for what has no owner: whoever owns policies, runs the programme or administers, in this
    order and by seniority of the duty. `but` is somebody who is about to leave.
    """
    for duty in (DutyName.POLICY_OWNER, DutyName.PROGRAMME_OWNER, DutyName.ADMIN):
        found = await tx.exec(
            select(Person)
            .join(Duty, col(Duty.person_id) == Person.id)
            .where(Duty.duty == duty, col(Person.archived_at).is_(None), col(Person.id) != (but or 0))
            .order_by(col(Duty.id))
        )
        if (person := found.first()) is not None:
            return person
    return None


async def duties_of(tx: AsyncSession, person_id: int) -> list[Duty]:
    """Everything a person answers for."""
    return list((await tx.exec(select(Duty).where(Duty.person_id == person_id).order_by(col(Duty.id)))).all())


async def led_departments(tx: AsyncSession, person_id: int) -> list[Department]:
    """The active departments that a person leads."""
    return await objects(tx, _LED, {"person": person_id})


async def organisation_document(tx: AsyncSession) -> dict[str, Any]:
    """The organisation as stored, in the shape of the import file, with `archived` where it applies."""
    company = await tx.get(Company, 1)
    departments = list((await tx.exec(select(Department).order_by(Department.slug))).all())
    people = list((await tx.exec(select(Person).order_by(Person.email))).all())
    holidays = list((await tx.exec(select(OwnHoliday).order_by(col(OwnHoliday.day)))).all())
    hanging = await _Hanging.read(tx)
    slugs = {department.id: department.slug for department in departments}
    emails = {person.id: person.email for person in people}
    return {
        "company": company.model_dump(exclude={"id", "settings"}) if company else None,
        "departments": [_department(row, hanging, emails) for row in departments],
        "people": [_person(row, hanging, slugs) for row in people],
        "holidays": [_holiday(row, slugs) for row in holidays],
        "processes": [_process(row, path, slugs, emails) for row, path in await _processes(tx)],
    }


@dataclass(frozen=True)
class _Hanging:
    """What hangs on departments and people, by their row's id."""

    roles: dict[int, list[Role]]
    role_slugs: dict[int | None, str]
    leads: dict[int | None, list[Duty]]
    duties: dict[int, list[Duty]]
    accounts: dict[tuple[int, Platform], list[Identity]]
    leave: dict[int, list[Leave]]

    @classmethod
    async def read(cls, tx: AsyncSession) -> _Hanging:
        roles = (await tx.exec(select(Role).order_by(col(Role.id)))).all()
        duties = (await tx.exec(select(Duty).order_by(col(Duty.id)))).all()
        accounts = (await tx.exec(select(Identity).order_by(col(Identity.id)))).all()
        leave = (await tx.exec(select(Leave).order_by(col(Leave.first_day)))).all()
        return cls(
            roles=_grouped(roles, lambda role: role.department_id),
            role_slugs={role.id: role.slug for role in roles},
            leads=_grouped((d for d in duties if d.duty is DutyName.LEAD), lambda duty: duty.department_id),
            duties=_grouped((d for d in duties if d.duty is not DutyName.LEAD), lambda duty: duty.person_id),
            accounts=_grouped(accounts, lambda account: (account.person_id, account.platform)),
            leave=_grouped(leave, lambda each: each.person_id),
        )


_Key = TypeVar("_Key")
_Row = TypeVar("_Row")


def _grouped(rows: Iterable[_Row], key: Callable[[_Row], _Key]) -> dict[_Key, list[_Row]]:
    groups: dict[_Key, list[_Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [], {}, False)}


def _department(row: Department, hanging: _Hanging, emails: dict[int | None, str]) -> dict[str, Any]:
    slot = None
    if row.slot_day is not None and row.slot_time is not None:
        slot = {"day": DAYS[row.slot_day], "time": row.slot_time.strftime("%H:%M")}
    roles = [role for role in hanging.roles.get(row.id or 0, []) if role.archived_at is None]
    return _without_empty(
        {
            "id": row.slug,
            "name": row.name,
            "template": row.template,
            "was": row.former_slugs,
            "ad_audience": row.ad_audience.value,
            "time_zone": row.time_zone,
            "country": row.country,
            "region": row.region,
            "slot": slot,
            "channel": row.channels,
            "archived": row.archived_at is not None,
            "roles": [{"id": role.slug, "name": role.name, "headcount": role.headcount} for role in roles],
            "leads": [emails[duty.person_id] for duty in hanging.leads.get(row.id, [])],
        }
    )


def _person(row: Person, hanging: _Hanging, slugs: dict[int | None, str]) -> dict[str, Any]:
    def accounts(platform: Platform) -> list[str]:
        mine = hanging.accounts.get((row.id or 0, platform), [])
        return [f"{each.tenant}/{each.external_id}" if each.tenant else each.external_id for each in mine]

    return _without_empty(
        {
            "email": row.email,
            "name": row.name,
            "department": slugs.get(row.department_id),
            "role": hanging.role_slugs.get(row.role_id),
            "time_zone": row.time_zone,
            "country": row.country,
            "region": row.region,
            "locale": row.locale,
            "working_days": [DAYS[day] for day in row.working_days],
            "working_hours": f"{row.work_starts:%H:%M}-{row.work_ends:%H:%M}",
            "slack": accounts(Platform.SLACK),
            "teams": accounts(Platform.TEAMS),
            "preferred": Platform.EMAIL.value if row.preferred_platform is Platform.EMAIL else None,
            "duties": [duty.duty.value for duty in hanging.duties.get(row.id or 0, [])],
            "leave": [
                {"from": each.first_day.isoformat(), "to": each.last_day.isoformat()}
                for each in hanging.leave.get(row.id or 0, [])
            ],
            "external": row.external,
            "archived": row.archived_at is not None,
        }
    )


def _holiday(row: OwnHoliday, slugs: dict[int | None, str]) -> dict[str, Any]:
    return _without_empty(
        {
            "date": row.day.isoformat(),
            "name": row.name,
            "country": row.country,
            "departments": [slugs[row.department_id]] if row.department_id else None,
        }
    )


async def _processes(tx: AsyncSession) -> list[tuple[Process, list[int]]]:
    rows = (await tx.exec(select(Process).order_by(Process.slug))).all()
    steps = (await tx.exec(select(ProcessStep).order_by(col(ProcessStep.position)))).all()
    paths = _grouped(steps, lambda step: step.process_id)
    return [(row, [step.department_id for step in paths.get(row.id or 0, [])]) for row in rows]


def _process(
    row: Process, path: list[int], slugs: dict[int | None, str], emails: dict[int | None, str]
) -> dict[str, Any]:
    baseline = None
    if row.baseline_value is not None and row.baseline_on is not None:
        on = row.baseline_on.isoformat()
        baseline = {"measure": row.baseline_measure, "value": row.baseline_value, "date": on}
    return _without_empty(
        {
            "id": row.slug,
            "name": row.name,
            "was": row.former_slugs,
            "owner": emails.get(row.owner_id),
            "departments": [slugs[department] for department in path],
            "agents": row.agents,
            "state": row.state.value,
            "baseline": baseline,
            "noted_in_chat": row.noted_by is not None,
            "archived": row.archived_at is not None,
        }
    )
