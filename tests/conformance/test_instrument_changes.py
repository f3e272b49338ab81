"""The instrument gets a new version while a sitting is open: nothing told is lost, and nobody is stuck."""

from __future__ import annotations

import pytest
from sqlmodel import select

from bot.audit.instrument import Instrument, load_instrument
from bot.audit.parts import Criterion
from bot.store.tables import Answer
from tests.support.talk import Office, open_office, parts_on

CASE = "In October two of our eight clerks used it for 12 letters."
IMPROVED = "The questions were improved a little since you were last here."


def newer(gone: str = "", reworded: str = "") -> Instrument:
    """The instrument's next version: without the question `gone`, with other anchors for `reworded`."""
    now = load_instrument()

    def anew(criterion: Criterion) -> Criterion:
        levels = {level: f"{text} (new)" for level, text in criterion.levels.items()}
        return criterion.model_copy(update={"levels": levels}) if criterion.id == reworded else criterion

    models = tuple(
        model.model_copy(update={"criteria": tuple(anew(each) for each in model.criteria if each.id != gone)})
        for model in now.models
    )
    fields = {name: getattr(now, name) for name in Instrument.model_fields}
    about = now.about.model_copy(update={"version": "0.2.0"})
    return Instrument.model_construct(**fields | {"models": models, "about": about})


@pytest.fixture
async def office(sqlite_store) -> Office:
    """The lead is at the first question."""
    office = await open_office(sqlite_store)
    await office.say("start")
    await office.say("yes")
    return office


def improve(office: Office, instrument: Instrument) -> None:
    office.parts = parts_on(office.store, instrument, office.proposals)


async def test_other_anchors_are_shown_for_the_words_that_were_told(office):
    await office.say(CASE)
    improve(office, newer(reworded="WE-1"))
    await office.say("b")
    assert office.last.startswith(f"{IMPROVED}\n\nIn the last two weeks")
    assert f"> {CASE}\n\nWhich of these is closest" in office.last
    assert office.last.count("(new)") == 5
    await office.tap_level(2)
    async with office.store.read() as tx:
        [stored] = await tx.exec(select(Answer))
    assert (stored.words, stored.level, stored.instrument_version) == (CASE, 2, "0.2.0")


@pytest.mark.parametrize("before", [(), (CASE,), ("pause",), ("doesn't apply",)])
async def test_a_question_that_is_gone_gives_way_to_the_next(office, before):
    for words in before:
        await office.say(words)
    improve(office, newer(gone="WE-1"))
    await office.say("resume" if before == ("pause",) else "not sure")
    assert office.last.startswith(f"{IMPROVED}\n\n**Question 1 of 3**")
    await office.say(CASE)
    await office.tap_level(1)
    assert "**Question 2 of 3**" in office.last


async def test_an_answer_to_a_question_that_is_gone_stays_stored_and_is_offered_no_more(office):
    await office.say(CASE)
    await office.tap_level(2)
    old = office.button("Skip")
    improve(office, newer(gone="WE-1"))
    await office.say("edit")
    assert "There is no answer to change yet." in office.last
    await office.press(old)
    await office.say("edit reach across roles")
    async with office.store.read() as tx:
        assert [row.criterion for row in await tx.exec(select(Answer))] == ["WE-1"]
