"""Short requests about the answer just given: "shorter", "who owns this?", "since when?"."""

from __future__ import annotations

import re
from typing import Literal

Request = Literal["shorter", "owner", "since", "where", "language"]

_MAX_WORDS = 9
_FORMS: dict[Request, re.Pattern[str]] = {
    "shorter": re.compile(
        r"\b(?:shorter|short version|in short|in one sentence|tl;?dr|briefer|more briefly)\b|"
        r"\bsum (?:it|this|that) up\b"
    ),
    "owner": re.compile(
        r"\bwho(?:'s| is| are)? (?:owns?|(?:the )?owner|responsible|in charge|wrote|maintains)\b|"
        r"\bwhose (?:policy|document|rule)\b|\bwhom? (?:can|do|should) i (?:ask|contact)\b"
    ),
    "since": re.compile(
        r"\bsince when\b|\bhow (?:old|recent|current|new) (?:is|are)\b|\b(?:still|is (?:it|this|that)) "
        r"(?:valid|current|up to date|in force)\b|\bwhen (?:was|were|did) (?:it|this|that|they)\b.*"
        r"\b(?:reviewed|updated|changed|start|written|come)\b"
    ),
    "where": re.compile(
        r"\bwhere (?:does|do|did|is|was) (?:it|this|that|they)\b|\bwhich (?:policy|document|section|page)\b"
        r"(?! (?:do|should|can|must|covers?|applies))|^(?:the )?source\b|"
        r"\b(?:show|see|give)(?: me)? the (?:source|passage|text|original)\b"
    ),
    "language": re.compile(
        r"^(?:and |please |now )?(?:in|auf|en) (german|french|spanish|italian|english|dutch|polish|"
        r"portuguese|deutsch|englisch|français|español)(?:,? please)?$"
    ),
}
_LANGUAGES = {"deutsch": "German", "englisch": "English", "français": "French", "español": "Spanish"}


def recognise(text: str) -> tuple[Request, str] | None:
    """What is asked about the last answer, with the language where it is one. None for a question anew."""
    folded = " ".join(text.casefold().split()).strip(" ?!.")
    if len(folded.split()) > _MAX_WORDS:
        return None
    for request, form in _FORMS.items():
        if found := form.search(folded):
            language = found[1] if request == "language" else ""
            return request, _LANGUAGES.get(language, language.title())
    return None
