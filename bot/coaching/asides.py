"""Questions in the middle of an audit, answered without losing the place."""

from __future__ import annotations

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.commands import command
from bot.audit.department_turns import DepartmentUseCase
from bot.coaching.plans import open_plans, plan_lines
from bot.coaching.questions import StoredQuestion
from bot.coaching.sessions import CoachingUseCase
from bot.coaching.wording import Prepared
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import Department, Person
from bot.turns import Turn, UseCase


class _OfADepartment:
    """The question names a department; it is answered from what is stored then."""


class Asides:
    """Questions in the middle of an audit: about the own department here, about one by its name by
    `departments`, all others by the policies.
    """

    prefix = "aside"

    def __init__(
        self,
        coaching: CoachingUseCase,
        policies: UseCase[Any] | None,
        store: Store,
        departments: DepartmentUseCase,
    ) -> None:
        self._coaching = coaching
        self._policies = policies
        self._store, self._departments = store, departments

    def recognises(self, text: str) -> bool:
        """Whether these words ask for facts of the own department."""
        # "How many questions are left?" and "change my answer" are about the sitting itself.
        return command(text) is None and self._coaching.question(text) is not None

    async def prepare(self, turn: Turn) -> Any:
        """What the policies need, or the coaching where stored facts answer."""
        async with self._store.read() as tx:
            if await self._departments.asks(tx, turn):
                return _OfADepartment()
        if self._coaching.question(turn.text or "") is not None or self._policies is None:
            return await self._coaching.prepare(turn)
        return await self._policies.prepare(turn)

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Any) -> list[Message]:
        """Answer without touching the sitting, and without opening a second question beside it."""
        department = await self._coaching.department_of(tx, turn)
        if isinstance(prepared, _OfADepartment):
            return await self._departments.apply(tx, turn, None) if department else [_ONLY_THIS]
        if not isinstance(prepared, Prepared) and self._policies is not None:
            return await self._policies.apply(tx, turn, prepared)
        question = self._coaching.question(turn.text or "")
        if question is None:
            return []
        if department is None and question.topic in _OF_THE_METHOD:
            person = await tx.get_one(Person, turn.person_id)
            department = await tx.get(Department, person.department_id)
        if department is None:
            return [_ONLY_THIS]
        if question.topic in ("steps", "plans"):
            return [await self._steps(tx, department, turn)]
        messages = await self._coaching.answer(tx, question, department, turn.person_id, turn.at)
        said = prepared.put_into(messages) if isinstance(prepared, Prepared) else messages
        if question.topic == "change":
            return said  # Its buttons lead back into the sitting.
        return [message.model_copy(update={"choices": ()}) for message in said]

    async def _steps(self, tx: AsyncSession, department: Department, turn: Turn) -> Message:
        """The open steps, else what they would be about; new ones follow the questions."""
        plans = await open_plans(tx, department.id or 0)
        if plans:
            return Message(kind="result", text=f"Open at the moment:\n\n{plan_lines(plans)}")
        gaps = StoredQuestion("holding_back")
        [said] = await self._coaching.answer(tx, gaps, department, turn.person_id, turn.at)
        text = f"Steps to choose from come right after these questions. {said.text}"
        return said.model_copy(update={"text": text, "choices": ()})


_OF_THE_METHOD = ("levels", "second_view", "nothing_done", "all_questions", "who_sees")
"""What may be told to somebody of the team who is asked without seeing the lead's answer."""
_ONLY_THIS = Message(
    kind="text",
    text="Here I keep to what you see yourself. What others answered, and where the department stands, I "
    "leave out meanwhile, so that your view is your own.",
)
