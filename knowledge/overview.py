"""How the policies serve the company, in words: for owners about their own, for those who lead about all.

What is asked most, answered worst and never, which documents are stale or without an owner, and which
passages answers rest on. Nobody is named, and of a question that only a few asked no words are shown.
"""

from __future__ import annotations

import re
from typing import Literal

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, actor, can
from bot.messages import Message, Table, plain
from bot.store.tables import Document, Passage
from bot.turns import Turn
from knowledge.audience import readable, reader
from knowledge.usage import DocumentUse, Usage, usage

Part = Literal["asked", "worst", "never", "stale", "unowned", "rest", "all"]

LEAST_ASKERS = 5
"""People who must have asked the same before those who lead the company see its words."""

_MOST_NAMED = 10
_WHICH = r"(?:show me |show |list |tell me )?(?:which|what|the|our|all)? ?(?:are |is )?(?:the |our )?"
_POLICIES = r"(?:policies|documents|policy documents)"
_FORMS: dict[Part, re.Pattern[str]] = {
    "asked": re.compile(
        r"(?:show me )?what (?:is|do people|are people|does everybody|do employees)(?: being)? ask(?:ed|ing)?"
        r"(?: about)?(?: the)? ?(?:most|most often)?|(?:the )?most asked(?: questions)?|top questions|"
        r"(?:the )?most (?:common|frequent) questions"
    ),
    "worst": re.compile(
        rf"{_WHICH}(?:answers|questions)? ?(?:are |is |was |were )?(?:the )?answered (?:worst|badly)|"
        rf"{_WHICH}worst answer(?:s|ed)(?: questions)?|{_WHICH}bad(?:ly)?(?: marked| rated)? answers"
    ),
    "never": re.compile(
        rf"{_WHICH}(?:questions )?(?:are |is |was |were |stay |remain )?(?:never answered|unanswered|"
        rf"left open)(?: questions)?|{_WHICH}(?:questions )?(?:have|has|with|without) (?:no|an) answer|"
        r"what (?:can|could) (?:you|we) not answer|what can't you answer|where are the policies silent"
    ),
    "stale": re.compile(
        rf"{_WHICH}(?:stale|overdue|outdated) {_POLICIES}|{_WHICH}(?:overdue|late) (?:policy )?reviews|"
        rf"(?:which|what) {_POLICIES} are (?:stale|overdue|outdated|out of date|due for (?:a )?review)|"
        r"(?:which|what) reviews are (?:overdue|late)"
    ),
    "unowned": re.compile(
        rf"{_WHICH}(?:unowned|ownerless) {_POLICIES}|{_WHICH}{_POLICIES} (?:have|with|without|has) (?:no|an) "
        r"owner|" + rf"(?:which|what) {_POLICIES} (?:are without an owner|have nobody|nobody owns)"
    ),
    "rest": re.compile(
        rf"(?:what|which (?:{_POLICIES}|passages|sections)) do (?:the |your |our )?answers (?:rest|depend) "
        rf"on|(?:which|what) (?:{_POLICIES}|passages|sections) are used (?:the )?most|most used {_POLICIES}"
    ),
    "all": re.compile(
        rf"how (?:are|do) (?:the|our) {_POLICIES} (?:used|doing|serving us|serve us|do)|"
        rf"(?:policy|{_POLICIES}) (?:usage|health|overview)|state of the {_POLICIES}"
    ),
}


def recognise(text: str) -> Part | None:
    """Which part of the overview is asked for, None for any other words."""
    folded = " ".join(text.casefold().replace("’", "'").split()).strip(" ?!.")
    return next((part for part, form in _FORMS.items() if form.fullmatch(folded)), None)


async def wants(session: AsyncSession, turn: Turn) -> bool:
    """Whether somebody who may see the overview asks for it. Never in a channel."""
    if turn.public or recognise(turn.text or "") is None:
        return False
    who = await actor(session, turn.person_id)
    return _sees_all(who) or await _owns_any(session, who)


