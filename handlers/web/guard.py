"""What stands between a browser and the page: which host was asked, where a form came from, what may load.

The page of the demo knows no sign-in, so that everything hangs on requests coming from the page itself:
the Host header must be a name we are known by (a foreign name that resolves to this machine is refused),
a form must come from our own origin, and it must carry a token that only our own pages can read.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

COOKIE = "stagecoach"
THEME_COOKIE = "theme"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # no-referrer would make browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Refused(Exception):
    """A request that did not come from our own page; nothing was done."""


def host_of(request: web.Request) -> str:
    """The name in the Host header, without port and brackets, in lower case; empty if it can't be read."""
    try:
        return (urlsplit(f"//{request.headers.get('Host', '')}").hostname or "").lower()
    except ValueError:
        return ""


def check_host(request: web.Request, allowed: frozenset[str]) -> None:
    """Raise Refused unless the request names a host that we are known by."""
    if host_of(request) not in allowed:
        raise Refused


def check_origin(request: web.Request) -> None:
    """Raise Refused unless a browser sent this from a page of ours."""
    origin = request.headers.get("Origin")
    if origin is not None:
        try:
            same = urlsplit(origin).netloc.lower() == request.headers.get("Host", "").lower()
        except ValueError:
            same = False
        if not same:
            raise Refused
    elif request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refused


def visitor(request: web.Request) -> str:
    """The visitor's random name from the cookie, or a new one."""
    found = request.cookies.get(COOKIE, "")
    return found if len(found) == 43 and found.isascii() else secrets.token_urlsafe(32)


def token_for(name: str) -> str:
    """The token that a visitor's forms carry. It can't be turned back into the cookie."""
    return hmac.new(name.encode(), b"stagecoach form", hashlib.sha256).hexdigest()


def check_token(request: web.Request, token: str) -> None:
    """Raise Refused unless the form was drawn for this visitor."""
    name = request.cookies.get(COOKIE, "")
    if not name or not hmac.compare_digest(token_for(name).encode(), token.encode()):
        raise Refused


def remember(response: web.StreamResponse, name: str) -> None:
    """Set the visitor's cookie: for this browser session, out of scripts' and other sites' reach."""
    response.set_cookie(COOKIE, name, httponly=True, samesite="Strict", path="/")
