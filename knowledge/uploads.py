"""A policy dropped in a chat: what it would change is shown first, and nothing changes until a yes.

Its title, or the id that it gives itself, tells whether it is a new document or a new version of one. Only
policy owners and admins may add, and only a document's own owner or an admin may replace it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, actor, can
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.errors import AccessDenied, InputError, NotFound
from bot.messages import Choice, Message, plain
from bot.store.tables import (
    Department,
    Document,
    DocumentAudience,
    DocumentVersion,
    PendingUpload,
    Person,
)
from bot.turns import Dropped, Turn
from knowledge import library
from knowledge.audience import audience_word
from knowledge.changes import Change, difference
from knowledge.extract import extract
from knowledge.extract_text import MAX_FILE, Finding, Unreadable
from knowledge.filing import Outcome
from knowledge.frontmatter import Details, split
from knowledge.rows import saved
from knowledge.service import KnowledgeService

PREFIX = "upload"
KEPT_FOR = timedelta(days=1)
MOST_FILES = 3
MOST_SECTIONS, MOST_LINES, LONGEST_LINE = 4, 2, 160
ADD, ADD_OWN, LEAVE = "add", "own", "no"

NOT_YOURS = Message(
    kind="notice",
    text="Thank you for the file. Policies are added by their owners and by admins, so I have not read it. "
    "If you have a question, just write it here.",
)
GONE = Message(
    kind="notice",
    text="I no longer have that file: it was decided already, or it waited longer than a day. Nothing was "
    "changed. Drop it again if you wish.",
)
LEFT = Message(text="All right. I have thrown the file away; the policies stay as they are.")


@dataclass(frozen=True)
class Preview:
    """What a file would change. `document` and `version` are what it would replace; None where it is new."""

    name: str
    title: str
    details: Details
    document: Document | None = None
    version: DocumentVersion | None = None
    audience: tuple[str, ...] = ()
    owner: str | None = None
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    same: bool = False

    @property
    def base_version(self) -> int | None:
        """The number of the version that would be replaced."""
        return self.version.number if self.version is not None else None


@dataclass(frozen=True)
class Read:
    """A dropped file with its preview, or why it can't be taken."""

    name: str
    data: bytes = b""
    preview: Preview | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Prepared:
    """The files that were read, or what became of a confirmed one."""

    read: tuple[Read, ...] = ()
    outcome: Outcome | None = None
    messages: tuple[Message, ...] = ()


