"""A language model that answers from a queue and remembers what it was given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bot.llm import TIMEOUT_S, WHOLE_S, OnText, Outcome, Reason


@dataclass(frozen=True)
class Broken:
    """A stream that says `text` and then fails."""

    text: str
    reason: Reason


class QueuedModel:
    """Each call takes the next of `answers`: a document for the schema, or the reason of a failure."""

    name = "queued"

    def __init__(self, answers: Sequence[dict[str, Any] | Reason | Broken] = ()) -> None:
        self.answers = list(answers)
        self.instructions: list[str] = []
        self.contents: list[str] = []

    async def parsed(
        self, instructions: str, content: str, schema: type[Any], timeout_s: float = TIMEOUT_S
    ) -> Outcome[Any]:
        self.instructions.append(instructions)
        self.contents.append(content)
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return Outcome(None, answer)
        value: BaseModel = schema.model_validate(answer)
        return Outcome(value)

    async def streamed(
        self,
        instructions: str,
        content: str,
        schema: type[Any],
        on_text: OnText,
        timeout_s: float = TIMEOUT_S,
        whole_s: float = WHOLE_S,
    ) -> Outcome[Any]:
        """Its JSON in pieces of seven characters. `Broken` stops in the middle."""
        answer = self.answers[0]
        if isinstance(answer, Broken):
            self.answers[0] = answer.reason
        said = {Broken: lambda a: a.text, str: lambda a: ""}.get(type(answer), json.dumps)(answer)
        for start in range(0, len(said), 7):
            await on_text(said[start : start + 7])
        return await self.parsed(instructions, content, schema)
