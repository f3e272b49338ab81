"""What a person asked, made ready for the search: follow-ups, slips of the pen, other words for the same."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.definitions import Name, name_in
from knowledge.index import Snapshot
from knowledge.lexical import STOP_WORDS, Terms
from knowledge.minilm import Floats
from knowledge.quantities import Quantity, asked_for
from knowledge.synonyms import Synonyms

SYNONYM_WEIGHT = 0.4
_PLAIN_WORD = 0.15  # weight of a word without meaning of its own, such as "when", in late interaction
_EARLIER_WEIGHT = 0.6
_GOES_ON = re.compile(r"^(?:and|but|also|or|what about|how about)\b", re.IGNORECASE)
_POINTS_BACK = re.compile(r"\b(?:it|that|those|these|they|them|same|instead|otherwise)\b", re.IGNORECASE)
_SAID_ALONG = frozenset(
    """
    hi hey hello please pls plz thanks thank ok okay asap maybe perhaps wonder wondering question questions
    tell know help somebody someone anybody anyone idea guess really actually kindly want wanted wants like
    need needs needed quick quickly sorry well so yes still already ever currently possible possibly able
    allowed exactly basically think find look go make take give say said done happen happens happened thing
    things something anything everything way kind sort lot lots bit
    """.split()  # noqa: SIM905 - as in lexical.py
)
"""Words of a conversation: documents hardly have them, and nothing is missing where they do not."""
_ASKS_ONLY = _SAID_ALONG | frozenset(
    """
    many much long often fast soon early late far high big time times day days week weeks month months year
    years hour hours ask asks mean means else
    """.split()  # noqa: SIM905
)
"""Words that ask or measure and do not say what about."""
_COURTESY_BEFORE = re.compile(
    r"^(?:[\s,.!:;-]*\b(?:(?:hi|hey|hello|good (?:morning|afternoon|evening))"
    r"(?: there| all| team| stagecoach)?|so|well(?=,)|um+|hm+|(?:please|pls|plz)(?: help(?: me)?)?|asap|"
    r"(?:a |one |just a |another )?(?:quick|short) question|"
    r"(?:i'm |i am |i was )?just wondering|i wonder|"
    r"(?:can|could|would) (?:you|anyone|anybody|someone|somebody)(?: please)? (?:tell|explain to|help) me|"
    r"(?:do you|does any(?:one|body)) (?:happen to )?know|i(?:'d| would)? (?:like|want|need) to know)\b)+"
    r"[\s,.!:;-]*(?:(?:if|whether)\b[\s,]*)?",
    re.IGNORECASE,
)
_COURTESY_AFTER = re.compile(
    r"[\s,.!-]+(?:please|pls|plz|asap|thanks|thx|thank you|many thanks|cheers)"
    r"(?: in advance| a lot| so much)?[\s.!?]*$",
    re.IGNORECASE,
)
_STANDS_ALONE = 2  # telling words that a question needs to be understood by itself
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Asked:
    """A text with its unit vector, and its tokens' unit vectors (n, width) at the characters `spans`.

    Of a follow-up the question before it is read along, behind it: from the character `own` on.
    """

    text: str
    vector: Floats
    tokens: Floats
    spans: npt.NDArray[np.integer]
    own: int = sys.maxsize


@dataclass(frozen=True)
class Query:
    """A question as the search needs it: weighted terms, its unit vector, its tokens with their weights.

    `others` are the tokens (by number) that other words may stand for, with the terms of those; `quantity` is
    what is asked for, if it is one, `name` what it asks the meaning of.
    """

    terms: tuple[tuple[int, float], ...]
    vector: Floats
    tokens: Floats
    weights: Floats
    others: tuple[tuple[int, tuple[int, ...]], ...] = ()
    quantity: Quantity | None = None
    name: Name | None = None


def without_courtesy(question: str) -> str:
    """A question without the greeting before it and the thanks after it, for the search to read; as it is
    where nothing else would be left."""
    plain = _COURTESY_AFTER.sub("", _COURTESY_BEFORE.sub("", question))
    return plain if plain.strip(" ?!.,") else question


def leans_on_earlier(question: str) -> bool:
    """Whether a question in a thread can't be understood without the one before it."""
    return len(_telling(question)) < _STANDS_ALONE or _refers(question)


