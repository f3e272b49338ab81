"""Caps, bundles, pauses, consent and catching up: what the planner decides for one person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.calendar import WorkCalendar
from scheduler.decide import Decision, Ledger, decide
from scheduler.directory import Recipient
from scheduler.kinds import KINDS, MAX_PER_WEEK
from scheduler.wishes import Look, Wish, to_person

MONDAY = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
BERLIN = WorkCalendar(ZoneInfo("Europe/Berlin"), country="DE")
LEAD = Recipient("person:1", "Lea", BERLIN, person_id=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant by the wall clock in Berlin, `day` days after the Monday."""
    return datetime(2026, 11, 23, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")) + timedelta(days=day)


def ask(kind: str, ready: datetime, period: str | None = None) -> Wish:
    return to_person(kind, 1, ready, "Because.", period=period)


def week(*wishes: Wish, who: Recipient = LEAD, days: int = 7, ledger: Ledger | None = None) -> list[Decision]:
    look = Look(MONDAY, MONDAY + timedelta(days=days))
    return decide(wishes, {who.key: who}, ledger or Ledger(), look)


def sent(made: list[Decision]) -> list[tuple[str, datetime]]:
    return [(each.wish.kind, each.local) for each in made if not each.held]


def why(made: list[Decision]) -> list[str]:
    return [each.why for each in made if each.held]


def test_an_audit_waits_for_the_slot() -> None:
    assert sent(week(ask("re_audit", MONDAY))) == [("re_audit", at(1, 10)), ("reminder", at(3, 10))]


def test_own_slot() -> None:
    made = week(ask("re_audit", MONDAY), who=replace(LEAD, slot_day=3, slot_time=time(15, 30)))
    assert sent(made) == [("re_audit", at(3, 15, 30))]


def test_what_is_due_together_is_one_message() -> None:
    made = week(ask("re_audit", MONDAY), ask("coverage_update", MONDAY, "2026-11"), days=2)
    assert sent(made) == [("re_audit", at(1, 10)), ("coverage_update", at(1, 10))]
    assert [each.head for each in made] == [True, False]


def test_a_third_message_waits_for_the_next_week() -> None:
    made = week(
        ask("plan_follow_up", MONDAY, "a"),
        ask("blocker_ageing", MONDAY + timedelta(days=2), "b"),
        ask("policy_review", MONDAY + timedelta(days=3), "c"),
        days=9,
    )
    first = [("plan_follow_up", at(0, 10)), ("blocker_ageing", at(2, 10))]
    assert sent(made)[:2] == first
    assert ("policy_review", at(7, 10)) in sent(made)
    assert any("2 messages this week" in reason for reason in why(made))


def test_digests_do_not_count() -> None:
    ledger = Ledger()
    ledger.counts[1, "2026-W48"] = MAX_PER_WEEK
    made = week(ask("executive_digest", MONDAY, "2026-W47"), ledger=ledger)
    assert sent(made) == [("executive_digest", at(0, 9))]


def test_a_pause_holds_everything_and_ends_by_itself() -> None:
    paused = replace(LEAD, silent_until=date(2026, 11, 26))
    made = week(ask("re_audit", MONDAY), ask("executive_digest", MONDAY, "2026-W47"), who=paused, days=9)
    # The digest of the week still comes on the first day after; the audit waits for the slot.
    assert sent(made) == [("executive_digest", at(3, 9)), ("re_audit", at(8, 10))]
    assert all("paused until 2026-11-26" in reason for reason in why(made))


def test_who_stayed_out_gets_nothing() -> None:
    made = week(
        ask("re_audit", MONDAY), ask("executive_digest", MONDAY, "x"), who=replace(LEAD, declined=True)
    )
    assert sent(made) == []
    assert len(why(made)) == 2


def test_one_first_message_then_silence_until_a_yes() -> None:
    made = week(
        ask("audit_invitation", MONDAY),
        ask("blocker_ageing", MONDAY + timedelta(days=2), "b"),
        who=replace(LEAD, enrolled=False),
    )
    assert sent(made) == [("audit_invitation", at(1, 10))]
    assert all("has not said yes" in reason for reason in why(made))


def test_what_a_policy_needs_of_its_owner_does_not_wait_for_a_yes() -> None:
    """Whoever leads a team too, and has not answered the invitation to the audit, still owns the policy."""
    wishes = [ask("audit_invitation", MONDAY), ask("open_question", MONDAY + timedelta(days=2), "gap-1")]
    made = week(*wishes, who=replace(LEAD, enrolled=False))
    assert [kind for kind, _ in sent(made)] == ["audit_invitation", "open_question"]
    declined = week(*wishes, who=replace(LEAD, enrolled=False, declined=True))
    assert sent(declined) == []


def test_nothing_on_leave_nor_on_holidays() -> None:
    away = replace(LEAD, calendar=replace(BERLIN, leave=((date(2026, 11, 24), date(2026, 11, 27)),)))
    made = week(ask("re_audit", MONDAY), who=away, days=10)
    assert sent(made)[0] == ("re_audit", at(8, 10))
    assert "2026-11-24 is a day of leave." in why(made)


def test_a_holiday_monday_moves_the_digest() -> None:
    christmas = Look(datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 4, 3, tzinfo=UTC))
    wish = ask("executive_digest", datetime(2027, 3, 29, tzinfo=UTC), "2027-W12")
    made = decide([wish], {LEAD.key: LEAD}, Ledger(), christmas)
    assert [str(local)[:16] for _, local in sent(made)] == ["2027-03-30 09:00"]
    assert why(made) == ["2027-03-29 is a public holiday (Easter Monday)."]


