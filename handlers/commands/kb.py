"""`kb`: policies in and out, searched and asked from the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import typer

from bot.config import Settings
from bot.errors import InputError
from bot.organisation.directory import person_by_email
from bot.store.engine import Store
from handlers.commands.common import open_store, print_json, run, say
from handlers.library import open_library
from knowledge import catalogue, gaps
from knowledge.answer import PolicyAnswer, Source
from knowledge.filing import Outcome
from knowledge.frontmatter import Details
from knowledge.rows import saved
from knowledge.service import KnowledgeService
from knowledge.watching import Looked, Watching
from knowledge.watching import listed as watched

STILL_AT_IT = 10.0
"""Seconds between two words about work that goes on."""


@asynccontextmanager
async def _library(settings: Settings) -> AsyncIterator[tuple[Store, KnowledgeService]]:
    async with open_store(settings) as store, open_library(settings, store) as service:
        yield store, service


async def _read_abroad(service: KnowledgeService) -> None:
    """Have the embedding service, where one is set up, read what it has not read."""
    if service.meaning is None:
        return
    waiting = await service.meaning.fill(lambda done, every: say(f"Embedded {done} of {every} passages."))
    if waiting:
        say(
            f"{waiting} passages are still to be embedded by the service. It did not answer; `stagecoach "
            "serve` tries again by itself. Until then questions are answered without it."
        )


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(f"{option}: {text!r} is not a date. Write it like 2026-11-22.") from None


def details(
    audience: str | None,
    owner: str | None,
    effective: str | None,
    review_by: str | None,
    supersedes: str | None,
) -> Details:
    """The particulars given on the command line. Raises InputError."""
    parts = tuple(part.strip() for part in audience.split(",") if part.strip()) if audience else None
    return Details(
        owner=owner,
        audience=parts,
        effective=_day(effective, "--effective"),
        review_by=_day(review_by, "--review-by"),
        supersedes=supersedes,
    )


@asynccontextmanager
async def _ticking(outcomes: Sequence[Outcome]) -> AsyncIterator[None]:
    """Says every now and then how far the work is, where a long document or `--json` keeps it silent."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(STILL_AT_IT)
            say(f"Still at it: {len(outcomes)} files so far.")

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()


def kb_add(settings: Settings, places: list[str], given: Details, as_json: bool) -> None:
    """Take in files, folders, archives and web addresses; say of each file what became of it."""

    async def add() -> list[Outcome]:
        outcomes: list[Outcome] = []
        async with _library(settings) as (_, service), _ticking(outcomes):
            async for outcome in service.filing.add(places, given):
                outcomes.append(outcome)
                if not as_json:
                    typer.echo(_line(outcome))
            await _read_abroad(service)
        return outcomes

    _report(run(add()), as_json)


def kb_watch(settings: Settings, places: list[str], given: Details, pull: bool, as_json: bool) -> None:
    """Take in folders, and follow them from now on."""
    if given.effective or given.review_by or given.supersedes:
        raise InputError(
            "--effective, --review-by and --supersedes are about one document. Of a folder that is followed, "
            "each document says so itself."
        )

    async def watch() -> list[Looked]:
        async with _library(settings) as (_, service):
            folders = Watching(service)
            for place in places:
                await folders.watch(place, given, pull)
            looked = await folders.look_at_due()
            await _read_abroad(service)
        return looked

    _report_looked(run(watch()), as_json)


def kb_sync(settings: Settings, as_json: bool) -> None:
    """Look through every folder that is followed, at once."""

    async def look() -> list[Looked]:
        async with _library(settings) as (_, service):
            looked = await Watching(service).look_at_due(everything=True)
            await _read_abroad(service)
        return looked

    _report_looked(run(look()), as_json)


def _report_looked(looked: Sequence[Looked], as_json: bool) -> None:
    for folder in looked:
        for title in folder.gone:
            say(f"{title} is no longer there and answers no more.")
    if not as_json:
        for outcome in (outcome for folder in looked for outcome in folder.outcomes):
            typer.echo(_line(outcome))
    problems = [f"{folder.place}: {folder.problem}" for folder in looked if folder.problem]
    if problems:
        raise InputError(" ".join(problems))
    if looked and not any(folder.outcomes or folder.gone for folder in looked):
        say("Nothing has changed there.")
    _report([outcome for folder in looked for outcome in folder.outcomes], as_json, nothing_new=True)


def kb_sources(settings: Settings, as_json: bool) -> None:
    """The folders that are followed, and what is wrong there."""

    async def read() -> list[dict[str, Any]]:
        async with open_store(settings) as store, store.read() as session:
            return await watched(session)

    found = run(read())
    if as_json:
        print_json(found)
        return
    for each in found:
        files = f"{each['files']} file{'' if each['files'] == 1 else 's'}"
        looked_at = (each["looked_at"] or "not yet")[:16].replace("T", " ")
        typer.echo(f"{each['id']:>4}  {each['folder']} ({files}, looked at {looked_at})")
        for trouble in [each["problem"], *(f"{r['file']} {r['reason']}." for r in each["refused"])]:
            if trouble:
                typer.echo(f"      {trouble}")


def kb_unwatch(settings: Settings, folder_id: int) -> None:
    """Follow a folder no more."""

    async def stop() -> str:
        async with _library(settings) as (_, service):
            return await Watching(service).unwatch(folder_id)

    say(f"{run(stop())} is not followed any more. Its documents stay.")


