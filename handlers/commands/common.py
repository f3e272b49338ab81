"""What the commands share: an open, migrated store, and printing."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog
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


def log_to_stderr() -> None:
    """The log of a server: one JSON object a line on stderr, where whoever runs it collects it."""
    _log_to(lambda *_: structlog.PrintLogger(sys.stderr), logging.INFO)


class _File:
    """Appends lines to a file that is opened for each: there are few, and a command leaves nothing open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def msg(self, line: str) -> None:
        """One line; dropped where the file can't be written: the command itself goes on."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as log:
                log.write(line + "\n")
        except OSError:
            return

    debug = info = warning = warn = error = exception = critical = fatal = msg


def log_to_file(folder: Path) -> None:
    """The log of a command that a person watches: warnings and worse, to `errors.log` in `folder`."""
    file = _File(folder / "errors.log")
    _log_to(lambda *_: file, logging.WARNING)


def _log_to(factory: Callable[..., Any], level: int) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )


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
