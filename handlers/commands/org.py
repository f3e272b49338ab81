"""`org import` and `org show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from bot.audit.instrument import Instrument, load_instrument
from bot.clock import clock_from_setting
from bot.config import Settings
from bot.errors import InputError
from bot.organisation.directory import organisation_document
from bot.organisation.importing import import_organisation
from bot.organisation.ledger import Change
from bot.organisation.parse import parse_organisation, read_file
from bot.store.tables import Audience
from handlers.commands.common import open_store, print_json, run, say


def template_audiences(instrument: Instrument) -> dict[str, Audience]:
    """Whom each of the instrument's departments serves."""
    return {template.id: Audience(template.ad_audience) for template in instrument.departments}


def read_path(file: Path) -> bytes:
    """The bytes of a named file. Raises InputError in words."""
    try:
        return file.read_bytes()
    except IsADirectoryError:
        raise InputError(f"{file} is a folder. Name the YAML or CSV file in it.") from None
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}. Check the path.") from None


def org_import(settings: Settings, file: Path, dry_run: bool, as_json: bool) -> None:
    """Import the organisation in `file`; with `dry_run` only show what would change."""
    audiences = template_audiences(load_instrument())
    draft = parse_organisation(read_file(read_path(file), file.name), file.name, frozenset(audiences))
    now = clock_from_setting(settings.now)()

    async def work() -> list[Change]:
        async with open_store(settings) as store:
            return await import_organisation(store, draft, now, audiences, dry_run)

    changes = run(work())
    if as_json:
        print_json({"dry_run": dry_run, "changes": [_as_json(change) for change in changes]})
        return
    for change in changes:
        typer.echo(str(change))
    said = "would change" if dry_run else "changed"
    say(f"{len(changes)} places {said}." if changes else "Nothing to change: the file and the store agree.")


def _as_json(change: Change) -> dict[str, Any]:
    return {"what": change.what, "subject": change.subject, "detail": change.detail}


def org_show(settings: Settings, as_json: bool) -> None:
    """Print the organisation as stored."""

    async def work() -> dict[str, Any]:
        async with open_store(settings) as store, store.read() as session:
            return await organisation_document(session)

    document = run(work())
    if as_json:
        print_json(document)
        return
    if not document["departments"]:
        say("Nobody is known yet. Start with: stagecoach org import FILE")
    for department in document["departments"]:
        heads = sum(role["headcount"] for role in department.get("roles", []))
        leads = ", ".join(department.get("leads", [])) or "no lead"
        state = " (archived)" if department.get("archived") else ""
        typer.echo(f"{department['id']}: {department['name']}{state}, {heads} people, {leads}")
