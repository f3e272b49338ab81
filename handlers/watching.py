"""Watched folders within a process: the metronome looks whether one is due."""

from __future__ import annotations

import asyncio

import structlog

from bot.errors import StagecoachError
from handlers.running import Service
from knowledge.service import KnowledgeService
from knowledge.watching import Watching
from scheduler.clock import Metronome

log = structlog.get_logger()


EMBEDDING_SECONDS = 30.0


def embedding(service: KnowledgeService) -> Service:
    """Has the embedding service, where one is set up, read what is new."""

    async def run(stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        while not stop.is_set():
            if service.meaning is not None:
                try:
                    await service.meaning.fill()
                except StagecoachError as error:
                    log.warning("not embedded", action="kb.embed", reason=type(error).__name__)
            await asyncio.wait([stopped], timeout=EMBEDDING_SECONDS)
        await stopped

    return run


def watching(service: KnowledgeService) -> Service:
    """Follows the folders that `kb add --watch` named. Every process may do so: each folder is claimed."""
    folders = Watching(service)

    async def look() -> None:
        try:
            for looked in await folders.look_at_due():
                if looked.problem or looked.outcomes or looked.gone:
                    read, gone = len(looked.outcomes), len(looked.gone)
                    log.info("looked", action="kb.watch", read=read, gone=gone, problem=looked.problem)
        except StagecoachError as error:
            log.warning("not looked", action="kb.watch", reason=type(error).__name__)

    async def run(stop: asyncio.Event) -> None:
        metronome = Metronome(look)
        metronome.start()
        try:
            await stop.wait()
        finally:
            await metronome.stop()

    return run
