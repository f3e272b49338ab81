"""An embedding service beside the local model: it orders what is found, and nothing depends on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from bot.config import Settings
from bot.store.engine import Store
from bot.store.tables import PassageVector
from handlers.library import configured_embeddings
from knowledge.embed import LocalEmbedder
from knowledge.fetch import Fetcher
from knowledge.frontmatter import Details
from knowledge.meaning import Meaning, OpenAIEmbeddings
from knowledge.retriever import LocalRetriever
from knowledge.service import KnowledgeService
from tests.fakes.responses_server import ResponsesServer, responses_server
from tests.support.talk import plant_company

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
EMBEDDER = LocalEmbedder()
DOCUMENTS = {
    "Canteen": "Lunch is served from noon. The cook asks everybody to bring their tray back.",
    "Pigeons": "Whoever keeps pigeons on the roof tells the caretaker, who looks after the loft.",
    "Parking": "Cars stand in the yard. Bicycles stand under the roof at the gate.",
}
QUESTION = "May my feathered friends live up there?"
SUBJECTS = [("pigeon", "feathered"), ("car", "bicycle"), ("lunch",)]


@pytest.fixture
async def server() -> AsyncIterator[ResponsesServer]:
    async with responses_server() as running:
        running.subjects = SUBJECTS
        yield running


class House:
    """A library with three documents, and one person who may read them."""

    def __init__(self, store: Store, server: ResponsesServer, person: int) -> None:
        self.meaning = Meaning(store, OpenAIEmbeddings.connect("k", "tiny", server.address))
        self.service = KnowledgeService(
            store, lambda: NOW, LocalRetriever(EMBEDDER), Fetcher(), None, self.meaning
        )
        self.person = person

    async def lead_of(self, one: str, other: str) -> float:
        """By how much the score of one document is above another's."""
        scores = {each.document: each.score for each in await self.service.search(self.person, QUESTION)}
        return scores[one] - scores[other]

    async def order(self, question: str = QUESTION) -> list[str]:
        return [found.document for found in await self.service.search(self.person, question)]

    async def best(self, question: str = QUESTION) -> str:
        return (await self.order(question))[0]


@pytest.fixture
async def house(store: Store, server: ResponsesServer) -> AsyncIterator[House]:
    people = await plant_company(store)
    made = House(store, server, people["clerk"])
    for title, text in DOCUMENTS.items():
        await made.service.filing.add_text(title, f"# {title}\n\n{text}\n", Details())
    yield made
    await made.meaning.close()


async def test_what_the_service_means_orders_the_passages(house: House, server: ResponsesServer) -> None:
    assert await house.meaning.fill() == 0
    own = await house.lead_of("Canteen", "Parking")
    server.subjects = [("pigeon",), ("feathered",), ("lunch",)]  # to the service it is about cars
    assert await house.lead_of("Canteen", "Parking") < own - 0.1
    server.subjects = [("pigeon",), ("car",), ("feathered",)]  # or about lunch
    assert await house.lead_of("Canteen", "Parking") > own + 0.1


async def test_each_passage_is_read_once(house: House, server: ResponsesServer, store: Store) -> None:
    told: list[tuple[int, int]] = []
    await house.meaning.fill(lambda done, every: told.append((done, every)))
    assert told == [(3, 3)]
    assert await house.meaning.fill() == 0
    assert [len(each["input"]) for each in server.embedded] == [3]
    await house.service.filing.add_text("Roof", "# Roof\n\nNobody walks on the roof.\n", Details())
    await house.meaning.fill()
    [added] = server.embedded[-1]["input"]
    assert "Nobody walks on the roof." in added
    async with store.read() as session:
        kept = (await session.exec(select(PassageVector).where(PassageVector.model == "openai:tiny"))).all()
    assert len(kept) == 4


async def test_a_passage_that_was_not_read_yet_is_found_all_the_same(
    house: House, server: ResponsesServer
) -> None:
    await house.meaning.fill()
    await house.service.filing.add_text("Whales", "# Whales\n\nWhales are not kept here.\n", Details())
    assert await house.best("Where are whales kept?") == "Whales"


@pytest.mark.parametrize("behaviour", ["429", "500", "401", "not json", "too few"])
async def test_without_the_service_everything_goes_on(
    house: House, server: ResponsesServer, behaviour: str
) -> None:
    await house.meaning.fill()
    server.behaviour = behaviour
    before = len(server.embedded)
    assert await house.best("Where do bicycles stand?") == "Parking"
    assert await house.best("When is lunch served?") == "Canteen"
    assert len(server.embedded) == before + 1  # after a fault it is left in peace for a while
    await house.service.filing.add_text("Roof", "# Roof\n\nNobody walks on the roof.\n", Details())
    assert await house.meaning.fill() == 1


async def test_a_removed_document_is_forgotten(
    house: House, server: ResponsesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.meaning.LOOK_SECONDS", 0.0)
    await house.meaning.fill()
    [found, *_] = await house.service.search(house.person, QUESTION)
    await house.service.filing.remove(found.document_id)
    assert "Pigeons" not in await house.order()
    server.subjects = [("pigeon",), ("feathered",), ("lunch",)]
    about_cars = await house.lead_of("Canteen", "Parking")
    server.subjects = [("pigeon",), ("car",), ("feathered",)]
    assert await house.lead_of("Canteen", "Parking") > about_cars + 0.1


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, None),
        ({"openai_api_key": "k"}, None),
        ({"openai_embedding_model": "tiny"}, None),
        ({"openai_api_key": "k", "openai_embedding_model": "tiny"}, "openai:tiny"),
    ],
)
def test_texts_leave_the_house_only_where_a_model_is_named(
    environment: dict[str, str], named: str | None
) -> None:
    embeddings = configured_embeddings(Settings.model_validate(environment))
    assert (embeddings and embeddings.model) == named
