"""Questions for what a word means, and the sentences and rows that say it: "what is red data?" is answered by
the row of a table that begins with "Red", not by whatever speaks of red data most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from knowledge.minilm import Floats
from knowledge.tables import Span, is_header, is_row

_NAME = r"(?:an? |our )?(?P<name>[^?]+?)"
_HERE = r"(?: (?:exactly|actually|here|for us|(?:in|at) (?:our|the|this) company|according to \w+(?: \w+)?))?"
_FORMS = tuple(
    re.compile(form + _HERE + r"[\s?.!]*")
    for form in (
        r"what(?:'s| is| are) (?:meant by|considered(?: as)?) " + _NAME,
        r"(?:what(?:'s| is| are)|define|explain) " + _NAME + r"(?: for)?",
        r"what (?:do|does) (?:the )?(?:words? |terms? )?" + _NAME + r" (?:mean|stand for)",
        r"what (?:counts?|qualifies|qualify) as " + _NAME,
        r"(?:what(?:'s| is) )?(?:the )?(?:meaning|definition) of (?:the (?:word|term) )?" + _NAME,
    )
)
_LONGEST = 120  # characters of a question that asks for no more than a name
_MOST_WORDS = 4
_IS_NO_NAME = re.compile(
    r"^(?:meant|the|this|that|these|those|it|my|your|there|they|we|i|you|happen|going|new|allowed|not|to)\b|"
    r"\b(?:if|when|per|do|does|can|may|should|must|with|about|of|on|in|at|after|before|between)\b|,"
)
_BEFORE = r"[\s>*+_\"“'‘`-]*(?:\d{1,3}[.)]\s+)?(?:(?:an?|the|our|by|all)\s+)?[*_\"“'‘`]*"
_BEHIND = r"[*_\"”'’`]*(?:\s*\([^)]*\)[*_]*)?\s*"
_SAYS = (
    r"(?:(?:is|are)\s+(?:an?|any\w*|all|every\w*|each|the|one|what\w*|some\w*|information|data|those|people|when|"
    r"where|whoever|defined|considered|understood|called|our|used)\b|means?\b|refers?\s+to\b|stands?\s+for\b|"
    r"covers?\b|includes?\b|comprises?\b|describes?\b|we\s+(?:mean|understand)\b|denotes?\b)"
)
_LISTED = 0.7  # a colon or dash behind the name: what follows may be a rule as well


@dataclass(frozen=True)
class Name:
    """What a question asks the meaning of, in lower case; `terms_of` makes words into terms."""

    words: str
    terms_of: Callable[[str], list[str]]

    @property
    def terms(self) -> list[str]:
        """The terms of its words."""
        return self.terms_of(self.words)

    def said(self, text: str, spans: Sequence[Span], headings: str = "") -> Floats:
        """For each sentence of a passage how far it says what the name means, 0..1."""
        said = np.zeros(len(spans), dtype=np.float32)
        for n, span in enumerate(spans):
            if not is_row(text, span):
                said[n] = self._by_sentence(text[slice(*span)])
            elif not is_header(text, spans, n):
                said[n] = self._by_row(text[slice(*span)], f"{headings} {text[: span[0]]}")
        return said

    def _by_sentence(self, sentence: str) -> float:
        found = _saying(self.words).match(sentence)
        if found is None:
            return 0.0
        return 1.0 if found["says"][0].isalpha() else _LISTED

    def _by_row(self, row: str, around: str) -> float:
        """A row does whose first cell is the name, or the word that tells it from others of its kind, where
        the kind stands around it."""
        cells = [cell.strip() for cell in row.strip("| \n").split("|")]
        own, asked = set(self.terms_of(cells[0])), set(self.terms)
        if not any(cells[1:]) or not own or not own <= asked:
            return 0.0
        return float(asked - own <= set(self.terms_of(around)))


def name_in(question: str, terms_of: Callable[[str], list[str]]) -> Name | None:
    """The name whose meaning a question asks for, None for any other question."""
    folded = " ".join(question.casefold().replace("’", "'").split()).strip()
    for form in _FORMS if len(folded) <= _LONGEST else ():
        if found := form.fullmatch(folded):
            words = found["name"].strip(" \"“”'‘’`")
            short = len(words.split()) <= _MOST_WORDS
            if short and terms_of(words) and not _IS_NO_NAME.search(words):
                return Name(words, terms_of)
    return None


@lru_cache(maxsize=64)
def _saying(words: str) -> re.Pattern[str]:
    """What a sentence begins with that says what a name means, in the singular or the plural."""
    singular = [re.sub(r"(?<=\w\w\w)s$", "", word) for word in words.split()]
    name = r"\s+".join(re.escape(word) + r"(?:e?s)?" for word in singular)
    return re.compile(rf"{_BEFORE}{name}{_BEHIND}(?P<says>{_SAYS}|[:–—]|-\s)", re.IGNORECASE)
