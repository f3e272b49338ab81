"""Files that people drop in the direct message: fetched with our token, and from Slack alone.

An address in an event is not believed: the token goes to Slack's own hosts, over https, and follows no
redirect. (Where SLACK_API_URL names another server, that one is Slack.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.errors import InputError
from bot.turns import Dropped
from handlers.slack.clients import Clients
from handlers.slack.people import SlackAway
from knowledge.extract_text import MAX_FILE

HOSTS = ("files.slack.com", "slack-files.com", "files-origin.slack.com")
FETCH_SECONDS = 60.0


def dropped(clients: Clients, team: str, files: list[dict[str, Any]]) -> tuple[Dropped, ...]:
    """The files of an event, to be read when they are wanted."""
    return tuple(
        Dropped(str(file["name"]), int(file["size"]), _reading(clients, team, str(file["url"])))
        for file in files
    )


def _reading(clients: Clients, team: str, url: str) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        if not is_of_slack(url, clients.api_url):
            raise InputError("That file is not kept at Slack. Please drop the file itself.")
        token = await clients.tokens.token(team)
        try:
            return await _fetch(clients.pool(), url, token)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlackAway("Slack can't be reached to fetch a file.") from error

    return read


def is_of_slack(url: str, api_url: str) -> bool:
    """Whether the token may go there."""
    try:
        address, api = urlsplit(url), urlsplit(api_url)
        port = address.port
    except ValueError:
        return False
    if api.hostname == "slack.com":
        return address.scheme == "https" and address.netloc in HOSTS and port is None
    return (address.scheme, address.netloc) == (api.scheme, api.netloc)


async def _fetch(session: aiohttp.ClientSession, url: str, token: str) -> bytes:
    limit = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    head = {"Authorization": f"Bearer {token}"}
    async with session.get(url, headers=head, allow_redirects=False, timeout=limit) as response:
        if response.status >= 500 or response.status == 429:
            raise aiohttp.ClientPayloadError("Slack is busy.")
        # To whoever may not read a file Slack shows its sign-in page.
        named_page = urlsplit(url).path.lower().endswith((".html", ".htm"))
        if response.status != 200 or (response.content_type == "text/html" and not named_page):
            raise InputError(
                "Slack does not let me read that file. Your administrator can allow it: the app needs the "
                "permission files:read."
            )
        return await _at_most(response)


async def _at_most(response: aiohttp.ClientResponse) -> bytes:
    """The body; of one that is too large only so much that this is seen."""
    data = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        data += piece
        if len(data) > MAX_FILE:
            break
    return bytes(data)
