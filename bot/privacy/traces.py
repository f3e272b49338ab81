"""A person's name, accounts and words where they stand in what belongs to others, taken out there.

A name gives way to "a former colleague", words that a message shows to somebody else to "(erased)".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any

from sqlalchemy import JSON, Column, Enum, String, Table, UniqueConstraint, cast, true, update
from sqlmodel import AutoString, SQLModel, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import plain
from bot.store.tables import (
    CachedAnswer,
    Company,
    Department,
    Document,
    DocumentAudience,
    DocumentVersion,
    Identity,
    Installation,
    OutboxMessage,
    Passage,
    Person,
    Role,
    SentDigest,
    WatchedFile,
    WatchedFolder,
    WeeklyAggregate,
)

SOMEBODY = "a former colleague"
ERASED = "(erased)"
_STAY: tuple[type[SQLModel], ...] = (
    Company, Department, Role, Person, Identity, Installation,
    Document, DocumentAudience, DocumentVersion, Passage, WatchedFile, WatchedFolder,
    WeeklyAggregate, SentDigest,
)  # fmt: skip
"""Not looked through: the organisation and its policies, which are the company's own words, other people, and
what is frozen. What quotes policies is no table of its own (bot.privacy.erase empties CachedAnswer)."""

_FEWEST, _ENOUGH = 4, 6
_QUICK = 300
"""Up to so many texts it is quicker to look for their words than to take the words of a message apart."""
_WORD = re.compile(r"[^\W_]+")
_PERSON_KEYS = frozenset(("owner_id", "person_id", "approver"))
_CHUNK = 1_000

Scrub = Callable[[str], str]


class Quotes:
    """Recognises what somebody said where it is shown again: whole, line by line, or cut off.

    Marks and spaces between the words do not count. Fewer than four words say nothing of who said them, and
    six in a row from the beginning are enough.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_head: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        said = {_words(part) for text in texts for part in (text, *text.splitlines())}
        for words in sorted(said):
            if len(words) >= _FEWEST:
                self._by_head.setdefault(words[:_FEWEST], []).append(words)
        # Long words are seldom: most texts are told apart by the first of them.
        self._signs = [sorted(head, key=len, reverse=True) for head in self._by_head]

    def without(self, text: str, instead: str = ERASED, but: Quotes | None = None) -> str:
        """`text` with `instead` in place of what they said, except what is also `but`'s."""
        if len(self._signs) <= _QUICK and not self._may_stand_in(text):
            return text
        places = [found.span() for found in _WORD.finditer(text)]
        words = [text[start:end].casefold() for start, end in places]
        shown, at, done = "", 0, 0
        while at <= len(words) - _FEWEST:
            length = self._length(words, at)
            if length and not (but is not None and but._length(words, at) >= length):
                shown += text[done : places[at][0]] + instead
                done = places[at + length - 1][1]
            at += length or 1
        return shown + text[done:]

    def _may_stand_in(self, text: str) -> bool:
        folded = text.casefold()
        return any(all(word in folded for word in sign) for sign in self._signs)

    def _length(self, words: list[str], at: int) -> int:
        """How many words from `at` on are theirs."""
        lengths = [0]
        for said in self._by_head.get(tuple(words[at : at + _FEWEST]), []):
            pairs = zip(said, words[at:], strict=False)
            alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            if alike >= min(len(said), _ENOUGH):
                lengths.append(alike)
        return max(lengths)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in _WORD.findall(text))


