"""A sentence of one's own for the digest (instrument, privacy): a lead picks it, it stands there word for
word, and may be taken back until the digest has left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from itertools import islice

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.phrases import day, lower
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.clock import at_local, local_day, week_key, week_start, zone
from bot.messages import Choice, Message, plain
from bot.organisation.directory import headcount, led_departments
from bot.store.tables import Answer, Company, Department
from bot.turns import Turn

PREFIX = "release"
LIST = str(ChoiceId(PREFIX, 0, 0, "list"))
MOST, OF_ONE = 5, 2
"""Sentences that are offered, and of one answer."""
LEAST_WORDS, MOST_WORDS = 4, 30
"""Of a sentence: fewer say little, and a digest has 150 for everything."""
_RECENT = timedelta(days=90)
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|\n+")
_SENTENCE = r"(?:a |one |my |our )?(?:sentences?|words|quotes?|answers?)"
_ASKED = re.compile(
    r"(?:(?:can|could|may) (?:i|you|we) |please |i(?:'d| would) like to |i want to )?"
    rf"(?:release|publish|quote) (?:{_SENTENCE}(?: of mine| of ours)?(?: (?:for|in|to) the digest)?|me|us)"
    r"(?: please)?"
    rf"|(?:put|show) {_SENTENCE} (?:in|into) the digest(?: please)?|a sentence for the digest"
)
_BACK = re.compile(
    r"(?:take|pull) (?:my|the|that|our) (?:sentence|quote|words) (?:back|out(?: of the digest)?)"
    r"|(?:don't|do not) (?:release|publish|quote) (?:it|that|me|us)|unrelease(?: it| that)?"
)


class ReleaseUseCase:
    """A use case (see bot.turns.UseCase)."""

    prefix = PREFIX

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Words of a lead that are about a sentence for the digest. Never in a channel."""
        said = _words(turn)
        if turn.public or not (_ASKED.fullmatch(said) or _BACK.fullmatch(said)):
            return False
        return bool(await led_departments(tx, turn.person_id))

    async def prepare(self, turn: Turn) -> None:
        """Nothing takes time here."""

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        """What may be picked, one that is picked, or one that is taken back."""
        choice = parse_choice_id(turn.choice) if turn.choice is not None else None
        if choice is None:
            back = _BACK.fullmatch(_words(turn))
            return [await (self._taken_back if back else self._offered)(tx, turn)]
        if choice.what == "list":
            return [await self._offered(tx, turn)]
        if choice.what == "back":
            return [await self._taken_back(tx, turn)]
        if choice.what == "none":
            return [Message(text="Fine, nothing of yours is shown.")]
        return [await self._picked(tx, turn, choice)]

    async def _offered(self, tx: AsyncSession, turn: Turn) -> Message:
        found = await self._sentences(tx, turn)
        if not found:
            return Message(text=_NOTHING)
        names = sorted({plain(department.name) for _, department, _ in found})
        lines = [
            f"**{number}** “{plain(sentence)}” _({self._place(row, department if len(names) > 1 else None)})_"
            for number, (row, department, sentence) in enumerate(found, start=1)
        ]
        monday = day(await _next_digest(tx, turn.at))
        return Message(
            kind="question",
            text=f"Which one may stand in the digest of {monday}, word for word? The executives and the team "
            f"read it, with the name of {' or '.join(names)} and without yours. Please look whether it names "
            "a person or a customer.\n\n" + "\n\n".join(lines),
            choices=(
                *(
                    Choice(
                        id=str(ChoiceId(PREFIX, row.id or 0, 0, f"pick.{_mark(sentence)}")), label=f"{number}"
                    )
                    for number, (row, _, sentence) in enumerate(found, start=1)
                ),
                Choice(id=str(ChoiceId(PREFIX, 0, 0, "none")), label="None of these"),
            ),
        )

    def _place(self, row: Answer, department: Department | None) -> str:
        name = f"{plain(department.name)}, " if department is not None else ""
        return f"{name}{lower(self._instrument.criterion(row.criterion).name)}, {day(row.answered_at)}"

    async def _picked(self, tx: AsyncSession, turn: Turn, choice: ChoiceId) -> Message:
        wanted = choice.what.removeprefix("pick.")
        found = await self._sentences(tx, turn)
        asked = (each for each in found if each[0].id == choice.session and _mark(each[2]) == wanted)
        row, department, sentence = next(asked, (None, None, ""))
        if row is None or department is None:
            return Message(kind="notice", text=_GONE)
        for earlier in await _released_by(tx, turn.person_id):
            if earlier.department_id == row.department_id:
                earlier.released, earlier.released_at = "", None
        row.released, row.released_at = sentence, turn.at
        monday = day(await _next_digest(tx, turn.at))
        return Message(
            text=f"Thank you. It stands in the digest of {plain(department.name)} of {monday}, and in the "
            f"executives' where there is room:\n\n> {plain(sentence)}\n\nUntil then you can take it back.",
            choices=(Choice(id=str(ChoiceId(PREFIX, row.id or 0, 0, "back")), label="Take it back"),),
        )

    async def _taken_back(self, tx: AsyncSession, turn: Turn) -> Message:
        monday = await _next_digest(tx, turn.at) - timedelta(days=7)
        begun = at_local(monday, time(0), zone(await _zone(tx)))
        rows = await _released_by(tx, turn.person_id)
        waiting = [row for row in rows if row.released_at is not None and row.released_at >= begun]
        for row in waiting:
            row.released, row.released_at = "", None
        if waiting:
            return Message(text="Taken back. The digest won't show it.")
        return Message(text=_SENT if rows else "No sentence of yours is released.")

    async def _sentences(self, tx: AsyncSession, turn: Turn) -> list[tuple[Answer, Department, str]]:
        """What the asker may release: the first sentences of their own recent answers, the newest first."""
        led = {each.id: each for each in await led_departments(tx, turn.person_id)}
        shown = [key for key in led if await headcount(tx, key) >= self._instrument.privacy.min_group]
        rows = await tx.exec(
            select(Answer)
            .where(
                Answer.picked_by == turn.person_id,
                col(Answer.department_id).in_(shown),
                col(Answer.second).is_(False),
                Answer.words != "",
                Answer.answered_at > turn.at - _RECENT,
            )
            .order_by(col(Answer.answered_at).desc(), col(Answer.id).desc())
        )
        known = {each.id for each in self._instrument.criteria}
        newest: dict[tuple[int, str], Answer] = {}
        for row in rows:
            if row.criterion in known:
                newest.setdefault((row.department_id, row.criterion), row)
        found = [
            (row, led[row.department_id], sentence)
            for row in newest.values()
            for sentence in islice(_fitting(row.words), OF_ONE)
        ]
        return found[:MOST]


