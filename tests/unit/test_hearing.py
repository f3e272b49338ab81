"""What words mean: commands only where they are the whole message, evidence by what is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.audit.commands import command, is_between, letter, picked_with_reason
from bot.audit.hearing import also_tells, evidence_class, is_question, names_something, says_little
from bot.coaching.questions import done_with, in_the_way, route


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Back", ("back", "")),
        ("skip this one, please", ("skip", "")),
        ("Skip this one.", ("skip", "")),
        ("stop", ("pause", "")),
        ("y", ("start", "")),
        ("n", ("out", "")),
        ("I don't know", ("unsure", "")),
        ("I'm not sure!", ("unsure", "")),
        ("N/A", ("na", "")),
        ("doesn't apply to us", ("na", "")),
        ("who sees this?", ("who", "")),
        ("Why do you ask?", ("why", "")),
        ("ask me later", ("later", "")),
        ("later on Friday", ("later", "on friday")),
        ("remind me tomorrow", ("later", "tomorrow")),
        ("hand it over to Tom Okoye", ("hand", "tom okoye")),
        ("ask tom@larkfield.example instead", ("hand", "tom@larkfield.example")),
        ("ask me instead", ("later", "instead")),
        ("hand", None),
        ("hm, nothing changed", ("same", "")),
        ("well, skip it", ("skip", "")),
        ("We went back to Excel", None),
        ("Nobody knows, we skip it mostly", None),
        ("go back two", ("back", "2")),
        ("three questions back", ("back", "3")),
        ("back to question 1", ("back", "=1")),
        ("skip all", ("skip_all", "")),
        ("stop asking me!", ("quit", "")),
        ("how long is this?", ("time", "")),
        ("how many more questions are there", ("time", "")),
        ("who can read what I write?", ("who", "")),
        ("Can my boss see this?", ("who", "")),
        ("what do you mean?", ("explain", "")),
        ("idk what you mean", ("explain", "")),
        ("what is this?", ("about", "")),
        ("oops, wrong one", ("other", "")),
        ("actually I meant the other one", ("other", "")),
        ("keine Ahnung", ("unsure", "")),
        ("Weiter!", ("resume", "")),
        ("edit question 2", ("edit", "2")),
        ("change my answer on reach across roles", ("edit", "reach across roles")),
        ("as I said above", ("above", "")),
        ("nope", ("out", "")),
        ("choose again", ("again", "")),
        ("", None),
    ],
)
def test_only_a_whole_message_is_a_command(said, meant):
    assert command(said) == meant


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("why do you need to know", "why"),
        ("I told you already", "above"),
        ("we have already said that", "above"),
        ("sure, why not", "start"),
        ("let's do this", "start"),
        ("how many people do you mean?", "explain"),
        ("I don't understand the difference between A and B", "explain"),
        ("this question makes no sense to me", "explain"),
        ("can I talk to a human?", "person"),
        ("auf deutsch bitte", "language"),
        ("May I answer in French?", "language"),
        ("and now what?", "time"),
        ("what happens now with this?", "who"),
        ("both are wrong", "neither"),
        ("none fits", "neither"),
        ("could you fill it in for me?", "for_me"),
        ("pasue", "pause"),
        ("Resum", "resume"),
        ("right now", "at_once"),
    ],
)
def test_people_steer_in_their_own_words(said, name):
    assert command(said) == (name, "")


@pytest.mark.parametrize(("said", "who"), [("ask Anna", "anna"), ("better ask Kim Sato", "kim sato")])
def test_whoever_says_whom_to_ask_hands_over(said, who):
    assert command(said) == ("hand", who)


@pytest.mark.parametrize(
    "said",
    [
        "we ask Legal",
        "ask again in May",
        "ask what they did",
        "I said that Legal already knows it",
        "we continued by hand",
        "in the past",
        "it makes no sense to paste names",
        "the second of May",
    ],
)
def test_what_only_sounds_like_it_is_an_answer(said):
    assert command(said) is None


@pytest.mark.parametrize(
    ("said", "position"),
    [("hmm the first one i guess", 0), ("the scond one", 1), ("B please", 1), ("the secret", None)],
)
def test_a_pick_may_be_hesitant_or_mistyped(said, position):
    assert letter(said, 2) == position


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("From order to payment", True),
        ("P2P", True),
        ("another audit", True),
        ("1", False),
        ("both", False),
        ("the process", False),
        ("👍👍", False),
        ("idk", False),
        ("yes", False),
    ],
)
def test_a_name_says_more_than_a_filler(said, names):
    assert names_something(said) is names


@pytest.mark.parametrize("said", ["1", "both", "👍", "yes", "Ok, sure!", "..."])
def test_a_tick_or_a_number_says_too_little(said):
    assert says_little(said)


@pytest.mark.parametrize("said", ["asdf", "asdfasdf", "qwertz", "hjkl", "xxxx", "bla bla", "dfgdfg"])
def test_keys_that_were_run_over_are_no_answer(said):
    assert says_little(said)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("this is bullshit", "annoyed"),
        ("What a waste of time!", "annoyed"),
        ("Das ist Quatsch", "annoyed"),
        ("Could you tell me what a good answer looks like?", "explain"),
        ("what level would that be?", "explain"),
        ("which one would you pick?", "explain"),
        ("why me?", "why_me"),
        ("Is this used against us?", "who"),
        ("will HR see it?", "who"),
        ("Will it affect my bonus?", "who"),
        ("who decided this?", "about"),
        ("Are you an AI?", "about"),
        ("do you record everything?", "data"),
        ("What happens if I say no?", "must"),
        ("I'd rather not say", "skip"),
        ("That's confidential.", "skip"),
        ("why do you need names?", "names"),
        ("is there a right answer?", "judge"),
        ("you already know that", "above"),
        ('what mean "recent case"?', "explain"),
        ("probably none of those", "neither"),
        ("Neither of the two, I think", "neither"),
        ("skip to the last question", "skip_to_last"),
        ("skip to the next one", "skip"),
        ("Was ist damit gemeint?", "explain"),
        ("Ich verstehe die Frage nicht", "explain"),
    ],
)
def test_more_of_what_leads_say(said, name):
    assert command(said) == (name, "")


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("We do use it, don't we?", False),
        ("yes but which policy is it", True),
        ("so how do you count that", True),
        ("who is Elena", True),
        ("What is agreed stands on one page", False),
        ("What we do is ask Legal", False),
        ("When someone asks I do it", False),
        ("Half of them did in May, right?", False),
        ("We may paste invoices into Copilot, right?", True),
        ("They can see my mails, can't they?", True),
        ("Do we use it?", True),
    ],
)
def test_a_tag_makes_no_question_of_an_answer(said, asks):
    assert is_question(said) is asks


@pytest.mark.parametrize(
    ("said", "both"),
    [
        ("A but actually B", True),
        ("I think that A is more near but also a little bit C", True),
        ("B, and in spring C", True),
        ("A, because a clerk asked", False),
        ("B, since Plan-B holds", False),
    ],
)
def test_a_reason_that_names_another_letter_is_both(said, both):
    assert is_between(said) is both
    assert (picked_with_reason(said, 5) is None) is both


@pytest.mark.parametrize("said", ["Our ticket tool is useless for that", "It was a waste of time in May"])
def test_an_answer_may_be_cross(said):
    assert command(said) is None


@pytest.mark.parametrize(
    "said", ["Nobody", "none", "all of us", "2 of 8", "It is both.", "SAP", "HTML", "Jira"]
)
def test_one_word_can_be_an_answer(said):
    assert not says_little(said)


@pytest.mark.parametrize(
    ("said", "count", "position"),
    [
        ("b", 2, 1),
        ("Option A", 2, 0),
        ("c", 2, None),
        ("the second one", 5, 1),
        ("the second one I guess", 2, 1),
        ("probably the first", 2, 0),
        ("the last", 5, 4),
        ("bad", 5, None),
        ("I'd go for C", 5, 2),
        ("probably b I think", 2, 1),
        ("a few of us", 5, None),
    ],
)
def test_a_letter_or_an_ordinal_picks(said, count, position):
    assert letter(said, count) == position


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("B, because Legal answers us", (1, "because Legal answers us")),
        ("c) but only for clerks", (2, "but only for clerks")),
        ("d because we said so", (3, "because we said so")),
        ("A, B or C?", None),
        ("a few people, because of the licences", None),
        ("E-mail is what we use", None),
        ("e, but the card has four", None),
    ],
)
def test_a_letter_may_come_with_its_reason(said, found):
    assert picked_with_reason(said, 4) == found


@pytest.mark.parametrize("said", ["b or c", "between a and b", "B/C", "something of both"])
def test_two_letters_are_no_pick(said):
    assert is_between(said)


@pytest.mark.parametrize(
    ("words", "grade"),
    [
        ("All of us used it on contracts in the last two weeks.", "E1"),
        ("We use AI a lot and everyone likes it.", "E0"),
        ("Last week.", "E0"),
        ("We use GPT-4 and work by ISO-9001.", "E0"),
        ("Last week three clerks matched 40 invoices with it.", "E1"),
        ("In May all of us agreed on three nevers.", "E1"),
        ("Letzte Woche hat Ali zwölf Briefe damit geschrieben.", "E1"),
        ("Wir benutzen das alle gern und viel im Team.", "E0"),
        ("It is all here: https://wiki.example/page", "E2"),
        ("See nevers.pdf in our folder", "E2"),
        ("Ticket AI-214 has the whole story", "E2"),
    ],
)
def test_evidence_is_what_was_given(words, grade):
    assert evidence_class(words) == grade


@given(st.text(max_size=200), st.text(max_size=100))
def test_more_words_never_show_less(words, more):
    assert evidence_class(words, more) >= evidence_class(words)


def test_a_question_is_told_from_an_answer():
    assert is_question("May I use it for contracts?")
    assert is_question("can I use it for contracts")
    assert not is_question("It can do that, we think")
    assert not is_question("why?")
    assert not is_question("We asked: may we? Nobody knew.")


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("What is holding us back?", "holding_back"),
        ("show our last answers", "last_answers"),
        ("what did I answer in August?", "last_answers"),
        ("What would get us to model 3?", "what_would_get"),
        ("compare with last quarter", "compare"),
        ("what should we do about WE-3?", "about_criterion"),
        ("next steps", "steps"),
        ("show my plans", "plans"),
        ("blockers", "blockers"),
        ("What are the next steps after a data incident?", None),
        ("How many days of leave do we get?", None),
        ("We keep our answers in a wiki.", None),
        ("May we compare suppliers with AI?", None),
        ("We were held back by the tool", None),
    ],
)
def test_questions_about_the_own_department_are_told_from_others(said, topic):
    found = route(said)
    assert (found.topic if found else None) == topic


def test_models_criteria_and_months_are_read():
    assert route("what would get us to EC?").model == "EC"
    assert route("what would get us to model 4?").model == "SD"
    assert route("what did we answer in August?").month == 8
    assert route("what about sd-3?").criterion == "SD-3"


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("We're stuck.", ""),
        ("add a blocker", ""),
        ("Add a blocker: IT gives us no licences", "IT gives us no licences"),
        ("We are blocked by IT, no licences!", "IT, no licences"),
        ("blocker: nobody owns the channel", "nobody owns the channel"),
        ("We were stuck last week but now it works", None),
        ("Are we blocked by IT?", None),
        ("blockers", None),
        ("Blocker lists are with the project office", None),
    ],
)
def test_what_is_in_the_way_is_heard(said, note):
    assert in_the_way(said) == note


def test_a_step_that_is_done_may_be_shown_at_once():
    assert done_with("done: https://wiki.example/recipes") == "https://wiki.example/recipes"
    assert done_with("I did it, see recipes.docx") == "see recipes.docx"
    assert done_with("done, and it went well") == ""
    assert done_with("the report is here: https://wiki.example/report") == ""


def test_an_article_is_no_letter():
    assert not is_between("it is a mess and a pity")


def test_sentences_before_a_question_may_be_an_answer():
    assert also_tells("I think everybody would say something else to that. Did we not have a policy?")
    assert not also_tells("Did we not have a policy for that? May I read it somewhere in the intranet?")
    assert not also_tells("Good question. May I use it?")
