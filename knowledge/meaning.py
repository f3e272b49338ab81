"""What passages mean to a service's embedding model, kept beside the local vectors.

Only where an administrator names such a model: then the texts of passages and of questions leave the house.
It orders what is found; how sure an answer is stays the local model's to say, whose limits are calibrated.
Where the service is slow or away, or has not seen every passage yet, the search does without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import structlog
from sqlmodel import col, func, select

from bot.store.engine import Store
from bot.store.tables import Document, Passage, PassageVector
from knowledge import passages
from knowledge.chunk import embedded_text
from knowledge.minilm import Floats
from knowledge.port import Likeness
from knowledge.rows import saved

if TYPE_CHECKING:
    from openai import AsyncOpenAI

QUESTION_SECONDS = 2.0
"""People wait this long for a question's vector; then they get what is found without it."""
PASSAGES_SECONDS = 60.0
REST_SECONDS = 30.0
"""After a fault nobody waits for the service for so long."""
LOOK_SECONDS = 5.0
_AT_ONCE = 64  # passages of one request: at most 16,000 word pieces
_SHORTENED = 512
"""Numbers of a vector of the models that are made to be cut (OpenAI's text-embedding-3 family)."""

log = structlog.get_logger()


class Embeddings(Protocol):
    """A service that turns texts into vectors."""

    model: str
    """Under this name its vectors are kept."""

    async def vectors(self, texts: Sequence[str], timeout_s: float) -> Floats | None:
        """(len(texts), width) unit vectors, None where it failed. Raises nothing of its own."""
        ...

    async def close(self) -> None:
        """Give back the connections."""
        ...


class OpenAIEmbeddings:
    """The embeddings of OpenAI's API, or of a server that speaks it."""

    def __init__(self, client: AsyncOpenAI, name: str) -> None:
        self._client, self._name = client, name
        self._shape: dict[str, Any] = {}
        if name.startswith("text-embedding-3"):
            self._shape = {"dimensions": _SHORTENED}
        self.model = f"openai:{name}"[:120]

    @classmethod
    def connect(cls, api_key: str, name: str, base_url: str | None = None) -> OpenAIEmbeddings:
        """A client of our own, without retries."""
        # Imported here because it costs most of a second that a start without a key should not pay.
        from openai import AsyncOpenAI

        return cls(AsyncOpenAI(api_key=api_key, base_url=base_url, max_retries=0), name)

    async def vectors(self, texts: Sequence[str], timeout_s: float) -> Floats | None:
        """See Embeddings."""
        from openai import OpenAIError

        try:
            async with asyncio.timeout(timeout_s):
                found = await self._client.embeddings.create(
                    model=self._name, input=list(texts), encoding_format="float", **self._shape
                )
            rows = [each.embedding for each in sorted(found.data, key=lambda each: each.index)]
            return _units(rows, len(texts))
        except (OpenAIError, TimeoutError, ValueError, TypeError, AttributeError) as error:
            # A gateway's page with a good status makes the client trip over a missing attribute.
            log.warning("embeddings.failed", action="embeddings.ask", kind=type(error).__name__)
            return None

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()


def _units(rows: Sequence[Sequence[float]], count: int) -> Floats:
    """The rows at unit length. ValueError where they are not `count` vectors of one width."""
    vectors = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if vectors.shape[:1] != (count,) or vectors.ndim != 2 or not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise ValueError("not one vector for each text")
    units: Floats = vectors / lengths
    return units


@dataclass(frozen=True)
class _Made:
    """The vector of a passage, as it is stored."""

    passage_id: int
    vectors: bytes
    dimensions: int


@dataclass(frozen=True)
class _Held:
    """The vectors of all passages at one moment: of passage `n` it is row `places[n]`."""

    places: Mapping[int, int]
    rows: Floats


