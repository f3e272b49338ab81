"""The coverage check-in as a use case: each tap is one step, stored at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.opening import live_sessions, touched_last
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.coverage.dialogue import Checkin
from bot.coverage.records import role_records, roles_to_ask
from bot.coverage.result import department_message, explained_message
from bot.coverage.state import (
    Effect,
    Input,
    LeaveOut,
    SaveTask,
    Show,
    ShowCoverage,
    State,
    Task,
    first_phase,
)
from bot.coverage.tasks import rebase_due
from bot.messages import Choice, Message
from bot.organisation.directory import led_departments
from bot.speech import Chose, Say, Words
from bot.store.tables import (
    CoverageAnswer,
    CoverageTask,
    Department,
    DialogueSession,
    Role,
    SessionKind,
    SessionStatus,
)
from bot.turns import Turn

PREFIX = "coverage"
AT_IT = timedelta(hours=1)
"""For so long after a card was shown, "none" or "8" is taken for a tap on it."""
_OF_A_TASK = ("hours", "share", "mode", "accepted", "reason", "tools")
_START = re.compile(r"(start|update|do)?( the| our| my)? ?coverage( check-?in| update)?")
_TIME_SAVED = (
    r"how (much|many) (time|hours?) (do|does|did|has|have|are|is) (we|ai|it|us|that)? ?(saved?|saving)"
    r"( us)?( with ai| through ai| by ai)?"
)
_EXPLAIN = re.compile(
    r"(why is|how come) (our|the|my|this) coverage( is)?( so| this| that)? (low|high|small|big).*"
    r"|(how|from what) (is|was|do you|did you) (our |the |my )?coverage"
    r" (calculated?|measured?|counted?|made up)"
    r"|how do you (calculate|measure|count|get|work out) (our |the |my )?coverage"
    r"|(where|what) does (our|the|my) coverage( figure)? (come from|rest on|mean|consist of)"
    r"|what (counts|is in|makes up)( as| in)?( our| the)? coverage|explain (our |the )?coverage"
    r"|(why|how) (did|has) (our|the|my) coverage (drop(ped)?|f[ae]ll(en)?|go(ne)? (up|down)|r[io]sen?"
    r"|grown?|changed?)( so much)?|what (has )?changed in (our |the |my )?coverage|what does coverage mean"
    rf"|{_TIME_SAVED}"
)
_ASK = re.compile(r"(what('s| is)|how high is|show)( me)?( the| our| my)? coverage\W*")


def names_coverage(text: str) -> bool:
    """The whole of these words opens the check-in or asks how high coverage is."""
    said = _bare(text)
    return bool(_START.fullmatch(said) or _ASK.fullmatch(said) or explains_coverage(text))


def explains_coverage(text: str) -> bool:
    """The whole of these words asks what the coverage rests on."""
    return _EXPLAIN.fullmatch(_bare(text).strip("?")) is not None


def asks_for_time_saved(text: str) -> bool:
    """The whole of these words asks for hours saved, which coverage does not tell."""
    return re.fullmatch(_TIME_SAVED, _bare(text).strip("?")) is not None


def _bare(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split()).strip(" .!")


def start_choice(department_id: int, label: str = "Start") -> Choice:
    """The button that opens, or goes on with, a department's coverage check-in."""
    return Choice(id=str(ChoiceId(PREFIX, 0, 0, f"start.{department_id}")), label=label, style="primary")


@dataclass(frozen=True)
class Prepared:
    """The check-in needs nothing beforehand."""


