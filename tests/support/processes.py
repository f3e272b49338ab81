"""`stagecoach serve` in processes of its own, to be killed and stopped."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from pathlib import Path

from tests.fakes.slack_server import TOKEN
from tests.fakes.slack_workspace import SECRET
from tests.support.command import COMMAND, environment

LONGEST_START = 120.0


class Serving:
    """One process that serves the fake Slack behind `api` from the database at `url`; `more` settings."""

    def __init__(self, home: Path, url: str, api: str, **more: str) -> None:
        self._home, self._api, self._url, self._more = home, api, url, more
        self._said = home / f"said-{time.monotonic_ns()}"
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                [str(COMMAND), "serve"], env=self._environment(), cwd=home, stdout=said, stderr=said
            )

    def _environment(self) -> dict[str, str]:
        return environment(
            self._home, PORT="0", DATABASE_URL=self._url, SLACK_BOT_TOKEN=TOKEN,
            SLACK_SIGNING_SECRET=SECRET, SLACK_API_URL=f"{self._api}/api/", **self._more,
        )  # fmt: skip

    async def address(self) -> str:
        """Where it listens, once it does."""
        deadline = time.monotonic() + LONGEST_START
        while time.monotonic() < deadline:
            for word in self._said.read_text().split():
                if word.startswith("http://"):
                    return word.rstrip('.",')
            assert self._process.poll() is None, self._said.read_text()
            await asyncio.sleep(0.05)
        raise AssertionError(self._said.read_text())

    async def kill(self) -> None:
        """The power fails: no goodbye (SIGKILL)."""
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    def end(self) -> None:
        """Make sure that it is gone."""
        self._process.kill()
        self._process.wait()

    async def stop(self) -> float:
        """Ask it to leave (SIGTERM). Returns the seconds it took; it must have left in good order."""
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(self._process.wait, 60)
        assert status == 0, self._said.read_text()
        assert "Traceback" not in self._said.read_text(), self._said.read_text()
        return time.monotonic() - began
