"""What words mean in a sitting beyond the short commands (bot.audit.commands): a question of one's own, an
answer, a name; and how much an answer shows.
"""

from __future__ import annotations

import re

from bot.audit.commands import bare, command
from bot.audit.parts import EvidenceClass
from bot.when import MONTHS

_ASKING = re.compile(
    r"(?:(?:can|may|could|should|am|are|do|does|is) (?:i|we|you|it|this|that|there)"
    r"|(?:darf|dürfen|kann|können|muss|müssen|soll|sollen) (?:ich|wir|man))\b",
    re.IGNORECASE,
)


_OF_YOU = re.compile(
    r"(?:(?:yes|no|ok|but|and|so|well),? )*(?:why|how|what|which|who|when|where)\b[^.!?]{0,60}"
    r"(?:\b(?:do|does|did|are|can|could|will|would|should) you\b[^.!?]{0,60}"
    r"|\b(?:is|are|was) (?:it|that|this|these))"
    r"|(?:who|what|where) (?:is|are|was) [\w-]+(?: [\w-]+){0,2}",
    re.IGNORECASE,
)
"""Asks the coach, or after something that was just said, without the mark: "but which policy is it"."""
_TAGGED = re.compile(
    r"(?:we|they|most|some|half|nobody|everyone|everybody|it|there|i|all|none|\d+)\b[^?]+, ?"
    r"(?:(?:do|does|did|is|are|was|were|have|has)n['’]?t (?:we|it|they|i|there)|right|no|oder|nicht wahr)\?",
    re.IGNORECASE,
)
_ALLOWED = re.compile(r"\b(?:may|can|must|should|shall|allowed|permitted|have to|need to)\b")
"""In small letters: May is a month."""


def is_question(text: str) -> bool:
    """The person asks something rather than answers: a question mark at the end, or "may we ..." at the
    start. "We do that already, don't we?" is an answer; "we may do that, right?" asks.
    """
    said = text.strip()
    if _TAGGED.fullmatch(said) and not _ALLOWED.search(said):
        return False
    if len(said.split()) < 2:
        return False
    return said.endswith("?") or _ASKING.match(said) is not None or _OF_YOU.fullmatch(said) is not None


def reason_in(text: str) -> str:
    """What follows "because", as it was written."""
    return re.split(r"\b(?:because|since|as|weil|da)\b", text, maxsplit=1, flags=re.IGNORECASE)[-1].strip()


def also_tells(text: str) -> bool:
    """A question after whole sentences that may be an answer."""
    *before, _ = re.split(r"(?<=[.!?])\s+", text.strip())
    return any(len(each.split()) > _BESIDE and not is_question(each) for each in before)


_LITTLE = re.compile(
    r"[a-z]|an|the|this|that|these|them|it|my|our|same|any|some|both|either|ones?|another|other|first|second|test"
    r"|ye[sp]|yeah|yup|ok(?:ay)?|sure|right|fine|good|great|cool|done|hm+|ah|oh|well|start|begin|lets|go|ready"
    r"|again|better|worse|maybe|perhaps|vielleicht|ja|klar|genau|gut|beide|nochmal|besser|schlechter"
)
_NOISE = re.compile(
    r"(?:asdf?|sdfg|dfgh|fghj|ghjk|hjkl?|jkl|qwe(?:rt?[yz]?u?i?o?p?)?|[yz]xcv?b?|bla+h?)+|(.)\1{2,}"
    r"|[bcdfghjklmnpqrstvwxz]{5,}"
)
"""Keys that were run over."""
_NO_NAMES = re.compile(r"all|every|process(?:es)?|(?:some)?thing|name|none|no|nope|etc")


def says_little(text: str) -> bool:
    """Whether `text` is no answer in words: a number, a picture, "yes", "both". "Nobody" is one."""
    return all(_is_little(word) for word in bare(text).split())


def _is_little(word: str) -> bool:
    return bool(_LITTLE.fullmatch(word) or _NOISE.fullmatch(word)) or not any(map(str.isalpha, word))


def names_something(text: str) -> bool:
    """Whether `text` can be a name: at least two letters, and more than fillers or a command."""
    words = [word for word in bare(text).split() if not _NO_NAMES.fullmatch(word)]
    return sum(map(str.isalpha, text)) > 1 and command(text) is None and not says_little(" ".join(words))


_OPENABLE = re.compile(
    r"https?://\S+"  # a link
    r"|\bwww\.\S+\.\S+"
    r"|\b[\w-]+\.(?:pdf|docx?|xlsx?|pptx?|csv|md|txt|png|jpe?g|html?|msg|eml|zip)\b"  # a file
    r"|\b(?!(?:CHAT)?GPT|CLAUDE|LLAMA|ISO|DIN|COVID|RFC|UTF)[A-Z][A-Z0-9]{1,9}-\d+\b"  # a ticket
    r"|(?:^|\s)#[\w-]{2,}",  # a channel
)
_BESIDE = 6
"""Words beside a link, as in "here for the last one", up to which the link is what is meant."""


def is_openable(text: str) -> bool:
    """Whether `text` names something that others can open."""
    return _OPENABLE.search(text) is not None


def is_only_a_link(text: str) -> bool:
    """Whether `text` is something that others can open, with hardly a word beside it."""
    return _OPENABLE.search(text) is not None and len(_OPENABLE.sub(" ", text).split()) <= _BESIDE


_GERMAN_TIME = (
    r"(?:vor)?gestern|heute"
    r"|(?:letzte|vorige|vergangene|diese)[nrsm]? (?:woche|monat|jahr|quartal|sommer|winter|herbst|frühling)"
    r"|vor \w+ (?:tag|woche|monat)(?:e?n)?"
    r"|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch"
    r"|januar|februar|märz|(?:im|seit) (?:mai|april|august|september|november)|juni|juli|oktober|dezember"
)
_TIME = re.compile(
    r"\b(?:yesterday|today"
    r"|(?:last|this|past) (?:week|month|year|quarter|summer|spring|autumn|winter|fortnight)"
    r"|(?:last|past) (?:two|three|four|few|couple of|\d{1,2}) (?:days|weeks|months|quarters)"
    r"|ago|(?:last |on |this )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:in |last |since |early |late )?"
    rf"(?:{'|'.join(month for month in MONTHS if month != 'may')})"
    r"|(?:in|since|early|late|last|of) may"
    rf"|{_GERMAN_TIME}"
    r"|\d{1,2}[./]\d{1,2}|20\d\d|q[1-4])\b",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|half|both|all|everyone|"
    r"everybody|someone|somebody|nobody|no one|once|twice|a couple|several|most"
    r"|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|dutzend|hälfte|alle|niemand|keiner|jemand"
    r"|mehrere|einige|meisten|einmal|zweimal|dreimal)\b",
    re.IGNORECASE,
)
_FEWEST_WORDS = 6


def evidence_class(words: str, evidence_text: str = "") -> EvidenceClass:
    """How much an answer shows (instrument.yaml, evidence): E2 something that others can open, E1 a specific
    case with a time and a number, else E0. E3 takes a second person and is never given here.
    """
    both = f"{words}\n{evidence_text}"
    if _OPENABLE.search(both):
        return "E2"
    specific = _TIME.search(both) and _COUNT.search(_TIME.sub(" ", both))
    return "E1" if specific and len(both.split()) >= _FEWEST_WORDS else "E0"
