"""How soon somebody in Slack sees that something happens, and how soon the answer is there, without a model.

The whole product on SQLite with its own embedding model and the sample company's policies; a fake Slack takes
what it sends, in the same process, over HTTP. Each question is another one, so that no answer comes from the
cache. Permitted: the status within 1 s of the event (on the wall), the answer within 300 ms of our own time
(on the processor, all threads, the fake's share included).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import select

from bot.clock import system_clock
from bot.store.engine import Store
from bot.store.migrate import upgrade
from bot.store.tables import Passage
from knowledge.frontmatter import Details
from tests.fakes.slack_product import Running, plant, running
from tests.fakes.slack_server import BOT, FakeSlack

POLICIES = Path(__file__).parents[1] / "handlers" / "demo" / "sample" / "policies"
QUESTIONS, WARM = 60, 5
STATUS_MS, ANSWER_MS = 1_000.0, 300.0


def main() -> Iterator[tuple[str, float, str]]:
    """The first status and the whole answer, at the 95th percentile, against what is permitted."""
    with tempfile.TemporaryDirectory() as folder:
        asked = asyncio.run(_measure(Path(folder)))
    shown, answered, own = ([one[place] for one in asked] for place in range(3))
    for what, found, permitted in (
        ("Slack: first status", shown, STATUS_MS),
        ("Slack: answer, our own time", own, ANSWER_MS),
        ("Slack: answer, on the wall", answered, ANSWER_MS),
    ):
        figures = (
            f"median {_at(found, 0.5):.0f} ms, p95 {_at(found, 0.95):.0f} ms of {permitted:.0f} permitted"
        )
        yield what, permitted / _at(found, 0.95), f"{figures}, {len(found)} questions"


async def _measure(folder: Path) -> list[tuple[float, float, float]]:
    store, fake = Store(f"sqlite+aiosqlite:///{folder}/slack.db"), FakeSlack()
    try:
        await upgrade(store)
        async with running(store, system_clock, folder, fake, by_words=False) as at_work:
            await plant(store, at_work.app, fake, folder)
            for file in sorted(POLICIES.glob("*.md")):
                # Without its particulars, which name people of another company.
                words, details = file.read_text().split("---\n", 2)[2], Details(title=file.stem)
                await at_work.app.knowledge.filing.add_text(file.name, words, details)
            asked = [await _ask(at_work, text) for text in await _questions(store)]
    finally:
        await store.close()
    return asked[WARM:]


async def _questions(store: Store) -> list[str]:
    async with store.read() as session:
        found = list(await session.exec(select(Passage.heading_path, Passage.text)))
    step = max(1, len(found) // (QUESTIONS + WARM))
    return [
        f"What do we say about {' '.join((path[-1:] or [''])[0].split()[:8])}: {' '.join(text.split()[:8])}?"
        for path, text in found[::step]
    ][: QUESTIONS + WARM]


async def _ask(at_work: Running, text: str) -> tuple[float, float, float]:
    """Milliseconds to the first status, to the answer, and of processor time for it."""
    place, before = at_work.slack.direct("UHANNA"), len(at_work.slack.statuses)
    said = sum(one["user"] == BOT for one in place.messages)
    started, worked = time.perf_counter(), time.process_time()
    await at_work.people.say("UHANNA", text)
    await at_work.people.wait(lambda: len(at_work.slack.statuses) > before)
    shown = time.perf_counter() - started
    await at_work.people.wait(lambda: sum(one["user"] == BOT for one in place.messages) > said)
    answered, own = time.perf_counter() - started, time.process_time() - worked
    # The next question does not wait for this one's end of status.
    await at_work.people.wait(lambda: at_work.slack.statuses[-1][2] == "")
    return shown * 1_000, answered * 1_000, own * 1_000


def _at(found: list[float], share: float) -> float:
    return sorted(found)[min(len(found) - 1, int(len(found) * share))]


if __name__ == "__main__":
    for line in main():
        sys.stdout.write(f"{line[0]:32} {line[1]:6.2f}  {line[2]}\n")