class Uploads:
    """The use case "upload" (see bot.turns.UseCase)."""

    prefix = PREFIX

    def __init__(self, service: KnowledgeService) -> None:
        self._service = service

    async def wants(self, session: AsyncSession, turn: Turn) -> bool:
        """Files of those who may add some; and of others where there are no words that could be answered."""
        if not turn.files or turn.public:
            return False
        who = await actor(session, turn.person_id)
        return not who.outside and (may_add(who) or not (turn.text or "").strip())

    async def prepare(self, turn: Turn) -> Prepared:
        """Read what was dropped, or take in what was confirmed."""
        if turn.choice is not None:
            return await self._decided(turn)
        async with self._service.store.read() as session:
            who = await actor(session, turn.person_id)
        if not may_add(who):
            return Prepared(messages=(NOT_YOURS,))
        files = turn.files[:MOST_FILES]
        return Prepared(read=tuple([await self._read(turn, who, file) for file in files]))

    async def _read(self, turn: Turn, who: Actor, file: Dropped) -> Read:
        if refusal := _refused(file):
            return Read(file.name, refusal=refusal)
        await turn.live.doing("Reading the file")
        try:
            data = await file.read()
        except InputError as error:
            return Read(file.name, refusal=str(error))
        await turn.live.doing("Comparing it with the policies")
        return await self._previewed(who, file.name, data)

    async def _previewed(self, who: Actor, name: str, data: bytes) -> Read:
        try:
            return Read(name, data, await self.preview(who, name, data))
        except Unreadable as refusal:
            return Read(name, refusal=f"{name} {refusal}.")
        except (InputError, AccessDenied) as refusal:
            return Read(name, refusal=str(refusal))

    async def preview(self, who: Actor, name: str, data: bytes) -> Preview:
        """What the file would change. Raises Unreadable, InputError, AccessDenied; nothing is changed."""
        extracted = await extract(data, name, self._service.filing.fetcher.trusts)
        details, text = split(extracted.text)
        if not text.strip():
            raise Unreadable("holds no text")
        title = details.title or extracted.title or name.rpartition(".")[0] or name
        fresh = Preview(name, title, details, findings=extracted.findings)
        async with self._service.store.read() as session:
            found = await _replaced(session, name, title, details)
            await _may_replace(session, who, found, details)
            if found is None:
                return replace(fresh, owner=details.owner or await _name_of(session, who.person_id))
            return await _compared(session, fresh, text, *found)

    async def _decided(self, turn: Turn) -> Prepared:
        choice = parse_choice_id(turn.choice or "")
        upload = await self._pending(turn, choice.session if choice else 0)
        if choice is None or upload is None or choice.what not in (ADD, ADD_OWN, LEAVE):
            return Prepared(messages=(GONE,))
        if choice.what == LEAVE:
            return Prepared(messages=(LEFT,))
        await turn.live.doing("Reading the file")
        async with self._service.store.read() as session:
            who = await actor(session, turn.person_id)
        # Looked at again: rights and policies may have changed since the preview.
        read = await self._previewed(who, upload.name, upload.data)
        preview = read.preview
        if preview is None or _moved_on(upload, preview):
            return Prepared(read=(read,))
        await turn.live.doing("Making every passage findable")
        return Prepared(outcome=await self._take(turn, upload, preview, choice.what == ADD_OWN))

    async def _pending(self, turn: Turn, number: int) -> PendingUpload | None:
        async with self._service.store.read() as session:
            upload = await session.get(PendingUpload, number)
        mine = upload is not None and upload.person_id == turn.person_id
        return upload if mine and upload and upload.dropped_at > turn.at - KEPT_FOR else None

    async def _take(self, turn: Turn, upload: PendingUpload, preview: Preview, own: bool) -> Outcome:
        async with self._service.store.read() as session:
            given = await _given(session, turn.person_id, preview, own)
        source = preview.document.source if preview.document is not None else None
        outcomes = await self._service.filing.add_upload(
            upload.name, upload.data, given, turn.person_id, source
        )
        return outcomes[0]

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """Keep what was read until it is decided, or say what became of it."""
        await tx.exec(delete(PendingUpload).where(col(PendingUpload.dropped_at) < turn.at - KEPT_FOR))
        choice = parse_choice_id(turn.choice or "")
        if choice is not None:
            mine = col(PendingUpload.person_id) == turn.person_id
            await tx.exec(delete(PendingUpload).where(col(PendingUpload.id) == choice.session, mine))
        if prepared.outcome is not None:
            return [_told(prepared.outcome)]
        shown = [await self._shown(tx, turn, read, choice is not None) for read in prepared.read]
        if prepared.read and len(turn.files) > MOST_FILES:
            rest = f"I take {MOST_FILES} files at a time. Please drop the others again."
            shown.append(Message(kind="notice", text=rest))
        return [*prepared.messages, *shown]

    async def _shown(self, tx: AsyncSession, turn: Turn, read: Read, again: bool) -> Message:
        preview = read.preview
        if preview is None:
            return Message(kind="notice", text=f"{plain(read.refusal)} Nothing was changed.")
        if preview.same:
            title = plain(preview.title)
            return Message(text=f"**{title}** is in the library just as in this file. Nothing to do.")
        row = PendingUpload(
            person_id=turn.person_id,
            name=read.name[:300],
            data=read.data,
            document_id=preview.document.id if preview.document is not None else None,
            base_version=preview.base_version,
            dropped_at=turn.at,
        )
        tx.add(row)
        await tx.flush()
        person = await tx.get_one(Person, turn.person_id)
        home = await tx.get(Department, person.department_id) if person.department_id else None
        text = ("The policies changed meanwhile, so please look again.\n\n" if again else "") + words(preview)
        return Message(kind="question", text=text, choices=_choices(saved(row.id), preview, home))


