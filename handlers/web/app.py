"""The routes of the page: each parses, calls the port once and draws.

Everything works by forms and links; the script of the page sends the same forms in the background and is
told what is new by one stream of server-sent events.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from functools import wraps
from pathlib import Path

from aiohttp import web

from bot.errors import AccessDenied, InputError, NotFound, StagecoachError, StoreUnavailable
from handlers.web import guard
from handlers.web.guard import Handler, Refused
from handlers.web.ports import Cursor, Inside, Leap, PagePort, Persona
from handlers.web.views import Views, Visit

LONGEST = 8_000
"""Characters that a person may send at once."""

REPLY_SECONDS = 4.0
"""How long a form without script waits for the reply before the page is drawn without it."""

HEARTBEAT_SECONDS = 15.0
"""The stream says something at least this often, so that a lost connection is noticed; the clock's minute
also shows within this time."""

_STATIC = Path(__file__).with_name("static")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_LEAPS: dict[str, Leap] = {"tomorrow": "tomorrow", "tuesday": "tuesday", "monday": "monday"}

_REFUSALS: tuple[tuple[type[Exception], int, str, str | None], ...] = (
    (
        Refused,
        403,
        "This page is no longer current",
        "Please load the page again and repeat what you did. Nothing was sent.",
    ),
    (InputError, 400, "That did not work", None),
    (AccessDenied, 403, "That is not open to you", None),
    (NotFound, 404, "There is nothing here", None),
    (StoreUnavailable, 503, "The database does not answer", "Please try again in a moment."),
    (StagecoachError, 400, "That did not work", None),
)


class _File:
    """A file of ours, read once; its address carries a hash of its content."""

    def __init__(self, name: str) -> None:
        self.body = (_STATIC / name).read_bytes()
        self.type = _TYPES[Path(name).suffix]
        self.address = f"/static/{name}?v={hashlib.sha256(self.body).hexdigest()[:12]}"


class Page:
    """The page over a port. `hosts` are the names by which it may be asked for."""

    def __init__(self, port: PagePort, *, hosts: frozenset[str] = guard.LOOPBACK, demo: bool = True) -> None:
        self._port = port
        self._hosts = hosts
        self._demo = demo
        self._views = Views()
        self._files = {name: _File(name) for name in ("page.css", "page.js", "icon.svg")}
        self._seen: dict[int, int] = {}
        self._beginnings = 0
        self._streams: set[asyncio.Task[None]] = set()
        self._looking = asyncio.Lock()
        self._inside_kept: tuple[tuple[int, float], Inside] | None = None

    def add_to(self, app: web.Application) -> None:
        """Add the page's routes to an aiohttp application, and end its streams when that shuts down."""
        app.add_routes(
            [
                web.get("/", self.guarded(self.show), allow_head=True),
                web.post("/say", self.guarded(self.say)),
                web.post("/choose", self.guarded(self.choose)),
                web.post("/clock", self.guarded(self.move_clock)),
                web.post("/reset", self.guarded(self.reset)),
                web.get("/live", self.guarded(self.live), allow_head=False),
                web.get(r"/passage/{id:\d{1,18}}", self.guarded(self.passage)),
                web.get("/static/{name}", self.guarded(self.static)),
            ]
        )
        app.on_shutdown.append(self._end_streams)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The whole page for one persona."""
        name = guard.visitor(request)
        try:
            visit = await self._visit(request, name)
        except NotFound as error:
            return self._not_yet(error)
        conversation = await self._port.conversation(visit.person.person_id, Cursor())
        self._seen[visit.person.person_id] = conversation.cursor.heard
        visit.unread.pop(visit.person.person_id, None)
        text = self._views.page(visit, conversation, await self._inside())
        response = web.Response(text=text, content_type="text/html")
        guard.remember(response, name)
        return response

    async def say(self, request: web.Request) -> web.StreamResponse:
        """What the person typed."""
        form = await self.form(request)
        person = await self.person(form.get("as", ""))
        text = form.get("text", "").strip()
        if not text:
            raise InputError("There was nothing in the message. Write something and send it again.")
        if len(text) > LONGEST:
            raise InputError(f"The message is too long. Please keep it below {LONGEST} characters.")
        await self._port.say(person.person_id, _key(form), text)
        return await self._done(request, person.person_id)

    async def choose(self, request: web.Request) -> web.StreamResponse:
        """A button of one of our messages."""
        form = await self.form(request)
        person = await self.person(form.get("as", ""))
        await self._port.choose(person.person_id, _key(form), form.get("choice", "")[:255])
        return await self._done(request, person.person_id)

    async def move_clock(self, request: web.Request) -> web.StreamResponse:
        """The buttons of the demo's clock."""
        form = await self.form(request)
        person = await self.person(form.get("as", ""))
        leap = _LEAPS.get(form.get("to", ""))
        if leap is not None:
            await self._port.leap(leap)
        else:
            await self._port.leap_days(_days(form.get("days", "")))
        return await self._done(request, person.person_id, anchor="clock-title")

    async def reset(self, request: web.Request) -> web.StreamResponse:
        """The demo from its first moment."""
        form = await self.form(request)
        person = await self.person(form.get("as", ""))
        await self._port.reset()
        self._seen.clear()
        self._beginnings += 1
        return await self._done(request, person.person_id)

    async def passage(self, request: web.Request) -> web.StreamResponse:
        """The document behind a citation: a page, or what goes into the sheet."""
        visit = await self._visit(request, guard.visitor(request))
        heard = request.query.get("in", "")
        source = await self._port.source(
            int(request.match_info["id"]),
            visit.person.person_id,
            int(heard) if heard.isdecimal() and len(heard) < 19 else 0,
        )
        text = self._views.source(visit, source, whole="sheet" not in request.query)
        return web.Response(text=text, content_type="text/html")

    async def static(self, request: web.Request) -> web.StreamResponse:
        """One of our own files."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise NotFound("There is no such file.")
        response = web.Response(body=found.body, content_type=found.type, charset="utf-8")
        if "v" in request.query:
            response.headers["Cache-Control"] = "max-age=31536000, immutable"
        return response

    async def live(self, request: web.Request) -> web.StreamResponse:
        """What is new, as it happens: events `chat`, `people` and `inside`, each with HTML of ours."""
        name = guard.visitor(request)
        visit = await self._visit(request, name)
        cursor = Cursor.parse(request.headers.get("Last-Event-ID") or request.query.get("after", ""))
        response = web.StreamResponse(
            headers={**guard.HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        task = asyncio.create_task(self._stream(response, request, visit.person.person_id, name, cursor))
        self._streams.add(task)
        try:
            await task
        except (asyncio.CancelledError, ConnectionError):
            task.cancel()
        finally:
            self._streams.discard(task)
        return response

    async def _stream(
        self, response: web.StreamResponse, request: web.Request, person_id: int, name: str, cursor: Cursor
    ) -> None:
        shown: dict[str, str] = {}
        news, began = -1, self._beginnings
        while True:
            latest = await self._port.wait_for_news(news, HEARTBEAT_SECONDS)
            if began != self._beginnings:
                # Numbers may start anew: what this page shows is of another world.
                await response.write(b"event: again\ndata: {}\n\n")
                return
            if latest == news:
                await response.write(b": still here\n\n")
            news = latest
            conversation = await self._port.conversation(person_id, cursor)
            cursor = conversation.cursor
            self._seen[person_id] = max(cursor.heard, self._seen.get(person_id, 0))
            visit = await self._visit(request, name, person_id)
            chat = {
                "html": self._views.entries(visit, conversation.entries),
                "busy": conversation.busy,
                "doing": conversation.begun.doing if conversation.begun else "",
                "begun": self._views.light(conversation.begun.text) if conversation.begun else "",
                "heard": any(entry.message for entry in conversation.entries),
            }
            parts = {
                "chat": json.dumps(chat),
                "people": json.dumps({"html": self._views.people(visit)}),
                "inside": json.dumps({"html": self._views.inside(visit, await self._inside())}),
            }
            for kind, data in parts.items():
                if (conversation.entries and kind == "chat") or shown.get(kind) != _without_keys(data):
                    await response.write(f"event: {kind}\nid: {cursor}\ndata: {data}\n\n".encode())
                shown[kind] = _without_keys(data)

    async def _inside(self) -> Inside:
        """What the panel shows: looked up once for all who ask until something happens or the minute ends."""
        key = (await self._port.wait_for_news(-1, 0), asyncio.get_running_loop().time() // HEARTBEAT_SECONDS)
        async with self._looking:
            if self._inside_kept is None or self._inside_kept[0] != key:
                self._inside_kept = (key, await self._port.inside())
            return self._inside_kept[1]

    def _not_yet(self, error: NotFound) -> web.Response:
        style = self._files["page.css"].address
        text = self._views.refusal(None, style, "One moment", str(error))
        return web.Response(text=text, status=503, content_type="text/html", headers={"Refresh": "2"})

    async def _end_streams(self, _app: web.Application) -> None:
        for task in list(self._streams):
            task.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)

    async def _visit(self, request: web.Request, name: str, person_id: int | None = None) -> Visit:
        people = await self._port.personas()
        wanted = str(person_id) if person_id is not None else request.query.get("as", "")
        person = next((one for one in people if str(one.person_id) == wanted), people[0])
        theme = request.cookies.get(guard.THEME_COOKIE)
        seen = await self._seen_by(people)
        return Visit(
            person=person,
            people=tuple(people),
            unread={one: count for one, count in (await self._port.unread(seen)).items() if count},
            company=self._port.company,
            name=name,
            token=guard.token_for(name),
            key=secrets.token_urlsafe(12),
            theme=theme if theme in ("light", "dark") else None,
            demo=self._demo,
            style=self._files["page.css"].address,
            script=self._files["page.js"].address,
        )

    async def _seen_by(self, people: list[Persona]) -> dict[int, int]:
        """The last message of ours that each has seen; what was there before this process counts as seen."""
        for one in people:
            if one.person_id not in self._seen:
                conversation = await self._port.conversation(one.person_id, Cursor())
                self._seen.setdefault(one.person_id, conversation.cursor.heard)
        return {one.person_id: self._seen[one.person_id] for one in people}

    async def visit(self, request: web.Request, person_id: int | None = None) -> Visit:
        """Who looks, and what their forms need."""
        return await self._visit(request, guard.visitor(request), person_id)

    def draw(self, request: web.Request, visit: Visit, template: str, **values: object) -> web.Response:
        """A page of its own from one of our templates."""
        text = self._views.draw(template, visit=visit, **values)
        response = web.Response(text=text, content_type="text/html")
        guard.remember(response, visit.name)
        return response

    async def person(self, wanted: str) -> Persona:
        """Whom a form was sent as."""
        for one in await self._port.personas():
            if str(one.person_id) == wanted:
                return one
        raise NotFound("There is no such person.")

    async def form(self, request: web.Request) -> dict[str, str]:
        """The fields of a form that came from a page of ours. Raises Refused for any other."""
        guard.check_origin(request)
        found = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        guard.check_token(request, found.get("token", ""))
        return found

    async def _done(self, request: web.Request, person_id: int, anchor: str = "latest") -> web.StreamResponse:
        if "application/json" in request.headers.get("Accept", ""):
            return web.json_response({"done": True})
        await self._wait_until_idle(person_id)
        raise web.HTTPSeeOther(f"/?as={person_id}#{anchor}")

    async def _wait_until_idle(self, person_id: int) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REPLY_SECONDS
        news = -1
        while (left := deadline - loop.time()) > 0:
            news = await self._port.wait_for_news(news, left)
            if not (await self._port.conversation(person_id, Cursor())).busy:
                return

    def guarded(self, handler: Handler) -> Handler:
        """`handler` behind the guard, with every refusal drawn as a page."""

        @wraps(handler)
        async def run(request: web.Request) -> web.StreamResponse:
            try:
                guard.check_host(request, self._hosts)
                response = await handler(request)
            except web.HTTPException as moved:
                moved.headers.update(guard.HEADERS)
                raise
            except (Refused, StagecoachError) as error:
                response = self._refusal(request, error)
            if not response.prepared:
                for header, value in guard.HEADERS.items():
                    response.headers.setdefault(header, value)
            return response

        return run

    def _refusal(self, request: web.Request, error: Exception) -> web.Response:
        status, title, fixed = next(
            (status, title, fixed) for kind, status, title, fixed in _REFUSALS if isinstance(error, kind)
        )
        sentence = fixed or (error.summary if isinstance(error, InputError) else str(error))
        if "application/json" in request.headers.get("Accept", ""):
            return web.json_response({"problem": sentence}, status=status)
        style = self._files["page.css"].address
        text = self._views.refusal(None, style, title, sentence)
        return web.Response(text=text, status=status, content_type="text/html")


def _key(form: dict[str, str]) -> str:
    key = form.get("key", "")
    if not _KEY.fullmatch(key):
        raise InputError("The form was incomplete. Please load the page again.")
    return key


def _days(text: str) -> int:
    if not text.isdecimal() or len(text) > 4 or not 1 <= int(text) <= 90:
        raise InputError("The clock moves by 1 to 90 days. Choose a number in between.")
    return int(text)


def _without_keys(data: str) -> str:
    """`data` without the fresh keys of its forms, to tell whether anything else changed."""
    return re.sub(r'name=\\"key\\" value=\\"[^"\\]*\\"', "", data)
