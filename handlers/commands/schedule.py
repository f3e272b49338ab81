"""`schedule`: what the planner would send, and what it holds back and why."""

from __future__ import annotations

from datetime import datetime

import typer

from bot.clock import parse_instant
from bot.config import Settings
from bot.errors import InputError
from handlers.commands.common import open_store, print_json, run, say
from scheduler.planner import explain


def schedule_command(settings: Settings, start: str, end: str, as_json: bool) -> None:
    """Print every decision between two instants: what is sent, and what is held back and why."""
    first, last = parse_instant(start), parse_instant(end)
    if last < first:
        raise InputError(f"--to ({end}) lies before --from ({start}). Swap them.")

    async def work() -> list[dict[str, object]]:
        async with open_store(settings) as store:
            return await explain(store, first, last)

    lines = run(work())
    if as_json:
        print_json(lines)
        return
    for line in lines:
        typer.echo(_line(line))
    held = sum(bool(line["held"]) for line in lines)
    say(f"{len(lines) - held} to send, {held} held back." if lines else "Nothing is due in that time.")


def _line(line: dict[str, object]) -> str:
    local = datetime.fromisoformat(str(line["local_time"]))
    when = f"{local:%a %Y-%m-%d %H:%M}"
    what = str(line["kind"]).replace("_", " ")
    if line["held"]:
        return f"{when}  held  {line['name']}: {what}. {line['why']}"
    return f"{when}  send  {line['name']}: {what}. {line['reason']}"
