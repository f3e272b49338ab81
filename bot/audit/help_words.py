"""What is said to whoever asks about a card instead of answering it, or answers with no more than a tick."""

from __future__ import annotations

from bot.audit.parts import Criterion
from bot.audit.phrases import lower, names
from bot.audit.state import Facts, State
from bot.messages import Progress, plain

HELP = (
    "You can answer in your own words, or say: **back**, **skip**, **not sure**, **why**, **who sees this**, "
    "**edit**, **ask me later**, **hand over**, **doesn't apply**, **pause**. You can also ask me anything "
    "with a question mark; we come back to this place."
)
NO_MORE = "Understood, I stop here. If I should never write to you unasked, say **pause all**."
_EXPLAINED = {
    "place": "Each sentence describes a team. Pick the one that is nearest to yours as it is today; not "
    "every word has to fit.",
    "probe": "Even good habits slip now and then, and there is nothing wrong with that. The last time it "
    "slipped tells how firm it is.",
    "evidence": "I mean something that others could look at: a page, a file, a list, a ticket. If there is "
    "nothing, that's fine; your answer is kept and just counts a little less for now.",
    "process": "I mean one name for the whole way, such as “from order to payment”.",
    "path": "I mean the departments that work on it, one after the other.",
}
BOTH = "Something of both, I see. Which one is nearer, if only by a little?"
NOT_ME = "That's fine, then I leave it at that. Thank you for telling me."
NOT_BEGUN = 'A "yes" is enough to start, and "not for me" to leave it.'
NOTHING_ABOVE = "I have nothing above that I could take it from. A few words, please."
_HAVE_IT = {
    "place": "I have that already, thank you. A letter is enough here.",
    "probe": "I have those words already. Was there one time when it did not go that way? “I can't think of "
    "one” is fine, too.",
    "fresh": "Is there one case since then? What happened, and when?",
}
_PICK = {
    "both": BOTH,
} | dict.fromkeys("01234", "A letter, please: a number could mean the level or the place on this card.")
_MORE = {
    "case": "A few more words would help me. If no case comes to mind, “not sure” is a good answer.",
    "different": "Is it better or worse? Or tell me in a few words what is different.",
    "fresh": "A few more words, please: what happened, and when?",
    "probe": "Can you tell me about that one time? “I can't think of one” is fine, too.",
    "evidence": "Please paste the link here, or tell me in a few words what there is.",
    "reason": "A few more words, please, so that others can follow it.",
}


JUDGED = "There is no good or bad here. It shows where a next step would help most; nobody gets marks."
NAMES = "No names are needed here: roles and rough numbers are enough."
ANNOYED = (
    "I hear you: this comes on top of a full day. **Skip**, **ask me later** and **pause** are all fine, and "
    "what you said so far is kept."
)
BRIEFLY = "About three minutes, at most four questions; stop whenever you like."
VOLUNTARY = (
    "You don't have to. Skip what you like or stop here; nobody is told who did not answer. What you say "
    "decides which next step I suggest, so every answer helps a little."
)
DATA = (
    "I keep what you answer and what you ask. An answer of this sitting you can change yourself: say "
    "**edit**. Everything that I keep about you an administrator can hand to you or erase; one word to them "
    "is enough."
)
LANGUAGE = "My questions are in English only, I'm afraid. Answer in whatever language suits you."
FOR_ME = (
    "I'd rather not guess: only you know how it is done with you. A rough answer will do, and “not sure” is "
    "a good one, too."
)
TAKEN_OUT = "I've taken that out of your words again."
PART_OF_IT = "If part of that was your answer, send it once more without the question."
NEAREST = "None of the five fits quite, I see. Take the nearest one, or say **not sure**."


def not_on_the_card(count: int) -> str:
    """Said to a letter that is not among the anchors shown."""
    if count == 2:
        return "On this card are A and B. If it is none of them, **neither** shows all five."
    return f"The letters here go from A to {'ABCDE'[count - 1]}."


def have_it(state: State, level: int) -> str:
    """Said to "see above" where what stands above has been taken already."""
    if state.phase != "evidence":
        return _HAVE_IT[state.phase]
    if level <= 2:
        return "I have those words, thank you. What I miss is when it was, and roughly how many."
    return "I have those words, thank you. A link or the name of a file would help; if there is none, say so."


def why(criterion: Criterion) -> str:
    """Why this is asked."""
    return f"{criterion.why} Here it's about **{lower(criterion.name)}**."


def explained(criterion: Criterion, state: State) -> str:
    """What the present card asks, in other words."""
    if state.phase in _EXPLAINED:
        return _EXPLAINED[state.phase]
    return (
        f"It's about **{lower(criterion.name)}**. {criterion.why} Just tell it as it happened the last time; "
        "I find the place for it afterwards."
    )


def time_left(at: Progress) -> str:
    """How far this sitting is."""
    minutes = "a minute" if at.minutes == 1 else f"{at.minutes} minutes"
    return (
        f"This is question {at.done + 1} of {at.total}, so about {minutes} more. Everything you said is "
        "kept; stop whenever you like."
    )


def about(facts: Facts) -> str:
    """Who asks, what for, and on whose behalf."""
    runs = f" The programme is run by {names(facts.owners)}." if facts.owners else ""
    return (
        f"I'm Stagecoach, a program and no person. These questions are about how {plain(facts.department)} "
        f"works with AI, never about somebody; from the answers I suggest a next step that fits.{runs}"
    )


def person(facts: Facts) -> str:
    """With whom one can talk about this."""
    if not facts.owners:
        return "I'm a program. To talk about this with a person, ask whoever runs the AI programme."
    runs = "runs" if len(facts.owners) == 1 else "run"
    who = f"{names(facts.owners)}, who {runs} the AI programme"
    return f"I'm a program. To talk about this with a person, ask {who}."


def why_me(facts: Facts, second: bool) -> str:
    """Why this very person is asked."""
    if second:
        return f"You work in {plain(facts.department)}, and I picked somebody from the team by chance."
    return (
        f"You lead {plain(facts.department)}, or somebody who does passed it on to you: so you know best how "
        "things are done there. If somebody else can tell more, say **hand over**."
    )


def more(state: State, text: str) -> str:
    """Said when an answer is no more than "yes", a number or a picture."""
    if state.phase == "place" and not state.interlude:
        return _PICK.get(text.strip(" .!").casefold(), "A letter is enough here.")
    return _MORE[state.interlude or state.phase]
