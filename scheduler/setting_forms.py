"""Settings as forms: what a person may set, described for any surface, and how a filled form takes effect.

A surface draws each `Section` as it can (a modal, a form of the page) and hands the values back by the names
of the fields. What may be set is looked up again then: a form proves nothing. A change holds from the next
tick of any process on, because the planner reads it when it decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, actor, can
from bot.calendar import WorkCalendar, monday_of
from bot.clock import local_day
from bot.errors import AccessDenied, Fault, InputError
from bot.organisation.directory import led_departments
from bot.store.outbox import address_of
from bot.store.tables import AuditLogEntry, Department, Person, Platform
from scheduler.cards import spoken
from scheduler.directory import Recipient, load_recipients
from scheduler.setting_changes import COMPANY, FOR_EVER, ask_code, by_code, carry_out, digest_code
from scheduler.setting_words import PLACES, WEEKDAYS

ME = "me"
"""The section about the person; `digest.<department id>` is one about a digest, COMPANY's included."""

OPEN, PAUSED, OUT = "open", "paused", "out"
STEP = timedelta(minutes=30)
CHANNELS = {
    Platform.SLACK: (
        re.compile(r"#[^\s:,<>&]{1,80}|(?:[A-Z0-9]{2,20}:)?[CG][A-Z0-9]{2,20}"),
        "A name such as #finance-team, or the id at the bottom of the channel's details in Slack.",
    ),
    Platform.TEAMS: (re.compile(r"\S{3,200}"), "The channel's id, as the organisation file names it."),
    Platform.EMAIL: (
        re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{3,190}"),
        "An address that reaches the whole department.",
    ),
}
"""What a channel is called on each platform that has some, and how to say so."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of a field's values, with its words."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be set. A `choice` has `options`, its value among them; a `line` is free text.

    `channel` fields are lines that name a place on `platform`; a surface may offer its own picker there.
    """

    name: str
    label: str
    value: str
    kind: Literal["choice", "line", "channel"] = "choice"
    options: tuple[Option, ...] = ()
    hint: str = ""
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that are saved together. `key` comes back with them; `text` says what they are about."""

    key: str
    title: str
    text: str
    fields: tuple[Field, ...] = field(default=())


@dataclass(frozen=True)
class _Desk:
    """Who sets something, what they may do, and what this deployment can reach."""

    tx: AsyncSession
    person: Person
    own: Recipient
    rights: Actor
    now: datetime
    platforms: frozenset[Platform]


async def setting_sections(
    tx: AsyncSession,
    person_id: int,
    now: datetime,
    platforms: Collection[Platform],
    department_id: int | None = None,
) -> list[Section]:
    """What this person may set: their own, the digests of the departments they lead, an admin the company's.

    `platforms` are those on which this deployment can write unasked. An admin may name one more department.
    Raises AccessDenied for a guest, and for somebody who is not known.
    """
    desk = await _desk(tx, person_id, now, platforms)
    departments = await led_departments(tx, person_id)
    other = await tx.get(Department, department_id) if department_id is not None else None
    if other is not None and other.id not in desk.rights.leads and can(desk.rights, Action.ADMINISTER):
        departments = [*departments, other]
    sections = [await _about_me(desk), *[await _about_department(desk, each) for each in departments]]
    if can(desk.rights, Action.ADMINISTER):
        sections.append(_about_company(desk))
    return sections


async def save_section(
    tx: AsyncSession,
    person_id: int,
    key: str,
    values: Mapping[str, str],
    now: datetime,
    platforms: Collection[Platform],
) -> str:
    """Take a filled section over, in the caller's transaction; returns in a sentence what holds now.

    Fields that are left out stay as they are. Raises InputError with a Fault for each field that can't be
    (`fault.field` is its name), AccessDenied where the section is not this person's to set.
    """
    number = key.removeprefix("digest.")
    department_id = int(number) if key.startswith("digest.") and number.isdigit() else None
    sections = await setting_sections(tx, person_id, now, platforms, department_id)
    section = next((each for each in sections if each.key == key), None)
    if section is None:
        raise AccessDenied("That is not yours to set. Nothing was changed.")
    chosen = _checked(section, values)
    desk = await _desk(tx, person_id, now, platforms, lock=True)
    if department_id is None:
        return await _save_mine(desk, section, chosen)
    return await _save_digest(desk, section, department_id, chosen)


async def _desk(
    tx: AsyncSession, person_id: int, now: datetime, platforms: Collection[Platform], lock: bool = False
) -> _Desk:
    rights = await actor(tx, person_id)
    found = await load_recipients(tx, [f"person:{person_id}"], now.date())
    if rights.outside or not found:
        raise AccessDenied("There is nothing to set here for guests.")
    person = await tx.get_one(Person, person_id, with_for_update=lock)
    return _Desk(tx, person, found[f"person:{person_id}"], rights, now, frozenset(platforms))


def _checked(section: Section, values: Mapping[str, str]) -> dict[str, str]:
    """The values that differ from what holds, each checked against its field."""
    faults, chosen = [], {}
    for each in section.fields:
        value = values.get(each.name, each.value).strip()
        if value == each.value:
            continue
        if each.kind == "choice" and value not in {option.value for option in each.options}:
            faults.append(Fault("", each.name, f"{each.label} can't be set to that. Choose from the list."))
        elif each.platform and value and not CHANNELS[each.platform][0].fullmatch(value):
            faults.append(Fault("", each.name, f"That is no channel there. {each.hint}"))
        chosen[each.name] = value
    if faults:
        raise InputError("Nothing was changed yet.", faults)
    return chosen


async def _about_me(desk: _Desk) -> Section:
    own, calendar = desk.own, desk.own.calendar
    platform, _ = await address_of(desk.tx, desk.person.id or 0)
    places = sorted({Platform.WEB, platform, *desk.platforms} - {Platform.CHAT})
    return Section(
        ME,
        "When and where I write to you",
        f"At most twice a week, never before {calendar.opens:%H:%M} or after {calendar.closes:%H:%M} "
        f"({calendar.tz.key}), never on days off.",
        (
            _day_field("When I ask you: day", own.slot_day, calendar),
            _time_field("When I ask you: time", own.slot_time, calendar),
            Field(
                "place", "Where I write to you", platform.value,
                options=tuple(Option(each.value, _upper(PLACES[each])) for each in places),
            ),
            _quiet_field(desk),
        ),
    )  # fmt: skip


async def _about_department(desk: _Desk, department: Department) -> Section:
    key = f"department:{department.id}"
    channel = (await load_recipients(desk.tx, [key], desk.now.date()))[key]
    platforms = sorted(desk.platforms & CHANNELS.keys() | {Platform(name) for name in department.channels})
    return Section(
        f"digest.{department.id}",
        f"The digest of {department.name}",
        f"Once a week to the department's channel ({channel.calendar.tz.key}).",
        (
            _day_field("Day", channel.digest_day, channel.calendar),
            _time_field("Time", channel.digest_time, channel.calendar),
            *(_channel_field(department, platform) for platform in platforms),
        ),
    )


def _about_company(desk: _Desk) -> Section:
    return Section(
        f"digest.{COMPANY}",
        "The digest of the company",
        "Once a week to every executive, by their own clock. Departments without their own day follow it.",
        (
            _day_field("Day", desk.own.digest_day, desk.own.calendar),
            _time_field("Time", desk.own.digest_time, desk.own.calendar),
        ),
    )


def _day_field(label: str, day: int, calendar: WorkCalendar) -> Field:
    days = sorted({*calendar.working_days, day})
    return Field("day", label, str(day), options=tuple(Option(str(n), WEEKDAYS[n]) for n in days))


def _time_field(label: str, wall: time, calendar: WorkCalendar) -> Field:
    times = sorted({*_half_hours(calendar), wall})
    options = tuple(Option(f"{at:%H:%M}", f"{at:%H:%M}") for at in times)
    return Field("time", label, f"{wall:%H:%M}", options=options)


def _half_hours(calendar: WorkCalendar) -> Iterable[time]:
    some_day = datetime(2000, 1, 1)  # noqa: DTZ001  (only its clock on the wall is used)
    at, end = datetime.combine(some_day, calendar.opens), datetime.combine(some_day, calendar.closes)
    while at < end:
        yield at.time()
        at += STEP


def _channel_field(department: Department, platform: Platform) -> Field:
    return Field(
        f"channel.{platform.value}",
        f"Channel {PLACES[platform]}" if platform is not Platform.EMAIL else "Address for e-mail",
        department.channels.get(platform.value, ""),
        kind="channel",
        hint=f"{CHANNELS[platform][1]} Empty: none.",
        platform=platform,
    )


def _quiet_field(desk: _Desk) -> Field:
    today = local_day(desk.now, desk.own.calendar.tz)
    monday = monday_of(today) + timedelta(days=7)
    value, until = _quiet_now(desk.person, desk.own, today)
    dates = sorted({monday, today + timedelta(days=14), today + timedelta(days=28), *until})
    options = (
        Option(OPEN, "You may write to me"),
        *(Option(day.isoformat(), f"Keep quiet until {spoken(day)}") for day in dates),
        Option(PAUSED, "Keep quiet until I say so"),
        Option(OUT, "Stay out: only answer what I ask"),
    )
    return Field("quiet", "Peace and quiet", value, options=options)


def _quiet_now(person: Person, own: Recipient, today: date) -> tuple[str, list[date]]:
    until = own.silent_until
    if person.declined_at is not None:
        return OUT, []
    if until is None or until <= today:
        return OPEN, []
    return (PAUSED, []) if until == FOR_EVER else (until.isoformat(), [until])


async def _save_mine(desk: _Desk, section: Section, chosen: dict[str, str]) -> str:
    if "place" in chosen and not await carry_out(
        desk.tx, desk.person, by_code(Platform(chosen["place"])), desk.now
    ):
        place = PLACES[Platform(chosen["place"])]
        problem = f"I don't know you {place} yet. Say hello to me there first."
        raise InputError("Nothing was changed yet.", [Fault("", "place", problem)])
    if "day" in chosen or "time" in chosen:
        day, at = _moment(section, chosen)
        await carry_out(desk.tx, desk.person, ask_code(day, at), desk.now)
    if "quiet" in chosen:
        _set_quiet(desk.person, chosen["quiet"], desk.now)
    return "Saved. It holds from the next message on." if chosen else "Nothing was changed."


def _set_quiet(person: Person, value: str, now: datetime) -> None:
    person.paused_until = person.snoozed_until = person.declined_at = None
    if value == PAUSED:
        person.paused_until = FOR_EVER
    elif value == OUT:
        person.declined_at = now
    elif value != OPEN:
        person.paused_until = date.fromisoformat(value)


async def _save_digest(desk: _Desk, section: Section, department_id: int, chosen: dict[str, str]) -> str:
    if "day" in chosen or "time" in chosen:
        day, at = _moment(section, chosen)
        await carry_out(desk.tx, desk.person, digest_code(department_id, day, at), desk.now)
    channels = {
        each.platform.value: chosen[each.name]
        for each in section.fields
        if each.platform is not None and each.name in chosen
    }
    if channels:
        await _set_channels(desk, department_id, channels)
    return "Saved. It holds from the next digest on." if chosen else "Nothing was changed."


async def _set_channels(desk: _Desk, department_id: int, channels: dict[str, str]) -> None:
    department = await desk.tx.get_one(Department, department_id, with_for_update=True)
    merged = {**department.channels, **channels}
    department.channels = {name: place for name, place in merged.items() if place}
    desk.tx.add(
        AuditLogEntry(
            at=desk.now, actor_id=desk.person.id, action="digest.channel",
            resource=f"department:{department_id}", detail={"channels": department.channels},
        )
    )  # fmt: skip


def _moment(section: Section, chosen: dict[str, str]) -> tuple[int, time]:
    now = {each.name: each.value for each in section.fields} | chosen
    return int(now["day"]), time.fromisoformat(now["time"])


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
