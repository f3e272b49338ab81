"""`stagecoach serve` as an operator meets it: ready, countable, and gone on SIGTERM."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from bot.clock import system_clock
from bot.messages import Message
from bot.store.engine import Store
from bot.store.outbox import enqueue
from bot.store.tables import OutboxMessage, OutboxStatus, Platform
from tests.support.command import COMMAND, environment, stagecoach


def test_it_serves_until_sigterm(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("departments: [{id: a, name: A}]")
    assert stagecoach(tmp_path, "org", "import", "org.yaml").status == 0
    with (tmp_path / "said").open("w") as said:
        server = subprocess.Popen(
            [str(COMMAND), "serve"],
            env=environment(tmp_path, PORT="0"),
            cwd=tmp_path,
            stdout=said,
            stderr=said,
        )
    try:
        address = _address(tmp_path / "said", server)
        assert json.loads(_read(f"{address}/healthz")) == {"alive": True}
        ready = json.loads(_read(f"{address}/readyz"))
        assert ready == {"ready": True, "checks": {"database": "ok", "migrations": "ok", "index": "ok"}}
        assert "# TYPE stagecoach_inbox_events gauge" in _read(f"{address}/metrics")
        with pytest.raises(HTTPError):
            _read(f"{address}/")
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(25) == 0
    assert "Traceback" not in (tmp_path / "said").read_text()


def test_doctor_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("departments: [{id: a, name: A}]")
    before = stagecoach(tmp_path, "doctor", "--json")
    assert before.status == 1
    found = {one["name"]: one for one in json.loads(before.out)["findings"]}
    assert found["embedding model"]["well"]
    assert "stagecoach db upgrade" in found["database"]["sentence"]
    assert stagecoach(tmp_path, "org", "import", "org.yaml").status == 0
    after = stagecoach(tmp_path, "doctor")
    assert after.status == 1
    assert "NO  organisation: These departments have no lead: a." in after.out
    assert "NO  policies: There are no documents yet. Run: stagecoach kb add PATH" in after.out
    assert "Not everything is well" in after.err


async def test_what_was_put_aside_is_read_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("departments: [{id: a, name: A}]")
    assert stagecoach(tmp_path, "org", "import", "org.yaml").status == 0
    store = Store(f"sqlite:///{tmp_path / 'stagecoach.db'}")
    for number, platform in enumerate((Platform.SLACK, Platform.EMAIL)):
        async with store.write() as tx:
            said = [Message(text="words of a person")]
            place, now = f"place {number}", system_clock()
            await enqueue(tx, platform=platform, conversation=place, messages=said, key=place, now=now)
    async with store.write() as tx:
        row = await tx.get_one(OutboxMessage, 1)
        row.status, row.error = OutboxStatus.DEAD, "The channel is archived."
    await store.close()
    aside = stagecoach(tmp_path, "deliveries", "--put-aside")
    assert aside.out == "1  dead  slack place 0  The channel is archived.\n"
    found = {one["name"]: one for one in json.loads(stagecoach(tmp_path, "doctor", "--json").out)["findings"]}
    assert "1 letters wait. Set SMTP_URL" in found["e-mail"]["sentence"]
    assert "deliveries --put-aside" in found["outbox"]["sentence"]
    assert stagecoach(tmp_path, "deliveries", "--again", "1").status == 0
    assert stagecoach(tmp_path, "deliveries", "--again", "1").status == 1
    log = stagecoach(tmp_path, "deliveries", "--json")
    assert [row["status"] for row in json.loads(log.out)] == ["pending", "pending"]
    assert "words of a person" not in log.out


def test_a_digest_is_drawn_for_slack(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("departments: [{id: a, name: A}]")
    assert stagecoach(tmp_path, "org", "import", "org.yaml").status == 0
    drawn = json.loads(stagecoach(tmp_path, "digest", "--format", "slack").out)
    assert drawn["text"]
    assert all("type" in block for block in drawn["blocks"])


def _address(file: Path, server: subprocess.Popen[bytes]) -> str:
    for _ in range(1200):
        for word in file.read_text().split():
            if word.startswith("http://"):
                return word.rstrip(".")
        assert server.poll() is None, file.read_text()
        time.sleep(0.05)
    raise AssertionError(file.read_text())


def _read(url: str) -> str:
    with urlopen(url, timeout=20) as answer:  # noqa: S310  (an address of our own on loopback)
        return str(answer.read().decode())