def may_be_new(question: str) -> bool:
    """Whether a question that leans on an earlier one only for want of words may be about something new:
    "parking?" may, "is it paid twice?" and "and flights?" can't."""
    return bool(_telling(question)) and not _refers(question)


def is_touched(question: str, text: str, terms: Terms) -> bool:
    """Whether a text holds one of the words that say what a question is about."""
    return not set(terms.of(" ".join(_telling(question)))).isdisjoint(terms.of(text))


def has_own_subject(question: str) -> bool:
    """Whether a question says itself what it is about: "and flights?" does, "why?", "how many days?" and "who
    may use it?" don't."""
    return bool(_telling(question)) and _POINTS_BACK.search(question) is None


def _refers(question: str) -> bool:
    """Whether the words of a question refer to what came before it."""
    return _GOES_ON.search(question) is not None or _POINTS_BACK.search(question) is not None


def _telling(question: str) -> set[str]:
    return {
        word
        for word in _WORD.findall(question.casefold())
        if word not in STOP_WORDS and word not in _ASKS_ONLY
    }


def make_query(snapshot: Snapshot, terms: Terms, synonyms: Synonyms, asked: Asked) -> Query:
    """The query of a question. What it leans on counts less than its own words."""
    own, earlier = asked.text[: asked.own], asked.text[asked.own :]
    weighted: dict[int, float] = {}
    for text, weight in ((earlier, _EARLIER_WEIGHT), (own, 1.0)):
        for term, share in _terms(snapshot, terms, synonyms, text).items():
            weighted[term] = max(weighted.get(term, 0.0), weight * share)
    weights = _token_weights(snapshot, terms, asked)
    return Query(
        tuple(weighted.items()),
        asked.vector,
        asked.tokens,
        weights / (weights.sum() + np.float32(1e-9)),
        tuple(_others(snapshot, terms, synonyms, asked)),
        asked_for(own, earlier),
        name_in(own, terms.of),
    )


def _terms(snapshot: Snapshot, terms: Terms, synonyms: Synonyms, text: str) -> dict[int, float]:
    own = terms.of(text)
    shares = {term: SYNONYM_WEIGHT * share for term, share in synonyms.of(own).items()}
    shares |= dict.fromkeys(own, 1.0)
    known = snapshot.vocabulary
    return {known[term]: share for term, share in shares.items() if term in known}


def _others(
    snapshot: Snapshot, terms: Terms, synonyms: Synonyms, asked: Asked
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The tokens whose word has synonyms of one word that the library knows."""
    starts, known = asked.spans[:, 0], snapshot.vocabulary
    for match in _WORD.finditer(asked.text):
        shares = synonyms.of(terms.of(match.group()))
        others = tuple(known[term] for term, share in shares.items() if share == 1 and term in known)
        if others:
            inside = (starts >= match.start()) & (starts < match.end())
            yield from ((int(token), others) for token in np.flatnonzero(inside))


def _token_weights(snapshot: Snapshot, terms: Terms, asked: Asked) -> Floats:
    """How much each token counts in late interaction: the rarer its word in this library, the more."""
    of_word = np.zeros(len(asked.text) + 1, dtype=np.float32)
    for match in _WORD.finditer(asked.text):
        of_word[match.start() : match.end()] = _word_weight(snapshot, terms, match.group())
    of_word[asked.own :] *= np.float32(_EARLIER_WEIGHT)
    return of_word[np.minimum(asked.spans[:, 0], len(asked.text))] if len(asked.spans) else of_word[:0]


def _word_weight(snapshot: Snapshot, terms: Terms, word: str) -> float:
    if word.casefold() in STOP_WORDS or word.casefold() in _SAID_ALONG:
        return _PLAIN_WORD
    found = terms.of(word)
    return snapshot.postings.rarity(snapshot.vocabulary.get(found[0])) if found else _PLAIN_WORD


def resolve(question: str, earlier: Sequence[str]) -> str | None:
    """The earlier question that this one leans on, None where it stands alone."""
    return earlier[-1] if earlier and leans_on_earlier(question) else None
