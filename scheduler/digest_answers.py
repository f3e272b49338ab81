"""What a digest answers about itself: read from what was sent, never from today's data.

Sums, ages and departments are told; who answered and who did not is told to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from bot.clock import week_start
from bot.messages import Message, plain
from bot.store.tables import SentDigest
from scheduler.phrases import day, names

Figure = dict[str, str]
"""A figure as a stored digest keeps it; see scheduler.phrases.SourcedFigure."""

MOST_LISTED = 12
CLOSE_POINTS, CLOSE_SHARE = 5.0, 0.1
"""How near another figure lies to be worth naming: percentages by points, other figures by their size."""

_NUMBER = re.compile(r"\d[\d,.]*\s?%?")
_STRONG = re.compile(
    r"where (?:does|do|did|is|are) (.+?) (?:come|coming|taken) from"
    r"|(?:what is|what's|what are) (?:behind|the source of|the basis of) (.+)"
    r"|how (?:is|are|was|were|do you get|did you get|do you know|do we know|can you know) (.+)"
    r"|(?:and |but )?why (?:only |just |is it |the )?(\d[\d,.]*(?: ?%| percent| hours| days| points)?)",
)
"""Asks where a number comes from, whatever the number is."""
_WEAK = re.compile(
    r"(?:and |but )?(?:why|how come|explain|which|what is|what's|what are|what does|what do|what about"
    r"|tell me about) (.+)"
)
"""May ask about a figure; it does where the digest says that number."""
_TERM = re.compile(
    r"(?:explain|define|which(?: are| is)?|what is|what's|what are|what does|what do|what is meant by"
    r"|tell me about|how (?:is|are|do you (?:get|compute|measure|calculate))|where (?:does|do)) "
    r"(?:by )?(?:the |a |an |our |your |this |other )?(.+?)"
    r"(?: mean| stand for| come from| computed| calculated| measured| worked out| counted)?"
)
_WHO = re.compile(
    r"(?:so |and )?(?:who|which (?:people|persons?|leads?|managers?|employees|departments?|teams?)"
    r"|(?:name|list|show me|tell me) (?:everyone |everybody |those |the people |the leads )?who)"
    r" (?:did not|didn't|has not|hasn't|have not|haven't|never|failed to|is yet to|are yet to|is not|isn't)"
    r" ?(?:answer|repl|respon).*"
    r"|who (?:is|are) (?:late|missing|behind|silent|not answering).*|names of (?:the )?non-?responders"
)
_STALE = re.compile(
    r"(?:which|what) (?:departments?|teams?|answers?) (?:are|is|have|has) "
    r"(?:the )?(?:stale|out of date|outdated|too old|old).*|(?:where|what) (?:are|is) (?:the )?stale.*"
)
_CHANGED = re.compile(
    r"what(?:'s| has| have)? (?:changed|moved)"
    r"(?: (?:since|in|over|this|from|compared|against|beyond) .*)?"
)
_MAP = re.compile(
    r"why (?:is|are) (.+?) (?:gr[ea]y|red|green|empty|white|blank|out of date|stale|not started|not asked yet"
    r"|not asked|missing|left out|hidden|not (?:shown|there|in the map|in the digest))"
)
_TERMS: tuple[tuple[str, str, str], ...] = (
    ("coverage", "coverage", "Coverage is the share of repetitive hours that approved AI handles at accepted "
     "quality. It is shown once 60% of the hours are known."),
    ("interval|band|range|shaded (?:band|area)", "interval", "The interval is where coverage lies with a "
     "chance of 80%, given how surely the hours are known."),
    ("known hours|hours known", "hours known", "Known hours have an answer younger than 180 days."),
    ("(?:beyond )?noise", "", "Noise is how far a figure may move by itself, since hours and shares are "
     "answered in steps. Only what moves further is called a change."),
    ("stale(?: answers?)?|out of date", "stale", "A stale answer is older than 180 days. It counts for "
     "nothing until it is renewed."),
    ("contested(?: answers?)?", "contested", "A contested answer is one on which two people lie two or more "
     "levels apart. The lower one stands until they agree."),
    ("answer rate", "answer rate", "The answer rate counts the departments with an answer younger than 90 "
     "days, over the whole company."),
    ("small departments?(?: left out)?|left out", "small", "Departments with fewer than five people are "
     "left out, so that no figure tells of a single person."),
    ("(?:more )?exceptions(?: that did not fit)?", "exceptions", "Exceptions are hard skips, falls, and "
     "critical blockers older than 14 days that no decision is about."),
    ("unchecked(?: use)?", "unchecked", "Unchecked use is work with AI whose results nobody checks, or with "
     "tools that nobody approved."),
    ("(?:department )?map|marks?|symbols?|arrows?", "", "The map says where each department stands: not "
     "started, first tries, being built, in place, steered. Out of date: an answer there is older than 180 "
     "days. Arrows show only what rose with evidence or fell this week."),
)  # fmt: skip
"""What may be asked for by name, how such a figure's name begins, and what the word means without one."""


