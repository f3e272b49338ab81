"""What an answer may say: every quote word for word in its passage, every claim borne out by its quote.

These checks are plain comparisons on purpose. A model is not asked whether a model was right.
"""

from __future__ import annotations

import re

import Stemmer

from knowledge.lexical import STOP_WORDS
from knowledge.sentences import sentence_spans

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATIONS = frozenset(
    _WORD.findall(
        "no not never none nobody nothing neither nor without cannot except unless forbidden prohibited "
        "banned refuse refused unable nicht nie niemals kein keine keinen keinem keiner ohne verboten "
        "untersagt ne pas jamais sans aucun aucune interdit nunca ningún ninguna sin prohibido non mai "
        "nessuno nessuna senza vietato niet nooit geen zonder verboden não sem nenhum proibido nie bez "
        "zakazane żaden"
    )
)
_MONTHS = _WORD.findall(
    "january february march april may june july august september october november december"
)
_DAYS = _WORD.findall("monday tuesday wednesday thursday friday saturday sunday")
_ENGLISH_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        _WORD.findall(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen twenty"
        )
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "hundred": "100"}
# The same in the languages that a model may answer in; a word that it leaves out here is not compared.
_NUMBER_WORDS = (
    _ENGLISH_NUMBERS
    | {
        word: str(number)
        for words in (
            "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
            "deux trois quatre cinq six sept huit neuf dix onze douze",
            "dos tres cuatro cinco seis siete ocho nueve diez once doce",
            "due tre quattro cinque sei sette otto nove dieci undici dodici",
            "twee drie vier vijf zes zeven acht negen tien elf twaalf",
            "dois três quatro cinco seis sete oito nove dez onze doze",
            "dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście dwanaście",
        )
        for number, word in enumerate(words.split(), 2)
    }
    | {"zwanzig": "20", "dreißig": "30", "vingt": "20", "trente": "30", "veinte": "20", "treinta": "30"}
)
_CURRENCIES = {"€": "eur", "euro": "eur", "euros": "eur", "$": "usd", "£": "gbp"}
_MEASURE = re.compile(
    r"(\b(?:EUR|USD|GBP|CHF)\s?|[€$£])?(\d+(?:[.,]\d+)*)\s*(%|[€$£]|[A-Za-zÀ-ÿ]{2,})?", re.IGNORECASE
)
_ONE_TIME = re.compile(
    r"\bone(?= (?:working |calendar )?(?:minute|hour|day|week|month|year)\b)", re.IGNORECASE
)
_ONE_SUBJECT = 0.6  # share of the telling words of the shorter sentence that the other one has as well
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.\-]*://|\bwww\.|\]\(|<[@!#]|(?<!\w)@\w", re.I)


def locate(quote: str, passage: str) -> str | None:
    """The stretch of `passage` that `quote` repeats, as it stands there; None unless word for word.

    Only white space may differ. Fewer than three words are too little to bear anything.
    """
    words = quote.strip().strip("\"“”„'").split()
    if len(words) < 3:
        return None
    found = re.search(r"\s+".join(re.escape(word) for word in words), passage)
    return found[0] if found else None


def bears_out(quote: str, claim: str) -> bool:
    """Whether `quote` can carry `claim`: its numbers, dates and weekdays all occur in the quote, and both
    say yes or both say no. A claim never carries an address or a mention."""
    if carries_address(claim):
        return False
    return _figures(claim) <= _figures(quote) and _negated(claim) == _negated(quote)


def carries_address(text: str) -> bool:
    """Whether a text holds a web address, a link or a mention."""
    return _ADDRESS.search(text) is not None


def numbers(text: str) -> set[str]:
    """The numbers in digits, without the marks between thousands: "1,000" and "1.000" are one."""
    return {re.sub(r"[.,](?=\d{3}(?!\d))", "", number).replace(",", ".") for number in _NUMBER.findall(text)}


def _figures(text: str) -> set[str]:
    words = [word.casefold() for word in _WORD.findall(text)]
    figures = numbers(text)
    figures |= {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS and word != "one"}
    # "may" is a verb more often than a month; a date has its number anyway.
    return figures | {word for word in words if word in (*_MONTHS, *_DAYS) and word != "may"}


def _negated(text: str) -> bool:
    words = (word.casefold().replace("’", "'") for word in _WORD.findall(text))
    return any(word in _NEGATIONS or word.endswith("n't") for word in words)


def differ_in_figures(one: str, other: str) -> bool:
    """Whether two texts have sentences about one thing with different figures for one unit, such as "report
    within 4 hours" and "report within 24 hours"."""
    mine, theirs = _sentences(one), _sentences(other)
    return any(_differ(each, another) for each in mine for another in theirs)


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def _differ(one: str, other: str) -> bool:
    one, other = _in_digits(one), _in_digits(other)
    mine, theirs = _measures(one), _measures(other)
    shared = [unit for unit in mine.keys() & theirs.keys() if mine[unit].isdisjoint(theirs[unit])]
    if not shared:
        return False
    subject, its = _subject(one, mine), _subject(other, theirs)
    return len(subject & its) >= max(1.0, _ONE_SUBJECT * min(len(subject), len(its)))


def _in_digits(sentence: str) -> str:
    """A sentence with its English numbers in digits; "one" only where it counts a time."""
    sentence = _ONE_TIME.sub("1", sentence)
    return _WORD.sub(
        lambda word: (
            word[0] if word[0].casefold() == "one" else _ENGLISH_NUMBERS.get(word[0].casefold(), word[0])
        ),
        sentence,
    )


def _subject(sentence: str, measures: dict[str, set[str]]) -> set[str]:
    """The words that say what a sentence is about, without its figures and their units."""
    words = [word.casefold() for word in _WORD.findall(sentence) if not word.isdecimal()]
    telling = [word for word in words if word not in STOP_WORDS and _unit(word) not in measures]
    return set(Stemmer.Stemmer("english").stemWords(telling))


def _measures(sentence: str) -> dict[str, set[str]]:
    """What a sentence measures: unit -> its figures. A currency may stand before or after its figure."""
    measures: dict[str, set[str]] = {}
    for before, number, after in _MEASURE.findall(sentence):
        if unit := _unit((before or after).strip()):
            measures.setdefault(unit, set()).add(number.replace(",", ""))
    return measures


def _unit(word: str) -> str:
    word = word.casefold()
    return _CURRENCIES.get(word, word.rstrip("s"))
