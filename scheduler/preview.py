"""A digest without sending it: of a frozen week, or of one that is still running."""

from __future__ import annotations

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.clock import previous_weeks
from bot.errors import InputError, NotFound
from bot.store.engine import Store
from bot.store.tables import Company, Department
from scheduler.digest import Digest, company_digest, department_digest, render_digest
from scheduler.freezing import (
    company_trend,
    compute,
    department_trend,
    ensure_frozen,
    last_whole_week,
    week_end,
)


async def preview_digest(
    store: Store, instrument: Instrument, week: str | None, department: Department | None, now: datetime
) -> Digest:
    """The digest of `week` (the last whole one if None) as it would be sent, of the company or a department.

    A week that is over is frozen on the way, as its digest would do; a running one is computed and not kept.
    Raises NotFound where there are no figures, InputError for a week that has not begun.
    """
    async with store.read() as session:
        company = await session.get(Company, 1)
    if company is None:
        raise NotFound("There is no organisation yet. Describe it with: stagecoach org import FILE")
    key = week or last_whole_week(now, company.time_zone)
    begins = week_end(previous_weeks(key, 2)[0], company.time_zone)
    if begins > now:
        raise InputError(f"The week {key} has not begun yet.")
    if week_end(key, company.time_zone) <= now:
        return await _whole_week(store, instrument, key, department, now)
    await ensure_frozen(store, instrument, previous_weeks(key, 2)[0], now)
    async with store.read() as session:
        return await _running_week(session, instrument, key, company, department, now)


async def _whole_week(
    store: Store, instrument: Instrument, week: str, department: Department | None, now: datetime
) -> Digest:
    await ensure_frozen(store, instrument, week, now)
    async with store.read() as session:
        digest = await render_digest(session, instrument, week, department.id if department else None)
    if digest is None:
        raise NotFound(f"There are no figures of {week}.")
    return digest


async def _running_week(
    session: AsyncSession,
    instrument: Instrument,
    week: str,
    company: Company,
    department: Department | None,
    now: datetime,
) -> Digest:
    weeks, total = await compute(session, instrument, week, now)
    if department is None:
        trend = {**await company_trend(session, week), week: total}
        return company_digest(instrument, company.name, week, weeks, trend)
    if department.slug not in weeks:
        raise NotFound(f"There are no figures of {week}.")
    own = weeks[department.slug]
    past = await department_trend(session, week, department.id or 0)
    return department_digest(instrument, week, own, {**past, week: own})
