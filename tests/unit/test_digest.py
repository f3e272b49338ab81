"""Digests as they read, and what must hold for any of them: length, order, sources, privacy."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.audit.instrument import load_instrument
from bot.clock import previous_weeks
from bot.coverage.formula import Estimate, TaskFact
from handlers.web.charts import line_plot
from scheduler.charts import draw_png
from scheduler.department_map import MOST_ROWS
from scheduler.digest import MOST_WORDS, REBASED, Digest, company_digest, department_digest
from scheduler.figures import (
    BlockerFigure,
    ChangeFigure,
    CompanyWeek,
    DepartmentWeek,
    ProcessFigure,
    SkipFigure,
    company_week,
    coverage_figure,
    hidden_departments,
    pack,
    unchecked_hours,
)
from scheduler.phrases import count_words

INSTRUMENT = load_instrument()
WEEK = "2026-W47"
MIN_GROUP = INSTRUMENT.privacy.min_group
SINCE = date(2026, 8, 24)


def tasks(share: float = 0.4, hours: float = 7.5, safe: bool = True, number: int = 5) -> list[TaskFact]:
    return [
        TaskFact(
            f"t{n}", "clerk", 10, hours, share=Estimate(share, 0.1), mode_weight=1.0,
            accepted=Estimate(0.8, 0.05), safe_use=safe,
        )
        for n in range(number)
    ]  # fmt: skip


STATES = {"WE": "operational", "AD": "building", "EC": "exploring", "SD": "not_started", "PR": "not_started"}


def department(
    name: str, people: int = 20, facts: list[TaskFact] | None = None, **more: Any
) -> DepartmentWeek:
    known = tasks() if facts is None else facts
    given = {
        "slug": name.lower(),
        "name": name,
        "week": WEEK,
        "people": people,
        "states": STATES,
        "levels": {"WE-1": 3},
        "answered": 8,
        "last_answer": date(2026, 11, 17),
        "next_audit": date(2026, 12, 1),
        "coverage": coverage_figure(known),
        "unchecked_hours": unchecked_hours(known),
        "tasks": tuple(pack(task) for task in known),
    }
    return DepartmentWeek(**(given | more))


def company(
    *every: DepartmentWeek, before: bool = True, released: dict[str, str] | None = None, **more: Any
) -> Digest:
    hidden = hidden_departments({week.slug: week.people for week in every}, MIN_GROUP)
    weeks = {week.slug: week.model_copy(update={"shown": week.slug not in hidden}) for week in every}
    total = company_week(weeks.values(), {}, {}, SINCE).model_copy(update=more)
    keys = previous_weeks(WEEK, 12) if before else [WEEK]
    trend = {key: total for key in keys}
    return company_digest(INSTRUMENT, "Larkfield", WEEK, weeks, trend, released or {})


UP = ChangeFigure(change=0.06, noise=0.02, changed=True, since="2026-W36")
HARD = SkipFigure(model="WE", severity="hard", criterion="WE-4")
OLD = BlockerFigure(code="WE-B2", days=33)


def busy() -> Digest:
    return company(
        department("Finance", up=("WE-2",), skipped=(HARD,)),
        department("Legal", down=("WE-1",), blockers=(OLD,)),
        department("Support", facts=tasks(safe=False)),
        department("Sales", blockers=(OLD, BlockerFigure(code="SD-B1", days=20)), contested=1),
        department("Marketing", skipped=(HARD,), stale=3),
        week_change=UP, trend_change=UP,
    )  # fmt: skip


def hidden_small() -> Digest:
    return company(department("Finance"), department("Board", people=3), department("Legal", people=8),
                   department("Support", up=("AD-1",)))  # fmt: skip


SITUATIONS = {
    "busy": busy,
    "ups and downs": lambda: company(
        department("Finance", up=("WE-2",)),
        department("Marketing", up=("WE-1", "SD-1"), down=("WE-3",)),
        department("Legal", down=("WE-4",)),
        department("Sales", down=("SD-2",)),
    ),
    "quiet": lambda: company(department("Finance"), department("Legal")),
    "first week": lambda: company(department("Finance"), department("Legal"), before=False),
    "hidden small groups": hidden_small,
    "one department": lambda: company(department("Finance", down=("WE-3",))),
    "all stale": lambda: company(
        department("Finance", facts=[], stale=8, stale_models=("WE",), last_answer=date(2026, 3, 2)),
        department("Legal", facts=[], stale=8, stale_models=("WE",), last_answer=date(2026, 2, 2)),
    ),
    "nobody answered": lambda: company(
        department("Finance", facts=[], answered=0, last_answer=None, next_audit=None, states={}),
        before=False,
    ),
    "little known": lambda: company(
        department("Finance", facts=[*tasks(number=2), *_unknown(3)], up=("WE-1",))
    ),
    "after a re-base": lambda: company(
        department("Finance", rebased=True), department("Legal"), trend_change=UP, rebased=True
    ),
    "skipped hard": lambda: company(
        department("Finance", skipped=(HARD, SkipFigure(model="AD", severity="hard", needed_by="SD"))),
        department("Legal"),
    ),
    "old blockers": lambda: company(
        department("Finance", blockers=(BlockerFigure(code="WE-B2", days=86),)),
        department("Legal", blockers=(BlockerFigure(code="AD-B1", days=41),)),
        department("Sales", blockers=(BlockerFigure(code="WE-B2", days=22),)),
    ),
    "sixty departments": lambda: company(
        *(
            department(
                f"Branch {n:02}",
                people=4 if n % 10 == 9 else 20,
                up=("WE-2",) if n % 9 == 0 else (),
                down=("WE-3",) if n % 13 == 0 else (),
                skipped=(HARD,) if n % 7 == 0 else (),
                blockers=(OLD,) if n % 11 == 0 else (),
                contested=int(n == 20),
            )
            for n in range(60)
        ),
        week_change=UP,
        trend_change=UP,
    ),
    "all small": lambda: company(department("Board", people=3), department("Legal", people=4)),
    "a department": lambda: department_digest(
        INSTRUMENT,
        WEEK,
        department("Finance", steps_done=1, trend_change=UP),
        {WEEK: department("Finance"), "2026-W46": department("Finance")},
    ),
    "a hidden department": lambda: department_digest(
        INSTRUMENT, WEEK, department("Board", people=3, shown=False), {WEEK: department("Board")}
    ),
}


def _unknown(number: int) -> list[TaskFact]:
    return [TaskFact(f"u{n}", "clerk", 10, 7.5, fresh=False) for n in range(number)]


READ = Path(__file__).parent / "digests"
"""The digests as somebody read and approved them."""


def test_weeks_in_which_hours_were_asked_anew_are_marked_in_the_picture() -> None:
    weeks = previous_weeks(WEEK, 6)
    trend = {week: department("Finance", up=("WE-2",), rebased=week == WEEK) for week in weeks}
    chart = department_digest(INSTRUMENT, WEEK, trend[WEEK], trend).message.chart
    assert chart is not None
    assert (chart.marks, chart.mark_note) == (("16 Nov",), REBASED)
    assert "asked anew in the week of 16 November" in chart.alt
    plain_picture = draw_png(chart.model_copy(update={"marks": (), "mark_note": ""}))
    assert draw_png(chart) != plain_picture
    assert line_plot(chart).marks == (line_plot(chart).right,)


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_digest_is_short_sourced_and_drawable(name: str) -> None:
    digest = SITUATIONS[name]()
    message = digest.message
    assert count_words(message.text) <= MOST_WORDS
    assert digest.quiet == (len(message.text.splitlines()) == 2)
    assert message.text.count("\n1.") == message.text.count("To decide:")
    if message.chart is not None:
        assert draw_png(message.chart)[:4] == b"\x89PNG"
        assert message.chart.alt
    for figure in digest.figures:
        assert figure.source
        assert figure.meaning


SAID = "Three clerks used it on Monday for 20 reminders."


def test_the_last_sentence_that_was_released_stands_where_its_department_is_shown() -> None:
    every = (
        department("Finance"),
        department("Sales"),
        department("Board", people=3),
        department("Legal", 6),
    )
    quiet, told = (
        company(*every),
        company(*every, released={"sales": "No.", "finance": SAID, "board": "Yes."}),
    )
    assert quiet.quiet
    assert not told.quiet
    assert f"In their own words, Finance: “{SAID}”" in told.message.text
    assert not any(words in told.message.text for words in ("“No.”", "“Yes.”", "Board"))
    own = department("Finance")
    alone = department_digest(INSTRUMENT, WEEK, own, {WEEK: own}, {"finance": SAID, "sales": "No."})
    assert SAID in alone.message.text
    assert "“No.”" not in alone.message.text


def test_executives_read_exceptions_rather_than_a_sentence_where_there_is_no_room_for_both() -> None:
    said = " ".join(["word"] * 30)
    for many in range(1, 6):
        weeks = [
            department(name, blockers=(OLD, BlockerFigure(code="SD-B1", days=20)), down=("WE-1",), stale=3)
            for name in ("Finance", "Legal", "Support", "Sales", "Marketing")[:many]
        ]
        with_it, without = company(*weeks, released={"finance": said}), company(*weeks)
        assert (
            with_it.message.text.replace(f"In their own words, Finance: “{said}”\n\n", "")
            == without.message.text
        )


@given(st.integers(1, 30), st.integers(1, 4))
def test_a_sentence_makes_no_digest_too_long(words: int, decisions: int) -> None:
    weeks = [
        department(name, skipped=(HARD,), blockers=(OLD,), down=("WE-1",), facts=tasks(safe=False))
        for name in ("Finance", "Legal", "Support", "Sales")[:decisions]
    ]
    said = " ".join(["word"] * words)
    assert count_words(company(*weeks, released={"finance": said}).message.text) <= MOST_WORDS


def test_all_stale_asks_for_a_fresh_look() -> None:
    text = SITUATIONS["all stale"]().message.text
    assert "Ask for a fresh look at Finance and Legal" in text
    assert "there are no fresh answers" in text


def test_at_most_three_decisions_and_likes_are_one() -> None:
    text = busy().message.text
    assert "3." in text
    assert "4." not in text
    assert text.count("Close the gap in Finance and Marketing") == 1


def test_no_names_of_who_did_not_answer_and_no_ranking() -> None:
    text = SITUATIONS["nobody answered"]().message.text
    assert "0 of 1 department answered" in text
    assert "rank" not in text


def test_too_little_known_is_not_published() -> None:
    text = SITUATIONS["little known"]().message.text
    assert "Coverage is not shown yet: only 40% of the hours are known." in text


def test_the_map_of_a_large_company_is_one_screen_of_those_that_need_a_look() -> None:
    table = SITUATIONS["sixty departments"]().message.table
    assert table is not None
    assert len(table.rows) <= MOST_ROWS
    listed = [row[0] for row in table.rows[:-1]]
    assert listed == sorted(listed)
    assert {f"Branch {n:02}" for n in range(60) if n % 13 == 0 and n % 10 != 9} <= set(listed)
    assert table.rows[-1][0] == f"The other {54 - len(listed)}"


def test_names_that_are_left_out_of_a_decision_can_be_asked_about() -> None:
    figures = SITUATIONS["sixty departments"]().figures
    assert any("Branch 42" in figure.meaning for figure in figures if figure.text.endswith("more"))


people_counts = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 30), min_size=1)


@given(people_counts)
def test_what_is_hidden_can_not_be_worked_out_by_subtraction(people: dict[str, int]) -> None:
    hidden = hidden_departments(people, MIN_GROUP)
    assert {name for name, count in people.items() if count < MIN_GROUP} <= hidden
    if hidden and hidden != set(people):
        assert len(hidden) >= 2
        assert sum(people[name] for name in hidden) >= MIN_GROUP
    if not any(count < MIN_GROUP for count in people.values()):
        assert not hidden


secret = st.builds(
    lambda share, up, stale, days: {
        "facts": tasks(share), "up": up, "stale": stale, "contested": stale,
        "blockers": (BlockerFigure(code="WE-B2", days=days),), "skipped": (HARD,) if stale else (),
    },
    st.floats(0, 1), st.sampled_from([(), ("WE-1",)]), st.integers(0, 8), st.integers(15, 90),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(secret, secret, st.integers(1, 4), st.integers(5, 9))
def test_nothing_of_a_hidden_department_reaches_the_company(
    one: dict[str, Any], other: dict[str, Any], small: int, next_smallest: int
) -> None:
    """Whatever the hidden departments hold, every word and figure stays the same: so no two digests, of
    whatever weeks, can be subtracted to learn about them.
    """
    digests = [
        company(
            department("Board", people=small, **hidden),
            department("Legal", people=next_smallest, **hidden),
            department("Finance", people=10),
            department("Support", people=40, up=("WE-2",)),
        )
        for hidden in (one, other)
    ]
    assert digests[0] == digests[1]
    assert "Board" not in str(digests[0].content())
    assert "Legal" not in str(digests[0].content())


def test_changes_leave_out_departments_that_were_hidden_at_either_end() -> None:
    shown, hid = department("Finance"), department("Finance", facts=tasks(0.9), shown=False)
    assert company_week([shown], {"finance": hid}, {}, SINCE).week_change.change is None
    assert company_week([hid], {"finance": shown}, {}, SINCE) == CompanyWeek(
        hidden=1, coverage=coverage_figure([])
    )


REFUND = ProcessFigure(name="From complaint to refund", departments=("support", "finance"), owned=True)


def test_who_gets_work_from_agents_without_the_ground_is_a_decision() -> None:
    text = company(department("Support"), department("Finance"), processes=(REFUND,)).message.text
    asked = "Have a person look at what agents hand to Finance in “From complaint to refund”.** Its owner"
    assert asked in text
    finance = department("Finance", states=STATES | {"SD": "operational"})
    ready = company(department("Support"), finance, processes=(REFUND,))
    assert "From complaint" not in ready.message.text


def test_a_process_that_nobody_owns_is_a_decision() -> None:
    nobodys = REFUND.model_copy(update={"owned": False})
    text = company(department("Finance", skipped=(HARD,)), processes=(nobodys,)).message.text
    named = text.index("Name one owner for “From complaint to refund”.** You")
    assert text.index("Close the gap in Finance") < named
    assert "across 2 departments, and nobody answers for the result" in text


def test_a_department_that_is_hidden_is_in_no_decision_about_a_process() -> None:
    small = company(department("Support"), department("Finance", people=3), department("HR"),
                    processes=(REFUND,))  # fmt: skip
    assert "Finance" not in small.message.text


@pytest.mark.parametrize("name", SITUATIONS)
def test_as_it_was_read(name: str) -> None:
    assert SITUATIONS[name]().message.text + "\n" == (READ / f"{name}.md").read_text("utf-8")
