"""Two small dialogues under random taps and words: nothing raises, old buttons change nothing, it always
ends.
"""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.audit.instrument import load_instrument
from bot.choice_ids import parse_choice_id
from bot.coaching import dialogue as coaching
from bot.coaching import state as coach
from bot.coverage import state as cover
from bot.coverage.dialogue import Checkin
from bot.coverage.tasks import TaskAnswer, task_fact
from tests.support.talk import MONDAY

RULES = load_instrument().coverage
OPTIONS = tuple(coach.Option(text=f"Step {n}", done_when="It is done.", minutes=10) for n in range(3))
OBSTACLES = (coach.Obstacle(code="WE-B1", label="No access", owner="IT", first_move="Count."),)

words = st.sampled_from(
    ["1", "2", "9", "tomorrow", "next Friday", "later", "cancel", "IT", "", "My own step"]
)
starts = st.sampled_from(
    [
        coach.Offer("WE-1", "Reach", "Because.", OPTIONS),
        coach.Done(7, "WE-1"),
        coach.NotYet(7, "WE-1"),
        coach.InTheWay(OBSTACLES),
    ]
)


@settings(deadline=None)
@given(st.lists(st.one_of(words.map(coach.Words), starts, st.integers(0, 12)), max_size=20))
def test_the_coaching_takes_anything(script):
    state, buttons = coach.State(session=3), []
    for item in script:
        given_ = item
        if isinstance(item, int):
            if not buttons:
                continue
            pressed = parse_choice_id(buttons[-1 - item % len(buttons)])
            given_ = coach.Chose(pressed.turn, pressed.what)
        before = state
        state, effects = coaching.step(before, given_, MONDAY)
        if isinstance(given_, coach.Chose) and given_.turn != before.turn:
            assert state == before
        for effect in effects:
            if isinstance(effect, coach.Say):
                buttons += [choice.id for choice in effect.message.choices]
            if isinstance(effect, coach.SavePlan | coach.MovePlan):
                assert effect.day >= date(2026, 11, 23)
            if isinstance(effect, coach.RaiseBlocker):
                assert effect.owner
        assert coach.State.model_validate(state.model_dump(mode="json", exclude_defaults=True)) == state
    state, _ = coaching.step(state, coach.Words("cancel"), MONDAY)
    assert state.phase == "idle"


def taps(draw_share: str | None) -> cover.Taps | None:
    if draw_share is None:
        return None
    used = draw_share != "none"
    return cover.Taps(
        hours="1-2",
        share=draw_share,
        mode="helps_a_person" if used else None,
        accepted=8 if used else None,
        review="checked_each" if used else None,
        tool="approved" if used else None,
    )


roles = st.lists(
    st.lists(st.sampled_from([None, "none", "1-2", "9-10"]), min_size=1, max_size=5), min_size=1, max_size=2
).map(
    lambda drawn: tuple(
        cover.RoleTasks(
            role=n,
            name=f"Role {n}",
            tasks=tuple(
                cover.Task(slug=f"t-{n}-{m}", text=f"Task {m}", before=taps(share))
                for m, share in enumerate(tasks)
            ),
        )
        for n, tasks in enumerate(drawn)
    )
)


tapping = st.one_of(
    # Mostly a button of the present card, now and then an old one, or words where a tap is expected.
    st.integers(1, 14),
    st.integers(1, 14),
    st.integers(1, 30),
    st.sampled_from(["a task of ours", "", "why"]),
)


@settings(deadline=None)
@given(roles, st.lists(tapping, min_size=10, max_size=60))
def test_a_check_in_keeps_only_what_the_formula_knows(drawn, script):
    checkin = Checkin(RULES)
    state = cover.State(session=4, turn=1, phase=cover.first_phase(drawn[0]), roles=drawn)
    buttons: list[str] = []
    state, effects = checkin.step(state, cover.Show())
    for item in [*script, *[0] * 80]:
        for effect in effects:
            if isinstance(effect, cover.Say):
                buttons += [choice.id for choice in effect.message.choices]
            if isinstance(effect, cover.SaveTask):
                check(effect.taps)
        if state.phase == "done":
            break
        before = state
        state, effects = checkin.step(state, chosen(state, buttons, item))
        assert state.turn >= before.turn
        assert cover.State.model_validate(state.model_dump(mode="json", exclude_defaults=True)) == state
    assert state.phase == "done", f"it ended in {state.phase}"


def chosen(state: cover.State, buttons: list[str], item: int | str) -> cover.Input:
    """Words, or a button: of the present card for small numbers, any old one for large numbers."""
    if isinstance(item, str):
        return cover.Words(item)
    present = [button for button in buttons if parse_choice_id(button).turn == state.turn]
    pool = present if item < 15 and present else buttons
    pressed = parse_choice_id(pool[item % len(pool)])
    return cover.Chose(pressed.turn, pressed.what)


def check(saved: cover.Taps) -> None:
    assert saved.hours in RULES.inputs_per_task.hours_per_person_week.buckets
    assert saved.review in (None, *RULES.inputs_per_task.review_status)
    assert saved.tool in (None, *RULES.inputs_per_task.tool_status)
    assert not saved.keep_human or saved.reason, "keeping a task for people needs a reason"
    answer = TaskAnswer(saved.share, saved.mode, saved.accepted, saved.review, saved.tool)
    fact = task_fact(RULES, answer, id="x", role="r", headcount=1, hours=1.0)
    assert 0 <= fact.handled <= 1


def test_the_days_of_plans_are_the_persons_own():
    late = MONDAY.replace(hour=23) + timedelta(minutes=30)
    state, _ = coaching.step(coach.State(), coach.Offer("WE-1", "Reach", "Because.", OPTIONS), late)
    state, _ = coaching.step(state, coach.Words("1"), late)
    from zoneinfo import ZoneInfo

    _, effects = coaching.step(state, coach.Words("tomorrow"), late, ZoneInfo("Europe/Berlin"))
    assert [effect.day for effect in effects if isinstance(effect, coach.SavePlan)] == [date(2026, 11, 25)]
