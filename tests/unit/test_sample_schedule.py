"""What the planner makes of the sample company: the one message that a newcomer should see arrive."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from bot.store.engine import Store
from scheduler.planner import explain
from tests.unit.test_sample_history import DAYS, planted

TUESDAY = 1


@pytest.mark.parametrize("now", DAYS, ids=lambda now: f"{now:%a}")
async def test_on_tuesday_hr_is_asked_and_finance_is_left_alone(sqlite_store: Store, now: datetime) -> None:
    await planted(sqlite_store, now)
    rows = await explain(sqlite_store, now, now + timedelta(days=8))
    audits = [row for row in rows if row["kind"] == "re_audit"]
    sent = [row for row in audits if not row["held"]]
    held = [row for row in audits if row["held"]]
    assert {row["name"] for row in sent} == {"Annika Brandvold"}
    first = date.fromisoformat(str(sent[0]["local_time"])[:10])
    assert first.weekday() == TUESDAY
    assert first - now.date() <= timedelta(days=7)
    assert {row["name"] for row in held} == {"Inês Caldeira"}
    assert all("leave" in str(row["why"]) for row in held)
