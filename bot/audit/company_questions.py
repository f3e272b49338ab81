"""How executives and programme owners ask for the company's view. Plain rules: what no rule knows goes to the
policies.
"""

from __future__ import annotations

import re
from typing import Literal

Topic = Literal["stand", "covered", "gaps", "next", "processes", "rank"]

_WE = r"(?:we|the company|our company|the departments|our departments|everyone|everybody)"
_ALL = r"(?:the |our |my )?(?:whole )?(?:company|departments|organi[sz]ation)"
_AND_WHY = r"(?:,? (?:and )?(?:why|in (?:which|what) order))*"
_PATTERNS: dict[Topic, tuple[str, ...]] = {
    "stand": (
        rf"(?:where|how) (?:does|do|is|are) {_ALL} (?:stand|doing)(?: now| today)?",
        r"(?:show )?(?:me )?the (?:company(?:'s)? |big |whole )?(?:map|picture)",
        r"company (?:map|view|scan)|overview",
    ),
    "next": (
        rf"(?:so )?what (?:should|do|can|shall|could|must) {_WE} (?:do|deploy|tackle|fix|begin with)"
        rf"(?: next| first| now)*{_AND_WHY}",
        rf"what (?:comes |is |to do )?next{_AND_WHY}",
        rf"where (?:should|do|shall) {_WE} (?:start|begin){_AND_WHY}",
        r"(?:what are )?(?:our |the )?(?:next )?priorities",
        rf"what (?:would|could|will) (?:get|bring|take|move|help) (?:us|{_ALL}) (?:further|forward|ahead|on)",
    ),
    "gaps": (
        r"(?:where|what) are (?:the |our )?(?:\w+ )?gaps",
        r"(?:show )?(?:me )?(?:the |our )gaps",
        rf"what (?:is|are) (?:{_WE} )?(?:still )?(?:missing|lacking)",
        rf"where (?:is|are) {_WE} (?:weak|stuck|behind)",
    ),
    "covered": (
        r"what is (?:already )?(?:covered|in place)(?: and what (?:is )?not)?",
        r"(?:which|what) (?:departments|models|parts) are (?:already )?(?:covered|in place)",
        rf"how far are {_WE}",
    ),
    "processes": (
        r"(?:show |list |what are |which are )?(?:me )?(?:the |our )?processes"
        r"(?: across (?:the |our )?departments)?",
        r"(?:which|what) (?:processes|departments) (?:do |does )?"
        r"(?:(?:our |the )?(?:agents'? )?(?:agents|processes) )?(?:cross|go through|pass through)"
        r"(?: (?:our |the |several )?(?:departments|borders))?",
        r"who owns (?:the |our )?processes",
    ),
    "rank": (
        r"(?:which|what) (?:department|team)s? (?:is|are|does|do|has|have|comes?|performs?)(?: the)? "
        r"(?:best|worst|ahead|behind|last|first|leading|furthest|weakest|strongest|lowest|highest|better|worse)"
        r"(?: of all| score)?",
        r"who (?:is|are) (?:the )?(?:best|worst|ahead|behind|furthest|leading|weakest|strongest)",
        rf"(?:please )?(?:rank|compare) {_ALL}|(?:show )?(?:me )?(?:a |the )?(?:ranking|league table)"
        rf"(?: of {_ALL})?",
    ),
}
_COMPILED = {topic: re.compile("|".join(patterns)) for topic, patterns in _PATTERNS.items()}
_ABOUT_ONE = re.compile(
    r"(?:which|what) departments (?:does|do|are in) (?P<way>.+?)(?: cross| pass(?: through)?| go through)?"
    r"|who (?:owns|answers for) (?P<owner>.+)"
)


def topic_of(words: str) -> Topic | None:
    """What of the company's view is asked for; `words` in small letters without marks at their end."""
    return next((topic for topic, pattern in _COMPILED.items() if pattern.fullmatch(words)), None)


def process_asked(words: str) -> str | None:
    """What may be the name of a process whose way or owner is asked for."""
    found = _ABOUT_ONE.fullmatch(words)
    if found is None:
        return None
    return str(found["way"] or found["owner"]).removeprefix("the process ").strip(" \"'“”")
