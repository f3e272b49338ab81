"""What the commands share: an open, migrated store, and printing."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import typer

from bot.config import Settings
from bot.store.engine import Store
from bot.store.migrate import upgrade

Result = TypeVar("Result")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's coroutine to its end. SIGTERM ends it like Ctrl-C: what it holds is given back."""

    async def main() -> Result:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (asyncio.run made one)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await coroutine

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The configured database, brought to this program's schema; closed at the end."""
    store = Store(settings.store_url)
    try:
        await upgrade(store)
        yield store
    finally:
        await store.close()


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(document, ensure_ascii=False))


def say(sentence: str) -> None:
    """A sentence for the person at the terminal, on stderr."""
    typer.echo(sentence, err=True)
