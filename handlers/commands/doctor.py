"""`doctor`: a look at everything that has to work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Any

import typer
from sqlmodel import col, func, select

from bot.audit.instrument import load_instrument
from bot.clock import clock_from_setting
from bot.config import Settings, check_for_serving
from bot.errors import SettingsError, StagecoachError
from bot.organisation.directory import active_departments, holders
from bot.store import migrate
from bot.store.engine import Store
from bot.store.tables import Document, DutyName, OutboxMessage, OutboxStatus, Platform
from handlers.commands.common import print_json, run
from handlers.findings import Finding
from handlers.library import configured_embeddings
from knowledge.embed import LocalEmbedder
from knowledge.meaning import QUESTION_SECONDS, OpenAIEmbeddings
from knowledge.watching import listed as watched


def doctor(settings: Settings, as_json: bool) -> None:
    """Print every finding; status 1 where one is not well."""

    async def look() -> list[Finding]:
        return [finding async for finding in _findings(settings)]

    findings = run(look())
    well = all(finding.well for finding in findings)
    if as_json:
        print_json({"well": well, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            typer.echo(f"{'ok ' if finding.well else 'NO '} {finding.name}: {finding.sentence}")
    if not well:
        raise StagecoachError("Not everything is well. The lines above that begin with NO say what to do.")


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield _tried("settings", "They fit together.", lambda: check_for_serving(settings))
    yield _tried("instrument", "It is whole.", load_instrument)
    yield _tried("embedding model", "Its weights are the expected ones.", LocalEmbedder().load)
    yield Finding("clock", True, f"It is {clock_from_setting(settings.now)():%Y-%m-%d %H:%M} UTC.")
    store = Store(settings.store_url)
    try:
        try:
            problems = await migrate.behind(store)
        except StagecoachError as error:
            problems = [str(error)]
        if problems:
            yield Finding("database", False, problems[0])
            return
        kind = "SQLite" if store.is_sqlite else "PostgreSQL"
        yield Finding("database", True, f"{kind}, revision {migrate.head()}.")
        async for finding in _stored(store):
            yield finding
        yield await _letters(settings, store)
        if settings.slack_configured:
            async for finding in _slack(settings, store):
                yield finding
        if settings.teams_configured:
            async for finding in _teams(settings, store):
                yield finding
    finally:
        await store.close()
    yield _model(settings)
    embeddings = configured_embeddings(settings)
    if embeddings is not None:
        yield await _embeddings(embeddings, settings.openai_embedding_model or "")


def _tried(name: str, well: str, look: Callable[[], object]) -> Finding:
    try:
        look()
    except StagecoachError as error:
        return Finding(name, False, str(error))
    return Finding(name, True, well)


async def _stored(store: Store) -> AsyncIterator[Finding]:
    async with store.read() as session:
        departments = await active_departments(session)
        without = [row.slug for row in departments if not await holders(session, DutyName.LEAD, row.id)]
        policies = (
            await session.exec(select(func.count(col(Document.id))).where(col(Document.removed_at).is_(None)))
        ).one()
        dead = (
            await session.exec(
                select(func.count(col(OutboxMessage.id))).where(OutboxMessage.status == OutboxStatus.DEAD)
            )
        ).one()
    if not departments:
        yield Finding("organisation", False, "Nobody is known yet. Run: stagecoach org import FILE")
    elif without:
        yield Finding("organisation", False, f"These departments have no lead: {', '.join(without)}.")
    else:
        yield Finding("organisation", True, f"{len(departments)} departments, each with a lead.")
    if policies:
        yield Finding("policies", True, f"{policies} documents.")
    else:
        yield Finding("policies", False, "There are no documents yet. Run: stagecoach kb add PATH")
    async with store.read() as session:
        for folder in await watched(session):
            yield _folder(folder)
    if dead:
        sentence = f"{dead} messages could not be delivered. See why: stagecoach deliveries --put-aside"
        yield Finding("outbox", False, sentence)
    else:
        yield Finding("outbox", True, "Nothing was left undelivered.")


async def _letters(settings: Settings, store: Store) -> Finding:
    """Letters that are due and have no way out, or whether there is one."""
    waiting = select(func.count(col(OutboxMessage.id))).where(
        OutboxMessage.platform == Platform.EMAIL,
        OutboxMessage.status == OutboxStatus.PENDING,
        OutboxMessage.due_at <= clock_from_setting(settings.now)(),
    )
    async with store.read() as session:
        number = (await session.exec(waiting)).one()
    if settings.smtp_url is not None:
        return Finding("e-mail", True, f"Letters leave by the server in SMTP_URL; {number} are due.")
    if number:
        return Finding("e-mail", False, f"{number} letters wait. Set SMTP_URL and restart (docs/email.md).")
    return Finding("e-mail", True, "SMTP_URL is not set; no letter waits.")


def _folder(folder: dict[str, Any]) -> Finding:
    name = f"folder {folder['id']}"
    if folder["problem"]:
        return Finding(name, False, f"{folder['folder']}: {folder['problem']}")
    if folder["refused"]:
        first = folder["refused"][0]
        more = f" (and {len(folder['refused']) - 1} more)" if len(folder["refused"]) > 1 else ""
        return Finding(name, False, f"{folder['folder']}: {first['file']} {first['reason']}.{more}")
    return Finding(name, True, f"{folder['folder']} is followed, {folder['files']} files.")


async def _slack(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    # Slack's libraries are loaded only where Slack is used.
    from handlers.app import put_together
    from handlers.slack.doctor import examine
    from handlers.slack.surface import make_slack

    app = put_together(settings, store, clock_from_setting(settings.now))
    surface = make_slack(app, settings)
    try:
        for finding in await examine(settings, store, surface.clients):
            yield finding
    finally:
        await surface.close()


async def _teams(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    from handlers.app import put_together
    from handlers.teams.doctor import examine
    from handlers.teams.surface import make_teams

    try:
        surface = make_teams(put_together(settings, store, clock_from_setting(settings.now)), settings)
    except SettingsError as error:
        yield Finding("teams registration", False, str(error))
        return
    try:
        for finding in await examine(settings, store, surface):
            yield finding
    finally:
        await surface.close()


async def _embeddings(embeddings: OpenAIEmbeddings, model: str) -> Finding:
    name = "embedding service"
    try:
        answered = await embeddings.vectors(["Hello"], QUESTION_SECONDS) is not None
    finally:
        await embeddings.close()
    if answered:
        return Finding(name, True, f"{model} answers.")
    return Finding(
        name,
        False,
        f"{model} does not answer. Check OPENAI_EMBEDDING_MODEL, OPENAI_API_KEY and OPENAI_BASE_URL. Until "
        "then questions are answered without it.",
    )


def _model(settings: Settings) -> Finding:
    if settings.model_configured:
        return Finding("language model", True, f"{settings.openai_model} is asked for better wording.")
    return Finding("language model", True, "None is configured; everything works without one.")
