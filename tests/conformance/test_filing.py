"""Documents come into the library, in versions, and leave it again."""

from __future__ import annotations

import asyncio
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from bot.clock import MovableClock
from bot.errors import InputError, NotFound
from bot.store.engine import Store
from bot.store.tables import (
    Band,
    CachedAnswer,
    DocumentVersion,
    Passage,
    PassageVector,
)
from knowledge.catalogue import document, documents
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details
from knowledge.service import KnowledgeService
from tests.fakes.retriever import WordRetriever
from tests.support.company import LEAVE, Library, add, make_library


@pytest.fixture
async def library(store: Store, clock: MovableClock, tmp_path: Path) -> Library:
    return await make_library(store, clock, tmp_path)


async def test_the_same_bytes_are_no_new_version_and_are_not_embedded_again(library: Library) -> None:
    before = library.retriever.prepared
    assert await add(library, library.folder / "leave.md") == [("unchanged", None)]
    assert library.retriever.prepared == before
    (library.folder / "leave.md").write_text(LEAVE.replace("30 days", "31 days"))
    assert await add(library, library.folder / "leave.md") == [("new version", None)]
    answer = await library.service.ask(library.people.fay, "How many days of annual leave?")
    assert "31 days" in answer.text
    assert "30 days" not in answer.text
    assert answer.citations[0].version == 2
    async with library.store.read() as session:
        versions = (await session.exec(select(DocumentVersion).order_by(col(DocumentVersion.id)))).all()
        assert [(v.document_id, v.number, v.current) for v in versions if v.document_id == 1] == [
            (1, 1, False),
            (1, 2, True),
        ]


