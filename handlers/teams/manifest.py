"""The app package for Teams: the manifest and two icons in one zip.

Source: Microsoft Learn, "App manifest schema" 1.29.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any
from urllib.parse import urlsplit

from bot.errors import SettingsError
from handlers.teams.icons import ACCENT, colour_icon, outline_icon

SCHEMA = "https://developer.microsoft.com/json-schemas/teams/v1.29/MicrosoftTeams.schema.json"
VERSION = "0.1.0"
EXAMPLE_URL = "https://stagecoach.example.com"

_ALONE = {
    "start audit": "Look at where your team stands, four short questions at a time",
    "next steps": "What your team chose to do next",
    "coverage": "How much of the everyday work AI does",
    "my questions": "What you sent to policy owners",
    "Show the latest digest": "The company's week on one screen",
    "my settings": "When and where I write to you",
    "pause all": "No messages from me unless you ask",
    "help": "What I can do",
}
_TOGETHER = {"help": "What I can do. Or mention me with a question about a policy"}

_LONG = (
    "Stagecoach helps every department put AI to work in the right order. Leads look at where their team "
    "stands, a few short questions at a time, and choose next steps. Everybody can ask about the company's "
    "AI policies and gets the policy's own words, or hears that the policies do not say. Executives get one "
    "screen a week."
)


def manifest(app_id: str, public_url: str | None) -> dict[str, Any]:
    """The manifest of a deployment at `public_url`. Raises SettingsError where `app_id` is no app id."""
    base = (public_url or EXAMPLE_URL).rstrip("/")
    bot = _app_id(app_id)
    return {
        "$schema": SCHEMA,
        "manifestVersion": "1.29",
        "version": VERSION,
        "id": bot,
        "developer": {
            "name": "Stagecoach",
            "websiteUrl": base,
            "privacyUrl": f"{base}/privacy",
            "termsOfUseUrl": f"{base}/terms",
        },
        "name": {"short": "Stagecoach", "full": "Stagecoach, the AI value model coach"},
        "description": {
            "short": "Coaches your company through the five AI value models.",
            "full": _LONG,
        },
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": ACCENT,
        "defaultInstallScope": "personal",
        "bots": [
            {
                "botId": bot,
                "scopes": ["personal", "team", "groupChat"],
                "supportsFiles": True,
                "isNotificationOnly": False,
                "commandLists": [
                    _commands(["personal"], _ALONE),
                    _commands(["team", "groupChat"], _TOGETHER),
                ],
            }
        ],
        "validDomains": [urlsplit(base).hostname or ""],
    }


def package(app_id: str, public_url: str | None) -> bytes:
    """The zip that is uploaded in the Teams admin center. The same settings give the same bytes."""
    described = json.dumps(manifest(app_id, public_url), indent=2, ensure_ascii=False).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in (
            ("manifest.json", described),
            ("color.png", colour_icon()),
            ("outline.png", outline_icon()),
        ):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _app_id(given: str) -> str:
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise SettingsError(
            "MICROSOFT_APP_ID has to be the app's id from its registration, like "
            "1f0c3d2e-5b6a-4c7d-8e9f-0a1b2c3d4e5f."
        ) from None


def _commands(scopes: list[str], listed: dict[str, str]) -> dict[str, Any]:
    commands = [{"title": title, "description": about} for title, about in listed.items()]
    return {"scopes": scopes, "commands": commands}
