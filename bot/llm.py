"""A language model as the coach sees it: text in, a typed proposal out, or None with a reason.

Whatever a model says is a proposal. Nothing in the product needs one: every caller has a plain way that it
takes when `Outcome.value` is None. Time-out, rate limit, outage, refusal, broken JSON and a wrong shape all
end there, never in an exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.responses import ResponseStreamEvent

TIMEOUT_S = 8.0
"""People wait this long for a model, or for the first words of one that streams, and as long for each next
piece; then they get the plain answer, or what has come so far."""

WHOLE_S = 20.0
"""A streamed answer is cut after this time, however fast it flows."""

MAX_STREAMED = 24_000
"""Characters of a streamed answer; a longer one is no answer."""

OnText = Callable[[str], Awaitable[None]]
"""Is handed each piece of a streamed answer's JSON as it comes."""

Reason = Literal[
    "", "off", "time-out", "unreachable", "rate limit", "refused by the service", "refusal", "unusable"
]

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came back: a value in the shape asked for, or None and why."""

    value: T | None
    reason: Reason = ""


class LanguageModel(Protocol):
    """Anything that fills in a schema from instructions and a text."""

    name: str

    async def parsed(
        self, instructions: str, content: str, schema: type[T], timeout_s: float = TIMEOUT_S
    ) -> Outcome[T]:
        """`schema` filled in from `content`, following `instructions`. Never raises for the model's faults.

        `content` holds what people typed or documents say: it is material, so `instructions` must say that
        nothing in it is an order, and callers must check what comes back.
        """
        ...


class WritingModel(LanguageModel, Protocol):
    """A language model that also hands on what it writes while it writes."""

    async def streamed(
        self,
        instructions: str,
        content: str,
        schema: type[T],
        on_text: OnText,
        timeout_s: float = TIMEOUT_S,
        whole_s: float = WHOLE_S,
    ) -> Outcome[T]:
        """As `parsed`, and `on_text` is given the JSON piece by piece on the way.

        `timeout_s` holds for the first piece and for each pause, `whole_s` for everything. Where a reason
        comes back instead of a value, pieces may have been handed on before.
        """
        ...


class OpenAIModel:
    """A model behind OpenAI's Responses API, or a server that speaks it. Nothing is stored there."""

    def __init__(self, client: AsyncOpenAI, name: str) -> None:
        self._client = client
        self.name = name

    @classmethod
    def connect(cls, api_key: str, name: str, base_url: str | None = None) -> OpenAIModel:
        """A client of our own. Retries are off: the plain answer is better than a late one."""
        # Imported here because it costs most of a second that a start without a key should not pay.
        from openai import AsyncOpenAI

        return cls(AsyncOpenAI(api_key=api_key, base_url=base_url, max_retries=0, timeout=TIMEOUT_S), name)

    async def parsed(
        self, instructions: str, content: str, schema: type[T], timeout_s: float = TIMEOUT_S
    ) -> Outcome[T]:
        """See LanguageModel. The time-out covers the whole call, also an answer that trickles without end."""

        async def ask() -> Outcome[T]:
            async with asyncio.timeout(timeout_s):
                return await self._ask(instructions, content, schema)

        return await _tried(ask)

    async def _ask(self, instructions: str, content: str, schema: type[T]) -> Outcome[T]:
        try:
            response = await self._client.responses.parse(
                model=self.name, instructions=instructions, input=content, text_format=schema, store=False
            )
        except AttributeError:
            # The client trips over a good status with something else below, such as a gateway's page.
            return Outcome(None, "unusable")
        value = response.output_parsed
        if value is not None:
            return Outcome(value)
        parts = [part for item in response.output if item.type == "message" for part in item.content]
        refused = any(part.type == "refusal" for part in parts)
        return Outcome(None, "refusal" if refused else "unusable")

    async def streamed(
        self,
        instructions: str,
        content: str,
        schema: type[T],
        on_text: OnText,
        timeout_s: float = TIMEOUT_S,
        whole_s: float = WHOLE_S,
    ) -> Outcome[T]:
        """See WritingModel."""

        async def ask() -> Outcome[T]:
            ends = asyncio.get_running_loop().time() + whole_s
            async with (
                asyncio.timeout(timeout_s) as limit,
                self._stream(instructions, content, schema) as events,
            ):
                heard = _Heard(schema)
                async for event in events:
                    if piece := heard.take(event):
                        limit.reschedule(min(ends, asyncio.get_running_loop().time() + timeout_s))
                        await on_text(piece)
                    if heard.outcome is not None:
                        return heard.outcome
                return Outcome(None, "unusable")  # it ended in the middle

        return await _tried(ask)

    @asynccontextmanager
    async def _stream(
        self, instructions: str, content: str, schema: type[BaseModel]
    ) -> AsyncIterator[AsyncStream[ResponseStreamEvent]]:
        stream = await self._client.responses.create(
            model=self.name,
            instructions=instructions,
            input=content,
            text={
                "format": {
                    "type": "json_schema",
                    "name": schema.__name__,
                    "schema": strict_schema(schema),
                    "strict": True,
                }
            },
            store=False,
            stream=True,
        )
        try:
            yield stream
        finally:
            await stream.close()

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()


class _Heard(Generic[T]):
    """What a stream has said so far. `outcome` is set once it has come to an end, good or bad."""

    def __init__(self, schema: type[T]) -> None:
        self._schema = schema
        self._text = ""
        self.outcome: Outcome[T] | None = None

    def take(self, event: ResponseStreamEvent) -> str:
        """The piece of text that `event` brings, empty where it brings none."""
        match event.type:
            case "response.output_text.delta":
                self._text += event.delta
                if len(self._text) > MAX_STREAMED:
                    self.outcome = Outcome(None, "unusable")
                return event.delta
            case "response.completed":
                self.outcome = Outcome(self._schema.model_validate_json(self._text))
            case "response.refusal.delta" | "response.refusal.done":
                self.outcome = Outcome(None, "refusal")
            case "response.incomplete":
                self.outcome = Outcome(None, "unusable")
            case "response.failed" | "error":
                self.outcome = Outcome(None, "refused by the service")
        return ""


async def _tried(ask: Callable[[], Awaitable[Outcome[T]]]) -> Outcome[T]:
    """What `ask` brings, its faults as reasons."""
    from openai import APIConnectionError, APIError, APITimeoutError, RateLimitError

    try:
        return await ask()
    except (TimeoutError, APITimeoutError):
        return Outcome(None, "time-out")
    except RateLimitError:
        return Outcome(None, "rate limit")
    except APIConnectionError:
        return Outcome(None, "unreachable")
    except APIError:
        return Outcome(None, "refused by the service")
    except (ValidationError, ValueError):
        return Outcome(None, "unusable")


def strict_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema as "strict" structured output wants it: objects closed, every property required."""
    found: dict[str, Any] = schema.model_json_schema()
    for part in (found, *found.get("$defs", {}).values()):
        if part.get("type") == "object":
            part["additionalProperties"] = False
            part["required"] = list(part["properties"])
    return found
