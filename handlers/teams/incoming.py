"""What Teams sent, understood without asking anybody: pure functions from an activity to what is kept of it.

Only what is needed to answer is kept: no name, no profile, no message that was not meant for us.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from botbuilder.schema import ActivityTypes

from handlers.teams.address import LONGEST, Address

Activity = dict[str, Any]

LONGEST_TEXT = 8_000
LONGEST_KEY = 200
MOST_FILES = 10
FILE = "application/vnd.microsoft.teams.file.download.info"
GOT_IT, NO_DAY = "Got it.", "Please pick a day first."
ERROR = "application/vnd.microsoft.error"
SAID = "application/vnd.microsoft.activity.message"

_AT = re.compile(r"<at\b[^>]*>(.*?)</at>", re.DOTALL)


@dataclass(frozen=True)
class Heard:
    """Something to keep and to answer.

    `key` names it in Teams: a second delivery has the same. `body` is what the acknowledgement holds.
    """

    key: str
    address: Address
    payload: dict[str, Any]
    body: dict[str, Any] | None = None


@dataclass(frozen=True)
class Answered:
    """Nothing to keep. `status` and `body` are the whole reply."""

    body: dict[str, Any] | None = None
    status: int = 200


Understood = Heard | Answered


def understand(activity: Activity) -> Understood:
    """Sort an activity of any kind."""
    kind, address = activity.get("type"), Address.parse(_text(_part(activity, "conversation").get("id")))
    if not address.conversation or len(str(address)) > LONGEST or not _user(activity):
        return Answered(status=501) if kind == ActivityTypes.invoke else Answered()
    if kind == ActivityTypes.message:
        return _message(activity, address)
    if kind == ActivityTypes.invoke:
        return _invoke(activity, address)
    if kind == ActivityTypes.installation_update:
        action = _text(activity.get("action"))
        return _installed(activity, address, action.startswith("add"), action.startswith("remove"))
    if kind == ActivityTypes.conversation_update:
        here, gone = _is_of(activity, "membersAdded"), _is_of(activity, "membersRemoved")
        return _installed(activity, address, here, gone)
    return Answered()


def tenant_of(activity: Activity) -> str:
    """The tenant that an activity comes from, or nothing where it names none."""
    of_channel = _part(_part(activity, "channelData"), "tenant").get("id")
    return _text(_part(activity, "conversation").get("tenantId") or of_channel)


def _message(activity: Activity, address: Address) -> Understood:
    public = _is_public(activity)
    if public and not _is_mentioned(activity):
        return Answered()
    picked = _picked(activity.get("value"))
    if picked is not None:
        return Heard(_key("m", activity), address, _payload(activity, "choose", choice=picked))
    text = spoken(activity)
    files = [] if public else _files(activity.get("attachments"))
    if not text and not files:
        return Answered()
    payload = _payload(activity, "say", text=text, **({"files": files} if files else {}))
    return Heard(_key("m", activity), address, payload)


def _invoke(activity: Activity, address: Address) -> Understood:
    """A pressed button, or something that we never asked for."""
    name = activity.get("name")
    if name == "message/submitAction":
        return Answered({})
    if name != "adaptiveCard/action":
        return Answered(status=501)
    data = _part(_part(_part(activity, "value"), "action"), "data")
    picked = _picked(data)
    if picked is None and "say" in data:
        return Answered({"statusCode": 200, "type": SAID, "value": NO_DAY})
    if picked is None:
        error = {"code": "BadRequest", "message": "This button is not one of mine."}
        return Answered({"statusCode": 400, "type": ERROR, "value": error})
    told = {"statusCode": 200, "type": SAID, "value": GOT_IT}
    return Heard(_key("b", activity), address, _payload(activity, "choose", choice=picked), told)


def _installed(activity: Activity, address: Address, here: bool, gone: bool) -> Understood:
    """We were added to or removed from a chat or a team. Teams tells each of it in two ways."""
    if not here and not gone:
        return Answered()
    team = _text(_part(_part(activity, "channelData"), "team").get("id"))
    payload = _payload(activity, "installed" if here else "removed", **({"team": team} if team else {}))
    return Heard(_key("i", activity), address, payload)


def _payload(activity: Activity, kind: str, **more: Any) -> dict[str, Any]:
    sender, channel = _part(activity, "from"), _part(_part(activity, "channelData"), "channel")
    thread = Address.parse(_text(_part(activity, "conversation").get("id"))).thread
    return {
        "kind": kind,
        "user": _user(activity),
        "aad": _text(sender.get("aadObjectId"))[:100],
        "tenant": tenant_of(activity)[:100],
        "service_url": _text(activity.get("serviceUrl"))[:500],
        "bot": _text(_part(activity, "recipient").get("id"))[:200],
        "tz": _text(activity.get("localTimezone"))[:100],
        "thread": thread or None,
        "public": _is_public(activity),
        "shared": channel.get("type") == "shared",
        **more,
    }


def _picked(data: Any) -> str | None:
    """The id of our choice: of a button, or the words that a picked day stands for."""
    if not isinstance(data, dict):
        return None
    choice, begins = data.get("choice"), data.get("say")
    if isinstance(begins, str):
        day = _day(data.get("day"))
        return f"say:{begins} {day}"[:255] if day else None
    return choice[:255] if isinstance(choice, str) and choice else None


def _day(given: Any) -> str | None:
    try:
        return date.fromisoformat(given).isoformat() if isinstance(given, str) else None
    except ValueError:
        return None


def spoken(activity: Activity) -> str:
    """The words of a message: without the mention of us, and with the names of others."""
    text = _text(activity.get("text"))
    for mention in _mentions(activity):
        if _part(mention, "mentioned").get("id") == _part(activity, "recipient").get("id"):
            text = text.replace(_text(mention.get("text")) or "\0", " ")
    return html.unescape(_AT.sub(r"@\1", text)).replace("\xa0", " ").strip()[:LONGEST_TEXT]


def _is_mentioned(activity: Activity) -> bool:
    """Whether it is for us. What a button of ours sends needs no mention."""
    me = _part(activity, "recipient").get("id")
    named = any(_part(mention, "mentioned").get("id") == me for mention in _mentions(activity))
    return named or _picked(activity.get("value")) is not None


def _mentions(activity: Activity) -> list[Activity]:
    entities = activity.get("entities")
    found = entities if isinstance(entities, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("type") == "mention"]


def _is_public(activity: Activity) -> bool:
    """Whether others read along: everywhere but in a personal chat."""
    return _part(activity, "conversation").get("conversationType") != "personal"


def _files(attachments: Any) -> list[dict[str, Any]]:
    """What of dropped files is kept: enough to fetch them later."""
    found = []
    for one in attachments if isinstance(attachments, list) else []:
        if not isinstance(one, dict) or one.get("contentType") != FILE:
            continue
        url = _part(one, "content").get("downloadUrl")
        if isinstance(url, str) and one.get("name"):
            found.append({"name": _text(one["name"])[:200], "url": url[:4_000]})
    return found[:MOST_FILES]


def _is_of(activity: Activity, change: str) -> bool:
    """Whether we are among those who came or went."""
    members, me = activity.get(change), _part(activity, "recipient").get("id")
    return isinstance(members, list) and any(isinstance(one, dict) and one.get("id") == me for one in members)


def _user(activity: Activity) -> str:
    return _text(_part(activity, "from").get("id"))[:200]


def _key(kind: str, activity: Activity) -> str:
    """The same for a second delivery: the activity's id in its conversation, else the whole of it."""
    name = _text(activity.get("id"))
    if not name:
        name = hashlib.sha256(json.dumps(activity, sort_keys=True).encode()).hexdigest()
    key = f"{kind}:{_part(activity, 'conversation')['id']}:{name}"
    return key if len(key) <= LONGEST_KEY else f"{kind}:{hashlib.sha256(key.encode()).hexdigest()}"


def _part(value: Activity, name: str) -> Activity:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
