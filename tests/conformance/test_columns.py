"""Rows and columns past the unit of work, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.store.columns import add, change, columns, objects
from bot.store.engine import Store
from bot.store.outbox import inserted
from bot.store.tables import Audience, Department, Person, Revision

NAME = select(Person.name, Person.country).where(Person.email == "kim@larkfield.example")


KIM = {"email": "kim@larkfield.example", "name": "Kim Sato"}


def kim() -> Person:
    return Person(**KIM)


async def test_a_look_at_columns_sees_what_an_object_has_become(store: Store) -> None:
    async with store.write() as tx:
        person = kim()
        tx.add(person)
        assert await columns(tx, NAME) == [("Kim Sato", person.country)]
        person.name = "Kim Sato-Roth"
        assert (await columns(tx, NAME))[0].name == "Kim Sato-Roth"


async def test_a_change_is_there_for_the_object_and_for_everybody_else(store: Store) -> None:
    async with store.write() as tx:
        person = await add(tx, Person, KIM)
        await change(tx, person, {"name": "Kim"})
        stored = await tx.get_one(Person, person.id)
        stored.country = "NL"
        await change(tx, stored, {"name": "Kim S."})
        assert (person.name, stored.name) == ("Kim", "Kim S.")
    async with store.read() as tx:
        assert await columns(tx, NAME) == [("Kim S.", "NL")]


async def test_what_is_the_same_is_not_written(store: Store) -> None:
    async with store.write() as tx:
        person = await add(tx, Person, KIM)
        stored = await tx.get_one(Person, person.id)
        stored.name, stored.country = "Kim Sato-Roth", "NL"
        await change(tx, person, {"name": "Kim Sato", "country": person.country})
        assert await columns(tx, NAME) == [("Kim Sato-Roth", "NL")]
        await change(tx, person, {"name": "Kim", "country": person.country})
        assert await columns(tx, NAME) == [("Kim", "NL")]


PEOPLE = (
    select(Person, Department)
    .outerjoin(Department, col(Department.id) == Person.department_id)
    .where(col(Person.email).in_(bindparam("emails", expanding=True)))
    .order_by(Person.name)
)


async def test_objects_are_those_of_the_transaction(store: Store) -> None:
    emails = ("kim@larkfield.example", "ada@larkfield.example")
    async with store.write() as tx:
        team = Department(slug="finance", name="Finance", ad_audience=Audience.NONE)
        tx.add(team)
        await tx.flush()
        ada = Person(email=emails[1], name="Ada Roth", department_id=team.id, working_days=[1, 2])
        tx.add_all([kim(), ada])
    async with store.write() as tx:
        found = await objects(tx, PEOPLE, {"emails": emails})
        assert found == (await tx.exec(PEOPLE, params={"emails": emails})).all()
        [(ada, team), (other, none)] = found
        assert (ada.name, ada.working_days, team.ad_audience, none) == (
            "Ada Roth",
            [1, 2],
            Audience.NONE,
            None,
        )
        assert team is await tx.get(Department, team.id)
        other.name = "Kim Sato-Roth"
        assert await objects(tx, PEOPLE, {"emails": emails[:1]}) == [(other, None)]
    async with store.read() as tx:
        [(person, _)] = await objects(tx, PEOPLE, {"emails": emails[:1]})
        assert (person.name, await objects(tx, PEOPLE, {"emails": ()})) == ("Kim Sato-Roth", [])


async def test_a_second_row_of_one_kind_is_refused_or_left_out(store: Store) -> None:
    async with store.write() as tx:
        await add(tx, Person, KIM)
        row = {"name": "policies", "value": 1}
        assert await inserted(tx, Revision, [row]) == ["policies"]
        assert await inserted(tx, Revision, [row]) == []
        with pytest.raises(IntegrityError):
            await add(tx, Person, KIM)
