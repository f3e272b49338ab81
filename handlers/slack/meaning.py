"""What Slack's refusals and a broken connection mean for a message on its way (scheduler.sending)."""

from __future__ import annotations

import aiohttp
from slack_sdk.errors import SlackApiError

from scheduler.sending import Gone, Retry, Uncertain

TOO_RICH = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "invalid_attachments",
        "block_mismatch",
        "blocks_too_long",
    }
)
"""The blocks were refused: the message surely did not arrive, and may in a simpler form."""

TOKEN = frozenset({"token_revoked", "token_expired", "invalid_auth", "not_authed", "account_inactive"})
_REASONS = {
    "channel_not_found": "Slack does not know this channel, or the app is not in it. Invite the app there.",
    "not_in_channel": "The app is not in this channel. Invite it there.",
    "is_archived": "The channel is archived. Name another one for this department.",
    "account_inactive": "The account is deactivated at Slack, or the app was removed from the workspace.",
    "token_revoked": "Slack has revoked the app's token. Install the app again.",
    "token_expired": "The app's token has run out. Install the app again.",
    "invalid_auth": "Slack does not accept the app's token. Check SLACK_BOT_TOKEN, or install the app again.",
    "not_authed": "Slack got no token. Check SLACK_BOT_TOKEN, or install the app again.",
    "missing_scope": "The app lacks a permission. Install it again from the manifest.",
    "restricted_action": "The workspace does not let the app write here. Ask its owner.",
    "messages_tab_disabled": "The app's messages tab is off. Install the app again from the manifest.",
    "user_not_found": "Slack does not know this person any more.",
    "cannot_dm_bot": "That account is a bot.",
    "user_disabled": "The account is deactivated at Slack.",
    "msg_too_long": "Slack finds the message too long, even as words alone.",
}
_PERSON = frozenset(
    {
        "user_not_found",
        "user_disabled",
        "cannot_dm_bot",
        "messages_tab_disabled",
        "is_archived",
        "channel_not_found",
    }
)
"""What makes a direct message impossible until the person is heard from again."""

_AWAY = frozenset(
    {"service_unavailable", "team_added_to_org", "request_timeout", "accesslimited", "org_login_required"}
)
_PERHAPS = frozenset({"fatal_error", "internal_error"})
"""Slack's words for: some of it may have happened."""


def code_of(error: SlackApiError) -> str:
    """Slack's name of the fault, or nothing where a gateway in between replied."""
    # The SDK hands over its own response, or the bare one of aiohttp where the reply was no JSON.
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def meaning(error: SlackApiError, direct: bool) -> Retry | Gone | Uncertain:
    """What surely happened. `direct`: the message was for one person alone."""
    code, status = code_of(error), _status(error)
    if code in ("ratelimited", "rate_limited") or status == 429:
        return Retry("Slack asked to wait.", after=_retry_after(error))
    # No code at all: a gateway in between replied, and what Slack did is unknown.
    if code in _PERHAPS or status >= 500 or not code:
        return Uncertain(f"Slack had a fault of its own ({code or status}).")
    if code in _AWAY:
        return Retry(f"Slack does not serve this now ({code}).")
    reason = _REASONS.get(code, f"Slack refused the message ({code}).")
    return Gone(reason, unreachable=direct and code in _PERSON)


def of_connection(error: Exception) -> Retry | Uncertain:
    """What never reached Slack can be sent again; what broke on the way back may have arrived."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Retry("Slack can't be reached.")
    return Uncertain("The connection to Slack broke before it replied.")


def _status(error: SlackApiError) -> int:
    return int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0))


def _retry_after(error: SlackApiError) -> float:
    named = {name.lower(): value for name, value in (getattr(error.response, "headers", None) or {}).items()}
    try:
        return max(1.0, float(named.get("retry-after", 30)))
    except ValueError:
        return 30.0
