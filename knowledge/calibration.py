"""The bands' limits between the database and the index: found once, kept, and used by every process.

Finding them takes seconds in a large library. They are found anew where the library, or what people have
confirmed, has changed by about a tenth since.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from sqlalchemy import delete
from sqlmodel import col

from bot.store.engine import Store
from bot.store.outbox import insert_once
from bot.store.tables import BandLimits
from knowledge.bands import Bands, Calibration
from knowledge.confirmed import confirmed
from knowledge.port import Retriever


async def settle(store: Store, retriever: Retriever) -> None:
    """Give the index its limits: the kept ones where they still fit, else new ones, which are kept."""
    async with store.read() as session:
        row = await session.get(BandLimits, retriever.model)
        pairs = await confirmed(session)
    kept = _calibration(row) if row else None
    settled = await asyncio.to_thread(retriever.settle, kept, pairs)
    if settled is not None and settled != kept:
        await _keep(store, retriever.model, settled)


def _calibration(row: BandLimits) -> Calibration:
    bands = Bands(row.limits["answer"], row.limits["closest"])
    return Calibration(bands, row.passages, row.confirmed)


async def _keep(store: Store, model: str, found: Calibration) -> None:
    row: dict[str, object] = {
        "model": model,
        "passages": found.passages,
        "confirmed": found.confirmed,
        "limits": asdict(found.bands),
    }
    async with store.write() as tx:
        await tx.exec(delete(BandLimits).where(col(BandLimits.model) == model))
        await insert_once(tx, BandLimits, [row], ("model",))
