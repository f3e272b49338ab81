"""What the service's refusals and a broken connection mean for a message on its way (scheduler.sending).

Source: Microsoft Learn, "Handle rate limits and errors of bots in Teams".
"""

from __future__ import annotations

import aiohttp

from handlers.teams.connector import Refused
from handlers.teams.tokens import TokenAway, TokenRefused
from scheduler.sending import Gone, Retry, Uncertain

AWAY = (Refused, TokenRefused, TokenAway, aiohttp.ClientError, TimeoutError, OSError)
"""What a fault on the way to Teams may look like."""

TOO_RICH = frozenset({400, 413, 415})
"""The card was refused: the message surely did not arrive, and may as words."""

BUSY_SECONDS = 5.0
_BUSY = frozenset({412, 423, 425, 429, 503})
"""It surely did not arrive, and may later."""

_REASONS = {
    "MessageWritesBlocked": "The person has blocked the app, or the company's rules keep it from writing.",
    "ConversationBlockedByUser": "The person has blocked the app.",
    "BotNotInConversationRoster": "The app was removed from this chat or team. Add it there.",
    "BotDisabledByAdmin": "An administrator of Teams has switched the app off.",
    "ConversationNotFound": "Teams does not know this chat or channel any more.",
    "ForeignAddress": "The stored service address is not Microsoft's; it is renewed once the person writes.",
    "MessageSizeTooBig": "Teams finds the message too long, even as words alone.",
}


def meaning(error: BaseException, direct: bool) -> Retry | Gone | Uncertain:
    """What surely happened. `direct`: the message was for one person alone."""
    if isinstance(error, Refused):
        return _refusal(error, direct)
    if isinstance(error, TokenRefused):
        return Gone(str(error))
    if isinstance(error, TokenAway | aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Retry("Teams can't be reached.")
    return Uncertain("The connection to Teams broke before it replied.")


def _refusal(error: Refused, direct: bool) -> Retry | Gone | Uncertain:
    if error.status in _BUSY:
        return Retry("Teams asked to wait.", after=error.after or BUSY_SECONDS)
    if error.status >= 500:
        return Uncertain(f"Teams had a fault of its own ({error.code or error.status}).")
    if error.status == 401:
        return Gone("Teams does not accept the app's token. Check the app's registration and its tenant.")
    reason = _REASONS.get(error.code, f"Teams refused the message ({error.code or error.status}).")
    return Gone(reason, unreachable=direct and error.status in (403, 404))
