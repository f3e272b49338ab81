"""The sample company loses everybody, one after the other, and its figures stand as they stood."""

from __future__ import annotations

import json
from typing import Any

from sqlmodel import select

from bot.audit.show import audit_show
from bot.coverage.result import coverage_show
from bot.privacy.erase import erase_person
from bot.privacy.export import export_person
from bot.store.engine import Store
from bot.store.tables import Answer, Department, Person
from tests.support.privacy import all_words
from tests.unit.test_sample_history import INSTRUMENT, MONDAY, planted

_OF_PEOPLE = ("plans", "blockers", "deltas")
"""A step needs somebody who takes it, a blocker tells who can move it, and new words may prove a change."""


async def test_everybody_can_go_and_the_figures_stay(sqlite_store: Store) -> None:
    await planted(sqlite_store)
    before = await _figures(sqlite_store)
    async with sqlite_store.read() as tx:
        people = [(person.name, person.email) for person in await tx.exec(select(Person))]
    for _, email in people:
        async with sqlite_store.write() as tx:
            document = await export_person(tx, email, MONDAY)
            await erase_person(tx, email, MONDAY)
        assert email in json.dumps(document)
    assert await _figures(sqlite_store) == before
    async with sqlite_store.read() as tx:
        assert (await tx.exec(select(Person))).all() == []
        said = {(row.words, row.probe_words, row.evidence_text) for row in await tx.exec(select(Answer))}
        assert said == {("", "", "")}
        words = "\n".join(text for texts in (await all_words(tx)).values() for text in texts)
    assert [mark for person in people for mark in person if mark in words] == []


async def _figures(store: Store) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with store.read() as tx:
        for department in (await tx.exec(select(Department))).all():
            stands = await audit_show(tx, INSTRUMENT, department, MONDAY)
            covered = await coverage_show(tx, INSTRUMENT, department, MONDAY)
            found[department.slug] = {k: v for k, v in stands.items() if k not in _OF_PEOPLE}, covered
    return found
