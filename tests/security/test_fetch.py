"""Fetching a policy from the web never becomes a way into the company's own network."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from knowledge.extract_text import Unreadable
from knowledge.fetch import MAX_BYTES, Fetcher, is_public
from knowledge.sources import gather
from tests.support.files import zipped

PUBLIC = "93.184.215.14"

NAMES = {
    "public.example": [PUBLIC],
    "internal.example": ["10.1.2.3"],
    "both.example": [PUBLIC, "127.0.0.1"],
    "six.example": ["fd00:ec2::254"],
    "mapped.example": ["::ffff:169.254.169.254"],
    "scoped.example": ["fe80::1%eth0"],
    "nothing.example": [],
}

FORMS = [
    *(
        "http://127.0.0.1/",
        "http://127.8.9.1:8080/",
        "https://127.0.0.1/",
        "http://localhost/",
        "http://LOCALHOST./",
    ),
    *("http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"),
    *("http://0/", "http://0.0.0.0/", "http://[::]/", "http://[::1]/", "http://[0:0:0:0:0:0:0:1]:8080/"),
    *(
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:0:7f00:1]/",
        "http://[::127.0.0.1]/",
    ),
    *("http://[64:ff9b::7f00:1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::a00:1]/"),
    *("http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/", "http://[2001:0:a9fe:a9fe::1]/"),
    *("http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://100.100.100.200/"),
    *(
        "http://192.0.0.192/",
        "http://100.64.0.1/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
    ),
    *(
        "http://192.168.1.1/",
        "http://198.18.0.1/",
        "http://192.0.2.1/",
        "http://203.0.113.5/",
        "http://224.0.0.1/",
    ),
    *("http://240.0.0.1/", "http://255.255.255.255/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/"),
    *("http://[fc00::1]/", "http://[fec0::1]/", "http://[ff02::1]/", "http://[2001:db8::1]/"),
    *("http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://１２７.0.0.1/"),
    *(
        "http://user:secret@127.0.0.1/",
        "http://public.example@127.0.0.1/",
        "http://127.0.0.1#@public.example/",
    ),
    *("http://127.0.0.1\\@public.example/", "http://public.example:22/", "http://public.example:6379/"),
    *("file:///etc/passwd", "ftp://public.example/", "gopher://127.0.0.1:11211/_stats", "http:///etc/passwd"),
    *("http://internal.example/", "http://both.example/", "http://six.example/", "http://mapped.example/"),
    *("http://scoped.example/", "http://nothing.example/", "http://127.0.0.1%00.public.example/"),
]


async def resolve(host: str, port: int) -> list[str]:
    """The names above; everything else as the system reads numbers, and no real look-up."""
    if host in NAMES:
        return NAMES[host]
    if host.rstrip(".").lower() == "localhost":
        return ["127.0.0.1", "::1"]
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
    return [str(info[4][0]) for info in infos]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that something tries to connect to; only this machine's own servers are reached."""
    tried: list[str] = []
    loop_type = asyncio.SelectorEventLoop
    real = loop_type.sock_connect

    async def sock_connect(self: Any, sock: socket.socket, address: Any) -> None:
        tried.append(address[0])
        if address[0] != "127.0.0.1":
            raise OSError("no network in tests")
        await real(self, sock, address)

    monkeypatch.setattr(loop_type, "sock_connect", sock_connect)
    return tried


@pytest.mark.parametrize("form", FORMS)
async def test_no_form_of_a_private_address_is_connected_to(form: str, connections: list[str]) -> None:
    with pytest.raises(Unreadable):
        await Fetcher(resolve=resolve).fetch(form)
    assert connections == []


def test_there_are_at_least_sixty_forms() -> None:
    assert len(set(FORMS)) >= 60