class CoverageUseCase:
    """Takes turns of coverage check-ins, and says what the coverage is."""

    prefix = PREFIX

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._checkin = Checkin(instrument.coverage)

    async def wants(self, tx: AsyncSession, turn: Turn) -> bool:
        """Free words are for the check-in where its card takes words, or where they name it."""
        if turn.public or turn.text is None:
            return False
        if names_coverage(turn.text):
            return bool(await led_departments(tx, turn.person_id))
        return await self._waiting(tx, turn) is not None

    async def _waiting(self, tx: AsyncSession, turn: Turn, lock: bool = False) -> DialogueSession | None:
        """The card that words are for, unless the person has gone on to something else."""
        row = await touched_last(tx, turn.person_id, SessionKind.COVERAGE, lock)
        return row if row is not None and self.is_at(row, turn) else None

    def is_at(self, row: DialogueSession, turn: Turn) -> bool:
        """Whether a turn's words are meant for this check-in, given that nothing was touched after it: its
        card takes words, or they are about a card that was shown a short while ago.
        """
        if row.kind is not SessionKind.COVERAGE or turn.text is None:
            return False
        state = State.model_validate(row.state)
        if state.asks_words:
            return True
        present = state.phase not in ("rest", "done") and turn.at - row.updated_at < AT_IT
        return present and self._checkin.is_about_card(state, turn.text)

    async def prepare(self, turn: Turn) -> Prepared:
        """Nothing takes time here."""
        return Prepared()

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """One turn, in the caller's transaction."""
        if turn.choice is not None:
            return await self._chose(tx, turn)
        text = turn.text or ""
        waiting = await self._waiting(tx, turn, lock=True)
        if waiting is not None and not names_coverage(text):
            return await self._step(tx, waiting, Words(text), turn.at)
        led = await led_departments(tx, turn.person_id)
        if not led:
            return [_NOT_A_LEAD]
        if explains_coverage(text):
            saved = asks_for_time_saved(text)
            said = [await explained_message(tx, self._instrument, each, turn.at, saved) for each in led]
            return [*said, *await self._back_to_card(tx, turn)]
        if _ASK.fullmatch(_bare(text)):
            said = [await department_message(tx, self._instrument, each, turn.at) for each in led]
            return [*said, *await self._back_to_card(tx, turn)]
        if len(led) == 1:
            return await self.start(tx, turn.person_id, led[0], turn.at)
        choices = tuple(start_choice(each.id or 0, each.name) for each in led)
        return [Message(kind="question", text="Which department shall we look at?", choices=choices)]

    async def _back_to_card(self, tx: AsyncSession, turn: Turn) -> list[Message]:
        """The question about a task that was shown a short while ago, once more."""
        row = await touched_last(tx, turn.person_id, SessionKind.COVERAGE)
        if row is None or turn.at - row.updated_at >= AT_IT:
            return []
        if State.model_validate(row.state).phase not in _OF_A_TASK:
            return []
        return await self._step(tx, row, Show(), turn.at)

    async def start(
        self, tx: AsyncSession, person_id: int, department: Department, now: datetime
    ) -> list[Message]:
        """Open the check-in of a department, or show the card of the one that is open."""
        row = await self._live(tx, person_id, department)
        if row is not None:
            return await self._step(tx, row, Show(), now)
        roles = roles_to_ask(await role_records(tx, self._instrument, department, now))
        if not roles:
            return [
                Message(
                    text="There are no roles with people in your department yet. An administrator can add "
                    "them."
                )
            ]
        row = DialogueSession(
            department_id=department.id or 0,
            person_id=person_id,
            kind=SessionKind.COVERAGE,
            instrument_version=self._instrument.version,
            started_at=now,
            updated_at=now,
        )
        try:
            async with tx.begin_nested():
                tx.add(row)
                await tx.flush()
        except IntegrityError:
            again = await self._live(tx, person_id, department)
            return await self._step(tx, again, Show(), now) if again is not None else []
        state = State(session=row.id or 0, turn=1, phase=first_phase(roles[0]), roles=roles)
        row.state = state.model_dump(mode="json", exclude_defaults=True)
        return await self._step(tx, row, Show(), now)

    async def _live(self, tx: AsyncSession, person_id: int, department: Department) -> DialogueSession | None:
        rows = await live_sessions(tx, person_id, (SessionKind.COVERAGE,), lock=True)
        return next((row for row in rows if row.department_id == department.id), None)

    async def _chose(self, tx: AsyncSession, turn: Turn) -> list[Message]:
        choice = parse_choice_id(turn.choice or "")
        if choice is None:
            return [_OLD_BUTTON]
        if choice.session == 0:
            name, _, argument = choice.what.partition(".")
            led = {str(each.id): each for each in await led_departments(tx, turn.person_id)}
            if name != "start" or argument not in led:
                return [_NOT_A_LEAD]
            return await self.start(tx, turn.person_id, led[argument], turn.at)
        row = await tx.get(DialogueSession, choice.session, with_for_update=True)
        if row is None or row.person_id != turn.person_id or row.kind is not SessionKind.COVERAGE:
            return [_OLD_BUTTON]
        if row.status is SessionStatus.FINISHED:
            return [
                Message(
                    kind="notice", text='That check-in is finished. Say "coverage" to go through it again.'
                )
            ]
        return await self._step(tx, row, Chose(choice.turn, choice.what), turn.at)

    async def _step(
        self, tx: AsyncSession, row: DialogueSession, given: Input, now: datetime
    ) -> list[Message]:
        state, effects = self._checkin.step(State.model_validate(row.state), given)
        messages: list[Message] = []
        for effect in effects:
            messages += await self._carry_out(tx, row, effect, now)
        row.state = state.model_dump(mode="json", exclude_defaults=True)
        row.status = _status(state)
        row.updated_at = now
        row.finished_at = now if state.phase == "done" else None
        await tx.flush()
        return messages

    async def _carry_out(
        self, tx: AsyncSession, row: DialogueSession, effect: Effect, now: datetime
    ) -> list[Message]:
        match effect:
            case Say(message=message):
                return [message]
            case SaveTask():
                await self._save(tx, row, effect, now)
            case LeaveOut(role=role, task=task):
                (await _stored_task(tx, row.department_id, role, task)).archived_at = now
            case ShowCoverage():
                department = await tx.get_one(Department, row.department_id)
                return [await department_message(tx, self._instrument, department, now)]
        return []

    async def _save(self, tx: AsyncSession, row: DialogueSession, effect: SaveTask, now: datetime) -> None:
        """One answer per task and check-in: a later tap of the same check-in completes it."""
        task = await _stored_task(tx, row.department_id, effect.role, effect.task)
        task.archived_at = None
        await self._freeze(tx, task, effect, now)
        found = await tx.exec(
            select(CoverageAnswer).where(
                CoverageAnswer.task_id == task.id, CoverageAnswer.session_id == row.id
            )
        )
        answer = found.first() or CoverageAnswer(
            department_id=row.department_id,
            task_id=task.id or 0,
            session_id=row.id,
            answered_at=now,
            hours="",
            share="",
        )
        taps = effect.taps
        answer.person_id, answer.answered_at = row.person_id, now
        answer.hours, answer.share, answer.mode, answer.accepted = (
            taps.hours,
            taps.share,
            taps.mode,
            taps.accepted,
        )
        answer.review, answer.tool = taps.review, taps.tool
        answer.keep_human, answer.reason = taps.keep_human, taps.reason
        tx.add(answer)
        await tx.flush()

    async def _freeze(self, tx: AsyncSession, task: CoverageTask, effect: SaveTask, now: datetime) -> None:
        """Hours are frozen at the first answer, so that falling hours can't look like rising coverage.
        Once a year, and when the role has changed since, a new answer re-bases them, with a marker.
        """
        hours = self._instrument.coverage.inputs_per_task.hours_per_person_week.buckets.get(effect.taps.hours)
        if hours is None:
            return
        if task.baseline_hours is None:
            task.baseline_hours = hours
            return
        frozen_at = task.rebased_at or await _first_answer(tx, task)
        if frozen_at is None or hours == task.baseline_hours:
            return
        changed_at = (await tx.get_one(Role, task.role_id)).changed_at
        if rebase_due(frozen_at, now, changed_at is not None and changed_at > frozen_at):
            task.baseline_hours, task.rebased_at = hours, now


