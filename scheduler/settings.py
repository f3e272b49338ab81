"""Settings in the chat: when and where each person is written to, and when digests come.

A change holds from the next tick of any process on: the planner reads it when it decides. What is planned
already keeps its moment.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, actor, can
from bot.calendar import WorkCalendar
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.clock import local_day
from bot.messages import Choice, Message, plain
from bot.organisation.directory import active_departments, holders, led_departments
from bot.store.outbox import address_of
from bot.store.tables import Department, DutyName, Person, Platform
from bot.turns import Turn
from scheduler.cards import nudge_choice, spoken
from scheduler.directory import Recipient, load_recipients
from scheduler.phrases import names
from scheduler.setting_changes import COMPANY, FOR_EVER, ask_code, by_code, carry_out, digest_code
from scheduler.setting_words import PLACES, WEEKDAYS, Said, read_settings

PREFIX = "settings"
LONGEST_CODE = 110
"""What a button's id can carry (bot.choice_ids)."""


@dataclass(frozen=True)
class Prepared:
    """Nothing is needed beforehand."""


@dataclass(frozen=True)
class _Asker:
    """Who wishes to change something, and how the planner sees them."""

    person: Person
    recipient: Recipient
    turn: Turn


class SettingsUseCase:
    """Takes wishes such as "ask me on Thursdays at 14:00", and the button that undoes them.

    `platforms` are those on which this deployment can write to people unasked.
    """

    prefix = PREFIX

    def __init__(self, platforms: Collection[Platform]) -> None:
        self._platforms = frozenset(platforms)

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Only words that are plainly about settings, and not where others read along."""
        return not turn.public and read_settings(turn.text or "") is not None

    async def prepare(self, turn: Turn) -> Prepared:
        """Nothing takes time here."""
        return Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """Change what was asked for, in the caller's transaction, and say what holds from now on."""
        person = await tx.get_one(Person, turn.person_id, with_for_update=True)
        found = await load_recipients(tx, [f"person:{person.id}"], turn.at.date())
        asker = _Asker(person, found[f"person:{person.id}"], turn)
        if turn.choice is not None:
            return [await _undo(tx, asker, turn.choice)]
        said = read_settings(turn.text or "") or Said("show")
        if said.what == "ask":
            return [await _ask(tx, asker, said)]
        if said.what == "digest":
            return [await _digest(tx, asker, said)]
        if said.what == "by":
            return [await self._by(tx, asker, said)]
        return [await _show(tx, asker)]

    async def _by(self, tx: AsyncSession, asker: _Asker, said: Said) -> Message:
        platform = said.where or Platform(asker.turn.platform)
        if platform is Platform.CHAT:
            return _notice("I can't write to you in a terminal by myself.")
        if platform is not Platform.WEB and platform not in self._platforms:
            return _notice(f"I can't write to anybody {PLACES[platform]} yet. Your admin can set it up.")
        undo = await carry_out(tx, asker.person, by_code(platform), asker.turn.at)
        if undo is None:
            return _notice(f"I don't know you {PLACES[platform]} yet. Say hello to me there, and ask again.")
        place = f"{PLACES[platform]}, to {plain(asker.person.email)}" if platform is Platform.EMAIL else ""
        return _done(f"From the next message on I write to you {place or PLACES[platform]}.", undo)


def _notice(text: str) -> Message:
    return Message(kind="notice", text=f"{text} Nothing was changed.")


def _done(text: str, undo: str | None) -> Message:
    """What holds now, with the way back."""
    if undo is None or len(undo) > LONGEST_CODE:
        return Message(text=text)
    return Message(text=text, choices=(Choice(id=str(ChoiceId(PREFIX, 0, 0, undo)), label="Undo"),))


async def _undo(tx: AsyncSession, asker: _Asker, choice: str) -> Message:
    parsed = parse_choice_id(choice)
    codes = parsed.what.split(";") if parsed else []
    done = [await carry_out(tx, asker.person, code, asker.turn.at) for code in codes]
    if not any(done):
        return _notice("That button is no longer in use.")
    return Message(text="It is as it was before.")


async def _ask(tx: AsyncSession, asker: _Asker, said: Said) -> Message:
    person, calendar = asker.person, asker.recipient.calendar
    day = asker.recipient.slot_day if said.day is None else said.day
    wall = asker.recipient.slot_time if said.at is None else said.at
    if day not in calendar.working_days:
        return _notice(f"{WEEKDAYS[day]} is not one of your working days.")
    if wall >= calendar.closes:
        return _notice(f"I keep quiet from {calendar.closes:%H:%M} on.")
    undo = await carry_out(tx, person, ask_code(day, max(wall, calendar.opens)), asker.turn.at)
    moment = f"{_on(day, max(wall, calendar.opens))}, in your time zone ({calendar.tz.key})"
    return _done(f"From the next time on I ask you {moment}.{_earliest(calendar, wall)}", undo)


