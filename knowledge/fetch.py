"""Fetching one page from the web without becoming a way into the company's own network.

A name is resolved once; every address it has must be a public one, and the connection goes to exactly those
addresses, so that a name that changes its mind in between (DNS rebinding) gains nothing. Each redirect is
checked anew. Hosts of the company's own that an administrator listed may have any address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from knowledge.extract_text import Unreadable

MAX_BYTES = 25_000_000
SECONDS = 20.0
MAX_REDIRECTS = 5
PORTS = {80, 443, 8080, 8443}
"""Where web servers listen; on other ports live other services."""

_ALLOWING = "An administrator can allow this host in STAGECOACH_INTERNAL_HOSTS"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host name (the name, the port), as text."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1, deprecated
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")  # RFC 4291, 2.4: all global unicast handed out so far
_CLOSED_V4 = [
    ipaddress.ip_network("100.64.0.0/10"),  # RFC 6598: carriers, and clouds' own services
    ipaddress.ip_network("192.0.0.0/24"),  # RFC 6890: protocol assignments; a cloud's metadata service
    ipaddress.ip_network("192.88.99.0/24"),  # RFC 7526: relays of 6to4
]


@dataclass(frozen=True)
class Page:
    """What a URL gave: its final address, a file name that tells its kind, and its bytes."""

    url: str
    name: str
    data: bytes


class Fetcher:
    """Fetches http and https URLs. `internal` lists hosts, as `host` or `host:port`, that an administrator
    allows whatever their address."""

    def __init__(self, internal: Iterable[str] = (), resolve: Resolve | None = None) -> None:
        self._internal = {entry.strip().lower().rstrip(".") for entry in internal if entry.strip()}
        self._resolve = resolve or _system_resolve

    def trusts(self, host: str) -> bool:
        """Whether addresses of `host` may stay in a document's text."""
        return any(entry.rsplit(":", 1)[0] == host.lower().rstrip(".") for entry in self._internal)

    async def fetch(self, url: str) -> Page:
        """The page at `url`, at most MAX_BYTES and SECONDS. Raises Unreadable with what to do."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._follow(url)
        except TimeoutError:
            raise Unreadable(f"did not arrive within {SECONDS:.0f} seconds. Try again later") from None
        except aiohttp.ClientError as error:
            raise Unreadable(_unreached(error)) from error

    async def _follow(self, url: str) -> Page:
        target = self._parsed(url)
        for _ in range(MAX_REDIRECTS + 1):
            addresses = await self._allowed_addresses(target)
            page = await _get(target, addresses)
            if isinstance(page, Page):
                return page
            target = self._parsed(page)
        raise Unreadable(f"was forwarded more than {MAX_REDIRECTS} times")

    def _parsed(self, url: str) -> URL:
        try:
            target = URL(url.strip())
            host, port = target.raw_host, target.port
        except ValueError:
            raise Unreadable("is not a web address") from None
        if target.scheme not in ("http", "https") or not host or port is None:
            raise Unreadable("is not a web address that begins with http:// or https://")
        if target.user is not None or target.password is not None:
            raise Unreadable("carries a name and password. Leave them out")
        if port not in PORTS and not self._listed(target):
            raise Unreadable(f"is on port {port}, where no web page should be. {_ALLOWING}")
        return target.with_fragment(None)

    def _listed(self, target: URL) -> bool:
        host = (target.raw_host or "").lower().rstrip(".")
        return host in self._internal or f"{host}:{target.port}" in self._internal

    async def _allowed_addresses(self, target: URL) -> list[str]:
        host = target.raw_host or ""
        try:
            found = await self._resolve(host, target.port or 0)
        except (OSError, UnicodeError):
            raise Unreadable(f"names a host that can't be found ({host[:100]})") from None
        if not found:
            raise Unreadable(f"names a host that can't be found ({host[:100]})")
        if not self._listed(target) and not all(is_public(address) for address in found):
            raise Unreadable(f"leads into a private network ({host[:100]}). {_ALLOWING}")
        return found


def _unreached(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientSSLError):
        return "can't be reached safely: its certificate or encryption is at fault"
    return "can't be fetched: the connection failed. Check the address, or try again later"


def _refused(status: int) -> str:
    """What a page that was not given says to whoever wanted it in the library."""
    if status in (401, 403, 407):
        return f"asks for a login (status {status}). Save the page as a file and add that"
    if status in (404, 410):
        return f"is not there (status {status}). Check the address"
    if status == 429 or status >= 500:
        return f"has trouble at its server (status {status}). Try again later"
    return f"answers with status {status} in place of a page. Check the address"


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet, seen through every way of wrapping IPv4 in IPv6."""
    try:
        parsed: Address = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    return all(_is_plainly_public(each) for each in [parsed, *_wrapped(parsed)])


def _wrapped(address: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    inner: list[Address] = []
    if address.ipv4_mapped:
        inner.append(address.ipv4_mapped)
    if address.sixtofour:
        inner.append(address.sixtofour)
    if address.teredo:
        inner.extend(address.teredo)
    if address in _NAT64 or address in _COMPATIBLE:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return inner


def _is_plainly_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address in _NAT64:
            return True  # judged by the address inside
        return address in _GLOBAL_V6 and address.is_global
    closed = any(address in network for network in _CLOSED_V4)
    return address.is_global and not (closed or address.is_multicast or address.is_reserved)


async def _system_resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class _Pinned(AbstractResolver):
    """Knows one host: the one that was checked, at the addresses that were checked."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _get(target: URL, addresses: list[str]) -> Page | str:
    """The page, or where it is forwarded to."""
    connector = aiohttp.TCPConnector(resolver=_Pinned(addresses), use_dns_cache=False, force_close=True)
    # trust_env stays off: a proxy from the environment would resolve names by itself.
    async with (
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(
            target, allow_redirects=False, headers={"User-Agent": "Stagecoach", "Accept": "text/*, */*;q=0.5"}
        ) as response,
    ):
        if response.status in (301, 302, 303, 307, 308) and "Location" in response.headers:
            return str(target.join(URL(response.headers["Location"])))
        if response.status != 200:
            raise Unreadable(_refused(response.status))
        data = await _read(response)
        return Page(str(target), _file_name(target, response.content_type), data)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    # The content is unpacked on the way: what counts is its size afterwards.
    async for part in response.content.iter_chunked(65_536):
        data += part
        if len(data) > MAX_BYTES:
            raise Unreadable(f"is larger than {MAX_BYTES // 1_000_000} MB")
    return bytes(data)


_ENDINGS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/csv": ".csv",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "application/zip": ".zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


def _file_name(target: URL, content_type: str) -> str:
    name = target.name or "page"
    ending = _ENDINGS.get(content_type)
    if ending is None or (ending == ".txt" and name.endswith((".md", ".markdown", ".csv"))):
        return name
    return name if name.endswith(ending) else name + ending
