"""The coaching as a use case: next steps, plans, blockers, and questions about the own department."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.hearing import is_question
from bot.audit.instrument import Instrument
from bot.audit.next_steps import NextStep, may_open_step, next_steps
from bot.audit.opening import live_sessions, touched_last, zone_of
from bot.audit.records import open_blockers, placement_of
from bot.audit.scoring import Scores
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.coaching import dialogue
from bot.coaching.effects import carry_out
from bot.coaching.plans import OPEN_PLANS, open_and_done, open_plans, open_steps_card, plans_meant
from bot.coaching.questions import (
    StoredQuestion,
    done_with,
    in_the_way,
    names_of,
    route,
    step_named,
    what_became,
)
from bot.coaching.state import (
    Done,
    Input,
    InTheWay,
    NotYet,
    Obstacle,
    Offer,
    Option,
    SavePlan,
    State,
)
from bot.coaching.stored import Asked, answer
from bot.coaching.wording import WORDED, Prepared, better_wording
from bot.llm import LanguageModel
from bot.messages import Choice, Message
from bot.organisation.directory import led_departments
from bot.speech import Chose, Say, Words
from bot.store.columns import add, change
from bot.store.engine import Store
from bot.store.tables import (
    Blocker,
    Department,
    DialogueSession,
    Person,
    Plan,
    PlanStatus,
    SessionKind,
    SessionStatus,
)
from bot.turns import Turn

PREFIX = "coaching"
STILL_HERE = timedelta(days=3)
"""For so long words are taken for an answer to a card, over a weekend too. Its buttons stay good."""
_NOT_OF_A_STEP = ("pick", "own", "what", "who")
"""Cards to which "done" or "not yet" is no answer."""
_BECAUSE = {
    "critical_below_2": "It keeps people safe, so it comes before anything else.",
    "lowest_in_working_model": "It is what holds you back most at present.",
    "stretch": "The ground is there; this makes it better.",
}


class CoachingUseCase:
    """Takes turns about next steps, plans, blockers and the own department's facts. `elsewhere` knows the
    words that open another part.
    """

    prefix = PREFIX

    def __init__(
        self,
        instrument: Instrument,
        store: Store | None = None,
        model: LanguageModel | None = None,
        elsewhere: Callable[[str], bool] = lambda _text: False,
    ) -> None:
        self._instrument = instrument
        self._store, self._model = store, model
        self._elsewhere = elsewhere
        self._names = names_of(instrument)

    def question(self, text: str) -> StoredQuestion | None:
        """The question about the own department that these words ask, if any."""
        return route(text, self._names)

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Free words are for the coaching where its card waits for them, or where they ask about own
        facts.
        """
        if turn.public or turn.text is None or not await led_departments(tx, turn.person_id):
            return False
        if self.question(turn.text) is not None or in_the_way(turn.text) is not None:
            return True
        if is_question(turn.text) or self._elsewhere(turn.text):
            return False
        return await self._waiting(tx, turn) is not None or await self._told(tx, turn) is not None

    async def prepare(self, turn: Turn) -> Prepared:
        """Let a model, where one is configured, word the answer to a question about stored facts."""
        question = self.question(turn.text or "")
        if self._store is None or self._model is None or question is None or question.topic not in WORDED:
            return Prepared()
        async with self._store.read() as tx:
            department = await self.department_of(tx, turn)
            if department is None:
                return Prepared()
            [said] = await self.answer(tx, question, department, turn.person_id, turn.at)
        names = [model.name for model in self._instrument.models]
        names += [criterion.name for criterion in self._instrument.criteria]
        text = await better_wording(self._model, turn.text or "", said, names)
        return Prepared(said.text, text) if text else Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """One turn, in the caller's transaction."""
        if turn.choice is not None:
            return await self._chose(tx, turn)
        text = turn.text or ""
        department = await self.department_of(tx, turn)
        if department is None:
            return [_NO_DEPARTMENT]
        question = self.question(text)
        if question is not None:
            said = await self.answer(tx, question, department, turn.person_id, turn.at)
            return prepared.put_into(said)
        note = in_the_way(text)
        if note is not None:
            return await self._in_the_way(tx, department, turn, note)
        waiting = await self._waiting(tx, turn, lock=True)
        if waiting is not None:
            return await self._step(tx, waiting, Words(text), turn.at)
        return await self._became(tx, turn, await self._told(tx, turn))

    async def _told(self, tx: AsyncSession, turn: Turn) -> list[Plan] | None:
        """The steps that may be meant where words say what became of one."""
        if what_became(turn.text or "") is None:
            return None
        return await plans_meant(tx, turn.person_id, turn.at) or None

    async def _became(self, tx: AsyncSession, turn: Turn, plans: list[Plan] | None) -> list[Message]:
        """Close or move the one step that is meant; of several, ask which. What was shown with the words is
        kept at once.
        """
        how, proof = what_became(turn.text or ""), done_with(turn.text or "")
        if not plans or how is None:
            return []
        if (place := step_named(turn.text or "")) is not None:
            listed = await open_plans(tx, plans[0].department_id)
            plans = [each for each in listed[place - 1 : place] if each.person_id == turn.person_id] or listed
        if len(plans) > 1:
            return [open_steps_card(plans, "Good to hear from you. Which one do you mean?")]
        said = await self._follow_up(tx, turn, how, plans[0].id or 0)
        if not proof:
            return said
        row = await self._session(tx, plans[0].department_id, turn.person_id, turn.at)
        return await self._step(tx, row, Words(proof), turn.at)

    async def _waiting(self, tx: AsyncSession, turn: Turn, lock: bool = False) -> DialogueSession | None:
        """The card that words are for, unless the person has gone on to something else, or it is long ago."""
        row = await touched_last(tx, turn.person_id, SessionKind.COACHING, lock)
        if row is None or turn.at - row.updated_at > STILL_HERE:
            return None
        state = _state(row)
        about_a_step = state.phase in _NOT_OF_A_STEP and what_became(turn.text or "") is not None
        return row if state.asks_words and not about_a_step else None

    async def answer(
        self,
        tx: AsyncSession,
        question: StoredQuestion,
        department: Department,
        person_id: int,
        now: datetime,
    ) -> list[Message]:
        """Answer a question about the department from what is stored."""
        if question.topic == "steps":
            return await self.offer_steps(tx, department.id or 0, person_id, now)
        if question.topic == "plans":
            plans = await open_plans(tx, department.id or 0)
            return [open_steps_card(plans, "Open at the moment:")] if plans else [_no_plans(department)]
        return await answer(tx, self._instrument, question, Asked(department, person_id, now))

    async def offer_steps(
        self,
        tx: AsyncSession,
        department_id: int,
        person_id: int,
        now: datetime,
        scores: Scores | None = None,
        blockers: Sequence[Blocker] | None = None,
        criterion: str = "",
    ) -> list[Message]:
        """The three steps of the one criterion that is worth work now, without those that are open or were
        done lately; or the open ones, where these are enough.

        `scores` and `blockers`: where the department stands and what is in its way, for a caller who knows
        them.
        """
        plans, done = await open_and_done(tx, department_id, now)
        if not may_open_step(self._instrument, len(plans)):
            return [open_steps_card(plans)]
        if blockers is None:
            blockers = await open_blockers(tx, department_id, now)
        scores = scores or await placement_of(tx, self._instrument, department_id, now, blockers=blockers)
        named = self._named_in(blockers)
        wanted = [
            each for each in next_steps(self._instrument, scores, named) if criterion in ("", each.criterion)
        ]
        taken = {plan.text for plan in plans}
        found = _without(wanted, taken | done) or _without(wanted, taken)
        if not found:
            return [
                Message(text="There is no next step to suggest: everything that applies to you is in place.")
            ]
        row = await self._session(tx, department_id, person_id, now)
        return await self._step(tx, row, self._offer(found[0]), now)

    def _offer(self, found: NextStep) -> Offer:
        criterion = self._instrument.criterion(found.criterion)
        options = tuple(Option(text=s.text, done_when=s.done_when, minutes=s.minutes) for s in found.steps)
        return Offer(criterion.id, criterion.name, _BECAUSE[found.because], options)

    def _named_in(self, blockers: Sequence[Blocker]) -> dict[str, int]:
        """How many blockers name a criterion in their note, by its id or its name."""
        notes = [row.note.casefold() for row in blockers]
        return {
            each.id: sum(each.id.casefold() in note or each.name.casefold() in note for note in notes)
            for each in self._instrument.criteria
        }

    # Buttons

    async def _chose(self, tx: AsyncSession, turn: Turn) -> list[Message]:
        choice = parse_choice_id(turn.choice or "")
        if choice is None:
            return [_OLD_BUTTON]
        if choice.turn == 0:
            return await self._entry(tx, turn, choice)
        row = await tx.get(DialogueSession, choice.session, with_for_update=True)
        if row is None or row.person_id != turn.person_id or row.kind is not SessionKind.COACHING:
            return [_OLD_BUTTON]
        return await self._step(tx, row, Chose(choice.turn, choice.what), turn.at)

    async def _entry(self, tx: AsyncSession, turn: Turn, choice: ChoiceId) -> list[Message]:
        """Buttons that stand under nudges and answers rather than on a card: their turn is 0, and in place
        of a dialogue they name the plan, the blocker or nothing.
        """
        if choice.what in ("done", "not_yet", "dropped"):
            return await self._follow_up(tx, turn, choice.what, choice.session)
        if choice.what == "resolved":
            return await self._resolve(tx, turn, choice.session)
        name, _, argument = choice.what.partition(".")
        department, _, criterion = argument.partition(".")
        led = {each.id: each for each in await led_departments(tx, turn.person_id)}
        if not department.isdigit() or int(department) not in led:
            return [_NO_DEPARTMENT]
        if name == "steps":
            person = turn.person_id
            return await self.offer_steps(tx, int(department), person, turn.at, criterion=criterion)
        if name == "block":
            return await self._in_the_way(tx, led[int(department)], turn)
        return [_OLD_BUTTON]

    async def _follow_up(self, tx: AsyncSession, turn: Turn, name: str, plan_id: int) -> list[Message]:
        plan = await tx.get(Plan, plan_id, with_for_update=True)
        if plan is None or plan.person_id != turn.person_id:
            return [_OLD_BUTTON]
        if plan.status not in OPEN_PLANS:
            return [Message(kind="notice", text="That step is closed already, thank you.")]
        plan.followed_up_at = plan.followed_up_at or turn.at
        row = await self._session(tx, plan.department_id, turn.person_id, turn.at)
        if name == "dropped":
            plan.status, plan.closed_at = PlanStatus.DROPPED, turn.at
            return [Message(text="Dropped, no harm done. Say **next steps** when you'd like another one.")]
        if name == "done":
            plan.status, plan.closed_at = PlanStatus.DONE, turn.at
            return await self._step(tx, row, Done(plan_id, plan.criterion), turn.at)
        plan.status = PlanStatus.NOT_YET
        return await self._step(tx, row, NotYet(plan_id, plan.criterion), turn.at)

    async def _resolve(self, tx: AsyncSession, turn: Turn, blocker_id: int) -> list[Message]:
        blocker = await tx.get(Blocker, blocker_id, with_for_update=True)
        led = {each.id for each in await led_departments(tx, turn.person_id)}
        if blocker is None or blocker.department_id not in led:
            return [_OLD_BUTTON]
        blocker.resolved_at = blocker.resolved_at or turn.at
        return [Message(text="Good news, I've taken it off the list.")]

    async def _in_the_way(
        self, tx: AsyncSession, department: Department, turn: Turn, note: str = ""
    ) -> list[Message]:
        scores = await placement_of(tx, self._instrument, department.id or 0, turn.at)
        model = self._instrument.model(scores.placement.working_model or self._instrument.models[-1].id)
        obstacles = tuple(
            Obstacle(code=kind.id, label=kind.label, owner=kind.usual_owner, first_move=kind.first_move)
            for kind in model.blockers
        )
        row = await self._session(tx, department.id or 0, turn.person_id, turn.at)
        return await self._step(tx, row, InTheWay(obstacles, note), turn.at)

    # Steps and effects

    async def department_of(self, tx: AsyncSession, turn: Turn) -> Department | None:
        """The department a person's words are about: the one of the dialogue touched last, else the first
        led.
        """
        led = await led_departments(tx, turn.person_id)
        kinds = (SessionKind.COACHING, SessionKind.FIRST_AUDIT, SessionKind.RE_AUDIT)
        for row in await live_sessions(tx, turn.person_id, kinds):
            for department in led:
                if department.id == row.department_id:
                    return department
        return led[0] if led else None

    async def _session(
        self, tx: AsyncSession, department_id: int, person_id: int, now: datetime
    ) -> DialogueSession:
        rows = await live_sessions(tx, person_id, (SessionKind.COACHING,), lock=True)
        for row in rows:
            if row.department_id == department_id:
                return row
        new = {
            "department_id": department_id,
            "person_id": person_id,
            "kind": SessionKind.COACHING,
            "status": SessionStatus.PAUSED,
            "instrument_version": self._instrument.version,
            "started_at": now,
            "updated_at": now,
        }
        return await add(tx, DialogueSession, new)

    async def _step(
        self, tx: AsyncSession, row: DialogueSession, given: Input, now: datetime
    ) -> list[Message]:
        department = await tx.get_one(Department, row.department_id)
        person = await tx.get_one(Person, row.person_id)
        state, effects = dialogue.step(_state(row), given, now, await zone_of(tx, person, department))
        messages: list[Message] = []
        if any(isinstance(effect, SavePlan) for effect in effects):
            # A co-lead may have taken on a step since these were offered.
            plans = await open_plans(tx, row.department_id)
            if not may_open_step(self._instrument, len(plans)):
                messages, effects = [open_steps_card(plans)], ()
        for effect in effects:
            if isinstance(effect, Say):
                messages.append(effect.message)
            else:
                await carry_out(tx, self._instrument, row, effect, now)
        status = SessionStatus.OPEN if state.asks_words else SessionStatus.PAUSED
        kept = state.model_dump(mode="json", exclude_defaults=True)
        await change(tx, row, {"state": kept, "status": status, "updated_at": now})
        return messages


def _without(found: list[NextStep], texts: set[str]) -> list[NextStep]:
    """What is left of each, where anything is."""
    begun = tuple(texts)
    left = [[step for step in each.steps if not _is_begun(step.text, begun)] for each in found]
    return [replace(each, steps=tuple(steps)) for each, steps in zip(found, left, strict=True) if steps]


def _is_begun(text: str, begun: tuple[str, ...]) -> bool:
    """Whether the step was taken on as it is, or with a change of one's own at its end."""
    return any(each == text or each.startswith(f"{text.rstrip(' .')}; ") for each in begun)


def _no_plans(department: Department) -> Message:
    steps = ChoiceId(PREFIX, 0, 0, f"steps.{department.id}")
    return Message(
        text="No step is open at the moment.",
        choices=(Choice(id=str(steps), label="Show next steps"),),
    )


def _state(row: DialogueSession) -> State:
    return State.model_validate(row.state | {"session": row.id})


_OLD_BUTTON = Message(kind="notice", text="That button is no longer in use. Nothing was changed.")
_NO_DEPARTMENT = Message(
    kind="notice",
    text="That is for team leads, and I don't have you down as one. You can ask me about the AI policies "
    "at any time.",
)
