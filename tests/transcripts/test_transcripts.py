"""Twelve journeys and more, as they read: each file beside this one is a conversation, word for word.

Lines that begin with `you:` are typed, or tapped where they stand in brackets; `as:` changes who speaks,
`wait:` moves the clock by days, `closest:` says which anchors will be proposed. (`level: 2` taps the
button of that level, and is written down as the tap.) All else is what the coach says. A
change of wording is reviewed in these files: run the tests with STAGECOACH_REWRITE=1 to write them anew, and
read them aloud.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.talk import Office, open_office

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.txt"))


async def replay(office: Office, script: str) -> str:
    """The whole conversation anew: the directives of `script` with what the coach says now."""
    heading = [line for line in script.splitlines() if line.startswith("#")]
    office.log += heading
    for line in script.splitlines():
        name, _, rest = line.partition(": ")
        match name:
            case "you" if rest.endswith(" on an older card"):
                await office.tap(rest.removesuffix(" on an older card").strip("[]"), older=True)
            case "you" if rest.startswith("["):
                await office.tap(rest.strip("[]"))
            case "you":
                await office.say(rest)
            case "level":
                await office.tap_level(int(rest))
            case "as":
                office.who = rest
                office.log.append(line)
            case "wait":
                office.now += timedelta(days=float(rest.split()[0]))
                office.log.append(line)
            case "closest":
                office.proposals.levels = tuple(int(level) for level in rest.split() if level.isdigit())
                office.log.append(line)
    return "\n\n".join(office.log) + "\n"


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
async def test_the_conversation_reads_as_written(sqlite_store, path):
    script = path.read_text(encoding="utf-8")
    now = await replay(await open_office(sqlite_store), script)
    if os.environ.get("STAGECOACH_REWRITE"):
        path.write_text(now, encoding="utf-8")
    assert now == path.read_text(encoding="utf-8")


def test_there_are_at_least_twelve():
    assert len(FILES) >= 12
