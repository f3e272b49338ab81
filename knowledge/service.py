"""The policy library's use case: a question finds its passages and becomes an answer, which is kept.

question -> who asks, and what they may read -> passages (index) -> an answer in the policies' own words
(answer.py) -> with a model, in checked claims (worded.py) -> stored, so that feedback and follow-ups can
point at it. Searching and asking a model happen with no transaction open.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import pairwise, zip_longest

from sqlalchemy import delete
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Clock
from bot.live import UNSEEN, Live
from bot.llm import WritingModel
from bot.messages import plain
from bot.store.engine import Store
from bot.store.outbox import insert_once
from bot.store.tables import Band, CachedAnswer, PolicyQuestion
from knowledge import entering
from knowledge.answer import NO_POLICIES, PolicyAnswer, Source, extractive
from knowledge.audience import Reader, readable, reader
from knowledge.fetch import Fetcher
from knowledge.filing import Filing
from knowledge.following import Following
from knowledge.languages import NOTES, Language, Translations, language_of
from knowledge.lexical import Terms
from knowledge.meaning import Meaning
from knowledge.parts import is_of_the_first, of_the_first, parts_of, together
from knowledge.port import Retriever
from knowledge.product_names import unnamed
from knowledge.query import is_touched, leans_on_earlier, may_be_new
from knowledge.rows import revision, saved
from knowledge.stored import normalised, packed, sources_of, unpacked
from knowledge.worded import Asked, with_model

MAX_QUESTION = 2_000  # characters; what lies beyond is not read
_CACHE_FORMAT = "4"  # raised when answers come to look different
_OFFERED = 8  # passages that an answer is made from
_A_FEW_WORDS = 3
_KEPT_NEAR = 0.95  # share of the best passage's score
_READ_AS = "This is the rule on what may go into AI tools."
_READ_AS_IN = {"de": "Das ist die Regel dafür, was in KI-Werkzeuge eingegeben werden darf."}
_BY_SURENESS = (Band.SILENT, Band.CLOSEST, Band.ANSWER)


@dataclass(frozen=True)
class Question:
    """A question on its way: who asks where, and what came before it in the thread.

    `earlier` are questions that this one may lean on, the nearest last. `worded` is false where no model is
    to be asked. `live` is shown what is going on, and what is written.
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

    @property
    def leans_on(self) -> tuple[str, ...]:
        """The earlier questions without which this one can't be understood."""
        return self.earlier if leans_on_earlier(self.text) else ()

    @property
    def language(self) -> Language | None:
        """The language that it is asked in, None for English."""
        return language_of(_line(self.text), language_of(self.earlier[-1]) if self.earlier else None)


@dataclass(frozen=True)
class _Found:
    """What was found for a question as the search read it: by itself, or in the light of `earlier`. `note`
    says where the search could not read it well; `read_as` is the general question that it was read as."""

    text: str
    sources: list[Source]
    band: Band
    earlier: tuple[str, ...] = ()
    note: str = ""
    read_as: str = ""


@dataclass(frozen=True)
class _Asker:
    """Who asks, what they may read at this moment, and under which key an answer for them is kept."""

    who: Reader
    documents: frozenset[int]
    key: str


