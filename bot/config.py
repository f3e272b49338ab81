"""Settings, read once from the environment and an optional `.env` file, then passed along.

The names are fixed by the product's contract. What is unsafe is refused at the start with one sentence,
not discovered later.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import SettingsError

SLACK_API = "https://slack.com/api/"


class Settings(BaseSettings):
    """Everything that can be set from outside. Secrets never print themselves."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: str | None = None
    home: Path = Field(default=Path("var"), validation_alias="STAGECOACH_HOME")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None

    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_client_id: str | None = None
    slack_client_secret: SecretStr | None = None
    slack_api_url: str = SLACK_API

    microsoft_app_id: str | None = None
    microsoft_app_password: SecretStr | None = None
    microsoft_app_type: str | None = None
    microsoft_app_tenant_id: str | None = None
    teams_anonymous: bool = False

    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str = "gpt-5-mini"
    openai_embedding_model: str | None = None

    internal_hosts: str = Field(default="", validation_alias="STAGECOACH_INTERNAL_HOSTS")
    """Hosts of the company's own, `host` or `host:port` with commas, that policies may be fetched from."""
    smtp_url: SecretStr | None = None
    secret_key: SecretStr | None = Field(default=None, validation_alias="STAGECOACH_SECRET_KEY")
    now: str | None = Field(default=None, validation_alias="STAGECOACH_NOW")

    @property
    def store_url(self) -> str:
        """The database: the one that is set, else a SQLite file below `home`."""
        return self.database_url or f"sqlite:///{self.home / 'stagecoach.db'}"

    @property
    def model_configured(self) -> bool:
        """Whether a language model may be asked."""
        return self.openai_api_key is not None

    @property
    def slack_configured(self) -> bool:
        """Whether anything of Slack is set."""
        return any((self.slack_bot_token, self.slack_app_token, self.slack_client_id))

    @property
    def teams_configured(self) -> bool:
        """Whether anything of Teams is set."""
        return bool(self.microsoft_app_id) or self.teams_anonymous


class _OnlyArguments(Settings):
    """Settings that look neither at the environment nor at a file."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def from_environment() -> Settings:
    """The settings of a real deployment. Raises SettingsError with one sentence per fault."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_faults(error)) from None


def for_demo(environment: Settings) -> Settings:
    """The demo's settings: its own data below the home folder, loopback only, no token of any kind.

    Of the environment it takes the home folder, the port and the time to start at, and nothing else.
    """
    return _OnlyArguments(
        STAGECOACH_HOME=environment.home / "demo",
        host="127.0.0.1",
        port=environment.port,
        STAGECOACH_NOW=environment.now,
    )


def _faults(error: ValidationError) -> str:
    said = [f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()]
    return "The environment can't be used. " + "; ".join(said)


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address) can only be reached from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _loopback_url(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def check_for_serving(settings: Settings) -> None:
    """Refuse a start that would be unsafe or could not work. Raises SettingsError."""
    if settings.teams_anonymous and not is_loopback(settings.host):
        raise SettingsError(
            "TEAMS_ANONYMOUS=1 accepts requests without a signature. It is allowed only with HOST=127.0.0.1."
        )
    if settings.openai_embedding_model and settings.openai_api_key is None:
        raise SettingsError("OPENAI_EMBEDDING_MODEL needs OPENAI_API_KEY too. Set it, or leave both out.")
    if settings.microsoft_app_id and not settings.microsoft_app_type:
        raise SettingsError(
            "MICROSOFT_APP_TYPE is missing. Set it to SingleTenant or UserAssignedMSI, as in the app's "
            "registration."
        )
    if settings.slack_bot_token and not (settings.slack_signing_secret or settings.slack_app_token):
        raise SettingsError(
            "SLACK_BOT_TOKEN is set, but neither SLACK_SIGNING_SECRET (HTTP) nor SLACK_APP_TOKEN (Socket "
            "Mode). Copy one from the app's page at Slack."
        )
    if settings.slack_client_id and not (settings.slack_client_secret and settings.secret_key):
        raise SettingsError(
            "SLACK_CLIENT_ID needs SLACK_CLIENT_SECRET, and STAGECOACH_SECRET_KEY to keep the tokens of "
            "workspaces encrypted."
        )
    if settings.now and not _only_loopback_platforms(settings):
        raise SettingsError(
            "STAGECOACH_NOW moves the clock and real people would be written to at wrong times. Unset it, "
            "or point every platform at this machine."
        )


def _only_loopback_platforms(settings: Settings) -> bool:
    if settings.slack_configured and not _loopback_url(settings.slack_api_url):
        return False
    if settings.microsoft_app_id:
        return False
    return not settings.smtp_url or _loopback_url(settings.smtp_url.get_secret_value())
