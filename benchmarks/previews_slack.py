"""Every message of the sample company as Slack would show it: `make previews` draws them into var/previews.

The pictures are near enough to judge words, order and length by. Slack's own charts are drawn too.
"""

from __future__ import annotations

import asyncio
import html
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from bot.messages import Message
from bot.store.tables import Platform
from handlers.slack.modals import correction_view, done, loading, settings_view, words_view
from handlers.slack.render import forms
from handlers.slack.words import Block
from scheduler.planner import NOT_WRITTEN_YET
from scheduler.setting_forms import Field, Option, Section
from scheduler.setting_words import WEEKDAYS
from tests.fakes.slack_limits import problems
from tests.support.browser import FLAGS, find_chromium
from tests.support.spoken import everything_said

OUT = Path("var/previews/slack")
A_SHEET = 12
WIDTH = 720
COLOURS = ("#1264a3", "#2eb67d", "#ecb22e", "#e01e5a", "#611f69", "#868686")

STYLE = """
body{font:15px/1.46 Lato,"DejaVu Sans",sans-serif;color:#1d1c1d;margin:0;background:#fff;width:720px}
.m{padding:12px 20px;border-bottom:1px solid #eee}.m h6{margin:0 0 4px;font-size:12px;color:#616061}
blockquote{margin:4px 0;padding-left:12px;border-left:4px solid #ddd}ul,ol{margin:4px 0}
p{margin:0;white-space:pre-wrap}
.c{color:#616061;font-size:12px;margin:4px 0}.b{display:inline-block;margin:4px 8px 4px 0;padding:4px 12px;
border:1px solid #bbb;border-radius:4px;font-weight:700;font-size:13px}.primary{background:#007a5a;color:#fff}
.danger{color:#e01e5a}table{border-collapse:collapse;margin:6px 0;font-size:13px}
td{border:1px solid #ddd;padding:3px 8px}
tr:first-child td{font-weight:700}hr{border:0;border-top:1px solid #ddd}
"""


def drawn(block: Block) -> str:
    """One block as HTML."""
    kinds = {
        "rich_text": lambda: "".join(_rich(element) for element in block["elements"]),
        "context": lambda: "".join(f'<div class="c">{_said(one)}</div>' for one in block["elements"]),
        "actions": lambda: "".join(_element(one) for one in block["elements"]),
        "context_actions": lambda: "".join(_feedback(one) for one in block["elements"]),
        "table": lambda: _table(block["rows"]),
        "data_visualization": lambda: _chart(block),
        "divider": lambda: "<hr>",
        "image": lambda: f'<div class="c">[picture: {html.escape(block["alt_text"])}]</div>',
        "header": lambda: f"<h3>{_said(block['text'])}</h3>",
        "section": lambda: f"<p>{_said(block['text'])}</p>",
        "input": lambda: _input(block),
    }
    return kinds[block["type"]]()


def _said(text: Block) -> str:
    return html.escape(text["text"])


def _rich(element: Block) -> str:
    if element["type"] == "rich_text_list":
        tag = "ol" if element["style"] == "ordered" else "ul"
        return f"<{tag}>" + "".join(f"<li>{_words(one)}</li>" for one in element["elements"]) + f"</{tag}>"
    tag = "blockquote" if element["type"] == "rich_text_quote" else "p"
    return f"<{tag}>{_words(element)}</{tag}>"


def _words(section: Block) -> str:
    made = ""
    for word in section["elements"]:
        text = html.escape(word["text"]).replace("\n", "<br>")
        for mark, tag in (("bold", "b"), ("italic", "i")):
            text = f"<{tag}>{text}</{tag}>" if word.get("style", {}).get(mark) else text
        made += text
    return made


def _element(element: Block) -> str:
    if element["type"] == "overflow":
        entries = "".join(f"<li>{_said(one['text'])}</li>" for one in element["options"])
        return f'<span class="b">⋯</span><ul class="c">{entries}</ul>'
    text = element["placeholder"] if element["type"] == "datepicker" else element["text"]
    return f'<span class="b {element.get("style", "")}">{_said(text)}</span>'


def _input(block: Block) -> str:
    element = block["element"]
    chosen = element.get("initial_option", {}).get("text", {}).get("text") or element.get("initial_value")
    value = html.escape(chosen or element.get("initial_conversation") or "…")
    hint = f'<div class="c">{_said(block["hint"])}</div>' if "hint" in block else ""
    kinds = {"static_select": f"{value} ▾", "conversations_select": f"# {value} ▾"}
    field = kinds.get(element["type"], value)
    return f'<p><b>{_said(block["label"])}</b></p><span class="b">{field}</span>{hint}'


def _feedback(element: Block) -> str:
    both = (element["positive_button"], element["negative_button"])
    return "".join(f'<span class="b">{_said(one["text"])}</span>' for one in both)


