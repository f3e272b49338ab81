"""The moment at which a wish may become a message: slot, working day or digest time, never in quiet hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.calendar import monday_of
from bot.clock import at_local, local_day
from scheduler.directory import Recipient
from scheduler.kinds import Kind, When
from scheduler.wishes import Look


@dataclass(frozen=True, slots=True)
class Moment:
    """When to send; `at` is None where there is no moment. `moved` tells what stood in the way, and when."""

    at: datetime | None
    moved: tuple[tuple[datetime, str], ...] = ()


def moment_for(
    kind: Kind, recipient: Recipient, ready: datetime, look: Look, since: datetime | None = None
) -> Moment:
    """The first fitting moment for something that may be sent from `ready` on, seen from the look's start.

    What should have left before that catches up as the kind's `missed` says. `since` puts it off: to the
    first fitting moment from then on.
    """
    if kind.after_working_days:
        later = _working_days_later(recipient, ready, kind.after_working_days)
        if later is None:
            return Moment(None)
        ready = later
    return _RULES[kind.when](_Ask(recipient, ready, look, since))


@dataclass(frozen=True, slots=True)
class _Ask:
    recipient: Recipient
    ready: datetime
    look: Look
    since: datetime | None

    @property
    def earliest(self) -> datetime:
        return max(self.look.start, self.since or self.look.start)

    def catch_up(self, wall: time) -> datetime | None:
        """What was missed comes at `wall` on the next working day; on a day where that is past, at once."""
        calendar = self.recipient.calendar
        moment = calendar.next_workday_at(wall, self.earliest)
        today = local_day(self.earliest, calendar.tz)
        if moment is not None and local_day(moment, calendar.tz) == today:
            return moment
        return self.earliest if calendar.is_open(self.earliest) else moment


def _working_days_later(recipient: Recipient, instant: datetime, count: int) -> datetime | None:
    tz = recipient.calendar.tz
    day = recipient.calendar.add_working_days(local_day(instant, tz), count)
    return None if day is None else at_local(day, time(0), tz)


def _slot(ask: _Ask) -> Moment:
    recipient, calendar = ask.recipient, ask.recipient.calendar
    since = max(ask.ready, ask.earliest)
    today = local_day(since, calendar.tz)
    moved: tuple[tuple[datetime, str], ...] = ()
    for week in range(54):
        first = monday_of(today) + timedelta(weeks=week)
        wanted = first + timedelta(days=recipient.slot_day)
        if wanted >= today and (why := calendar.why_free(wanted)):
            moved += ((calendar.at(wanted, recipient.slot_time), why),)
        moment = calendar.slot(first, recipient.slot_day, recipient.slot_time)
        if moment is None:
            continue
        if moment >= since:
            return Moment(moment, moved)
        if local_day(moment, calendar.tz) == today and calendar.is_open(since):
            return Moment(since, moved)
    return Moment(None, moved)


def _workday(ask: _Ask) -> Moment:
    recipient, calendar = ask.recipient, ask.recipient.calendar
    ready = max(ask.ready, ask.look.began or ask.ready)
    moment = calendar.next_workday_at(recipient.slot_time, ready)
    if moment is not None and moment < ask.earliest:
        return Moment(ask.catch_up(recipient.slot_time))
    day = local_day(ready, calendar.tz)
    why = calendar.why_free(day)
    return Moment(moment, ((calendar.at(day, recipient.slot_time), why),) if why else ())


def _at_once(ask: _Ask) -> Moment:
    return Moment(max(ask.ready, ask.earliest))


def _digest(ask: _Ask) -> Moment:
    """`ready` lies on the Monday of the week in which the digest is sent."""
    recipient, calendar = ask.recipient, ask.recipient.calendar
    monday = monday_of(local_day(ask.ready, calendar.tz))
    wanted = monday + timedelta(days=recipient.digest_day)
    why = calendar.why_free(wanted)
    moved = ((calendar.at(wanted, recipient.digest_time), why),) if why else ()
    moment = calendar.slot(monday, recipient.digest_day, recipient.digest_time)
    if moment is not None and moment < ask.earliest:
        missed = ask.look.began is None or moment >= ask.look.began
        moment = ask.catch_up(recipient.digest_time) if missed else None
        if moment is not None and monday_of(local_day(moment, calendar.tz)) != monday:
            moment = None
    return Moment(moment, moved)


_RULES: dict[When, Callable[[_Ask], Moment]] = {
    When.SLOT: _slot,
    When.WORKDAY: _workday,
    When.AT_ONCE: _at_once,
    When.DIGEST: _digest,
}
