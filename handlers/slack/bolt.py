"""What Bolt does here: the listeners whose loss harms nobody.

What has to be answered never comes this way (see gate).
"""

from __future__ import annotations

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.home import HomeViews
from handlers.slack.incoming import team_of

PROMPTS = (
    ("Ask about a policy", "May I use AI tools with customer data?"),
    ("Where do we stand?", "start audit"),
    ("What can you do?", "help"),
)


def add_listeners(app: AsyncApp, home: HomeViews) -> None:
    """Register every listener on `app`."""
    if app.installation_store is not None:
        app.enable_token_revocation_listeners()

    @app.event("app_home_opened")
    async def opened(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            view = await home.view(team_of(body), str(event["user"]))
            await client.views_publish(user_id=event["user"], view=view)
        else:
            await client.assistant_threads_setSuggestedPrompts(
                channel_id=event["channel"],
                title="What shall we look at?",
                prompts=[{"title": title, "message": message} for title, message in PROMPTS],
            )
