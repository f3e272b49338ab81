"""The sample company's past, read from its file and planted into an empty store.

Each thing that happened becomes the rows that the product itself would have written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument, load_instrument
from bot.errors import Fault, InputError
from bot.store.tables import (
    Answer,
    Blocker,
    CoverageAnswer,
    CoverageTask,
    Department,
    DialogueSession,
    Person,
    Plan,
    Role,
    SessionKind,
    SessionStatus,
)
from handlers.demo.asked import plant_questions
from handlers.demo.happened import (
    GivenAnswer,
    GivenBlocker,
    GivenPlan,
    History,
    RoleCoverage,
    Sitting,
    TaskTaps,
)

_PER_QUESTION = timedelta(seconds=40)


def load_history(path: Path) -> History:
    """The history in a YAML file. Raises InputError with every fault that was found."""
    try:
        return History.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except yaml.YAMLError as error:
        raise InputError(f"{path.name} is not YAML that can be read: {error}") from None
    except ValidationError as error:
        faults = [
            Fault(path.name, ".".join(str(part) for part in problem["loc"]), problem["msg"])
            for problem in error.errors()
        ]
        raise InputError(f"{path.name} can't be used.", faults) from None


async def plant(
    tx: AsyncSession, history: History, now: datetime, instrument: Instrument | None = None
) -> None:
    """Write `history` as it looks at `now` (UTC) into a store that has no answers yet.

    The organisation has to be there, and the policies before it where questions should name them. Raises
    InputError where the history names somebody or something that the organisation does not have.
    """
    garden = _Garden(tx, now, instrument or load_instrument(), *await _who(tx))
    for enrolment in history.enrolled:
        garden.person(enrolment.person).enrolled_at = enrolment.at(now)
    for sitting in history.sittings:
        await garden.sitting(sitting)
    for role in history.coverage:
        await garden.coverage(role)
    tx.add_all([garden.blocker(given) for given in history.blockers])
    tx.add_all([garden.plan(given) for given in history.plans])
    await plant_questions(tx, history.questions, garden.people, now)


async def _who(tx: AsyncSession) -> tuple[dict[str, Department], dict[Any, Role], dict[str, Person]]:
    departments = {row.slug: row for row in await tx.exec(select(Department))}
    roles = {(row.department_id, row.slug): row for row in await tx.exec(select(Role))}
    people = {row.email: row for row in await tx.exec(select(Person))}
    return departments, roles, people


@dataclass
class _Garden:
    tx: AsyncSession
    now: datetime
    instrument: Instrument
    departments: dict[str, Department]
    roles: dict[tuple[int | None, str], Role]
    people: dict[str, Person]

    def person(self, email: str) -> Person:
        if email not in self.people:
            raise InputError(f"The history names {email}, who is not in the organisation.")
        return self.people[email]

    def department(self, slug: str) -> int:
        found = self.departments.get(slug)
        if found is None or found.id is None:
            raise InputError(
                f"The history names the department {slug}, which the organisation does not have."
            )
        return found.id

    async def _session(self, department: str, by: str, kind: SessionKind, began: datetime, took: int) -> int:
        session = DialogueSession(
            department_id=self.department(department),
            person_id=_id(self.person(by)),
            kind=kind,
            status=SessionStatus.FINISHED,
            instrument_version=self.instrument.version,
            started_at=began,
            updated_at=began + took * _PER_QUESTION,
            finished_at=began + took * _PER_QUESTION,
        )
        return await self._saved(session)

    async def _saved(self, row: Any) -> int:
        self.tx.add(row)
        await self.tx.flush()
        return _id(row)

    async def sitting(self, sitting: Sitting) -> None:
        began, count = sitting.at(self.now), len(sitting.answers)
        session_id = await self._session(sitting.department, sitting.by, sitting.kind, began, count)
        for number, given in enumerate(sitting.answers, start=1):
            answer = self._answer(given, sitting, began + number * _PER_QUESTION)
            answer.session_id = session_id
            self.tx.add(answer)

    def _answer(self, given: GivenAnswer, sitting: Sitting, at: datetime) -> Answer:
        approver = self.person(given.approver).id if given.approver else None
        return Answer(
            department_id=self.department(sitting.department),
            criterion=self.instrument.criterion(given.criterion).id,
            claim=given.claim,
            level=given.level,
            evidence=given.evidence,
            counted=self._counted(given),
            words=given.words,
            evidence_text=given.evidence_text,
            shown=_shown(given),
            proposed_by="embeddings" if given.level is not None else "",
            picked_by=_id(self.person(sitting.by)),
            instrument_version=self.instrument.version,
            answered_at=at,
            reason=given.reason,
            approver_id=approver,
            approved_at=at if given.approved else None,
            second=given.second,
            agreement=given.agreement,
            released=given.released,
            released_at=at if given.released else None,
        )

    def _counted(self, given: GivenAnswer) -> int | None:
        return None if given.level is None else min(given.level, self.instrument.cap(given.evidence.value))

    async def coverage(self, given: RoleCoverage) -> None:
        tasks = await self._tasks(given)
        for check_in in given.check_ins:
            began = check_in.at(self.now)
            session_id = await self._session(
                given.department, given.by, SessionKind.COVERAGE, began, len(check_in.tasks)
            )
            for slug, taps in check_in.tasks.items():
                answer = self._taps(taps, given.hours[slug], tasks[slug], began)
                answer.session_id, answer.person_id = session_id, _id(self.person(given.by))
                self.tx.add(answer)

    async def _tasks(self, given: RoleCoverage) -> dict[str, CoverageTask]:
        role = self.roles.get((self.department(given.department), given.role))
        if role is None:
            raise InputError(
                f"The history names the role {given.role}, which the organisation does not have."
            )
        department = self.departments[given.department]
        texts = {task.id: task.text for task in self._usual(department)}
        buckets = self.instrument.coverage.inputs_per_task.hours_per_person_week.buckets
        tasks = {
            slug: CoverageTask(
                department_id=_id(department),
                role_id=_id(role),
                slug=slug,
                text=texts[slug],
                baseline_hours=buckets[bucket],
            )
            for slug, bucket in given.hours.items()
        }
        self.tx.add_all(list(tasks.values()))
        await self.tx.flush()
        return tasks

    def _usual(self, department: Department) -> Any:
        return self.instrument.department(department.template or department.slug).repetitive_tasks

    def _taps(self, taps: TaskTaps, hours: str, task: CoverageTask, at: datetime) -> CoverageAnswer:
        untouched = taps.share == "none"
        return CoverageAnswer(
            department_id=task.department_id,
            task_id=_id(task),
            answered_at=at,
            hours=hours,
            share=taps.share,
            mode=taps.mode,
            accepted=taps.accepted,
            review=taps.review,
            tool=None if untouched else taps.tool or "approved",
            keep_human=taps.keep_human,
            reason=taps.reason,
        )

    def blocker(self, given: GivenBlocker) -> Blocker:
        resolved = given.resolved_days_ago
        return Blocker(
            department_id=self.department(given.department),
            code=self.instrument.blocker(given.code).id,
            note=given.note,
            owner=self.person(given.owner).name,
            owner_id=_id(self.person(given.owner)),
            raised_by=_id(self.person(given.by)),
            raised_at=given.at(self.now),
            resolved_at=None if resolved is None else self.now - timedelta(days=resolved),
        )

    def plan(self, given: GivenPlan) -> Plan:
        closed = given.closed_days_ago
        closed_at = None if closed is None else self.now - timedelta(days=closed)
        return Plan(
            department_id=self.department(given.department),
            person_id=_id(self.person(given.person)),
            criterion=self.instrument.criterion(given.criterion).id,
            text=given.text,
            done_when=given.done_when,
            after_what=given.after_what,
            due_on=self.now.date() + timedelta(days=given.due_days),
            status=given.status,
            created_at=given.at(self.now),
            followed_up_at=closed_at,
            closed_at=closed_at,
            outcome=given.outcome,
        )


def _id(row: SQLModel) -> int:
    number: int | None = getattr(row, "id", None)
    if number is None:
        raise ValueError("the row has not been flushed")
    return number


def _shown(given: GivenAnswer) -> list[int]:
    """The picked level and a neighbour; which came first differs from answer to answer."""
    if given.level is None:
        return []
    other = given.level - 1 if given.level == 4 or len(given.words) % 2 else given.level + 1
    pair = [given.level, max(other, 1 if given.level == 0 else 0)]
    return pair if len(given.words) % 3 else pair[::-1]
