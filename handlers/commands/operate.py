"""`db upgrade`, `db check`, `doctor`."""

from __future__ import annotations

import typer

from bot.config import Settings
from bot.errors import StagecoachError
from bot.store import migrate
from bot.store.engine import Store
from handlers.commands.common import run, say


def db_upgrade(settings: Settings) -> None:
    """Bring the database to this program's schema and say from where to where."""

    async def work() -> tuple[str | None, str]:
        store = Store(settings.store_url)
        try:
            return await migrate.upgrade(store)
        finally:
            await store.close()

    before, after = run(work())
    if before == after:
        say(f"The database is at revision {after}; nothing to do.")
    else:
        say(f"The database went from {before or 'empty'} to revision {after}.")


def db_check(settings: Settings) -> None:
    """Say whether the database fits this program; raises StagecoachError where it does not."""

    async def work() -> list[str]:
        store = Store(settings.store_url)
        try:
            return await migrate.check(store)
        finally:
            await store.close()

    problems = run(work())
    if problems:
        raise StagecoachError("\n".join(problems))
    typer.echo("The database fits this program.")
