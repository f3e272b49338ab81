"""Light Markdown and policy documents as HTML, with nothing in it that can act.

HTML is never passed through; links and images lose their address and keep their words. Everything else is
escaped by the Markdown renderer itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

_BLOCKS = ["blockquote", "list", "paragraph"]
_DOCUMENT_BLOCKS = ["heading", "lheading", "table", "hr", "fence", "code"]


class _Inert(RendererHTML):
    """Writes no address of any kind, and marks the words that are asked to be marked."""

    def link_open(self, *_: object) -> str:
        return ""

    def link_close(self, *_: object) -> str:
        return ""

    def image(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        return str(escape(tokens[index].content))

    def text(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        return "".join(
            f"<mark>{escape(part)}</mark>" if marked else str(escape(part))
            for part, marked in _parts(tokens[index])
        )

    def table_open(self, *_: object) -> str:
        return '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(self, *_: object) -> str:
        return "</table></div>\n"

    def th_open(self, *_: object) -> str:
        return '<th scope="col">'

    def td_open(self, *_: object) -> str:
        return "<td>"


def _parts(token: Token) -> Iterable[tuple[str, bool]]:
    spans: list[tuple[int, int]] = token.meta.get("marks", [])
    at = 0
    for start, end in spans:
        yield token.content[at:start], False
        yield token.content[start:end], True
        at = end
    yield token.content[at:], False


_LIGHT = MarkdownIt("zero", {"breaks": True}, renderer_cls=_Inert).enable(
    [*_BLOCKS, "emphasis", "escape", "newline"]
)
_DOCUMENT = MarkdownIt("zero", renderer_cls=_Inert).enable(
    [*_BLOCKS, *_DOCUMENT_BLOCKS, "emphasis", "escape", "newline", "backticks", "link", "image", "entity"]
)


def light(text: str) -> Markup:
    """The text of a message (see bot.messages) as HTML."""
    return Markup(_LIGHT.render(text))  # noqa: S704 - the renderer escapes every text it writes


def inline(text: str) -> Markup:
    """One line of light Markdown as HTML without a paragraph around it, for the inside of a button."""
    return Markup(_LIGHT.renderInline(text))  # noqa: S704 - as above


def document(text: str, quotes: Sequence[str], near: int = 0) -> Markup:
    """A policy as HTML, with each of `quotes` in <mark>.

    A quote is found by its letters and digits alone, since its Markdown may differ from what stands on the
    page; of several places the one nearest to the character `near` of `text` is taken.
    """
    tokens = _DOCUMENT.parse(text)
    _shift_headings(tokens)
    letters = _Letters(tokens)
    for quote in quotes:
        letters.mark(_squeeze(_flat(_DOCUMENT.parse(quote))), len(_squeeze(text[:near])))
    return Markup(_DOCUMENT.renderer.render(tokens, _DOCUMENT.options, {}))  # noqa: S704 - as above


def _shift_headings(tokens: Sequence[Token]) -> None:
    # The page and its dialog have their own headings above: # becomes h3, and h6 is the deepest there is.
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"


def _texts(tokens: Sequence[Token]) -> Iterable[Token]:
    for token in tokens:
        if token.type == "text":
            yield token
        elif token.children:
            yield from _texts(token.children)


def _flat(tokens: Sequence[Token]) -> str:
    return " ".join(token.content for token in _texts(tokens))


def _squeeze(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


class _Letters:
    """The letters and digits of a parsed document, each with the token and the place it came from."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._from: list[tuple[Token, int]] = []
        parts: list[str] = []
        for token in _texts(tokens):
            for place, character in enumerate(token.content):
                for letter in _squeeze(character):
                    parts.append(letter)
                    self._from.append((token, place))
        self._all = "".join(parts)

    def mark(self, wanted: str, near: int) -> None:
        """Mark the occurrence of `wanted` that begins nearest to the letter `near`, if there is one."""
        places = [found.start() for found in re.finditer(re.escape(wanted), self._all)] if wanted else []
        if not places:
            return
        start = min(places, key=lambda place: abs(place - near))
        self._mark_span(self._from[start : start + len(wanted)])

    def _mark_span(self, letters: list[tuple[Token, int]]) -> None:
        ends: dict[int, tuple[Token, int, int]] = {}
        for token, place in letters:
            first = ends.get(id(token), (token, place, place))[1]
            ends[id(token)] = (token, first, place + 1)
        for token, first, last in ends.values():
            if token.content[last : last + 1] in (".", "!", "?"):
                last += 1
            spans = [*token.meta.get("marks", []), (first, last)]
            token.meta["marks"] = _united(spans)


def _united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((start, end))
    return united