async def released_in(tx: AsyncSession, week: str) -> dict[str, str]:
    """What leads released in a week of the company's calendar: department's slug -> the sentence."""
    monday, own_zone = week_start(week), zone(await _zone(tx))
    rows = await tx.exec(
        select(Department.slug, Answer.released)
        .join(Department, col(Department.id) == Answer.department_id)
        .where(
            Answer.released != "",
            col(Answer.released_at) >= at_local(monday, time(0), own_zone),
            col(Answer.released_at) < at_local(monday + timedelta(days=7), time(0), own_zone),
        )
        .order_by(col(Answer.released_at), col(Answer.id))
    )
    return dict(rows.all())


def _fitting(words: str) -> Iterator[str]:
    """The sentences of an answer that are of a length to be shown."""
    for part in _SENTENCE_ENDS.split(words):
        sentence = " ".join(part.split())
        if LEAST_WORDS <= len(sentence.split()) <= MOST_WORDS and len(sentence) <= MOST_WORDS * 10:
            yield sentence


def _mark(sentence: str) -> str:
    """Tells a sentence from what the answer may say by the time a button is pressed."""
    return sha256(sentence.encode()).hexdigest()[:8]


async def _released_by(tx: AsyncSession, person_id: int) -> list[Answer]:
    rows = await tx.exec(select(Answer).where(Answer.picked_by == person_id, Answer.released != ""))
    return list(rows)


async def _zone(tx: AsyncSession) -> str:
    company = await tx.get(Company, 1)
    return company.time_zone if company is not None else "UTC"


async def _next_digest(tx: AsyncSession, now: datetime) -> date:
    """The Monday after the present week."""
    today = local_day(now, zone(await _zone(tx)))
    return week_start(week_key(today)) + timedelta(days=7)


def _words(turn: Turn) -> str:
    return " ".join((turn.text or "").lower().replace("’", "'").split()).strip(" .?!")


_NOTHING = (
    "I have no sentence of yours to offer: it takes an answer in your own words from the last 90 days, with "
    "a sentence of four to 30 words, in a department that is big enough to be shown."
)
_GONE = "That sentence is no longer as it was. “Release a sentence” shows what there is now."
_SENT = "It stood in a digest that has left, so I can't take it out of there. It isn't shown again."
