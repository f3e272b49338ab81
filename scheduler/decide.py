"""Who gets what when, and what is held back and why. Pure, and the only place that decides.

A tick looks at one instant and sends what is decided for it; `stagecoach schedule` looks at a stretch of time
and prints what it finds. Both are `decide`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count

from bot.calendar import monday_of
from bot.clock import at_local, local_day
from scheduler.directory import Recipient
from scheduler.follow_up_wishes import reminder_of
from scheduler.kinds import BY_NAME, MAX_PER_WEEK, Kind
from scheduler.moments import Moment, moment_for
from scheduler.wishes import Look, Wish


@dataclass
class Ledger:
    """What is planned already.

    `keys` are (recipient, kind, period); `counts` the counting messages by (person, local week); `contacted`
    the people to whom at least one counting message went.
    """

    keys: set[tuple[str, str, str]] = field(default_factory=set)
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    contacted: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Decision:
    """One wish at one moment: sent, or held back and `why`.

    `week` is the local ISO week. Of all decisions that are sent together as one message, exactly one is the
    `head`.
    """

    at: datetime
    recipient: Recipient
    wish: Wish
    period: str
    week: str
    held: bool = False
    why: str = ""
    head: bool = False

    @property
    def kind(self) -> Kind:
        return BY_NAME[self.wish.kind]

    @property
    def local(self) -> datetime:
        """The moment on the recipient's own clock."""
        return self.at.astimezone(self.recipient.calendar.tz)


@dataclass(order=True, slots=True)
class _Waiting:
    at: datetime
    recipient: str
    order: int
    wish: Wish = field(compare=False)


def decide(
    wishes: Iterable[Wish], recipients: Mapping[str, Recipient], ledger: Ledger, look: Look
) -> list[Decision]:
    """Every decision within `look`, in the order of time. `ledger` is brought up to date on the way."""
    return _Decider(recipients, ledger, look).run(wishes)


