"""How much of the permitted rate the post office uses against a Slack that refuses what is too fast.

Slack permits a message a second in each channel. The fake counts every refusal; a storm of them would show.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.store.engine import Store
from bot.store.tables import Platform
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
        began = time.perf_counter()
        await run_until_empty(store, [office(store, {Platform.SLACK: SlackSender(clients)})], seconds=300)
        took = time.perf_counter() - began
        await clients.close()
    await store.close()
    posts = sum(method == "chat.postMessage" for method, _ in fake.calls)
    # The first message of a channel may leave at once, each further one a second later.
    return (EACH - 1) * APART / took, posts - CHANNELS * EACH


def main() -> Iterator[tuple[str, float, str]]:
    """(name, share of the permitted rate, figures); 0.95 is the floor."""
    with tempfile.TemporaryDirectory() as folder:
        share, refused = asyncio.run(measure(SqliteFactory(Path(folder)).url()))
    figures = f"{share:.0%} of {CHANNELS} messages a second in {CHANNELS} channels, {refused} refused"
    yield "Slack's permitted rate", share, figures


if __name__ == "__main__":
    for line in main():
        print(*line)
