"""Changes of settings as short codes that buttons can carry, so that every change can be taken back.

    ask.<weekday>.<HHMM>                      when this person is asked
    by.<platform>                             where this person is written to
    digest.<department, 0 = company>.<weekday>.<HHMM>

A dash stands for "as usual". A code is checked again when it comes back: a button proves nothing.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, actor, can
from bot.store.outbox import address_of
from bot.store.tables import AuditLogEntry, Company, Department, Identity, Person, Platform

NONE = "-"
FOR_EVER = date(9999, 12, 31)
"""A pause without an end: until the person says otherwise."""
COMPANY = 0


def ask_code(day: int | None, at: time | None) -> str:
    """Ask this person on `day` at `at`; None = as usual."""
    return f"ask.{_or_dash(day)}.{_clock(at)}"


def by_code(platform: Platform) -> str:
    """Write to this person on `platform`."""
    return f"by.{platform.value}"


def digest_code(department_id: int, day: int | None, at: time | None) -> str:
    """Send the digest of a department (or of COMPANY) on `day` at `at`; None = as usual."""
    return f"digest.{department_id}.{_or_dash(day)}.{_clock(at)}"


async def carry_out(tx: AsyncSession, person: Person, code: str, now: datetime) -> str | None:
    """Make the change, and return the code that takes it back; None where it may not or can't be made."""
    what, *values = code.split(".")
    if what == "ask" and len(values) == 2:
        back = ask_code(person.slot_day, person.slot_time)
        person.slot_day, person.slot_time = _day(values[0]), _time(values[1])
        return back
    if what == "by" and len(values) == 1 and values[0] in set(Platform):
        return await _write_on(tx, person, Platform(values[0]))
    if what == "digest" and len(values) == 3 and values[0].isdigit():
        return await _set_digest(tx, person, int(values[0]), _day(values[1]), _time(values[2]), now)
    return None


async def pause_everything(tx: AsyncSession, person_id: int) -> bool:
    """Nothing more unasked, on any platform, until the person says otherwise. False if nobody is known."""
    person = await tx.get(Person, person_id, with_for_update=True)
    if person is None or person.archived_at is not None:
        return False
    person.paused_until = FOR_EVER
    return True


async def _set_digest(
    tx: AsyncSession, person: Person, department_id: int, day: int | None, at: time | None, now: datetime
) -> str | None:
    who = await actor(tx, person.id or 0)
    owner: Company | Department | None
    if department_id == COMPANY:
        allowed, owner = can(who, Action.ADMINISTER), await tx.get(Company, 1, with_for_update=True)
    else:
        allowed = can(who, Action.ADMINISTER) or department_id in who.leads
        owner = await tx.get(Department, department_id, with_for_update=True)
    if not allowed or owner is None:
        return None
    before = owner.settings
    kept = {key: value for key, value in before.items() if key not in ("digest_day", "digest_time")}
    new: dict[str, Any] = {} if day is None else {"digest_day": day}
    owner.settings = kept | new | ({} if at is None else {"digest_time": f"{at:%H:%M}"})
    tx.add(
        AuditLogEntry(
            at=now, actor_id=person.id, action="digest.moved", resource=f"department:{department_id}",
            detail=new | {"digest_time": f"{at:%H:%M}" if at else None},
        )
    )  # fmt: skip
    wall = before.get("digest_time")
    return digest_code(
        department_id, before.get("digest_day"), time.fromisoformat(wall) if isinstance(wall, str) else None
    )


async def _write_on(tx: AsyncSession, person: Person, platform: Platform) -> str | None:
    before, _ = await address_of(tx, person.id or 0)
    if not await _account_on(tx, person, platform):
        return None
    person.preferred_platform = platform
    return by_code(before)


async def _account_on(tx: AsyncSession, person: Person, platform: Platform) -> bool:
    """Whether this person can be written to on `platform`. E-mail and the page need no account beforehand."""
    rows = await tx.exec(
        select(Identity).where(Identity.person_id == person.id, Identity.platform == platform)
    )
    usable = [row for row in rows if row.address.get("conversation")]
    for row in usable:
        # Who asks to be written to there can be: an earlier refusal is tried anew.
        row.reachable = True
    made = {Platform.EMAIL: person.email, Platform.WEB: f"web:{person.id}"}.get(platform)
    if not usable and made is not None:
        tx.add(
            Identity(
                person_id=person.id or 0,
                platform=platform,
                external_id=f"person:{person.id}",
                address={"conversation": made},
            )
        )
    return bool(usable) or made is not None


def _or_dash(value: int | None) -> str:
    return NONE if value is None else str(value)


def _clock(at: time | None) -> str:
    return NONE if at is None else f"{at:%H%M}"


def _day(text: str) -> int | None:
    return int(text) if text in "0123456" and len(text) == 1 else None


def _time(text: str) -> time | None:
    if len(text) != 4 or not text.isdigit() or int(text[:2]) > 23 or int(text[2:]) > 59:
        return None
    return time(int(text[:2]), int(text[2:]))