def may_add(who: Actor) -> bool:
    """Whether somebody may add policies at all."""
    return can(who, Action.ANSWER_POLICY_QUESTIONS) or can(who, Action.ADMINISTER)


def _refused(file: Dropped) -> str:
    """Why a file need not even be fetched."""
    if file.size > MAX_FILE:
        most = MAX_FILE // 1_000_000
        return f"{file.name} is larger than {most} MB. Split it, or leave its pictures out."
    if file.name.lower().endswith(".zip"):
        return f"{file.name} is an archive. Drop its files one at a time, so that you see what each changes."
    return ""


def _moved_on(upload: PendingUpload, preview: Preview) -> bool:
    """Whether the policies are no longer as the preview showed them."""
    here = preview.document.id if preview.document is not None else None
    return (here, preview.base_version) != (upload.document_id, upload.base_version)


async def _replaced(
    session: AsyncSession, name: str, title: str, details: Details
) -> tuple[Document, DocumentVersion] | None:
    """What the file would be a new version of: by its own id, its place, or its title if only one has it."""
    known = await library.current_version(session, library.source_of(f"upload:{name}"[:500], details))
    if known is not None or details.stable_id:
        return known
    found = await session.exec(
        select(Document, DocumentVersion)
        .join(DocumentVersion, col(DocumentVersion.document_id) == Document.id)
        .where(
            func.lower(col(Document.title)) == title.lower(),
            col(Document.removed_at).is_(None),
            col(Document.superseded_by).is_(None),
            Document.kind == "policy",
            DocumentVersion.current,
        )
    )
    rows = found.all()
    return rows[0] if len(rows) == 1 else None


async def _may_replace(
    session: AsyncSession, who: Actor, found: tuple[Document, DocumentVersion] | None, details: Details
) -> None:
    touched = [found[0]] if found is not None else []
    if details.supersedes is not None:
        try:
            touched.append(await library.named(session, details.supersedes))
        except NotFound:
            older = details.supersedes
            raise InputError(f"The file says that it supersedes {older!r}, which I don't know.") from None
    for document in touched:
        if document.owner_id != who.person_id and not can(who, Action.ADMINISTER):
            owner = await _name_of(session, document.owner_id)
            whom = f"belongs to {owner}" if owner else "has no owner yet"
            told = f"That would replace {document.title}, which {whom}."
            raise AccessDenied(f"{told} Please pass the file on to them, or to an admin.")


async def _name_of(session: AsyncSession, person_id: int | None) -> str | None:
    person = await session.get(Person, person_id) if person_id is not None else None
    return person.name if person is not None else None


async def _compared(
    session: AsyncSession, fresh: Preview, text: str, document: Document, version: DocumentVersion
) -> Preview:
    lines = await session.exec(select(DocumentAudience).where(DocumentAudience.document_id == document.id))
    changes = tuple(difference(version.text, text))
    # The file's own particulars count only where they are not those that hold already.
    named = (fresh.details.audience, fresh.details.owner, fresh.details.review_by, fresh.details.effective)
    return replace(
        fresh,
        document=document,
        version=version,
        audience=tuple(audience_word(line) for line in lines),
        owner=fresh.details.owner or await _name_of(session, document.owner_id),
        changes=changes,
        same=not changes and not any(named),
    )


