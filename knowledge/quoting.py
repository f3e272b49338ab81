"""Which words of a passage are quoted, and how a quote looks to people: the words, without their markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.messages import plain
from knowledge.chunk import plain_heading
from knowledge.sentences import sentence_spans
from knowledge.tables import Span, is_row

MAX_QUOTE = 420  # characters of a quote that is put together from several sentences
_WINDOW = 3  # how many decisive sentences a quote may reach for
_RULE = re.compile(r"^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_BULLET = re.compile(r"^[*+•](?=\s)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_OPEN_END = re.compile(r":[*_\s]*$")
_POINTS_BACK = re.compile(
    r"\s*(?:that|this|these|those|it|they|he|she|however|therefore|instead|otherwise|then|also|but|and|so|such|"
    r"in (?:this|that) case|if (?:so|not))\b(?! (?:policy|document|procedure|standard|handbook|page)\b)",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=[\w(\"“'])|(?<=[\w.,:;!?)\"”'’…])[*_](?!\w)|^#+\s+")


def stretch(passage: str, decisive: Sequence[str]) -> str | None:
    """A verbatim slice of `passage` around its most decisive sentence, reaching for the next ones where they
    stand near. None if the sentence does not stand there.

    It begins one sentence earlier where its first words point back ("That means ..."), and goes on with the
    list where it ends with a colon, as far as the length allows.
    """
    places = [(passage.find(sentence), len(sentence)) for sentence in decisive[:_WINDOW] if sentence.strip()]
    if not places or places[0][0] < 0:
        return None
    start, end = places[0][0], places[0][0] + places[0][1]
    for place, length in places[1:]:
        low, high = min(start, place), max(end, place + length)
        if place >= 0 and high - low <= MAX_QUOTE and "\n#" not in passage[low:high]:
            start, end = low, high
    start, end = _whole_table(passage, start, end, places[0][0])
    start, end = _rounded(passage, start, end, places[0])
    return passage[start:end].strip()


def _whole_table(passage: str, start: int, end: int, most: int) -> tuple[int, int]:
    """The ends moved so that no table is cut: a quote of a sentence (which begins at `most`) takes in all of
    its rows or none. One row by itself would look like all that there is."""
    spans = sentence_spans(passage)
    if is_row(passage, (most, end)):
        return start, end
    for rows in _tables(passage, spans):
        first, last = rows[0][0], rows[-1][1]
        if last <= start or first >= end:
            continue
        if max(end, last) - min(start, first) <= MAX_QUOTE:
            start, end = min(start, first), max(end, last)
        elif first < most:
            start = next(a for a, _ in spans if a >= last)
        else:
            end = max(b for a, b in spans if b <= first and not is_row(passage, (a, b)))
    return start, end


def _tables(passage: str, spans: Sequence[Span]) -> Iterator[list[Span]]:
    """The rows of each table in a passage, without its header and rule."""
    rows: list[Span] = []
    for span in spans:
        if not is_row(passage, span):
            if rows:
                yield rows
            rows = []
        elif _RULE.match(passage[slice(*span)]):
            rows = []
        else:
            rows.append(span)
    if rows:
        yield rows


def in_short(quote: str, decisive: Sequence[str]) -> str:
    """What decides a question in a quote: its most decisive sentence. Where that stands beside a table of
    which rows decide too, the rows: the answer is in them, and one by itself would look like all."""
    inside = [sentence for sentence in decisive[:_WINDOW] if sentence in quote]
    if not inside:
        return quote
    tables = ["\n".join(lines) for rows, lines in groupby(quote.split("\n"), _is_row) if rows]
    deciding = [rows for rows in tables if any(sentence in rows for sentence in inside)]
    return inside[0] if _is_row(inside[0]) or not deciding else deciding[0]


def _is_row(line: str) -> bool:
    return line.startswith("|")


def in_full(passage: str, quote: str) -> str:
    """A quote with the rest of the sentences or rows that it is cut from."""
    start = passage.find(quote)
    end = start + len(quote)
    spans = [(a, b) for a, b in sentence_spans(passage) if a < end and b > start]
    return passage[spans[0][0] : spans[-1][1]] if spans and start >= 0 else quote


def _rounded(passage: str, start: int, end: int, most: tuple[int, int]) -> tuple[int, int]:
    """The ends moved outwards, so that what is quoted can be understood on its own. A colon with nothing
    after it is left out, unless it ends the most decisive sentence (`most`: its place and length)."""
    spans = sentence_spans(passage)
    if _POINTS_BACK.match(passage[start:end]):
        before = [span for span in spans if span[1] <= start and "\n\n" not in passage[span[1] : start]]
        if before and end - before[-1][0] <= MAX_QUOTE and not passage.startswith("#", before[-1][0]):
            start = before[-1][0]
    start = _item_start(passage, start, end)
    while _OPEN_END.search(passage[start:end]) or _in_list(passage, start, end):
        after = [span for span in spans if span[0] >= end]
        if not after or after[0][1] - start > MAX_QUOTE or passage.startswith("#", after[0][0]):
            break
        end = after[0][1]
    inside = [span for span in spans if span[0] >= start and span[1] <= end]
    if _OPEN_END.search(passage[start:end]) and len(inside) > 1 and inside[-2][1] >= sum(most):
        end = inside[-2][1]
    return start, end


def _item_start(passage: str, start: int, end: int) -> int:
    """The beginning of the list item that a quote begins within, where it goes on with the next items."""
    line = passage.rfind("\n", 0, start) + 1
    goes_on = any(_ITEM.match(each) for each in passage[start:end].split("\n")[1:])
    return line if goes_on and _ITEM.match(passage[line:start]) and end - line <= MAX_QUOTE else start


def _in_list(passage: str, start: int, end: int) -> bool:
    """Whether a list that a colon opened within the quote goes on right after it."""
    lines = passage[start:end].rstrip().split("\n")
    opened = any(_OPEN_END.search(line) for line in lines[:-1])
    return opened and bool(_ITEM.match(lines[-1]) and _ITEM.match(passage[end:].lstrip("\n")))


def quote_lines(quote: str, header: Sequence[str] = (), marks_headings: bool = False) -> str:
    """A quote as lines of light Markdown that can't become anything else.

    A row of a table is told cell by cell, each with its column's name where `header` gives it. With
    `marks_headings` headings are bold; they are no part of what is quoted then.
    """
    shown = []
    for line in quote.split("\n"):
        if _FENCE.match(line) or (_RULE.match(line) and "-" in line) or _cells(line) == list(header):
            continue
        if words := unmarked(_told(line.strip(), header)):
            bold = marks_headings and _HEADING.match(line)
            shown.append(f"> **{plain(words)}**" if bold else f"> {plain(words)}")
    return "\n".join(shown)


def unmarked(line: str) -> str:
    """A line of Markdown as plain words; a list item keeps a dash."""
    return _MARKS.sub("", _BULLET.sub("- ", line)).strip()


def told(text: str) -> str:
    """A sentence, item or row of Markdown as words on one line; empty where it is a rule or a fence."""
    if _RULE.match(text) or _FENCE.match(text):
        return ""
    return unmarked(_told(" ".join(text.split()), ()))


def _told(line: str, header: Sequence[str]) -> str:
    cells = _cells(line)
    if cells is None:
        return line
    if len(cells) == len(header):
        return "; ".join(
            f"{name}: {cell}" if name else cell for name, cell in zip(header, cells, strict=True) if cell
        )
    return "; ".join(cell for cell in cells if cell)


def _cells(line: str) -> list[str] | None:
    """The cells of a table's row, None for any other line."""
    line = line.strip()
    if not (line.startswith("|") and line.count("|") > 1):
        return None
    line = line if line.endswith("|") and not line.endswith("\\|") else f"{line}|"
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line[1:-1])]