async def test_what_can_not_be_read_leaves_the_rest_in(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.md").write_text("# Bikes\n\nBikes are stored in the yard.\n")
    (folder / "b.md").write_bytes(b"\x00\x01\x02")
    (folder / "sub" / "c.txt").write_text("Parking costs 3 euros a day.\n")
    (folder / ".hidden.md").write_text("# No\n\nNo.\n")
    (folder / "d.md").write_text("---\naudience: [nowhere]\n---\nText.\n")
    with zipfile.ZipFile(folder / "e.zip", "w") as archive:
        archive.writestr("in/lift-checks.txt", "Lifts are checked twice a year.\n")
        archive.writestr("g.exe", "no")
    assert await add(library, folder) == [
        ("added", None),
        ("refused", "is neither text nor a PDF, Word, Excel or HTML file"),
        (
            "refused",
            "can't be filed. There is no department 'nowhere'. Known departments: finance, hr",
        ),
        ("added", None),
        ("added", None),
    ]
    assert [status for status, _ in await add(library, folder)].count("unchanged") == 3
    (hit, *_) = await library.service.search(library.people.hanna, "How often are lifts checked?")
    assert hit.document == "Lift checks"


async def test_what_is_given_is_checked_before_anything_is_stored(library: Library) -> None:
    for given in (Details(owner="no@example.com"), Details(audience=("mars",)), Details(supersedes="77")):
        with pytest.raises((InputError, NotFound)):
            await add(library, library.folder / "leave.md", given=given)


async def test_particulars_change_without_a_new_version(library: Library) -> None:
    given = Details(audience=("role:Internal Auditor",), review_by=date(2027, 1, 1))
    assert await add(library, library.folder / "leave.md", given=given) == [("changed", None)]
    assert await library.service.search(library.people.hanna, "annual leave") == []
    assert (await library.service.search(library.people.fay, "annual leave"))[0].version == 1


async def test_removal_takes_everything_along_and_a_document_can_come_back(library: Library) -> None:
    await library.service.ask(library.people.fay, "How many days of annual leave?")
    assert await library.service.filing.remove(1) == "Leave"
    async with library.store.read() as session:
        assert (await session.exec(select(CachedAnswer))).all() == []
        for table in (Passage, DocumentVersion):
            assert (await session.exec(select(table).where(table.document_id == 1))).all() == []
        assert len((await session.exec(select(PassageVector))).all()) == 1
    answer = await library.service.ask(library.people.fay, "How many days of annual leave?")
    assert answer.band is not Band.ANSWER
    with pytest.raises(NotFound):
        await library.service.filing.remove(1)
    assert await add(library, library.folder / "leave.md") == [("added", None)]
    assert (
        await library.service.ask(library.people.fay, "How many days of annual leave?")
    ).band is Band.ANSWER


async def test_a_superseded_document_never_answers_even_when_it_comes_second(library: Library) -> None:
    folder = library.folder / "new"
    folder.mkdir()
    (folder / "a.md").write_text("---\nid: bikes-2\nsupersedes: bikes-1\n---\nBikes cost 2 euros.\n")
    (folder / "b.md").write_text("---\nid: bikes-1\n---\n# Bikes\n\nBikes cost 9 euros.\n")
    await add(library, folder)
    found = await library.service.search(library.people.fay, "What do bikes cost?")
    assert [source.text for source in found] == ["Bikes cost 2 euros."]


async def test_a_document_holds_until_what_supersedes_it_is_in_force(library: Library) -> None:
    older = await library.put("old.md", "---\nid: bikes-1\n---\n# Bikes\n\nBikes cost 9 euros.\n")
    newer = (
        "---\nid: bikes-2\nsupersedes: bikes-1\neffective: 2027-01-01\n---\n# Bikes\n\nBikes cost 2 euros.\n"
    )
    await library.put("new.md", newer)
    hits = await library.service.search(library.people.fay, "What do bikes cost?")
    assert {source.text.splitlines()[-1] for source in hits} == {"Bikes cost 9 euros.", "Bikes cost 2 euros."}
    library.clock.move_to(datetime(2027, 1, 1, 9, tzinfo=UTC))  # type: ignore[attr-defined]
    hits = await library.service.search(library.people.fay, "What do bikes cost?")
    assert older not in {source.document_id for source in hits}


async def test_a_file_that_is_there_already_and_a_version_that_comes_too_early_are_told(
    library: Library,
) -> None:
    given, folder = Details(), library.folder
    (folder / "bikes.md").write_text("# Bikes\n\nBikes cost 2 euros.\n")
    (folder / "copy.md").write_text("# Bikes\n\nBikes cost 2 euros.\n")
    places = [str(folder / "bikes.md"), str(folder / "copy.md")]
    first, copy = [outcome async for outcome in library.service.filing.add(places, given)]
    assert first.findings == ()
    assert [found.told for found in copy.findings] == [
        f"the same file as document {first.document_id}, Bikes"
    ]
    (folder / "bikes.md").write_text("# Bikes\n\nBikes cost 3 euros.\n")
    early = Details(effective=date(2027, 1, 1))
    (again,) = [outcome async for outcome in library.service.filing.add(places[:1], early)]
    assert again.findings[0].told.startswith("in force only from 2027-01-01")


async def test_a_version_answers_until_the_next_one_is_in_force(library: Library) -> None:
    clock, file = library.clock, library.folder / "bikes.md"
    other = KnowledgeService(library.store, clock, WordRetriever(), Fetcher())

    async def add(text: str, effective: str) -> None:
        file.write_text(f"---\nid: bikes\neffective: {effective}\n---\n# Bikes\n\n{text}\n")
        (outcome,) = [each async for each in library.service.filing.add([str(file)])]
        assert outcome.status in ("added", "new version", "changed"), outcome

    async def answers(service: KnowledgeService) -> str:
        return (await service.ask(library.people.fay, "What do bikes cost?")).text

    await add("Bikes cost 2 euros.", "2026-01-01")
    await add("Bikes cost 3 euros.", "2027-01-01")
    await add("Bikes cost 4 euros.", "2027-03-01")
    assert "> Bikes cost 2 euros." in await answers(library.service)
    assert "a new version takes its place on 1 January 2027" in await answers(other)
    async with library.store.read() as session:
        (listed,) = [d for d in await documents(session, clock().date()) if d["title"] == "Bikes"]
        shown = await document(session, listed["id"], clock().date())
    assert (listed["version"], listed["passages"], shown["passages"][0]["text"]) == (
        *(1, 1, "Bikes cost 2 euros."),
    )
    clock.move_to(datetime(2027, 1, 1, 12, tzinfo=UTC))  # type: ignore[attr-defined]
    assert "> Bikes cost 3 euros." in await answers(other)
    assert "> Bikes cost 3 euros." in await answers(library.service)
    await add("Bikes cost 5 euros.", "2027-01-01")
    clock.move_to(datetime(2027, 4, 1, 12, tzinfo=UTC))  # type: ignore[attr-defined]
    assert "> Bikes cost 5 euros." in await answers(library.service), "what came later stays"
    async with library.store.read() as session:
        assert len(set(await session.exec(select(Passage.version_id)))) == len(
            await documents(session, clock().date())
        ), "no passages of old versions are left"


async def test_a_version_that_waits_keeps_its_title_for_its_day(library: Library) -> None:
    clock, fay = library.clock, library.people.fay
    await library.put("bikes.md", "---\nid: bikes\n---\n# Bikes\n\nBikes cost 2 euros.\n")
    waiting = (
        "---\nid: bikes\ntitle: Scooters\neffective: 2027-01-01\n---\n# Scooters\n\nThey cost 3 euros.\n"
    )
    await library.put("bikes.md", waiting)

    async def found(words: str) -> list[str]:
        return [source.document for source in await library.service.search(fay, words, 1)]

    assert await found("bikes") == ["Bikes"]
    assert "Scooters" not in [source.document for source in await library.service.search(fay, "scooters")]
    await library.put("bikes.md", waiting, given=Details(title="Electric scooters"))
    assert await found("bikes") == ["Bikes"], "particulars of the version that waits wait as well"
    clock.move_to(datetime(2027, 1, 1, 12, tzinfo=UTC))  # type: ignore[attr-defined]
    assert await found("scooters") == ["Electric scooters"]


async def test_going_back_to_the_present_text_takes_the_place_of_a_version_that_waits(
    library: Library,
) -> None:
    clock, fay = library.clock, library.people.fay
    first = "---\nid: bikes\n---\n# Bikes\n\nBikes cost 2 euros.\n"
    await library.put("bikes.md", first)
    await library.put(
        "bikes.md", first.replace("id: bikes", "id: bikes\neffective: 2027-01-01") + "And more.\n"
    )
    await library.put("bikes.md", first)
    for _ in range(2):
        assert "> Bikes cost 2 euros." in (await library.service.ask(fay, "What do bikes cost?")).text
        clock.move_to(datetime(2027, 4, 1, 12, tzinfo=UTC))  # type: ignore[attr-defined]


async def test_texts_of_old_versions_are_left_where_they_are(library: Library) -> None:
    for price in range(4):
        number = await library.put("bikes.md", f"---\nid: bikes\n---\n# Bikes\n\nBikes cost {price} euros.\n")
    loaded: list[str] = []

    def loads(_target: object, context: object) -> None:
        loaded.append("a version")

    event.listen(DocumentVersion, "load", loads)
    try:
        await library.put("bikes.md", "---\nid: bikes\n---\n# Bikes\n\nBikes cost 9 euros.\n")
    finally:
        event.remove(DocumentVersion, "load", loads)
    assert loaded == []
    async with library.store.read() as session:
        shown = await document(session, number, library.clock().date())
    assert [version["version"] for version in shown["versions"]] == [1, 2, 3, 4, 5]
    assert shown["changes"] == [
        {"section": "Bikes", "removed": ["Bikes cost 3 euros."], "added": ["Bikes cost 9 euros."]}
    ]
    assert "9 euros" in shown["text"]


async def test_two_processes_that_file_the_same_document_file_it_once(library: Library) -> None:
    other = KnowledgeService(library.store, library.clock, WordRetriever(), Fetcher())
    file = library.folder / "bikes.md"
    file.write_text("# Bikes\n\nBikes cost 2 euros.\n")

    async def put(service: KnowledgeService) -> str:
        (status,) = [outcome.status async for outcome in service.filing.add([str(file)])]
        return status

    statuses = await asyncio.gather(put(library.service), put(other))
    assert sorted(statuses) == ["added", "unchanged"]
    assert len(await library.service.search(library.people.fay, "bikes")) == 1


async def test_vectors_of_another_model_are_made_anew_and_kept(library: Library) -> None:
    other = WordRetriever()
    other.model = "letters"
    service = KnowledgeService(library.store, library.clock, other, Fetcher())
    assert (await service.ask(library.people.fay, "How many days of annual leave?")).band is Band.ANSWER
    async with library.store.read() as session:
        found = await session.exec(select(PassageVector.model))
        assert sorted(found) == ["letters"] * 3 + ["words"] * 3


async def test_another_process_follows_with_its_next_question(library: Library) -> None:
    other = KnowledgeService(library.store, library.clock, WordRetriever(), Fetcher())
    await other.index.refresh()
    await library.put("bikes.md", "# Bikes\n\nBikes cost 2 euros.\n")
    assert (await other.ask(library.people.fay, "What do bikes cost?")).band is Band.ANSWER
    await library.service.filing.remove(3)
    assert (await other.ask(library.people.fay, "What do bikes cost?")).band is Band.SILENT
