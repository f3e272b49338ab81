"""How much of the permitted rate the post office uses against a Slack that refuses what is too fast.

Slack permits a message a second in each channel. The fake counts every refusal; a storm of them would show.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import col, func, select

from bot.store.engine import Store
from bot.store.tables import OutboxMessage, Platform
from handlers.running import served
from handlers.slack.clients import Clients, OneToken
from handlers.slack.sender import SlackSender
from tests.fakes.slack_server import TOKEN, FakeSlack
from tests.support.databases import SqliteFactory
from tests.support.outbox import fill, office, run_until_empty

CHANNELS, EACH, APART = 20, 16, 1.0


async def measure(url: str) -> tuple[float, int]:
    """(share of the permitted rate that was used, requests that were refused as too fast)."""
    store, fake = Store(url), FakeSlack(gap=APART)
    for number in range(CHANNELS):
        fake.add_channel(f"C{number}")
    await fill(store, CHANNELS, EACH)
    async with served(fake.app(), "127.0.0.1", 0) as api:
        clients = Clients(OneToken(TOKEN), f"{api}/api/")
        await run_until_empty(store, [office(store, {Platform.SLACK: SlackSender(clients)})], seconds=300)
        await clients.close()
    share = await _used(store)
    await store.close()
    posts = sum(method == "chat.postMessage" for method, _ in fake.calls)
    return share, posts - CHANNELS * EACH


async def _used(store: Store) -> float:
    """The share of the permitted rate, as a mean over the channels: from the first message to the last."""
    sent_at = col(OutboxMessage.sent_at)
    query = select(func.min(sent_at), func.max(sent_at)).group_by(col(OutboxMessage.conversation))
    async with store.read() as session:
        took = [(last - first).total_seconds() for first, last in await session.exec(query)]
    return (EACH - 1) * APART * len(took) / sum(took)


def main() -> Iterator[tuple[str, float, str]]:
    """(name, share of the permitted rate, figures); 0.95 is the floor."""
    with tempfile.TemporaryDirectory() as folder:
        share, refused = asyncio.run(measure(SqliteFactory(Path(folder)).url()))
    figures = f"{share:.0%} of {CHANNELS} messages a second in {CHANNELS} channels, {refused} refused"
    yield "Slack's permitted rate", share, figures


if __name__ == "__main__":
    for line in main():
        print(*line)
