"""Whatever is said: the card is an Adaptive Card 1.5, small enough, and nothing in it acts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft6Validator

from bot.messages import Chart, Choice, Message, Progress, Series, Table, plain
from handlers.teams.activities import forms
from handlers.teams.incoming import NO_DAY, Answered, Heard, understand
from handlers.teams.render import ACTIONS_A_ROW, MOST_BYTES, render, size
from tests.conftest import SHARED
from tests.property.test_slack_render import EXAMPLES, FUZZ, MESSAGES

SCHEMA = SHARED / "schemas/adaptive-card-1.5.0.json"
_KNOWN = {
    "AdaptiveCard", "RichTextBlock", "TextRun", "Container", "FactSet", "Table", "TableRow", "TableCell",
    "TableColumnDefinition", "ActionSet", "Action.Execute", "Chart.Line", "Chart.HorizontalBar",
    "Chart.VerticalBar.Grouped", "Input.Date",
}  # fmt: skip


@cache
def validator() -> Draft6Validator | None:
    """The official schema, where it is at hand."""
    return Draft6Validator(json.loads(SCHEMA.read_text())) if SCHEMA.exists() else None


def check(card: dict[str, Any]) -> None:
    check_limits(card)
    schema = validator()
    if schema is not None:
        schema.validate(without_charts(card))


def check_limits(card: dict[str, Any]) -> None:
    """What the schema does not say; quick."""
    json.dumps(card, ensure_ascii=False).encode()
    assert size(card) <= MOST_BYTES
    assert set(card) == {"type", "$schema", "version", "fallbackText", "body"}, "the schema takes no others"
    for node in nodes(card):
        if "type" in node:
            assert node["type"] in _KNOWN
        if node.get("type") == "ActionSet":
            shown = [action for action in node["actions"] if action.get("mode") != "secondary"]
            assert 1 <= len(shown) <= ACTIONS_A_ROW
        if node.get("type") in ("Action.Execute", "Chart.Line"):
            assert not set(node["title"]) & set("[]*_<>`\\"), "what Teams reads as Markdown has no marks"


def without_charts(node: Any) -> Any:
    """The schema is older than charts: each is replaced by what older clients show."""
    if isinstance(node, dict):
        shown = node.get("fallback", node) if str(node.get("type", "")).startswith("Chart.") else node
        return {name: without_charts(value) for name, value in shown.items()}
    return [without_charts(one) for one in node] if isinstance(node, list) else node


def sent_card(message: Message) -> dict[str, Any]:
    """What goes to Teams, with what Teams knows beyond the schema."""
    [attachment] = next(forms(message))["attachments"]
    card: dict[str, Any] = attachment["content"]
    return card


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from nodes(one)


@settings(FUZZ, max_examples=EXAMPLES // 6)
@given(MESSAGES)
def test_every_message_is_a_card_and_nothing_acts(message: Message) -> None:
    check(render(message))


def test_many_short_lines_fit_too() -> None:
    """Each line is a run of its own, and takes far more room than its letters."""
    check(render(Message(text="x\n" * 15_000)))


def test_a_card_says_what_the_message_says() -> None:
    message = Message(
        text=f"**Larkfield**, week 47\n\n1. First\n2. Second\n\n> a quote\n\n{plain('*kept* [x](http://e)')}",
        chart=Chart(
            kind="line", title="Coverage", alt="Coverage of the company.", labels=("2 Nov", "9 Nov"),
            series=(Series(name="All", values=(0.3, 0.33), low=(0.2, 0.3), high=(0.4, 0.36)),), unit="%",
        ),
    )  # fmt: skip
    card = render(message)
    check(card)
    said = [node["text"] for node in nodes(card) if node.get("type") == "TextRun"]
    assert said[:2] == ["Larkfield", ", week 47"]
    assert {"1. ", "First", "2. ", "Second", "a quote", "*kept* [x](http://e)"} <= set(said)
    [chart] = [node for node in nodes(card) if node.get("type") == "Chart.Line"]
    assert chart["fallback"]["facts"][1] == {"title": "9 Nov", "value": "33% (30–36)"}


def test_a_table_of_many_columns_gets_the_room_that_there_is() -> None:
    row = tuple(f"Column {number}" for number in range(6))
    wide = Message(text="Map", table=Table(caption="Map", columns=row, rows=(row,)))
    check(render(wide))
    assert sent_card(wide) == {**render(wide), "msteams": {"width": "Full"}}
    narrow = Message(text="List", table=Table(caption="List", columns=row[:2], rows=(row[:2],)))
    assert sent_card(narrow) == render(narrow)


def test_what_few_need_stands_in_the_menu() -> None:
    asides = [Choice(id=f"audit:1:0:q.{name}", label=name) for name in ("skip", "later", "pause")]
    answers = [Choice(id=f"audit:1:0:q.a{number}", label=str(number)) for number in range(5)]
    said = Message(kind="question", text="**Question 1 of 4**", choices=(*answers, *asides))
    card = render(said.model_copy(update={"progress": Progress(done=0, total=4, minutes=2)}))
    check(card)
    [row] = [node["actions"] for node in nodes(card) if node.get("type") == "ActionSet"]
    assert [action["title"] for action in row if "mode" not in action] == ["0", "1", "2", "3", "4"]
    assert [action["title"] for action in row if action.get("mode") == "secondary"] == [
        "skip",
        "later",
        "pause",
    ]
    told = [node["text"] for node in nodes(card) if node.get("type") == "TextRun"]
    assert told == ["Question 1 of 4"], "what the words say is not said twice"


def test_a_nudge_can_be_put_off_to_any_day() -> None:
    card = render(
        Message(kind="nudge", text="Due", choices=(Choice(id="nudge:1:0:snooze.7", label="A week"),))
    )
    check(card)
    [day] = [node for node in nodes(card) if node.get("type") == "Input.Date"]
    [*_, pick] = [node for node in nodes(card) if node.get("type") == "Action.Execute"]
    pressed = {"action": {"verb": pick["verb"], "data": {**pick["data"], day["id"]: "2026-12-03"}}}
    activity = {
        "type": "invoke",
        "name": "adaptiveCard/action",
        "conversation": {"id": "a:1", "conversationType": "personal"},
        "from": {"id": "29:1"},
        "value": pressed,
    }
    heard = understand(activity)
    assert isinstance(heard, Heard)
    assert heard.payload["choice"] == "say:snooze until 2026-12-03"
    pressed["action"]["data"][day["id"]] = ""
    assert understand(activity) == Answered(
        {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": NO_DAY}
    )


@pytest.mark.parametrize("text", ["x" * 400_000, "word " * 60_000, "**b** " * 4_000])
def test_too_much_is_shortened_and_says_so(text: str) -> None:
    card = render(Message(text=text))
    check(card)
    assert any("shortened" in node["text"] for node in nodes(card) if node.get("type") == "TextRun")
