"""Settings: what is unsafe is refused at the start, in one sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Settings, check_for_serving, for_demo, from_environment
from bot.errors import SettingsError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting comes from the machine that runs the tests."""
    for name in Settings.model_fields:
        for known in (name.upper(), f"STAGECOACH_{name.upper()}"):
            monkeypatch.delenv(known, raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_anything_it_is_sqlite_on_loopback() -> None:
    settings = from_environment()
    assert settings.store_url == "sqlite:///var/stagecoach.db"
    assert settings.host == "127.0.0.1"
    assert not settings.model_configured
    check_for_serving(settings)


def test_an_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9001\nSTAGECOACH_HOME=elsewhere\nSLACK_BOT_TOKEN=\n")
    monkeypatch.setenv("PORT", "9002")
    settings = from_environment()
    assert settings.port == 9002
    assert settings.home == Path("elsewhere")
    assert settings.slack_bot_token is None


def test_the_demo_takes_no_token_and_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATABASE_URL": "postgresql://real/one",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "MICROSOFT_APP_ID": "1",
        "OPENAI_API_KEY": "sk-1",
        "SMTP_URL": "smtp://mail.example.com",
        "HOST": "0.0.0.0",  # noqa: S104
        "PORT": "9003",
    }.items():
        monkeypatch.setenv(name, value)
    demo = for_demo(from_environment())
    assert demo.store_url == "sqlite:///var/demo/stagecoach.db"
    assert demo.host == "127.0.0.1"
    assert demo.port == 9003
    assert not demo.slack_configured
    assert not demo.teams_configured
    assert not demo.model_configured
    assert demo.smtp_url is None


def test_secrets_do_not_print_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    assert "xoxb-secret" not in repr(from_environment())


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TEAMS_ANONYMOUS": "1", "HOST": "0.0.0.0"}, "HOST=127.0.0.1"),  # noqa: S104
        ({"MICROSOFT_APP_ID": "1"}, "MICROSOFT_APP_TYPE is missing"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_CLIENT_ID": "1", "SLACK_CLIENT_SECRET": "2"}, "STAGECOACH_SECRET_KEY"),
        ({"STAGECOACH_NOW": "2026-11-22T10:00:00Z", "SMTP_URL": "smtp://mail.example.com"}, "STAGECOACH_NOW"),
    ],
)
def test_an_unsafe_start_is_refused(
    environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        check_for_serving(from_environment())


def test_a_moved_clock_is_fine_where_nobody_real_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGECOACH_NOW", "2026-11-22T10:00:00Z")
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:2525")
    check_for_serving(from_environment())


def test_a_setting_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(SettingsError, match="PORT"):
        from_environment()
