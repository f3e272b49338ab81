"""`audit show` and `coverage show`: one department as stored, for machines and for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import typer
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument, load_instrument
from bot.audit.phrases import day
from bot.audit.placement_words import placement_sentences
from bot.audit.records import placement_of
from bot.audit.show import audit_show as audit_document
from bot.clock import clock_from_setting
from bot.config import Settings
from bot.coverage.result import coverage_show as coverage_document
from bot.coverage.result import percent
from bot.organisation.directory import department_by_slug
from bot.store.tables import Department
from handlers.commands.common import open_store, print_json, run, say

Document = Callable[[AsyncSession, Instrument, Department, datetime], Awaitable[dict[str, Any]]]


def _read(settings: Settings, slug: str, document: Document) -> dict[str, Any]:
    instrument = load_instrument()
    now = clock_from_setting(settings.now)()

    async def work() -> dict[str, Any]:
        async with open_store(settings) as store, store.read() as tx:
            department = await department_by_slug(tx, slug)
            return await document(tx, instrument, department, now)

    return run(work())


def audit_show(settings: Settings, department: str, as_json: bool) -> None:
    """Where a department stands: states, levels, placement, what was skipped, deltas and next steps."""
    if as_json:
        print_json(_read(settings, department, audit_document))
        return
    shown = _read(settings, department, _audit_in_words)
    for line in shown["lines"]:
        typer.echo(line)
    say(f"As of {shown['at']}. With --json everything is shown.")


async def _audit_in_words(
    tx: AsyncSession, instrument: Instrument, department: Department, now: datetime
) -> dict[str, Any]:
    document = await audit_document(tx, instrument, department, now)
    scores = await placement_of(tx, instrument, department.id or 0, now)
    lines = [f"{department.name}: {placement_sentences(instrument, scores)}", ""]
    for model in instrument.models:
        levels = " ".join(_level(document["criteria"][criterion.id]) for criterion in model.criteria)
        lines.append(f"{model.id}  {document['models'][model.id]:<15} {levels}")
    return {"lines": lines, "at": f"{day(now)}, {now:%H:%M} UTC"}


def _level(criterion: dict[str, Any]) -> str:
    """A level as counted, with * when stale; a sign for the special answers."""
    if criterion["claimed"] is None:
        return "-"
    if isinstance(criterion["claimed"], str):
        return {"unknown": "?", "not_applicable": "n/a"}[criterion["claimed"]]
    return f"{criterion['counted']}{'*' if criterion['stale'] else ''}"


def coverage_show(settings: Settings, department: str, as_json: bool) -> None:
    """A department's coverage with its interval, and the tasks it was computed from."""
    document = _read(settings, department, coverage_document)
    if as_json:
        print_json(document)
        return
    if document["published"]:
        interval = f"{percent(document['low'])} to {percent(document['high'])}"
        typer.echo(
            f"{document['name']}: {percent(document['coverage'])} ({interval}), grade {document['grade']}"
        )
    else:
        known = percent(document["known_share"])
        typer.echo(f"{document['name']}: {known} of the hours described, too little to publish a figure")
    for role in document["tasks"]:
        typer.echo(f"\n{role['role']} ({role['headcount']} people)")
        for task in role["tasks"]:
            typer.echo(f"  {percent(task['handled']):>4}  {task['hours']:>5} h  {task['text']}")
