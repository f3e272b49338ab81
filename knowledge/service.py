"""The policy library's use case: documents in, passages found, questions answered.

Embedding, searching and asking a model happen with no transaction open. Every process keeps the index in
memory and follows the revision in the database: one row is read before each search, so that a change made
elsewhere is seen with the next question.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Clock
from bot.errors import InputError, NotFound
from bot.live import UNSEEN, Live
from bot.llm import WritingModel
from bot.organisation.directory import person_by_email
from bot.store.engine import Store
from bot.store.outbox import insert_once
from bot.store.tables import (
    Band,
    CachedAnswer,
    Passage,
    PolicyQuestion,
)
from knowledge import library
from knowledge.answer import PolicyAnswer, Source, extractive
from knowledge.audience import Reader, parse_audience, readable, reader
from knowledge.calibration import settle
from knowledge.extract import extract
from knowledge.extract_text import Finding, Unreadable, clean
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details, split
from knowledge.languages import NOTES, Translations, language_of
from knowledge.library import Draft, Stored, StoredPassage, saved
from knowledge.port import Indexed, Retriever
from knowledge.quoting import unmarked
from knowledge.sources import Incoming, from_bytes, gather
from knowledge.stored import normalised, packed, sources_of, unpacked
from knowledge.worded import with_model

MAX_QUESTION = 2_000  # characters; what lies beyond is not read
_CACHE_FORMAT = "1"  # raised when answers come to look different
_AT_ONCE = 100  # passages brought into the index together
_PART = 2_000  # passages whose vectors (20 kB each) are held at once while the index takes them in
_OFFERED = 8  # passages that an answer is made from


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


@dataclass(frozen=True)
class Question:
    """A question on its way: who asks where, and what came before it in the thread.

    `worded` is false where no model is to be asked. `live` is shown what is going on, and what is written.
    """

    person_id: int
    text: str
    conversation: str = ""
    thread: str | None = None
    public: bool = False
    earlier: tuple[str, ...] = ()
    style: str = ""
    worded: bool = True
    live: Live = field(default=UNSEEN, compare=False, repr=False)


@dataclass(frozen=True)
class _Understood:
    """What was found for a question as the search read it; `note` says where it could not read it well."""

    text: str
    sources: list[Source]
    band: Band
    earlier: tuple[str, ...] = ()
    note: str = ""


class KnowledgeService:
    """The policy library. One per process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        retriever: Retriever,
        fetcher: Fetcher,
        model: WritingModel | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.retriever = retriever
        self.fetcher = fetcher
        self.model = model
        self._revision = self._settled = -1
        self._titles: dict[
            int, tuple[int, str]
        ] = {}  # passage id -> its document and the title it went in with
        self._refreshing = asyncio.Lock()
        self._translations = Translations(model)

    # ── In ──────────────────────────────────────────────────────────────────────────────────────────────

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
        async with self.store.read() as session:
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
            return Outcome(incoming.label, "refused", reason=f"can't be filed. {error}"), None
        outcome = Outcome(
            incoming.label, stored.status, stored.document_id, draft.title, stored.version, None, findings
        )
        return outcome, draft.details.supersedes

    async def _put(self, draft: Draft, by: int | None) -> Stored:
        try:
            async with self.store.write() as tx:
                return await library.put(tx, draft, self.clock(), by)
        except IntegrityError:
            # Another process files the same source at this moment; now that it is there, ours comes second.
            async with self.store.write() as tx:
                return await library.put(tx, draft, self.clock(), by)

    async def _draft(
        self, incoming: Incoming, data: bytes, given: Details
    ) -> tuple[Draft, tuple[Finding, ...]]:
        extracted = await extract(data, incoming.label, self.fetcher.trusts)
        own, text = split(extracted.text)
        if not text.strip():
            raise Unreadable("holds no text")
        details = given.over(own)
        title = unmarked(details.title or extracted.title or "") or _name(incoming.label)
        source = library.source_of(incoming.source, details)
        sha256 = hashlib.sha256(data).hexdigest()
        async with self.store.read() as session:
            present = await library.current_version(session, source)
        same = present is not None and present[1].sha256 == sha256
        passages = [] if same else await asyncio.to_thread(self.retriever.prepare, title, text)
        flags = tuple(f"{found.kind}: {found.excerpt}" for found in extracted.findings)
        draft = Draft(source, title, details, text, sha256, flags, tuple(passages), self.retriever.model)
        return draft, extracted.findings

    async def draft_entry(self, source: str, text: str, details: Details) -> Draft:
        """An owner's reply, ready to be stored as an entry by `library.put`."""
        cleaned, findings = await asyncio.to_thread(clean, text, self.fetcher.trusts)
        title = details.title or source
        passages = await asyncio.to_thread(self.retriever.prepare, title, cleaned)
        sha256 = hashlib.sha256(cleaned.encode()).hexdigest()
        flags = tuple(f"{found.kind}: {found.excerpt}" for found in findings)
        model = self.retriever.model
        return Draft(source, title, details, cleaned, sha256, flags, tuple(passages), model, "entry")

    async def _supersede(self, pending: Sequence[tuple[Outcome, str]]) -> None:
        """Mark older documents once the whole batch is in: they may come later in it than what replaces
        them. One that never came has nothing to be marked."""
        for outcome, older in pending:
            try:
                async with self.store.write() as tx:
                    await library.supersede(tx, saved(outcome.document_id), older)
            except (InputError, NotFound):
                continue

    async def remove(self, document_id: int) -> str:
        """Take a document out, and everything made from it. Returns its title. Raises NotFound."""
        async with self.store.write() as tx:
            return await library.remove(tx, document_id, self.clock())

    # ── Found ───────────────────────────────────────────────────────────────────────────────────────────

    async def refresh(self) -> int:
        """Bring the index in memory up to the database's revision, and return that."""
        async with self.store.read() as session:
            revision = await library.revision(session)
        if revision == self._revision:
            return revision
        async with self._refreshing:
            if revision != self._revision:
                await self._follow()
        return self._revision

    async def _follow(self) -> None:
        async with self.store.read() as session:
            revision = await library.revision(session)
            wanted = await library.passage_titles(session)
            fresh = [number for number, held in wanted.items() if self._titles.get(number) != held]
        stale = [number for number, held in self._titles.items() if wanted.get(number) != held]
        for start in range(0, max(len(fresh), 1), _PART):  # vectors are big: a large library comes in parts
            await self._take_in(fresh[start : start + _PART], stale if start == 0 else ())
        self._titles = wanted
        self._revision = revision

    async def _take_in(self, fresh: Sequence[int], stale: Sequence[int]) -> None:
        async with self.store.read() as session:
            rows = await library.passages_with_vectors(session, fresh, self.retriever.model)
        indexed: list[Indexed] = []
        for start in range(0, len(rows), _AT_ONCE):
            indexed += await self._made(rows[start : start + _AT_ONCE])
        await asyncio.to_thread(self.retriever.update, indexed, stale)

    def _indexed(
        self, passage: Passage, title: str, vectors: bytes | None, dimensions: int | None
    ) -> Indexed:
        if vectors is None or dimensions is None:  # embedded by another model than the present one
            vectors, dimensions = self.retriever.vectors(title, passage.heading_path, passage.text)
        path = tuple(passage.heading_path)
        return Indexed(saved(passage.id), passage.document_id, title, path, passage.text, vectors, dimensions)

    async def _made(self, rows: Sequence[StoredPassage]) -> list[Indexed]:
        """Passages for the index. Vectors that were missing are stored at once, so that work which is cut
        short goes on from there."""
        made = await asyncio.to_thread(lambda: [self._indexed(*row) for row in rows])
        missing = [passage for passage, row in zip(made, rows, strict=True) if row[2] is None]
        if missing:
            async with self.store.write() as tx:
                await library.add_vectors(tx, self.retriever.model, missing)
        return made

    async def ready(self) -> None:
        """Bring the index up to date, and its limits between the bands."""
        revision = await self.refresh()
        if self._settled != revision:
            await settle(self.store, self.retriever)
            self._settled = revision

    async def search(self, person_id: int, text: str, limit: int = 10, public: bool = False) -> list[Source]:
        """The passages that this person may read, best first."""
        async with self.store.read() as session:
            who = await reader(session, person_id, public)
        return (await self._found(who, _question(text), limit, ()))[0]

    async def _found(
        self, who: Reader, text: str, limit: int, earlier: Sequence[str]
    ) -> tuple[list[Source], Band]:
        await self.ready()
        async with self.store.read() as session:
            documents = await readable(session, who, self.clock().date())
        if not documents or not text:
            return [], Band.SILENT
        ranked = await asyncio.to_thread(self.retriever.search, text, documents, limit, earlier)
        async with self.store.read() as session:
            # Asked again at the end: a document may have been removed or closed meanwhile.
            allowed = documents & await readable(session, who, self.clock().date())
            sources = await sources_of(session, dict(ranked.hits), allowed)
        return sources, ranked.band if sources else Band.SILENT

    # ── Answered ────────────────────────────────────────────────────────────────────────────────────────

    async def answer(self, question: Question) -> PolicyAnswer:
        """The answer to a question, not yet stored. From the cache where the same was asked before."""
        started = self.clock()
        async with self.store.read() as session:
            who = await reader(session, question.person_id, question.public)
        revision = await self.refresh()
        key = self._cache_key(question, who)
        async with self.store.read() as session:
            cached = await session.get(CachedAnswer, key)
        if cached is not None and cached.revision == revision:
            return replace(unpacked(cached.answer), took_ms=self._since(started))
        await question.live.doing("Searching the policies")
        answer = await self._make(question, who)
        return replace(answer, took_ms=self._since(started))

    async def _make(self, question: Question, who: Reader) -> PolicyAnswer:
        text = _question(question.text)
        found = await self._understood(question, text, who)
        sources, band = found.sources, found.band
        today = self.clock().date()
        decisive = partial(self.retriever.decisive, earlier=found.earlier)
        plain_answer = await asyncio.to_thread(extractive, found.text, band, sources, decisive, today)
        if found.note:
            text_with_note = f"_{found.note}_\n\n{plain_answer.text}"
            plain_answer = replace(plain_answer, text=text_with_note, settled=self.model is None)
        if self.model is None or not question.worded or band is Band.SILENT:
            return plain_answer
        await question.live.doing("Reading what I found")
        return await with_model(self.model, text, sources, plain_answer, question.style, question.live)

    async def _understood(self, question: Question, text: str, who: Reader) -> _Understood:
        """What is found for a question; one in another language than the policies is put into English."""
        earlier = tuple(self._translations.known(each) or each for each in question.earlier)
        sources, band = await self._found(who, text, _OFFERED, earlier)
        language = language_of(text)
        if language is None or (sources and language_of(sources[0].text) == language):
            return _Understood(text, sources, band, earlier)
        english = await self._translations.english(text) if question.worded else None
        if english is None:
            # The search took it for English, and is less sure than it seems.
            doubtful = Band.CLOSEST if band is Band.ANSWER else Band.SILENT
            return _Understood(text, sources, doubtful, earlier, NOTES[language])
        sources, band = await self._found(who, english, _OFFERED, earlier)
        return _Understood(english, sources, band, earlier)

    def _since(self, started: datetime) -> int:
        return max(0, round((self.clock() - started).total_seconds() * 1000))

    def _cache_key(self, question: Question, who: Reader) -> str:
        parts = [
            *(
                _CACHE_FORMAT,
                normalised(question.text),
                who.key,
                self.clock().date().isoformat(),
                question.style,
            ),
            *(self.model.name if self.model and question.worded else "", *map(normalised, question.earlier)),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    async def record(self, tx: AsyncSession, question: Question, answer: PolicyAnswer) -> PolicyAnswer:
        """Store a question and its answer in the caller's transaction; the answer gets its id."""
        now = self.clock()
        row = PolicyQuestion(
            person_id=question.person_id,
            conversation=question.conversation,
            thread=question.thread,
            text=question.text[:MAX_QUESTION],
            normalised=normalised(question.text)[:500],
            band=answer.band,
            answer=packed(answer),
            passage_ids=[citation.passage_id for citation in answer.citations],
            model=answer.model,
            took_ms=answer.took_ms,
            asked_at=now,
        )
        tx.add(row)
        await tx.flush()
        if answer.settled:
            await self._cache(tx, question, answer, now)
        return replace(answer, answer_id=saved(row.id))

    async def _cache(self, tx: AsyncSession, question: Question, answer: PolicyAnswer, now: datetime) -> None:
        who = await reader(tx, question.person_id, question.public)
        revision = await library.revision(tx)
        if revision != self._revision:
            return  # made from an index that is out of date by now
        key = self._cache_key(question, who)
        await tx.exec(
            delete(CachedAnswer).where(col(CachedAnswer.key) == key, col(CachedAnswer.revision) != revision)
        )
        row = CachedAnswer(key=key, revision=revision, answer=packed(answer), made_at=now)
        await insert_once(tx, CachedAnswer, [row.model_dump()], ("key",))

    async def ask(
        self,
        person_id: int,
        text: str,
        *,
        conversation: str = "",
        thread: str | None = None,
        public: bool = False,
    ) -> PolicyAnswer:
        """Answer a question and store it: for callers that have no transaction of their own."""
        question = Question(person_id, text, conversation, thread, public)
        answer = await self.answer(question)
        async with self.store.write() as tx:
            return await self.record(tx, question, answer)


def _question(text: str) -> str:
    return " ".join(text[:MAX_QUESTION].split())


def _name(label: str) -> str:
    """A title for a document without one: its file's name in words."""
    stem = label.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return " ".join(stem.replace("_", " ").replace("-", " ").split()).capitalize() or label
