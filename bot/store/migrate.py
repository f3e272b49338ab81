"""Bringing a database to this program's schema, by Alembic.

Several processes may start at once: PostgreSQL's advisory lock, or SQLite's single writer, lets one migrate
while the others wait and then find nothing to do. Each upgrade is one transaction.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

import bot.store.tables  # noqa: F401  (the metadata has to know every table)
from bot.errors import StoreUnavailable
from bot.store.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

_MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK = 0x57A6EC0AC4
"""Any number that nobody else uses for an advisory lock in the same database."""


# Alembic is loaded only where there is something to migrate or to compare: a start finds nothing to do.


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS))
    made.attributes["connection"] = connection
    return made


def revisions() -> list[str]:
    """Every revision that this program knows, oldest first: the numbers that the files begin with."""
    return sorted(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    """The newest revision that this program knows."""
    return revisions()[-1]


def current(connection: Connection) -> str | None:
    """The database's revision, None where it has no tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _known(revision: str | None) -> bool:
    return revision is None or revision in revisions()


def _upgrade(connection: Connection, target: str) -> tuple[str | None, str]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    before = current(connection)
    if not _known(before):
        raise StoreUnavailable(
            f"The database is at revision {before}, which is newer than this program. Update the program."
        )
    if before != head() or target != "head":
        from alembic import command

        command.upgrade(config(connection), target)
    return before, current(connection) or ""


async def upgrade(store: Store, target: str = "head") -> tuple[str | None, str]:
    """Bring the database to `target`. Returns the revisions before and after."""
    result: tuple[str | None, str] = await store.run_sync(_upgrade, target)
    return result


def _downgrade(connection: Connection, target: str) -> None:
    from alembic import command

    command.downgrade(config(connection), target)


async def downgrade(store: Store, target: str) -> None:
    """Bring the database back to `target`; for tests and for going back to a previous release."""
    await store.run_sync(_downgrade, target)


def compared(context: MigrationContext) -> list[Any]:
    """What differs between the database and the tables of this program, as Alembic's operations."""
    from alembic.autogenerate import compare_metadata

    return list(compare_metadata(context, SQLModel.metadata))


def _behind(connection: Connection) -> list[str]:
    revision = current(connection)
    if revision is None:
        return ["The database has no tables yet. Run: stagecoach db upgrade"]
    if not _known(revision):
        return [f"The database is at {revision}, which is newer than this program. Update the program."]
    if revision != head():
        return [f"The database is at {revision}, this program needs {head()}. Run: stagecoach db upgrade"]
    return []


async def behind(store: Store) -> list[str]:
    """As `check`, by the revision alone: cheap enough to be asked every few seconds."""
    async with store.read() as session:
        return await (await session.connection()).run_sync(_behind)


def _check(connection: Connection) -> list[str]:
    if problems := _behind(connection):
        return problems
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [f"The schema differs: {difference}" for difference in compared(context)]


async def check(store: Store) -> list[str]:
    """What is wrong with the schema, a sentence each; empty when all is well."""
    result: list[str] = await store.run_sync(_check)
    return result