def header_of(passage: str, quote: str, path: Sequence[str]) -> list[str]:
    """The names of the columns for the rows in `quote`: from the table's first row in the passage, else from
    the passage's path, which ends with it where the passage begins inside a table."""
    lines = passage[: passage.find(quote) + len(quote)].split("\n")
    for number in range(len(lines) - 1, 0, -1):
        if _RULE.match(lines[number]) and (cells := _cells(lines[number - 1])):
            return cells
    if path and " | " in path[-1]:
        return [cell.strip() for cell in path[-1].strip("| ").split(" | ")]
    return []


def section_around(passage: str, quote: str) -> str:
    """The section of a passage that a quote stands in, with its heading; all of it where the quote is none
    of its words."""
    place = passage.find(quote)
    if place < 0:
        return passage
    end = passage.find("\n#", place + len(quote))
    return passage[passage.rfind("\n#", 0, place) + 1 : end if end >= 0 else None].strip()


def path_at(title: str, path: Sequence[str], passage: str, place: int) -> tuple[str, ...]:
    """The headings over the character `place` of a passage that begins under `path`: small sections share a
    passage, and each has its own heading in it."""
    named: list[tuple[int, str]] = []  # (level or 0 where it is not known, heading)
    named += [(0, name) for name in path if " | " not in name]
    outermost = 1 if named and named[0][1].casefold() == title.casefold() else 2
    for level, name in _headings(passage[:place]):
        known = [n for n, (_, each) in enumerate(named) if each.casefold() == name.casefold()]
        while named and named[-1][0] >= level:
            named.pop()
        if known and known[0] < len(named):
            named = named[: known[0]]
        elif named and not named[-1][0]:
            named = named[: max(0, level - outermost)]
        named.append((level, name))
    return tuple(name for _, name in named)


def _headings(text: str) -> Iterator[tuple[int, str]]:
    """(level, words) of each heading of a Markdown text in order, without what looks like one in a fence."""
    fenced = False
    for line in text.split("\n"):
        fenced ^= _FENCE.match(line) is not None
        if not fenced and (found := _HEADING.match(line)):
            yield len(found[1]), plain_heading(found[2])


def section_name(title: str, path: Sequence[str]) -> str:
    """Where a passage stands, without the document's own title and without a table's columns."""
    names = [name for name in path if " | " not in name]
    if names and names[0].casefold() == title.casefold():
        names = names[1:]
    return " › ".join(names)
