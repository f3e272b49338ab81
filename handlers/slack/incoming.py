"""What Slack sent, understood without asking anybody: pure functions from a payload to what is kept of it.

Only what is needed to answer is kept: no name, no profile, no message that was not meant for us.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from handlers.slack.address import Address
from handlers.slack.commands import command

Payload = dict[str, Any]

LONGEST_TEXT = 8_000
MOST_FILES = 10
_SPOKEN = frozenset({None, "file_share", "thread_broadcast"})
"""Subtypes of a message that are a person's words. Edits, deletions, joins and other bots are not."""

_MARKED = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


@dataclass(frozen=True)
class Heard:
    """Something to keep and to answer.

    `key` names it on Slack: a second delivery has the same. `in_known_thread` marks words that are for us
    only if we are in that person's thread already. `body` is what the acknowledgement holds.
    """

    key: str
    address: Address
    payload: Payload
    in_known_thread: bool = False
    body: Payload | None = None


@dataclass(frozen=True)
class ForBolt:
    """Something that Bolt's listeners take, and that may be lost without harm."""


@dataclass(frozen=True)
class Answered:
    """Nothing to keep. `body` is the whole reply."""

    body: Payload | None = None


Understood = Heard | ForBolt | Answered


def understand(body: Payload) -> Understood:
    """Sort a payload of any kind: an event, an interaction, or a slash command."""
    kind = body.get("type")
    if kind == "url_verification":
        return Answered({"challenge": str(body.get("challenge", ""))})
    if kind == "event_callback":
        return _event(body)
    if kind == "block_actions":
        return _action(body)
    if kind == "message_action":
        return _shortcut(body)
    if "command" in body:
        return _command(body)
    return Answered() if "ssl_check" in body or kind == "app_rate_limited" else ForBolt()


def team_of(body: Payload) -> str:
    """The workspace whose token serves this, or the organisation where the app is installed org-wide."""
    event_auth = (body.get("authorizations") or [{}])[0]
    org_wide = body.get("is_enterprise_install") in (True, "true") or event_auth.get("is_enterprise_install")
    enterprise = event_auth.get("enterprise_id") or body.get("enterprise_id")
    enterprise = enterprise or (body.get("enterprise") or {}).get("id")
    if org_wide and enterprise:
        return str(enterprise)
    team = body.get("team_id") or (body.get("team") or {}).get("id") or event_auth.get("team_id")
    return str(team or enterprise or "")


def _event(body: Payload) -> Understood:
    event = body.get("event") or {}
    kind = event.get("type")
    if kind in ("message", "app_mention"):
        return _message(body, event)
    if kind == "user_change":
        return _profile(body, event)
    if kind == "function_executed":
        return _step(body, event)
    return ForBolt()


def _message(body: Payload, event: Payload) -> Understood:
    me = bot_user(body)
    user, channel, ts = event.get("user"), event.get("channel"), event.get("ts")
    said_by_bot = event.get("bot_id") or event.get("bot_profile") or user == me
    if said_by_bot or event.get("subtype") not in _SPOKEN or not (user and channel and ts):
        return Answered()
    direct = channel.startswith("D")
    text = str(event.get("text") or "")
    mentioned = event["type"] == "app_mention" or (me is not None and f"<@{me}>" in text)
    thread = event.get("thread_ts")
    if not direct and not mentioned and (thread is None or _to_somebody_else(text)):
        return Answered()
    team = team_of(body)
    address = Address(team, channel) if direct else Address(team, channel, str(thread or ts), user)
    files = _files(event.get("files")) if direct else []
    payload = {
        "kind": "say",
        "user": user,
        "text": spoken(text, me),
        **({"files": files} if files else {}),
        "ts": ts,
        "thread": thread if direct else str(thread or ts),
        "public": not direct,
        "home": str(event.get("user_team") or event.get("team") or body.get("team_id") or ""),
        **_from_outside(body, event),
    }
    # One mention arrives twice, as app_mention and as message: the place and time are the same.
    return Heard(f"m:{team}:{channel}:{ts}", address, payload, in_known_thread=not (direct or mentioned))


def _files(files: Any) -> list[Payload]:
    """What of an event's files is kept: enough to fetch them later."""
    found = []
    for file in files if isinstance(files, list) else []:
        url = file.get("url_private_download") or file.get("url_private")
        if url and file.get("name"):
            size = int(file.get("size") or 0)
            found.append({"name": str(file["name"])[:200], "size": size, "url": str(url)[:1_000]})
    return found[:MOST_FILES]


def bot_user(body: Payload) -> str | None:
    """Our own user's id, as the event names it."""
    for authorization in body.get("authorizations") or []:
        if authorization.get("is_bot"):
            return str(authorization.get("user_id"))
    return None


def _to_somebody_else(text: str) -> bool:
    return text.lstrip().startswith("<@")


def _from_outside(body: Payload, event: Payload) -> Payload:
    """Whether the author works elsewhere (Slack Connect), and whether people of elsewhere read along."""
    homes = {body.get("team_id"), body.get("enterprise_id"), body.get("context_team_id")}
    homes |= {
        auth.get(key) for auth in body.get("authorizations") or [] for key in ("team_id", "enterprise_id")
    }
    home = event.get("user_team") or event.get("source_team")
    outside = home is not None and home not in homes
    return {"outside": outside, "shared": bool(body.get("is_ext_shared_channel"))}


