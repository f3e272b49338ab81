"""Forms in Slack: opened by a button, filled in by a person, and taken over.

A form is opened empty at once, as Slack allows only three seconds, and filled when its contents are known.
Settings take effect before the form closes, so that what can't be is told beside its field. Words become an
answer in the conversation and go through the inbox like everything that is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.audit.instrument import Instrument, load_instrument
from bot.choice_ids import ChoiceId
from bot.clock import Clock
from bot.errors import InputError, StagecoachError
from bot.store.engine import Store
from bot.store.tables import DialogueSession, Platform, SessionStatus
from handlers.slack import modals
from handlers.slack.address import Address
from handlers.slack.gate import Intake
from handlers.slack.home import HomeViews
from handlers.slack.incoming import Heard, spoken, team_of
from handlers.slack.modals import SETTINGS, WORDS, View
from handlers.slack.people import People
from scheduler.setting_forms import save_section, setting_sections

log = structlog.get_logger()

Body = dict[str, Any]
MOVED_ON = (
    "That question has moved on, so nothing was changed. Please close this and look at the conversation."
)
LATER = "I can't save this right now. Please try again in a minute; nothing is lost."


class Forms:
    """Builds and takes the forms. `platforms` are those on which this deployment writes unasked."""

    def __init__(
        self,
        store: Store,
        people: People,
        home: HomeViews,
        intake: Intake,
        clock: Clock,
        platforms: Collection[Platform],
    ) -> None:
        self._store, self._people, self._home = store, people, home
        self._intake, self._clock, self._platforms = intake, clock, platforms
        self._instrument: Instrument = load_instrument()

    # ── Contents ─────────────────────────────────────────────────────────────────────────────────────────

    async def settings(self, body: Body) -> View:
        """What this person may set."""
        person_id = await self._person(body)
        async with self._store.read() as session:
            sections = await setting_sections(session, person_id, self._clock(), self._platforms)
        return modals.settings_view(sections)

    async def evidence(self, body: Body) -> View:
        """A field for the evidence that an audit question asks for."""
        where = {**_where(body), **_numbers(body)}
        if not await self._still(where):
            return modals.done("Evidence", MOVED_ON)
        label = "What could a colleague open to see it?"
        return modals.words_view("Evidence", label, "A link, the name of a file, or a sentence.", where)

    async def correction(self, body: Body) -> View:
        """The answers of a running audit, and a field for what is true now."""
        where = {**_where(body), **_numbers(body)}
        dialogue = await self._dialogue(where)
        given = list(dialogue.state.get("answers") or {}) if dialogue is not None else []
        if dialogue is None or not given:
            return modals.done("Correct an answer", "There is no answer to correct yet.")
        named = [(each, self._instrument.criterion(each).name) for each in given]
        where |= {"turn": dialogue.state.get("turn", 0), "corrects": True}
        return modals.correction_view(named, where)

    async def _person(self, body: Body) -> int:
        who = await self._people.find(team_of(body), str(body["user"]["id"]))
        if who.person_id is None:
            raise InputError("I don't know you yet. Please ask your administrator to add you.")
        return who.person_id

    async def _dialogue(self, where: Body) -> DialogueSession | None:
        async with self._store.read() as session:
            found = await session.get(DialogueSession, int(where.get("session") or 0))
        live = found is not None and found.status in (SessionStatus.OPEN, SessionStatus.PAUSED)
        return found if live else None

    async def _still(self, where: Body) -> bool:
        """Whether the question that a form belongs to is the present one."""
        dialogue = await self._dialogue(where)
        return dialogue is not None and dialogue.state.get("turn") == where.get("turn")

    # ── Taken over ───────────────────────────────────────────────────────────────────────────────────────

    async def save_settings(self, body: Body) -> Body:
        """Take every section over, or none. Returns the reply to the submission."""
        team = team_of(body)
        values = modals.filled(body["view"], team)
        try:
            person_id = await self._person(body)
            async with self._store.write() as tx:
                sections = await setting_sections(tx, person_id, self._clock(), self._platforms)
                kept = {each.key: {one.name: one.value for one in each.fields} for each in sections}
                for key, given in values.items():
                    chosen = _as_kept(given, kept.get(key, {}))
                    await save_section(tx, person_id, key, chosen, self._clock(), self._platforms)
        except InputError as error:
            return _errors(body, {f"{key}|{one.field}": one.problem for one in error.faults}, str(error))
        except StagecoachError as error:
            return _errors(body, {}, str(error))
        return {"response_action": "update", "view": modals.done("Settings", "Saved. It holds from now on.")}

    async def save_words(self, body: Body) -> Body:
        """Hear what was written, as if it had been said."""
        where = json.loads(body["view"].get("private_metadata") or "{}")
        values = body["view"]["state"]["values"]
        try:
            if not await self._still(where):
                return {"response_action": "errors", "errors": {"words": MOVED_ON}}
            for heard in _heard(body, where, values):
                await self._intake.keep(heard)
        except StagecoachError:
            log.warning("a form was not stored", action="slack.store_away")
            return {"response_action": "errors", "errors": {"words": LATER}}
        return {}

    async def show_home(self, body: Body, client: AsyncWebClient) -> None:
        """Draw the Home tab anew after a change."""
        user = str(body["user"]["id"])
        await client.views_publish(user_id=user, view=await self._home.view(team_of(body), user))


def _where(body: Body) -> Body:
    container = body.get("container") or {}
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
    return {"channel": channel, "thread": (body.get("message") or {}).get("thread_ts")}


def _numbers(body: Body) -> Body:
    """The dialogue and its turn, as the button names them: form:<what>:<session>:<turn>."""
    found = re.fullmatch(
        r"form:[a-z]+:(\d{1,18}):(\d{1,9})", str((body.get("actions") or [{}])[0].get("value"))
    )
    return {"session": int(found[1]), "turn": int(found[2])} if found else {}


def _as_kept(given: dict[str, str], kept: dict[str, str]) -> dict[str, str]:
    """A channel that was left as it was is named as it was."""
    return {
        name: kept[name] if name in kept and modals.same_channel(value, kept[name]) else value
        for name, value in given.items()
    }


def _errors(body: Body, faults: dict[str, str], otherwise: str) -> Body:
    known = list(body["view"]["state"]["values"])
    shown = {block: text for block, text in faults.items() if block in known}
    return {"response_action": "errors", "errors": shown or {known[0]: otherwise}}


def _heard(body: Body, where: Body, values: Body) -> list[Heard]:
    team, user, view = team_of(body), str(body["user"]["id"]), str(body["view"]["id"])
    address = Address(team, str(where.get("channel") or f"@{user}"))
    common = {
        "user": user,
        "thread": where.get("thread"),
        "public": False,
        "home": body["user"].get("team_id"),
    }
    said = spoken(str(values["words"]["value"].get("value") or ""), None)
    made = []
    if where.get("corrects"):
        criterion = values["which"]["value"]["selected_option"]["value"]
        choice = str(ChoiceId("audit", where["session"], where["turn"], f"-.edit.{criterion}"))
        made.append(Heard(f"v:{team}:{view}:which", address, {**common, "kind": "choose", "choice": choice}))
    made.append(Heard(f"v:{team}:{view}:words", address, {**common, "kind": "say", "text": said}))
    return made


def add_forms(app: AsyncApp, forms: Forms) -> None:
    """Register what opens and takes forms on Bolt's `app`."""
    openings = {"settings": forms.settings, "evidence": forms.evidence, "correct": forms.correction}
    for name, contents in openings.items():
        app.action(re.compile(rf"form:{name}.*"))(_opening(contents))

    @app.view(SETTINGS)
    async def settings_given(ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        reply = await forms.save_settings(body)
        await ack(**reply)
        if reply["response_action"] == "update":
            await forms.show_home(body, client)

    @app.view(WORDS)
    async def words_given(ack: AsyncAck, body: Body) -> None:
        await ack(**await forms.save_words(body))


def _opening(contents: Callable[[Body], Awaitable[View]]) -> Callable[..., Awaitable[None]]:
    async def open_form(ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        await ack()
        title = str(body["actions"][0].get("text", {}).get("text") or "Stagecoach")
        try:
            opened = await client.views_open(trigger_id=body["trigger_id"], view=modals.loading(title[:24]))
        except SlackApiError as error:
            # Three seconds are over: the person presses once more.
            log.info("no form opened", action="slack.form", reason=str(error.response.get("error")))
            return
        try:
            view = await contents(body)
        except StagecoachError as error:
            view = modals.done("Stagecoach", str(error))
        await client.views_update(view_id=opened["view"]["id"], view=view)

    return open_form
