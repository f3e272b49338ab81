"""The audit as a use case: a turn finds its sitting, the dialogue takes one step, the effects are stored.

Everything of one step happens in the caller's transaction: the answer, the state, the replies. The sitting's
row is locked first, so that two devices take turns. What was prepared before (a proposal of anchors, an
answer to a question in between) is used only where it still fits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.approvals import answer_approval
from bot.audit.co_leads import answered_meanwhile, news
from bot.audit.commands import command
from bot.audit.dialogue import Dialogue
from bot.audit.effects import Desk, OfferNextSteps
from bot.audit.instrument import Instrument
from bot.audit.opening import (
    AUDITS,
    LIVE,
    facts_for,
    keep_state,
    live_of,
    live_sessions,
    load_state,
    new_state,
    open_session,
)
from bot.audit.phrases import privacy_again
from bot.audit.planning import instrument_change
from bot.audit.process_records import with_processes
from bot.audit.proposal import AnchorProposer
from bot.audit.several_departments import department_to_open
from bot.audit.state import (
    Asked,
    AskFreely,
    AskProposal,
    Effect,
    Facts,
    Input,
    NoProposal,
    Proposed,
    Resume,
    State,
)
from bot.audit.waiting import EVERY_KIND, is_start, left_long_ago, newer_sitting, takes_words, went_on
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.errors import InputError
from bot.messages import Choice, Message, plain
from bot.organisation.directory import led_departments
from bot.speech import Chose, Words
from bot.store.columns import objects
from bot.store.engine import Store
from bot.store.tables import Company, Department, DialogueSession, Person, SessionKind, SessionStatus
from bot.turns import Turn, UseCase

PREFIX = "audit"


def start_choice(department_id: int, label: str = "Start") -> Choice:
    """The button that opens, or goes on with, the audit of a department; for invitations."""
    return Choice(id=str(ChoiceId(PREFIX, 0, 0, f"start.{department_id}")), label=label, style="primary")


@dataclass(frozen=True)
class Prepared:
    """What was found out before the transaction. `asked` says which words the proposal is about."""

    proposal: Proposed | NoProposal = field(default_factory=NoProposal)
    asked: AskProposal | None = None
    aside: Any = None


class AsideAnswers(UseCase[Any], Protocol):
    """Answers questions in the middle of a sitting."""

    def recognises(self, text: str) -> bool:
        """Whether these words are certainly a question or request of their own."""
        ...


class AuditUseCase:
    """Takes turns of audits. `asides` answers questions in between; `offer_steps` begins the coaching;
    `elsewhere` knows the words that open another part and are never an answer; `beside` says whether a
    turn's words are meant for this dialogue of another part, where its card was shown last.
    """

    prefix = PREFIX

    def __init__(
        self,
        instrument: Instrument,
        store: Store,
        proposer: AnchorProposer,
        asides: AsideAnswers | None = None,
        offer_steps: OfferNextSteps | None = None,
        elsewhere: Callable[[str], bool] = lambda _text: False,
        beside: Callable[[DialogueSession, Turn], bool] = lambda _row, _turn: False,
    ) -> None:
        self._instrument = instrument
        self._store = store
        self._beside = beside
        self._proposer = proposer
        self._asides = asides
        self._offer_steps = offer_steps
        self._elsewhere = elsewhere

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Free words are for the audit where a card waits for them, or where they name it."""
        if turn.public or turn.text is None or self._elsewhere(turn.text):
            return False
        if is_start(turn.text):
            live = await live_sessions(tx, turn.person_id, tuple(SessionKind))
            return not (live and self._beside(live[0], turn))
        if await department_to_open(tx, turn.person_id, turn.text) is not None:
            return True
        turn.seen[PREFIX] = await self._row(tx, turn)
        return turn.seen[PREFIX] is not None

    async def prepare(self, turn: Turn) -> Prepared:
        """Take the step for trial, and find out what it asks for. Nothing is kept; a tap asks for nothing."""
        if turn.text is None:
            return Prepared()
        row = await self._waiting(turn)
        if row is None:
            return Prepared()
        state = _state_of(row, turn)
        # What words ask for depends on no name, so that the trial does without the facts.
        trial = Dialogue(self._instrument, Facts(department=""))
        if (change := instrument_change(self._instrument, state)) is not None:
            state, _ = trial.step(state, change, turn.at)
        _, effects = trial.step(state, self._input(turn, state), turn.at)
        prepared = Prepared()
        for effect in effects:
            if isinstance(effect, AskProposal):
                proposal = await self._proposer.propose(effect.criterion, effect.words)
                prepared = replace(prepared, proposal=proposal, asked=effect)
            elif isinstance(effect, AskFreely) and self._asides is not None:
                prepared = replace(prepared, aside=await self._asides.prepare(turn))
        return prepared

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """One step, in the caller's transaction."""
        choice = parse_choice_id(turn.choice) if turn.choice is not None else None
        if choice is not None:
            name, _, argument = choice.what.partition(".")
            if name in ("approve", "decline") and argument.isdigit():
                return [
                    await answer_approval(
                        tx, self._instrument, turn.person_id, int(argument), name == "approve", turn.at
                    )
                ]
            if choice.session == 0:
                return await self._entry(tx, turn, name, argument)
        named = await department_to_open(tx, turn.person_id, turn.text)
        if named is not None:
            return await self.start(tx, turn.person_id, named.id or 0, turn)
        row = await self._row(tx, turn, lock=True)
        if row is not None and left_long_ago(row, turn.at):
            return await self.start(tx, turn.person_id, row.department_id, turn)
        if row is None:
            return await self._without_sitting(tx, turn)
        newer = None if row.status in LIVE else await newer_sitting(tx, row)
        if newer is not None:
            return [_EARLIER_ROUND, *await self._step(tx, newer, turn, Prepared(), Resume())]
        return await self._step(tx, row, turn, prepared)

    async def start(
        self, tx: AsyncSession, person_id: int, department_id: int, turn: Turn, everything: bool = False
    ) -> list[Message]:
        """Open the audit of a department for one of its leads, or go on with the one that is open."""
        live = [
            row
            for row in await live_sessions(tx, person_id, AUDITS, lock=True)
            if row.department_id == department_id
        ]
        if live and not left_long_ago(live[0], turn.at):
            return await self._step(tx, live[0], turn, Prepared(), Resume())
        if live:
            live[0].status, live[0].finished_at = SessionStatus.FINISHED, turn.at
            await tx.flush()
        department = await tx.get_one(Department, department_id)
        state = await new_state(tx, self._instrument, department, person_id, turn.at, everything)
        if state.kind == "re" and not state.queue:
            return [_all_fresh(department)]
        opened = await open_session(tx, state, department_id, person_id, turn.at)
        [found] = await objects(tx, _WHOSE, {"sitting": opened})
        turn.seen[_WHOSE_IT_IS], (row, _, person, _) = [found], found
        if state.kind == "first" or person.enrolled_at is None:
            return await self._step(tx, row, turn, Prepared(), Resume())
        # Whoever agreed before is not asked again; who sees what stands above the first question.
        return await self._step(tx, row, turn, Prepared(), Chose(0, "-.start"), remind_privacy=True)

    def _input(self, turn: Turn, state: State) -> Input:
        if turn.text is not None:
            # "Start" begins where something is to begin; elsewhere neither it nor "audit" is an answer.
            begins = state.phase in ("welcome", "rest") and command(turn.text) is not None
            if is_start(turn.text) and not begins:
                return Resume()
            if self._asides is not None and self._asides.recognises(turn.text):
                return Asked(turn.text)
            return Words(turn.text)
        choice = parse_choice_id(turn.choice or "")
        if choice is None:
            raise InputError("That button is not one of ours.")
        return Chose(choice.turn, choice.what)

    async def _entry(self, tx: AsyncSession, turn: Turn, name: str, argument: str) -> list[Message]:
        # Held on to, so that the department need not be read again.
        led = {department.id: department for department in await led_departments(tx, turn.person_id)}
        if name not in ("start", "again") or not argument.isdigit() or int(argument) not in led:
            return [_NOT_A_LEAD]
        return await self.start(tx, turn.person_id, int(argument), turn, everything=name == "again")

    async def _waiting(self, turn: Turn) -> DialogueSession | None:
        if PREFIX in turn.seen:
            found: DialogueSession | None = turn.seen[PREFIX]
            return found
        async with self._store.read() as tx:
            return await self._row(tx, turn)

    async def _row(self, tx: AsyncSession, turn: Turn, lock: bool = False) -> DialogueSession | None:
        """The sitting that a turn belongs to: the button's own, or the one that waits for words."""
        if turn.choice is not None:
            choice = parse_choice_id(turn.choice)
            if choice is None or choice.session == 0:
                return None
            tapped = await objects(tx, _TAPPED, {"sitting": choice.session})
            rows: list[DialogueSession] = [each[0] for each in tapped]
            if not rows or rows[0].person_id != turn.person_id or rows[0].kind not in EVERY_KIND:
                return None
            turn.seen[_WHOSE_IT_IS] = tapped
            return rows[0]
        if lock:
            turn.seen[_WHOSE_IT_IS] = await objects(tx, _LIVE, {"person": turn.person_id})
            live: list[DialogueSession] = [each[0] for each in turn.seen[_WHOSE_IT_IS]]
        else:
            live = await live_sessions(tx, turn.person_id, tuple(SessionKind))
        rows = [row for row in live if row.kind in EVERY_KIND]
        states = [(row, load_state(row)) for row in rows]
        asking = [row for row, state in states if takes_words(state, turn.text or "")]
        if not asking and is_start(turn.text or ""):
            return next((row for row, state in states if state.sittings or state.paused), None)
        goes_on = is_start(turn.text or "") or command(turn.text or "") == ("resume", "")
        if not asking or (not goes_on and went_on(live, asking[0])) or self._beside(live[0], turn):
            return None
        turn.seen[_AS_READ] = next(each for each in states if each[0] is asking[0])
        return asking[0]

    async def _without_sitting(self, tx: AsyncSession, turn: Turn) -> list[Message]:
        if turn.choice is not None:
            return [Message(kind="notice", text="That button is no longer in use. Nothing was changed.")]
        led = await led_departments(tx, turn.person_id)
        if not led:
            return [_NOT_A_LEAD]
        if len(led) == 1:
            return await self.start(tx, turn.person_id, led[0].id or 0, turn)
        return [
            Message(
                kind="question",
                text="Which department shall we look at?",
                choices=tuple(start_choice(department.id or 0, department.name) for department in led),
            )
        ]

    async def _step(
        self,
        tx: AsyncSession,
        row: DialogueSession,
        turn: Turn,
        prepared: Prepared,
        instead: Input | None = None,
        remind_privacy: bool = False,
    ) -> list[Message]:
        """One step with what the turn brings, or with `instead`."""
        _, department, person, _company = await _whose(tx, row, turn)
        state = _state_of(row, turn)
        given = instead or self._input(turn, state)
        facts = await facts_for(tx, department, person, state, given)
        facts = await with_processes(tx, self._instrument, state, department, facts)
        dialogue = Dialogue(self._instrument, facts)
        desk = Desk(tx, self._instrument, row, department, person, turn.at, state, self._offer_steps)
        state, shown_anew = await self._up_to_date(desk, dialogue, state)
        state, moved_on = await self._hear_co_leads(desk, dialogue, state, given)
        # Words meant for a card that has changed are not taken for an answer to the new one.
        effects: tuple[Effect, ...] = ()
        if not (moved_on or (shown_anew and isinstance(given, Words | Resume))):
            state, effects = dialogue.step(state, given, turn.at)
        state = await self._carry_out(desk, dialogue, state, effects, turn, prepared)
        desk.messages += desk.later
        finished = turn.at if state.phase == "done" else None
        await keep_state(tx, row, state, updated_at=turn.at, finished_at=finished)
        if remind_privacy and desk.messages:
            first = desk.messages[0]
            text = f"{privacy_again(facts)}\n\n{first.text}"
            desk.messages[0] = first.model_copy(update={"text": text})
        return desk.messages

    async def _hear_co_leads(
        self, desk: Desk, dialogue: Dialogue, state: State, given: Input
    ) -> tuple[State, bool]:
        """The state after what other leads answered meanwhile, and whether the present question was one of
        these. Looked up only where there are other leads.
        """
        if not state.co_leads or state.kind == "second" or state.phase in ("done", "away"):
            return state, False
        if state.phase == "case" and isinstance(given, Words) and command(given.text) is None:
            return state, False  # Words for this card open no other question.
        desk.others = await answered_meanwhile(desk.tx, self._instrument, desk.row, desk.now)
        told = news(self._instrument, state, given, desk.others)
        if told is None:
            return state, False
        moved_on = state.current in told.known
        state, effects = dialogue.step(state, told, desk.now)
        for effect in effects:
            await desk.carry_out(effect, state)
        return state, moved_on

    async def _up_to_date(self, desk: Desk, dialogue: Dialogue, state: State) -> tuple[State, bool]:
        """The state under the present instrument, and whether its card had to be shown anew."""
        change = instrument_change(self._instrument, state)
        if change is None:
            return state, False
        state, effects = dialogue.step(state, change, desk.now)
        for effect in effects:
            await desk.carry_out(effect, state)
        return state, bool(effects)

    async def _carry_out(
        self,
        desk: Desk,
        dialogue: Dialogue,
        state: State,
        effects: tuple[Effect, ...],
        turn: Turn,
        prepared: Prepared,
    ) -> State:
        for effect in effects:
            if isinstance(effect, AskProposal):
                proposal = prepared.proposal if prepared.asked == effect else NoProposal()
                state, more = dialogue.step(state, proposal, desk.now)
                state = await self._carry_out(desk, dialogue, state, more, turn, prepared)
            elif isinstance(effect, AskFreely):
                if self._asides is not None and prepared.aside is not None:
                    desk.messages += await self._asides.apply(desk.tx, turn, prepared.aside)
            else:
                await desk.carry_out(effect, state)
        return state


