"""The language model's faults, over HTTP in the model's own protocol: each ends in an answer.

Time limits are shortened, so that "for ever" need not be waited for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot.llm import MAX_STREAMED, OpenAIModel, Outcome
from bot.store.tables import Band
from knowledge.answer import Source, extractive
from knowledge.worded import CUT_SHORT, Asked, with_model
from tests.fakes.live import Watched
from tests.fakes.responses_server import ResponsesServer, responses_server

TEXT = "Everybody has 30 days of leave a year. Unused days may not be carried over.\nAsk 14 days before."
LEAVE = Source(
    passage_id=1, document_id=1, document="Leave", section="Annual leave", text=TEXT, version=2, score=1.0
)
FIRST = {"text": "You have 30 days.", "passage": 1, "quote": "Everybody has 30 days of leave a year."}
TODAY = date(2026, 11, 18)
SECOND = {"text": "Ask 14 days ahead.", "passage": 1, "quote": "Ask 14 days before."}
GOOD = {"answered": True, "claims": [FIRST, SECOND]}
AFTER_FIRST = json.dumps(GOOD).index("}") + 3
PLAIN = extractive("How many days?", Band.ANSWER, [LEAVE], lambda _, text: [text.split(". ")[0] + "."], TODAY)


ENDED_BY_TIME = ("slow", "silent", "trickle", "stall")


class Impatient(OpenAIModel):
    """Gives up after a moment."""

    async def streamed(self, *args: Any, **_: Any) -> Outcome[Any]:
        return await super().streamed(*args, timeout_s=2.0, whole_s=3.0)


@pytest.fixture(scope="module")
def loaded() -> None:
    """The client's parts are imported with its first call, which must not count as waiting for a model."""

    async def call() -> None:
        async with responses_server() as running:
            running.answers = [GOOD]
            model = OpenAIModel.connect("k", "tiny", running.address)
            await with_model(model, Asked("How many days?"), [LEAVE], PLAIN, TODAY)
            await model.close()

    asyncio.run(call())


@pytest.fixture
async def server(loaded: None) -> AsyncIterator[ResponsesServer]:
    async with responses_server() as running:
        running.answers = [GOOD]
        yield running


async def asked(server: ResponsesServer, live: Watched, address: str | None = None):
    kind = Impatient if server.behaviour in ENDED_BY_TIME else OpenAIModel
    model = kind.connect("k", "tiny", address or server.address)
    try:
        return await with_model(model, Asked("How many days?"), [LEAVE], PLAIN, TODAY, live=live)
    finally:
        await model.close()


async def test_checked_claims_are_shown_as_they_come_and_stay(server):
    live = Watched()
    answer = await asked(server, live)
    assert len(live.written) == 2
    assert live.text == answer.text
    assert (answer.model, answer.settled, len(answer.citations)) == ("tiny", True, 2)
    (request,) = server.asked
    assert (request["store"], request["stream"]) == (False, True)
    assert "tools" not in request
    form = request["text"]["format"]
    assert (form["type"], form["strict"]) == ("json_schema", True)
    assert form["schema"]["additionalProperties"] is False
    assert form["schema"]["$defs"]["Claim"]["required"] == ["text", "passage", "quote"]


NOTHING_CAME = ("429", "500", "503", "401", "slow", "silent", "trickle", "refusal", "not json")


@pytest.mark.parametrize("behaviour", NOTHING_CAME)
async def test_where_nothing_came_the_answer_is_the_one_without_a_model(server, behaviour):
    server.behaviour = behaviour
    live = Watched()
    assert await asked(server, live) == replace(PLAIN, settled=False)
    assert live.written == []


async def test_a_model_that_can_not_be_reached_costs_nothing_but_its_words(server):
    assert await asked(server, Watched(), "http://127.0.0.1:9") == replace(PLAIN, settled=False)


BROKEN = ("stall", "hang up", "stops", "error", "failed", "incomplete")


@pytest.mark.parametrize("behaviour", BROKEN)
@pytest.mark.parametrize("cut_after", [0, 20, AFTER_FIRST - 20])
async def test_a_stream_that_breaks_before_the_first_claim_changes_nothing(server, behaviour, cut_after):
    server.behaviour, server.cut_after = behaviour, cut_after
    live = Watched()
    assert await asked(server, live) == replace(PLAIN, settled=False)
    assert live.written == []


@pytest.mark.parametrize("behaviour", BROKEN)
@pytest.mark.parametrize("cut_after", [AFTER_FIRST, AFTER_FIRST + 40])
async def test_a_stream_that_breaks_later_keeps_what_was_shown_and_says_so(server, behaviour, cut_after):
    server.behaviour, server.cut_after = behaviour, cut_after
    live = Watched()
    answer = await asked(server, live)
    assert len(live.written) == 1
    assert answer.text == f"{live.text}\n\n{CUT_SHORT}"
    assert (answer.model, answer.settled, len(answer.citations)) == ("tiny", False, 1)


async def test_an_endless_stream_is_cut(server):
    server.behaviour, server.answers = "endless", [json.dumps(GOOD)[:-1] + " " * (MAX_STREAMED // 8)]
    live = Watched()
    answer = await asked(server, live)
    assert answer.text == f"{live.text}\n\n{CUT_SHORT}"
    assert len(live.written) == 2


WRONG = {
    "broken JSON": '{"answered": true, "claims": [{"text": "You have 30',
    "no JSON": "Sure! You have 30 days.",
    "another shape": '{"answer": "You have 30 days."}',
    "too deep": "[" * 9_000,
    "invented passage": {"answered": True, "claims": [FIRST | {"passage": 9}]},
    "invented quote": {"answered": True, "claims": [FIRST | {"quote": "Everybody has 30 days off."}]},
    "invented number": {"answered": True, "claims": [FIRST | {"text": "You have 45 days."}]},
    "an address": {"answered": True, "claims": [FIRST | {"text": "You have 30 days: http://x.example"}]},
    "does not answer, says so late": '{"claims": [' + json.dumps(FIRST) + '], "answered": false}',
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG.keys())
async def test_a_model_that_talks_nonsense_changes_nothing(server, answer):
    server.answers = [answer]
    live = Watched()
    found = await asked(server, live)
    assert replace(found, settled=True) == PLAIN
    assert live.written == []
