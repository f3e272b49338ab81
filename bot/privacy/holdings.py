"""Which tables hold something about a person, and what becomes of it when the person is erased.

The list is complete as long as `unknown_links` finds nothing (a test asks it). Three things are no foreign
key: what somebody wrote to us (found by conversation and account), what was written to them, and the
recipient of a digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, MetaData, case
from sqlmodel import SQLModel, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import load_instrument
from bot.store.tables import (
    Answer,
    AuditLogEntry,
    Blocker,
    CoverageAnswer,
    DialogueSession,
    Document,
    DocumentVersion,
    Duty,
    Gap,
    Identity,
    InboxEvent,
    Leave,
    OutboxMessage,
    PendingUpload,
    Person,
    Plan,
    PolicyQuestion,
    Process,
    ScheduledMessage,
    WatchedFolder,
)

ERASED_STEP = "A step whose words were erased"
ERASED_NOTE = "Something whose words were erased"
ERASED_REASON = "The reason was erased."
"""All three are shown to people, for whom nothing at all would look like a mistake."""


class Fate(StrEnum):
    """What becomes of a row when its person is erased."""

    GOES = "goes"
    UNNAMED = "unnamed"
    """It stays, without the person and without their words: something else rests on it."""
    HANDED_ON = "handed on"
    """Whoever answers for what has no owner gets it."""


@dataclass(frozen=True)
class Link:
    """A column that names a person.

    `words` are the columns that this person wrote in that part; `after` is what stands in the row afterwards,
    beside the person's name.
    """

    column: str
    fate: Fate = Fate.UNNAMED
    words: tuple[str, ...] = ()
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Holding:
    """A table, what its rows are called for people, and its columns that name somebody.

    `then` tells what becomes of them; `left_out` are columns that are the company's, not the person's.
    """

    table: type[SQLModel]
    title: str
    links: tuple[Link, ...]
    then: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table's name in the database."""
        return str(self.rows.name)

    @property
    def rows(self) -> Any:
        """The table itself."""
        return self.table.__table__  # type: ignore[attr-defined]


_GOES = Fate.GOES


def _instead(column: Any, said: str) -> Any:
    """`said` where anything stood, in a statement."""
    return case((col(column) == "", ""), else_=said)


HOLDINGS: tuple[Holding, ...] = (
    Holding(Identity, "accounts", (Link("person_id", _GOES),)),
    Holding(Duty, "duties", (Link("person_id", _GOES),)),
    Holding(Leave, "days away", (Link("person_id", _GOES),)),
    Holding(
        DialogueSession,
        "sittings",
        (Link("person_id", words=("state",), after={"state": {}, "remind_on": None}),),
        then="end, and stay without name and words",
    ),
    Holding(
        Answer,
        "answers",
        (
            Link(
                "picked_by",
                words=("words", "probe_words", "evidence_text", "reason"),
                after={
                    "words": "",
                    "probe_words": "",
                    "evidence_text": "",
                    "reason": _instead(Answer.reason, ERASED_REASON),
                    "released": "",
                    "released_at": None,
                },
            ),
            Link("approver_id"),
        ),
        then="their levels stay, without name and words",
    ),
    Holding(
        CoverageAnswer,
        "coverage answers",
        (Link("person_id", words=("reason",), after={"reason": ""}),),
        then="stay without name and words",
    ),
    Holding(
        Plan,
        "next steps",
        (
            Link(
                "person_id",
                words=("text", "done_when", "after_what", "outcome"),
                after={"text": ERASED_STEP, "done_when": "", "after_what": "", "outcome": ""},
            ),
        ),
        then="open ones go, finished ones stay without name and words",
    ),
    Holding(
        Blocker,
        "blockers",
        (
            Link("raised_by", words=("note",), after={"note": _instead(Blocker.note, ERASED_NOTE)}),
            Link("owner_id", words=("owner",), after={"owner": ""}),
        ),
        then="stay without name and words",
    ),
    Holding(
        PolicyQuestion,
        "policy questions",
        (Link("person_id", _GOES, words=("text", "normalised", "mark_reason")),),
    ),
    Holding(
        Gap,
        "questions passed on",
        (
            Link("asker_id", words=("text",), after={"question_id": None}),
            Link("owner_id", words=("reply",), after={"answering_in": ""}),
        ),
        then="open ones go, answered ones stay without a name",
    ),
    Holding(PendingUpload, "dropped files", (Link("person_id", _GOES),)),
    Holding(Document, "documents", (Link("owner_id"),), then="stay without an owner"),
    Holding(
        DocumentVersion,
        "versions of documents",
        (Link("added_by"),),
        then="stay without a name",
        left_out=("text",),
    ),
    Holding(WatchedFolder, "followed folders", (Link("owner_id"),), then="stay without an owner"),
    Holding(
        Process, "processes", (Link("owner_id"), Link("noted_by", Fate.HANDED_ON)), then="stay without a name"
    ),
    Holding(OutboxMessage, "messages to them", (Link("person_id", _GOES),)),
    Holding(ScheduledMessage, "planned messages", (Link("person_id", _GOES),)),
    Holding(AuditLogEntry, "log entries", (Link("actor_id"), Link("subject_id")), then="stay without a name"),
)
"""In the order of the file. Messages are found by more than their link, see `Reach`."""


