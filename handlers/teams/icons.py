"""The app's two icons, drawn: the wheel of a stagecoach, as on the page.

Each pixel is covered as far as the line reaches into it, so that edges are smooth at any size.
"""

from __future__ import annotations

import math
import struct
import zlib

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
GROUND: Colour = (0x1F, 0x3A, 0x34)
ACCENT = "#1f3a34"

_RIM, _HUB, _LINE = 12.5 / 32, 3 / 32, 2.4 / 32
_SPOKES = [math.radians(72 * number - 90) for number in range(5)]


def colour_icon() -> bytes:
    """192 x 192 pixels: a white wheel on dark green, as a PNG."""
    return _png(192, 0.72, GROUND)


def outline_icon() -> bytes:
    """32 x 32 pixels: a white wheel on nothing, as a PNG."""
    return _png(32, 0.95, None)


def _png(size: int, share: float, ground: Colour | None) -> bytes:
    """A wheel that takes `share` of the picture's width."""
    rows = b"".join(b"\0" + b"".join(_row(size, share, ground, y)) for y in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _row(size: int, share: float, ground: Colour | None, y: int) -> list[bytes]:
    scale = size * share
    return [
        _pixel(_covered((x + 0.5 - size / 2) / scale, (y + 0.5 - size / 2) / scale, scale), ground)
        for x in range(size)
    ]


def _pixel(covered: float, ground: Colour | None) -> bytes:
    if ground is None:
        return bytes((*WHITE, round(255 * covered)))
    mixed = (round(below + (above - below) * covered) for above, below in zip(WHITE, ground, strict=True))
    return bytes((*mixed, 255))


def _covered(x: float, y: float, scale: float) -> float:
    """How much of a pixel the wheel covers, 0 to 1. The wheel's own width is 1."""
    off = min(_from_ring(x, y, _RIM), _from_ring(x, y, _HUB), *(_from_spoke(x, y, a) for a in _SPOKES))
    return max(0.0, min(1.0, 0.5 - (off - _LINE / 2) * scale))


def _from_ring(x: float, y: float, radius: float) -> float:
    return abs(math.hypot(x, y) - radius)


def _from_spoke(x: float, y: float, angle: float) -> float:
    along = x * math.cos(angle) + y * math.sin(angle)
    reached = max(_HUB, min(_RIM, along))
    return math.hypot(x - reached * math.cos(angle), y - reached * math.sin(angle))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
