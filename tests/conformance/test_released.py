"""Sentences that leads let stand in the digest: whose, and of which week."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from bot.audit.instrument import load_instrument
from bot.audit.released import ReleaseUseCase, released_in
from bot.choice_ids import ChoiceId
from bot.messages import Message
from bot.store.engine import Store
from bot.store.tables import Answer, Claim, Company, Department, Duty, DutyName, Person, Role
from bot.turns import Turn
from tests.conftest import NOW

INSTRUMENT = load_instrument()
WEEK = "2026-W47"
LEAD, OTHER = 1, 2
SAID = "Three clerks used it on Monday. Jo typed the others by hand. No."


@pytest.fixture
async def office(store: Store) -> Store:
    async with store.write() as tx:
        tx.add(Company(id=1, name="Larkfield", time_zone="Pacific/Auckland"))
        for number, (slug, people) in enumerate({"finance": 9, "board": 3}.items(), start=1):
            tx.add(Department(id=number, slug=slug, name=slug.title()))
            await tx.flush()
            tx.add(Role(department_id=number, slug=f"{slug}-role", name="Clerk", headcount=people))
        for number in (LEAD, OTHER):
            tx.add(Person(id=number, email=f"{number}@example.com", name=f"N{number}"))
        await tx.flush()
        for number in (1, 2):
            tx.add(Duty(person_id=LEAD, duty=DutyName.LEAD, department_id=number))
        for department, author, words in (
            (1, LEAD, SAID),
            (1, OTHER, "What somebody else said here."),
            (2, LEAD, SAID),
        ):
            tx.add(
                Answer(
                    department_id=department, criterion=f"WE-{author}", claim=Claim.LEVEL, level=2,
                    words=words, picked_by=author, instrument_version=INSTRUMENT.version, answered_at=NOW,
                )
            )  # fmt: skip
    return store


async def turn(
    store: Store, text: str | None = None, choice: str | None = None, person: int = LEAD
) -> Message:
    part = ReleaseUseCase(INSTRUMENT)
    async with store.write() as tx:
        given = Turn(1, person, "web", "c", NOW, text, choice)
        assert choice is not None or await part.wants(tx, given)
        (said,) = await part.apply(tx, given, await part.prepare(given))
    return said


async def test_own_sentences_are_offered_and_one_is_released_in_place_of_another(office: Store) -> None:
    offered = await turn(office, "release a sentence")
    assert "Three clerks used it on Monday." in offered.text
    assert "Jo typed the others by hand." in offered.text
    assert "somebody else" not in offered.text
    assert "Board" not in offered.text, "three people are too few to be shown"
    first, second, _ = offered.choices
    for each, sentence in (
        (first, "Three clerks used it on Monday."),
        (second, "Jo typed the others by hand."),
    ):
        assert sentence in (await turn(office, choice=each.id)).text
        async with office.read() as tx:
            assert await released_in(tx, WEEK) == {"finance": sentence}
    assert (await turn(office, "take my sentence back")).text.startswith("Taken back")


async def test_nobody_releases_what_is_not_theirs(office: Store) -> None:
    offered = await turn(office, "release a sentence")
    said = await turn(office, choice=offered.choices[0].id, person=OTHER)
    assert "no longer" in said.text
    async with office.read() as tx:
        assert [row.released for row in await tx.exec(select(Answer))] == ["", "", ""]


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 11, 15, 10, 59, tzinfo=UTC), False),  # Sunday in Auckland
        (datetime(2026, 11, 15, 11, 0, tzinfo=UTC), True),  # Monday there
        (datetime(2026, 11, 22, 10, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 22, 11, 0, tzinfo=UTC), False),
    ],
)
async def test_a_week_is_that_of_the_company(office: Store, at: datetime, shown: bool) -> None:
    async with office.write() as tx:
        row = (await tx.exec(select(Answer).where(Answer.picked_by == LEAD, Answer.department_id == 1))).one()
        row.released, row.released_at = "Jo typed the others by hand.", at
    async with office.read() as tx:
        assert bool(await released_in(tx, WEEK)) == shown
    back = await turn(office, choice=str(ChoiceId("release", row.id or 0, 0, "back")))
    assert ("has left" in back.text) == (at < datetime(2026, 11, 15, 11, 0, tzinfo=UTC))
