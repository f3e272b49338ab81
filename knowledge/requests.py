"""Requests about the last answer, answered from what the person may read now, without a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from bot.messages import Message, plain
from knowledge import facts
from knowledge.answer import Source, quoted_from
from knowledge.followups import Request
from knowledge.quoting import section_around

_MAX_SHOWN = 1_500  # characters of a passage shown whole

NO_SOURCE = Message(
    kind="notice",
    text="My last answer rests on no policy that I could show you. Please ask anew.",
)
OF_A_POLICY = frozenset[Request](("owner", "since", "where", "why", "sure"))
"""What can be said of a policy, and of nothing else."""


@dataclass(frozen=True)
class Shown:
    """What the last answer rests on first: a passage, the quote of it, and its most decisive sentence."""

    source: Source
    quote: str
    sentence: str


def left_open(owner: str | None) -> Message:
    """The reply to such a request after a question that no policy answers. `owner` may be sent it."""
    offer = f" Say “yes”, and I pass it on to {plain(owner)}." if owner else ""
    return Message(text=f"No policy answers that question, so there is none to name.{offer}")


def told(request: Request, language: str, shown: Shown, today: date) -> Message:
    """The reply to a request about the last answer."""
    replies: dict[Request, Callable[[], Message]] = {
        "owner": lambda: facts.owner_of(shown.source),
        "since": lambda: facts.since(shown.source, today),
        "where": lambda: _where(shown),
        "more": lambda: _whole(shown),
        "why": lambda: _why(shown),
        "sure": lambda: _sure(shown, today),
        "shorter": lambda: _shorter(shown),
        "language": lambda: _untranslated(language),
    }
    return replies[request]()


def _where(shown: Shown) -> Message:
    section = section_around(shown.source.text, shown.quote)
    return Message(kind="answer", text=f"It stands in {_place(shown)}:\n\n{_cut(shown, section)}")


def _whole(shown: Shown) -> Message:
    return Message(
        kind="answer", text=f"It stands in {_place(shown)}. The whole passage:\n\n{_passage(shown)}"
    )


def _why(shown: Shown) -> Message:
    owner = shown.source.owner
    ask = f" {plain(owner)}, who owns it, can tell you more." if owner else ""
    return Message(
        kind="answer",
        text=f"If the policy gives a reason, it stands around what I quoted, in {_place(shown)}:\n\n"
        f"{_passage(shown)}\n\nI don't guess at reasons.{ask}",
    )


def _sure(shown: Shown, today: date) -> Message:
    owner = "" if shown.source.kind == "entry" else f" {facts.owner_of(shown.source).text}"
    return Message(
        text="What I quoted stands there word for word. Whether it fits your case is for you to judge, or "
        f"for the owner. {facts.since(shown.source, today).text}{owner}"
    )


def _shorter(shown: Shown) -> Message:
    words = quoted_from(shown.source, shown.sentence)
    return Message(kind="answer", text=f"{words}\n\n_{plain(shown.source.document)}_")


def _place(shown: Shown) -> str:
    if shown.source.kind == "entry":
        return f"the answer that {plain(shown.source.owner or 'a policy owner')} gave to a question"
    section = shown.source.section_of(shown.quote)
    return f"**{plain(shown.source.document)}**" + (f", {plain(section)}" if section else "")


def _passage(shown: Shown) -> str:
    return _cut(shown, shown.source.text)


def _cut(shown: Shown, text: str) -> str:
    cut = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN].rsplit(" ", 1)[0] + " …"
    return quoted_from(shown.source, cut, marks_headings=True)


def _untranslated(language: str) -> Message:
    return Message(
        kind="notice",
        text=f"I can't write {plain(language)} here: no language model is set up, and I would rather quote "
        "the policy as it stands than guess.",
    )