class KnowledgeService:
    """The policy library. One per process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        retriever: Retriever,
        fetcher: Fetcher,
        model: WritingModel | None = None,
        meaning: Meaning | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.retriever = retriever
        self.model = model
        self.meaning = meaning
        self.filing = Filing(store, clock, retriever, fetcher)
        self.index = Following(store, retriever, clock)
        self._translations = Translations(model)
        self._terms = Terms()

    # ── Found ───────────────────────────────────────────────────────────────────────────────────────────

    async def search(self, person_id: int, text: str, limit: int = 10, public: bool = False) -> list[Source]:
        """The passages that this person may read, best first."""
        async with self.store.read() as session:
            who = await reader(session, person_id, public)
            documents = await readable(session, who, self.clock().date())
        await self.index.ready()
        return (await self._search(who, documents, _line(text), limit)).sources

    async def _search(
        self,
        who: Reader,
        documents: frozenset[int],
        text: str,
        limit: int = _OFFERED,
        earlier: Sequence[str] = (),
    ) -> _Found:
        if not documents or not text:
            return _Found(text, [], Band.SILENT)
        likeness = await self.meaning.of(" ".join([*earlier[-1:], text])) if self.meaning else None
        ranked = await asyncio.to_thread(self.retriever.search, text, documents, limit, earlier, likeness)
        async with self.store.read() as session:
            # Asked again at the end: a document may have been removed or closed meanwhile.
            allowed = documents & await readable(session, who, self.clock().date())
            sources = await sources_of(session, dict(ranked.hits), allowed)
        return _Found(text, sources, ranked.band if sources else Band.SILENT, tuple(earlier))

    async def _understood(self, question: Question, asker: _Asker) -> _Found:
        """What is found for a question, or for the rule that it comes under."""
        found = await self._read(question, asker)
        found = await self._by_rule(found, partial(self._search, asker.who, asker.documents))
        if found.note and found.read_as:  # read well after all: the rule is asked for in English
            return replace(found, note=_READ_AS_IN.get(question.language or "other", found.note))
        return found

    async def _by_rule(self, found: _Found, search: Callable[[str], Awaitable[_Found]]) -> _Found:
        """Of a question whether something may be given to an AI tool, what is found for the rule on that. It
        is asked for in several ways, since no one wording finds it in every library; a passage that all of
        them find is nearest to it. What surely answers the question itself stands beside it."""
        if not (asked := entering.readings(found.text)):
            return found
        founds = [await search(each) for each in asked]
        band = max((each.band for each in founds), key=_BY_SURENESS.index)
        if _BY_SURENESS.index(band) < _BY_SURENESS.index(found.band) or band is Band.SILENT:
            return found
        return replace(found, read_as=entering.WHICH, sources=_averaged(founds, found), band=band)

    async def _read(self, question: Question, asker: _Asker) -> _Found:
        """What is found for a question; one in another language than the policies is put into English."""
        text, search = _line(question.text), partial(self._search, asker.who, asker.documents)
        earlier = self._english(question.leans_on)
        found = await search(text, earlier=earlier)
        if earlier and may_be_new(text):
            found = await self._perhaps_new(text, found, search)
        language = question.language
        if language is None or (found.sources and language_of(found.sources[0].text) == language):
            return found
        english = await self._translations.english(text) if question.worded else None
        if english is None:
            # The search took it for English, and is less sure than it seems.
            if found.band is Band.ANSWER:
                return replace(found, band=Band.CLOSEST, note=NOTES[language])
            return replace(found, band=Band.SILENT, sources=[], note=NOTES[language])
        return await search(
            english, earlier=self._english(question.earlier if leans_on_earlier(english) else ())
        )

    async def _perhaps_new(
        self, text: str, found: _Found, search: Callable[[str], Awaitable[_Found]]
    ) -> _Found:
        """What is found for what may be a new question in few words ("parking?"): what was asked before only
        blurs it, and a passage without its words is no answer to it, nor even near to a whole sentence."""
        is_about = bool(found.sources) and _is_about(found.sources[0], text, self._terms)
        if is_about and found.band is Band.ANSWER:
            return found
        alone = await search(text)
        if not is_about and len(text.split()) > _A_FEW_WORDS:
            return alone
        if found.band is Band.ANSWER:
            found = replace(found, band=Band.CLOSEST)
        both = (found, alone) if is_about else (alone, found)
        return max(both, key=lambda each: _BY_SURENESS.index(each.band))

    def _english(self, questions: Sequence[str]) -> tuple[str, ...]:
        """Earlier questions as they were read: in English, where they have been translated."""
        return tuple(self._translations.known(each) or each for each in questions)

    # ── Answered ────────────────────────────────────────────────────────────────────────────────────────

    async def answer(self, question: Question) -> PolicyAnswer:
        """The answer to a question, not yet stored. From the cache where the same was asked before."""
        started = self.clock()
        async with self.store.read() as session:
            asker = await self._asker(session, question)
            cached = await session.get(CachedAnswer, asker.key)
            present = await revision(session)
        if cached is not None and cached.revision == present:
            return replace(unpacked(cached.answer), took_ms=self._since(started))
        await question.live.doing("Searching the policies")
        await self.index.ready()
        answer = await self._make(question, asker)
        return replace(answer, took_ms=self._since(started))

    async def _make(self, question: Question, asker: _Asker) -> PolicyAnswer:
        if self.index.empty:
            return PolicyAnswer(Band.SILENT, NO_POLICIES)
        parts, today = parts_of(_line(question.text)), self.clock().date()
        about = [part for part in parts[1:] if is_of_the_first(part)]
        parts = [part for part in parts if part not in about]
        founds = [await self._understood(each, asker) for each in _asked_in(question, parts)]
        quoted = [await asyncio.to_thread(self._quoted, found) for found in founds]
        if about and quoted[0].citations:
            first = next(s for s in founds[0].sources if s.passage_id == quoted[0].citations[0].passage_id)
            quoted += [of_the_first(part, first, quoted[0], today) for part in about]
            parts += about
        plain_answer = together(parts, quoted) if len(parts) > 1 else quoted[0]
        if self.model is None or not question.worded or plain_answer.band is Band.SILENT:
            return plain_answer
        await question.live.doing("Reading what I found")
        earlier = question.earlier[-1:] if founds[0].earlier else ()
        asked = Asked(_line(question.text), earlier, question.style)
        return await with_model(self.model, asked, _in_turn(founds), plain_answer, today, question.live)

    def _quoted(self, found: _Found) -> PolicyAnswer:
        """The answer in the policies' own words, below what has to be known of it."""
        decisive = partial(self.retriever.decisive, earlier=found.earlier)
        text, today = found.read_as or found.text, self.clock().date()
        answer = extractive(text, found.band, found.sources, decisive, today)
        if found.note:
            text = f"_{found.note}_" + ("" if answer.band is Band.SILENT else f"\n\n{answer.text}")
            return replace(answer, text=text, settled=self.model is None)
        shown = {citation.passage_id for citation in answer.citations}
        texts = [source.text for source in found.sources if source.passage_id in shown]
        if shown and (names := unnamed(found.text, texts)):
            rule = f" {_READ_AS}" if found.read_as else ""
            text = f"_What I found does not name {plain(' or '.join(names))}.{rule}_\n\n{answer.text}"
            return replace(answer, text=text)
        if shown and found.read_as:
            return replace(answer, text=f"_{_READ_AS}_\n\n{answer.text}")
        return answer

    def _since(self, started: datetime) -> int:
        return max(0, round((self.clock() - started).total_seconds() * 1000))

    # ── Kept ────────────────────────────────────────────────────────────────────────────────────────────

    async def _asker(self, session: AsyncSession, question: Question) -> _Asker:
        who = await reader(session, question.person_id, question.public)
        documents = await readable(session, who, self.clock().date())
        parts = [
            *(_CACHE_FORMAT, normalised(question.text), self.clock().date().isoformat(), question.style),
            self.model.name if self.model and question.worded else "",
            self.meaning.model if self.meaning else "",
            ",".join(map(str, sorted(documents))),
            # Whether a question in another language leans on anything shows when it has been translated.
            *map(normalised, question.earlier if question.language else question.leans_on),
        ]
        return _Asker(who, documents, hashlib.sha256("\0".join(parts).encode()).hexdigest())

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
        present = await revision(tx)
        if present != self.index.revision:
            return  # made from an index that is out of date by now
        key = (await self._asker(tx, question)).key
        await tx.exec(
            delete(CachedAnswer).where(col(CachedAnswer.key) == key, col(CachedAnswer.revision) != present)
        )
        row = CachedAnswer(key=key, revision=present, answer=packed(answer), made_at=now)
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


