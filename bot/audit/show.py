"""Everything that is known of one department's audit, as one document (`audit show`), and its deltas."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.deltas import Delta, Rated, delta
from bot.audit.instrument import Instrument
from bot.audit.next_steps import next_steps
from bot.audit.records import Answers, fact, latest_answers, open_blockers, placement_of
from bot.audit.scoring import Scores
from bot.organisation.directory import holders
from bot.store.tables import Answer, Department, DutyName, Plan, PlanStatus


async def answers_before(tx: AsyncSession, department_id: int, latest: Answers) -> Answers:
    """For each latest answer, the one that stood before the sitting it was given in."""
    looks = []
    for criterion, row in latest.items():
        same_sitting = col(Answer.session_id) == row.session_id
        query = select(Answer.id).where(
            Answer.department_id == department_id,
            Answer.criterion == criterion,
            Answer.answered_at < row.answered_at,
            col(Answer.second).is_(False),
        )
        if row.session_id is not None:
            query = query.where(col(Answer.session_id).is_(None) | ~same_sitting)
        before = query.order_by(col(Answer.answered_at).desc(), col(Answer.id).desc()).limit(1).subquery()
        looks.append(select(before.c.id))
    if not looks:
        return {}
    rows = await tx.exec(select(Answer).where(col(Answer.id).in_(union_all(*looks))))
    return {row.criterion: row for row in rows}


async def deltas_of(
    tx: AsyncSession, instrument: Instrument, department_id: int, now: datetime
) -> dict[str, Delta]:
    """The class of the last change of every criterion that was answered more than once, or is stale."""
    latest = await latest_answers(tx, instrument, department_id, now)
    before = await answers_before(tx, department_id, latest)
    leads = {lead.id for lead in await holders(tx, DutyName.LEAD, department_id)}
    found: dict[str, Delta] = {}
    for criterion, row in latest.items():
        earlier = row if row.still_true_at is not None else before.get(criterion)
        kind = delta(instrument, _rated(earlier, None, leads, now), _rated(row, earlier, leads, now), now)
        if kind is not None:
            found[criterion] = kind
    return found


def _rated(row: Answer | None, earlier: Answer | None, leads: set[int | None], now: datetime) -> Any:
    if row is None:
        return None
    said = (row.words, row.probe_words, row.evidence_text)
    added = (
        earlier is not None
        and any(said)
        and said != (earlier.words, earlier.probe_words, earlier.evidence_text)
    )
    new_lead = earlier is not None and earlier.picked_by != row.picked_by and earlier.picked_by not in leads
    return Rated(fact(row, now), row.instrument_version, new_evidence=added, new_lead=new_lead)


async def audit_show(
    tx: AsyncSession, instrument: Instrument, department: Department, now: datetime
) -> dict[str, Any]:
    """States, counted and claimed levels, placement, skipped, stale, deltas, next steps, blockers and plans.

    No raw words stand in it: those are for their author and the programme owner.
    """
    department_id = department.id or 0
    scores = await placement_of(tx, instrument, department_id, now)
    latest = await latest_answers(tx, instrument, department_id, now)
    blockers = await open_blockers(tx, department_id, now)
    plans = await tx.exec(
        select(Plan)
        .where(
            Plan.department_id == department_id, col(Plan.status).in_((PlanStatus.OPEN, PlanStatus.NOT_YET))
        )
        .order_by(col(Plan.id))
    )
    return {
        "department": department.slug,
        "name": department.name,
        "at": now.isoformat(),
        "instrument": instrument.version,
        "mode": scores.mode,
        "criteria": _criteria(scores, latest),
        "models": dict(scores.models),
        "own": dict(scores.own),
        **_placement(scores),
        "stale": [name for name, each in scores.criteria.items() if each.stale],
        "deltas": await deltas_of(tx, instrument, department_id, now),
        "next_steps": [asdict_step(step) for step in next_steps(instrument, scores)[:3]],
        "blockers": [
            {
                "code": row.code,
                "owner": row.owner,
                "raised_at": row.raised_at.isoformat(),
                "escalated": bool(row.escalated_at),
            }
            for row in blockers
        ],
        "plans": [
            {"criterion": row.criterion, "text": row.text, "due_on": row.due_on and row.due_on.isoformat()}
            for row in plans
        ],
    }


def _criteria(scores: Scores, latest: Answers) -> dict[str, Any]:
    return {
        name: {
            "claimed": each.claimed,
            "counted": each.counted,
            "stale": each.stale,
            "confidence": each.confidence,
            "evidence": latest[name].evidence.value if name in latest and each.counted is not None else None,
            "at": latest[name].answered_at.isoformat() if name in latest else None,
            "ended_by": latest[name].expired_by if name in latest else None,
        }
        for name, each in scores.criteria.items()
    }


def _placement(scores: Scores) -> dict[str, Any]:
    placed = scores.placement
    return {
        "operational_through": placed.operational_through,
        "working_model": placed.working_model,
        "reach": placed.reach,
        "skipped": [
            {
                "model": skip.model,
                "severity": skip.severity,
                "because": [str(reason) for reason in skip.because],
            }
            for skip in placed.skipped
        ],
    }


def asdict_step(step: Any) -> dict[str, Any]:
    """A next step as plain values."""
    plain_step = asdict(step)
    plain_step["steps"] = [each.model_dump() for each in step.steps]
    return plain_step
