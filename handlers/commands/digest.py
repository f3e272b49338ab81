"""`digest`: a weekly digest rendered without sending it."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import typer

from bot.audit.instrument import load_instrument
from bot.clock import clock_from_setting, week_start
from bot.config import Settings
from bot.errors import InputError
from bot.organisation.directory import department_by_slug
from handlers.commands.common import open_store, run, say
from handlers.email.letter import as_html, as_text, without_marks
from handlers.teams import render as teams
from scheduler.charts import draw_png, draw_words
from scheduler.digest import Digest
from scheduler.phrases import count_words
from scheduler.preview import preview_digest


def digest_command(
    settings: Settings, department: str | None, week: str | None, formats: str, out: Path | None
) -> None:
    """Render a digest in each of the formats; into `out` as files, or one format on stdout."""
    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise InputError(f"Unknown format {', '.join(unknown) or '(none)'}. There are: {', '.join(FORMATS)}.")
    if week is not None:
        week_start(week)
    if out is None and (len(wanted) > 1 or (wanted == ["png"] and sys.stdout.isatty())):
        raise InputError(
            "Name a folder with --out: a picture, or several formats, don't fit on the terminal."
        )
    digest = run(_digest(settings, department, week))
    if out is None:
        typer.echo(FORMATS[wanted[0]](digest), nl=wanted != ["png"])
        return
    out.mkdir(parents=True, exist_ok=True)
    stem = f"digest-{department or 'company'}-{digest.week}"
    for name in wanted:
        file = out / f"{stem}.{_SUFFIXES.get(name, name)}"
        file.write_bytes(FORMATS[name](digest))
        say(str(file))


async def _digest(settings: Settings, slug: str | None, week: str | None) -> Digest:
    now = clock_from_setting(settings.now)()
    async with open_store(settings) as store:
        department = None
        if slug is not None:
            async with store.read() as session:
                department = await department_by_slug(session, slug)
        return await preview_digest(store, load_instrument(), week, department, now)


def _as_json(digest: Digest) -> bytes:
    document = {
        "week": digest.week,
        "title": digest.title,
        "quiet": digest.quiet,
        "text": digest.message.text,
        "words": count_words(digest.message.text),
        "chart": digest.message.chart and digest.message.chart.model_dump(mode="json"),
        "table": digest.message.table and digest.message.table.model_dump(mode="json"),
        "figures": [asdict(figure) for figure in digest.figures],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _as_html(digest: Digest) -> bytes:
    chart = digest.message.chart
    picture = None
    if chart is not None:
        picture = f"data:image/png;base64,{base64.b64encode(draw_png(chart)).decode()}"
    return as_html(digest.message, digest.title, picture).encode()


def _as_png(digest: Digest) -> bytes:
    """The chart; a quiet week has none, and is drawn in its two lines."""
    if digest.message.chart is None:
        return draw_words(without_marks(digest.title), without_marks(digest.message.text))
    return draw_png(digest.message.chart)


def _as_slack(digest: Digest) -> bytes:
    # Slack's libraries are loaded only where they are asked for.
    from handlers.slack.render import render

    shown = render(digest.message)
    return json.dumps({"text": shown.text, "blocks": list(shown.blocks)}, ensure_ascii=False).encode()


def _as_teams(digest: Digest) -> bytes:
    return json.dumps(teams.render(digest.message), ensure_ascii=False).encode()


FORMATS: dict[str, Callable[[Digest], bytes]] = {
    "text": lambda digest: as_text(digest.message).encode(),
    "json": _as_json,
    "html": _as_html,
    "png": _as_png,
    "slack": _as_slack,
    "teams": _as_teams,
}
"""Name of a format -> how it is made."""

_SUFFIXES = {"text": "txt", "slack": "slack.json", "teams": "teams.json"}
