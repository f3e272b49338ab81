"""Whatever people type and policies hold: Slack takes every form of a message, and nothing in it acts.

The limits are those of tests.fakes.slack_limits, written apart from the renderer. The long form, through the
renderers of all surfaces, is test_renderers.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.messages import Chart, Choice, Citation, Message, Progress, Series, Table, plain
from handlers.light import words
from handlers.slack.render import LONGEST_TEXT, Rendered, blocks, fallback_text, forms
from tests.fakes.slack_limits import problems

EXAMPLES = 300
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

_NASTY = st.sampled_from(
    [
        "<@U0BOT>", "<!channel>", "<!here|here>", "<#C1|general>", "<https://evil.example|our policy>",
        "@channel", "@here", "https://evil.example/x", "[text](https://evil.example)", "![](https://evil.example/i)",
        "*bold*", "_it_", "~no~", "`code`", "```", "> quote", "- item", "1. one", "**", "__", "\\", ":tada:",
        "&amp;",
        "&lt;@U1&gt;", "<script>", "\u202e", "\u200b", "\x00", "\ud800", "\r\n", "\n\n", "\t", "😀", "عربي",
        "mailto:a@b.example", "<mailto:a@b.example|x>", "<!date^1^{date}^https://evil.example|x>",
    ]
)  # fmt: skip
_TEXT = st.lists(st.one_of(_NASTY, st.text(max_size=40)), max_size=12).map(" ".join)
_LONG = st.one_of(_TEXT, st.builds(lambda text, times: (text or "x") * times, _TEXT, st.integers(1, 600)))
_SHARE = st.one_of(st.none(), st.floats(0, 1))


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    labels = tuple(draw(st.lists(_TEXT, min_size=0, max_size=25)))
    column = st.tuples(*[_SHARE] * len(labels))
    series = st.builds(Series, name=_TEXT, values=column, low=column, high=column)
    kinds = st.sampled_from(["line", "bar", "map"])
    return Chart(
        kind=draw(kinds),
        title=draw(_TEXT),
        alt=draw(_TEXT),
        labels=labels,
        series=tuple(draw(st.lists(series, max_size=8))),
        unit=draw(st.sampled_from(["%", ""])),
    )


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(0, 24))
    row = st.tuples(*[_TEXT] * width)
    return Table(
        caption=draw(_TEXT),
        columns=draw(row),
        rows=tuple(draw(st.lists(row, max_size=4))) * draw(st.integers(1, 60)),
    )


_CHOICE = st.builds(
    Choice,
    id=st.text(min_size=1, max_size=255).filter(lambda text: text.isprintable()),
    label=st.one_of(_TEXT, st.just("A long label. " * 30)),
    style=st.sampled_from(["default", "primary", "danger"]),
)
_CITATION = st.builds(
    Citation,
    document=_TEXT,
    section=_TEXT,
    version=st.integers(1, 9),
    quote=_TEXT,
    passage_id=st.just(1),
    owner=_TEXT,
)
MESSAGES = st.builds(
    Message,
    kind=st.sampled_from(["text", "question", "result", "answer", "nudge", "digest", "notice"]),
    text=_LONG,
    choices=st.lists(_CHOICE, max_size=20).map(lambda some: tuple(some) * 3),
    citations=st.lists(_CITATION, max_size=8).map(tuple),
    table=st.one_of(st.none(), tables()),
    chart=st.one_of(st.none(), charts()),
    progress=st.one_of(st.none(), st.builds(Progress, done=st.just(1), total=st.just(4), minutes=st.just(2))),
    answer_id=st.one_of(st.none(), st.just(7)),
    written_by_model=st.booleans(),
    input_hint=st.one_of(st.none(), _TEXT),
)


@FUZZ
@given(MESSAGES)
def test_every_form_is_accepted_and_none_can_act(message: Message) -> None:
    made = list(forms(message))
    assert made[-1].blocks == ()
    for form in made:
        assert 0 < len(form.text) <= LONGEST_TEXT
        assert not re.search(r"[<>]", form.text), "nothing that Slack reads as a mention or a link"
        assert not re.search(r"&(?!amp;|lt;|gt;)", form.text)
        assert problems(list(form.blocks)) == []
        assert_inert(form)


def assert_inert(form: Rendered) -> None:
    """No block holds text that Slack reads as markup, and no element acts but our own buttons."""
    json.dumps(form.blocks).encode()
    for node in _nodes(list(form.blocks)):
        assert node.get("type") not in (
            "mrkdwn",
            "markdown",
            "link",
            "user",
            "broadcast",
            "emoji",
            "usergroup",
        ), node
        assert "url" not in node
        assert "image_url" not in node
        assert node.get("emoji") is not True


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


@FUZZ
@given(_TEXT)
def test_what_was_said_is_shown_word_for_word(said: str) -> None:
    """Words that went through plain() come out as they were, in the blocks and in the text."""
    wanted = " ".join("".join(c for c in said if c.isprintable() or c.isspace()).split())
    wanted = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", wanted)
    message = Message(text=f"Somebody asks: {plain(wanted)}!")
    shown = "".join(node["text"] for node in _nodes(blocks(message)) if node.get("type") == "text")
    assert shown == f"Somebody asks: {wanted}!".rstrip()
    assert html.unescape(fallback_text(message)) == shown.strip()


def test_light_markdown_becomes_rich_text() -> None:
    text = (
        "**Hello** _you_\n\nA line.\nAnother.\n\n> quoted\n> twice\n\n- one\n- **two**\n\n1. first\n2. second"
    )
    text += "\n\nEnd."
    elements = blocks(Message(text=text))[0]["elements"]
    assert [element["type"] for element in elements] == [
        "rich_text_section",
        "rich_text_quote",
        "rich_text_list",
        "rich_text_list",
        "rich_text_section",
    ]
    assert elements[0]["elements"][0] == {"type": "text", "text": "Hello", "style": {"bold": True}}
    assert elements[2]["elements"][1]["elements"][0]["style"] == {"bold": True}
    assert [element["style"] for element in elements[2:4]] == ["bullet", "ordered"]
    assert words(text).splitlines()[-6:] == ["• one", "• two", "", "1. first", "2. second", "", "End."][-6:]


def test_a_chart_falls_back_to_a_picture_a_table_and_then_to_words() -> None:
    chart = Chart(
        kind="line",
        title="Coverage",
        alt="Coverage rose from 12% to 31%.",
        labels=("W46", "W47"),
        series=(Series(name="Share", values=(0.12, 0.31), low=(0.1, 0.28), high=(0.14, 0.34)),),
        unit="%",
    )
    native, picture, table, alone = forms(
        Message(kind="digest", text="The week.", chart=chart, choices=(_BUTTON,))
    )
    assert [block["type"] for block in native.blocks] == [
        "rich_text",
        "data_visualization",
        "context",
        "actions",
    ]
    assert picture.picture == chart
    assert picture.blocks[1] == {"type": "image", "slack_file": {"id": ""}, "alt_text": chart.alt}
    assert [block["type"] for block in table.blocks] == ["rich_text", "context", "table", "actions"]
    assert table.blocks[2]["rows"][2] == [
        {"type": "raw_text", "text": "W47"},
        {"type": "raw_text", "text": "31% (28–34)"},
    ]
    assert "rose from 12%" in native.text
    assert "You can reply in words:\n• Go on" in alone.text


_BUTTON = Choice(id="audit:1:0:go", label="Go on")


def test_a_long_label_is_shown_whole_beside_its_button() -> None:
    label = "Most of us use it every week, for drafts and for checking numbers; the lead tells of it"
    made = blocks(Message(text="Which?", choices=(Choice(id="a:1:0:b", label=label),)))
    assert label in json.dumps(made[0])
    assert made[1]["elements"][0]["text"]["text"].endswith("…")


def test_too_long_a_message_keeps_its_buttons_and_says_that_it_is_shortened() -> None:
    made = blocks(Message(text="word " * 9_000, choices=(_BUTTON,)))
    assert problems(made) == []
    assert "shortened" in json.dumps(made)
    assert made[-1]["elements"][0]["value"] == "audit:1:0:go"