@pytest.mark.parametrize(
    ("kind", "period", "now", "expected"),
    [
        # The slot was on Tuesday; up again on Friday: the next slot.
        ("re_audit", None, at(4, 11), []),
        # A follow-up of Tuesday comes at once where the slot's time is past, but never in quiet hours.
        ("plan_follow_up", "p", at(4, 9), []),
        ("plan_follow_up", "p", at(4, 11), ["plan_follow_up"]),
        ("plan_follow_up", "p", at(4, 19), []),
        ("plan_follow_up", "p", at(5, 11), []),
        # Monday's digest comes in the same week, and not after it.
        ("executive_digest", "2026-W47", at(4, 11), ["executive_digest"]),
        ("executive_digest", "2026-W47", at(7, 11), []),
        # Later on the slot's own day is still the slot.
        ("re_audit", None, at(1, 16), ["re_audit"]),
    ],
)
def test_catching_up_after_an_outage(
    kind: str, period: str | None, now: datetime, expected: list[str]
) -> None:
    look = Look(now.astimezone(UTC), now.astimezone(UTC))
    made = decide([ask(kind, at(0, 0), period)], {LEAD.key: LEAD}, Ledger(), look)
    assert [name for name, _ in sent(made)] == expected


def test_what_fell_due_before_planning_began_is_not_caught_up_with() -> None:
    now = at(2, 15).astimezone(UTC)
    look = Look(now, now, began=at(2, 14).astimezone(UTC))
    wishes = [ask("executive_digest", at(0, 0), "2026-W47"), ask("plan_follow_up", at(0, 0), "p")]
    assert decide(wishes, {LEAD.key: LEAD}, Ledger(), look) == []
    later = at(3, 10, 1).astimezone(UTC)
    made = decide(wishes, {LEAD.key: LEAD}, Ledger(), replace(look, start=later, end=later))
    assert [name for name, _ in sent(made)] == ["plan_follow_up"]


COUNTING = [kind.name for kind in KINDS if kind.counts and kind.name != "reminder"]
wishes_of_a_month = st.lists(
    st.tuples(st.sampled_from(COUNTING), st.integers(0, 28), st.integers(0, 23)), min_size=1, max_size=25
)


@settings(max_examples=100, deadline=None)
@given(wishes_of_a_month)
def test_never_more_than_two_messages_a_week_and_none_twice(found: list[tuple[str, int, int]]) -> None:
    wishes = [
        ask(kind, MONDAY + timedelta(days=day, hours=hour), f"p{number}")
        for number, (kind, day, hour) in enumerate(found)
    ]
    made = [each for each in week(*wishes, days=60) if not each.held]
    heads = [each.week for each in made if each.head]
    assert all(heads.count(name) <= MAX_PER_WEEK for name in heads)
    keys = [(each.wish.kind, each.period) for each in made]
    assert len(keys) == len(set(keys))
    # Sixty days are enough for everything to find its week.
    assert {wish.period for wish in wishes} <= {each.period for each in made}


UNREMINDED = ["blocker_ageing", "policy_review", "open_question", "open_approval", "second_view"]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(UNREMINDED), st.integers(0, 8)), min_size=1, max_size=12))
def test_ticking_sends_what_the_look_ahead_said(found: list[tuple[str, int]]) -> None:
    """Hourly ticks over two weeks, and one look over them: the same messages in the same weeks."""
    wishes = [
        ask(kind, MONDAY + timedelta(days=day), f"p{number}") for number, (kind, day) in enumerate(found)
    ]
    ahead = {
        (each.period, each.week)
        for each in decide(wishes, {LEAD.key: LEAD}, Ledger(), Look(MONDAY, MONDAY + timedelta(days=14)))
        if not each.held
    }
    ledger, ticked, now = Ledger(), set(), MONDAY
    while now <= MONDAY + timedelta(days=14):
        ready = [wish for wish in wishes if wish.ready <= now]
        made = decide(ready, {LEAD.key: LEAD}, ledger, Look(now, now))
        ticked |= {(each.period, each.week) for each in made if not each.held}
        now += timedelta(hours=1)
    assert ticked == ahead
