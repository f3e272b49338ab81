"""The planted past: it can be read, points at things that exist, and shows what it was written to show."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import load_instrument
from bot.audit.scoring import AnswerFact, Scores, score
from bot.audit.scoring import Claim as Claimed
from bot.coverage.formula import TaskFact, coverage_of
from bot.coverage.tasks import TaskAnswer, task_fact, unanswered, usual_tasks
from bot.errors import InputError
from bot.organisation.importing import import_organisation
from bot.organisation.parse import parse_organisation
from bot.store.engine import Store
from bot.store.tables import (
    Answer,
    Audience,
    Band,
    Blocker,
    Claim,
    CoverageAnswer,
    CoverageTask,
    Department,
    Document,
    EvidenceClass,
    Gap,
    GapStatus,
    Passage,
    Person,
    PolicyQuestion,
    Role,
)
from handlers.demo.history import load_history, plant
from handlers.demo.sample_files import HISTORY_FILE, SampleFile, organisation_file, policy_files
from knowledge.frontmatter import Details, split
from knowledge.library import Draft, put
from knowledge.passages import PassageDraft
from knowledge.stored import unpacked

INSTRUMENT = load_instrument()
HISTORY = load_history(HISTORY_FILE)
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DAYS = [MONDAY + timedelta(days=day, hours=3 * day) for day in (0, 2, 5)]


async def planted(store: Store, now: datetime = MONDAY) -> None:
    file = organisation_file(now.date())
    templates = {template.id: template for template in INSTRUMENT.departments}
    draft = parse_organisation(file.text, file.name, frozenset(templates))
    await import_organisation(store, draft, now, {})
    async with store.write() as tx:
        await plant(tx, HISTORY, now)


async def add_policies(store: Store) -> None:
    async with store.write() as tx:
        for policy in policy_files(MONDAY.date()):
            await put(tx, draft_of(policy), MONDAY)


def draft_of(policy: SampleFile) -> Draft:
    """The policy with one passage for each section, as far as a test needs it."""
    details, body = split(policy.text)
    parts = re.split(r"^#+ (.+)\n", body, flags=re.M)[1:]
    passages = [
        PassageDraft((heading,), text, 0, len(text), b"", 0)
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    ]
    source, title = f"id:{details.stable_id}", details.title or ""
    no_people = Details(effective=details.effective, label=details.label)
    return Draft(source, title, no_people, body, policy.name, (), tuple(passages), "none")


async def scores_of(tx: AsyncSession, slug: str, now: datetime, at: datetime | None = None) -> Scores:
    """Scores at `now` from what had been answered by `at`."""
    department = (await tx.exec(select(Department).where(Department.slug == slug))).one()
    rows = await tx.exec(select(Answer).where(Answer.department_id == department.id))
    blockers = await tx.exec(select(Blocker).where(Blocker.department_id == department.id))
    still_open = [row.code for row in blockers if row.resolved_at is None]
    facts = [fact(row) for row in rows if not row.second and row.answered_at <= (at or now)]
    serves_nobody = ["AD"] if department.ad_audience is Audience.NONE else []
    return score(INSTRUMENT, facts, still_open, serves_nobody, "strict", now)


def fact(row: Answer) -> AnswerFact:
    special: Claimed = "unknown" if row.claim is Claim.UNKNOWN else "not_applicable"
    claimed = special if row.level is None else row.level
    return AnswerFact(
        row.criterion, claimed, row.answered_at, row.evidence.value, row.approved_at is not None
    )


def skips(scores: Scores) -> dict[str, str]:
    return {each.model: each.severity for each in scores.placement.skipped}


@pytest.mark.parametrize("now", DAYS, ids=lambda now: f"{now:%a}")
async def test_it_shows_what_it_was_written_to_show(sqlite_store: Store, now: datetime) -> None:
    await planted(sqlite_store, now)
    async with sqlite_store.read() as tx:
        seen = {slug: await scores_of(tx, slug, now) for slug in await slugs(tx)}
    assert seen["support"].placement.operational_through == 1
    assert skips(seen["support"]) == {"AD": "soft"}
    assert skips(seen["marketing"]) == {"WE": "soft"}
    assert skips(seen["hr"]) == {}
    assert seen["engineering"].models["AD"] == "not_applicable"
    assert seen["engineering"].placement.reach == 4
    assert seen["engineering"].criteria["WE-4"].counted == 1
    assert skips(seen["engineering"])["WE"] == "hard"
    finance = {name: each for name, each in seen["finance"].criteria.items() if each.claimed is not None}
    assert finance.pop("AD-4").applies, "what does not apply has to be approved anew after 180 days"
    assert len(finance) == 8
    assert all(each.stale for each in finance.values())
    assert all(each.claimed is None for each in seen["legal"].criteria.values())


@pytest.mark.parametrize("now", DAYS, ids=lambda now: f"{now:%a}")
async def test_both_weeks_have_something_to_tell(sqlite_store: Store, now: datetime) -> None:
    """A rise with evidence in the week before this one; a drop and a rise within the last day."""
    await planted(sqlite_store, now)
    monday = datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=now.weekday())
    async with sqlite_store.read() as tx:
        before = await scores_of(tx, "support", now, at=monday - timedelta(days=7))
        after = await scores_of(tx, "support", now, at=monday)
        yesterday = await scores_of(tx, "marketing", now, at=now - timedelta(days=1))
        today = await scores_of(tx, "marketing", now)
    assert (before.criteria["AD-4"].counted, after.criteria["AD-4"].counted) == (2, 3)
    assert (yesterday.criteria["WE-3"].counted, today.criteria["WE-3"].counted) == (3, 2)
    assert (yesterday.criteria["AD-1"].counted, today.criteria["AD-1"].counted) == (2, 3)


async def test_a_second_view_comes_after_the_first_and_agrees(sqlite_store: Store) -> None:
    await planted(sqlite_store)
    async with sqlite_store.read() as tx:
        rows = (await tx.exec(select(Answer))).all()
    for second in (row for row in rows if row.second):
        same = [
            row
            for row in rows
            if (row.department_id, row.criterion) == (second.department_id, second.criterion)
        ]
        first = max(
            (row for row in same if row.answered_at < second.answered_at), key=lambda row: row.answered_at
        )
        assert first.agreement == "same_level"
        assert first.level == second.level
        assert first.evidence is EvidenceClass.E3
        assert first.picked_by != second.picked_by
    assert any(row.second for row in rows)


async def test_hr_alone_is_due_and_not_stale(sqlite_store: Store) -> None:
    await planted(sqlite_store)
    newest: dict[str, datetime] = {}
    async with sqlite_store.read() as tx:
        found = await tx.exec(
            select(Department.slug, Answer.answered_at).where(Answer.department_id == Department.id)
        )
        for slug, at in found:
            newest[slug] = max(at, newest.get(slug, at))
    ages = {slug: (MONDAY - at).days for slug, at in newest.items()}
    cadence = INSTRUMENT.re_audit_flow.cadence_days["default"]
    assert {slug for slug, age in ages.items() if cadence <= age < 180} == {"hr"}
    assert {slug for slug, age in ages.items() if age > 180} == {"finance"}


async def test_answers_are_stored_as_the_product_would(store: Store) -> None:
    await planted(store)
    async with store.read() as tx:
        answers = (await tx.exec(select(Answer))).all()
        leads = {row.id: row.email for row in await tx.exec(select(Person))}
    assert len(answers) == sum(len(sitting.answers) for sitting in HISTORY.sittings)
    for answer in answers:
        assert answer.picked_by in leads
        assert answer.session_id is not None
        assert answer.answered_at < MONDAY
        if answer.level is not None:
            assert answer.counted == min(answer.level, INSTRUMENT.cap(answer.evidence.value))
            assert answer.level in answer.shown
            assert len(set(answer.shown)) == 2
            assert set(answer.shown) <= set(range(5))


async def test_coverage_is_published_for_those_who_answered(sqlite_store: Store) -> None:
    await planted(sqlite_store)
    async with sqlite_store.read() as tx:
        now = {slug: await coverage_facts(tx, slug, MONDAY) for slug in await slugs(tx)}
        june = await coverage_facts(tx, "support", MONDAY - timedelta(days=100))
    figures = {slug: coverage_of(facts) for slug, facts in now.items()}
    assert {slug for slug, figure in figures.items() if figure.published} >= {
        "support",
        "engineering",
        "marketing",
    }
    assert not figures["legal"].published
    assert not figures["finance"].published
    company = coverage_of([fact for facts in now.values() for fact in facts])
    assert company.published
    assert 0.1 < (company.coverage or 0) < 0.5
    assert (figures["support"].coverage or 0) > (coverage_of(june).coverage or 0) + 0.1
    hr = figures["hr"]
    assert 0 < (hr.excluded_share or 0) < 0.3
    assert (figures["engineering"].touched or 0) > (figures["engineering"].coverage or 0) + 0.2


async def slugs(tx: AsyncSession) -> Iterable[str]:
    return (await tx.exec(select(Department.slug))).all()


async def coverage_facts(tx: AsyncSession, slug: str, now: datetime) -> list[TaskFact]:
    department = (await tx.exec(select(Department).where(Department.slug == slug))).one()
    rules, facts = INSTRUMENT.coverage, []
    for role in await tx.exec(select(Role).where(Role.department_id == department.id)):
        tasks = (await tx.exec(select(CoverageTask).where(CoverageTask.role_id == role.id))).all()
        if not tasks:
            facts += unanswered(usual_tasks(INSTRUMENT, department.template or ""), role.slug, role.headcount)
        for task in tasks:
            rows = await tx.exec(select(CoverageAnswer).where(CoverageAnswer.task_id == task.id))
            last = max(
                (row for row in rows if row.answered_at <= now), key=lambda row: row.answered_at, default=None
            )
            taps = TaskAnswer(last.share, last.mode, last.accepted, last.review, last.tool) if last else None
            facts.append(
                task_fact(
                    rules,
                    taps,
                    id=f"{role.slug}:{task.slug}",
                    role=role.slug,
                    headcount=role.headcount,
                    hours=task.baseline_hours or 0,
                    keep_human=bool(last and last.keep_human),
                    fresh=bool(last and now - last.answered_at <= timedelta(days=180)),
                )
            )
    return facts


async def test_questions_and_gaps_hang_together(sqlite_store: Store) -> None:
    await add_policies(sqlite_store)
    await planted(sqlite_store)
    async with sqlite_store.read() as tx:
        gaps = (await tx.exec(select(Gap))).all()
        questions = {row.id: row for row in await tx.exec(select(PolicyQuestion))}
        documents = {row.id: row.source for row in await tx.exec(select(Document))}
    assert {gap.status for gap in gaps} == set(GapStatus)
    assert all(gap.text == questions[gap.question_id].text for gap in gaps)
    assert all(bool(gap.reply) == (gap.status in (GapStatus.ANSWERED, GapStatus.DECLINED)) for gap in gaps)
    grouped = [gap for gap in gaps if gap.group_id is not None]
    nearest = {documents[gap.nearest_document_id] for gap in grouped}
    assert nearest == {"id:code-assistants", "id:ai-acceptable-use"}
    assert all(gap.group_id in {other.id for other in gaps} for gap in grouped)


async def test_what_was_answered_stands_word_for_word_in_the_policy(sqlite_store: Store) -> None:
    await add_policies(sqlite_store)
    await planted(sqlite_store)
    async with sqlite_store.read() as tx:
        rows = (await tx.exec(select(PolicyQuestion))).all()
        passages = {row.id: row.text for row in await tx.exec(select(Passage))}
    assert len(rows) == len(HISTORY.questions)
    for row in rows:
        answer = unpacked(row.answer)
        assert answer.nearest_document_id is not None
        assert len(answer.citations) == (row.band is not Band.SILENT), row.text
        assert row.passage_ids == [citation.passage_id for citation in answer.citations]
        assert all(each.quote in passages[each.passage_id] for each in answer.citations)


def test_askers_may_read_what_answered_them() -> None:
    file = organisation_file(MONDAY.date())
    draft = parse_organisation(file.text, file.name, frozenset(t.id for t in INSTRUMENT.departments))
    people = {person.email: person for person in draft.people}
    audiences = {f.name.removesuffix(".md"): split(f.text)[0].audience for f in policy_files(MONDAY.date())}
    for question in HISTORY.questions:
        asker = people[question.person]
        mine = {"all", asker.department, f"role:{asker.role}"}
        assert mine & set(audiences[question.policy] or ()), question.text


def test_every_id_is_one_of_the_instrument() -> None:
    taps = INSTRUMENT.coverage.inputs_per_task
    policies = {file.name.removesuffix(".md") for file in policy_files(MONDAY.date())}
    for sitting in HISTORY.sittings:
        for answer in sitting.answers:
            INSTRUMENT.criterion(answer.criterion)
    for blocker in HISTORY.blockers:
        INSTRUMENT.blocker(blocker.code)
    for role in HISTORY.coverage:
        assert set(role.hours.values()) <= set(taps.hours_per_person_week.buckets)
        for check_in in role.check_ins:
            assert check_in.tasks.keys() == role.hours.keys()
            for each in check_in.tasks.values():
                assert each.share in taps.share_of_cases.values
                assert (each.share == "none") == (each.mode is None) == (each.review is None)
                assert each.mode is None or each.mode in taps.mode.weights
                assert not each.keep_human or each.reason
    assert {question.policy for question in HISTORY.questions} <= policies


def test_nobody_repeats_a_phrase_and_everybody_gives_an_instance() -> None:
    said = [answer for sitting in HISTORY.sittings for answer in sitting.answers if answer.words]
    words = [answer.words for answer in said]
    assert len(set(words)) == len(words)
    for first, second in zip(sorted(words), sorted(words)[1:], strict=False):
        assert first[:25] != second[:25]
    for answer in said:
        assert (answer.evidence.value in ("E2", "E3")) == bool(answer.evidence_text)


def test_steps_are_taken_over_from_the_instrument_and_at_most_two_are_open() -> None:
    still_open: dict[str, int] = defaultdict(int)
    for given in HISTORY.plans:
        steps = [step.text for step in INSTRUMENT.criterion(given.criterion).next_steps]
        assert given.text in steps
        assert (given.status.value == "open") == (given.closed_days_ago is None)
        still_open[given.department] += given.status.value == "open"
    assert max(still_open.values()) <= 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("enrolled: [", "not YAML"),
        ("enrolled: []", "sittings"),
        ("enrolled: [{person: a@b.example, days_ago: 3, hours_ago: 2}]", "exactly one"),
    ],
)
def test_a_broken_history_is_refused_in_words(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "history.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=said):
        load_history(path)


async def test_a_history_of_another_company_is_refused(sqlite_store: Store) -> None:
    with pytest.raises(InputError, match=r"maya\.okonkwo@tarnwood\.example\.com"):
        async with sqlite_store.write() as tx:
            await plant(tx, HISTORY, MONDAY)
