"""A message as what the Bot Connector service takes: a card, or where that is refused, words.

A text beside a card would arrive as a message of its own, so that the words stand in the card; `summary` is
what a notification shows. Entities are plain dicts: botbuilder's own keep of them nothing but the type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botbuilder.schema import ActivityTypes, TextFormatTypes

from bot.messages import Message
from handlers.teams.render import is_wide, render, summary, words_alone

CARD = "application/vnd.microsoft.card.adaptive"


def forms(message: Message) -> Iterator[dict[str, Any]]:
    """The message, best form first."""
    base = {"type": ActivityTypes.message, **_label(message)}
    wide = {"msteams": {"width": "Full"}} if is_wide(message) else {}
    card = {"contentType": CARD, "content": {**render(message), **wide}}
    yield {**base, "summary": summary(message), "attachments": [card]}
    yield {**base, "text": words_alone(message), "textFormat": TextFormatTypes.plain}


def _label(message: Message) -> dict[str, Any]:
    """Teams' own mark on what a model wrote."""
    if not message.written_by_model:
        return {}
    made = {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "@id": "",
        "additionalType": ["AIGeneratedContent"],
    }
    return {"entities": [made]}
