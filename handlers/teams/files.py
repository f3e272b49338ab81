"""Files that people drop in the personal chat: fetched from where Teams keeps them, and from there alone.

Teams puts them into the person's OneDrive and names an address that lets whoever holds it read the file, for
some minutes. No token of ours goes there; but the address comes with an activity, and is not believed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.errors import InputError
from bot.turns import Dropped
from handlers.teams.connector import Connector
from handlers.teams.people import TeamsAway
from knowledge.extract_text import MAX_FILE

DOMAINS = (".sharepoint.com",)
FETCH_SECONDS = 60.0


def dropped(connector: Connector, files: list[dict[str, Any]]) -> tuple[Dropped, ...]:
    """The files of an event, to be read when they are wanted. Teams does not say how large they are."""
    return tuple(Dropped(str(file["name"]), 0, _reading(connector, str(file["url"]))) for file in files)


def _reading(connector: Connector, url: str) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        if not (is_of_sharepoint(url) or connector.microsoft.is_local(url)):
            raise InputError("That file is not kept in your OneDrive. Please drop the file itself.")
        try:
            return await _fetch(connector.http, url)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TeamsAway("OneDrive can't be reached to fetch a file.") from error

    return read


def is_of_sharepoint(url: str) -> bool:
    """Whether the address is one of OneDrive's or SharePoint's."""
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        return False
    plain = address.scheme == "https" and port in (None, 443) and address.username is None
    return plain and (address.hostname or "").endswith(DOMAINS)


async def _fetch(http: aiohttp.ClientSession, url: str) -> bytes:
    limit = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with http.get(url, allow_redirects=False, timeout=limit) as response:
        if response.status >= 500 or response.status == 429:
            raise aiohttp.ClientPayloadError("OneDrive is busy.")
        if response.status != 200:
            raise InputError("OneDrive does not let me read that file any more. Please drop it once more.")
        data = bytearray()
        async for piece in response.content.iter_chunked(64 * 1024):
            data += piece
            if len(data) > MAX_FILE:
                break
        return bytes(data)