def _status(state: State) -> SessionStatus:
    """Open where words are waited for, as with the other dialogues; taps need no waiting."""
    if state.phase == "done":
        return SessionStatus.FINISHED
    return SessionStatus.OPEN if state.asks_words else SessionStatus.PAUSED


async def _stored_task(tx: AsyncSession, department_id: int, role: int, task: Task) -> CoverageTask:
    found = await tx.exec(
        select(CoverageTask)
        .where(CoverageTask.role_id == role, CoverageTask.slug == task.slug)
        .with_for_update()
    )
    row = found.first()
    if row is None:
        row = CoverageTask(
            department_id=department_id, role_id=role, slug=task.slug, text=task.text, own=task.own
        )
        tx.add(row)
        await tx.flush()
    return row


async def _first_answer(tx: AsyncSession, task: CoverageTask) -> datetime | None:
    found = await tx.exec(
        select(CoverageAnswer.answered_at)
        .where(CoverageAnswer.task_id == task.id)
        .order_by(col(CoverageAnswer.answered_at))
        .limit(1)
    )
    return found.first()


_OLD_BUTTON = Message(kind="notice", text="That button is no longer in use. Nothing was changed.")
_NOT_A_LEAD = Message(
    kind="notice",
    text="The coverage check-in is for team leads, and I don't have you down as one. You can ask me about "
    "the company's AI policies at any time.",
)
