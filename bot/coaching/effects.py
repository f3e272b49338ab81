"""What a step of the coaching leaves behind: a plan, its new day, evidence, a blocker."""

from __future__ import annotations

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.hearing import evidence_class
from bot.audit.instrument import Instrument
from bot.audit.records import latest_answers
from bot.coaching.plans import new_plan
from bot.coaching.state import AddEvidence, Effect, MovePlan, RaiseBlocker, SavePlan
from bot.store.tables import Answer, Blocker, Claim, DialogueSession, EvidenceClass, Person, Plan, PlanStatus


async def carry_out(
    tx: AsyncSession, instrument: Instrument, row: DialogueSession, effect: Effect, now: datetime
) -> None:
    """Keep what one effect asks for, in the caller's transaction."""
    match effect:
        case SavePlan(criterion=criterion, step=chosen, day=day, after_what=after):
            tx.add(new_plan(row, criterion, chosen, day, after, now))
        case MovePlan(plan=plan_id, day=day):
            plan = await tx.get_one(Plan, plan_id)
            plan.due_on, plan.status, plan.followed_up_at = day, PlanStatus.OPEN, None
        case AddEvidence(plan=plan_id, criterion=criterion, text=text):
            plan = await tx.get_one(Plan, plan_id)
            plan.outcome = text
            await _add_evidence(tx, instrument, row, criterion, text, now)
        case RaiseBlocker(code=code, note=note, owner=owner):
            tx.add(
                Blocker(
                    department_id=row.department_id,
                    code=code,
                    note=note,
                    owner=owner or (await tx.get_one(Person, row.person_id)).name,
                    raised_by=row.person_id,
                    raised_at=now,
                    session_id=row.id,
                )
            )


async def _add_evidence(
    tx: AsyncSession, instrument: Instrument, row: DialogueSession, criterion: str, text: str, now: datetime
) -> None:
    """The same answer again, with what came of the step: the level is the person's, the evidence is
    new.
    """
    before = (await latest_answers(tx, instrument, row.department_id, now)).get(criterion)
    if before is None or before.claim is not Claim.LEVEL or before.level is None:
        return
    given = evidence_class(before.words, f"{before.evidence_text}\n{text}")
    evidence = max(before.evidence, EvidenceClass(given), key=lambda each: each.value)
    copied = before.model_dump(
        exclude={"id", "evidence", "counted", "evidence_text", "answered_at", "session_id", "picked_by"}
    )
    tx.add(
        Answer(
            **copied,
            evidence=evidence,
            counted=min(before.level, instrument.cap(evidence.value)),
            evidence_text=text,
            answered_at=now,
            session_id=row.id,
            picked_by=row.person_id,
        )
    )
