"""Questions about a document that they name ("who owns the leave policy?"), and the list of all documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

import Stemmer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import Message, plain
from bot.store.tables import Document, DocumentVersion, Passage
from knowledge import facts
from knowledge.answer import Source
from knowledge.lexical import STOP_WORDS
from knowledge.stored import sources_of

Fact = Literal["owner", "since", "show"]

_DOCUMENT = r"(?:polic(?:y|ies)|guidelines?|rules?|handbook|document|standard|procedure)"
_NAME = rf"(?:the |our |a |an |any )*([^?]{{2,80}}?) {_DOCUMENT}"
_OF = rf"(?:the |our |a |an |any )*{_DOCUMENT} (?:on|for|about) ([^?]{{2,80}}?)"
_SUBJECT = rf"(?:{_NAME}|{_OF})"
_FORMS: dict[Fact, re.Pattern[str]] = {
    "owner": re.compile(
        rf"(?:who(?:'s| is| are)?|whom?) (?:owns?|(?:the )?owners? (?:of|for)|responsible for|in charge of|"
        rf"maintains?|wrote|keeps) {_SUBJECT}|"
        rf"whom? (?:can|do|should) i (?:ask|contact|talk to) about {_SUBJECT}|"
        rf"who is (?:the )?{_NAME} owner"
    ),
    "since": re.compile(
        rf"(?:since )?when (?:was|is|were|did|will) {_SUBJECT} (?:be )?(?:last |next )?"
        r"(?:reviewed|updated|changed|written|start|valid|in force|due)(?: last| next)?|"
        rf"how (?:old|recent|current|new) is {_SUBJECT}|"
        rf"is {_SUBJECT} (?:still )?(?:valid|current|up to date|in force)|"
        rf"(?:which|what) version of {_SUBJECT}(?: (?:is )?(?:valid|current|in force))?"
    ),
    "show": re.compile(
        rf"(?:(?:can|could|please) you |please )?(?:show|open|give|send)(?: me)? {_SUBJECT}|"
        rf"(?:link|where) (?:to|is|are|(?:can|do) i (?:find|see|read|get)) {_SUBJECT}|"
        rf"(?:do|have) (?:we|you) (?:have |got )?{_SUBJECT}|is there {_SUBJECT}"
    ),
}
_LIST = re.compile(
    r"(?:(?:please )?(?:list|show)(?: me)? )?(?:(?:which|what) |all )?(?:the |our |all )*"
    r"(?:polic(?:y|ies)|documents)(?: (?:are there|are available|exist|"
    r"(?:do|can) (?:you|we|i) (?:have|know|read|ask(?: about)?)))?|"
    r"what (?:do you know|can i ask(?: you)?(?: about)?)"
)
_MOST = 30  # documents that a list names
_FEW = 5  # documents that one name may mean


def asks_for_list(text: str) -> bool:
    """Whether somebody wants to know which documents there are."""
    return _LIST.fullmatch(_folded(text)) is not None


def recognise(text: str) -> tuple[Fact, str] | None:
    """Which fact is asked about which document, by the name that the question gives it."""
    folded = _folded(text)
    for fact, form in _FORMS.items():
        if found := form.fullmatch(folded):
            name = next((words for words in found.groups() if words), "")
            return (fact, name) if _stems(name) else None
    return None


async def told(
    session: AsyncSession, fact: Fact, name: str, allowed: frozenset[int], today: date
) -> Message | None:
    """The fact, of the documents of that name among those that may be read; None where there are none."""
    sources = await _named(session, name, allowed)
    if not sources:
        return None
    messages = [_fact(fact, source, today) for source in sources[:_FEW]]
    if len(sources) > _FEW:
        messages.append(f"{len(sources) - _FEW} more have such a name.")
    return Message(text="\n\n".join(messages))


async def listed(session: AsyncSession, allowed: frozenset[int]) -> Message:
    """The titles of all documents that may be read."""
    found = await session.exec(
        select(Document.title)
        .where(col(Document.id).in_(allowed), Document.kind == "policy")
        .order_by(Document.title)
    )
    titles = list(found)
    if not titles:
        return Message(text="There are no policies yet that you may read.")
    lines = [f"- {plain(title)}" for title in titles[:_MOST]]
    if len(titles) > _MOST:
        lines.append(f"- and {len(titles) - _MOST} more")
    return Message(text="You may ask me about these:\n" + "\n".join(lines), input_hint="Ask about a policy")


def _fact(fact: Fact, source: Source, today: date) -> str:
    if fact == "owner":
        return facts.owner_of(source).text
    told = facts.since(source, today).text
    return told if fact == "since" else f"{told} {facts.owner_of(source).text} Ask me what it says."


async def _named(session: AsyncSession, name: str, allowed: frozenset[int]) -> list[Source]:
    """Documents whose title holds every word of the name, or at least its stem; where a title is the name
    itself, that one only."""
    titles = await session.exec(
        select(Document.id, Document.title).where(col(Document.id).in_(allowed), Document.kind == "policy")
    )
    known = list(titles)
    for words_of in (_words, _stems):
        wanted, words = words_of(name), {number: words_of(title) for number, title in known}
        if held := [number for number, own in words.items() if wanted <= own]:
            same = [number for number in held if words[number] == wanted]
            return await _firsts(session, same or held, allowed)
    return []


async def _firsts(
    session: AsyncSession, documents: Sequence[int | None], allowed: frozenset[int]
) -> list[Source]:
    """The first passage of each document."""
    found = await session.exec(
        select(Passage.id)
        .join(DocumentVersion, col(DocumentVersion.id) == Passage.version_id)
        .where(DocumentVersion.current, col(Passage.document_id).in_(documents), Passage.ordinal == 0)
    )
    sources = await sources_of(session, {number or 0: 0.0 for number in found}, allowed)
    return sorted(sources, key=lambda source: source.document)


def _words(text: str) -> frozenset[str]:
    words = [word for word in re.findall(r"\w+", text.casefold()) if word not in STOP_WORDS]
    return frozenset(word for word in words if not re.fullmatch(_DOCUMENT, word))


def _stems(text: str) -> frozenset[str]:
    return frozenset(Stemmer.Stemmer("english").stemWords(list(_words(text))))


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split()).strip(" ?!.")
