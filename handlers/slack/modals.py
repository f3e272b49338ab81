"""The forms as views of Slack: pure builders, and how their values come back.

Limits: docs.slack.dev, views; titles and buttons 24 characters, private_metadata 3,000, 100 blocks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from bot.store.tables import Platform
from handlers.light import clean, cut
from handlers.slack.words import Block
from scheduler.setting_forms import Field, Section

View = dict[str, Any]
SETTINGS, WORDS = "settings", "words"
LONGEST_TITLE, LONGEST_LABEL, LONGEST_TEXT, MOST_OPTIONS = 24, 75, 2_900, 100
_CHANNEL = re.compile(r"(?:[A-Z0-9]{2,20}:)?([CG][A-Z0-9]{2,20})")


def loading(title: str) -> View:
    """Shown at once: Slack lets a form be opened only within three seconds."""
    return _view(title, [said("One moment…")])


def done(title: str, text: str) -> View:
    """What was achieved."""
    return _view(title, [said(text)])


def settings_view(sections: Sequence[Section]) -> View:
    """Every section with its fields; what is left as it is changes nothing."""
    blocks: list[Block] = []
    for section in sections:
        blocks += [
            {"type": "header", "text": _plain(section.title, 150)},
            said(section.text),
            *(_input(section, field) for field in section.fields),
        ]
    return _view("Settings", blocks[:100], submit="Save", callback=SETTINGS)


def words_view(title: str, label: str, hint: str, metadata: dict[str, Any]) -> View:
    """One field for words that become an answer in the conversation."""
    field = {
        "type": "input",
        "block_id": "words",
        "label": _plain(label, 200),
        "hint": _plain(hint, 200),
        "element": {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": 3_000},
    }
    return _view(title, [field], submit="Save", callback=WORDS, metadata=metadata)


def correction_view(answers: Sequence[tuple[str, str]], metadata: dict[str, Any]) -> View:
    """Which of the given answers (criterion, name), and what is true now."""
    options = [_option(criterion, name) for criterion, name in answers[:MOST_OPTIONS]]
    which = {
        "type": "input",
        "block_id": "which",
        "label": _plain("Which answer?", 200),
        "element": {"type": "static_select", "action_id": "value", "options": options},
    }
    words = words_view(
        "Correct an answer", "What is true now?", "The last real case, in your words.", metadata
    )
    return {**words, "blocks": [which, *words["blocks"]]}


def _view(
    title: str,
    blocks: list[Block],
    submit: str | None = None,
    callback: str = "shown",
    metadata: dict[str, Any] | None = None,
) -> View:
    made: View = {
        "type": "modal",
        "callback_id": callback,
        "title": _plain(title, LONGEST_TITLE),
        "close": _plain("Close", LONGEST_TITLE),
        "private_metadata": json.dumps(metadata or {}),
        "blocks": blocks,
    }
    return {**made, "submit": _plain(submit, LONGEST_TITLE)} if submit else made


def said(text: str) -> Block:
    """Words of ours or of the organisation's, in which nothing acts."""
    return {"type": "section", "text": _plain(text, LONGEST_TEXT)}


def _plain(text: str, longest: int) -> Block:
    return {"type": "plain_text", "text": cut(clean(text), longest).strip() or "…", "emoji": False}


def _option(value: str, label: str) -> Block:
    return {"text": _plain(label, LONGEST_LABEL), "value": value}


def _input(section: Section, field: Field) -> Block:
    made: Block = {
        "type": "input",
        "block_id": f"{section.key}|{field.name}",
        "label": _plain(field.label, 200),
        "optional": field.kind != "choice",
        "element": {"action_id": "value", **_element(field)},
    }
    return {**made, "hint": _plain(field.hint, 200)} if field.hint else made


def _element(field: Field) -> Block:
    if field.kind == "choice":
        options = [_option(option.value, option.label) for option in field.options[:MOST_OPTIONS]]
        chosen = next((option for option in options if option["value"] == field.value), None)
        return {"type": "static_select", "options": options, **({"initial_option": chosen} if chosen else {})}
    channel = _CHANNEL.fullmatch(field.value)
    if field.platform is Platform.SLACK and (channel or not field.value):
        kinds = {"include": ["public", "private"], "exclude_bot_users": True}
        chosen_channel = {"initial_conversation": channel[1]} if channel else {}
        return {"type": "conversations_select", "filter": kinds, **chosen_channel}
    filled = {"initial_value": field.value} if field.value else {}
    return {"type": "plain_text_input", "max_length": 250, **filled}


def filled(view: View, team: str) -> dict[str, dict[str, str]]:
    """The values of a submitted settings form, by section and field; a channel with its workspace."""
    found: dict[str, dict[str, str]] = {}
    for block_id, elements in (view.get("state") or {}).get("values", {}).items():
        key, _, name = block_id.partition("|")
        found.setdefault(key, {})[name] = _value(elements.get("value") or {}, team)
    return found


def _value(element: Block, team: str) -> str:
    if element.get("type") == "static_select":
        return str((element.get("selected_option") or {}).get("value") or "")
    if element.get("type") == "conversations_select":
        channel = element.get("selected_conversation")
        return f"{team}:{channel}" if channel else ""
    return str(element.get("value") or "")


def same_channel(one: str, other: str) -> bool:
    """Whether two names of a channel mean the same; an organisation file may leave the workspace out."""
    first, second = _CHANNEL.fullmatch(one), _CHANNEL.fullmatch(other)
    return bool(first and second and first[1] == second[1])
