"""`deliveries`: what was sent and what was put aside, and trying that again."""

from __future__ import annotations

import typer

from bot.clock import clock_from_setting
from bot.config import Settings
from bot.errors import NotFound
from handlers.commands.common import open_store, print_json, run, say
from scheduler.outbox import dead_letters, delivery_log, logged, try_again


def deliveries(settings: Settings, put_aside: bool, again: int | None, as_json: bool) -> None:
    """Print the latest messages, or only those put aside; or send one of these once more."""
    if again is not None:
        _again(settings, again)
        return

    async def work() -> list[dict[str, object]]:
        async with open_store(settings) as store:
            if put_aside:
                return [logged(row) for row in await dead_letters(store)]
            return await delivery_log(store)

    rows = run(work())
    if as_json:
        print_json(rows)
        return
    for row in rows:
        note = f"  {row['error']}" if row["error"] else ""
        typer.echo(f"{row['id']}  {row['status']}  {row['platform']} {row['conversation']}{note}")
    if not rows:
        say("Nothing was put aside." if put_aside else "Nothing was sent yet.")


def _again(settings: Settings, number: int) -> None:
    async def work() -> bool:
        async with open_store(settings) as store:
            return await try_again(store, number, clock_from_setting(settings.now)())

    if not run(work()):
        raise NotFound(f"Message {number} is not put aside. See: stagecoach deliveries --put-aside")
    say(f"Message {number} is sent again as soon as `stagecoach serve` runs.")