_ASKS = (_WHO, _STALE, _CHANGED, _MAP, _STRONG, _WEAK, _TERM)


def may_ask(words: str) -> bool:
    """Whether the words are a question that some digest might answer, before one is read."""
    asked = words.lower()
    return any(pattern.fullmatch(asked) for pattern in _ASKS)


def about_digest(digest: SentDigest, words: str) -> Message | None:
    """The answer to a question about this digest; None if `words` are no such question.

    `words` come without marks at their end. A question that names a number is about the digest if it asks
    where the number comes from, or if the digest says it; other questions may be meant for the policies.
    """
    asked = words.lower()
    for answer in _ANSWERS:
        found = answer(digest, asked)
        if found is not None:
            return Message(text=found)
    return None


def all_sources(digest: SentDigest) -> Message:
    """Where every figure of the digest comes from."""
    figures = _figures(digest)
    return Message(text=_told(digest, figures) if figures else f"{_the(digest)} has no figures.")


def _who(digest: SentDigest, words: str) -> str | None:
    if not _WHO.fullmatch(words):
        return None
    kind = "I tell nobody who has answered and who has not: people answer more openly that way."
    rate = [each for each in _figures(digest) if _name(each).startswith("answer rate")]
    return f"{kind} What I can say: {plain(rate[0]['text'])} answered within 90 days." if rate else kind


def _stale(digest: SentDigest, words: str) -> str | None:
    if not _STALE.fullmatch(words):
        return None
    columns, rows = _table(digest)
    where = [f"- {row[0]}: {names(old, 5)}" for row in rows if (old := _out_of_date(columns, row))]
    figures = [each for each in _figures(digest) if _name(each).startswith("stale")]
    if where:
        head = f"{_the(digest)} shows answers older than 180 days in:"
        return "\n".join([head, "", *where, "", *map(_line, figures)]).rstrip()
    return _told(digest, figures) if figures else f"{_the(digest)} shows no answers older than 180 days."


def _out_of_date(columns: list[str], row: list[str]) -> list[str]:
    """The models of a row of the map whose answers are too old."""
    return [name for name, cell in zip(columns, row, strict=True) if "out of date" in cell]


def _changed(digest: SentDigest, words: str) -> str | None:
    """The two lines of the digest that say so, and what the changes were made of."""
    if not _CHANGED.fullmatch(words):
        return None
    lines = [line for line in str(digest.content["message"]["text"]).split("\n") if line]
    said = [line for line in lines[:2] if not line.startswith("**")] + [
        line for line in lines if "Coverage **" in line
    ]
    changes = [each for each in _figures(digest) if _name(each).startswith("change")]
    quoted = [f"> {line}" for line in dict.fromkeys(said)]
    return "\n".join([f"{_the(digest)} says:", "", *quoted, "", *map(_line, changes)]).rstrip()


def _map(digest: SentDigest, words: str) -> str | None:
    found = _MAP.fullmatch(words)
    if found is None:
        return None
    columns, rows = _table(digest)
    for row in rows:
        if plain(row[0]).lower() == plain(found[1]).removeprefix("the ").strip():
            cells = [f"- {name}: {cell}" for name, cell in zip(columns[1:], row[1:], strict=True)]
            return "\n".join(
                [f"In the map of that week, {row[0]} stands like this:", "", *cells, "", _LEGEND]
            )
    if _OF_THE_MAP.search(words) is None:
        return None
    return f"{_the(digest)} does not show that department by itself. {_LEFT_OUT}"


_LEGEND = "Out of date: an answer there is older than 180 days. Not asked yet: there is no answer."
_LEFT_OUT = (
    "Departments with few people are left out, and in a large company those that did not move are one row."
)

_OF_THE_MAP = re.compile(r"(?:gr[ea]y|left out|in the (?:map|digest))$")
"""Ends of questions that can be about nothing else."""


def _number(digest: SentDigest, words: str) -> str | None:
    """What a number was made of, or that the digest does not say it."""
    found = _STRONG.fullmatch(words) or _WEAK.fullmatch(words)
    part = next(part for part in found.groups() if part) if found else ""
    asked = _numbers(part)
    if not asked:
        return None
    figures = _saying(digest, asked, part)
    if figures:
        return _told(digest, _closest(figures, part))
    return _not_said(digest, asked) if _STRONG.fullmatch(words) and _is_about(part, None) else None


def _is_about(part: str, figure: Figure | None) -> bool:
    """Whether the words beside the number are a figure's own: "25 days of leave" are a policy's."""
    own = set(_NEUTRAL)
    if figure is not None:
        own |= _long_words(f"{figure['text']} {_name(figure)}")
    return _long_words(part) <= own


def _long_words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