async def _given(session: AsyncSession, person_id: int, preview: Preview, own: bool) -> Details:
    """What the file does not say of itself: for a new one the title that was shown, owner and audience."""
    if preview.document is not None:
        return Details()
    person = await session.get_one(Person, person_id)
    home = await session.get(Department, person.department_id) if person.department_id else None
    return Details(
        title=preview.title,
        owner=preview.details.owner or person.email,
        audience=(home.slug,) if own and home is not None else preview.details.audience,
    )


def words(preview: Preview) -> str:
    """The preview for the person who dropped the file."""
    title = plain(preview.title)
    parts = []
    if preview.document is None:
        parts.append(f"**{title}** would be a new policy.")
    else:
        parts.append(f"**{title}** would become version {(preview.base_version or 0) + 1}.")
    parts.append("\n".join(f"- {line}" for line in _particulars(preview)))
    if preview.document is not None:
        parts.append(_changed(preview.changes))
    if unusual := [found for found in preview.findings if found.kind != "early"]:
        seen = "\n".join(f"- {plain(found.told)}" for found in unusual[:3])
        parts.append(f"Please look at this first; it is unusual in a policy:\n{seen}")
    return "\n\n".join(part for part in parts if part)


def _particulars(preview: Preview) -> list[str]:
    audience = preview.details.audience or preview.audience
    dates = (("In force from", preview.details.effective), ("To be reviewed by", preview.details.review_by))
    return [
        *([f"Who may read it: {plain(_readers(audience))}"] if audience else []),
        *([f"Owner: {plain(preview.owner)}"] if preview.owner else []),
        *(f"{label}: {day.day} {day:%B %Y}" for label, day in dates if day is not None),
        *([f"Takes the place of: {plain(preview.details.supersedes)}"] if preview.details.supersedes else []),
    ]


def _readers(audience: tuple[str, ...]) -> str:
    return ", ".join("everybody" if part in ("all", "everyone") else part for part in audience)


def _changed(changes: tuple[Change, ...]) -> str:
    if not changes:
        return "Its words stay the same."
    lines = [f"{len(changes)} {'section changes' if len(changes) == 1 else 'sections change'}:"]
    for change in changes[:MOST_SECTIONS]:
        lines.append(f"- **{plain(change.section) or 'The beginning'}**")
        lines += [f"  - gone: {_line(line)}" for line in change.removed[:MOST_LINES]]
        lines += [f"  - new: {_line(line)}" for line in change.added[:MOST_LINES]]
    if len(changes) > MOST_SECTIONS:
        lines.append(f"- and {len(changes) - MOST_SECTIONS} more")
    return "\n".join(lines)


def _line(text: str) -> str:
    return plain(text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…")


def _choices(number: int, preview: Preview, home: Department | None) -> tuple[Choice, ...]:
    def one(what: str, label: str, primary: bool = False) -> Choice:
        made = Choice(id=str(ChoiceId(PREFIX, number, 0, what)), label=label)
        return made.model_copy(update={"style": "primary"}) if primary else made

    if preview.document is not None:
        return (one(ADD, "Make it the new version", primary=True), one(LEAVE, "Leave it"))
    if preview.details.audience is not None:
        return (one(ADD, "Add it", primary=True), one(LEAVE, "Leave it"))
    own = (one(ADD_OWN, f"Add it for {home.name} only"),) if home is not None else ()
    return (one(ADD, "Add it for everybody", primary=True), *own, one(LEAVE, "Leave it"))


def _told(outcome: Outcome) -> Message:
    title = plain(outcome.title or outcome.label)
    if outcome.status == "refused":
        reason = plain(f"{outcome.label.removeprefix('upload:')} {outcome.reason}.")
        return Message(kind="notice", text=f"{reason} Nothing was changed.")
    if outcome.version == 1:
        return Message(text=f"**{title}** is in. I answer from it from now on.")
    waits = next((found for found in outcome.findings if found.kind == "early"), None)
    since = "from now on" if waits is None else f"from {waits.excerpt} on, and until then from the one before"
    return Message(text=f"Version {outcome.version} of **{title}** is in. I answer from it {since}.")
