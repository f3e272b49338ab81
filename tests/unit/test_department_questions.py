"""How one department is asked after by its name, and what only looks like it."""

from __future__ import annotations

import json

import pytest

from bot.audit.department_questions import department_asked
from bot.store.tables import Department
from tests.conftest import SHARED
from tests.unit.test_sample_questions import FILE

DEPARTMENTS = [
    Department(slug="finance", name="Finance"),
    Department(slug="hr", name="People and HR"),
    Department(slug="legal", name="Legal and Compliance"),
    Department(slug="support", name="Customer Support"),
    Department(slug="sales", name="Sales and Service"),
]
ASKED = {
    "stands": """
        How far is Finance?
        how far along is the finance team
        How far has Legal and Compliance got?
        How is HR doing with AI?
        where does HR stand?
        Where's legal at?
        what's holding Customer Support back?
        What is in Finance's way?
        Why is Legal behind?
        what is Finance's score?
        Show me the results of Legal
        Show me Finance
        What level is Support at?
        Which model is HR working on now?
        Is Finance ahead?""",
    "words": """
        What did Legal answer?
        what has HR said so far
        What did the Finance department tell you?
        Show me Finance's answers
        what are the answers of support?""",
    "whether": """
        Has Legal answered yet?
        Did HR do the audit?
        did hr finish the check-in?
        Is Finance done?
        Finance answered this?
        Who has answered in Legal?""",
    "compare": """
        Compare us with Finance
        How do we compare to HR?
        Are we ahead of Legal?
        Is Finance further than us?""",
}
CASES = [(line.strip(), kind) for kind, lines in ASKED.items() for line in lines.strip().splitlines()]


@pytest.mark.parametrize(("said", "kind"), CASES, ids=[said for said, _ in CASES])
def test_a_department_is_asked_after_by_its_name_or_short_name(said: str, kind: str) -> None:
    asked = department_asked(said, DEPARTMENTS)
    assert asked is not None
    assert asked[0] == kind
    assert asked[1].slug in said.lower() or asked[1].name.lower() in said.lower()


@pytest.mark.parametrize(
    "said",
    [
        "What is Finance's limit for approving invoices?",
        "Does HR policy allow pasting CVs into a chat tool?",
        "What did Legal say about contracts with agencies?",
        "How far is HR involved in monitoring?",
        "Where does HR stand on remote work?",
        "How is overtime calculated?",
        "What does Finance do with my receipts?",
        "Where is HR?",
        "Who leads Legal?",
        "Show me the HR policy",
        "Is Legal allowed to read my mails?",
        "Has Legal approved ChatGPT?",
        "How far is Purchasing?",
        "In Finance two of us told the rest how far it is",
    ],
)
def test_what_only_names_a_department_goes_on_to_the_policies(said: str) -> None:
    assert department_asked(said, DEPARTMENTS) is None


def test_no_question_about_policies_is_taken_for_one_about_a_department() -> None:
    asked = [line.split("\t")[2] for line in FILE.read_text(encoding="utf-8").splitlines()]
    assert [text for text in asked if department_asked(text, DEPARTMENTS) is not None] == []
    file = SHARED / "eval" / "policies" / "questions.json"
    if not file.exists():
        pytest.skip("the evaluation set is not here")
    questions = [each["text"] for each in json.loads(file.read_text(encoding="utf-8"))]
    assert len(questions) >= 60
    assert [text for text in questions if department_asked(text, DEPARTMENTS) is not None] == []
