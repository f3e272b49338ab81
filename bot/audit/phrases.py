"""Sentences and half sentences that cards and replies are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from bot.audit.state import Facts, Given, Someone, State
from bot.messages import plain

_QUOTE_LENGTH = 280


def names(people: Iterable[Someone]) -> str:
    """Ada Lovelace and Grace Hopper; empty for nobody."""
    listed = [plain(person.name) for person in people]
    return joined(listed) if listed else ""


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; a comma before the last "and" where a bare part has one of its own."""
    comma = "," if any(" and " in part and part[0] not in "“*" for part in parts) else ""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}{comma} and {parts[-1]}"


def day(value: date | datetime) -> str:
    """5 December 2026."""
    return f"{value.day} {value.strftime('%B %Y')}"


def quoted(words: str) -> str:
    """A person's own words as a quote, shortened at a word. What was added to them stands behind a stroke."""
    flat = " / ".join(" ".join(line.split()) for line in words.splitlines() if line.strip())
    if len(flat) > _QUOTE_LENGTH:
        flat = flat[:_QUOTE_LENGTH].rsplit(" ", 1)[0] + " ..."
    return f"> {plain(flat)}"


def _readers(facts: Facts) -> str:
    """Who reads a person's own words, beside that person."""
    owners = names(facts.owners)
    if not owners:
        return "whoever runs the AI programme"
    if len(facts.owners) > 1:
        return f"{owners}, who run the AI programme together"
    return f"{owners}, who runs the AI programme"


def privacy(facts: Facts, second: bool = False) -> str:
    """Who sees what, naming the programme owner; to a second person also what the lead learns."""
    released = "nobody else, unless you release a sentence.\n"
    alike = "nobody else.\n- Your lead reads whether a colleague sees it the same way, and not who that is.\n"
    return (
        f"- Your own words: you and {_readers(facts)}; {alike if second else released}"
        "- Where your department stands, as a whole: your team and the executives.\n"
        "- Never used for anyone's performance, pay or job."
    )


def privacy_again(facts: Facts) -> str:
    """The same in two sentences, for whoever has read it before."""
    return (
        f"_Who sees what is as before: your words are for you and {_readers(facts)}; where "
        f"{plain(facts.department)} stands, your team and the executives see. It is never used for anyone's "
        "performance, pay or job._"
    )


def hello(facts: Facts, count: int = 4) -> str:
    """Before the very first question; `count` are the questions of the first sitting."""
    return (
        f"Hello! I help {plain(facts.department)} find its next useful step with AI. "
        f"{_so_many(count)} to begin with, {_so_long(count)}. You tell me about real cases; there is no "
        "right answer, and “not sure” is a good one.\n\n"
        f"**Who sees what**\n{privacy(facts)}\n\n"
        "Skip, pause or stop whenever you like; nothing is lost. Shall we start?"
    )


def hello_on(facts: Facts, count: int) -> str:
    """Before somebody's first look at a department of which others have told a part."""
    return (
        f"Hello! Others in {plain(facts.department)} have begun to tell me how it works with AI, and I'd "
        f"like to go on from there. {_so_many(count)}, {_so_long(count)}. You tell me about real cases; "
        "there is no right answer, and “not sure” is a good one.\n\n"
        f"**Who sees what**\n{privacy(facts)}\n\n"
        "Skip, pause or stop whenever you like; nothing is lost. Shall we start?"
    )


def _so_many(count: int) -> str:
    return "One question" if count == 1 else f"{count_words(count).capitalize()} questions"


def _so_long(count: int) -> str:
    """As the cards count it: about three quarters of a minute a question."""
    minutes = max(1, round(count * 0.75))
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


def hello_again(facts: Facts) -> str:
    """Before somebody's first look at a department that was looked at before."""
    return (
        f"Hello! {plain(facts.department)} has told me before how it works with AI. Let's see what has "
        "changed: at most four questions, about 3 minutes, and one tap where nothing has. There is no right "
        "answer, and “not sure” is a good one.\n\n"
        f"**Who sees what**\n{privacy(facts)}\n\n"
        "Skip, pause or stop whenever you like; nothing is lost. Shall we start?"
    )


def hello_second(facts: Facts, count: int = 1) -> str:
    """Before a second person's questions; mostly it is one."""
    what, them, long = "one question", "it", "a minute"
    if count > 1:
        what, them, long = f"{count_words(count)} questions", "them", "two or three minutes"
    return (
        f"Hello! Could you help with {what} about {plain(facts.department)}? Your lead has "
        f"answered {them} too; a second view from inside the team makes the picture fairer. It takes {long}."
        "\n\n"
        "**Who sees what**\n"
        f"{privacy(facts, second=True)}\n\n"
        "Shall we start?"
    )


def earlier(state: State) -> tuple[Given, ...]:
    """This sitting's answers to the questions before the present one."""
    before = state.sitting[: state.sitting.index(state.current)] if state.current in state.sitting else ()
    return tuple(state.answers[criterion] for criterion in before if criterion in state.answers)


def missing(given: Given) -> str:
    """What has to happen before an answer counts in full, after "until"."""
    if given.evidence == "E2":
        return "a colleague, asked separately, sees it the same way"
    if (given.level or 0) <= 2:
        return "you add one recent case"
    return "you add something that others can open"


def more_another_day(count: int, first: bool) -> str:
    """The questions that are left after a full picture; in a first audit they are about active fields."""
    more = "one more question waits" if count == 1 else f"{count_words(count)} more questions wait"
    more = f"About the fields where you are already active, {more}" if first else more.capitalize()
    return f"Thank you. {more}: go on now, or another day?"


def lower(text: str) -> str:
    """`text` with a small first letter, unless it starts with a short form such as AI."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    is_short_form = len(first) > 1 and first[:2].isupper()
    return text if is_short_form else text[:1].lower() + text[1:]


def count_words(number: int) -> str:
    """A number as a word up to ten."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[number] if number < len(words) else str(number)
