"""Where Microsoft's services stand, and which addresses we believe to be theirs.

Where our token may go is decided here: an activity names the address to answer at, and whoever could name any
would get our token.

Source: Microsoft Learn, "Authentication with the Bot Connector API"; constants of botframework-connector.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from botframework.connector.auth import AuthenticationConstants

from bot.config import is_loopback

_HOSTS = frozenset({"smba.trafficmanager.net"})
"""Anybody may have a name of their own below trafficmanager.net."""

_DOMAINS = (".botframework.com", ".teams.microsoft.com")


@dataclass(frozen=True)
class Microsoft:
    """The public cloud. `on_loopback`: a local client stands in for Teams; its address is believed too."""

    keys: str = AuthenticationConstants.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL
    login: str = AuthenticationConstants.TO_CHANNEL_FROM_BOT_LOGIN_URL_PREFIX
    service: str = "https://smba.trafficmanager.net/teams/"
    """Answers for every tenant; used until an activity names a nearer one."""
    on_loopback: bool = False

    def is_local(self, url: str) -> bool:
        """Whether `url` is on this machine, and this machine stands in for Microsoft's."""
        try:
            address = urlsplit(url)
            host = address.hostname or ""
        except ValueError:
            return False
        plain = address.scheme in ("http", "https") and address.username is None
        return self.on_loopback and plain and is_loopback(host)

    def is_service(self, url: object) -> bool:
        """Whether `url` is an address of the Bot Connector service."""
        if not isinstance(url, str):
            return False
        try:
            address = urlsplit(url)
            host, port = address.hostname or "", address.port
        except ValueError:
            return False
        if self.is_local(url):
            return True
        theirs = host in _HOSTS or host.endswith(_DOMAINS)
        return theirs and address.scheme == "https" and port in (None, 443) and address.username is None
