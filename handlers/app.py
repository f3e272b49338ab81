"""The composition root: the only place that knows all the parts and puts them together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.audit.instrument import Instrument, load_instrument
from bot.audit.proposal import AnchorProposer
from bot.audit.sessions import AuditUseCase
from bot.clock import Clock, clock_from_setting
from bot.coaching.sessions import Asides, CoachingUseCase
from bot.config import Settings
from bot.coverage.sessions import CoverageUseCase
from bot.llm import LanguageModel, OpenAIModel
from bot.store.engine import Store
from bot.store.migrate import upgrade
from bot.store.tables import Platform
from handlers.conversation import Conversation, Hearing, hear_plain
from handlers.home import Home
from handlers.inbox import Inbox
from handlers.news import News
from handlers.worker import Worker
from knowledge.conversation import PolicyTurns
from knowledge.embed import LocalEmbedder
from knowledge.fetch import Fetcher
from knowledge.retriever import LocalRetriever
from knowledge.service import KnowledgeService
from scheduler.digest_questions import DigestUseCase
from scheduler.replies import NudgeUseCase


@dataclass(frozen=True)
class App:
    """The product without a surface: everything that a surface or a command needs."""

    settings: Settings
    instrument: Instrument
    store: Store
    clock: Clock
    news: News
    inbox: Inbox
    knowledge: KnowledgeService
    conversation: Conversation
    worker: Worker


def language_model(settings: Settings) -> LanguageModel | None:
    """The configured model, or None: then everything works without one."""
    if settings.openai_api_key is None:
        return None
    key = settings.openai_api_key.get_secret_value()
    return OpenAIModel.connect(key, settings.openai_model, settings.openai_base_url)


def knowledge_service(
    settings: Settings, store: Store, clock: Clock, embedder: LocalEmbedder
) -> KnowledgeService:
    """The policy library on this store."""
    return KnowledgeService(store, clock, LocalRetriever(embedder), Fetcher(), language_model(settings))


@asynccontextmanager
async def open_app(settings: Settings, clock: Clock | None = None) -> AsyncIterator[App]:
    """The product on the configured database, brought up to date; closed at the end."""
    now = clock or clock_from_setting(settings.now)
    instrument = load_instrument()
    store = Store(settings.store_url)
    try:
        await upgrade(store)
        yield put_together(settings, instrument, store, now)
    finally:
        await store.close()


def put_together(settings: Settings, instrument: Instrument, store: Store, clock: Clock) -> App:
    """All parts on an open store."""
    news = News()
    embedder = LocalEmbedder()
    model = language_model(settings)
    knowledge = knowledge_service(settings, store, clock, embedder)
    policies = PolicyTurns(knowledge)
    coaching = CoachingUseCase(instrument)
    audit = AuditUseCase(
        instrument,
        store,
        AnchorProposer(instrument, embedder, model),
        asides=Asides(coaching, policies),
        offer_steps=coaching.offer_steps,
    )
    hearing: dict[Platform, Hearing] = {Platform.WEB: hear_plain, Platform.CHAT: hear_plain}
    own = (audit, coaching, CoverageUseCase(instrument), NudgeUseCase(instrument), DigestUseCase())
    parts = (Home(), *own, policies)
    conversation = Conversation(store, parts, policies, hearing)
    worker = Worker(store, conversation, clock, news, on_answered=news.ring)
    return App(
        settings=settings,
        instrument=instrument,
        store=store,
        clock=clock,
        news=news,
        inbox=Inbox(store, on_new=news.ring),
        knowledge=knowledge,
        conversation=conversation,
        worker=worker,
    )


async def warm(app: App) -> None:
    """Load the index and the embedding model, so that the first question does not wait for them."""
    await app.knowledge.refresh()
    await asyncio.sleep(0)
