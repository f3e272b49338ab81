"""Documents as passages: slices of about 250 words that follow headings, lists and tables.

A passage is a verbatim slice of the document, so that whatever is quoted from it stands in the document.
The embedding model reads 256 word pieces; a passage never has more than it can read, together with its
headings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.sentences import sentence_spans

MAX_PIECES = 250  # word pieces of a passage with its headings; the model reads 254 and two markers
SMALL_PIECES = 60  # a section smaller than this joins its neighbour under the same parent
_HEADING_LENGTH = 160  # characters of title and headings that the model is given

Pieces = Callable[[Sequence[str]], list[list[tuple[int, int]]]]
"""Texts -> the (start, end) characters of their word pieces; `LocalEmbedder.pieces` is one."""


@dataclass(frozen=True)
class Chunk:
    """`text` is `document[start:end]`. `heading_path` goes from the outermost heading inwards.

    A slice that begins inside a table has the table's header row as the last entry of its path.
    """

    text: str
    heading_path: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class _Block:
    """A paragraph, list item, table row, code block or heading line of a document."""

    start: int
    end: int
    path: tuple[str, ...]
    kind: str  # heading, table, text
    header: str = ""  # of a table row that is not the first
    pieces: int = 0


_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`]+")


def embedded_text(title: str, heading_path: Sequence[str], text: str) -> str:
    """What the model reads of a passage: the document's title and headings on a line, then the passage."""
    seen: list[str] = []
    for heading in (title, *heading_path):
        if heading and heading.casefold() not in (s.casefold() for s in seen):
            seen.append(heading)
    return "\n".join(part for part in (" > ".join(seen)[:_HEADING_LENGTH], text) if part)


def chunk(document: str, pieces: Pieces, title: str = "") -> list[Chunk]:
    """The passages of a Markdown document, in order. Only blank space and bare rules lie between them."""
    blocks = list(_blocks(document))
    counts = pieces([document[b.start : b.end] for b in blocks])
    heads = pieces([embedded_text(title, (*b.path, b.header), "") for b in blocks])
    groups: list[_Group] = []
    for block, spans, head in zip(blocks, counts, heads, strict=True):
        for part in _fit(document, block, spans, MAX_PIECES - len(head)):
            _put(groups, part, MAX_PIECES - len(head))
    return [_chunk_of(document, g.blocks) for g in groups if any(b.kind != "heading" for b in g.blocks)]


@dataclass
class _Group:
    """Blocks that become a passage, and how many word pieces they may have beside their headings."""

    blocks: list[_Block]
    budget: int

    @property
    def pieces(self) -> int:
        return sum(block.pieces for block in self.blocks)


def _put(groups: list[_Group], block: _Block, budget: int) -> None:
    """Add a block to the last group if it belongs there and has room, else begin a new group."""
    last = groups[-1] if groups else None
    if last and _belongs(last, block) and last.pieces + block.pieces <= min(last.budget, budget):
        last.blocks.append(block)
        last.budget = min(last.budget, budget)
        return
    # Headings at the end of a full group introduce what follows: they go along.
    carried: list[_Block] = []
    while last and last.blocks and last.blocks[-1].kind == "heading" and _encloses(last.blocks[-1], block):
        carried.insert(0, last.blocks.pop())
    if last and not last.blocks:
        groups.pop()
    if sum(heading.pieces for heading in carried) + block.pieces > budget:
        groups.append(_Group(carried, budget))
        carried = []
    groups.append(_Group([*carried, block], budget))


def _encloses(heading: _Block, block: _Block) -> bool:
    return block.path[: len(heading.path)] == heading.path


def _belongs(group: _Group, block: _Block) -> bool:
    """Whether a block continues the group's section, or the group is too small to stand alone."""
    first, last = group.blocks[0], group.blocks[-1]
    if last.path == block.path:
        return True
    if all(b.kind == "heading" for b in group.blocks):
        return _encloses(first, block)
    return group.pieces < SMALL_PIECES and block.path[: len(first.path) - 1] == first.path[:-1]


def _fit(document: str, block: _Block, spans: list[tuple[int, int]], budget: int) -> Iterator[_Block]:
    """The block, or its parts of at most `budget` word pieces, cut between sentences where it can be."""
    if len(spans) <= budget:
        yield replace(block, pieces=len(spans))
        return
    text = document[block.start : block.end]
    ends = [end for _, end in sentence_spans(text)]
    at = 0
    while at < len(spans):
        last = min(at + budget, len(spans))
        limit = spans[last - 1][1]
        cut = (
            max((e for e in ends if spans[at][0] < e <= limit), default=limit) if last < len(spans) else limit
        )
        taken = next((n for n in range(at, last) if spans[n][0] >= cut), last)
        start, end = block.start + spans[at][0], block.start + spans[taken - 1][1]
        yield replace(block, start=start, end=max(end, block.start + min(cut, limit)), pieces=taken - at)
        at = taken


def _chunk_of(document: str, group: list[_Block]) -> Chunk:
    start, end = group[0].start, group[-1].end
    first = next(b for b in group if b.kind != "heading")
    path = _shared([b.path for b in group if b.kind != "heading"])
    if first.header and group[0] is first:
        path = (*path, first.header)
    return Chunk(document[start:end], path, start, end)


def _shared(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The headings that all blocks have in common; of several sections, the first one's name as well."""
    first = paths[0]
    depth = min(
        next((n for n, (a, b) in enumerate(zip(first, p, strict=False)) if a != b), min(len(first), len(p)))
        for p in paths
    )
    return first[: max(depth, min(len(first), depth + 1))]


def _blocks(document: str) -> Iterator[_Block]:
    """The blocks of a document. Code fences are kept whole; bare rules and blank lines are left out."""
    path: list[tuple[int, str]] = []
    start: int | None = None
    fence = header = ""
    at = 0
    for line in document.splitlines(keepends=True):
        begin, at = at, at + len(line)
        here = tuple(name for _, name in path)
        if fence:
            if line.strip().startswith(fence):
                yield _block(document, start or 0, at, here, "text")
                start, fence = None, ""
            continue
        opening, heading, row = _FENCE.match(line), _ATX.match(line), _ROW.match(line)
        if start is not None and (opening or heading or row or not line.strip() or _ITEM.match(line)):
            yield _block(document, start, begin, here, "text")
            start = None
        if opening:
            start, fence = begin, opening.group(1)
        elif heading:
            level = len(heading.group(1))
            path = [entry for entry in path if entry[0] < level]
            path.append((level, plain_heading(heading.group(2))))
            yield _block(document, begin, at, tuple(name for _, name in path), "heading")
        elif row:
            yield _block(document, begin, at, here, "table", header)
            header = header or plain_heading(line.strip().strip("|"))
        elif line.strip() and start is None:
            start = begin
        if not row:
            header = ""
    if start is not None:
        yield _block(document, start, at, tuple(name for _, name in path), "text")


def _block(document: str, start: int, end: int, path: tuple[str, ...], kind: str, header: str = "") -> _Block:
    return _Block(start, start + len(document[start:end].rstrip()), path, kind, header)


def plain_heading(text: str) -> str:
    """A heading or header row without its markup, on one line."""
    return " ".join(_MARKUP.sub(r"\1", text).replace("|", " | ").split())
