"""The method's own words, as a lead may ask for them: "what does operational mean?"."""

from __future__ import annotations

import re
from typing import Literal

from bot.audit.gates import ESTABLISHED
from bot.audit.instrument import Instrument
from bot.audit.result import STATES, state_text
from bot.audit.scoring import Scores
from bot.messages import Message

Term = Literal[
    "state", "skipped", "stale", "contested", "provisional", "unknown", "not_applicable", "blocker"
]

_WORDS: dict[Term, str] = {
    "state": r"operational|in place|steer(?:ed|ing)|in place and steered|(?:being )?built|building|exploring"
    r"|(?:at )?first tries|not started|(?:an? |the )?states?",
    "skipped": r"skipped|(?:an? )?skipped (?:stages?|models?)|(?:hard|soft)(?:ly)? skip(?:ped)?",
    "stale": r"stale|old|out of date|no longer counts",
    "contested": r"contested|seen (?:quite )?differently",
    "provisional": r"provisional|(?:a |the )?(?:first|provisional) picture",
    "unknown": r"to find out|not sure",
    "not_applicable": r"n/a\??|does(?:n't| not) apply|not applicable",
    "blocker": r"(?:an? )?blockers?|(?:a )?critical(?: blockers?)?|in (?:the|our|your) way",
}
_ASKS = re.compile(
    r"(?:what (?:does|do) (?P<does>.+?)(?: (?:really|actually|exactly))? mean(?: (?:here|exactly|for us))?"
    r"|(?:what do you mean by|what is meant by|explain|define|meaning of|was (?:heißt|bedeutet)) (?P<by>.+?)"
    r"|what(?:'s| is) (?P<is>operational|provisional|contested|stale|first tries|an? blocker"
    r"|an? skipped (?:stage|model)))",
    re.IGNORECASE,
)
_GATE = {"strict": "all those before it are", "chain": "what it builds on is"}
_COMPILED = {term: re.compile(words, re.IGNORECASE) for term, words in _WORDS.items()}


def term_of(said: str) -> Term | None:
    """The word of the method whose meaning the whole of `said` asks for."""
    found = _ASKS.fullmatch(said.strip(" .!?"))
    if found is None:
        return None
    word = (found["does"] or found["by"] or found["is"]).strip(" \"'“”„*_")
    return next((term for term, pattern in _COMPILED.items() if pattern.fullmatch(word)), None)


def meaning(instrument: Instrument, scores: Scores, term: Term) -> Message:
    """What the word means, and what it means for this department today."""
    days = instrument.freshness.stale_after_days
    if term == "state":
        return Message(kind="result", text=_states(instrument, scores))
    if term == "skipped":
        return Message(kind="result", text=_skipped(instrument, scores))
    said = {
        "stale": f"An answer that is {days} days old no longer counts; it stays on the picture, marked as "
        "old, until you look at it again. One tap is enough where nothing changed.",
        "contested": "Two people see the same question two levels or more apart. Both get a week to talk it "
        "over; after that the lower view counts, and whoever runs the AI programme may settle it. Nobody is "
        "wrong: it is seen from two places.",
        "provisional": "A first picture rests on the first four questions alone. It becomes firmer with the "
        "next four.",
        "unknown": "Nobody knows yet. It counts as 0 until somebody finds out, and it is no failure: “not "
        "sure” is an honest answer.",
        "not_applicable": f"“n/a” means that a question does not fit your department: it is left out, for "
        f"{days} days. “n/a?” means that you said so and nobody has confirmed it yet; until then it counts "
        "as open.",
        "blocker": "Something that you can't move alone, such as a missing licence. A critical one, such as "
        "unclear rules, keeps its model from being in place until it is out of the way. Say **add a "
        "blocker** to note one.",
    }
    return Message(kind="result", text=said[term])


def _states(instrument: Instrument, scores: Scores) -> str:
    lines = (
        f"- **{STATES['not_started']}**: none of its four questions is at level 1 yet",
        f"- **{STATES['exploring']}**: one of them is at level 1 or more",
        f"- **{STATES['building']}**: all of them are at level 2 or more",
        f"- **{STATES['operational']}** (operational): all of them are at level {ESTABLISHED} or more, no "
        "answer is too old, and nothing critical is in the way",
        f"- **{STATES['steering']}**: the same, and at least half of them are at level 4",
    )
    mine = "; ".join(f"{model.name} _{state_text(model, scores)}_" for model in instrument.models)
    if all(each.claimed is None for each in scores.criteria.values()):
        mine = "nothing was asked yet"
    return (
        "How far a model is follows from the lowest of its questions, never from an average:\n\n"
        + "\n".join(lines)
        + f"\n\nA model counts as in place only when {_GATE[scores.mode]} in place, too. With you: {mine}."
    )


def _skipped(instrument: Instrument, scores: Scores) -> str:
    skipped = [instrument.model(each.model).name for each in scores.placement.skipped]
    mine = f"With you: {'; '.join(skipped)}." if skipped else "You have skipped none."
    return (
        "Skipped is a model that is not in place though you are already active in a later one. Where "
        "people's safety rests on it, or the later one needs it, it comes first; else it can be made up for "
        f"on the way. {mine}"
    )
