"""`teams package`."""

from __future__ import annotations

from pathlib import Path

from bot.config import Settings
from bot.errors import SettingsError
from handlers.commands.common import say
from handlers.teams.manifest import EXAMPLE_URL, package


def teams_package(settings: Settings, out: Path) -> None:
    """Write the app package for this deployment, to be uploaded in the Teams admin center."""
    if not settings.microsoft_app_id:
        raise SettingsError("MICROSOFT_APP_ID is missing: the package names the app (docs/teams.md).")
    packed = package(settings.microsoft_app_id, settings.public_url)
    try:
        out.write_bytes(packed)
    except OSError as error:
        raise SettingsError(f"{out} can't be written ({error.strerror}).") from None
    if settings.public_url is None:
        say(f"PUBLIC_URL is not set: the package names {EXAMPLE_URL}. Set it to where Teams reaches this.")
    say(f"{out} is ready. Upload it in the Teams admin center, or in Teams under Apps, Manage your apps.")
