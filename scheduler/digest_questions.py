"""Asking about a digest: where a figure comes from, and the digests of earlier weeks as they were sent."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.choice_ids import parse_choice_id
from bot.messages import Message, plain
from bot.store.tables import Department, SentDigest
from bot.turns import Turn

PREFIX = "digest"

_WHERE_FROM = re.compile(
    r"where (?:does|do|did|is|are) (.+?) (?:come|coming|taken) from"
    r"|(?:what is|what's|what are) (?:behind|the source of|the basis of) (.+)"
    r"|how (?:is|are|was|were|do you get|did you get) (.+?)(?: (?:computed|calculated|measured|worked out))?"
)
_SHOW = re.compile(
    r"(?:please )?(?:show|open)?(?: me)?(?: the| my| our)?(?: last| latest)? ?(?:weekly )?digest"
    r"(?: (?:of|for|from)(?: week)? (\d{4}-W\d{2}))?",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d[\d.,]*(?:\s?[-–]\s?\d+)?\s?%?")


@dataclass(frozen=True)
class Prepared:
    """Nothing is needed beforehand."""


class DigestUseCase:
    """Answers from the stored digest, never from today's data: the figure is explained as it was sent."""

    prefix = PREFIX

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words about a figure, or about a digest, of somebody who got one."""
        words = _words(turn)
        if not (_SHOW.fullmatch(words) or _figure_asked(words) is not None):
            return False
        return await _latest(tx, turn, None) is not None

    async def prepare(self, turn: Turn) -> Prepared:
        """Nothing takes time here."""
        return Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """One question about a digest."""
        if turn.choice is not None:
            choice = parse_choice_id(turn.choice)
            name, _, week = choice.what.partition(".") if choice else ("", "", "")
            found = await _latest(tx, turn, week) if name == "sources" else None
            return [_NOTHING if found is None else _sources(found, None)]
        words = _words(turn)
        if (shown := _SHOW.fullmatch(words)) is not None:
            found = await _latest(tx, turn, shown[1].upper() if shown[1] else None)
            return [_NOTHING if found is None else Message.model_validate(found.content["message"])]
        found = await _latest(tx, turn, None)
        return [_NOTHING if found is None else _sources(found, _figure_asked(words))]


_NOTHING = Message(kind="notice", text="I have no digest of that week for you.")


def _words(turn: Turn) -> str:
    return " ".join((turn.text or "").split()).strip(" ?.!")


def _figure_asked(words: str) -> str | None:
    """The figure that a question names, such as "31%"; None if it is not about a figure."""
    found = _WHERE_FROM.fullmatch(words.lower())
    if found is None:
        return None
    figure = _FIGURE.search(next(part for part in found.groups() if part))
    return _bare(figure[0]) if figure else None


def _bare(figure: str) -> str:
    return figure.replace(" ", "").replace("-", "–").rstrip(".,")


async def _latest(tx: AsyncSession, turn: Turn, week: str | None) -> SentDigest | None:
    """The digest of `week`, else the newest, that went to this person or to the channel where they ask."""
    recipients = [f"person:{turn.person_id}"]
    channels = await tx.exec(select(Department.id, Department.channels))
    recipients += [
        f"department:{id_}" for id_, known in channels if known.get(turn.platform) == turn.conversation
    ]
    query = select(SentDigest).where(col(SentDigest.recipient).in_(recipients))
    if week:
        query = query.where(SentDigest.week == week)
    found = await tx.exec(query.order_by(col(SentDigest.week).desc(), col(SentDigest.id).desc()).limit(1))
    return found.first()


def _sources(digest: SentDigest, figure: str | None) -> Message:
    """Where the figures come from: the one that was asked about if the digest says it, else all of them."""
    figures = digest.content.get("figures", [])
    asked = [each for each in figures if figure is not None and figure in _bare(each["text"])]
    lines = [
        f"- **{plain(each['text'])}** {plain(each['meaning'])} _{plain(each['source'])}_"
        for each in _once(asked or figures)
    ]
    if not lines:
        return Message(text=f"The digest of {digest.week} has no figures.")
    head = f"From the digest of {digest.week}, as it was sent:"
    if figure is not None and not asked:
        head = f"The digest of {digest.week} does not say {plain(figure)}. These are its figures:"
    return Message(text="\n".join([head, "", *lines]))


def _once(figures: list[dict[str, str]]) -> list[dict[str, str]]:
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for each in figures:
        seen.setdefault((each["text"], each["meaning"]), each)
    return list(seen.values())
