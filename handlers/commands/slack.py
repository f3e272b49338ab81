"""`slack manifest`."""

from __future__ import annotations

import json

import typer

from bot.config import Settings
from handlers.commands.common import say
from handlers.slack.manifest import EXAMPLE_URL, manifest


def slack_manifest(settings: Settings) -> None:
    """Print the app manifest for this deployment, to be pasted at api.slack.com/apps."""
    socket_mode = settings.slack_app_token is not None and settings.slack_signing_secret is None
    if settings.public_url is None and not socket_mode:
        say(f"PUBLIC_URL is not set: the manifest names {EXAMPLE_URL}. Set it to where Slack reaches this.")
    typer.echo(json.dumps(manifest(settings.public_url, socket_mode), indent=2, ensure_ascii=False))