def _sees_all(who: Actor) -> bool:
    return can(who, Action.SEE_COMPANY) or can(who, Action.ADMINISTER)


async def _owns_any(session: AsyncSession, who: Actor) -> bool:
    own = select(Document.id).where(Document.owner_id == who.person_id, col(Document.removed_at).is_(None))
    return not who.outside and (await session.exec(own.limit(1))).first() is not None


async def shown(session: AsyncSession, turn: Turn) -> Message:
    """The part that `turn` asks for: of all documents that the person may read, or of the own ones."""
    part = recognise(turn.text or "") or "all"
    who = await actor(session, turn.person_id)
    if _sees_all(who):
        allowed = await readable(session, await reader(session, turn.person_id), turn.at.date())
        used = await usage(session, turn.at, documents=allowed, least=LEAST_ASKERS)
        whose = "The policies that you may read,"
    else:
        used, whose = await usage(session, turn.at, owner_id=turn.person_id), "Your policies"
    parts: tuple[Part, ...] = ("asked", "worst", "never", "stale", "unowned") if part == "all" else (part,)
    paragraphs = [f"{whose} over the last 90 days."]
    paragraphs += [await _told(session, each, used) for each in parts if each != "rest"]
    table = await _resting(session, used) if part in ("rest", "all") else None
    if part == "rest" and table is None:
        paragraphs.append("No answer rests on them yet.")
    return Message(kind="result", text="\n\n".join(paragraphs), table=table)


async def _told(session: AsyncSession, part: Part, used: Usage) -> str:
    if part == "asked":
        return _questions("Asked most", used.most_asked, "No question was asked by several people yet.")
    if part == "worst":
        return _questions(
            "Answered worst", used.worst_answered, "No answer was marked as bad by several people."
        )
    if part == "never":
        questions = "1 question" if used.unanswered == 1 else f"{used.unanswered} questions"
        more = f" In all, {questions} near them found no answer." if used.unanswered else ""
        return (
            _questions("Never answered", used.never_answered, "No open question came from several people.")
            + more
        )
    if part == "stale":
        return _documents(
            "Their review is overdue", [d for d in used.documents if d.stale], "No review is overdue."
        )
    return _documents(
        "Without an owner", [d for d in used.documents if d.unowned], "Each of them has an owner."
    )


def _questions(title: str, asked: tuple[tuple[str, int], ...], none: str) -> str:
    if not asked:
        return none
    return f"**{title}**\n" + "\n".join(f"- {plain(text)} ({count} times)" for text, count in asked)


def _documents(title: str, found: list[DocumentUse], none: str) -> str:
    if not found:
        return none
    most_used = sorted(found, key=lambda each: -each.answers)
    lines = [f"- {plain(each.title)} ({_answers(each.answers)})" for each in most_used[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        lines.append(f"- and {len(found) - _MOST_NAMED} more")
    return f"**{title}**\n" + "\n".join(lines)


def _answers(count: int) -> str:
    return (
        "no answer rests on it" if not count else f"{count} answer{'s rest' if count > 1 else ' rests'} on it"
    )


async def _resting(session: AsyncSession, used: Usage) -> Table | None:
    found = await session.exec(
        select(Passage.id, Document.title)
        .join(Document, col(Document.id) == Passage.document_id)
        .where(col(Passage.id).in_([passage for passage, _, _ in used.passages]))
    )
    titles = dict(found.all())
    rows = [
        (count, plain(titles[passage]), plain(section) or "Beginning")
        for passage, section, count in used.passages
        if passage in titles
    ]
    if not rows:
        return None
    return Table(
        caption="What answers rest on, 90 days",
        columns=("Document", "Section", "Answers"),
        rows=tuple(
            (title, section, str(count)) for count, title, section in sorted(rows, key=lambda r: -r[0])
        ),
    )