async def _whose(
    tx: AsyncSession, row: DialogueSession, turn: Turn
) -> tuple[DialogueSession, Department, Person, Company | None]:
    """A sitting and whose it is, in one look, unless the turn has seen it. The transaction has the company at
    hand for as long as somebody holds on to it.
    """
    seen: list[tuple[DialogueSession, Department, Person, Company | None]] = turn.seen.get(_WHOSE_IT_IS, [])
    for each in seen:
        if each[0] is row:
            return each
    [found] = await objects(tx, _WHOSE, {"sitting": row.id})
    return found  # type: ignore[no-any-return]


def _state_of(row: DialogueSession, turn: Turn) -> State:
    """The state of a sitting as the turn found it."""
    read: tuple[DialogueSession, State] | None = turn.seen.get(_AS_READ)
    return read[1] if read is not None and read[0] is row else load_state(row)


_WHOSE_IT_IS, _AS_READ = "whose it is", "state"
_ALL = (
    select(DialogueSession, Department, Person, Company)
    .join(Department, col(Department.id) == DialogueSession.department_id)
    .join(Person, col(Person.id) == DialogueSession.person_id)
    .outerjoin(Company, col(Company.id) == 1)
)
_WHOSE = _ALL.where(DialogueSession.id == bindparam("sitting"))
_TAPPED = _WHOSE.with_for_update(of=DialogueSession)
_LIVE = live_of(_ALL).with_for_update(of=DialogueSession)


_EARLIER_ROUND = Message(
    kind="notice",
    text="That card is from an earlier round, so nothing was changed. This is where we are now:",
)
_NOT_A_LEAD = Message(
    kind="notice",
    text="The check-in is for team leads, and I don't have you down as one. You can ask me about the "
    "company's AI policies at any time.",
)


def _all_fresh(department: Department) -> Message:
    again = ChoiceId(PREFIX, 0, 0, f"again.{department.id}")
    return Message(
        kind="text",
        text=f"Everything about {plain(department.name)} is recent, so nothing is due today. If something "
        "changed, we can go through it again.",
        choices=(Choice(id=str(again), label="Go through it again"),),
    )
