"""The quiet pages beside the chat: settings, digests that were sent, and for admins what was delivered.

Plain forms and links; nothing here needs a script. Whether somebody may see or change a thing is decided
below, by the use case that is called.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aiohttp import web

from bot.access import Action, actor, require
from bot.clock import Clock
from bot.errors import InputError
from bot.store.engine import Store
from bot.store.tables import Platform
from handlers.web.app import Page
from scheduler.history import kept_digest, kept_digests
from scheduler.outbox import dead_letters, delivery_log, try_again
from scheduler.setting_forms import save_section, setting_sections


class Office:
    """The routes. `platforms` are those on which this deployment can write to people unasked."""

    def __init__(self, page: Page, store: Store, clock: Clock, platforms: Collection[Platform]) -> None:
        self._page, self._store, self._clock, self._platforms = page, store, clock, platforms

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an aiohttp application."""
        guarded = self._page.guarded
        app.add_routes(
            [
                web.get("/settings", guarded(self.settings)),
                web.post("/settings", guarded(self.save)),
                web.get("/digests", guarded(self.digests)),
                web.get(r"/digests/{id:\d{1,9}}", guarded(self.digest)),
                web.get("/deliveries", guarded(self.deliveries)),
                web.post("/deliveries", guarded(self.again)),
            ]
        )

    async def settings(self, request: web.Request) -> web.StreamResponse:
        """What this person may set, each section a form."""
        return await self._settings(request)

    async def _settings(
        self,
        request: web.Request,
        person_id: int | None = None,
        said: str = "",
        faults: Mapping[str, str] | None = None,
    ) -> web.StreamResponse:
        visit = await self._page.visit(request, person_id)
        async with self._store.read() as session:
            sections = await setting_sections(session, visit.person.person_id, self._clock(), self._platforms)
        named = {"sections": sections, "said": said, "faults": faults or {}}
        return self._page.draw(request, visit, "settings.html", **named)

    async def save(self, request: web.Request) -> web.StreamResponse:
        """One section, filled in."""
        form = await self._page.form(request)
        person = await self._page.person(form.get("as", ""))
        values = {name.removeprefix("set."): form[name] for name in form if name.startswith("set.")}
        try:
            async with self._store.write() as tx:
                said = await save_section(
                    tx, person.person_id, form.get("section", ""), values, self._clock(), self._platforms
                )
        except InputError as refusal:
            faults = {fault.field: fault.problem for fault in refusal.faults}
            return await self._settings(request, person.person_id, refusal.summary, faults)
        return await self._settings(request, person.person_id, said)

    async def digests(self, request: web.Request) -> web.StreamResponse:
        """The digests that this person may see again."""
        visit = await self._page.visit(request)
        async with self._store.read() as session:
            found = await kept_digests(session, visit.person.person_id)
        return self._page.draw(request, visit, "digests.html", digests=found)

    async def digest(self, request: web.Request) -> web.StreamResponse:
        """One digest, as it was sent."""
        visit = await self._page.visit(request)
        number = int(request.match_info["id"])
        async with self._store.read() as session:
            found = await kept_digest(session, visit.person.person_id, number)
        # What can be pressed belongs to the conversation, not to the archive.
        message = found.message.model_copy(update={"choices": (), "input_hint": None})
        return self._page.draw(request, visit, "digest.html", digest=found, message=message)

    async def deliveries(self, request: web.Request) -> web.StreamResponse:
        """What was sent and what was put aside, for an admin."""
        visit = await self._page.visit(request)
        return await self._deliveries(request, visit.person.person_id)

    async def _deliveries(self, request: web.Request, person_id: int, said: str = "") -> web.StreamResponse:
        visit = await self._page.visit(request, person_id)
        await self._admins_only(person_id)
        dead, log = await dead_letters(self._store), await delivery_log(self._store)
        return self._page.draw(request, visit, "deliveries.html", dead=dead, log=log, said=said)

    async def again(self, request: web.Request) -> web.StreamResponse:
        """Try to send once more what was put aside."""
        form = await self._page.form(request)
        person = await self._page.person(form.get("as", ""))
        await self._admins_only(person.person_id)
        number = form.get("message", "")
        found = number.isdecimal() and len(number) < 16
        found = found and await try_again(self._store, int(number), self._clock(), person.person_id)
        said = "It is sent again now." if found else "It is no longer put aside. Nothing was changed."
        return await self._deliveries(request, person.person_id, said)

    async def _admins_only(self, person_id: int) -> None:
        async with self._store.read() as session:
            require(await actor(session, person_id), Action.ADMINISTER)
