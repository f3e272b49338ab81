"""Which words ask for facts of the own department, and which must never be taken for such."""

from __future__ import annotations

import json

import pytest

from bot.audit.instrument import load_instrument
from bot.coaching.questions import StoredQuestion, names_of, route
from tests.conftest import SHARED

NAMES = names_of(load_instrument())

SAID = {
    StoredQuestion("holding_back"): """
        What is holding us back?
        what's holding us back
        What holds us back right now?
        What keeps us from moving on?
        what's stopping us?
        What is slowing us down?
        Why are we stuck?
        Where are we stuck?
        What is our biggest gap?
        What are our gaps?
        what are we missing?
        What is blocking us?
        What stands between us and the next model?
        Why aren't we further?
        What prevents us from getting further?
        Where do we fall short?
        What's our weakest point?
        What is our bottleneck?
        What do we lack?
        What holds my team back?
        Show me our gaps""",
    StoredQuestion("last_answers"): """
        Show our last answers
        show me my answers
        What did we answer?
        What did I say last time?
        our latest answers please
        List our answers
        What have we answered so far?
        my recent answers
        What did we tell you?
        What did I tell you last time?
        Can I see our answers?
        Can you show me what we answered?
        What were our answers?
        Remind me what I answered
        What was my last answer?
        show what we said last time
        Let me see my answers
        Give me our last answers
        Which answers did we give?
        our previous answers
        Was haben wir geantwortet?""",
    StoredQuestion("last_answers", month=8): """
        What did I answer in August?
        what did we say in august
        Show our answers from August
        my answers of August
        What did I tell you in August?
        August answers?
        What was our answer in August?
        Show me what I said in August
        What have we answered in August?
        List the answers we gave in August
        Which answers did I give in August?
        Can I see my August answers?
        What did the team answer in August?
        What did we report in August?
        Remind me what we said in August
        Show our August's answers
        What were my answers in August?
        In August, what did we answer?
        What did I answer back in August?
        Can you tell me what we answered in August?""",
    StoredQuestion("what_would_get", model="EC"): """
        What would get us to model 3?
        What would get us to 3?
        How do we get to model 3?
        What do we need for model 3?
        What's missing for model 3?
        What is left for Expert Capability?
        How can we reach model three?
        What does it take to get to model 3?
        What takes us to model 3
        How far are we from model 3?
        What are we missing for model 3?
        What stands between us and model 3?
        What has to happen before model 3?
        What brings us to stage 3?
        path to model 3?
        How do we move to model 3
        What must we do to reach model 3?
        What would it take for model 3 to be in place?
        What's needed for EC?
        What do we still need for model 3
        What would help us to get to model 3?""",
    StoredQuestion("compare"): """
        compare with last quarter
        Compare us with last quarter
        How do we compare to last quarter?
        What has changed since last quarter?
        what changed since last time?
        Did we improve?
        Have we improved since last quarter?
        Are we better than last quarter?
        How have we changed?
        Show the changes since last month
        What is different since last quarter?
        What's new since last time
        Are we making progress?
        Show our progress
        How did we develop since last quarter
        compared to last quarter?
        Last quarter vs now
        Are we getting better?
        What moved since last quarter?
        Did anything get worse since the last audit?
        Why did we drop?
        are we better than last time?""",
    StoredQuestion("about_criterion", criterion="WE-3"): """
        What should we do about WE-3?
        How do we improve WE-3?
        WE-3?
        WE-3
        Tell me about WE-3
        What is WE-3
        What about WE-3
        Help with WE-3
        How can we get better at WE-3?
        what helps with we-3
        What's the next step for WE-3?
        Explain WE-3
        Where do we stand on WE-3?
        What can we do for WE-3?
        Ideas for WE-3
        What would lift WE-3?
        show WE-3
        How do we raise WE-3
        we3
        What should we do about reused ways of working?
        How do we get better at reused ways of working?""",
    StoredQuestion("standing"): """
        Where do we stand?
        where are we now?
        Where does my team stand?
        Show our placement
        How are we doing?
        What's our level?
        What level are we at?
        Which model are we working on?
        How far along are we?
        Give me a summary""",
    StoredQuestion("what_would_get", model="PR"): """
        Are we ready for agents?
        When can we start with agents?""",
    StoredQuestion("about_criterion", criterion="WE-4"): """
        What should we do about data rules?
        How can we get better at the tool rules?""",
    StoredQuestion("standing", model="AD"): """
        Why is model 2 skipped?""",
    StoredQuestion("processes"): """
        Which processes cross our department?
        show our processes
        Which processes go through my team?""",
    StoredQuestion("steps"): """
        next steps
        What should we do next?""",
    StoredQuestion("plans"): """
        my plans
        show our open steps
        what did we plan?
        How is my plan going?""",
    StoredQuestion("models"): """
        What are the five models?
        which are the models
        What is the next model?
        Show me the stages
        explain the models""",
    StoredQuestion("models", model="EC"): """
        What is model 3?
        what does model three mean?
        Explain Expert Capability
        What is EC about?""",
    StoredQuestion("levels"): """
        What does level 3 mean?
        what are the levels?
        Explain the five levels""",
    StoredQuestion("counting"): """
        Why is our level 2 only counted as 1?
        How is this calculated?
        how do you score that?
        Why does it count as 2 only?
        What counts as evidence?
        How are our levels calculated?""",
    StoredQuestion("pending"): """
        Which questions are still open?
        What is still open?
        When is our next audit?
        when do you ask me next?
        when do you ask next?
        What have we not answered yet?
        How many questions are left?
        How old are our answers?
        Which answers are out of date?""",
    StoredQuestion("who_answers"): """
        Who else answers for our department?
        Who leads our team?""",
    StoredQuestion("second_view"): """
        Is somebody checking my answers?
        Does anyone else check our answers?
        Why was a colleague asked?""",
    StoredQuestion("nothing_done"): """
        What happens if I do nothing?
        what if we don't answer?""",
    StoredQuestion("others"): """
        How do we compare with finance?
        Which team is best?
        Are we behind the others?
        How are the other teams doing?
        What are the others saying?
        What did Jonas answer?""",
    StoredQuestion("all_questions"): """
        Can I see the whole questionnaire?
        Which questions do you ask?
        How long does the whole audit take?""",
    StoredQuestion("meaning", term="state"): """
        What does operational mean?
        what do you mean by "first tries"?
        Explain being built
        Was bedeutet operational?""",
    StoredQuestion("meaning", term="skipped"): """
        what does skipped mean?""",
    StoredQuestion("meaning", term="contested"): """
        What does contested mean here?""",
    StoredQuestion("put_aside"): """
        Who approved that AD does not apply?
        who confirmed that reach across roles doesn't apply?
        What does not apply to us?""",
    StoredQuestion("answered_by"): """
        Who has answered so far?
        who answered?""",
    StoredQuestion("who_sees"): """
        Who will see my answers?
        who can read what I answered?
        Can my boss see my answers?
        What happens with our answers?
        Wer sieht meine Antworten?""",
    StoredQuestion("sureness"): """
        How sure are you?
        how reliable is this?""",
    StoredQuestion("shown"): """
        Which evidence did I give?
        show our evidence""",
    StoredQuestion("change"): """
        I want to change my answer
        Correct an answer
        I want to start over
        Can I do the audit again?""",
    StoredQuestion("change", criterion="WE-1"): """
        change my answer on reach across roles""",
    StoredQuestion("last_answers", criterion="WE-4"): """
        What did I answer about data rules?
        What did we say about the tool rules?
        Remind me what we said on WE-4""",
    None: """
        What is a model contract?
        What does confidential mean?
        What does operational risk mean?
        Who approved the new travel policy?
        Who approved that contractors do not apply for leave?
        How sure are you that the leave policy holds?
        Which evidence does the auditor want?
        Which model may we use for customer data?
        What are the levels of confidentiality?
        How is overtime calculated?
        How are bonuses calculated?
        What counts as confidential?
        Which questions may I ask in an interview?
        When is the next payday?
        Who leads the security team in Berlin?
        Who answers questions about the travel policy?
        What happens if I lose my laptop?
        What did the regulator answer to our request?
        Is somebody checking my e-mails?
        How do I correct a booking?
        Change of address: whom do I tell?
        What did I say about leave in my contract?
        Where should we store contracts?
        What should we do about a data breach?
        What can I do with an old phone?
        What is due when I leave the company?
        What is the plan for the new office?
        What should we do about an angry customer?
        Are we ready for the works council?
        May we use agents?
        I want to repeat my probation period
        Who sees my pay slip?
        Can my boss read my mails?
        Where do we keep AI incidents?
        We stand where our answers are
        What would take us to court?
        How do we get access to Copilot?
        How do I get to the WE platform?
        Which operating system for EC2 machines?
        What is missing for my expense claim?
        What do I need for a business trip in August?
        What did the policy say about contractors?
        Are we allowed to compare salaries?
        What changed in the travel policy since last year?
        How do I get my last answers from the survey deleted?
        What is our policy on gaps in the CV?
        What is the process for refunds?
        What holds for contractors?
        How many days back may I claim?
        May I show my results to a customer?
        We held it back in August.
        In August three of us compared it with last quarter's list.""",
}
CASES = [(line.strip(), wanted) for wanted, lines in SAID.items() for line in lines.strip().splitlines()]


@pytest.mark.parametrize(("said", "wanted"), CASES, ids=[said for said, _ in CASES])
def test_words_reach_their_topic(said: str, wanted: StoredQuestion | None) -> None:
    assert route(said, NAMES) == wanted


def test_questions_about_policies_are_never_taken_for_ones_about_the_department() -> None:
    file = SHARED / "eval" / "policies" / "questions.json"
    if not file.exists():
        pytest.skip("the evaluation set is not here")
    questions = [each["text"] for each in json.loads(file.read_text(encoding="utf-8"))]
    assert len(questions) >= 60
    assert [text for text in questions if route(text, NAMES) is not None] == []
