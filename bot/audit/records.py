"""Stored answers and what is made of them: the rows of one department, read in one go whatever its age."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, Integer, bindparam, sql, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.audit.gates import Mode
from bot.audit.instrument import Instrument
from bot.audit.scoring import Agreement, AnswerFact, Scores, score
from bot.audit.scoring import Claim as ClaimedLevel
from bot.audit.state import Given
from bot.store.columns import add, change, columns, held, objects
from bot.store.tables import Answer, Audience, Blocker, Claim, Company, Department
from bot.store.tables import EvidenceClass as StoredEvidence

_ANSWERS = Answer.__table__  # type: ignore[attr-defined]
_AT = _ANSWERS.c.answered_at

Answers = dict[str, Answer]
"""The answer that counts for each criterion that has one."""


async def latest_answers(
    tx: AsyncSession,
    instrument: Instrument,
    department_id: int,
    now: datetime,
    before_session: int | None = None,
) -> Answers:
    """The latest answer of the department per criterion as at `now`; second raters' answers stay out.

    With `before_session`, answers given in that sitting stay out too. One look-up in the index per criterion,
    so that the time does not grow with the years.
    """
    criteria = tuple(criterion.id for criterion in instrument.criteria)
    query = _latest_rows(criteria, before_session is not None)
    given = {"department": department_id, "now": now, "before": before_session}
    return {row.criterion: row for row in await objects(tx, query, given)}


async def _latest_facts(
    tx: AsyncSession, instrument: Instrument, department_id: int, now: datetime
) -> list[AnswerFact]:
    """`latest_answers` as the scoring reads them, without the words."""
    criteria = tuple(criterion.id for criterion in instrument.criteria)
    rows = await columns(tx, _latest_columns(criteria, _SCORED), {"department": department_id, "now": now})
    return [fact(row, now) for row in rows]


async def standing_answers(
    tx: AsyncSession, instrument: Instrument, department_id: int, now: datetime
) -> dict[str, Standing]:
    """`latest_answers` as a sitting compares with them: to be looked at, not to be changed."""
    criteria = tuple(criterion.id for criterion in instrument.criteria)
    rows = await columns(tx, _latest_columns(criteria, _STANDING), {"department": department_id, "now": now})
    return {row.criterion: row for row in rows}


# The queries of all three are made once: they are long, and putting one together costs more than its answer.


@lru_cache(maxsize=8)
def _latest_rows(criteria: tuple[str, ...], leave_out: bool) -> SelectOfScalar[Answer]:
    return select(Answer).where(_are_latest(criteria, leave_out))


@lru_cache(maxsize=8)
def _latest_columns(criteria: tuple[str, ...], names: tuple[str, ...]) -> Any:
    return sql.select(*(_ANSWERS.c[name] for name in names)).where(_are_latest(criteria))


def _are_latest(criteria: tuple[str, ...], leave_out: bool = False) -> ColumnElement[bool]:
    asked = union_all(*(sql.select(sql.literal(each).label("criterion")) for each in criteria)).subquery()
    latest = select(Answer.id).where(
        Answer.department_id == bindparam("department"),
        Answer.criterion == asked.c.criterion,
        Answer.answered_at <= bindparam("now", type_=_AT.type),
        col(Answer.second).is_(False),
    )
    if leave_out:
        before = bindparam("before", type_=Integer)
        latest = latest.where(col(Answer.session_id).is_(None) | (col(Answer.session_id) != before))
    newest = latest.order_by(_AT.desc(), col(Answer.id).desc()).limit(1).correlate(asked)
    return col(Answer.id).in_(sql.select(newest.scalar_subquery()).select_from(asked))


class Scored(Protocol):
    """What the scoring needs of a stored answer: a row, or these columns of it."""

    criterion: str
    claim: Claim
    level: Any
    evidence: StoredEvidence
    answered_at: datetime
    approved_at: datetime | None
    declined_at: datetime | None
    still_true_at: datetime | None
    expired_by: str | None
    expired_at: datetime | None
    agreement: str


class Standing(Scored, Protocol):
    """What a sitting needs of an answer that stood before it."""

    counted: int | None
    words: str
    picked_by: int | None
    instrument_version: str
    declined_at: datetime | None
    expired_note: str


_SCORED = tuple(Scored.__annotations__)
_STANDING = (*_SCORED, *Standing.__annotations__)


def fact(row: Scored, now: datetime) -> AnswerFact:
    """A stored answer as the scoring reads it at `now`."""
    claimed: ClaimedLevel = row.level or 0
    if row.claim is not Claim.LEVEL:
        claimed = cast("ClaimedLevel", row.claim.value)
    if row.declined_at is not None and row.declined_at <= now:
        claimed = "unknown"  # It does apply after all; how far the department is has still to be found out.
    return AnswerFact(
        criterion=row.criterion,
        claimed=claimed,
        at=row.answered_at,
        evidence=row.evidence.value,
        approved=row.approved_at is not None,
        still_true=row.still_true_at is not None,
        ended_early=row.expired_by is not None and (row.expired_at is None or row.expired_at <= now),
        agreement=cast("Agreement", row.agreement),
    )


def no_models(department: Department) -> tuple[str, ...]:
    """The models that do not apply to a department at all: AD where it serves nobody in conversation."""
    return ("AD",) if department.ad_audience is Audience.NONE else ()


async def gate_mode(tx: AsyncSession) -> Mode:
    """The company's choice of how gates work; strict unless set otherwise."""
    company = await held(tx, Company, 1)
    return "chain" if company is not None and company.settings.get("gates") == "chain" else "strict"


