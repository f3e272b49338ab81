"""Changes, second raters, next steps, the words of a placement, and the company's map."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.audit.agreement import corroborated, settle, wants_second_rater, weighted_kappa
from bot.audit.company import Action, DepartmentScores, company_view
from bot.audit.company_questions import process_asked, topic_of
from bot.audit.company_words import next_actions
from bot.audit.deltas import Rated, delta
from bot.audit.instrument import load_instrument
from bot.audit.next_steps import may_open_step, next_steps
from bot.audit.parts import EvidenceClass
from bot.audit.phrases import joined
from bot.audit.placement_words import (
    placement_sentences,
    placement_with_reasons,
    provisional_sentences,
)
from bot.audit.processes import Process
from bot.audit.scoring import (
    AnswerFact,
    Claim,
    Scores,
    confidence,
    confidence_band,
    is_stale,
    may_say_still_true,
    score,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
RULES = load_instrument()


def fact(criterion: str, claimed: Claim, evidence: EvidenceClass = "E3", days: float = 10) -> AnswerFact:
    return AnswerFact(criterion, claimed, NOW - timedelta(days=days), evidence)


def scores(levels: dict[str, Claim], blockers: tuple[str, ...] = ()) -> Scores:
    """Scores from levels by criterion, or by model for all four."""
    answers = [
        fact(name if "-" in name else f"{name}-{n}", level)
        for name, level in levels.items()
        for n in ([0] if "-" in name else range(1, 5))
    ]
    return score(RULES, answers, blockers, (), "strict", NOW)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((2, "E3"), (3, "E3"), "up_evidenced"),
        ((3, "E1"), (3, "E2"), "up_evidenced"),
        ((2, "E1"), (4, "E1"), "up_claimed"),
        ((3, "E2"), (2, "E2"), "down"),
        ((3, "E2"), (4, "E1"), "down"),
        ((3, "E2"), (3, "E2"), "carried"),
        (("unknown", "E0"), (3, "E2"), "not_comparable"),
        ((3, "E2"), ("not_applicable", "E0"), "not_comparable"),
    ],
)
def test_changes_are_classed_honestly(
    old: tuple[Claim, EvidenceClass], new: tuple[Claim, EvidenceClass], expected: str
) -> None:
    before, after = Rated(fact("WE-1", *old, days=90), "0.1.0"), fact("WE-1", *new)
    assert delta(RULES, before, Rated(after, "0.1.4"), NOW) == expected


def test_new_evidence_new_leads_new_versions_and_old_answers() -> None:
    before, same = Rated(fact("WE-1", 3, days=90), "0.1.0"), fact("WE-1", 3)
    assert delta(RULES, before, Rated(same, "0.1.0", new_evidence=True), NOW) == "confirmed"
    assert delta(RULES, before, Rated(same, "0.1.0", new_lead=True), NOW) == "not_comparable"
    assert delta(RULES, before, Rated(same, "0.2.0"), NOW) == "not_comparable"
    assert delta(RULES, before, Rated(same, "0.1.0"), NOW, anchor_changed=True) == "not_comparable"
    assert (
        delta(RULES, before, Rated(same, "0.1.0"), NOW + timedelta(days=171), anchor_changed=True) == "stale"
    )
    assert delta(RULES, None, Rated(same, "0.1.0"), NOW) is None


def test_still_true_adds_45_days_once() -> None:
    answer = fact("WE-1", 3, days=225)
    kept = AnswerFact("WE-1", 3, answer.at, "E3", still_true=True)
    assert is_stale(RULES, answer, NOW)
    assert not is_stale(RULES, kept, NOW)
    assert is_stale(RULES, kept, NOW + timedelta(microseconds=1))
    assert may_say_still_true(answer)
    assert not may_say_still_true(kept)
    assert is_stale(RULES, AnswerFact("WE-1", 3, NOW, "E3", ended_early=True), NOW)


def test_a_second_rater_moves_confidence() -> None:
    def with_second(agreement: str) -> float:
        return confidence(RULES, AnswerFact("WE-1", 3, NOW, "E3", agreement=agreement), NOW)  # type: ignore[arg-type]

    names = ["single_rater", "same_level", "one_level_apart", "two_or_more_apart_unresolved"]
    assert [with_second(name) for name in names] == [0.9, 1.0, 0.8, 0.5]
    assert [confidence_band(RULES, value) for value in (0.7, 0.699, 0.4, 0.399)] == [
        "high", "medium", "medium", "low",
    ]  # fmt: skip


def test_second_answers_are_settled() -> None:
    later = NOW + timedelta(days=7)
    assert settle(3, 3, NOW, NOW).level == 3
    near = settle(2, 3, NOW, NOW)
    assert (near.level, near.show_anchors, near.contested) == (2, True, False)
    apart = settle(4, 1, NOW, later - timedelta(seconds=1))
    assert (apart.level, apart.ask_for_cases, apart.contested) == (4, True, False)
    settled = settle(4, 1, NOW, later)
    assert (settled.level, settled.ask_for_cases, settled.contested) == (1, False, True)
    assert [corroborated(e) for e in ("E0", "E1", "E2", "E3")] == ["E0", "E1", "E3", "E3"]


def test_when_a_second_rater_is_asked() -> None:
    critical, other = RULES.criterion("WE-4"), RULES.criterion("WE-1")
    assert wants_second_rater(critical, 3, 3, draw=0.9)
    assert not wants_second_rater(critical, 2, 1, draw=0.9)
    assert wants_second_rater(other, 2, 0, draw=0.9)
    assert wants_second_rater(other, 2, 2, draw=0.099)
    assert not wants_second_rater(other, 2, 2, draw=0.1)
    assert not wants_second_rater(other, "unknown", 2, draw=0.0)


def test_kappa_needs_thirty_pairs_and_knows_chance() -> None:
    agreeing = [(n % 5, n % 5) for n in range(30)]
    assert weighted_kappa(agreeing[:29]) is None
    assert weighted_kappa(agreeing) == 1
    assert weighted_kappa([(2, 2)] * 30) is None
    every = [(a, b) for a in range(5) for b in range(5)] * 2
    assert weighted_kappa(every) == pytest.approx(0)
    assert weighted_kappa([(0, 0)] * 15 + [(1, 1)] * 10 + [(0, 1)] * 5) == pytest.approx(1 - (5 / 30) / 0.5)


def test_unsafe_critical_criteria_come_first_then_the_lowest() -> None:
    steps = next_steps(RULES, scores({"WE-1": 2, "WE-2": 1, "WE-3": 3, "WE-4": 1, "AD-1": 2}))
    assert [each.criterion for each in steps] == ["WE-4", "AD-4", "WE-2", "WE-1"]
    assert [each.because for each in steps][:3] == ["critical_below_2"] * 2 + ["lowest_in_working_model"]
    assert all(len(each.steps) == 3 for each in steps)


def test_of_equal_levels_the_most_named_in_blockers_comes_first() -> None:
    department = scores({"WE-1": 2, "WE-2": 2, "WE-3": 2, "WE-4": 3})
    assert next_steps(RULES, department, {"WE-3": 2, "WE-2": 1})[0].criterion == "WE-3"
    cheapest = min(
        ("WE-1", "WE-2", "WE-3"), key=lambda c: min(s.minutes for s in RULES.criterion(c).next_steps)
    )
    assert next_steps(RULES, department)[0].criterion == cheapest


def test_what_is_in_place_is_stretched_and_two_steps_are_enough() -> None:
    steps = next_steps(RULES, scores({"WE": 3}, blockers=("WE-B2",)))
    assert {(each.because, len(each.steps)) for each in steps} == {("stretch", 1)}
    everything = next_steps(RULES, scores(dict.fromkeys(("WE", "AD", "EC", "SD", "PR"), 4)))
    assert everything == []
    assert [may_open_step(RULES, n) for n in (0, 1, 2)] == [True, True, False]


def test_the_placement_is_said_in_plain_words() -> None:
    text = placement_sentences(RULES, scores({"WE-1": 3, "WE-2": 3, "WE-3": 3, "WE-4": 2, "AD-1": 2}))
    assert "working on Workforce Empowerment" in text
    assert "already active in AI-Native Distribution" in text
    assert "Skipped on the way: Workforce Empowerment." in text
    assert "WE-" not in text
    reasons = placement_with_reasons(RULES, scores({"WE": 2, "WE-4": 1, "EC": 2, "SD": 2}))
    assert "Skipped, and later work rests on it:" in reasons
    assert "- **Workforce Empowerment**: “Data and tool rules in daily use” needs level 2 (now 1)" in reasons
    assert "needed for" not in reasons.split("Workforce Empowerment**")[1].splitlines()[0]
    assert "provisional" in provisional_sentences(RULES, scores({"WE": 3}))
    done = placement_sentences(RULES, scores(dict.fromkeys(("WE", "AD", "EC", "SD", "PR"), 4)))
    assert done.startswith("All models that apply to you are in place.")


def test_the_company_sees_pockets_shared_obstacles_and_an_order() -> None:
    sales = DepartmentScores("sales", "Sales", scores({"WE": 2, "WE-4": 1, "AD": 3}, ("WE-B1", "WE-B2")))
    hr = DepartmentScores("hr", "HR", scores({"WE": 3, "AD-1": 1}, ("WE-B1",)))
    legal = DepartmentScores("legal", "Legal", scores({"WE": 2}, ("WE-B2",)))
    view = company_view(RULES, [sales, hr, legal], [Process("Onboarding", ("hr", "legal"))])
    assert view.map["hr"]["WE"] == "operational"
    assert [(each.department, each.model) for each in view.pockets] == [("sales", "AD")]
    assert [each.subject for each in view.shared_blockers] == ["WE-B2", "WE-B1"]
    assert [(each.kind, each.subject) for each in view.actions][:4] == [
        ("hard_skip", "WE"), ("shared_blocker", "WE-B2"), ("shared_blocker", "WE-B1"),
        ("hand_off", "Onboarding"),
    ]  # fmt: skip
    assert [each.why for each in view.actions if each.kind == "hand_off"] == [
        "Name one owner for “Onboarding”: agents work in it across 2 departments, and nobody answers for its "
        "result",
        "In “Onboarding”, have a person look at what agents hand to Legal: Workforce Empowerment, and "
        "Systems and Dependency Management are not in place there yet",
    ]
    assert view.actions[-1].kind == "spread"
    assert view.actions[-1].departments == ("sales", "hr")
    assert company_view(RULES, []).actions == ()


def test_a_department_stands_under_the_first_model_that_it_skips() -> None:
    many = [
        DepartmentScores(f"d{n}", f"Team {n}", scores({"WE": 1, "AD": 2, "EC": 2, "SD": 2})) for n in range(6)
    ]
    later = DepartmentScores("x", "Team X", scores({"WE": 3, "EC": 2, "SD": 2}))
    skips = [each for each in company_view(RULES, [*many, later]).actions if each.kind == "hard_skip"]
    assert [(each.subject, len(each.departments)) for each in skips] == [("WE", 6), ("AD", 1)]
    assert "in Team 0, Team 1, Team 2 and 3 more: they already work beyond Workforce" in skips[0].why
    assert "in Team X: it already works beyond" in skips[1].why


def test_no_kind_of_action_hides_the_others() -> None:
    actions = [Action("shared_gap", f"WE-{n}", (), f"Gap {n}.") for n in range(9)]
    text = next_actions([*actions, Action("spread", "WE", (), "Let HR show it.")])
    assert [line[:6] for line in text.splitlines() if line[:1].isdigit()] == ["1. Gap", "2. Gap", "3. Let"]
    assert "_7 more after these._" in text


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("where does the company stand", "stand"),
        ("what should we do next, in which order and why", "next"),
        ("what can we deploy next", "next"),
        ("where are our biggest gaps", "gaps"),
        ("what is covered", "covered"),
        ("which processes cross our departments", "processes"),
        ("which departments do our agents' processes cross", "processes"),
        ("what would get us further", "next"),
        ("which department is worst", "rank"),
        ("who is ahead", "rank"),
        ("compare the departments", "rank"),
        ("which department is responsible for travel", None),
        ("what is our leave policy", None),
        ("who owns the travel policy", None),
    ],
)
def test_how_the_company_is_asked_about(words: str, topic: str | None) -> None:
    assert topic_of(words) == topic
    assert process_asked("who owns “From order to cash”") == "From order to cash"


def test_names_with_an_and_of_their_own_stay_apart() -> None:
    assert joined(["HR", "Legal"]) == "HR and Legal"
    assert joined(["Finance", "People and HR", "Legal and Compliance"]) == (
        "Finance, People and HR, and Legal and Compliance"
    )


def test_processes_are_deployed_in_the_order_of_what_they_lack() -> None:
    ready = DepartmentScores("ops", "Operations", scores(dict.fromkeys(("WE", "AD", "EC", "SD"), 3)))
    early = DepartmentScores("hr", "HR", scores({"WE": 3}))
    waiting = Process("Hiring", ("ops", "hr"), None, agents=False, state="planned", names={"hr": "HR"})
    owned = Process("Moves", ("hr", "ops"), "Ada King", agents=False, state="planned", names={"hr": "HR"})
    goes = Process("Orders", ("ops", "it"), "Max Roth", agents=False, state="planned", baseline=True)
    it = DepartmentScores("it", "IT", ready.scores)
    stopped = Process("Faxes", ("ops", "hr"), state="stopped")
    view = company_view(RULES, [ready, early], [waiting, owned, goes, stopped])
    assert [(each.kind, each.subject) for each in view.actions if each.kind in ("deploy", "prepare")] == [
        ("prepare", "Orders")
    ], "nothing is known of IT"
    assert "a first look at it" in next(each.why for each in view.actions if each.kind == "prepare")
    view = company_view(RULES, [ready, early, it], [waiting, owned, goes, stopped])
    assert [(each.kind, each.subject) for each in view.actions if each.kind in ("deploy", "prepare")] == [
        ("deploy", "Orders")
    ]
    assert [each.process.name for each in view.processes] == ["Orders", "Moves", "Hiring"]
    assert [(weak.upstream, weak.downstream) for weak in view.processes[2].weak] == [("ops", "hr")]
    assert view.processes[1].weak == (), "the weaker department comes first, nobody hands work to it"
    assert view.processes[1].lacks == {"hr": ("Systems and Dependency Management",)}
    at_work = Process("Refunds", ("ops", "hr"), "Ada King", state="live", baseline=True)
    assert company_view(RULES, [ready, early, it], [goes, at_work]).processes[0].process.name == "Refunds"
