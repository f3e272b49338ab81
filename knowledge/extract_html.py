"""HTML to Markdown: what a reader sees of the page's main part, with headings, lists and tables kept."""

from __future__ import annotations

import re
from collections import deque

from selectolax.lexbor import LexborHTMLParser, LexborNode

from knowledge.extract_text import Finding, Unreadable, decode, heads, table

_GONE = (
    "script, style, noscript, template, svg, iframe, object, embed, nav, footer, form, button, head > *, "
    "title, select, dialog, canvas, video, audio, map, [role=navigation], [role=banner], [role=contentinfo], "
    "[role=search], [role=menu], [role=menubar], [role=toolbar], [role=tablist]"
)
_MAIN = (
    "main",
    "[role=main]",
    "article",
    ".wiki-content",
    "[data-automation-id=pageContent]",
    "#mw-content-text",
)
_HIDDEN = "[hidden], [aria-hidden=true], [style]"
_UNSEEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?!\.?[1-9])|opacity\s*:\s*0(?!\.?[1-9])"
    r"|(?:left|top|text-indent)\s*:\s*-\d{3,}",
    re.I,
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.\-]+)""", re.I)
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|header|"
    "hgroup|html|li|main|ol|p|pre|section|summary|table|ul|hr"
)
_MAX_DEPTH = 400
_MAX_DOWN = 500  # rows that one cell goes over
_MAX_ACROSS = 30  # columns that one cell goes over
_MAX_TAGS = 300_000  # some ten times what a long handbook on one page has


def html_to_markdown(data: bytes) -> tuple[str, str | None, list[Finding]]:
    """The Markdown of a page, its title, and a finding for text that the page hides from its readers."""
    if data.count(b"<") > _MAX_TAGS:
        raise Unreadable("is a page of more tags than a document has")
    declared = _CHARSET.search(data[:4096])
    tree = LexborHTMLParser(decode(data, declared[1].decode("ascii") if declared else None))
    title = _title(tree)
    is_program = tree.css_first("script") is not None
    hidden = _take_out(tree)
    root = _main(tree) or tree.body
    if root is None:
        raise Unreadable("holds no text")
    writer = _Writer()
    if root.css_first("h1") is None and len(headings := tree.css("h1")) == 1:
        writer.heading(headings[0])
    writer.children(root)
    if is_program and not writer.text().strip():
        raise Unreadable(
            "holds no text before a program in the browser puts it there. Save the page as a PDF and add that"
        )
    return writer.text(), title, [Finding("hidden", 0, words[:80]) for words in hidden[:20]]


def _main(tree: LexborHTMLParser) -> LexborNode | None:
    """The part of the page that is its document: as it marks that itself, or as wikis and intranets do."""
    for selector in _MAIN:
        if len(found := tree.css(selector)) == 1:
            return found[0]
    return None


def _title(tree: LexborHTMLParser) -> str | None:
    node = tree.css_first("title") or tree.css_first("h1")
    return " ".join(node.text().split())[:200] or None if node else None


def _take_out(tree: LexborHTMLParser) -> list[str]:
    for node in tree.css(_GONE):
        node.decompose()
    hidden = []
    for node in tree.css(_HIDDEN):
        style = node.attributes.get("style")
        if style is None or "hidden" in node.attributes or _UNSEEN.search(style):
            hidden.append(" ".join(node.text().split()))
            node.decompose()
    return [words for words in hidden if words]


class _Writer:
    """Walks the tree once and collects blocks. Inline text waits in `line` until its block ends."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.line: list[str] = []
        self.prefix = ""
        self.depth = 0
        self.level = 0
        """Of the heading that was met last; 0 before anything else."""

    def text(self) -> str:
        self.flush()
        return "\n\n".join(self.blocks).replace("\n\n\0", "\n").replace("\0", "")

    def flush(self) -> None:
        words = " ".join("".join(self.line).split())
        self.line = []
        if words:
            self.blocks.append(self.prefix + words)
            # Only the first paragraph of an item carries its bullet.
            self.prefix = re.sub(r"\0|[-\d.]", lambda hit: "" if hit[0] == "\0" else " ", self.prefix)

    def children(self, node: LexborNode, level: int = 0) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Unreadable("is nested too deeply to be a document")
        for child in node.iter(include_text=True):
            self.node(child, level)
        self.depth -= 1

    def node(self, node: LexborNode, level: int) -> None:
        tag = node.tag
        if tag == "-text":
            self.line.append(node.text_content or "")
        elif tag in ("br", "wbr"):
            self.line.append(" ")
        elif tag == "img":
            self.line.append(node.attributes.get("alt") or "")
        elif re.fullmatch("h[1-6]", tag or ""):
            self.heading(node)
        elif tag in ("ul", "ol"):
            self.items(node, level, ordered=tag == "ol")
        elif tag == "table":
            self.table(node)
        elif _BLOCKS.fullmatch(tag or ""):
            self.block(node, level)
        else:
            self.children(node, level)

    def heading(self, node: LexborNode) -> None:
        self.flush()
        if words := " ".join(node.text(separator=" ").split()):
            self.level = int((node.tag or "h1")[1])
            self.blocks.append(f"{'#' * self.level} {words}")

    def block(self, node: LexborNode, level: int) -> None:
        self.flush()
        is_paragraph, before = node.tag == "p", self.level
        self.level = before or int(is_paragraph)
        if is_paragraph and not level and heads(words := _bold(node)):
            self.blocks.append(f"{'#' * min(before + 1, 6)} {words}")
            return
        self.children(node, level)
        self.flush()

    def items(self, node: LexborNode, level: int, ordered: bool) -> None:
        self.flush()
        outer = self.prefix
        number = 0
        for item in node.iter():
            number += item.tag == "li"
            # The mark \0 joins an item to the one before it without an empty line.
            glue = "\0" if level or number > 1 else ""
            self.prefix = glue + "  " * level + (f"{number}. " if ordered else "- ")
            self.children(item, level + 1)
            self.flush()
        self.prefix = outer

    def table(self, node: LexborNode) -> None:
        self.flush()
        if node.css_first("table table") is not None or len(node.css("tr")) < 2:
            self.children(node)  # a table that only lays out the page
            self.flush()
            return
        caption = node.css_first("caption")
        if caption is not None and (words := " ".join(caption.text().split())):
            self.blocks.append(words)
        rows = [[cell for cell in row.iter() if cell.tag in ("td", "th")] for row in node.css("tr")]
        self.blocks.append(table(_spread(rows)))


