"""Charts as pictures, where a workspace refuses Slack's own: drawn here, kept at Slack, shown by their id.

A picture that can't be drawn or handed over costs nothing but itself: a table leaves in its place.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.messages import Chart
from handlers.slack.render import LONGEST_ALT, Rendered

log = structlog.get_logger()

LOOKS, LOOK_SECONDS = 8, 0.4
"""Slack takes a moment to process a file; a message that shows it sooner is refused."""


async def upload(client: AsyncWebClient, form: Rendered) -> Rendered | None:
    """The form with its picture at Slack, or None where that did not succeed."""
    if form.picture is None:
        return form
    try:
        file = await _hand_over(client, form.picture)
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        log.warning("no picture", action="slack.picture", kind=type(error).__name__)
        return None
    if file is None:
        return None
    made = ({**one, "slack_file": {"id": file}} if one["type"] == "image" else one for one in form.blocks)
    return replace(form, blocks=tuple(made), picture=None)


async def _hand_over(client: AsyncWebClient, chart: Chart) -> str | None:
    # What draws is large, and most workspaces never need it.
    from scheduler.charts import draw_png

    picture = await asyncio.to_thread(draw_png, chart)
    reply = await client.files_upload_v2(
        filename="chart.png",
        content=picture,
        title=chart.title[:200] or "Chart",
        alt_txt=chart.alt[:LONGEST_ALT],
        highlight_type="png",
    )
    file = str(reply["file"]["id"])
    for _ in range(LOOKS):
        if (await client.files_info(file=file))["file"].get("mimetype"):
            return file
        await asyncio.sleep(LOOK_SECONDS)
    return None
