"""Bringing a database to this program's schema, by Alembic.

Several processes may start at once: PostgreSQL's advisory lock, or SQLite's single writer, lets one migrate
while the others wait and then find nothing to do. Each upgrade is one transaction.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import bot.store.tables  # noqa: F401  (the metadata has to know every table)
from bot.errors import StoreUnavailable
from bot.store.engine import Store

_LOCK = 0x57A6EC0AC4
"""Any number that nobody else uses for an advisory lock in the same database."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made


def head() -> str:
    """The newest revision that this program knows."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    assert revision is not None, "there is at least one migration"  # noqa: S101
    return revision


def current(connection: Connection) -> str | None:
    """The database's revision, None where it has no tables."""
    return MigrationContext.configure(connection).get_current_revision()


def _known(revision: str | None) -> bool:
    script = ScriptDirectory.from_config(config())
    return revision is None or revision in {found.revision for found in script.walk_revisions()}


def _upgrade(connection: Connection, target: str) -> tuple[str | None, str]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    before = current(connection)
    if not _known(before):
        raise StoreUnavailable(
            f"The database is at revision {before}, which is newer than this program. Update the program."
        )
    if before != head() or target != "head":
        command.upgrade(config(connection), target)
    return before, current(connection) or ""


async def upgrade(store: Store, target: str = "head") -> tuple[str | None, str]:
    """Bring the database to `target`. Returns the revisions before and after."""
    result: tuple[str | None, str] = await store.run_sync(_upgrade, target)
    return result


def _downgrade(connection: Connection, target: str) -> None:
    command.downgrade(config(connection), target)


async def downgrade(store: Store, target: str) -> None:
    """Bring the database back to `target`; for tests and for going back to a previous release."""
    await store.run_sync(_downgrade, target)


def compared(context: MigrationContext) -> list[Any]:
    """What differs between the database and the tables of this program, as Alembic's operations."""
    return list(compare_metadata(context, SQLModel.metadata))


def _check(connection: Connection) -> list[str]:
    revision = current(connection)
    if revision is None:
        return ["The database has no tables yet. Run: stagecoach db upgrade"]
    if revision != head():
        if not _known(revision):
            return [f"The database is at {revision}, which is newer than this program. Update the program."]
        return [f"The database is at {revision}, this program needs {head()}. Run: stagecoach db upgrade"]
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [f"The schema differs: {difference}" for difference in compared(context)]


async def check(store: Store) -> list[str]:
    """What is wrong with the schema, a sentence each; empty when all is well."""
    result: list[str] = await store.run_sync(_check)
    return result