def spoken(text: str, me: str | None) -> str:
    """Slack's markup as the words that stood there: no ids, no angle brackets; links keep their address."""

    def words(found: re.Match[str]) -> str:
        sign, target, label = found[1], found[2], found[3]
        if sign == "@":
            return "" if target == me else f"@{label or 'somebody'}"
        if sign == "#":
            return f"#{label or 'channel'}"
        if sign == "!":
            return label or f"@{target.partition('^')[0]}"
        return target.removeprefix("mailto:")

    return html.unescape(_MARKED.sub(words, text)).strip()[:LONGEST_TEXT]


def _action(body: Payload) -> Understood:
    action = (body.get("actions") or [{}])[0]
    user = (body.get("user") or {}).get("id")
    choice = _chosen(action)
    if choice is None or not user:
        return ForBolt()
    container, team = body.get("container") or {}, team_of(body)
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
    message = body.get("message") or {}
    # A button in a channel's thread belongs to the conversation of that thread.
    thread = message.get("thread_ts") or container.get("thread_ts")
    public = bool(channel) and not channel.startswith("D")
    if public:
        thread = thread or message.get("ts") or container.get("message_ts")
    payload = {
        "kind": "choose",
        "user": user,
        "choice": choice,
        "thread": thread,
        "ts": message.get("ts") or container.get("message_ts"),
        "public": public,
        "home": (body.get("user") or {}).get("team_id") or (body.get("team") or {}).get("id"),
        "outside": _foreign_user(body),
        "shared": bool(body.get("is_ext_shared_channel")),
    }
    key = f"b:{team}:{user}:{action.get('action_ts')}:{action.get('action_id', '')[:40]}"
    address = Address(team, channel, str(thread), user) if public else Address(team, channel or f"@{user}")
    return Heard(key, address, payload)


def _chosen(action: Payload) -> str | None:
    """The id of our choice: the value of a button or a menu's entry of ours, or of a feedback button."""
    name = str(action.get("action_id", ""))
    value = action.get("value") or (action.get("selected_option") or {}).get("value")
    if (name.startswith("choice:") or name == "feedback") and isinstance(value, str) and value:
        return value
    return _picked(action)


def _picked(action: Payload) -> str | None:
    """A day that was picked, as the words that its picker stands for."""
    name, day = str(action.get("action_id", "")), action.get("selected_date")
    return f"say:{name.removeprefix('say:')} {day}" if name.startswith("say:") and day else None


def _foreign_user(body: Payload) -> bool:
    home = (body.get("user") or {}).get("team_id")
    team = body.get("team") or {}
    return (
        home is not None
        and team.get("id") is not None
        and home not in (team["id"], team.get("enterprise_id"))
    )


def _shortcut(body: Payload) -> Understood:
    """ "Ask the policies about this": the message's words are the question, answered to the asker alone."""
    user = (body.get("user") or {}).get("id")
    text = spoken(str((body.get("message") or {}).get("text") or ""), None)
    if body.get("callback_id") != "ask_policies" or not user:
        return ForBolt()
    payload = {"kind": "say", "user": user, "text": text, "public": False, "outside": _foreign_user(body)}
    team = team_of(body)
    return Heard(
        f"s:{team}:{body.get('trigger_id') or body.get('action_ts')}", Address(team, f"@{user}"), payload
    )


def _command(body: Payload) -> Understood:
    user, said = body.get("user_id"), command(str(body.get("text") or ""))
    if not user or said.text is None:
        return Answered({"response_type": "ephemeral", "text": said.note})
    payload = {"kind": "say", "user": user, "text": said.text[:LONGEST_TEXT], "public": False}
    team = team_of(body)
    return Heard(
        f"c:{team}:{body.get('trigger_id')}",
        Address(team, f"@{user}"),
        payload,
        body={"response_type": "ephemeral", "text": said.note},
    )


def _profile(body: Payload, event: Payload) -> Understood:
    """Somebody's profile changed: the time zone may be another, or the account may be closed."""
    user = event.get("user") or {}
    if not user.get("id") or user.get("is_bot"):
        return Answered()
    team = team_of(body)
    payload = {"kind": "profile", "user": user["id"]}
    return Heard(f"e:{team}:{body.get('event_id')}", Address(team, f"@{user['id']}"), payload)


def _step(body: Payload, event: Payload) -> Understood:
    """A step of a workflow. Its answer goes back to the workflow, so that its execution is the address."""
    function, inputs = event.get("function") or {}, event.get("inputs") or {}
    name, execution = function.get("callback_id"), event.get("function_execution_id")
    user = inputs.get("user")
    if name not in ("ask_policies", "start_audit") or not execution or not user:
        return ForBolt()
    team = team_of(body)
    text = "start audit" if name == "start_audit" else spoken(str(inputs.get("question") or ""), None)
    payload = {"kind": "say", "user": user, "text": text[:LONGEST_TEXT], "public": False}
    if name == "start_audit":
        payload["completes"] = execution
        return Heard(f"f:{team}:{execution}", Address(team, f"@{user}"), payload)
    return Heard(f"f:{team}:{execution}", Address(team, f"={execution}"), payload)
