"""Folders that the library follows, on both databases."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from bot.clock import MovableClock
from bot.errors import InputError, NotFound
from bot.store.engine import Store
from bot.store.tables import Band, Document, DocumentVersion, OutboxMessage
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details
from knowledge.service import KnowledgeService
from knowledge.watching import EVERY, LEASE, Looked, Watching, listed
from tests.fakes.retriever import WordRetriever
from tests.support.company import Library, make_library

BIKES = "# Bikes\n\nBikes are stored in the yard behind the gate.\n"
LIFTS = "# Lifts\n\nLifts are checked twice a year by the landlord.\n"


@pytest.fixture
async def library(store: Store, clock: MovableClock, tmp_path: Path) -> Library:
    (tmp_path / "own").mkdir()
    return await make_library(store, clock, tmp_path / "own")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shared"
    made.mkdir()
    (made / "bikes.md").write_text(BIKES)
    (made / "lifts.md").write_text(LIFTS)
    return made


async def followed(library: Library, folder: Path) -> Watching:
    watching = Watching(library.service)
    await watching.watch(str(folder), Details(owner="olga@example.com"))
    (looked,) = await watching.look_at_due()
    assert [outcome.status for outcome in looked.outcomes] == ["added", "added"]
    return watching


async def later(library: Library, watching: Watching) -> Looked:
    library.clock.move_to(library.clock() + EVERY)  # type: ignore[attr-defined]
    (looked,) = await watching.look_at_due()
    return looked


async def answer(library: Library, text: str) -> str:
    found = await library.service.ask(library.people.fay, text)
    return found.text if found.band is Band.ANSWER else found.band.value


async def told(library: Library, person: int) -> list[str]:
    async with library.store.read() as session:
        found = await session.exec(
            select(OutboxMessage).where(OutboxMessage.person_id == person).order_by(col(OutboxMessage.id))
        )
        return [row.message["text"] for row in found]


async def documents(library: Library) -> dict[str, int | None]:
    async with library.store.read() as session:
        found = await session.exec(select(Document).where(col(Document.removed_at).is_(None)))
        return {document.title: document.id for document in found}


async def test_a_folder_is_followed(library: Library, folder: Path) -> None:
    watching = await followed(library, folder)
    assert await watching.look_at_due() == [], "not due yet"
    embedded = library.retriever.prepared
    assert (await later(library, watching)).outcomes == ()
    assert library.retriever.prepared == embedded

    (folder / "bikes.md").write_text(BIKES.replace("yard", "cellar"))
    (folder / "lamps.md").write_text("# Lamps\n\nLamps are switched off at ten o'clock.\n")
    looked = await later(library, watching)
    assert [outcome.status for outcome in looked.outcomes] == ["new version", "added"]
    assert "cellar" in await answer(library, "Where are bikes stored?")
    assert "ten" in await answer(library, "When are lamps switched off?")


async def test_what_vanishes_answers_no_more_and_its_owner_is_told(library: Library, folder: Path) -> None:
    watching = await followed(library, folder)
    assert "landlord" in await answer(library, "Who checks the lifts twice a year?")
    (folder / "lifts.md").unlink()
    looked = await later(library, watching)
    assert looked.gone == ("Lifts",)
    assert "landlord" not in await answer(library, "Who checks the lifts twice a year?")
    (note,) = await told(library, library.people.olga)
    assert "“shared” no longer has the file of:\n- Lifts" in note
    (folder / "lifts.md").write_text(LIFTS)
    assert [outcome.status for outcome in (await later(library, watching)).outcomes] == ["added"]
    assert "landlord" in await answer(library, "Who checks the lifts twice a year?")


async def test_a_file_that_moves_keeps_its_document(library: Library, folder: Path) -> None:
    watching = await followed(library, folder)
    before = await documents(library)
    (folder / "sub").mkdir()
    (folder / "lifts.md").rename(folder / "sub" / "elevators.md")
    looked = await later(library, watching)
    assert (looked.outcomes, looked.gone) == ((), ())
    assert await documents(library) == before
    (folder / "sub" / "elevators.md").write_text(LIFTS.replace("twice", "thrice"))
    assert [outcome.status for outcome in (await later(library, watching)).outcomes] == ["new version"]
    assert await documents(library) == before
    assert await told(library, library.people.olga) == []


@pytest.mark.parametrize("how", ["gone", "empty"])
async def test_a_folder_that_is_away_as_a_whole_takes_nothing_out(
    library: Library, folder: Path, how: str
) -> None:
    watching = await followed(library, folder)
    shutil.rmtree(folder)
    if how == "empty":
        await asyncio.to_thread(folder.mkdir)
    looked = await later(library, watching)
    assert looked.problem
    assert "landlord" in await answer(library, "Who checks the lifts twice a year?")
    async with library.store.read() as session:
        assert (await listed(session))[0]["problem"] == looked.problem


async def test_a_file_that_breaks_leaves_its_last_version_and_is_seen(library: Library, folder: Path) -> None:
    watching = await followed(library, folder)
    (folder / "lifts.md").write_bytes(b"\x00\x01")
    looked = await later(library, watching)
    assert [outcome.status for outcome in looked.outcomes] == ["refused"]
    assert (await later(library, watching)).outcomes == (), "not tried again until it changes"
    assert "landlord" in await answer(library, "Who checks the lifts twice a year?")
    async with library.store.read() as session:
        (shown,) = await listed(session)
    why = "is neither text nor a PDF, Word, Excel or HTML file"
    assert shown["refused"] == [{"file": "lifts.md", "reason": why}]
    (folder / "lifts.md").unlink()
    assert (await later(library, watching)).gone == ("Lifts",)


async def test_several_processes_look_once(library: Library, folder: Path) -> None:
    services = [KnowledgeService(library.store, library.clock, WordRetriever(), Fetcher()) for _ in range(4)]
    await Watching(services[0]).watch(str(folder), Details())
    looked = await asyncio.gather(*(Watching(service).look_at_due() for service in services))
    assert sum(len(each) for each in looked) == 1
    async with library.store.read() as session:
        versions = await session.exec(select(DocumentVersion).where(DocumentVersion.number > 1))
        assert list(versions) == []


async def test_a_look_that_was_cut_off_is_taken_up_by_another(library: Library, folder: Path) -> None:
    watching = Watching(library.service)
    watched = await watching.watch(str(folder), Details())
    assert await watching._claim(watched.id or 0, False) is not None
    assert await watching.look_at_due(everything=True) == []
    library.clock.move_to(library.clock() + LEASE + timedelta(seconds=1))  # type: ignore[attr-defined]
    assert len((await watching.look_at_due())[0].outcomes) == 2


async def test_a_checkout_is_pulled_where_that_is_wished(library: Library, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True)

    origin, checkout = tmp_path / "origin", tmp_path / "checkout"
    git("init", "-q", str(origin))
    (origin / "bikes.md").write_text(BIKES)
    git("-C", str(origin), "add", ".")
    git("-C", str(origin), "commit", "-qm", "One")
    git("clone", "-q", str(origin), str(checkout))
    (checkout / ".git" / "hooks" / "post-merge").write_text("#!/bin/sh\ntouch hooked\n")
    (checkout / ".git" / "hooks" / "post-merge").chmod(0o755)
    watching = Watching(library.service)
    await watching.watch(str(checkout), Details(), pull=True)
    assert len((await watching.look_at_due())[0].outcomes) == 1
    (origin / "bikes.md").write_text(BIKES.replace("yard", "cellar"))
    git("-C", str(origin), "commit", "-qam", "Two")
    assert [outcome.status for outcome in (await later(library, watching)).outcomes] == ["new version"]
    assert not (checkout / "hooked").exists()
    shutil.rmtree(origin)
    looked = await later(library, watching)
    assert looked.problem.startswith("Git could not bring it up to date: ")
    assert "cellar" in await answer(library, "Where are bikes stored?")


async def test_only_folders_are_followed_and_may_be_left(library: Library, folder: Path) -> None:
    watching = Watching(library.service)
    for place, pull in ((folder / "bikes.md", False), (folder / "none", False), (folder, True)):
        with pytest.raises(InputError):
            await watching.watch(str(place), Details(), pull)
    with pytest.raises(NotFound):
        await watching.watch(str(folder), Details(owner="nobody@example.com"))
    watching = await followed(library, folder)
    async with library.store.read() as session:
        (shown,) = await listed(session)
    await watching.unwatch(int(str(shown["id"])))
    assert "landlord" in await answer(library, "Who checks the lifts twice a year?")
    with pytest.raises(NotFound):
        await watching.unwatch(int(str(shown["id"])))
