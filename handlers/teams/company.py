"""Whether people of another company read along in a channel or a group chat: guests, and other tenants.

The members are looked at when somebody asks there, and remembered for some minutes. Where they can't be seen,
or are too many to look at, somebody from outside is taken to be among them: the answer then comes in private.
"""

from __future__ import annotations

import asyncio

from handlers.teams.connector import Connector, Refused
from handlers.teams.meaning import AWAY
from handlers.teams.people import Account, TeamsAway, is_outside

REMEMBER_SECONDS = 600.0
REMEMBERED = 1_000
MOST_PAGES = 25
"""Of 200 members each."""


class Company:
    """Remembers who is among whom."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._seen: dict[str, tuple[float, bool]] = {}

    async def is_mixed(self, account: Account) -> bool:
        """Whether somebody from outside is in the conversation. Raises TeamsAway."""
        now = asyncio.get_running_loop().time()
        until, mixed = self._seen.get(account.conversation, (0.0, False))
        if now < until:
            return mixed
        mixed = await self._look(account)
        self._seen = dict(list(self._seen.items())[-REMEMBERED:])
        self._seen[account.conversation] = (now + REMEMBER_SECONDS, mixed)
        return mixed

    async def _look(self, account: Account) -> bool:
        token: str | None = None
        try:
            for _ in range(MOST_PAGES):
                page = await self._connector.members(account.service_url, account.conversation, token)
                if any(is_outside(profile, account.tenant) for profile in page.get("members", [])):
                    return True
                token = page.get("continuationToken")
                if not token:
                    return False
        except Refused as refused:
            if refused.status >= 500 or refused.status == 429:
                raise TeamsAway("Teams could not be asked who reads along.") from refused
        except AWAY as error:
            raise TeamsAway("Teams can't be reached to ask who reads along.") from error
        return True
