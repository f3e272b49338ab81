"""What a re-audit asks: the answers that stood before, and which of them are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from bot.audit.expiry import why_ended
from bot.audit.instrument import Instrument
from bot.audit.parts import ValueModel
from bot.audit.records import Standing
from bot.audit.state import Known
from bot.store.tables import Claim


def known_answers(
    instrument: Instrument, rows: Mapping[str, Standing], person_id: int, leads: Collection[int]
) -> dict[str, Known]:
    """The stored answers as a sitting shows them to `person_id`.

    Raw words are shown to their author alone. An answer under another major.minor version, by somebody who
    no longer leads the department, or ended early by an event, is asked anew instead of compared.
    """
    return {
        criterion: Known(
            claim=row.claim.value,
            level=row.level,
            counted=row.counted,
            words=row.words if row.picked_by == person_id else "",
            at=row.answered_at,
            still_true_used=row.still_true_at is not None,
            comparable=_comparable(instrument, row, leads),
            ended=why_ended(row),
        )
        for criterion, row in rows.items()
    }


def _comparable(instrument: Instrument, row: Standing, leads: Collection[int]) -> bool:
    same_version = row.instrument_version.rsplit(".", 1)[0] == instrument.comparable_version
    return same_version and row.expired_by is None and row.picked_by in leads


def questions_due(
    instrument: Instrument,
    rows: Mapping[str, Standing],
    no_models: Collection[str],
    active_models: Collection[str],
    now: datetime,
    everything: bool = False,
) -> tuple[str, ...]:
    """The criteria that a re-audit asks, in the order of the models.

    Asked are: what was never answered in the first model, in screening questions and in models that
    screened at 1 or more; what is as old as the cadence (30 days in `active_models`, which have an open
    next step, else 90; what was said not to apply rests for 180); what was ended early or declined;
    with `everything`, all of these whatever their age.
    """
    return tuple(
        criterion.id
        for model in instrument.models
        if model.id not in no_models
        for criterion in model.criteria
        if (criterion.screening or _opened(instrument, model, rows))
        and (everything or _due(instrument, rows.get(criterion.id), model.id in active_models, now))
    )


def _opened(instrument: Instrument, model: ValueModel, rows: Mapping[str, Standing]) -> bool:
    screened = rows.get(model.screening.id)
    first = model.id == instrument.models[0].id
    return first or (screened is not None and (screened.level or 0) >= 1)


def _due(instrument: Instrument, row: Standing | None, active: bool, now: datetime) -> bool:
    if row is None or row.expired_by is not None:
        return True
    if row.declined_at is not None:
        return True
    days = instrument.re_audit_flow.cadence_days["model_with_open_next_step" if active else "default"]
    if row.claim is Claim.NOT_APPLICABLE:
        days = instrument.freshness.stale_after_days
    looked_at = max(row.answered_at, row.still_true_at or row.answered_at)
    return now - looked_at >= timedelta(days=days)
