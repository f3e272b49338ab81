"""Whatever a model's server does, the caller gets a value or a reason, in time. Against a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from openai import AsyncOpenAI
from pydantic import BaseModel

from bot.llm import OpenAIModel


class Pair(BaseModel):
    low: int
    high: int


def _response(text: str | None, refusal: str | None = None) -> dict:
    part = (
        {"type": "refusal", "refusal": refusal}
        if refusal
        else {"type": "output_text", "text": text, "annotations": []}
    )
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}
    return {
        "id": "r",
        "object": "response",
        "created_at": 0,
        "model": "m",
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
    }


class Server:
    """Answers POST /responses as told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.behaviour = "good"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        match self.behaviour:
            case "slow":
                await asyncio.sleep(30)
            case "trickle":
                stream = web.StreamResponse(headers={"content-type": "application/json"})
                await stream.prepare(request)
                while True:
                    await stream.write(b" ")
                    await asyncio.sleep(0.02)
            case "429" | "500" | "401":
                return web.json_response({"error": {"message": "no"}}, status=int(self.behaviour))
            case "broken":
                return web.json_response(_response('{"low": 1, "hi'))
            case "wrong shape":
                return web.json_response(_response('{"low": "x"}'))
            case "refusal":
                return web.json_response(_response(None, refusal="I won't"))
            case "nothing":
                return web.json_response(_response(None) | {"output": []})
            case "not json":
                return web.Response(text="<html>gateway</html>", content_type="application/json")
        return web.json_response(_response(json.dumps({"low": 1, "high": 2})))


@pytest.fixture
async def served() -> AsyncIterator[tuple[Server, OpenAIModel]]:
    server = Server()
    app = web.Application()
    app.router.add_post("/responses", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    model = OpenAIModel(AsyncOpenAI(api_key="k", base_url=f"http://127.0.0.1:{port}", max_retries=0), "tiny")
    yield server, model
    await model.close()
    await runner.cleanup()


async def test_a_good_answer_is_typed_and_nothing_is_stored_there(served):
    server, model = served
    outcome = await model.parsed("Place it.", "words", Pair)
    assert outcome.value == Pair(low=1, high=2)
    assert server.asked[0]["store"] is False
    assert server.asked[0]["input"] == "words"
    assert server.asked[0]["text"]["format"]["strict"] is True


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("slow", "time-out"),
        ("trickle", "time-out"),
        ("429", "rate limit"),
        ("500", "refused by the service"),
        ("401", "refused by the service"),
        ("broken", "unusable"),
        ("wrong shape", "unusable"),
        ("refusal", "refusal"),
        ("nothing", "unusable"),
        ("not json", "unusable"),
    ],
)
async def test_every_fault_ends_in_a_reason(served, behaviour, reason):
    server, model = served
    server.behaviour = behaviour
    patience = 0.3 if reason == "time-out" else 30.0
    outcome = await model.parsed("Place it.", "words", Pair, timeout_s=patience)
    assert (outcome.value, outcome.reason) == (None, reason)


async def test_a_server_that_is_not_there_is_unreachable():
    model = OpenAIModel.connect("k", "tiny", "http://127.0.0.1:9")
    assert (await model.parsed("Place it.", "words", Pair)).reason == "unreachable"
    await model.close()
