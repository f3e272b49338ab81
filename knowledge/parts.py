"""Two questions in one message, each answered by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bot.messages import plain
from bot.store.tables import Band
from knowledge import facts
from knowledge.answer import PolicyAnswer, Source
from knowledge.query import without_courtesy

_MOST = 3  # parts
_FEWEST_WORDS = 2  # of a part
_ASKING = (
    r"(?:(?:how|what|who|where|when)'?s|how|what|when|where|who|whom|whose|which|why|can|could|may|am|are|is|do|does|did|will|would|should|"
    r"must|have|has|since when)\b"
)
_OF_THE_FIRST = re.compile(
    r"who(?:'s| is)? (?P<owner>owns?|the owner of|responsible for|in charge of) "
    r"(?:it|(?:this|that|the) ?(?:policy|rule|document)?)|"
    r"since when(?: is (?:it|this|that) (?:so|valid|in force))?",
    re.IGNORECASE,
)
_JOINT = re.compile(
    rf"\?+\s+(?:and\s+|also\s+)*(?=\w)|[,;]?\s+and\s+(?:also\s+)?(?={_ASKING})", re.IGNORECASE
)


def parts_of(question: str) -> list[str]:
    """The questions in a message, in order; the message itself where it is one."""
    parts = [part.strip(" ?") for part in _JOINT.split(without_courtesy(question))]
    asking = re.match(_ASKING, parts[0], re.IGNORECASE) or "?" in question.rstrip("? ")
    whole = all(len(part.split()) >= _FEWEST_WORDS for part in parts)
    return parts if asking and whole and 1 < len(parts) <= _MOST else [question]


def is_of_the_first(part: str) -> bool:
    """Whether a part asks who owns what answers the first one, or since when that holds."""
    return _OF_THE_FIRST.fullmatch(part.replace("’", "'")) is not None


def of_the_first(part: str, source: Source, answer: PolicyAnswer, today: date) -> PolicyAnswer:
    """What such a part is told, `source` being what the first one's answer shows first."""
    asked = _OF_THE_FIRST.fullmatch(part.replace("’", "'"))
    told = facts.owner_of(source) if asked and asked["owner"] else facts.since(source, today)
    return replace(answer, text=told.text, citations=())


def together(parts: Sequence[str], answers: Sequence[PolicyAnswer]) -> PolicyAnswer:
    """The answers to the parts of a message as one. It is as sure as its least sure part, but not silent
    while one part is answered; whoever owns the least sure part is asked where it does not satisfy."""
    first, *others = answers
    if all(each.citations == first.citations for each in others):
        return first
    text = "\n\n".join(
        f"**{plain(part[:1].upper() + part[1:])}?**\n\n{each.text}"
        for part, each in zip(parts, answers, strict=True)
    )
    open_ones = [each for each in answers if each.band is not Band.ANSWER]
    citations = dict.fromkeys(citation for each in answers for citation in each.citations)
    return replace((open_ones or answers)[0], band=_band(answers), text=text, citations=tuple(citations))


def _band(answers: Sequence[PolicyAnswer]) -> Band:
    bands = {each.band for each in answers}
    return bands.pop() if len(bands) == 1 else Band.CLOSEST
