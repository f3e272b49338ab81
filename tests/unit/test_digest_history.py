"""An old week tells the same numbers whatever became of the people behind it."""

from __future__ import annotations

import json

from sqlmodel import col, delete, select, update

from bot.audit.instrument import load_instrument
from bot.store.engine import Store
from bot.store.tables import Answer, Blocker, CoverageAnswer, Department, Person, SentDigest, WeeklyAggregate
from scheduler.preview import preview_digest
from tests.unit.test_nudge_replies import MONDAY_AFTER, sample_monday


async def erase_everybody(store: Store) -> None:
    """Nobody's words, taps, names or duties are left."""
    async with store.write() as tx:
        await tx.exec(delete(CoverageAnswer))
        await tx.exec(delete(Blocker))
        await tx.exec(
            update(Answer).values(words="", probe_words="", evidence_text="", picked_by=None, level=0)
        )
        await tx.exec(
            update(Person).values(
                name="Somebody",
                email="gone-" + col(Person.email),
                department_id=None,
                archived_at=MONDAY_AFTER,
            )
        )


async def test_an_old_week_is_told_again_from_figures_that_hold_nobody(sqlite_store: Store) -> None:
    await sample_monday(sqlite_store)
    async with sqlite_store.read() as session:
        sent = list(await session.exec(select(SentDigest)))
        names = list(await session.exec(select(Person.name)))
        frozen = json.dumps(list(await session.exec(select(WeeklyAggregate.figures))))
        departments = {row.id: row for row in await session.exec(select(Department))}
    assert not [name for name in names if name in frozen]
    await erase_everybody(sqlite_store)
    assert len({row.department_id for row in sent}) > 2
    for row in sent:
        department = departments.get(row.department_id)
        again = await preview_digest(sqlite_store, load_instrument(), row.week, department, MONDAY_AFTER)
        assert again.content() == row.content
