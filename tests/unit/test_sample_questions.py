"""Questions that people of the sample company would ask, against its policies, without a language model.

They were written from the policies alone. Each line of the file is an id, the question before it in the
thread, the question, and a passage that answers it: policy, section, how the deciding sentence begins. There
are several lines where several do. `a` stands by itself, `f` follows up on another; to `s` and `t` there is
no answer; `d` asks what something is, `e` what may be given to an AI tool.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from bot.clock import MovableClock
from bot.store.engine import Store
from bot.store.tables import Band
from handlers.demo.sample_files import policy_files
from knowledge.answer import PolicyAnswer
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details, split
from knowledge.retriever import LocalRetriever
from knowledge.service import KnowledgeService, Question
from tests.support.company import plant_people

FILE = Path(__file__).parents[1] / "data" / "sample_questions.tsv"


@dataclass(frozen=True)
class Expected:
    """What answers a question: the policy's title, the section, and how the deciding sentence begins."""

    title: str
    section: str
    sentence: str


@dataclass(frozen=True)
class Case:
    """A question with what came of it."""

    kind: str
    expected: tuple[Expected, ...]
    answer: PolicyAnswer

    @property
    def answered(self) -> bool:
        return self.answer.band is Band.ANSWER

    @property
    def section_first(self) -> bool:
        """Whether the first quote is from a right section."""
        first = [(c.document, c.section.split(" › ")[-1]) for c in self.answer.citations[:1]]
        return any((each.title, each.section) in first for each in self.expected)

    @property
    def decided(self) -> bool:
        """Whether the first quote holds a deciding sentence."""
        first = self.answer.citations[:1]
        return any(
            c.document == each.title and each.sentence in c.quote for c in first for each in self.expected
        )


@cache
def policies() -> dict[str, tuple[Details, str]]:
    """Each policy of the sample company, those for some departments in the hands of HR."""
    found = {}
    for file in policy_files(date(2026, 11, 18)):
        own, text = split(file.text)
        for_all = own.audience == ("all",) and file.name != "ai-pilot-guidelines.md"
        details = Details(title=own.title, audience=("all",) if for_all else ("hr",))
        found[file.name.removesuffix(".md")] = (details, text)
    return found


def lines() -> dict[str, tuple[str, str, list[Expected]]]:
    """Id -> the question before, the question, and what answers it."""
    found: dict[str, tuple[str, str, list[Expected]]] = {}
    for line in FILE.read_text("utf-8").splitlines():
        number, before, question, policy, section, sentence = line.split("\t")
        expected = found.setdefault(number, (before, question, []))[2]
        if policy:
            expected.append(Expected(policies()[policy][0].title or "", section, sentence))
    return found


def test_what_is_expected_stands_in_the_policies() -> None:
    texts = {details.title: text for details, text in policies().values()}
    for _, _, expected in lines().values():
        for each in expected:
            section = texts[each.title].split(f"\n## {each.section}\n")[1].split("\n## ")[0]
            assert each.sentence in section


@pytest.fixture
async def library(sqlite_store: Store, clock: MovableClock) -> KnowledgeService:
    await plant_people(sqlite_store)
    service = KnowledgeService(sqlite_store, clock, LocalRetriever(), Fetcher())
    for name, (details, text) in policies().items():
        await service.filing.add_text(name, text, details)
    return service


async def test_most_questions_are_answered_with_the_sentence_that_decides_them(
    library: KnowledgeService,
) -> None:
    cases = []
    for number, (before, text, expected) in lines().items():
        question = Question(1, text, public=True, earlier=(before,) if before else ())
        cases.append(Case(number[0], tuple(expected), await library.answer(question)))
    kinds = {kind: [case for case in cases if case.kind == kind] for kind in "afstde"}
    numbers = {kind: len(found) for kind, found in kinds.items()}
    assert numbers == {"a": 30, "f": 30, "s": 15, "t": 15, "d": 6, "e": 9}
    assert sum(case.section_first for case in kinds["a"]) >= 20
    assert sum(case.decided for case in kinds["a"]) >= 20
    assert sum(case.answered and case.decided for case in kinds["a"]) >= 15
    assert sum(case.answered and case.decided for case in kinds["f"]) >= 21
    assert all(case.answered and case.decided for case in kinds["d"] + kinds["e"])
    assert sum(case.answered for case in kinds["s"] + kinds["t"]) <= 2
