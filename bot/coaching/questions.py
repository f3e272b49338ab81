"""Which questions about the own department are answered from stored facts. Plain rules, no model: the same
words always reach the same answer, and what no rule knows goes to the policies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Topic = Literal[
    "holding_back",
    "last_answers",
    "what_would_get",
    "compare",
    "about_criterion",
    "steps",
    "blockers",
    "standing",
]

_CRITERION = re.compile(r"\b(we|ad|ec|sd|pr)-?([1-4])\b", re.IGNORECASE)
_MODEL = re.compile(r"\b(?:model|level|step|stage) ?([1-5])\b|\b(we|ad|ec|sd|pr)\b", re.IGNORECASE)
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MODEL_IDS = ("WE", "AD", "EC", "SD", "PR")

_PATTERNS: tuple[tuple[Topic, str], ...] = (
    (
        "holding_back",
        r"hold(s|ing)? (us|me|the team|my team|our team)( all)? back|what('s| is) (stopping|slowing) us",
    ),
    (
        "blockers",
        r"^(show |list )?(me )?(my |our |the )?(open )?(blockers?|obstacles?)\W*$|\bin (our|my) way\b",
    ),
    (
        "compare",
        r"compare (us |this |it )?(with|to) (last|the last)|since last (time|quarter|month)|changed for us",
    ),
    (
        "standing",
        r"^(so )?where (do|are) we( stand)?( now| today)?\W*$"
        r"|where (does|is) (my|our) (team|department)( stand)?\W*$"
        r"|^(show )?(me )?(our|my) placement\W*$",
    ),
    ("last_answers", r"\b(our|my) (last |latest |recent )?answers?\b|what did (i|we) (answer|say)\b"),
    (
        "what_would_get",
        r"what would (get|bring|take|move) us|how (do|can|could) we (get|reach|move)|get us to",
    ),
    (
        "steps",
        r"^(show |list )?(me )?(my |our |the )?(next steps?|plans?|steps)\W*$"
        r"|what (should|can|could) we do (next|now)",
    ),
)
_RULES = tuple((topic, re.compile(pattern, re.IGNORECASE)) for topic, pattern in _PATTERNS)
_REQUEST = re.compile(
    r"(please )?(show|list|compare|tell me|what|how|which|where)\b"
    r"|(my |our |the )?(open )?(blockers?|obstacles?|next steps?|plans?|steps|last answers?)\W*$",
    re.IGNORECASE,
)
_IN_THE_WAY = re.compile(
    r"(something|somebody|someone) is in (the|our|my) way|(we are|we're|i am|i'm) stuck|new blocker"
)


@dataclass(frozen=True)
class StoredQuestion:
    """What is asked of the own department's facts: the topic, and the criterion, model or month it names."""

    topic: Topic
    criterion: str | None = None
    model: str | None = None
    month: int | None = None


def route(text: str) -> StoredQuestion | None:
    """The stored question that `text` asks, or None when it is about something else."""
    said = " ".join(text.replace("’", "'").split())
    # "Who will see my answers?" is about who sees what, never about what was answered.
    if not _asks(said) or said.lower().startswith("who "):
        return None
    criterion = _criterion(said)
    for topic, pattern in _RULES:
        if pattern.search(said):
            if topic == "what_would_get" and _model(said) is None and criterion is None:
                continue
            return StoredQuestion(topic, criterion, _model(said), _month(said))
    if criterion is not None:
        return StoredQuestion("about_criterion", criterion)
    return None


def _asks(said: str) -> bool:
    """A question or a request. An answer that happens to say "our answers" is neither."""
    return said.endswith("?") or _REQUEST.match(said) is not None


def _criterion(said: str) -> str | None:
    found = _CRITERION.search(said)
    return f"{found[1].upper()}-{found[2]}" if found else None


def _model(said: str) -> str | None:
    for found in _MODEL.finditer(said):
        if found[1]:
            return _MODEL_IDS[int(found[1]) - 1]
        if found[2].isupper():
            # "we" is a word; only the capitals name a model.
            return found[2]
    return None


def _month(said: str) -> int | None:
    found = re.search(rf"\b(?:in|from|of) ({'|'.join(_MONTHS)})\b", said, re.IGNORECASE)
    return _MONTHS.index(found[1].lower()) + 1 if found else None


def is_in_the_way(text: str) -> bool:
    """The words say that something is in the way, so that it can be noted."""
    said = " ".join(text.lower().replace("’", "'").split()).strip(" .!")
    return _IN_THE_WAY.fullmatch(said) is not None
