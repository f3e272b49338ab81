"""The mail server, as SMTP_URL names it: smtp://user:password@host:port?from=Stagecoach <coach@acme.example>.

smtps:// speaks TLS from the first byte. smtp:// changes to TLS where the server offers it, and insists on it
where a password would otherwise travel in the open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from bot.config import is_loopback
from bot.errors import SettingsError

TLS_PORT, SUBMISSION_PORT, PLAIN_PORT = 465, 587, 25
"""RFC 8314 for TLS at once, RFC 6409 for submission with a password, RFC 5321 for a relay without."""

NAME = "Stagecoach"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in, and whom they come from. `start_tls` None: where the server offers it."""

    host: str
    port: int
    sender: str
    sender_name: str = NAME
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    use_tls: bool = False
    start_tls: bool | None = None

    @property
    def domain(self) -> str:
        """The sender's domain, which ends the ids of our letters."""
        return self.sender.rpartition("@")[2]


def parse_mail_server(url: str) -> MailServer:
    """The server behind an SMTP_URL. Raises SettingsError; the sentence never holds the password."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise SettingsError(
            "SMTP_URL can't be read. Percent-encode special letters of the password."
        ) from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise SettingsError("SMTP_URL should look like smtps://user:password@mail.company.example.")
    user = unquote(parts.username) if parts.username else None
    name, address = parseaddr(parse_qs(parts.query).get("from", [user or ""])[0])
    if not _is_address(address):
        raise SettingsError("SMTP_URL names no sender. Add ?from=stagecoach@company.example at its end.")
    use_tls = parts.scheme == "smtps"
    secret = user is not None and not is_loopback(parts.hostname)
    return MailServer(
        host=parts.hostname,
        port=port or (TLS_PORT if use_tls else SUBMISSION_PORT if user else PLAIN_PORT),
        sender=address,
        sender_name=name or NAME,
        username=user,
        password=unquote(parts.password) if parts.password is not None else None,
        use_tls=use_tls,
        start_tls=False if use_tls else True if secret else None,
    )


def _is_address(address: str) -> bool:
    local, _, domain = address.rpartition("@")
    return bool(local and domain) and address.isascii() and address.isprintable() and " " not in address