def _report(outcomes: Sequence[Outcome], as_json: bool, nothing_new: bool = False) -> None:
    if as_json:
        print_json([_outcome(outcome) for outcome in outcomes])
    refused = [outcome for outcome in outcomes if outcome.status == "refused"]
    if not outcomes and not nothing_new:
        raise InputError(
            "There is nothing in there that I can read: no Markdown, text, HTML, PDF, Word or Excel."
        )
    if refused:
        for outcome in refused if as_json else []:
            say(f"{outcome.label} {outcome.reason}.")
        rest = "the rest is in" if len(refused) < len(outcomes) else "nothing is new in the library"
        say(f"{len(refused)} of {len(outcomes)} could not be taken in; {rest}.")
        raise SystemExit(1)


def _line(outcome: Outcome) -> str:
    if outcome.status == "refused":
        return f"refused      {outcome.label} {outcome.reason}."
    line = f"{outcome.status:<12} {outcome.label} (document {outcome.document_id}, version {outcome.version})"
    return line + "".join(f"\n             look at this, please: {found.told}" for found in outcome.findings)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "file": outcome.label,
        "status": outcome.status,
        "id": outcome.document_id,
        "title": outcome.title,
        "version": outcome.version,
        "reason": outcome.reason,
        "flags": [
            {"kind": found.kind, "line": found.line, "excerpt": found.excerpt} for found in outcome.findings
        ],
    }


def kb_list(settings: Settings, as_json: bool) -> None:
    """Every document with its particulars."""

    async def read() -> list[dict[str, Any]]:
        async with _library(settings) as (store, service), store.read() as session:
            return await catalogue.documents(session, service.clock().date())

    found = run(read())
    if as_json:
        print_json(found)
        return
    for each in found:
        typer.echo(f"{each['id']:>4}  {each['title']} ({', '.join(_state(each))})")


def _state(document: dict[str, Any]) -> list[str]:
    """What to know of a document in a list: version, owner, readers, and what keeps it from answering."""
    said = [f"version {document['version']}", document["owner"] or "no owner"]
    if document["audience"] != ["all"]:
        said.append(f"for {' and '.join(document['audience'])}")
    if document["effective"]:
        said.append(f"in force from {document['effective']}")
    if document["superseded_by"]:
        said.append(f"superseded by {document['superseded_by']}")
    if document["expires"]:
        said.append(f"until {document['expires']}")
    if document["review_by"]:
        said.append(f"review {'was due' if document['stale'] else 'due'} {document['review_by']}")
    return said


def kb_show(settings: Settings, document_id: int, as_json: bool) -> None:
    """One document: versions, what changed, passages."""

    async def read() -> dict[str, Any]:
        async with _library(settings) as (store, service), store.read() as session:
            return await catalogue.document(session, document_id, service.clock().date())

    shown = run(read())
    if as_json:
        print_json(shown)
        return
    typer.echo(f"{shown['title']} ({', '.join(_state(shown))})\nFrom {shown['source']}")
    for flag in shown["flags"]:
        typer.echo(f"Look at this, please: {flag}")
    if shown["changes_on"]:
        typer.echo(f"Version {shown['versions'][-1]['version']} takes its place on {shown['changes_on']}.")
    typer.echo("")
    for change in shown["changes"]:
        typer.echo(f"Changed in {change['section'] or 'the beginning'}:")
        typer.echo("".join(f"  - {line}\n" for line in change["removed"]), nl=False)
        typer.echo("".join(f"  + {line}\n" for line in change["added"]))
    typer.echo(shown["text"])


def kb_remove(settings: Settings, document_id: int) -> None:
    """Take a document out with everything made from it."""

    async def remove() -> str:
        async with _library(settings) as (_, service):
            return await service.filing.remove(document_id)

    say(f"{run(remove())} is out, with its passages and answers.")


async def _person(store: Store, email: str) -> int:
    async with store.read() as session:
        return saved((await person_by_email(session, email)).id)


def kb_search(settings: Settings, text: str, as_email: str, limit: int, as_json: bool) -> None:
    """The passages that this person may read, best first."""

    async def search() -> list[Source]:
        async with _library(settings) as (store, service):
            return await service.search(await _person(store, as_email), text, limit)

    found = run(search())
    if as_json:
        print_json([_hit(source) for source in found])
        return
    for source in found:
        typer.echo(f"{source.score:.3f}  {source.document}, {source.section}\n{source.text}\n")


def _hit(source: Source) -> dict[str, Any]:
    return {
        "document": source.document,
        "section": source.section,
        "passage_id": source.passage_id,
        "text": source.text,
        "score": source.score,
    }


def kb_ask(settings: Settings, text: str, as_email: str, as_json: bool) -> None:
    """The answer that this person gets."""

    async def ask() -> PolicyAnswer:
        async with _library(settings) as (store, service):
            return await service.ask(
                await _person(store, as_email), text, conversation=f"terminal:{as_email}"
            )

    answer = run(ask())
    print_json(_answer(answer)) if as_json else typer.echo(answer.text)


def _answer(answer: PolicyAnswer) -> dict[str, Any]:
    return {
        "band": answer.band.value,
        "text": answer.text,
        "citations": [
            {
                "document": citation.document,
                "section": citation.section,
                "version": citation.version,
                "quote": citation.quote,
                "passage_id": citation.passage_id,
            }
            for citation in answer.citations
        ],
        "model": answer.model,
        "took_ms": answer.took_ms,
    }


def kb_gaps(settings: Settings, as_json: bool) -> None:
    """Questions that the policies did not answer, and where they stand."""

    async def read() -> list[dict[str, object]]:
        async with open_store(settings) as store, store.read() as session:
            return await gaps.listed(session)

    found = run(read())
    if as_json:
        print_json(found)
        return
    for gap in found:
        typer.echo(f"{gap['status']!s:<10} {gap['text']} ({gap['owner'] or 'no owner'})")
