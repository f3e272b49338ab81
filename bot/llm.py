"""A language model as the coach sees it: text in, a typed proposal out, or None with a reason.

Whatever a model says is a proposal. Nothing in the product needs one: every caller has a plain way that it
takes when `Outcome.value` is None. Time-out, rate limit, outage, refusal, broken JSON and a wrong shape all
end there, never in an exception.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

TIMEOUT_S = 8.0
"""People wait this long for a model; then they get the plain answer."""

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
        from openai import APIConnectionError, APIError, APITimeoutError, RateLimitError

        try:
            async with asyncio.timeout(timeout_s):
                return await self._ask(instructions, content, schema)
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

    async def _ask(self, instructions: str, content: str, schema: type[T]) -> Outcome[T]:
        response = await self._client.responses.parse(
            model=self.name, instructions=instructions, input=content, text_format=schema, store=False
        )
        value = response.output_parsed
        if value is not None:
            return Outcome(value)
        parts = [part for item in response.output if item.type == "message" for part in item.content]
        refused = any(part.type == "refusal" for part in parts)
        return Outcome(None, "refusal" if refused else "unusable")

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()