async def _digest(tx: AsyncSession, asker: _Asker, said: Said) -> Message:
    """The digest of the company or of departments: whose is meant, and who may."""
    admin = can(await actor(tx, asker.person.id or 0), Action.ADMINISTER)
    led = await led_departments(tx, asker.person.id or 0)
    meant = await _meant(tx, said, led, admin)
    if said.company or (not said.of and not led):
        if not admin:
            return _notice(f"The day of the company's digest is set by an admin{await _admins(tx)}.")
        return await _move_digests(tx, asker, said, [])
    if not meant:
        return _notice("I know no such department among those whose digest you may move.")
    return await _move_digests(tx, asker, said, meant)


async def _meant(tx: AsyncSession, said: Said, led: list[Department], admin: bool) -> list[Department]:
    if said.of is None:
        return led
    choice = await active_departments(tx) if admin else led
    return [each for each in choice if said.of in (each.name.lower(), each.slug.lower())]


async def _move_digests(
    tx: AsyncSession, asker: _Asker, said: Said, departments: Sequence[Department]
) -> Message:
    """Move the digest of `departments`, or the company's where there are none."""
    now = asker.turn.at
    keys = [f"department:{each.id}" for each in departments]
    found = await load_recipients(tx, keys, now.date())
    seen = [found[key] for key in keys] or [asker.recipient]
    calendar = seen[0].calendar
    day = seen[0].digest_day if said.day is None else said.day
    wall = seen[0].digest_time if said.at is None else said.at
    if day not in calendar.working_days:
        return _notice(f"{WEEKDAYS[day]} is not a working day.")
    if wall >= calendar.closes:
        return _notice(f"Everybody has quiet from {calendar.closes:%H:%M} on.")
    at = max(wall, calendar.opens)
    ids = [each.id or 0 for each in departments] or [COMPANY]
    undone = [await carry_out(tx, asker.person, digest_code(id_, day, at), now) for id_ in ids]
    undo = ";".join(code for code in undone if code is not None)
    whose = names([each.name for each in departments]) if departments else "the company"
    moment = f"{_on(day, at)}, in the time zone of those who get it"
    text = f"From the next one on the digest of {whose} comes {moment}."
    return _done(text + _earliest(calendar, wall), undo)


async def _admins(tx: AsyncSession) -> str:
    found = names([each.name for each in await holders(tx, DutyName.ADMIN)])
    return f" ({found})" if found else ""


def _on(day: int, at: time) -> str:
    return f"on {WEEKDAYS[day]}s at {at:%H:%M}"


def _earliest(calendar: WorkCalendar, wall: time) -> str:
    """Why it is later than asked for, where it is."""
    if wall >= calendar.opens:
        return ""
    return f" Before {calendar.opens:%H:%M} I keep quiet."


async def _show(tx: AsyncSession, asker: _Asker) -> Message:
    person, recipient = asker.person, asker.recipient
    platform, _ = await address_of(tx, person.id or 0)
    lines = [
        f"- I ask you {_on(recipient.slot_day, recipient.slot_time)} ({recipient.calendar.tz.key}), "
        "at most twice a week.",
        f"- I write to you {PLACES[platform]}.",
        *await _digest_lines(tx, asker),
        *_silence(person, recipient, asker.turn.at),
    ]
    hint = '"Ask me on Thursdays at 14:00", "write to me here" or "pause all" changes it.'
    return Message(
        text="\n".join(["**Your settings**", "", *lines, "", hint]),
        choices=(nudge_choice(0, "day", "Another day"), nudge_choice(0, "pause", "Pause all")),
    )


async def _digest_lines(tx: AsyncSession, asker: _Asker) -> list[str]:
    led = await led_departments(tx, asker.person.id or 0)
    channels = await load_recipients(tx, [f"department:{each.id}" for each in led], asker.turn.at.date())
    lines = [
        f"- The digest of {plain(each.name)} comes {_on(each.digest_day, each.digest_time)}."
        for each in channels.values()
    ]
    who = await actor(tx, asker.person.id or 0)
    if DutyName.EXECUTIVE in who.duties or can(who, Action.ADMINISTER):
        own = asker.recipient
        lines.append(f"- The company's digest comes {_on(own.digest_day, own.digest_time)}.")
    return lines


def _silence(person: Person, recipient: Recipient, now: datetime) -> list[str]:
    if person.declined_at is not None:
        return ['- You stayed out: I write nothing to you unasked. Say "resume" to change that.']
    if recipient.silent_until is None or recipient.silent_until <= local_day(now, recipient.calendar.tz):
        return []
    if recipient.silent_until == FOR_EVER:
        return ['- Everything is paused until you say "resume".']
    return [f"- Everything is quiet until {spoken(recipient.silent_until)}."]
