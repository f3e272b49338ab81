"""The composition root: the only place that knows all the parts and puts them together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.audit.company_turns import CompanyUseCase
from bot.audit.contested import ContestedUseCase
from bot.audit.department_turns import DepartmentUseCase
from bot.audit.event_turns import EventUseCase
from bot.audit.instrument import Instrument, load_instrument
from bot.audit.proposal import AnchorProposer
from bot.audit.sessions import AuditUseCase
from bot.clock import Clock, clock_from_setting
from bot.coaching.all_blockers import AllBlockersUseCase
from bot.coaching.asides import Asides
from bot.coaching.sessions import CoachingUseCase
from bot.config import Settings
from bot.coverage.sessions import CoverageUseCase, names_coverage
from bot.live import Live
from bot.llm import OpenAIModel
from bot.own_data import OwnDataUseCase
from bot.store.engine import Store
from bot.store.migrate import upgrade
from bot.store.tables import Platform
from bot.turns import Turn
from handlers.conversation import Conversation, Hearing, PlainHearing
from handlers.home import GREETING, HELP, Home, Thanks
from handlers.inbox import Inbox
from handlers.library import configured_model, make_library
from handlers.news import News
from handlers.worker import Worker
from knowledge.conversation import PolicyTurns
from knowledge.embed import LocalEmbedder
from knowledge.service import KnowledgeService
from knowledge.uploads import Uploads
from knowledge.words import WordVectors
from scheduler.digest_questions import DigestUseCase
from scheduler.replies import NudgeUseCase
from scheduler.settings import SettingsUseCase


@dataclass(frozen=True)
class App:
    """The product without a surface: everything that a surface or a command needs.

    `hearing` translates each platform's events, `live` shows there what is going on; a surface that is
    switched on adds its own.
    """

    settings: Settings
    instrument: Instrument
    store: Store
    clock: Clock
    news: News
    inbox: Inbox
    knowledge: KnowledgeService
    hearing: dict[Platform, Hearing]
    live: dict[Platform, Callable[[Turn], Live]]
    conversation: Conversation
    worker: Worker
    model: OpenAIModel | None


@asynccontextmanager
async def open_app(settings: Settings, clock: Clock | None = None) -> AsyncIterator[App]:
    """The product on the configured database, brought up to date; everything is given back at the end."""
    store = Store(settings.store_url)
    app: App | None = None
    try:
        await upgrade(store)
        app = put_together(settings, store, clock or clock_from_setting(settings.now))
        yield app
    finally:
        if app is not None and app.model is not None:
            await app.model.close()
        if app is not None and app.knowledge.meaning is not None:
            await app.knowledge.meaning.close()
        await store.close()


def put_together(settings: Settings, store: Store, clock: Clock) -> App:
    """All parts on an open, migrated store."""
    instrument = load_instrument()
    news = News()
    model = configured_model(settings)
    embedder = LocalEmbedder()
    knowledge = make_library(settings, store, clock, embedder, model)
    policies = PolicyTurns(knowledge)
    coaching = CoachingUseCase(instrument, store, model, elsewhere=names_coverage)
    coverage = CoverageUseCase(instrument)
    audit = AuditUseCase(
        instrument,
        store,
        AnchorProposer(instrument, WordVectors(embedder), model),
        asides=Asides(coaching, policies, store, DepartmentUseCase(instrument)),
        offer_steps=coaching.offer_steps,
        elsewhere=names_coverage,
        beside=coverage.is_at,
    )
    # Asked in this order whether free words are for them; what nobody wants is a question to the policies.
    parts = (
        Uploads(knowledge),
        Home(GREETING, "hello"),
        Thanks(),
        NudgeUseCase(instrument),
        SettingsUseCase(reachable_on(settings)),
        DigestUseCase(),
        CompanyUseCase(instrument),
        DepartmentUseCase(instrument, audit.wants),
        AllBlockersUseCase(instrument),
        ContestedUseCase(instrument),
        OwnDataUseCase(),
        audit,
        coaching,
        EventUseCase(instrument),
        coverage,
        Home(HELP, "help"),
        policies,
    )
    plain = PlainHearing(store)
    hearing: dict[Platform, Hearing] = {Platform.WEB: plain, Platform.CHAT: plain}
    live: dict[Platform, Callable[[Turn], Live]] = {}
    conversation = Conversation(store, parts, policies, hearing, live)
    return App(
        settings=settings,
        instrument=instrument,
        store=store,
        clock=clock,
        news=news,
        inbox=Inbox(store, on_new=news.ring),
        knowledge=knowledge,
        hearing=hearing,
        live=live,
        conversation=conversation,
        worker=Worker(store, conversation, clock, news, on_answered=news.ring),
        model=model,
    )


def reachable_on(settings: Settings) -> set[Platform]:
    """The platforms that are set up, besides the page."""
    found = {
        Platform.SLACK: settings.slack_configured,
        Platform.TEAMS: settings.teams_configured,
        Platform.EMAIL: settings.smtp_url is not None,
    }
    return {platform for platform, is_set_up in found.items() if is_set_up}
