"""What goes into the library: files, folders, archives, uploads and owners' replies become documents.

Reading and embedding a document happen with no transaction open; then one transaction files it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from bot.clock import Clock
from bot.errors import InputError, NotFound
from bot.organisation.directory import person_by_email
from bot.store.engine import Store
from knowledge import library, versions
from knowledge.audience import parse_audience
from knowledge.extract import extract
from knowledge.extract_text import Finding, Unreadable, clean
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details, split
from knowledge.library import Draft, Stored
from knowledge.port import Retriever
from knowledge.quoting import unmarked
from knowledge.rows import saved
from knowledge.sources import Incoming, from_bytes, gather


@dataclass(frozen=True)
class Outcome:
    """What became of one file: "added", "new version", "changed", "unchanged" or "refused" with a reason."""

    label: str
    status: str
    document_id: int | None = None
    title: str | None = None
    version: int | None = None
    reason: str | None = None
    findings: tuple[Finding, ...] = ()


class Filing:
    """Takes documents in and out."""

    def __init__(self, store: Store, clock: Clock, retriever: Retriever, fetcher: Fetcher) -> None:
        self.fetcher = fetcher
        self._store, self._clock, self._retriever = store, clock, retriever

    async def add(
        self, places: Sequence[str], given: Details | None = None, by: int | None = None
    ) -> AsyncIterator[Outcome]:
        """Take in every file at `places` (paths or web addresses), one outcome each, as it goes along.

        `given` counts more than what documents say of themselves. Raises InputError, before anything is
        stored, when `given` names people, departments or documents that do not exist.
        """
        await self._check(given or Details())
        pending: list[tuple[Outcome, str]] = []
        for place in places:
            async for incoming in gather(place, self.fetcher):
                outcome, replaces = await self._take(incoming, given or Details(), by)
                if replaces and outcome.document_id:
                    pending.append((outcome, replaces))
                yield outcome
        await self._supersede(pending)

    async def add_upload(
        self,
        name: str,
        data: bytes,
        given: Details | None = None,
        by: int | None = None,
        source: str | None = None,
    ) -> list[Outcome]:
        """Take in a file that somebody dropped in a chat; a zip archive may hold several.

        `source` is that of the document which it is a new version of, where its own would be another.
        """
        outcomes, pending = [], []
        async for incoming in from_bytes(source or f"upload:{name}"[:500], name, data):
            outcome, replaces = await self._take(incoming, given or Details(), by)
            outcomes.append(outcome)
            pending += [(outcome, replaces)] if replaces else []
        await self._supersede(pending)
        return outcomes

    async def add_text(self, source: str, text: str, details: Details, by: int | None = None) -> Outcome:
        """Take in Markdown that the product itself holds, such as the sample company's policies."""
        outcome, replaces = await self._take(Incoming(source, source, text.encode()), details, by)
        await self._supersede([(outcome, replaces)] if replaces else [])
        return outcome

    async def take(self, incoming: Incoming, given: Details) -> Outcome:
        """Take in one file of a folder that is followed."""
        outcome, replaces = await self._take(incoming, given, None)
        await self._supersede([(outcome, replaces)] if replaces and outcome.document_id else [])
        return outcome

    async def _check(self, given: Details) -> None:
        """Try the particulars on nothing, so that a slip is told before a folder was read."""
        async with self._store.read() as session:
            if given.owner is not None:
                await person_by_email(session, given.owner)
            if given.audience is not None:
                await parse_audience(session, given.audience)
            if given.supersedes is not None:
                await library.named(session, given.supersedes)

    async def _take(self, incoming: Incoming, given: Details, by: int | None) -> tuple[Outcome, str | None]:
        if incoming.data is None:
            return Outcome(incoming.label, "refused", reason=incoming.refusal), None
        try:
            draft, findings = await self._draft(incoming, incoming.data, given)
        except Unreadable as refusal:
            return Outcome(incoming.label, "refused", reason=str(refusal)), None
        try:
            stored = await self._put(draft, by)
        except (InputError, NotFound) as error:
            reason = f"can't be filed. {error}".removesuffix(".")
            return Outcome(incoming.label, "refused", reason=reason), None
        outcome = Outcome(
            incoming.label, stored.status, stored.document_id, draft.title, stored.version, None, findings
        )
        return outcome, draft.details.supersedes

    async def _put(self, draft: Draft, by: int | None) -> Stored:
        try:
            async with self._store.write() as tx:
                return await library.put(tx, draft, self._clock(), by)
        except IntegrityError:
            # Another process files the same source at this moment; now that it is there, ours comes second.
            async with self._store.write() as tx:
                return await library.put(tx, draft, self._clock(), by)

    async def _draft(
        self, incoming: Incoming, data: bytes, given: Details
    ) -> tuple[Draft, tuple[Finding, ...]]:
        extracted = await extract(data, incoming.name or incoming.label, self.fetcher.trusts)
        own, text = split(extracted.text)
        if not text.strip():
            raise Unreadable("holds no text")
        details = given.over(own)
        title = unmarked(details.title or extracted.title or "") or _name(incoming.name or incoming.label)
        source = library.source_of(incoming.source, details)
        sha256 = hashlib.sha256(data).hexdigest()
        async with self._store.read() as session:
            present, last = await versions.ends_of(session, source)
            twin = await library.twin(session, source, sha256)
        same = last is not None and last.sha256 == sha256
        findings = [*extracted.findings, *([Finding("twin", 0, twin)] if twin and not same else [])]
        today = self._clock().date()
        if present is not None and not same and present.waits(details.effective, today):
            findings.append(Finding("early", 0, str(details.effective)))
        passages = [] if same else await asyncio.to_thread(self._retriever.prepare, title, text)
        flags = tuple(found.told for found in extracted.findings)
        draft = Draft(source, title, details, text, sha256, flags, tuple(passages), self._retriever.model)
        return draft, tuple(findings)

    async def draft_entry(self, source: str, text: str, details: Details) -> Draft:
        """An owner's reply, ready to be stored as an entry by `library.put`."""
        cleaned, findings = await asyncio.to_thread(clean, text, self.fetcher.trusts)
        title = details.title or source
        passages = await asyncio.to_thread(self._retriever.prepare, title, cleaned)
        sha256 = hashlib.sha256(cleaned.encode()).hexdigest()
        flags = tuple(found.told for found in findings)
        model = self._retriever.model
        return Draft(source, title, details, cleaned, sha256, flags, tuple(passages), model, "entry")

    async def _supersede(self, pending: Sequence[tuple[Outcome, str]]) -> None:
        """Mark older documents once the whole batch is in: they may come later in it than what replaces
        them. One that never came has nothing to be marked."""
        for outcome, older in pending:
            try:
                async with self._store.write() as tx:
                    await library.supersede(tx, saved(outcome.document_id), older)
            except (InputError, NotFound):
                continue

    async def remove(self, document_id: int) -> str:
        """Take a document out, and everything made from it. Returns its title. Raises NotFound."""
        async with self._store.write() as tx:
            return await library.remove(tx, document_id, self._clock())


def _name(label: str) -> str:
    """A title for a document without one: its file's name in words."""
    stem = label.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return " ".join(stem.replace("_", " ").replace("-", " ").split()).capitalize() or label