def _averaged(founds: Sequence[_Found], own: _Found) -> list[Source]:
    """What several wordings found, by the average of their scores, best first. What surely answers the
    question as it was asked (`own`) is kept near the best."""
    scores: dict[int, float] = {}
    sources = {source.passage_id: source for found in founds for source in found.sources}
    for source in (source for found in founds for source in found.sources):
        scores[source.passage_id] = scores.get(source.passage_id, 0.0) + source.score / len(founds)
    if own.band is Band.ANSWER:
        first = own.sources[0]
        sources.setdefault(first.passage_id, first)
        scores[first.passage_id] = max(scores.get(first.passage_id, 0.0), _KEPT_NEAR * max(scores.values()))
    averaged = [replace(source, score=scores[number]) for number, source in sources.items()]
    return sorted(averaged, key=lambda source: -source.score)[:_OFFERED]


def _is_about(source: Source, text: str, terms: Terms) -> bool:
    """Whether a passage, with its title and headings, holds a word that tells what is asked."""
    return is_touched(text, " ".join((source.document, source.section, source.text)), terms)


def _asked_in(question: Question, parts: Sequence[str]) -> list[Question]:
    """The parts of a message as questions of their own, each of which may lean on the one ahead of it."""
    asked = [replace(question, text=parts[0])]
    asked += [replace(question, text=part, earlier=(before,)) for before, part in pairwise(parts)]
    return asked


def _in_turn(founds: Sequence[_Found]) -> list[Source]:
    """The passages that were found for the parts of a message, the best of each part first."""
    ranks = zip_longest(*(found.sources for found in founds))
    sources = {source.passage_id: source for rank in ranks for source in rank if source is not None}
    return list(sources.values())


def _line(text: str) -> str:
    return " ".join(text[:MAX_QUESTION].split())
