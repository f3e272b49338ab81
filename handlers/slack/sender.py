"""Messages on their way to Slack (scheduler.sending.Sender).

Nothing is tried again here but a message whose blocks Slack refused: that one surely did not arrive, and
leaves in a simpler form. Everything else is the outbox's to decide; this only says what surely happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import Clock, system_clock
from handlers.slack.address import Address
from handlers.slack.clients import Clients, NoToken
from handlers.slack.render import Rendered, forms
from handlers.slack.words import Block
from scheduler.sending import Gone, Outgoing, Pace, Retry, Uncertain

log = structlog.get_logger()

EVENT_TYPE = "stagecoach_delivery"
SKEW = timedelta(minutes=2)
"""How far our clock may be off Slack's: history is read from that much earlier."""

PAGES = 5
PAGE = 100

_TOO_RICH = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "invalid_attachments",
        "block_mismatch",
        "blocks_too_long",
    }
)
_TOKEN = frozenset({"token_revoked", "token_expired", "invalid_auth", "not_authed", "account_inactive"})
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


class SlackSender:
    """Writes to Slack. `after` is called with the address once a message is there (to end a status)."""

    pace = Pace(per_second=None, apart=1.0, at_once=32, timeout=30.0)

    def __init__(
        self,
        clients: Clients,
        after: Callable[[Address], Awaitable[None]] | None = None,
        machine_clock: Clock = system_clock,
    ) -> None:
        self._clients, self._after, self._machine_clock = clients, after, machine_clock

    async def send(self, outgoing: Outgoing) -> str:
        """Post the message; returns its `ts`. Raises Undelivered."""
        address = Address.parse(outgoing.conversation)
        client = await self._client(address)
        if address.channel.startswith("="):
            return await self._complete(client, address, outgoing)
        for form in forms(outgoing.message):
            ts = await self._post(client, address, outgoing, form)
            if ts is not None:
                if self._after is not None:
                    await self._after(address)
                return ts
        raise Gone("Slack refused the message in every form.")

    async def _client(self, address: Address) -> AsyncWebClient:
        try:
            return await self._clients.of(address.team)
        except NoToken as error:
            raise Gone(str(error)) from None

    async def _post(
        self, client: AsyncWebClient, address: Address, outgoing: Outgoing, form: Rendered
    ) -> str | None:
        """The message's `ts`, or None where the blocks were refused and a simpler form should be tried."""
        try:
            reply = await client.chat_postMessage(
                channel=address.channel.removeprefix("@"),
                thread_ts=outgoing.thread or address.thread or None,
                text=form.text,
                blocks=list(form.blocks) or None,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"delivery_id": outgoing.delivery_id}},
                unfurl_links=False,
                unfurl_media=False,
                link_names=False,
                parse="none",
                mrkdwn=False,
            )
        except SlackApiError as error:
            if form.blocks and _code(error) in _TOO_RICH:
                log.warning(
                    "blocks refused", action="slack.refused", message_id=outgoing.id, reason=_code(error)
                )
                return None
            raise await self._meaning(error, address) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _of_connection(error) from error
        return str(reply["ts"])

    async def _complete(self, client: AsyncWebClient, address: Address, outgoing: Outgoing) -> str:
        """Hand the answer to the workflow that asked. A second time Slack refuses it, which is as good."""
        execution = address.channel.removeprefix("=")
        text = next(iter(forms(outgoing.message))).text
        try:
            await client.functions_completeSuccess(function_execution_id=execution, outputs={"answer": text})
        except SlackApiError as error:
            if _code(error) not in (
                "invalid_function_execution_id",
                "function_execution_not_found",
                "already_completed",
            ):
                raise await self._meaning(error, address) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _of_connection(error) from error
        return execution

    async def _meaning(self, error: SlackApiError, address: Address) -> Retry | Gone | Uncertain:
        code, status = _code(error), _status(error)
        if code in ("ratelimited", "rate_limited") or status == 429:
            return Retry("Slack asked to wait.", after=_retry_after(error))
        # No code at all: a gateway in between replied, and what Slack did is unknown.
        if code in _PERHAPS or status >= 500 or not code:
            return Uncertain(f"Slack had a fault of its own ({code or status}).")
        if code in _AWAY:
            return Retry(f"Slack does not serve this now ({code}).")
        if code in _TOKEN:
            await self._clients.tokens.revoked(address.team)
        reason = _REASONS.get(code, f"Slack refused the message ({code}).")
        return Gone(reason, unreachable=address.direct and code in _PERSON)

    async def find(self, outgoing: Outgoing) -> str | None:
        """Look for the message by its delivery id, from shortly before it was claimed."""
        address = Address.parse(outgoing.conversation)
        if address.channel.startswith("="):
            return None
        client = await self._client(address)
        # The product's clock may be moved; Slack's is not.
        since = min(outgoing.claimed_at, self._machine_clock()) - SKEW
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self._history(client, address, outgoing, str(since.timestamp()), cursor)
            for message in page["messages"]:
                if _delivery(message) == outgoing.delivery_id:
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return None
        raise Uncertain("Too much was said since; the message may be among it.")

    async def _history(
        self, client: AsyncWebClient, address: Address, outgoing: Outgoing, oldest: str, cursor: str | None
    ) -> Any:
        thread = outgoing.thread or address.thread
        named: dict[str, Any] = {
            "channel": address.channel,
            "oldest": oldest,
            "limit": PAGE,
            "include_all_metadata": True,
            "cursor": cursor,
        }
        try:
            if thread:
                return await client.conversations_replies(ts=thread, **named)
            return await client.conversations_history(**named)
        except SlackApiError as error:
            meaning = await self._meaning(error, address)
            if isinstance(meaning, Retry):
                raise meaning from error
            raise Uncertain(f"The history can't be read ({_code(error)}).") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Retry("Slack could not be reached to read the history.") from error


def _code(error: SlackApiError) -> str:
    # The SDK hands over its own response, or the bare one of aiohttp where the reply was no JSON.
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def _status(error: SlackApiError) -> int:
    return int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0))


def _retry_after(error: SlackApiError) -> float:
    named = {name.lower(): value for name, value in (getattr(error.response, "headers", None) or {}).items()}
    try:
        return max(1.0, float(named.get("retry-after", 30)))
    except ValueError:
        return 30.0


def _of_connection(error: Exception) -> Retry | Uncertain:
    """What never reached Slack can be sent again; what broke on the way back may have arrived."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Retry("Slack can't be reached.")
    return Uncertain("The connection to Slack broke before it replied.")


def _delivery(message: Block) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("delivery_id")