async def test_a_public_address_is_connected_to_exactly_as_it_was_checked(connections: list[str]) -> None:
    answers = [[PUBLIC], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    with pytest.raises(Unreadable, match="can't be fetched"):
        await Fetcher(resolve=rebinding).fetch("http://rebind.example/")
    assert connections == [PUBLIC]
    assert answers == [["127.0.0.1"]], "resolved once only"


Serve = Callable[[web.Application], Any]


@pytest.fixture
async def site() -> AsyncIterator[tuple[str, web.Application]]:
    """A web server of the company's own, and its `host:port`."""
    app = web.Application()
    routes = {
        "/policy": lambda request: web.Response(
            text="<html><h1>Bikes</h1><p>Free.</p></html>", content_type="text/html"
        ),
        "/moved": lambda request: web.HTTPFound("/policy"),
        "/metadata": lambda request: web.HTTPFound("http://169.254.169.254/latest/"),
        "/file": lambda request: web.HTTPFound("file:///etc/passwd"),
        "/schemeless": lambda request: web.HTTPFound("//10.0.0.1/"),
        "/loop": lambda request: web.HTTPFound("/loop"),
        "/private": lambda request: web.Response(status=403),
        "/missing": lambda request: web.Response(status=404),
        "/ill": lambda request: web.Response(status=503),
        "/numbers": lambda request: web.Response(text="Tool;Limit\nChat;5\n", content_type="text/csv"),
        "/huge": lambda request: web.Response(body=b"x" * (MAX_BYTES + 1)),
        "/bomb": lambda request: _zipped_response(),
        "/all.zip": lambda request: web.Response(
            body=zipped({"a/bikes.md": "Free.", "b.md": "Fast."}), content_type="application/zip"
        ),
    }
    for path, answer in routes.items():
        app.router.add_get(path, _handler(answer))
    runner = web.AppRunner(app)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield f"127.0.0.1:{port}", app
    await runner.cleanup()


def _handler(answer: Callable[[web.Request], web.StreamResponse]) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = answer(request)
        if isinstance(response, web.HTTPException):
            raise response
        return response

    return handle


def _zipped_response() -> web.Response:
    body = gzip.compress(b"x" * (MAX_BYTES + 1))
    return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"})


async def test_a_listed_host_is_fetched_with_its_redirects(site: tuple[str, web.Application]) -> None:
    host, _ = site
    page = await Fetcher([host]).fetch(f"http://{host}/moved")
    assert (page.url, page.name) == (f"http://{host}/policy", "policy.html")
    assert b"Bikes" in page.data


async def test_files_of_a_fetched_archive_are_told_apart(site: tuple[str, web.Application]) -> None:
    host, _ = site
    place = f"http://{host}/all.zip"
    found = [(each.label, each.name) async for each in gather(place, Fetcher([host]))]
    assert found == [(f"{place}: a/bikes.md", "a/bikes.md"), (f"{place}: b.md", "b.md")]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/metadata", "leads into a private network"),
        ("/file", "is not a web address"),
        ("/schemeless", "leads into a private network"),
        ("/loop", "was forwarded more than 5 times"),
        ("/private", r"asks for a login \(status 403\)"),
        ("/missing", r"is not there \(status 404\)"),
        ("/ill", r"has trouble at its server \(status 503\). Try again later"),
        ("/huge", "is larger than 25 MB"),
        ("/bomb", "is larger than 25 MB"),
    ],
)
async def test_every_redirect_is_checked_anew(
    site: tuple[str, web.Application], connections: list[str], path: str, reason: str
) -> None:
    host, _ = site
    with pytest.raises(Unreadable, match=reason):
        await Fetcher([host]).fetch(f"http://{host}{path}")
    assert set(connections) == {"127.0.0.1"}


async def test_what_a_page_is_tells_how_it_is_read(site: tuple[str, web.Application]) -> None:
    """An address without an ending may hold a table; the type that the server names decides."""
    host, _ = site
    (incoming,) = [each async for each in gather(f"http://{host}/numbers", Fetcher([host]))]
    assert (incoming.label, incoming.name) == (f"http://{host}/numbers", "numbers.csv")


async def test_a_host_that_is_not_listed_stays_closed(
    site: tuple[str, web.Application], connections: list[str]
) -> None:
    host, _ = site
    with pytest.raises(Unreadable):
        await Fetcher(["intranet.example"]).fetch(f"http://{host}/policy")
    assert connections == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)