async def open_blockers(tx: AsyncSession, department_id: int, now: datetime) -> list[Blocker]:
    """What is in the department's way at `now`, oldest first."""
    return await objects(tx, _BLOCKERS, {"department": department_id, "now": now})


_NOW = bindparam("now", type_=_AT.type)
_BLOCKERS = (
    select(Blocker)
    .where(
        Blocker.department_id == bindparam("department"),
        col(Blocker.raised_at) <= _NOW,
        col(Blocker.resolved_at).is_(None) | (col(Blocker.resolved_at) > _NOW),
    )
    .order_by(col(Blocker.raised_at), col(Blocker.id))
)


async def placement_of(
    tx: AsyncSession,
    instrument: Instrument,
    department_id: int,
    now: datetime,
    extra: Iterable[AnswerFact] = (),
    blockers: Iterable[Blocker] | None = None,
) -> Scores:
    """Where a department stands at `now`, from everything stored by then. `extra` answers are taken as
    given; `blockers`: the open ones, for a caller who has them.
    """
    department = await tx.get_one(Department, department_id)
    facts = await _latest_facts(tx, instrument, department_id, now)
    if blockers is None:
        blockers = await open_blockers(tx, department_id, now)
    known = {kind.id for model in instrument.models for kind in model.blockers}
    return score(
        instrument,
        [*facts, *extra],
        {blocker.code for blocker in blockers} & known,
        no_models(department),
        await gate_mode(tx),
        now,
    )


_SAME_ANSWER = select(Answer).where(
    Answer.session_id == bindparam("session"),
    Answer.criterion == bindparam("criterion"),
    bindparam("at", type_=_AT.type) == _AT,
)


async def save_answer(
    tx: AsyncSession,
    given: Given,
    *,
    instrument: Instrument,
    department_id: int,
    person_id: int,
    session_id: int,
    second: bool = False,
    again: bool = True,
) -> Answer:
    """Store an answer, or complete the one of the same sitting, criterion and instant.

    `again` is false where the caller knows that there is none to complete. What is returned is to be looked
    at only.
    """
    said: dict[str, Any] = {
        "claim": Claim(given.claim),
        "level": given.level,
        "picked_by": person_id,
        "evidence": StoredEvidence(given.evidence),
        "counted": None if given.level is None else min(given.level, instrument.cap(given.evidence)),
        "words": given.words,
        "probe_words": given.probe_words,
        "evidence_text": given.evidence_text,
        "shown": list(given.shown),
        "proposed_by": given.proposed_by,
        "reason": given.reason,
        "approver_id": given.approver,
    }
    same = {"session": session_id, "criterion": given.criterion, "at": given.at}
    for stored in await objects(tx, _SAME_ANSWER, same) if again else ():
        await change(tx, stored, said)
        return cast("Answer", stored)
    new = {
        "department_id": department_id,
        "criterion": given.criterion,
        "session_id": session_id,
        "answered_at": given.at,
        "instrument_version": instrument.version,
        "second": second,
    }
    return await add(tx, Answer, new | said)
