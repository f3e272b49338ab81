"""A language model that answers from a queue and remembers what it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from bot.llm import TIMEOUT_S, Outcome, Reason


class QueuedModel:
    """Each call takes the next of `answers`: a document for the schema, or the reason of a failure."""

    name = "queued"

    def __init__(self, answers: Sequence[dict[str, Any] | Reason] = ()) -> None:
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
