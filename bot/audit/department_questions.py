"""How people ask after one department by its name. Plain rules: the whole of a message has to be such a
question, and the name has to be that of a department; what no rule knows goes to the policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from bot.store.tables import Department

Kind = Literal["stands", "words", "whether", "compare"]
"""What is asked: where it stands, what was said there, whether anybody answered, or a comparison."""

_NOW = r"(?: now| today| right now| at the moment| by now| so far| yet| already| these days)*"
_WITH = r"(?: (?:with|in|on) (?:ai|the (?:audit|check-?in|models|questions|programme)))?"
_OF = (
    r"(?:score|level|stage|state|status|standing|position|placement|results?|progress|map|picture|gaps?"
    r"|blockers?|next steps?|coverage)"
)
_US = r"(?:us|we are|we|me|my team|our team|our department|my department)"
_FURTHER = r"(?:better|worse|further|ahead|behind|stronger|weaker|faster|slower)(?: than| of)?"

_PATTERNS: dict[Kind, tuple[str, ...]] = {
    "words": (
        r"what (?:did|has|have|does|do) (?P<d>.+?) (?:answer(?:ed)?|say|said|tell you|told you|write|written)"
        rf"(?: to you)?{_WITH}{_NOW}",
        r"(?:what (?:are|were|is)|show|list|give|read)(?: me| us)? (?P<d>.+?) answers?",
        r"(?:what (?:are|were)|show|list|give|read)(?: me| us)? (?:all )?(?:the )?answers? (?:of|from|by|in) "
        r"(?P<d>.+)",
    ),
    "whether": (
        r"(?:has|have|did|is|does) (?P<d>.+?) (?:already )?(?:answer(?:ed)?|repl(?:y|ied)|respond(?:ed)?|do"
        r"|start(?:ed)?|finish(?:ed)?|done?|take part|taken part|begun)"
        rf"(?: (?:it|the audit|the check-?in|the questions|your questions|with it))?{_WITH}{_NOW}",
        rf"(?P<d>.+?) (?:has |have )?(?:already )?answered(?: (?:this|it|too|the questions))*{_NOW}",
        r"who (?:has |have )?(?:already |not )?(?:answered|finished|replied) (?:in|at|from|for) (?P<d>.+?)"
        rf"{_NOW}",
    ),
    "compare": (
        rf"(?:please )?compare {_US} (?:with|to|and|against) (?P<d>.+)",
        rf"(?:is|are) (?P<d>.+?) {_FURTHER} {_US}",
        rf"(?:is|are) {_US} {_FURTHER} (?P<d>.+)",
        rf"how do {_US} compare (?:with|to|against) (?P<d>.+)",
    ),
    "stands": (
        rf"(?:so )?(?:how|where) (?:is|are|does|do|has|have) (?P<d>.+?)"
        rf" (?:doing|standing|stand|at|got to|getting on|coming along){_WITH}{_NOW}",
        rf"how (?:far|well) (?:along )?(?:is|are|has|have|does|do) (?P<d>.+?)"
        rf"(?: (?:along|got|gotten|come|do|doing|ahead))*{_WITH}{_NOW}",
        r"what is (?:holding|keeping) (?P<d>.+?) back",
        r"what (?:holds|keeps|stops|slows) (?P<d>.+?)(?: back| down)?",
        r"what (?:is|stands) in (?P<d>.+?) way",
        r"why (?:is|are) (?P<d>.+?) (?:behind|stuck|so low|so far back)",
        rf"(?:(?:so )?what (?:is|are)|show|list|give|tell)(?: me| us)? (?P<d>.+?)'s? {_OF}{_NOW}",
        rf"(?:(?:so )?what (?:is|are)|show|list|give|tell)(?: me| us)? (?:the )?{_OF} (?:of|for|in) "
        rf"(?P<d>.+?){_NOW}",
        r"(?:what|which) (?:model|level|stage)s? (?:is|are|has|have) (?P<d>.+?) "
        rf"(?:at|on|in|reached|working on){_NOW}",
        rf"(?:is|are) (?P<d>.+?) (?:operational|ahead|behind|on track){_NOW}",
        r"show(?: me| us)? (?P<d>.+)",
    ),
}
_RULES = tuple((kind, re.compile(each)) for kind, patterns in _PATTERNS.items() for each in patterns)
_AROUND = re.compile(
    r"^(?:the |our )?(?:(?:department|team|people) (?:of |in )?)?|'s?(?= |$)| (?:department|team|people)$"
)


_LONGEST = 120
_BEGINS = re.compile(
    r"(?:so |please )?(?:how|where|what|why|which|who|show|list|give|tell|read|has|have|did|does|is|are"
    r"|compare)\b|.*\banswered\b"
)
"""Most of what people write is no such question, which a glance at the first word tells."""


def department_asked(text: str, departments: Sequence[Department]) -> tuple[Kind, Department] | None:
    """What is asked of which department."""
    for kind, said in _found(text):
        if (named := _named(said, departments)) is not None:
            return kind, named
    return None


def may_ask(text: str) -> bool:
    """Whether `text` has the form of such a question, whatever it names."""
    return next(_found(text), None) is not None


def _found(text: str) -> Iterator[tuple[Kind, str]]:
    """What may be asked, and what may be the name of a department."""
    said = " ".join(text.lower().replace("’", "'").split()).strip(" .?!")
    said = re.sub(r"^(what|where|how)'s\b", r"\1 is", said)
    if len(said) <= _LONGEST and _BEGINS.match(said):
        matches = ((kind, pattern.fullmatch(said)) for kind, pattern in _RULES)
        yield from ((kind, found["d"]) for kind, found in matches if found is not None)


def _named(said: str, departments: Sequence[Department]) -> Department | None:
    """The department of that name or id."""
    name = _AROUND.sub("", _AROUND.sub("", said)).strip()
    return next((each for each in departments if name in (each.name.casefold(), each.slug)), None)
