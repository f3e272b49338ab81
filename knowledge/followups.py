"""Short requests about the answer just given: "shorter", "who owns this?", "are you sure?", "send it"."""

from __future__ import annotations

import re
from typing import Literal

Request = Literal[
    "shorter",
    "owner",
    "since",
    "where",
    "language",
    "more",
    "why",
    "sure",
    "wrong",
    "send",
    "send-anonymous",
    "leave",
]

_MAX_WORDS = 9
_IT = r"(?:it|this|that|they|them)"
_PLEASE = r"(?:,? please)?"
_LANGUAGE = (
    "german|french|spanish|italian|english|dutch|polish|portuguese|deutsch|englisch|français|español|"
    "italiano|nederlands|polski|português"
)
# What is asked about the last answer. Forms that are searched for would also fit within other questions.
_FORMS: dict[Request, re.Pattern[str]] = {
    "shorter": re.compile(
        r"\b(?:shorter|short version|in short|in one sentence|tl;?dr|briefer|more briefly)\b|"
        rf"\bsum {_IT} up\b|^(?:(?:please |can you )?(?:summari[sz]e|shorten)(?: {_IT})?|summary){_PLEASE}$"
    ),
    "owner": re.compile(
        r"\bwho(?:'s| is| are)? (?:owns?|(?:the )?owner|responsible|in charge|wrote|maintains)"
        rf"(?: (?:of |for )?(?:{_IT}|the|policy|document|rule|here))*$|"
        r"\bwhose (?:policy|document|rule)\b|\bwhom? (?:can|do|should) i (?:ask|contact|talk to)"
        rf"(?: about {_IT})?$"
    ),
    "since": re.compile(
        rf"\bsince when\b|\bhow (?:old|recent|current|new) (?:is|are) {_IT}\b|"
        rf"\b(?:still|is {_IT}|are they) (?:still )?(?:valid|current|up to date|in force)\b|"
        rf"\bwhen (?:was|were|did|is|will) {_IT}\b.*"
        r"\b(?:reviewed|updated|changed|start|written|come)\b"
    ),
    "where": re.compile(
        rf"\bwhere (?:does|do|did|is|was) {_IT}\b(?! (?:happen|take place|apply|go))|"
        r"\bwhich (?:policy|document|section|page)\b(?! (?:do|should|can|must|covers?|applies))|"
        r"^(?:what(?:'s| is|s) (?:the|your) |the |your )?(?:sources?|link|url)$|"
        r"\b(?:show|see|give)(?: me)? the (?:source|passage|text|original|link)\b"
    ),
    "language": re.compile(
        rf"^(?:and |please |now |can you |could you )*(?:(?:translate|say|write|answer)(?: {_IT})? )?"
        rf"(?:in|into|to|auf|en) ({_LANGUAGE})(?:,? (?:please|bitte|por favor|s'il vous plaît))?$"
    ),
    "more": re.compile(
        r"^(?:please )?(?:tell me more|more|(?:more )?(?:details?|info(?:rmation)?)|go on|continue|elaborate|"
        rf"(?:can|could) you explain(?: {_IT})?|explain(?: {_IT})?|what do you mean(?: by {_IT})?|"
        rf"what does {_IT} mean|i (?:don'?t|do not) (?:understand|get it)(?: {_IT})?|"
        rf"(?:give me |any |an? )*examples?|for example){_PLEASE}$"
    ),
    "why": re.compile(rf"^(?:but |and )?why(?: not| so| is {_IT}(?: so)?)?$|^what(?:'s| is) the reason$"),
    "wrong": re.compile(
        rf"^(?:no,? |sorry,? |but )*(?:{_IT}(?:'s| is| are) (?:wrong|incorrect|not (?:right|true|correct|"
        rf"helpful|what i (?:asked|meant|wanted))(?: for)?|useless|no help|nonsense)|wrong(?: answer)?|"
        rf"{_IT} (?:doesn't|does not|didn't|did not) (?:help|answer my question)(?: me)?|not helpful|"
        r"you(?:'re| are) (?:wrong|useless|no help)|i (?:asked|meant) something else)$"
    ),
    "sure": re.compile(
        rf"^(?:really|seriously|(?:are )?you sure(?: about {_IT})?|says who|how do you know(?: {_IT})?|"
        rf"is {_IT} (?:right|true|correct|certain|so|really so))$"
    ),
}
_YES = r"(?:yes|yep|yeah|sure|please|do|do it|do that|do so|go ahead|of course|that would be (?:great|nice))"
_ASK_THEM = (
    r"(?:(?:can|could) you )?(?:please )?(?:(?:send|pass|forward) (?:it|this|that|my question)(?: on)?"
    r"(?: to (?:him|her|them|\w+(?: \w+)?))?|ask (?!for\b|about\b)\w+(?: \w+)?)"
)
_THANKS = r"(?:,? (?:please|thanks|thank you))?"
# Replies to "Shall I pass your question on?".
_OFFER: dict[Request, re.Pattern[str]] = {
    "send-anonymous": re.compile(
        r"^(?:yes,? |please )*(?:(?:send|pass|do) (?:it|this|that)(?: on)?,? |but )?"
        rf"(?:anonymous(?:ly)?|without my name){_PLEASE}$"
    ),
    "send": re.compile(
        rf"^{_YES}(?:,? {_YES})*(?:,? {_ASK_THEM})?{_THANKS}$|^ok(?:ay)?,? (?:{_YES}|{_ASK_THEM}){_THANKS}$|"
        rf"^{_ASK_THEM}{_THANKS}$"
    ),
    "leave": re.compile(r"^(?:no|nope|nah|not now|never ?mind|don'?t|leave it)(?:,? (?:thanks|thank you))?$"),
}
_NOTED = re.compile(
    r"(?:ok(?:ay)?|k|got it|i see|understood|great|cool|perfect|nice|all ?right|good|fine|makes sense|"
    r"never ?mind|no|nope|yes|yep|sure|bye|hm+|lol|wow)(?: then)?"
)
_LANGUAGES = {
    "deutsch": "German",
    "englisch": "English",
    "français": "French",
    "español": "Spanish",
    "italiano": "Italian",
    "nederlands": "Dutch",
    "polski": "Polish",
    "português": "Portuguese",
}


def recognise(text: str, offered: bool = False) -> tuple[Request, str] | None:
    """What is asked about the last answer, with the language where it is one. None for a question anew.

    `offered` says that the last answer offered to pass the question on.
    """
    folded = _folded(text)
    if len(folded.split()) > _MAX_WORDS:
        return None
    for request, form in {**(_OFFER if offered else {}), **_FORMS}.items():
        if found := form.search(folded):
            language = found[1] if request == "language" else ""
            return request, _LANGUAGES.get(language, language.title())
    return None


def is_noted(text: str) -> bool:
    """Whether words (or signs without a word) ask for nothing: "ok", "I see", a smile."""
    folded = _folded(text)
    return not any(letter.isalnum() for letter in folded) or _NOTED.fullmatch(folded) is not None


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split()).strip(" ?!.…")