def _bold(node: LexborNode) -> str:
    """The words of a paragraph that is bold from end to end, else nothing."""
    words = " ".join(node.text(separator=" ").split())
    marked = " ".join(" ".join(bold.text(separator=" ") for bold in node.css("b, strong")).split())
    return words if words == marked else ""


def _spread(rows: list[list[LexborNode]]) -> list[list[str]]:
    """The words of a table's cells in their columns: a cell that spans rows is told in each of them, one that
    spans columns leaves the others empty."""
    spread: list[list[str]] = []
    above: dict[int, tuple[str, int]] = {}  # by column: words, and in how many rows from this one on
    for row in rows:
        cells: list[str] = []
        below: dict[int, tuple[str, int]] = {}
        nodes = deque(row)
        while nodes or len(cells) in above:
            words, down, across = (*above[len(cells)], 1) if len(cells) in above else _cell(nodes.popleft())
            if down > 1:
                below[len(cells)] = (words, down - 1)
            cells += [words, *[""] * (across - 1)]
        spread.append(cells)
        above = below
    return spread


def _cell(node: LexborNode) -> tuple[str, int, int]:
    """The words of a cell, and over how many rows and columns it goes."""
    words = " ".join(node.text(separator=" ").split())
    return words, _span(node, "rowspan", _MAX_DOWN), _span(node, "colspan", _MAX_ACROSS)


def _span(node: LexborNode, name: str, most: int) -> int:
    told = node.attributes.get(name) or ""
    return max(1, min(int(told), most)) if told.isdecimal() and len(told) < 6 else 1
