"""What words mean in a sitting: a short command, a question of one's own, or an answer; and how much an
answer shows. Only a whole message that is a command counts as one, so that "we went back to Excel" stays an
answer.
"""

from __future__ import annotations

import re

from bot.audit.parts import EvidenceClass
from bot.when import MONTHS

_COMMANDS: dict[str, str] = {
    "back": r"(go )?back|previous|last question",
    "skip": r"skip( it| this| that)?( one| question)?|pass|next( question)?",
    "pause": r"(please )?(pause|stop|stop here|enough|break|quit|bye)",
    "resume": r"resume|continue|carry on|go on|where were we",
    "start": r"yes( please)?|yep|ok|okay|sure|(lets )?go|ready"
    r"|(lets )?(start|begin)( (the |an |my )?(audit|check ?in|sitting|questions))?",
    "out": r"stay out|not for me|no|no thanks|no thank you|opt out|leave me out",
    "why": r"why( do you (ask|want to know)( this| that)?| this( question)?)?|what for",
    "who": r"who (can |will |may )?(sees?|reads?)( all)?( this| that| it| my answers?| my words)?"
    r"|is this (private|confidential|anonymous)",
    "unsure": r"(im |i am |im really |really )?(not sure|unsure)|idk|dunno|who knows"
    r"|(sorry )?(i )?(really )?(dont|do not) (really )?know"
    r"|(i have |ive )?no (idea|clue)|(i )?cant say|hard to say"
    r"|(i )?(cant|cannot) (remember|recall|think of (one|any|anything|a case|a time))",
    "cannot": r"never|not that i (know( of)?|remember|recall)",
    "na": r"not applicable|n ?a|(it |this |that )?(doesnt|does not) apply( to us| here)?|not for us",
    "edit": r"edit|change( an?| my)?( last)? answers?|correct( an?| my)?( last)? answers?",
    "neither": r"neither( of them| of these| one)?|none( of them| of these)?|no fit",
    "same": r"(the )?same( as before| as last time)?|no change|nothing( changed| new| is different)?"
    r"|unchanged|still true",
    "better": r"(it got |its |it is )?better|improved|up",
    "worse": r"(it got |its |it is )?worse|down",
    "keep": r"keep( it| that| my answer| as is)?",
    "help": r"help|what can i (say|do)( here)?|commands|options",
    "cancel": r"cancel|never ?mind|forget it",
    "nothing": r"nothing at hand|no link|none at hand|i have none|havent any",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _COMMANDS.items()}
_LATER = re.compile(
    r"(?:ask me |remind me |do (?:this|it) )?(?:later|another (?:time|day)|not now)(?P<after>.*)"
    r"|(?:ask|remind) me (?P<day>.+)"
)
_HAND = re.compile(
    r"hand (?:(?:this|it) )?(?:over|on)?(?: ?to (.+))?"
    r"|ask (?!me\b)(\w.*) instead"
    r"|pass (?:this|it) on(?: to (.+))?"
)
_LETTER = re.compile(
    r"(?:option |answer |its |it is |the |i pick |i choose )?([a-e])"
    r"|(?:the )?(first|second|third|fourth|fifth|last)( one)?"
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def _bare(text: str) -> str:
    lowered = re.sub(r"['’]", "", text.lower())
    return " ".join(re.sub(r"[^\w@.+/-]+", " ", lowered).strip(" .-/").replace("/", " ").split())


def command(text: str) -> tuple[str, str] | None:
    """The command that the whole of `text` is, with its argument: "later" a day, "hand" a name."""
    said = _bare(text)
    if not said or len(said) > 120:
        return None
    for name, pattern in _COMPILED.items():
        if pattern.fullmatch(said):
            return name, ""
    if (found := _HAND.fullmatch(said)) and said != "hand":
        return "hand", (found[1] or found[2] or found[3] or "").strip()
    if found := _LATER.fullmatch(said):
        return "later", (found["after"] or found["day"] or "").strip()
    return None


_GREETING = re.compile(r"(hi|hello|hey|good (morning|afternoon|evening|day))( there| again| stagecoach)?")


def is_greeting(text: str) -> bool:
    """The whole of these words says hello."""
    return _GREETING.fullmatch(_bare(text)) is not None


def letter(text: str, count: int) -> int | None:
    """The position (0-based) that "B", "the second" or "option c" means among `count` anchors."""
    found = _LETTER.fullmatch(_bare(text))
    if found is None:
        return None
    if found[2] == "last":
        return count - 1
    position = "abcde".index(found[1]) if found[1] else _ORDINALS.index(found[2])
    return position if position < count else None


_ASKING = re.compile(
    r"(can|may|could|should|am|are|do|does|is) (i|we|you|it|this|that|there)\b", re.IGNORECASE
)


def is_question(text: str) -> bool:
    """The person asks something rather than answers: a question mark at the end, or "may we ..." at the
    start.
    """
    said = text.strip()
    return len(said.split()) > 1 and (said.endswith("?") or _ASKING.match(said) is not None)


_LITTLE = re.compile(
    r"[a-z]|an|the|this|that|these|them|it|my|our|same|any|some|both|either|ones?|another|other|first|second|test"
    r"|ye[sp]|yeah|yup|ok(?:ay)?|sure|right|fine|good|great|cool|done|hm+|ah|oh|well|start|begin|lets|go|ready"
)
_NO_NAMES = re.compile(r"all|every|process(?:es)?|(?:some)?thing|name|none|no|nope|etc")


def says_little(text: str) -> bool:
    """Whether `text` is no answer in words: a number, a picture, "yes", "both". "Nobody" is one."""
    return all(_LITTLE.fullmatch(word) or not any(map(str.isalpha, word)) for word in _bare(text).split())


def names_something(text: str) -> bool:
    """Whether `text` can be a name: at least two letters, and more than fillers or a command."""
    words = [word for word in _bare(text).split() if not _NO_NAMES.fullmatch(word)]
    return sum(map(str.isalpha, text)) > 1 and command(text) is None and not says_little(" ".join(words))


_OPENABLE = re.compile(
    r"https?://\S+"  # a link
    r"|\bwww\.\S+\.\S+"
    r"|\b[\w-]+\.(?:pdf|docx?|xlsx?|pptx?|csv|md|txt|png|jpe?g|html?|msg|eml|zip)\b"  # a file
    r"|\b[A-Z][A-Z0-9]{1,9}-\d+\b"  # a ticket
    r"|(?:^|\s)#[\w-]{2,}",  # a channel
)
_TIME = re.compile(
    r"\b(?:yesterday|today"
    r"|(?:last|this|past) (?:week|month|year|quarter|summer|spring|autumn|winter|fortnight)"
    r"|(?:last|past) (?:two|three|four|few|couple of|\d{1,2}) (?:days|weeks|months|quarters)"
    r"|ago|(?:last |on |this )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:in |last |since |early |late )?"
    rf"(?:{'|'.join(month for month in MONTHS if month != 'may')})"
    r"|(?:in|since|early|late|last|of) may"
    r"|\d{1,2}[./]\d{1,2}|20\d\d|q[1-4])\b",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|half|both|all|everyone|"
    r"everybody|someone|somebody|nobody|no one|once|twice|a couple|several|most)\b",
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