_NEUTRAL = frozenset(
    {
        "days", "hours", "points", "percent", "departments", "answers", "coverage", "digest", "figure",
        "number", "that", "those", "these", "this", "only", "just", "come", "from", "mean", "stand",
        "computed", "calculated", "measured", "worked", "counted", "last", "week", "there", "does", "your",
    }
)  # fmt: skip


def _term(digest: SentDigest, words: str) -> str | None:
    found = _TERM.fullmatch(words)
    for pattern, begins, meaning in _TERMS if found else ():
        if found and re.fullmatch(pattern, found[1]):
            figures = [each for each in _figures(digest) if begins and _name(each).startswith(begins)]
            return _told(digest, figures) if figures else meaning
    return None


_ANSWERS: tuple[Callable[[SentDigest, str], str | None], ...] = (
    _who, _stale, _changed, _map, _number, _term,
)  # fmt: skip


def _saying(digest: SentDigest, asked: list[str], part: str) -> list[Figure]:
    """The figures that say all the numbers; if none does, one that was made of them."""
    figures = _figures(digest)
    found = [each for each in figures if _holds(each["text"], asked) and _is_about(part, each)]
    if found or not _is_about(part, None):
        return found
    return [each for each in figures if _rests_on(each, asked, part)][:1]


def _rests_on(figure: Figure, asked: list[str], part: str) -> bool:
    """Whether a figure was made of the numbers, in the unit that was asked for: 25 tasks are not 25 days."""
    told = f"{figure['meaning']} {figure['source']}".lower().replace(",", "")
    units = _long_words(part)
    return _holds(told, asked) and (not units or any(f"{asked[0]} {unit}" in told for unit in units))


def _closest(figures: list[Figure], part: str) -> list[Figure]:
    """Of figures with one number those that share a word: "the 5 exceptions" are no departments."""
    return [each for each in figures if _long_words(part) & _long_words(each["text"])] or figures


def _holds(text: str, asked: list[str]) -> bool:
    said = set(_numbers(text))
    return all(number in said or f"{number}%" in said for number in asked)


def _not_said(digest: SentDigest, asked: list[str]) -> str:
    """One sentence, the nearest figure if there is a near one, and what can be asked about."""
    figures = _figures(digest)
    lines = [f"{_the(digest)} does not say {plain(' or '.join(asked))}."]
    near = _nearest(figures, asked[0])
    if near is not None:
        lines[0] += f" The nearest it says is **{plain(near['text'])}**, the {plain(_name(near))}."
    if figures:
        lines += ["", "You can ask about:", "", *map(_label, figures[:MOST_LISTED])]
    return "\n".join(lines)


def _label(figure: Figure) -> str:
    """A figure with what and where it is, unless its words say so themselves."""
    text, name = plain(figure["text"]), plain(_name(figure))
    return f"- **{text}**" if name.split()[0] in text else f"- **{text}**: {name}"


def _nearest(figures: Iterable[Figure], asked: str) -> Figure | None:
    value = _value(asked)
    reach = CLOSE_POINTS if asked.endswith("%") else CLOSE_SHARE * value
    far = [
        (abs(_value(number) - value), place, each)
        for place, each in enumerate(figures)
        if len(numbers := _numbers(each["text"])) == 1
        for number in numbers
        if number.endswith("%") == asked.endswith("%")
    ]
    distance, _, figure = min(far, key=lambda each: each[:2], default=(reach + 1, 0, None))
    return figure if distance <= reach else None


def _numbers(text: str) -> list[str]:
    """The numbers of a text in one spelling: '6,137 hours' -> '6137', '37 %' -> '37%'."""
    spelt = text.replace(" percent", "%")
    found = (number.replace(" ", "").replace(",", "") for number in _NUMBER.findall(spelt))
    return [number.rstrip(".") for number in found]


def _value(number: str) -> float:
    digits = number.rstrip("%")
    return float(digits) if digits.count(".") < 2 else float(digits.replace(".", ""))


def _figures(digest: SentDigest) -> list[Figure]:
    seen: dict[tuple[str, str], Figure] = {}
    for each in digest.content.get("figures", []):
        seen.setdefault((each["text"], each["meaning"]), each)
    return list(seen.values())


def _name(figure: Figure) -> str:
    return figure.get("name") or figure["meaning"]


def _table(digest: SentDigest) -> tuple[list[str], list[list[str]]]:
    table: dict[str, Any] = digest.content["message"].get("table") or {"columns": [], "rows": []}
    return table["columns"], table["rows"]


def _the(digest: SentDigest) -> str:
    return f"The digest of the week of {day(week_start(digest.week))}"


def _told(digest: SentDigest, figures: list[Figure]) -> str:
    head = f"From the digest of the week of {day(week_start(digest.week))}, as it was sent:"
    return "\n".join([head, "", *map(_line, figures)])


def _line(figure: Figure) -> str:
    return f"- **{plain(figure['text'])}** {plain(figure['meaning'])} _{plain(figure['source'])}_"
