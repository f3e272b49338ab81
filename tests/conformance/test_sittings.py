"""Sittings on both databases: nothing said is lost, twice, or read by the wrong person."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from bot.audit.expiry import EVENTS, lead_left
from bot.audit.instrument import load_instrument
from bot.audit.queues import questions_due
from bot.audit.records import latest_answers, placement_of
from bot.audit.second import settle_contested
from bot.audit.sessions import start_choice
from bot.audit.show import audit_show, deltas_of
from bot.coaching.plans import escalate_blockers, plan_choices
from bot.coverage.result import coverage_show
from bot.store.tables import (
    Answer,
    AuditLogEntry,
    Blocker,
    Claim,
    CoverageAnswer,
    CoverageTask,
    Department,
    DialogueSession,
    Duty,
    EvidenceClass,
    Person,
    Plan,
    PlanStatus,
    Role,
    SessionKind,
    SessionStatus,
)
from bot.turns import Turn
from tests.support.talk import Office, open_office

INSTRUMENT = load_instrument()


@pytest.fixture
async def office(store) -> Office:
    return await open_office(store)


async def rows(office: Office, table):
    async with office.store.read() as tx:
        return list(await tx.exec(select(table).order_by(col(table.id))))


async def begin(office: Office, **answers: int) -> None:
    """The first sitting, with a level for each named question and a skip for the others."""
    await office.say("start")
    await office.tap("Start")
    for number in (1, 2, 3, 4):
        await answer(office, answers.get(f"we{number}"))


async def answer(office: Office, level: int | None) -> None:
    if level is None:
        await office.say("skip")
        return
    await office.say("Last week 3 of us did it on 12 cases, see https://wiki.example/x")
    await office.tap_level(level)
    if level >= 3:
        await office.tap("I can't think of a time")


async def test_an_answer_is_stored_with_its_words_its_order_and_who_picked(office):
    await begin(office, we1=3)
    [stored] = await rows(office, Answer)
    assert (stored.criterion, stored.claim, stored.level, stored.counted) == ("WE-1", Claim.LEVEL, 3, 3)
    assert stored.words == "Last week 3 of us did it on 12 cases, see https://wiki.example/x"
    assert sorted(stored.shown) == [0, 1, 2, 3, 4]
    assert (stored.proposed_by, stored.picked_by) == ("all", office.ids["lead"])
    assert stored.evidence is EvidenceClass.E2


async def test_an_edited_answer_is_added_and_the_first_one_stays(office):
    await begin(office, we1=2)
    await office.say("edit")
    await office.tap("Reach across roles")
    await answer(office, 1)
    first, second = await rows(office, Answer)
    assert (first.level, second.level) == (2, 1)
    async with office.store.read() as tx:
        latest = await latest_answers(tx, INSTRUMENT, office.ids["finance"], office.now)
    assert latest["WE-1"].level == 1


def audit_of(office):
    return next(part for part in office.parts if part.prefix == "audit")


async def test_two_devices_start_at_once_and_get_one_sitting(office):
    part = audit_of(office)
    choice = start_choice(office.ids["finance"]).id

    async def press(event: int) -> None:
        turn = Turn(event, office.ids["lead"], "chat", f"device:{event}", office.now, choice=choice)
        prepared = await part.prepare(turn)
        async with office.store.write() as tx:
            await part.apply(tx, turn, prepared)

    await asyncio.gather(*(press(event) for event in range(4)))
    assert len(await rows(office, DialogueSession)) == 1


async def test_two_devices_tap_at_once_and_give_one_answer(office):
    await office.say("start")
    await office.tap("Start")
    await office.say("Last week 3 of us did it on 12 cases.")
    part, levels = (
        audit_of(office),
        {label: office.button(label) for label in "ABCD"},
    )

    async def press(event: int, choice: str) -> None:
        turn = Turn(event, office.ids["lead"], "chat", f"device:{event}", office.now, choice=choice)
        prepared = await part.prepare(turn)
        async with office.store.write() as tx:
            await part.apply(tx, turn, prepared)

    await asyncio.gather(*(press(n, choice) for n, choice in enumerate(levels.values(), 100)))
    assert len(await rows(office, Answer)) == 1


async def test_a_late_proposal_for_other_words_is_not_used(office):
    await office.say("start")
    await office.tap("Start")
    office.proposals.levels = (1, 2)
    part, lead = audit_of(office), office.ids["lead"]
    turn = Turn(900, lead, "chat", "x", office.now, text="Last week two of us, on 5 letters.")
    prepared = await part.prepare(turn)
    stale = replace(prepared, asked=replace(prepared.asked, words="something else"))
    async with office.store.write() as tx:
        [card] = await part.apply(tx, turn, stale)
    assert sum(".pick." in choice.id for choice in card.choices) == 5


async def test_nobody_else_can_use_a_persons_buttons(office):
    await begin(office, we1=2)
    choice = office.button("Go on")
    office.who = "co-lead"
    [said] = await office.press(choice)
    assert said.kind == "notice"
    assert len(await rows(office, DialogueSession)) == 1


async def test_someone_who_leads_nothing_cannot_start(office):
    office.who = "clerk"
    [said] = await office.say("start")
    assert "team leads" in said.text
    [said] = await office.press(start_choice(office.ids["finance"]).id)
    assert "team leads" in said.text
    assert await rows(office, DialogueSession) == []


async def test_consent_comes_with_the_tap_on_start_and_goes_with_the_other(office):
    async def person() -> Person:
        async with office.store.read() as tx:
            return await tx.get_one(Person, office.ids["lead"])

    await office.say("start")
    assert (await person()).enrolled_at is None
    await office.tap("Not for me")
    assert (await person()).declined_at is not None
    await office.say("start")
    await office.tap("Start")
    found = await person()
    assert found.enrolled_at is not None
    assert found.declined_at is None


async def test_a_second_lead_sees_the_level_and_never_the_words(office):
    await begin(office, we1=2, we2=2, we3=2, we4=2)
    office.who = "co-lead"
    office.now += timedelta(days=100)
    await office.say("start")
    first = (await office.tap("Start"))[-1].text
    assert INSTRUMENT.criterion("WE-1").levels[2] in first
    assert "12 cases" not in first


async def test_when_the_lead_has_gone_the_next_one_is_asked_anew(office):
    await begin(office, we1=2, we2=2, we3=2, we4=2)
    async with office.store.write() as tx:
        found = await tx.exec(select(Duty).where(Duty.person_id == office.ids["lead"]))
        await tx.delete(found.one())
    office.who = "co-lead"
    office.now += timedelta(days=100)
    await office.say("start")
    card = (await office.tap("Start"))[-1]
    assert "What is different" not in card.text
    await answer(office, 3)
    async with office.store.read() as tx:
        deltas = await deltas_of(tx, INSTRUMENT, office.ids["finance"], office.now)
    assert deltas["WE-1"] == "not_comparable"


async def test_a_new_instrument_keeps_the_answers_and_asks_on(office):
    await office.say("start")
    await office.tap("Start")
    await answer(office, 2)
    await office.say("Since May all eight of us know three nevers.")
    newer = INSTRUMENT.model_copy(update={"about": INSTRUMENT.about.model_copy(update={"version": "0.2.0"})})
    later = await open_again(office, newer)
    [card] = await later.say("b")
    assert "improved" in card.text
    assert INSTRUMENT.criterion("WE-2").question in card.text
    [stored] = await rows(later, Answer)
    assert stored.instrument_version == "0.1.0"


async def open_again(office: Office, instrument) -> Office:
    """The same company after an update of the product."""
    from bot.audit.sessions import AuditUseCase
    from bot.coaching.sessions import CoachingUseCase

    coaching = CoachingUseCase(instrument)
    audit = AuditUseCase(instrument, office.store, office.proposals)
    return replace(office, parts=[audit, coaching], heard={key: [] for key in office.heard}, log=[])


async def test_still_true_holds_once_and_is_carried(office):
    await begin(office, we1=2, we2=2, we3=2, we4=2)
    await office.say("go")
    for _ in range(4):
        await office.say("skip")
    office.now += timedelta(days=100)
    await office.say("start")
    await office.say("same")
    async with office.store.read() as tx:
        [row] = await tx.exec(select(Answer).where(Answer.criterion == "WE-1"))
        deltas = await deltas_of(tx, INSTRUMENT, office.ids["finance"], office.now)
        later = await placement_of(tx, INSTRUMENT, office.ids["finance"], office.now + timedelta(days=120))
    assert row.still_true_at is not None
    assert deltas["WE-1"] == "carried"
    assert [later.criteria[name].stale for name in ("WE-1", "WE-2")] == [False, True]


async def test_one_tap_does_not_bring_back_what_is_far_too_old(office):
    await begin(office, we1=2, we2=2, we3=2, we4=2)
    await office.say("go")
    await office.say("skip all")
    office.now += timedelta(days=240)
    await office.say("start")
    await office.say("same")
    assert "It has been a while" in office.last
    await office.say("Last week 3 of us did it on 12 cases.")
    async with office.store.read() as tx:
        now = await placement_of(tx, INSTRUMENT, office.ids["finance"], office.now)
    assert [now.criteria[name].stale for name in ("WE-1", "WE-2")] == [False, True]


async def second_view(office: Office, level: int) -> None:
    await begin(office, we4=3)
    office.who = "clerk"
    await office.say("resume")
    await office.tap("Start")
    await answer(office, level)


@pytest.mark.parametrize("words", ["start", "ok", "Start the audit"])
async def test_who_did_not_see_the_invitation_is_told_first_who_sees_what(office, words):
    await begin(office, we4=3)
    office.who = "clerk"
    [card] = await office.say(words)
    assert "Who sees what" in card.text
    [sitting] = [row for row in await rows(office, DialogueSession) if row.kind is SessionKind.SECOND_RATER]
    assert sitting.state.get("phase", "welcome") == "welcome"
    assert "Question 1 of 1" in (await office.say(words))[-1].text


async def test_words_that_do_not_agree_to_begin_are_not_for_a_sitting_nobody_was_told_of(office):
    await begin(office, we4=3)
    office.who = "clerk"
    part = audit_of(office)
    for text in ("We have a new printer.", "no", "May I use Copilot?", "skip"):
        turn = Turn(900, office.ids["clerk"], "chat", "x", office.now, text=text)
        async with office.store.read() as tx:
            assert not await part.wants(tx, turn), text


async def test_a_second_view_that_agrees_corroborates(office):
    await second_view(office, 3)
    async with office.store.read() as tx:
        latest = await latest_answers(tx, INSTRUMENT, office.ids["finance"], office.now)
    assert (latest["WE-4"].evidence, latest["WE-4"].agreement) == (EvidenceClass.E3, "same_level")


async def test_a_second_view_far_apart_lets_the_lower_stand_after_a_week(office):
    await second_view(office, 1)
    now = office.now + timedelta(days=7, minutes=1)
    async with office.store.write() as tx:
        before = (await latest_answers(tx, INSTRUMENT, office.ids["finance"], office.now))["WE-4"]
        assert (before.level, before.agreement) == (3, "two_or_more_apart_unresolved")
        assert await settle_contested(tx, INSTRUMENT, now) == 1
        assert await settle_contested(tx, INSTRUMENT, now) == 0
        after = (await latest_answers(tx, INSTRUMENT, office.ids["finance"], now))["WE-4"]
    assert after.level == 1


async def test_saying_it_again_within_the_week_does_not_outvote_a_colleague(office):
    await second_view(office, 1)
    office.who = "lead"
    office.now += timedelta(days=2)
    await office.tap("Answer it again")
    await answer(office, 3)
    later = office.now + timedelta(days=6)
    async with office.store.write() as tx:
        assert await settle_contested(tx, INSTRUMENT, later) == 1
        assert await settle_contested(tx, INSTRUMENT, later + timedelta(hours=1)) == 0
        after = (await latest_answers(tx, INSTRUMENT, office.ids["finance"], later))["WE-4"]
    assert (after.level, after.agreement) == (1, "two_or_more_apart_unresolved")
    await office._deliver()
    assert "Show both views" in [choice.label for choice in office.heard["owner"][-1].choices]
    assert sum("after a week" in message.text for message in office.heard["owner"]) == 1


async def test_a_lead_who_comes_round_within_the_week_agrees(office):
    await second_view(office, 1)
    office.who = "lead"
    await office.tap("Answer it again")
    await answer(office, 1)
    async with office.store.write() as tx:
        await settle_contested(tx, INSTRUMENT, office.now + timedelta(days=8))
        after = await latest_answers(tx, INSTRUMENT, office.ids["finance"], office.now + timedelta(days=8))
    assert (after["WE-4"].level, after["WE-4"].agreement) == (1, "same_level")


async def test_a_contested_answer_is_settled_by_whoever_runs_the_programme_alone(office):
    await second_view(office, 1)
    async with office.store.write() as tx:
        await settle_contested(tx, INSTRUMENT, office.now + timedelta(days=8))
    office.now += timedelta(days=9)
    office.who = "owner"
    await office.say("contested answers")
    as_lead = office.button("1: as the lead says")
    office.who = "lead"
    [said] = await office.press(as_lead)
    assert said.kind == "notice"
    office.who = "owner"
    await office.press(as_lead)
    async with office.store.read() as tx:
        after = (await latest_answers(tx, INSTRUMENT, office.ids["finance"], office.now))["WE-4"]
    assert (after.level, after.counted, after.picked_by) == (3, 3, office.ids["lead"])
    assert after.approver_id == office.ids["owner"]
    assert "settled already" in (await office.press(as_lead))[0].text
    assert "No answer is contested" in (await office.say("contested answers"))[0].text
    assert [entry.action for entry in await rows(office, AuditLogEntry)] == ["answer.settled"]


async def test_a_button_of_an_earlier_round_leads_to_the_present_one(office):
    await begin(office, we1=2)
    await office.say("go")
    await office.say("skip all")
    of_the_first = office.button("Skip")
    office.now += timedelta(days=100)
    await office.say("start")
    of_the_second = office.button("The same")
    await office.say("skip all")
    await office.say("go")
    await office.say("skip all")
    office.now += timedelta(days=100)
    await office.say("start")
    for choice in (of_the_first, of_the_second):
        notice, card = await office.press(choice)
        assert "earlier round" in notice.text
        assert "Question 1 of" in card.text


async def test_evidence_of_a_step_that_was_done_flows_back(office):
    await office.say("start")
    await office.tap("Start")
    await office.say("Everybody does what they like with it.")
    await office.tap_level(2)
    await office.tap("Nothing at hand")
    async with office.store.write() as tx:
        plan = Plan(
            department_id=office.ids["finance"],
            person_id=office.ids["lead"],
            criterion="WE-1",
            text="Ask each role",
            created_at=office.now,
        )
        tx.add(plan)
        await tx.flush()
    await office.say("pause")
    await office.press(plan_choices(plan.id or 0)[0].id)
    await office.say("https://wiki.example/roles")
    async with office.store.read() as tx:
        latest = (await latest_answers(tx, INSTRUMENT, office.ids["finance"], office.now))["WE-1"]
        deltas = await deltas_of(tx, INSTRUMENT, office.ids["finance"], office.now)
        kept = await tx.get_one(Plan, plan.id)
    assert (latest.evidence, latest.counted) == (EvidenceClass.E2, 2)
    assert deltas["WE-1"] == "up_evidenced"
    assert (kept.status, kept.outcome) == (PlanStatus.DONE, "https://wiki.example/roles")


async def test_only_whoever_took_a_step_on_can_close_it(office):
    async with office.store.write() as tx:
        plan = Plan(
            department_id=office.ids["finance"],
            person_id=office.ids["lead"],
            criterion="WE-1",
            text="x",
            created_at=office.now,
        )
        tx.add(plan)
        await tx.flush()
    office.who = "co-lead"
    [said] = await office.press(plan_choices(plan.id or 0)[0].id)
    assert said.kind == "notice"
    assert [row.status for row in await rows(office, Plan)] == [PlanStatus.OPEN]


async def test_a_critical_blocker_escalates_after_two_weeks_once(office):
    async with office.store.write() as tx:
        for code in ("WE-B1", "WE-B2"):
            tx.add(Blocker(department_id=office.ids["finance"], code=code, raised_at=office.now))
        await tx.flush()
        assert await escalate_blockers(tx, INSTRUMENT, office.now + timedelta(days=14)) == []
        found = await escalate_blockers(tx, INSTRUMENT, office.now + timedelta(days=14, minutes=1))
        assert [row.code for row in found] == ["WE-B2"]
        assert await escalate_blockers(tx, INSTRUMENT, office.now + timedelta(days=15)) == []


async def test_the_documents_of_a_department(office):
    await begin(office, we1=3, we2=2)
    async with office.store.read() as tx:
        finance = await tx.get_one(Department, office.ids["finance"])
        audit = await audit_show(tx, INSTRUMENT, finance, office.now)
        coverage = await coverage_show(tx, INSTRUMENT, finance, office.now)
    assert audit["criteria"]["WE-1"]["counted"] == 3
    assert audit["working_model"] == "WE"
    assert audit["next_steps"][0]["criterion"] == "WE-4"
    assert "12 cases" not in str(audit), "raw words are for their author and the programme owner"
    assert (coverage["coverage"], coverage["known_share"], coverage["published"]) == (None, 0.0, False)


async def test_coverage_hours_are_frozen_and_rebased_after_a_year_or_with_the_role(office):
    async def check_in(hours: str) -> CoverageTask:
        await office.say("coverage")
        if "as you last" in office.last:
            await office.tap("1 changed")
            await office.tap("Different")
        else:
            await office.tap("Start")
        await office.tap(hours)
        await office.tap("None")
        if "as you last" in office.last:
            await office.tap("The rest is the same")
        else:
            for _ in range(4):
                await office.tap("Skip")
        return (await rows(office, CoverageTask))[0]

    assert (await check_in("5–10 hours")).baseline_hours == 7.5
    office.now += timedelta(days=100)
    assert (await check_in("1–2 hours")).baseline_hours == 7.5
    office.now += timedelta(days=300)
    rebased = await check_in("1–2 hours")
    assert rebased.baseline_hours == 1.5
    assert rebased.rebased_at is not None
    office.now += timedelta(days=100)
    assert (await check_in("5–10 hours")).baseline_hours == 1.5
    async with office.store.write() as tx:
        for role in await tx.exec(select(Role)):
            role.changed_at = office.now
    office.now += timedelta(days=100)
    assert (await check_in("5–10 hours")).baseline_hours == 7.5
    assert len(await rows(office, CoverageAnswer)) == 5
    finished = {row.status for row in await rows(office, DialogueSession) if row.kind is SessionKind.COVERAGE}
    assert finished == {SessionStatus.FINISHED}


async def test_the_next_lead_hears_why_a_question_comes_again(office):
    await begin(office, we1=3, we4=2)
    async with office.store.write() as tx:
        department = await tx.get_one(Department, office.ids["finance"])
        for duty in (await tx.exec(select(Duty).where(Duty.person_id == office.ids["lead"]))).all():
            await tx.delete(duty)
        ended = await lead_left(tx, department.id, {office.ids["lead"]}, True, office.now)
        assert ended == ("WE-1", "WE-4")
        scores = await placement_of(tx, INSTRUMENT, department.id, office.now)
        assert (scores.criteria["WE-1"].counted, scores.criteria["WE-1"].level) == (3, 0)
        before = await placement_of(tx, INSTRUMENT, department.id, office.now - timedelta(seconds=1))
        assert before.criteria["WE-1"].level == 3, "an end never reaches back"
        shown = await audit_show(tx, INSTRUMENT, department, office.now)
        assert shown["criteria"]["WE-1"]["ended_by"] == "lead changed"
        assert [row.status for row in (await tx.exec(select(DialogueSession))).all()] == [
            SessionStatus.CLOSED
        ]
    await office.tap("Go on")
    assert office.last == "That question has moved on, so nothing was changed."
    await office.say("start")
    assert "I don't have you down as one" in office.last
    office.who = "co-lead"
    await office.say("start")
    await office.tap("Start")
    assert "I ask this one again, because the department has a new lead." in office.last
    assert "At least half of the people" in office.last
    assert "12 cases" not in office.last, "the words stay with their author"


def test_the_events_are_those_of_the_instrument():
    assert list(EVENTS) == list(INSTRUMENT.freshness.early_expiry_events)


async def test_what_was_declined_is_asked_again_and_what_waits_is_not(office):
    await office.say("start")
    await office.tap("Start")
    await office.say("doesn't apply")
    await office.say("We are two people and share one desk.")
    office.who = "owner"
    await office.tap("No, keep asking")
    office.who = "lead"
    assert "stays in" in office.last
    async with office.store.read() as tx:
        latest = await latest_answers(tx, INSTRUMENT, office.ids["finance"], office.now)
        due = questions_due(INSTRUMENT, latest, (), (), office.now)
        [criterion] = latest
    assert criterion in due
    async with office.store.write() as tx:
        row = await tx.get_one(Answer, latest[criterion].id)
        row.declined_at, row.approved_at = None, office.now
        days = {number: office.now + timedelta(days=number) for number in (100, 181)}
        again = {n: questions_due(INSTRUMENT, {criterion: row}, (), (), at) for n, at in days.items()}
        assert (criterion in again[100], criterion in again[181]) == (False, True)
        row.declined_at, row.approved_at = office.now, None
    office.who = "owner"
    await office.tap("Yes, leave it out")
    assert office.last == "That is settled already, thank you."


async def test_an_ended_answer_names_who_said_so_in_the_log(office):
    await begin(office, we1=2, we4=2)
    await office.say("we were reorganised")
    await office.tap("Yes, ask again")
    [entry] = await rows(office, AuditLogEntry)
    assert (entry.action, entry.actor_id) == ("answers.expired", office.ids["lead"])
    assert entry.detail == {"event": "reorganisation", "criteria": ["WE-1", "WE-4"]}
    async with office.store.read() as tx:
        scores = await placement_of(tx, INSTRUMENT, office.ids["finance"], office.now)
    assert (scores.criteria["WE-1"].level, scores.criteria["WE-4"].level) == (0, 0)
