"""Pausing from a letter by one click: a signed link, and the two routes behind it (RFC 8058).

A mail program posts to the link by itself when its "unsubscribe" is pressed. Opening the link only shows a
button, so that a scanner that follows every link in a letter pauses nobody. The link pauses one person and
can do nothing else; the signature is made with STAGECOACH_SECRET_KEY.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from html import escape

from aiohttp import web

from bot.config import Settings
from bot.errors import StoreUnavailable
from bot.store.engine import Store
from scheduler.setting_changes import pause_everything

PATH = "/letters/pause"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PauseLinks:
    """Makes and reads the links. `public_url` is where this deployment can be reached from outside."""

    def __init__(self, public_url: str, secret: str) -> None:
        self._base = f"{public_url.rstrip('/')}{PATH}"
        self._key = sha256(b"stagecoach pause link:" + secret.encode()).digest()

    def link(self, person_id: int) -> str:
        """The link that pauses this person."""
        return f"{self._base}/{person_id}/{self._sign(person_id)}"

    def fits(self, person_id: int, signature: str) -> bool:
        """Whether we made the link for this person."""
        return hmac.compare_digest(self._sign(person_id).encode(), signature.encode())

    def _sign(self, person_id: int) -> str:
        return hmac.new(self._key, str(person_id).encode(), sha256).hexdigest()[:40]


def pause_links(settings: Settings) -> PauseLinks | None:
    """The links of this deployment; None where PUBLIC_URL or STAGECOACH_SECRET_KEY is not set."""
    if not settings.public_url or settings.secret_key is None:
        return None
    return PauseLinks(settings.public_url, settings.secret_key.get_secret_value())


def pause_routes(links: PauseLinks, store: Store) -> list[web.RouteDef]:
    """GET asks, POST pauses."""

    async def ask(request: web.Request) -> web.Response:
        if _person(links, request) is None:
            return _gone()
        return _page(
            "Pause everything?",
            "Then nothing comes to you unasked, on any platform, until you say resume in the chat.",
            '<form method="post"><button>Pause everything</button></form>',
        )

    async def pause(request: web.Request) -> web.Response:
        person_id = _person(links, request)
        if person_id is None:
            return _gone()
        try:
            async with store.write() as tx:
                known = await pause_everything(tx, person_id)
        except StoreUnavailable:
            said = "The database does not answer. Please try again in a moment."
            return _page("That did not work yet", said, status=503)
        if not known:
            return _gone()
        return _page("Paused", "Nothing more comes unasked. Say resume in the chat to have it back.")

    place = PATH + r"/{person:\d{1,15}}/{signature:[0-9a-f]{40}}"
    return [web.get(place, ask), web.post(place, pause)]


def _person(links: PauseLinks, request: web.Request) -> int | None:
    person_id = int(request.match_info["person"])
    return person_id if links.fits(person_id, request.match_info["signature"]) else None


def _gone() -> web.Response:
    said = 'This link is not in use. Write "pause all" to Stagecoach in the chat instead.'
    return _page("That did not work", said, status=404)


def _page(title: str, said: str, more: str = "", status: int = 200) -> web.Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Stagecoach</title></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(said)}</p>{more}</main></body></html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)
