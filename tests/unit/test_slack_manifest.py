"""The manifest is one that Slack takes, asks for no more than it explains, and is the same everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from handlers.cli import app
from handlers.slack.manifest import EVENTS, SCOPES, manifest
from tests.conftest import SHARED

ROOT = Path(__file__).parents[2]
SCHEMA = SHARED / "schemas" / "slack-manifest.schema.2.0.0.json"


@pytest.mark.skipif(not SCHEMA.exists(), reason="Slack's schema is not at hand")
@pytest.mark.parametrize(
    "made", [manifest(None), manifest("https://a.example/", True)], ids=["http", "socket"]
)
def test_it_fits_slacks_schema(made: dict[str, object]) -> None:
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(made)


def test_the_files_are_the_same_manifest() -> None:
    assert json.loads((ROOT / "manifest.json").read_text()) == manifest(None)
    assert yaml.safe_load((ROOT / "manifest.yaml").read_text()) == manifest(None)


def test_every_permission_is_explained_in_the_guide() -> None:
    guide = (ROOT / "docs" / "slack.md").read_text()
    assert [scope for scope in SCOPES if f"`{scope}`" not in guide] == []
    assert [event for event in EVENTS if f"`{event}`" not in guide] == []


def test_the_command_prints_it_for_this_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUBLIC_URL", "https://coach.example.org/")
    for name in ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(app, ["slack", "manifest"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["settings"]["interactivity"]["request_url"] == "https://coach.example.org/slack/events"
    assert "agent_view" in printed["features"]
    assert "assistant_view" not in printed["features"]