class _Decider:
    def __init__(self, recipients: Mapping[str, Recipient], ledger: Ledger, look: Look) -> None:
        self.recipients = recipients
        self.ledger = ledger
        self.look = look
        self.queue: list[_Waiting] = []
        self.made: list[Decision] = []
        self.order = count()
        self.moments: dict[tuple[object, ...], Moment] = {}

    def run(self, wishes: Iterable[Wish]) -> list[Decision]:
        for wish in wishes:
            if wish.recipient in self.recipients:
                self.add(wish)
        while self.queue:
            self.settle(self.take())
        return sorted(self.made, key=lambda decision: (decision.at, decision.recipient.key))

    def add(self, wish: Wish, since: datetime | None = None) -> None:
        """Queue a wish at its moment, if that lies within the look; note what moved it there."""
        recipient = self.recipients[wish.recipient]
        moment = self.moment(BY_NAME[wish.kind], recipient, wish.ready, since)
        for at, why in moment.moved:
            if self.look.start <= at <= self.look.end:
                self.note(wish, recipient, at, f"{_day(at, recipient)} is {why}.")
        if moment.at is not None and moment.at <= self.look.end:
            heapq.heappush(self.queue, _Waiting(moment.at, wish.recipient, next(self.order), wish))

    def moment(self, kind: Kind, recipient: Recipient, ready: datetime, since: datetime | None) -> Moment:
        """Many recipients share calendar and slot: each combination is computed once."""
        key = (
            id(recipient.calendar), recipient.slot_day, recipient.slot_time,
            recipient.digest_day, recipient.digest_time, kind.when, kind.after_working_days, ready, since,
        )  # fmt: skip
        if key not in self.moments:
            self.moments[key] = moment_for(kind, recipient, ready, self.look, since)
        return self.moments[key]

    def take(self) -> list[_Waiting]:
        """Everything that is due for one recipient at one moment."""
        group = [heapq.heappop(self.queue)]
        while self.queue and (self.queue[0].at, self.queue[0].recipient) == (group[0].at, group[0].recipient):
            group.append(heapq.heappop(self.queue))
        return group

    def settle(self, group: list[_Waiting]) -> None:
        recipient, at = self.recipients[group[0].recipient], group[0].at
        fresh = [waiting for waiting in group if not self.is_known(waiting, recipient)]
        free = [waiting for waiting in fresh if not self.hold_back(waiting, recipient)]
        for counting in (True, False):
            bundle = [waiting for waiting in free if BY_NAME[waiting.wish.kind].counts is counting]
            if counting:
                self.send_counting(bundle, recipient, at)
            else:
                for waiting in bundle:
                    self.send([waiting], recipient, at)

    def is_known(self, waiting: _Waiting, recipient: Recipient) -> bool:
        key = (recipient.key, waiting.wish.kind, self.period(waiting.wish, recipient, waiting.at))
        return key in self.ledger.keys

    def hold_back(self, waiting: _Waiting, recipient: Recipient) -> bool:
        """Whether something about the wish or the person forbids it; noted, and queued again if that ends."""
        wish = waiting.wish
        if wish.blocked:
            self.note(wish, recipient, waiting.at, wish.blocked)
        elif recipient.declined:
            self.note(wish, recipient, waiting.at, f"{recipient.name} chose to stay out.")
        elif recipient.is_silent(waiting.at):
            self.note(wish, recipient, waiting.at, f"{recipient.name} paused until {recipient.silent_until}.")
            self.again(waiting, recipient.silence_ends())
        elif self.waits_for_yes(wish, recipient):
            why = f"{recipient.name} was asked once and has not said yes yet."
            self.note(wish, recipient, waiting.at, why)
        else:
            return False
        return True

    def waits_for_yes(self, wish: Wish, recipient: Recipient) -> bool:
        return (
            BY_NAME[wish.kind].needs_yes
            and not recipient.enrolled
            and recipient.person_id in self.ledger.contacted
        )

    def send_counting(self, bundle: list[_Waiting], recipient: Recipient, at: datetime) -> None:
        week = recipient.calendar.week_of(at)
        if not bundle or recipient.person_id is None:
            return
        if self.ledger.counts[recipient.person_id, week] < MAX_PER_WEEK:
            self.ledger.counts[recipient.person_id, week] += 1
            self.ledger.contacted.add(recipient.person_id)
            self.send(bundle, recipient, at)
            return
        tz = recipient.calendar.tz
        next_monday = monday_of(local_day(at, tz)) + timedelta(days=7)
        for waiting in bundle:
            why = f"{recipient.name} got {MAX_PER_WEEK} messages this week already."
            self.note(waiting.wish, recipient, at, why)
            self.again(waiting, at_local(next_monday, time(0), tz))

    def send(self, bundle: list[_Waiting], recipient: Recipient, at: datetime) -> None:
        for place, waiting in enumerate(bundle):
            period = self.period(waiting.wish, recipient, at)
            self.ledger.keys.add((recipient.key, waiting.wish.kind, period))
            week = recipient.calendar.week_of(at)
            self.made.append(Decision(at, recipient, waiting.wish, period, week, head=place == 0))
            self.foresee_reminder(waiting.wish, recipient, at, period)

    def foresee_reminder(self, wish: Wish, recipient: Recipient, at: datetime, period: str) -> None:
        """A look ahead shows the reminder that will follow if nobody answers."""
        if BY_NAME[wish.kind].reminds and recipient.person_id is not None and at < self.look.end:
            self.add(reminder_of(wish.kind, period, recipient.person_id, wish.department_id, at))

    def again(self, waiting: _Waiting, since: datetime | None) -> None:
        """Try again from `since` on, if the look goes that far."""
        if since is not None and waiting.at < since <= self.look.end:
            self.add(waiting.wish, since)

    def note(self, wish: Wish, recipient: Recipient, at: datetime, why: str) -> None:
        period = self.period(wish, recipient, at)
        week = recipient.calendar.week_of(at)
        self.made.append(Decision(at, recipient, wish, period, week, held=True, why=why))

    def period(self, wish: Wish, recipient: Recipient, at: datetime) -> str:
        return wish.period or recipient.calendar.week_of(at)


def _day(at: datetime, recipient: Recipient) -> date:
    return local_day(at, recipient.calendar.tz)
