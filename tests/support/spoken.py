"""What the product really says: the sample company lives through some weeks, and its people try things.

For looking at messages and for checking that every surface can show them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlmodel import col, select

from bot.clock import system_clock
from bot.config import Settings, for_demo
from bot.messages import Message
from bot.store.engine import Store
from bot.store.migrate import upgrade
from bot.store.tables import OutboxMessage
from handlers.app import App, put_together
from handlers.commands.chat import Terminal
from handlers.demo.personas import PERSONAS
from handlers.demo.setup import demo_clock, fill
from handlers.scheduling import run_until, scheduler_of

LEAD_SAYS = (
    "Start the audit",
    "start",
    "Last Tuesday three of us used the assistant for the monthly report; see TAR-12.",
    "B",
    "not sure",
    "Who will see my answers?",
    "skip",
    "ask me later",
    "coverage",
    "next steps",
    "snooze",
)


async def everything_said(folder: Path, weeks: int = 3) -> list[Message]:
    """Every message of `weeks` of the sample company, and of a conversation with each persona."""
    settings = for_demo(Settings(_env_file=None, STAGECOACH_HOME=folder))  # type: ignore[call-arg]
    store = Store(settings.store_url)
    try:
        await upgrade(store)
        clock = await demo_clock(store, system_clock(), None)
        app = put_together(settings, store, clock)
        await fill(app, clock, lambda line: None)
        for persona in PERSONAS:
            await _talk(app, persona.email, [*persona.suggestions, "help"])
        await _talk(app, PERSONAS[0].email, LEAD_SAYS)
        scheduler, stop = scheduler_of(app), asyncio.Event()
        sending = asyncio.create_task(scheduler.run_sender(stop))
        await run_until(app, clock, scheduler, clock() + timedelta(weeks=weeks))
        stop.set()
        await sending
        return await _messages(store)
    finally:
        await store.close()


async def _talk(app: App, email: str, says: Sequence[str]) -> None:
    terminal = await Terminal.of(app, email)
    for words in says:
        await terminal.answer(json.dumps({"say": words}))


async def _messages(store: Store) -> list[Message]:
    async with store.read() as session:
        rows = (await session.exec(select(OutboxMessage).order_by(col(OutboxMessage.id)))).all()
    # One that is not due yet has no words.
    return [Message.model_validate(row.message) for row in rows if row.message]
