"""Words of somebody in trouble, to whom a policy alone would be a cold answer."""

from __future__ import annotations

import re

_ONESELF = re.compile(r"\b(?:i|i'm|i've|me|my|myself)\b")
_TROUBLE = re.compile(
    r"\b(?:bull(?:y|ied|ies|ying)|mobb(?:ed|ing)|harass\w*|suicid\w*|(?:kill|hurt|harm)(?:ing)? myself|"
    r"self.?harm|want to die|burn(?:t|ed|ing)? ?out|(?:can'?t|cannot) (?:take|cope|go on|sleep)|"
    r"depress(?:ed|ion)|(?:scared|afraid) of|threaten(?:s|ed|ing)?|(?:abus|insult)(?:ed|es|ing)|assault\w*|"
    r"discriminated|discriminates|touched me|panic attacks?|breakdown)\b"
)

SYMPATHY = (
    "I'm sorry, that sounds hard. I only know the policies, and this deserves a person: somebody you trust, "
    "HR, your works council or a doctor. If you or anybody else is in danger, call the emergency services "
    "now."
)


def is_troubled(text: str) -> bool:
    """Whether somebody speaks of being hurt, threatened or at the end of their strength."""
    folded = text.casefold().replace("’", "'")
    return _ONESELF.search(folded) is not None and _TROUBLE.search(folded) is not None
