"""A server that speaks the Responses API over HTTP, whole and streamed, and embeds, and fails as it is told.

Event types, their order and their fields are those of the API's reference: created, in_progress, an item, a
part, the text in deltas, and each of them done again before the response is completed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

STEP = 11  # characters of a delta


@dataclass
class ResponsesServer:
    """Answers with `answers` in turn (the last one for good): a document, or raw text.

    `behaviour` is one of: "" (all is well), a status such as "429", "slow" (nothing ever comes), "silent"
    (only reasoning comes), "trickle" (white space without end), "endless" (text without end), "stall" (the
    middle, then nothing), "hang up" (the connection breaks in the middle), "stops" (the stream ends in the
    middle), "error" (an error event in the middle), "failed", "incomplete", "refusal", "not json"; for
    vectors also "too few". What is asked for is kept in `asked` and `embedded`.
    """

    answers: list[dict[str, Any] | str] = field(default_factory=list)
    behaviour: str = ""
    cut_after: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    embedded: list[dict[str, Any]] = field(default_factory=list)
    subjects: list[tuple[str, ...]] = field(default_factory=list)
    address: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST /responses."""
        body = await request.json()
        self.asked.append(body)
        if self.behaviour.isdigit():
            error = {"message": "no", "type": "server_error", "code": None, "param": None}
            headers = {"retry-after": "7"} if self.behaviour == "429" else {}
            return web.json_response({"error": error}, status=int(self.behaviour), headers=headers)
        if self.behaviour == "not json":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        if self.behaviour == "slow":
            await asyncio.sleep(30)
        text = self._next()
        if not body.get("stream"):
            return web.json_response(whole(body, "completed", [message(text)]))
        return await self._streamed(request, body, text)

    async def embed(self, request: web.Request) -> web.Response:
        """POST /embeddings: for each of `subjects` how many of its words a text has, and a small number."""
        body = await request.json()
        self.embedded.append(body)
        if self.behaviour.isdigit():
            return web.json_response({"error": {"message": "no"}}, status=int(self.behaviour))
        if self.behaviour == "slow":
            await asyncio.sleep(30)
        if self.behaviour == "not json":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        rows = [
            [*(float(sum(word in text.lower() for word in words)) for words in self.subjects), 0.1]
            for text in body["input"]
        ]
        data = [{"object": "embedding", "index": n, "embedding": row} for n, row in enumerate(rows)]
        if self.behaviour == "too few":
            data = data[1:]
        found = {"object": "list", "data": data[::-1], "model": body["model"]}
        return web.json_response(found | {"usage": {"prompt_tokens": 1, "total_tokens": 1}})

    def _next(self) -> str:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, str) else json.dumps(answer)

    async def _streamed(self, request: web.Request, body: dict[str, Any], text: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        stream = _Events(response)
        await stream.send("response.created", response=whole(body, "in_progress", []))
        await stream.send("response.in_progress", response=whole(body, "in_progress", []))
        with suppress(ConnectionError):  # whoever asked may have had enough
            await self._told(request, stream, body, text)
        return response

    async def _told(self, request: web.Request, stream: _Events, body: dict[str, Any], text: str) -> None:
        if self.behaviour == "silent":
            while True:
                await stream.send("response.reasoning_text.delta", delta="hm", **stream.place)
                await asyncio.sleep(0.02)
        await stream.send("response.output_item.added", output_index=0, item=message("", "in_progress"))
        if self.behaviour == "refusal":
            await self._refused(stream, body)
            return
        await stream.send("response.content_part.added", part=part(""), **stream.place)
        await self._deltas(request, stream, text)
        if self.behaviour in ("stops", "hang up"):
            return
        if self.behaviour == "error":
            await stream.send("error", code="server_error", message="gone", param=None)
            return
        if self.behaviour in ("failed", "incomplete"):
            ended = whole(body, self.behaviour, [message(text[: self.cut_after], "incomplete")])
            await stream.send(f"response.{self.behaviour}", response=ended)
            return
        await stream.send("response.output_text.done", text=text, logprobs=[], **stream.place)
        await stream.send("response.content_part.done", part=part(text), **stream.place)
        await stream.send("response.output_item.done", output_index=0, item=message(text))
        await stream.send("response.completed", response=whole(body, "completed", [message(text)]))

    async def _deltas(self, request: web.Request, stream: _Events, text: str) -> None:
        if self.behaviour in ("trickle", "endless"):
            while True:
                await stream.delta(" " if self.behaviour == "trickle" else text)
                await asyncio.sleep(0.005)
        broken = self.behaviour in ("stall", "hang up", "stops", "error", "failed", "incomplete")
        said = text[: self.cut_after] if broken else text
        for start in range(0, len(said), STEP):
            await stream.delta(said[start : start + STEP])
        if self.behaviour == "stall":
            await asyncio.sleep(30)
        if self.behaviour == "hang up" and request.transport is not None:
            request.transport.abort()

    async def _refused(self, stream: _Events, body: dict[str, Any]) -> None:
        refusal = {"type": "refusal", "refusal": "I won't."}
        await stream.send("response.content_part.added", part=refusal | {"refusal": ""}, **stream.place)
        await stream.send("response.refusal.delta", delta="I won't.", **stream.place)
        await stream.send("response.refusal.done", refusal="I won't.", **stream.place)
        ended = whole(body, "completed", [message("") | {"content": [refusal]}])
        await stream.send("response.completed", response=ended)


class _Events:
    """Server-sent events, numbered."""

    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}  # noqa: RUF012 - never changed

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response
        self._number = -1

    async def send(self, kind: str, **fields: Any) -> None:
        self._number += 1
        data = json.dumps({"type": kind, "sequence_number": self._number, **fields})
        await self._response.write(f"event: {kind}\ndata: {data}\n\n".encode())

    async def delta(self, text: str) -> None:
        await self.send("response.output_text.delta", delta=text, logprobs=[], **self.place)


def part(text: str) -> dict[str, Any]:
    """The text part of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message(text: str, status: str = "completed") -> dict[str, Any]:
    """The item that holds the answer."""
    content = [part(text)] if text else []
    return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}


def whole(body: dict[str, Any], status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    """A response object."""
    incomplete = {"reason": "max_output_tokens"} if status == "incomplete" else None
    error = {"code": "server_error", "message": "gone"} if status == "failed" else None
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_763_900_000,
        "status": status,
        "error": error,
        "incomplete_details": incomplete,
        "instructions": body.get("instructions"),
        "model": body["model"],
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "text": body.get("text"),
        "metadata": {},
        "usage": None,
    }


@asynccontextmanager
async def responses_server() -> AsyncIterator[ResponsesServer]:
    """The server on a free port; `address` is its base URL."""
    server = ResponsesServer()
    app = web.Application()
    app.router.add_post("/responses", server.handle)
    app.router.add_post("/embeddings", server.embed)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
