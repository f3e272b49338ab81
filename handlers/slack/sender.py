"""Messages on their way to Slack (scheduler.sending.Sender).

Nothing is tried again here but a message whose blocks Slack refused: that one surely did not arrive, and
leaves in a simpler form. Everything else is the outbox's to decide; this only says what surely happened.

An answer that was shown live takes the place of what was shown: the stream is ended and rewritten. Both can
be done again without harm, so that no words stand twice, whatever breaks in between.
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
from handlers.slack.live import Shown
from handlers.slack.meaning import TOKEN, TOO_RICH, code_of, meaning, of_connection
from handlers.slack.pictures import upload
from handlers.slack.render import Rendered, forms
from handlers.slack.words import Block
from scheduler.sending import Gone, Outgoing, Pace, Retry, Uncertain

log = structlog.get_logger()

EVENT_TYPE = "stagecoach_delivery"
SKEW = timedelta(minutes=2)
"""How far our clock may be off Slack's: history is read from that much earlier."""

PAGES = 5
PAGE = 100

_COMPLETED = frozenset({"invalid_function_execution_id", "function_execution_not_found", "already_completed"})
_NOT_THERE = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "streaming_state_conflict"}
)
"""What was shown live can't be rewritten: the whole answer is posted below it."""


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
        ts = await self._replace(client, address, outgoing)
        ts = ts or await self._in_some_form(client, address, outgoing, self._post)
        if ts is None:
            raise Gone("Slack refused the message in every form.")
        if self._after is not None:
            await self._after(address)
        return ts

    async def _client(self, address: Address) -> AsyncWebClient:
        try:
            return await self._clients.of(address.team)
        except NoToken as error:
            raise Gone(str(error)) from None

    async def _in_some_form(
        self, client: AsyncWebClient, address: Address, outgoing: Outgoing, hand_over: _HandOver
    ) -> str | None:
        """The `ts` of the richest form that Slack takes; None where it takes none."""
        for form in forms(outgoing.message):
            shown = await upload(client, form)
            if shown is None:
                continue
            try:
                return await hand_over(client, address, outgoing, shown)
            except SlackApiError as error:
                if not form.blocks or code_of(error) not in TOO_RICH:
                    raise await self._meaning(error, address) from error
                log.warning(
                    "blocks refused", action="slack.refused", message_id=outgoing.id, reason=code_of(error)
                )
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise of_connection(error) from error
        return None

    async def _post(
        self, client: AsyncWebClient, address: Address, outgoing: Outgoing, form: Rendered
    ) -> str | None:
        reply = await client.chat_postMessage(
            channel=address.channel.removeprefix("@"),
            thread_ts=_thread(address, outgoing),
            text=form.text,
            blocks=list(form.blocks) or None,
            metadata=_metadata(outgoing),
            unfurl_links=False,
            unfurl_media=False,
            link_names=False,
            parse="none",
            mrkdwn=False,
        )
        return str(reply["ts"])

    async def _replace(self, client: AsyncWebClient, address: Address, outgoing: Outgoing) -> str | None:
        """Put the message in the place of what was shown live; None where nothing was, or it is gone."""
        if outgoing.message.continues is None:
            return None
        await self._end_stream(client, address, outgoing)
        return await self._in_some_form(client, address, outgoing, self._rewrite)

    async def _end_stream(self, client: AsyncWebClient, address: Address, outgoing: Outgoing) -> None:
        """End the stream, if it has not ended by itself: Slack ends one after five minutes."""
        shown = Shown.parse(outgoing.message.continues or "")
        try:
            await client.chat_stopStream(channel=address.channel, ts=shown.ts)
        except SlackApiError as error:
            told = await self._meaning(error, address)
            if isinstance(told, Retry) or code_of(error) in TOKEN:
                raise told from error
            log.info("no stream to end", action="slack.live", message_id=outgoing.id, reason=code_of(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Retry("Slack could not be reached to end a stream.") from error

    async def _rewrite(
        self, client: AsyncWebClient, address: Address, outgoing: Outgoing, form: Rendered
    ) -> str | None:
        shown = Shown.parse(outgoing.message.continues or "")
        try:
            await client.chat_update(
                channel=address.channel,
                ts=shown.ts,
                text=form.text,
                # An empty list takes away the blocks that were streamed.
                blocks=list(form.blocks),
                metadata=_metadata(outgoing),
                link_names=False,
                parse="none",
            )
        except SlackApiError as error:
            if code_of(error) not in _NOT_THERE:
                raise
            log.warning("posted anew", action="slack.live", message_id=outgoing.id, reason=code_of(error))
            return None
        return shown.ts

    async def _complete(self, client: AsyncWebClient, address: Address, outgoing: Outgoing) -> str:
        """Hand the answer to the workflow that asked. A second time Slack refuses it, which is as good."""
        execution = address.channel.removeprefix("=")
        text = next(iter(forms(outgoing.message))).text
        try:
            await client.functions_completeSuccess(function_execution_id=execution, outputs={"answer": text})
        except SlackApiError as error:
            if code_of(error) not in _COMPLETED:
                raise await self._meaning(error, address) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise of_connection(error) from error
        return execution

    async def _meaning(self, error: SlackApiError, address: Address) -> Retry | Gone | Uncertain:
        told = meaning(error, address.direct)
        if isinstance(told, Gone) and code_of(error) in TOKEN:
            await self._clients.tokens.revoked(address.team)
        return told

    async def find(self, outgoing: Outgoing) -> str | None:
        """Look for the message by its delivery id, from shortly before it was claimed."""
        address = Address.parse(outgoing.conversation)
        if address.channel.startswith("="):
            return None
        client = await self._client(address)
        # The product's clock may be moved; Slack's is not. What was shown live is older than its answer.
        since = min(outgoing.claimed_at, self._machine_clock()) - SKEW
        oldest = str(since.timestamp()) if outgoing.message.continues is None else None
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self._history(client, address, outgoing, oldest, cursor)
            for message in page["messages"]:
                if _delivery(message) == outgoing.delivery_id:
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return None
        raise Uncertain("Too much was said since; the message may be among it.")

    async def _history(
        self,
        client: AsyncWebClient,
        address: Address,
        outgoing: Outgoing,
        oldest: str | None,
        cursor: str | None,
    ) -> Any:
        thread = _thread(address, outgoing)
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
            told = await self._meaning(error, address)
            if isinstance(told, Retry):
                raise told from error
            raise Uncertain(f"The history can't be read ({code_of(error)}).") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Retry("Slack could not be reached to read the history.") from error


_HandOver = Callable[[AsyncWebClient, Address, Outgoing, Rendered], Awaitable[str | None]]


def _thread(address: Address, outgoing: Outgoing) -> str | None:
    """The thread that the message belongs in. What was shown live hangs on its question, also in a direct
    message, and its answer stays there."""
    shown = outgoing.message.continues
    return outgoing.thread or address.thread or (Shown.parse(shown).thread if shown else None)


def _metadata(outgoing: Outgoing) -> Block:
    return {"event_type": EVENT_TYPE, "event_payload": {"delivery_id": outgoing.delivery_id}}


def _delivery(message: Block) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("delivery_id")
