"""Starting and stopping: the web server, the workers, the scheduler, and an orderly end.

On SIGTERM or SIGINT the server takes nothing new, what is being answered is finished, and the process leaves
within the time that container platforms give. What could not be finished is in the inbox or the outbox and
goes on at the next start.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bot.errors import SettingsError, StoreUnavailable

log = structlog.get_logger()

DRAIN_SECONDS = 20.0
"""Time to finish what was begun; container platforms kill after 25 to 30 seconds."""

STORE_PAUSE_SECONDS = 1.0

Service = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set, then ends what it was doing."""


@asynccontextmanager
async def served(site: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve `site`; yields its address. Raises SettingsError where the port is taken."""
    runner = web.AppRunner(site, access_log=None, handle_signals=False, shutdown_timeout=5.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise SettingsError(_cannot_listen(error, host, port)) from None
        number = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{number}"
    finally:
        await runner.cleanup()


def _cannot_listen(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program. Stop that one, or choose another: PORT={port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} may not be opened by this user. Choose one above 1023: PORT=8080"
    return f"{host}:{port} can't be opened ({error.strerror}). Check HOST and PORT."


def stop_on_signals() -> asyncio.Event:
    """An event that is set by SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def spare_the_collector() -> None:
    """Let the garbage collector look for cycles seldom, and never through what the start has built.

    Reading a thousand rows makes so many objects that it would otherwise run all the time: a fifth of what a
    week's figures take, and pauses in the middle of somebody's turn.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def run_services(services: Sequence[Service], stop: asyncio.Event) -> None:
    """Run all services until `stop`, then give them DRAIN_SECONDS to end. One that breaks stops the rest."""
    spare_the_collector()
    tasks = [asyncio.create_task(_named(service, stop)) for service in services]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        broken = [task for task in tasks if task.done() and task.exception() is not None]
        stop.set()
        _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
        for task in late:
            log.warning("cut off", action="stop.late", service=task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for task in broken:
            task.result()
    finally:
        stopping.cancel()
        for task in tasks:
            task.cancel()


async def _named(service: Service, stop: asyncio.Event) -> None:
    """A service; one that the database left in the lurch begins again once a moment has passed."""
    while True:
        try:
            await service(stop)
            return
        except StoreUnavailable as error:
            log.warning("begins again", action="service.store_away", reason=str(error))
            if stop.is_set():
                return
            await asyncio.sleep(STORE_PAUSE_SECONDS)
