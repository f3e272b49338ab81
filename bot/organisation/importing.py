"""Taking a checked draft over into the store: as a whole, repeatably, and losing no answer.

What the file no longer names is archived, never deleted; what it names again comes back. A department keeps
its row, and with it every answer, when its id changes and `was` names the old one. A dry run is the same
code in a transaction that is given up at the end, so that it shows what really would happen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit import expiry
from bot.errors import Fault, InputError
from bot.organisation.draft import DepartmentPart, OrganisationDraft, PersonPart
from bot.organisation.import_processes import import_processes
from bot.organisation.ledger import Change, Ledger
from bot.store.engine import Store
from bot.store.tables import (
    Audience,
    Company,
    Department,
    Duty,
    DutyName,
    Identity,
    Leave,
    OwnHoliday,
    Person,
    Platform,
    Role,
)

_STAY = "its answers stay"


class _GivenUp(Exception):
    """Ends the transaction of a dry run."""


async def import_organisation(
    store: Store,
    draft: OrganisationDraft,
    now: datetime,
    audiences: dict[str, Audience],
    dry_run: bool = False,
) -> list[Change]:
    """Make the store agree with `draft`; returns every difference that was (or would be) made.

    `audiences` says whom each of the instrument's departments serves, where the file is silent. Raises
    InputError where the draft and the store can't be brought together; then nothing has changed.
    """
    changes: list[Change] = []
    try:
        async with store.write() as tx:
            importer = _Importer(tx, draft, now, audiences)
            await importer.run()
            changes = importer.book.changes
            if dry_run:
                raise _GivenUp
    except _GivenUp:
        pass
    return changes


class _Importer:
    def __init__(
        self, tx: AsyncSession, draft: OrganisationDraft, now: datetime, audiences: dict[str, Audience]
    ) -> None:
        self.tx, self.draft, self.now, self.audiences = tx, draft, now, audiences
        self.book = Ledger(tx, now)
        self.departments: dict[str, Department] = {}
        self.roles: dict[tuple[str, str], Role] = {}
        self.people: dict[str, Person] = {}

    async def run(self) -> None:
        await self._company()
        await self._departments()
        await self._roles()
        await self._people()
        await self._duties()
        await self._identities()
        await self._leave()
        await self._holidays()
        if self.draft.processes is not None:
            await import_processes(self.book, self.draft.processes, self.departments, self.people)

    async def _company(self) -> None:
        stored = await self.tx.get(Company, 1)
        given = self.draft.company
        if stored is None:
            stored = Company(name=given.name if given else "Company")
            self.book.note("added", f"company {stored.name}")
            await self.book.add([stored])
        if given:
            self.book.set(stored, "company", given.model_dump())

    # Departments and roles

    async def _departments(self) -> None:
        stored: list[Department] = await self.book.all(Department)
        by_slug = {department.slug: department for department in stored}
        former = {slug: department for department in stored for slug in department.former_slugs}
        taken: dict[int | None, str] = {}
        fresh: list[Department] = []
        for part in self.draft.departments:
            found = self._match(part, by_slug, former)
            if found is None:
                found = Department(slug=part.id, name=part.name)
                fresh.append(found)
                self.book.note("added", f"department {part.id}")
            elif found.id in taken:
                raise InputError(
                    "Nothing was imported.",
                    [Fault("", f"department {part.id}", f"is the same one as {taken[found.id]}")],
                )
            else:
                taken[found.id] = part.id
                self._rename(found, part)
                self.book.restore(found, f"department {part.id}")
            self._describe(found, part, noted=found.id is not None)
            self.departments[part.id] = found
        # Renames first, one by one: two departments may swap their ids.
        await self.book.add(fresh)
        self.book.archive(
            (d for d in stored if d.id not in taken), lambda row: f"department {row.slug}", _STAY
        )

    @staticmethod
    def _match(
        part: DepartmentPart, by_slug: dict[str, Department], former: dict[str, Department]
    ) -> Department | None:
        for slug in (part.id, *part.was):
            if slug in by_slug:
                return by_slug[slug]
        return former.get(part.id)

    def _rename(self, row: Department, part: DepartmentPart) -> None:
        if row.slug == part.id:
            return
        self.book.note("renamed", f"department {row.slug}", f"now {part.id}")
        row.former_slugs = [*(slug for slug in row.former_slugs if slug != part.id), row.slug]
        row.slug = part.id
        self.tx.add(row)

    def _describe(self, row: Department, part: DepartmentPart, noted: bool) -> None:
        # A lead may have chosen a channel in the settings: one that the file does not name stays.
        channels = row.channels | {str(at): name for at, name in part.channel.items()}
        values = {
            "name": part.name,
            "template": part.template,
            "ad_audience": part.ad_audience or self.audiences.get(part.template or "", Audience.INTERNAL),
            "time_zone": part.time_zone,
            "country": part.country,
            "region": part.region,
            "slot_day": part.slot.day if part.slot else None,
            "slot_time": part.slot.time if part.slot else None,
            "channels": {at: name for at, name in channels.items() if name},
        }
        if noted:
            self.book.set(row, f"department {part.id}", values)
        else:
            for key, value in values.items():
                setattr(row, key, value)

    async def _roles(self) -> None:
        before = await self._active_roles()
        await self._take_roles()
        for slug, department in self.departments.items():
            after = {key[1]: (r.name, r.headcount) for key, r in self.roles.items() if key[0] == slug}
            if expiry.is_reorganised(before.get(department.id, {}), after):
                rows = await expiry.standing(self.tx, department.id or 0, self.now)
                self._expired(
                    slug, expiry.REORGANISATION, expiry.expire(rows, expiry.REORGANISATION, self.now)
                )

    async def _active_roles(self) -> dict[int | None, dict[str, tuple[str, int]]]:
        found: dict[int | None, dict[str, tuple[str, int]]] = {}
        for role in await self.book.all(Role):
            if role.archived_at is None:
                found.setdefault(role.department_id, {})[role.slug] = role.name, role.headcount
        return found

    def _expired(self, slug: str, event: str, criteria: tuple[str, ...]) -> None:
        if criteria:
            count = "1 is" if len(criteria) == 1 else f"{len(criteria)} are"
            self.book.note("expired", f"answers of department {slug}", f"{event}: {count} asked again")

    async def _take_roles(self) -> None:
        stored = {(role.department_id, role.slug): role for role in await self.book.all(Role)}
        fresh: list[Role] = []
        for part in self.draft.departments:
            department = self.departments[part.id]
            assert department.id is not None  # noqa: S101  (flushed)
            for role_part in part.roles:
                role = stored.pop((department.id, role_part.id), None)
                subject = f"role {part.id}/{role_part.id}"
                values: dict[str, Any] = {"name": role_part.name, "headcount": role_part.headcount}
                if role is None:
                    role = Role(department_id=department.id, slug=role_part.id, **values)
                    fresh.append(role)
                    self.book.note("added", subject)
                else:
                    self.book.restore(role, subject)
                    if (role.name, role.headcount) != (role_part.name, role_part.headcount):
                        role.changed_at = self.now
                    self.book.set(role, subject, values)
                self.roles[part.id, role_part.id] = role
        await self.book.add(fresh)
        names = {department.id: slug for slug, department in self.departments.items()}
        gone = (role for role in stored.values() if role.department_id in names)
        self.book.archive(gone, lambda role: f"role {names[role.department_id]}/{role.slug}", _STAY)

    # People and what hangs on them

    async def _people(self) -> None:
        stored: list[Person] = await self.book.all(Person)
        by_email = {person.email: person for person in stored}
        fresh: list[Person] = []
        kept: set[int | None] = set()
        for part in self.draft.people:
            person = next((by_email[email] for email in (part.email, *part.was) if email in by_email), None)
            values = self._person_values(part)
            if person is None:
                person = Person(**values)
                fresh.append(person)
                self.book.note("added", f"person {part.email}")
            else:
                self.book.restore(person, f"person {part.email}")
                self.book.set(person, f"person {part.email}", values)
            kept.add(person.id)
            self.people[part.email] = person
        await self.book.add(fresh)
        self.book.archive(
            (p for p in stored if p.id not in kept), lambda person: f"person {person.email}", _STAY
        )

    def _person_values(self, part: PersonPart) -> dict[str, Any]:
        department = self.departments.get(part.department or "")
        role = self.roles.get((part.department or "", part.role or ""))
        return {
            "email": part.email,
            "name": part.name,
            "department_id": department.id if department else None,
            "role_id": role.id if role else None,
            "time_zone": part.time_zone,
            "country": part.country,
            "region": part.region,
            "locale": part.locale,
            "working_days": part.working_days,
            "work_starts": part.working_hours[0],
            "work_ends": part.working_hours[1],
            "external": part.external,
        }

    async def _duties(self) -> None:
        wanted: dict[tuple[int, DutyName, int | None], str] = {}
        for part in self.draft.departments:
            for email in part.leads:
                key = (_id(self.people[email]), DutyName.LEAD, self.departments[part.id].id)
                wanted[key] = f"{email} as lead of {part.id}"
        for person in self.draft.people:
            for duty in person.duties:
                wanted[_id(self.people[person.email]), duty, None] = f"{person.email} as {duty.value}"
        stored = {(duty.person_id, duty.duty, duty.department_id): duty for duty in await self.book.all(Duty)}
        for key, said in wanted.items():
            if key not in stored:
                self.book.note("added", said)
                self.tx.add(Duty(person_id=key[0], duty=key[1], department_id=key[2], since=self.now))
        await self._leads_left(stored, wanted)
        await self.book.remove((row for key, row in stored.items() if key not in wanted), self._duty_in_words)

    async def _leads_left(
        self,
        stored: Mapping[tuple[int, DutyName, int | None], Duty],
        wanted: Collection[tuple[int, DutyName, int | None]],
    ) -> None:
        """What a lead said ends with the lead; what others of the same leads said stays."""
        for slug, department in self.departments.items():
            led = {key for key in stored if key[1:] == (DutyName.LEAD, department.id)}
            gone = {key[0] for key in led if key not in wanted}
            if gone:
                stays = len(gone) < len(led)
                ended = await expiry.lead_left(self.tx, department.id or 0, gone, stays, self.now)
                self._expired(slug, expiry.LEAD_CHANGED, ended)

    def _duty_in_words(self, duty: Duty) -> str:
        people = {person.id: email for email, person in self.people.items()}
        departments = {row.id: f" of {slug}" for slug, row in self.departments.items()}
        who = people.get(duty.person_id, f"person {duty.person_id}")
        return f"{who} as {duty.duty.value}{departments.get(duty.department_id, '')}"

    async def _identities(self) -> None:
        """Accounts are added, never removed here: people link more of them by writing to us."""
        stored = {(row.platform, row.tenant, row.external_id): row for row in await self.book.all(Identity)}
        for part in self.draft.people:
            person_id = _id(self.people[part.email])
            for platform, accounts in ((Platform.SLACK, part.slack), (Platform.TEAMS, part.teams)):
                for account in accounts:
                    self._identity(stored, platform, account, person_id, part.email)
            self._letters(stored.get((Platform.EMAIL, "", f"person:{person_id}")), part)
        await self.tx.flush()

    def _identity(
        self, stored: dict[Any, Identity], platform: Platform, account: str, person_id: Any, email: str
    ) -> None:
        tenant, _, external = account.rpartition("/")
        row = stored.get((platform, tenant, external))
        subject = f"{platform.value} account {account}"
        if row is None:
            self.book.note("added", subject, f"of {email}")
            self.tx.add(Identity(person_id=person_id, platform=platform, tenant=tenant, external_id=external))
        elif row.person_id != person_id:
            self.book.note("changed", subject, f"now of {email}")
            row.person_id = person_id
            self.tx.add(row)

    def _letters(self, row: Identity | None, part: PersonPart) -> None:
        """Letters go to the address in the file. What somebody chose in the chat stays."""
        person = self.people[part.email]
        address = {"conversation": part.email}
        if row is not None and row.address != address:
            self.book.note("changed", f"letters to {part.email}", "a new address")
            row.address, row.reachable = address, True
            self.tx.add(row)
        if part.preferred is None or person.preferred_platform is not None:
            return
        self.book.note("changed", f"person {part.email}", "preferred: none -> email")
        person.preferred_platform = Platform.EMAIL
        self.tx.add(person)
        if row is None:
            self.tx.add(
                Identity(
                    person_id=_id(person),
                    platform=Platform.EMAIL,
                    external_id=f"person:{_id(person)}",
                    address=address,
                )
            )

    async def _leave(self) -> None:
        wanted = {
            (_id(self.people[part.email]), leave.first, leave.last): part.email
            for part in self.draft.people
            for leave in part.leave
        }
        stored = {(row.person_id, row.first_day, row.last_day): row for row in await self.book.all(Leave)}
        for key, email in wanted.items():
            if key not in stored:
                self.book.note("added", f"leave of {email}", f"{key[1]} to {key[2]}")
                self.tx.add(Leave(person_id=key[0], first_day=key[1], last_day=key[2]))
        emails = {person.id: email for email, person in self.people.items()}
        gone = (row for key, row in stored.items() if key not in wanted and row.person_id in emails)
        await self.book.remove(gone, lambda row: f"leave of {emails[row.person_id]} from {row.first_day}")

    async def _holidays(self) -> None:
        wanted = {
            (part.day, part.name, part.country, self.departments[slug].id if slug else None)
            for part in self.draft.holidays
            for slug in (part.departments or [""])
        }
        stored = {
            (row.day, row.name, row.country, row.department_id): row
            for row in await self.book.all(OwnHoliday)
        }
        for day, name, country, department_id in sorted(wanted - stored.keys(), key=str):
            self.book.note("added", f"holiday {name}", str(day))
            self.tx.add(OwnHoliday(day=day, name=name, country=country, department_id=department_id))
        gone = (row for key, row in stored.items() if key not in wanted)
        await self.book.remove(gone, lambda row: f"holiday {row.name} on {row.day}")


def _id(row: Person) -> int:
    assert row.id is not None, "people are flushed before anything points at them"  # noqa: S101
    return row.id
