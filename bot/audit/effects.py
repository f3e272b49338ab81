"""Carrying out what the dialogue asks for, in the transaction that also keeps its state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.approvals import approval_question
from bot.audit.co_leads import Meanwhile, both_answered, is_second_view
from bot.audit.instrument import Instrument
from bot.audit.opening import open_session
from bot.audit.process_records import note_process
from bot.audit.records import latest_answers, open_blockers, placement_of, save_answer
from bot.audit.result import placement_message
from bot.audit.scoring import Scores
from bot.audit.second import ask_second, resolve
from bot.audit.state import (
    AskSecond,
    Draft,
    Effect,
    Enrol,
    Given,
    HandOver,
    OfferSteps,
    RequestApproval,
    SaveAnswer,
    SaveProcess,
    ShowPlacement,
    State,
    StayOut,
    StillTrue,
)
from bot.choice_ids import ChoiceId
from bot.messages import Choice, Message, plain
from bot.speech import Say
from bot.store.columns import change
from bot.store.outbox import write_to_person
from bot.store.tables import Answer, Blocker, Department, DialogueSession, Person

OfferNextSteps = Callable[
    [AsyncSession, int, int, datetime, Scores, Sequence[Blocker]], Awaitable[list[Message]]
]
"""Begins the coaching: (transaction, department, person, now, where the department stands, and in its way)
-> messages.
"""


@dataclass
class Desk:
    """One step's work place: who, about what, when, and what has been said so far."""

    tx: AsyncSession
    instrument: Instrument
    row: DialogueSession
    department: Department
    person: Person
    now: datetime
    before: State
    """As it was when the step began: what it holds of answers is stored already."""
    offer_steps: OfferNextSteps | None = None
    messages: list[Message] = field(default_factory=list)
    saved: dict[str, Answer] = field(default_factory=dict)
    others: dict[str, Meanwhile] = field(default_factory=dict)
    """What other leads answered since the sitting began."""
    note: str = ""
    """What else became of an answer; it follows the first paragraph of what is said of it."""
    later: list[Message] = field(default_factory=list)
    """What is said last, after the reply."""
    stands: Scores | None = None
    """Where the department stands, once that was found out and as long as it holds."""
    blockers: Sequence[Blocker] = ()
    """What is in its way, read with `stands`."""

    @property
    def session_id(self) -> int:
        return self.row.id or 0

    @property
    def department_id(self) -> int:
        return self.department.id or 0

    async def carry_out(self, effect: Effect, state: State) -> None:
        """Do one thing. `state` is the state after the step that asked for it."""
        match effect:
            case Say(message=message):
                self.messages.append(self._with_note(message))
            case SaveAnswer():
                await self._save(effect, state)
            case SaveProcess(name=name, path=path, level=level):
                await note_process(self.tx, name, path, level, self.person.id or 0, self.now)
            case StillTrue(criterion=criterion):
                await self._still_true(criterion)
            case ShowPlacement(provisional=provisional):
                await self._placement(provisional)
            case OfferSteps():
                await self._steps()
            case _:
                await self._about_people(effect, state)

    async def _about_people(self, effect: Effect, state: State) -> None:
        match effect:
            case HandOver(to=to):
                await self._hand_over(to, state)
            case RequestApproval(criterion=criterion, approver=approver):
                await self._ask_approval(criterion, approver)
            case AskSecond(criterion=criterion):
                await ask_second(
                    self.tx, self.instrument, self.department, self.session_id, criterion, self.now
                )
            case Enrol():
                agreed = self.person.enrolled_at or self.now
                await change(self.tx, self.person, {"enrolled_at": agreed, "declined_at": None})
            case StayOut():
                await change(self.tx, self.person, {"enrolled_at": None, "declined_at": self.now})

    async def _save(self, effect: SaveAnswer, state: State) -> None:
        given = effect.answer
        other = self.others.get(given.criterion)
        beside = is_second_view(self.others, given.criterion, given.claim)
        row = await save_answer(
            self.tx,
            given,
            instrument=self.instrument,
            department_id=self.department_id,
            person_id=self.person.id or 0,
            session_id=self.session_id,
            second=state.kind == "second" or beside,
            again=self._is_stored(given),
        )
        self.saved[row.criterion], self.stands = row, None
        if row.second and (given.criterion != state.current or state.phase == "process"):
            if state.kind != "second" and other is not None:
                self.note = both_answered(other, given.level)
            blind = state.kind == "second"
            self.later += await resolve(self.tx, self.instrument, self.department, row, self.now, blind)

    def _with_note(self, message: Message) -> Message:
        if not self.note:
            return message
        first, gap, rest = message.text.partition("\n\n")
        text, self.note = f"{first}\n\n{self.note}{gap}{rest}", ""
        return message.model_copy(update={"text": text})

    def _is_stored(self, given: Given) -> bool:
        """Whether an earlier turn, or an earlier effect of this one, has stored this very answer."""
        before = self.before.answers.get(given.criterion)
        return given.criterion in self.saved or (before is not None and before.at == given.at)

    async def _still_true(self, criterion: str) -> None:
        self.stands = None
        rows = await latest_answers(self.tx, self.instrument, self.department_id, self.now)
        if criterion in rows and rows[criterion].still_true_at is None:
            rows[criterion].still_true_at = self.now

    async def _placement(self, provisional: bool) -> None:
        scores = await self._scores()
        self.messages.append(placement_message(self.instrument, self.department.name, scores, provisional))

    async def _steps(self) -> None:
        if self.offer_steps is not None:
            person = self.person.id or 0
            scores = await self._scores()
            self.messages += await self.offer_steps(
                self.tx, self.department_id, person, self.now, scores, self.blockers
            )

    async def _scores(self) -> Scores:
        if self.stands is None:
            self.blockers = await open_blockers(self.tx, self.department_id, self.now)
            self.stands = await placement_of(
                self.tx, self.instrument, self.department_id, self.now, blockers=self.blockers
            )
        return self.stands

    async def _hand_over(self, to: int, state: State) -> None:
        """The colleague gets the open questions. The levels stay with them, the first person's words do
        not.
        """
        blank = {
            criterion: given.model_copy(
                update={"words": "", "probe_words": "", "evidence_text": "", "reason": ""}
            )
            for criterion, given in state.answers.items()
        }
        unfinished = any(criterion not in state.settled for criterion in state.sitting)
        handed = state.model_copy(
            update={
                "phase": "welcome",
                "greeted": False,
                "turn": 0,
                "current": "",
                "sitting": (),
                "sittings": max(0, state.sittings - unfinished),
                "answers": blank,
                "known": {c: known.model_copy(update={"words": ""}) for c, known in state.known.items()},
                "draft": Draft(),
                "last_choice": "",
            }
        )
        opened = await open_session(self.tx, handed, self.department_id, to, self.now)
        start = ChoiceId("audit", opened, 0, "-.show")
        message = Message(
            kind="nudge",
            text=f"{plain(self.person.name)} thinks you can tell more about how "
            f"{plain(self.department.name)} works with AI, and passed a few questions on to you. About 3 "
            "minutes.",
            choices=(Choice(id=str(start), label="Have a look", style="primary"),),
        )
        await write_to_person(
            self.tx, to, [message], key=f"hand-over:{self.session_id}:{opened}", now=self.now
        )

    async def _ask_approval(self, criterion: str, approver: int) -> None:
        answer = self.saved[criterion]
        message = approval_question(self.instrument, answer, self.department)
        await write_to_person(self.tx, approver, [message], key=f"approval:{answer.id}", now=self.now)