class Meaning:
    """The service's vectors of all passages, in memory. One per process."""

    def __init__(self, store: Store, embeddings: Embeddings) -> None:
        self.model = embeddings.model
        self._store, self._embeddings = store, embeddings
        self._held = _Held({}, np.empty((0, 0), dtype=np.float32))
        self._stored = (0, 0)  # how many there are in the database, and the newest
        self._last: tuple[_Held, npt.NDArray[np.int64], npt.NDArray[np.int64] | None] | None = None
        self._resting_until = self._look_again = 0.0

    async def of(self, question: str) -> Likeness | None:
        """How near the passages are to a question; None where the service does not tell in time."""
        now = asyncio.get_running_loop().time()
        if now < self._resting_until:
            return None
        if now >= self._look_again:
            await self._follow()
            self._look_again = now + LOOK_SECONDS
        if not self._held.places:
            return None
        vectors = await self._embeddings.vectors([question], QUESTION_SECONDS)
        if vectors is None:
            self._resting_until = now + REST_SECONDS
            return None
        held = self._held
        return lambda ids: self._likeness(held, ids, vectors[0])

    async def fill(self, told: Callable[[int, int], None] = lambda _done, _all: None) -> int:
        """Have the service read every passage that it has not read. Returns how many it left unread.

        `told` is given how many are done, of how many. What was read is stored at once, so that work which
        is cut short goes on from there.
        """
        missing = await self._missing()
        for start in range(0, len(missing), _AT_ONCE):
            batch = missing[start : start + _AT_ONCE]
            vectors = await self._embeddings.vectors([text for _, text in batch], PASSAGES_SECONDS)
            if vectors is None:
                return len(missing) - start
            made = [
                _Made(number, row.astype("<f4").tobytes(), len(row))
                for (number, _), row in zip(batch, vectors, strict=True)
            ]
            async with self._store.write() as tx:
                await passages.add_vectors(tx, self._embeddings.model, made)
            told(start + len(batch), len(missing))
        return 0

    async def _missing(self) -> list[tuple[int, str]]:
        of_model = (col(PassageVector.passage_id) == Passage.id) & self._of_model()
        async with self._store.read() as session:
            found = await session.exec(
                select(Passage, Document.title)
                .join(Document, col(Document.id) == Passage.document_id)
                .outerjoin(PassageVector, of_model)
                .where(col(PassageVector.id).is_(None))
                .order_by(col(Passage.id))
            )
            return [
                (saved(passage.id), embedded_text(title, passage.heading_path, passage.text))
                for passage, title in found
            ]

    async def close(self) -> None:
        """Give back the service's connections."""
        await self._embeddings.close()

    def _of_model(self) -> Any:
        return col(PassageVector.model) == self._embeddings.model

    async def _follow(self) -> None:
        """Bring what is in memory up to what is stored."""
        async with self._store.read() as session:
            count, newest = (
                await session.exec(select(func.count(), func.max(PassageVector.id)).where(self._of_model()))
            ).one()
            if (count, newest or 0) == self._stored:
                return
            there = set(await session.exec(select(PassageVector.passage_id).where(self._of_model())))
            fresh = sorted(there - self._held.places.keys())
            parts = [(n, self._held.rows[at]) for n, at in self._held.places.items() if n in there]
            for start in range(0, len(fresh), 1_000):
                wanted = col(PassageVector.passage_id).in_(fresh[start : start + 1_000])
                found = await session.exec(
                    select(PassageVector.passage_id, PassageVector.vectors).where(self._of_model(), wanted)
                )
                parts += [(number, np.frombuffer(data, "<f4")) for number, data in found]
        self._stored = (count, newest or 0)
        places = {number: at for at, (number, _) in enumerate(parts)}
        rows = np.stack([row for _, row in parts]) if parts else np.empty((0, 0), dtype=np.float32)
        self._held = _Held(places, rows)

    def _likeness(self, held: _Held, ids: npt.NDArray[np.int64], vector: Floats) -> Floats | None:
        last = self._last
        if last is None or last[0] is not held or last[1] is not ids:
            places = [held.places.get(number, -1) for number in ids.tolist()]
            rows = None if -1 in places else np.array(places, dtype=np.int64)
            last = self._last = (held, ids, rows)
        if last[2] is None or held.rows.shape[1:] != vector.shape:
            return None
        likeness: Floats = (held.rows @ vector)[last[2]]
        return likeness
