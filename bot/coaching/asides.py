"""Questions in the middle of an audit, answered without losing the place."""

from __future__ import annotations

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.coaching.questions import StoredQuestion
from bot.coaching.sessions import CoachingUseCase
from bot.coaching.wording import Prepared
from bot.messages import Message
from bot.turns import Turn, UseCase


class Asides:
    """Questions in the middle of an audit: about the own department here, all others to the policies."""

    prefix = "aside"

    def __init__(self, coaching: CoachingUseCase, policies: UseCase[Any] | None) -> None:
        self._coaching = coaching
        self._policies = policies

    def recognises(self, text: str) -> bool:
        """Whether these words ask for facts of the own department."""
        return self._coaching.question(text) is not None

    async def prepare(self, turn: Turn) -> Any:
        """What the policies need, or the coaching where stored facts answer."""
        if self._coaching.question(turn.text or "") is not None or self._policies is None:
            return await self._coaching.prepare(turn)
        return await self._policies.prepare(turn)

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Any) -> list[Message]:
        """Answer without touching the sitting, and without opening a second question beside it."""
        if not isinstance(prepared, Prepared) and self._policies is not None:
            return await self._policies.apply(tx, turn, prepared)
        question = self._coaching.question(turn.text or "")
        department = await self._coaching.department_of(tx, turn)
        if question is None or department is None:
            return []
        if question.topic == "steps":
            question = StoredQuestion("holding_back")
        messages = await self._coaching.answer(tx, question, department, turn.person_id, turn.at)
        said = prepared.put_into(messages) if isinstance(prepared, Prepared) else messages
        return [message.model_copy(update={"choices": ()}) for message in said]
