"""Whether the process lives, whether it is ready, and its figures for Prometheus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from bot.errors import StagecoachError

Check = Callable[[], Awaitable[None]]
"""Returns if all is well; raises a StagecoachError that says what is not."""


@dataclass(frozen=True)
class Metric:
    """One figure. `values` holds a number per set of labels; the empty set is `()`."""

    name: str
    help: str
    kind: str
    values: Mapping[tuple[tuple[str, str], ...], float]


Metrics = Callable[[], Awaitable[list[Metric]]]

_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def health_routes(checks: Mapping[str, Check], metrics: Metrics) -> list[web.RouteDef]:
    """/healthz, /readyz and /metrics. `checks` are asked in turn by /readyz; their names are shown."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"alive": True}, headers=_NO_STORE)

    async def readyz(_: web.Request) -> web.Response:
        found = {name: await _outcome(check) for name, check in checks.items()}
        ready = all(outcome == "ok" for outcome in found.values())
        return web.json_response(
            {"ready": ready, "checks": found}, status=200 if ready else 503, headers=_NO_STORE
        )

    async def figures(_: web.Request) -> web.Response:
        body = exposition(await metrics()).encode()
        return web.Response(
            body=body, headers={**_NO_STORE, "Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", figures)]


async def _outcome(check: Check) -> str:
    try:
        await check()
    except StagecoachError as error:
        return str(error)
    return "ok"


def exposition(metrics: list[Metric]) -> str:
    """The figures in the text format of Prometheus, version 0.0.4."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {_escape(metric.help)}", f"# TYPE {metric.name} {metric.kind}"]
        lines += [
            f"{metric.name}{_labels(labels)} {float(value)!r}" for labels, value in metric.values.items()
        ]
    return "\n".join(lines) + "\n"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    inside = ",".join(
        f'{name}="{_escape(value).replace(chr(34), chr(92) + chr(34))}"' for name, value in labels
    )
    return "{" + inside + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