class Marks:
    """Recognises a person by full name, address and accounts."""

    def __init__(self, person: Person, accounts: Iterable[Identity]) -> None:
        self.person_id = person.id or 0
        ids = {each.external_id for each in accounts} | {str(t) for each in accounts for t in _places(each)}
        self._codes = sorted({person.email, *ids} - {"", f"person:{person.id}"}, key=len, reverse=True)
        self._name = person.name
        # One word may be a word of the language, too, when it is written small.
        flags = re.IGNORECASE if " " in person.name.strip() else 0
        self._name_found = re.compile(_any_of({person.name, plain(person.name)}), flags)
        self._code_found = re.compile(_any_of(self._codes), re.IGNORECASE)

    def without(self, text: str) -> str:
        """`text` that names nobody of that kind."""
        return self._code_found.sub(ERASED, self._name_found.sub(SOMEBODY, text))

    def may_stand_in(self, column: Any) -> Any:
        """A condition that holds at least for every row whose column names the person."""
        needles = {form for text in (self._name, *self._codes) for form in _forms(text) if form}
        if isinstance(column.type, JSON):
            needles |= {f'"{key}": {self.person_id}' for key in _PERSON_KEYS}
        text = cast(column, String)
        return or_(*(text.icontains(form, autoescape=True) for form in sorted(needles)))


def _places(account: Identity) -> Iterator[str]:
    if account.address.get("conversation"):
        yield account.address["conversation"]


def _any_of(texts: Iterable[str]) -> str:
    known = [re.escape(text) for text in sorted(texts, key=len, reverse=True) if text.strip()]
    return rf"(?<!\w)(?:{'|'.join(known)})(?!\w)" if known else "(?!)"


def _forms(text: str) -> Iterator[str]:
    """A text as it may stand in a column of words and in one of JSON, in whatever case.

    SQLite knows no small letters but those of English: of others it has to be given both.
    """
    for each in {text, plain(text)}:
        for cased in {each.lower()} if each.isascii() else {each, each.lower()}:
            yield cased
            yield json.dumps(cased)[1:-1]


def scrubbed(value: Any, scrub: Scrub, person_id: int) -> Any:
    """JSON with every text scrubbed. A button that bears the person's name goes, an id of theirs is None."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [scrubbed(each, scrub, person_id) for each in value if not _names(each, scrub)]
    if isinstance(value, dict):
        return {
            key: None if key in _PERSON_KEYS and each == person_id else scrubbed(each, scrub, person_id)
            for key, each in value.items()
        }
    return value


def _names(value: Any, scrub: Scrub) -> bool:
    if not isinstance(value, dict) or value.keys() - {"style", "url"} != {"id", "label"}:
        return False
    return bool(scrub(str(value["label"])) != value["label"])


async def take_out(tx: AsyncSession, marks: Marks, quotes: Quotes) -> None:
    """Take name, accounts and words out of every table but those that stay."""
    stay = {table.__table__.name for table in (*_STAY, CachedAnswer)}  # type: ignore[attr-defined]
    for table in SQLModel.metadata.sorted_tables:
        for column in _columns_of_words(table) if table.name not in stay else ():
            await _scrub(tx, column, marks.may_stand_in(column), marks.without, marks.person_id)
    messages = OutboxMessage.__table__.c.message  # type: ignore[attr-defined]
    await _scrub(tx, messages, true(), quotes.without, marks.person_id)


def _columns_of_words(table: Table) -> list[Column[Any]]:
    """The columns with free words. Keys are none: they name a row and are kept whole."""
    keys = {
        column for each in table.constraints if isinstance(each, UniqueConstraint) for column in each.columns
    }
    return [
        column
        for column in table.columns
        if isinstance(column.type, String | AutoString | JSON)
        and not isinstance(column.type, Enum)
        and not column.primary_key
        and column not in keys
        and column.name != "conversation"
    ]


async def _scrub(tx: AsyncSession, column: Column[Any], where: Any, scrub: Scrub, person_id: int) -> None:
    """Scrub a column of the rows that `where` picks, some at a time."""
    connection = await tx.connection()
    [key] = column.table.primary_key.columns
    wanted = select(key, column).where(where).order_by(key).limit(_CHUNK)
    rows = (await connection.execute(wanted)).all()
    while rows:
        for number, value in rows:
            new = scrubbed(value, scrub, person_id)
            if new != value:
                new = new[: getattr(column.type, "length", None)] if isinstance(new, str) else new
                await connection.execute(update(column.table).where(key == number).values({column.name: new}))
        rows = (await connection.execute(wanted.where(key > rows[-1][0]))).all()
