"""Where the log goes: never to stdout, which belongs to what was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from handlers.commands.common import log_to_file, log_to_stderr


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_commands_log_goes_to_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log_to_file(tmp_path / "home")
    log = structlog.get_logger()
    log.info("usual", action="test")
    assert not (tmp_path / "home").exists(), "nothing is made where nothing is told"
    log.warning("odd", action="test")
    structlog.get_logger().error("worse", action="test")
    lines = (tmp_path / "home" / "errors.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["odd", "worse"]
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log_to_file(tmp_path / "file")
    structlog.get_logger().error("lost", action="test")


def test_a_servers_log_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    log_to_stderr()
    structlog.get_logger().info("served", action="test")
    out, err = capfd.readouterr()
    assert out == ""
    assert json.loads(err)["action"] == "test"
