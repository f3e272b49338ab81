"""A message as a letter: HTML that mail programs draw, and the same in plain text.

Styles stand in the elements, because mail programs drop style sheets; a picture is an image with its words.
Everything that people or documents wrote is escaped.
"""

from __future__ import annotations

import re
from html import escape

from bot.messages import Message, Table
from handlers.web.markup import light

_INK, _SOFT, _RULE = "#1B1F24", "#5B6570", "#D9DDE2"
_FONT = "font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"
_MARK = re.compile(r"\\([\\`*_{}\[\]<>#|~])|\*\*|(?<!\w)_|_(?!\w)")


def as_text(message: Message, closing: str = "") -> str:
    """The whole message in plain text: the words, the sources, the picture's description, the table."""
    parts = [without_marks(message.text), *_sources(message)]
    if message.chart is not None:
        parts.append(f"[{message.chart.title}] {message.chart.alt}")
    if message.table is not None:
        parts.append(_text_table(message.table))
    if closing:
        parts.append(closing)
    return "\n\n".join(parts) + "\n"


def as_html(message: Message, title: str, picture: str | None = None, closing: str = "") -> str:
    """A whole HTML document. `picture` is the address of the chart's image (a cid: or data: one), `closing`
    a last line in plain words.
    """
    body = str(light(message.text)) + "".join(f"<p>{escape(source)}</p>" for source in _sources(message))
    if message.chart is not None and picture is not None:
        body += (
            f'<p style="margin:16px 0"><img src="{escape(picture)}" alt="{escape(message.chart.alt)}" '
            'width="560" style="max-width:100%;height:auto;border:0"></p>'
        )
    if message.table is not None:
        body += _html_table(message.table)
    if closing:
        body += f'<p style="margin:24px 0 0;color:{_SOFT};font-size:13px">{escape(closing)}</p>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(without_marks(title))}</title></head>"
        f'<body style="margin:0;padding:24px;background:#FFFFFF;color:{_INK};{_FONT};font-size:15px;'
        f'line-height:1.5"><div style="max-width:640px;margin:0 auto">{body}</div></body></html>'
    )


def without_marks(text: str) -> str:
    """Light Markdown as plain words."""
    return _MARK.sub(lambda found: found[1] or "", text)


def _sources(message: Message) -> list[str]:
    """Where a policy answer comes from, with the words that say so."""
    return [f"{each.document}, {each.section}: “{each.quote}”" for each in message.citations]


def _html_table(table: Table) -> str:
    cell = f"padding:6px 8px;border-bottom:1px solid {_RULE};text-align:left;vertical-align:top"
    head = "".join(
        f'<th scope="col" style="{cell};color:{_SOFT};font-weight:600">{escape(without_marks(name))}</th>'
        for name in table.columns
    )
    rows = "".join(
        "<tr>"
        + f'<th scope="row" style="{cell};font-weight:600">{escape(without_marks(row[0]))}</th>'
        + "".join(
            f'<td style="{cell};white-space:nowrap">{escape(without_marks(value))}</td>' for value in row[1:]
        )
        + "</tr>"
        for row in table.rows
    )
    caption = (
        f'<caption style="text-align:left;color:{_SOFT};padding:6px 0">{escape(table.caption)}</caption>'
    )
    return (
        f'<table style="border-collapse:collapse;font-size:13px;margin:16px 0">{caption}'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _text_table(table: Table) -> str:
    """Columns under each other; a wide table becomes one line a row."""
    rows = [[without_marks(value) for value in row] for row in (table.columns, *table.rows)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.columns))]
    if sum(widths) + 2 * len(widths) > 100:
        names = rows[0]
        lines = [
            f"{row[0]}: "
            + "; ".join(f"{name} {value}" for name, value in zip(names[1:], row[1:], strict=True))
            for row in rows[1:]
        ]
    else:
        lines = [
            "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)) for row in rows
        ]
    return "\n".join([table.caption, *(line.rstrip() for line in lines)])
