"""The policy library put together from its parts, for every surface and command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.clock import Clock, clock_from_setting
from bot.config import Settings
from bot.llm import OpenAIModel, WritingModel
from bot.store.engine import Store
from knowledge.embed import LocalEmbedder
from knowledge.fetch import Fetcher
from knowledge.meaning import Meaning, OpenAIEmbeddings
from knowledge.retriever import LocalRetriever
from knowledge.service import KnowledgeService


def make_library(
    settings: Settings, store: Store, clock: Clock, embedder: LocalEmbedder, model: WritingModel | None
) -> KnowledgeService:
    """The library of a process. `embedder` is shared with whatever else compares words by meaning."""
    fetcher = Fetcher(settings.internal_hosts.split(","))
    embeddings = configured_embeddings(settings)
    meaning = Meaning(store, embeddings) if embeddings is not None else None
    return KnowledgeService(store, clock, LocalRetriever(embedder), fetcher, model, meaning)


def configured_model(settings: Settings) -> OpenAIModel | None:
    """The language model that the settings name, None without a key."""
    if settings.openai_api_key is None:
        return None
    key = settings.openai_api_key.get_secret_value()
    return OpenAIModel.connect(key, settings.openai_model, settings.openai_base_url)


def configured_embeddings(settings: Settings) -> OpenAIEmbeddings | None:
    """The embedding model that the settings name, None without a name or a key."""
    if settings.openai_api_key is None or not settings.openai_embedding_model:
        return None
    key = settings.openai_api_key.get_secret_value()
    return OpenAIEmbeddings.connect(key, settings.openai_embedding_model, settings.openai_base_url)


@asynccontextmanager
async def open_library(settings: Settings, store: Store) -> AsyncIterator[KnowledgeService]:
    """A library for one command; the model's connections are given back at the end."""
    model = configured_model(settings)
    library = make_library(settings, store, clock_from_setting(settings.now), LocalEmbedder(), model)
    try:
        yield library
    finally:
        for each in (model, library.meaning):
            if each is not None:
                await each.close()