def unknown_links(metadata: MetaData) -> list[str]:
    """Columns that reference a person and are neither handed out nor erased; empty as it should be."""
    known = {(holding.name, link.column) for holding in HOLDINGS for link in holding.links}
    return sorted(
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if any(key.column.table.name == "person" for key in column.foreign_keys)
        and (table.name, column.name) not in known
    )


@dataclass(frozen=True)
class Reach:
    """Where one person is met: their own conversations, and their accounts on the platforms."""

    person_id: int
    conversations: tuple[str, ...]
    accounts: tuple[Identity, ...]

    def heard(self) -> ColumnElement[bool]:
        """What came from the person, in their own conversations and in channels."""
        return or_(
            col(InboxEvent.conversation).in_(self.conversations),
            *(_from_account(account) for account in self.accounts),
        )

    def said(self) -> ColumnElement[bool]:
        """What went to the person, or answered them where others read along."""
        events = select(InboxEvent.id).where(self.heard())
        planned = select(ScheduledMessage.id).where(self.planned())
        return or_(
            col(OutboxMessage.person_id) == self.person_id,
            col(OutboxMessage.conversation).in_(self.conversations),
            col(OutboxMessage.event_id).in_(events),
            col(OutboxMessage.scheduled_id).in_(planned),
        )

    def planned(self) -> ColumnElement[bool]:
        """What was planned for the person."""
        return or_(
            col(ScheduledMessage.person_id) == self.person_id,
            col(ScheduledMessage.recipient) == self.recipient,
        )

    @property
    def recipient(self) -> str:
        """The person as the planner and the digests name them."""
        return f"person:{self.person_id}"

    def rows_of(self, holding: Holding) -> ColumnElement[bool]:
        """The rows of a table that name the person."""
        if holding.table is OutboxMessage:
            return self.said()
        if holding.table is ScheduledMessage:
            return self.planned()
        return or_(*(holding.rows.c[link.column] == self.person_id for link in holding.links))


def _from_account(account: Identity) -> ColumnElement[bool]:
    payload: Any = col(InboxEvent.payload)
    # An organisation file may name an account of Teams with this prefix; an event names it without.
    names = [account.external_id, account.external_id.removeprefix("8:orgid:")]
    said = or_(payload["user"].as_string().in_(names), payload["aad"].as_string().in_(names))
    there = col(InboxEvent.platform) == account.platform
    if not account.tenant:
        return said & there
    of_slack = col(InboxEvent.conversation).startswith(f"{account.tenant}:", autoescape=True)
    return said & there & or_(of_slack, payload["tenant"].as_string() == account.tenant)


async def reach_of(tx: AsyncSession, person: Person) -> Reach:
    """Where `person` is met."""
    found = await tx.exec(select(Identity).where(Identity.person_id == person.id).order_by(col(Identity.id)))
    accounts = tuple(found)
    direct = [str(each.address["conversation"]) for each in accounts if each.address.get("conversation")]
    own = (f"web:{person.id}", f"chat:{person.id}", *direct)
    return Reach(person.id or 0, own, accounts)


async def words_of(tx: AsyncSession, person_id: int, theirs: bool = True) -> list[str]:
    """What the person wrote into the tables and messages show to others, or what everybody else did.

    An owner's reply is published and no longer theirs alone; a step of the instrument is nobody's own words.
    """
    common = set(_strings(load_instrument().model_dump()))
    texts: list[str] = []
    for holding in HOLDINGS:
        # A question is shown to nobody else before it is passed on; then it stands there, too.
        for link in holding.links if holding.table is not PolicyQuestion else ():
            author = holding.rows.c[link.column]
            columns = [holding.rows.c[name] for name in link.words if name not in _NOT_SPOKEN]
            if columns:
                wanted = select(*columns).where(author == person_id if theirs else author != person_id)
                found = await (await tx.connection()).execute(wanted)
                texts += [text for row in found for text in row if text and text not in common]
    return texts


_NOT_SPOKEN = frozenset(("reply", "state"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)