def _table(rows: list[list[Block]]) -> str:
    lines = ("".join(f"<td>{_said(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _chart(block: Block) -> str:
    chart, high = block["chart"], 120
    series = [[point["value"] for point in one["data"]] for one in chart["series"]]
    top = max((value for values in series for value in values), default=1) or 1
    step = (WIDTH - 60) / max(1, len(chart["axis_config"]["categories"]))
    shapes = ""
    for number, values in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        places = [(step * (n + 0.5), high - high * value / top + 10) for n, value in enumerate(values)]
        if chart["type"] == "bar":
            width = step * 0.8 / len(series)
            for x, y in places:
                left = x - step * 0.4 + width * number
                box = f'x="{left:.0f}" y="{y:.0f}" width="{width:.0f}" height="{high + 10 - y:.0f}"'
                shapes += f'<rect {box} fill="{colour}"/>'
        else:
            line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
            shapes += f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="3"/>'
    for number, label in enumerate(chart["axis_config"]["categories"]):
        place = f'x="{step * (number + 0.5):.0f}" y="150" font-size="10" text-anchor="middle"'
        shapes += f"<text {place}>{html.escape(label)}</text>"
    names = ", ".join(html.escape(one["name"]) for one in chart["series"])
    head = f'<b>{html.escape(block["title"])}</b><div class="c">{names}</div>'
    return f'{head}<svg width="{WIDTH - 40}" height="160">{shapes}</svg>'


def page(messages: Sequence[Message]) -> str:
    """Messages as one sheet. Raises AssertionError where Slack would refuse one."""
    made = ""
    for message in messages:
        form = next(iter(forms(message)))
        assert problems(list(form.blocks)) == [], message
        inside = "".join(drawn(one) for one in form.blocks)
        made += f'<div class="m"><h6>Stagecoach · {message.kind}</h6>{inside}</div>'
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{made}'


def forms_page() -> str:
    """The forms as a lead sees them, as one sheet. Raises AssertionError where Slack would refuse one."""
    made = ""
    for view in _views():
        assert problems(view["blocks"], "view") == [], view
        inside = "".join(drawn(one) for one in view["blocks"])
        below = [view[name] for name in ("close", "submit") if name in view]
        buttons = "".join(f'<span class="b">{_said(one)}</span>' for one in below)
        made += f'<div class="m"><h6>Form · {_said(view["title"])}</h6>{inside}<hr>{buttons}</div>'
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{made}'


def _views() -> list[Block]:
    days = tuple(Option(str(n), day) for n, day in enumerate(WEEKDAYS[:5]))
    hours = tuple(Option(f"{n:02d}:00", f"{n:02d}:00") for n in range(8, 18))
    when = (Field("day", "Day", "1", options=days), Field("time", "Time", "10:00", options=hours))
    hint = "Empty: none."
    channel = Field("channel.slack", "Channel in Slack", "", "channel", hint=hint, platform=Platform.SLACK)
    sections = [
        Section("me", "When and where I write to you", "At most twice a week, never on days off.", when),
        Section("digest.1", "The digest of Sales", "Once a week to the channel.", (*when, channel)),
    ]
    answers = [("WE-1", "Reach across roles"), ("WE-2", "Real work")]
    return [
        loading("Settings"),
        settings_view(sections),
        words_view("Evidence", "What could a colleague open to see it?", "A link, a file or a sentence.", {}),
        correction_view(answers, {}),
        done("Settings", "Saved. It holds from now on."),
    ]


def distinct(messages: Sequence[Message]) -> list[Message]:
    """Messages that differ in more than names and numbers, longest kinds first."""
    seen: dict[tuple[object, ...], Message] = {}
    for message in messages:
        if not message.text or message == NOT_WRITTEN_YET:
            continue  # planned; it is put into words when it leaves
        shape = (
            message.kind,
            message.text[:40],
            len(message.choices),
            message.chart is None,
            message.table is None,
        )
        seen.setdefault(shape, message)
    return sorted(seen.values(), key=lambda message: message.kind)


def main() -> None:
    """Draw everything; without a Chromium only the pages are written."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        messages = distinct(asyncio.run(everything_said(Path(folder))))
    sheets = [messages[start : start + A_SHEET] for start in range(0, len(messages), A_SHEET)]
    files = []
    for number, sheet in enumerate(sheets, 1):
        files.append(OUT / f"{number:02d}.html")
        files[-1].write_text(page(sheet))
    files.append(OUT / "forms.html")
    files[-1].write_text(forms_page())
    chromium = find_chromium()
    if chromium is not None:
        photograph(files, chromium)
    sys.stdout.write(f"{len(messages)} messages on {len(sheets)} sheets in {OUT}\n")


def photograph(files: Sequence[Path], chromium: str) -> None:
    """A picture of each page beside it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        view = browser.new_page(viewport={"width": WIDTH, "height": 800})
        for file in files:
            view.goto(file.absolute().as_uri())
            view.screenshot(path=str(file.with_suffix(".png")), full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
