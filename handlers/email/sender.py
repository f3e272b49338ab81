"""Letters on their way (scheduler.sending.Sender).

A mail server keeps no history that we could read. So it matters to know at which word a conversation with it
broke: before the letter was handed over it surely did not leave, afterwards it may have. A letter sent a
second time carries the same Message-ID as the first.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from email.message import EmailMessage

import aiosmtplib

from bot.clock import Clock, system_clock
from handlers.email.envelope import compose, message_id
from handlers.email.pausing import PauseLinks
from handlers.email.server import MailServer
from scheduler.sending import Gone, Outgoing, Pace, Retry, Uncertain

STEP_SECONDS = 12.0
"""How long the server may take for one step: a connection, a reply."""

QUIT_SECONDS = 2.0
"""A goodbye is polite, and no more: the letter has left by then."""

LOGIN_PAUSE_SECONDS = 300.0
"""Pause after a refused password, so that an account is not locked by trying."""

_AWAY = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError)


class EmailSender:
    """Hands letters to one mail server, each over a connection of its own.

    `tls` says whose certificates are trusted; None: the machine's. `links` let people pause by one
    click.
    """

    pace = Pace(at_once=4, timeout=45.0)

    def __init__(
        self,
        server: MailServer,
        machine_clock: Clock = system_clock,
        tls: ssl.SSLContext | None = None,
        links: PauseLinks | None = None,
    ) -> None:
        self._server, self._machine_clock, self._tls, self._links = server, machine_clock, tls, links
        self._drawing = asyncio.Lock()

    async def send(self, outgoing: Outgoing) -> str:
        """Hand the letter in; returns its Message-ID. Raises Undelivered."""
        if not outgoing.conversation.isascii():
            raise Gone("This e-mail address has letters that our mail server may not take.", unreachable=True)
        async with self._drawing:
            # Drawing takes a moment, and one picture at a time. The Date is the machine's: a letter from
            # next week, where the product's clock was moved, would look like spam.
            mail = await asyncio.to_thread(
                compose, self._server, outgoing, self._machine_clock(), self._links
            )
        client = await self._connected()
        try:
            await self._address(client, outgoing.conversation)
            await self._hand_over(client, mail)
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=QUIT_SECONDS)
        finally:
            client.close()
        return message_id(self._server, outgoing.delivery_id)

    async def find(self, outgoing: Outgoing) -> str | None:
        """What a mail server took can't be looked up."""
        raise Uncertain("A mail server keeps no history.")

    async def _connected(self) -> aiosmtplib.SMTP:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host, port=server.port, username=server.username, password=server.password,
            use_tls=server.use_tls, start_tls=server.start_tls, tls_context=self._tls,
            timeout=STEP_SECONDS,
        )  # fmt: skip
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            reason = f"The mail server does not accept the password ({error.code}). Check SMTP_URL."
            raise Retry(reason, after=LOGIN_PAUSE_SECONDS, whole_platform=True) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            # OSError is also the base of what is wrong with a certificate.
            reason = "The mail server can't be reached, or offers no safe connection. Check SMTP_URL."
            raise Retry(reason) from error
        return client

    async def _address(self, client: aiosmtplib.SMTP, recipient: str) -> None:
        """Sender and recipient: nothing has left yet."""
        try:
            await client.mail(self._server.sender)
            await client.rcpt(recipient)
        except aiosmtplib.SMTPSenderRefused as error:
            reason = f"The mail server does not let us write as {self._server.sender} ({error.code})."
            raise Retry(reason) if _passing(error) else Gone(reason) from error
        except aiosmtplib.SMTPRecipientRefused as error:
            if _passing(error):
                raise Retry(f"The mail server does not take this letter now ({error.code}).") from error
            raise Gone(f"The mail server refuses this address ({error.code}).", unreachable=True) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Retry("The connection to the mail server broke.") from error

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: EmailMessage) -> None:
        try:
            await client.data(mail.as_bytes())
        except aiosmtplib.SMTPResponseException as error:
            if _passing(error):
                raise Retry(f"The mail server does not take this letter now ({error.code}).") from error
            raise Gone(f"The mail server refused this letter ({error.code}).") from error
        except _AWAY as error:
            raise Uncertain("The connection to the mail server broke before it replied.") from error


def _passing(error: aiosmtplib.SMTPResponseException) -> bool:
    """Whether the server itself says that a later attempt may do (RFC 5321, 4.2.1)."""
    return error.code < 500
