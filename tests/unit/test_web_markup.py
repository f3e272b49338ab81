"""What people and documents write never becomes anything but text, bold, lists and quotes."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import plain
from handlers.web.markup import document, light

LIGHT_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "blockquote", "mark"}
DOCUMENT_TAGS = {
    *LIGHT_TAGS,
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "div", "hr", "pre", "code"),
}
HARMLESS_ATTRIBUTES = {"start", "class", "tabindex", "role", "aria-label", "scope"}

PIECES = [
    *(
        "<script>",
        "</p>",
        "<img src=x onerror=a()>",
        "<!--",
        "]]>",
        "&lt;",
        "&#60;script&#62;",
        "\x00",
        "\u200b",
    ),
    *("[a](javascript:b())", "![i](http://x/)", "<http://x.y>", "http://x.y", "[x]: http://y", "[x]"),
    *("**", "_", "\\", "`", "```\n", "> ", "- ", "# ", "\n", "\n\n", "| a | b |", "|---|---|", "a"),
]

NASTY = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(PIECES), max_size=25).map("".join))


class Seen(HTMLParser):
    """Every tag, attribute and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.strange = False
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.strange = True

    def handle_decl(self, decl: str) -> None:
        self.strange = True


@given(NASTY)
def test_a_message_holds_only_harmless_tags(text: str) -> None:
    seen = Seen(light(text))
    assert seen.tags <= LIGHT_TAGS
    assert seen.attributes <= {"start"}
    assert not seen.strange


@given(NASTY, NASTY)
def test_a_document_holds_only_harmless_tags(text: str, quote: str) -> None:
    seen = Seen(document(text, [quote, text[5:40]], 3))
    assert seen.tags <= DOCUMENT_TAGS
    assert seen.attributes <= HARMLESS_ATTRIBUTES
    assert not seen.strange


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200))
def test_words_put_in_through_plain_stand_there_as_they_were(words: str) -> None:
    shown = Seen(light(f"You said: {plain(words)}")).text
    assert " ".join(shown.split()) == " ".join(f"You said: {words}".split())


def marked(html: str) -> str:
    return " ".join(re.findall(r"<mark>(.*?)</mark>", html, re.DOTALL))


TEXT = """# Rules

First rule: ask before you paste.

## 2 Data

- Customer data must **never** leave the approved tools.
- Ask [the officer](mailto:x@y.z) first.

| Class | Where |
|---|---|
| C1 | anywhere |

First rule: ask before you paste. Second rule: report within 24 hours.
"""


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        (
            "Customer data must **never** leave the approved tools.",
            "Customer data must never leave the approved tools.",
        ),
        ("customer data must never leave", "Customer data must never leave"),
        ("C1 | anywhere", "C1 anywhere"),
        ("Ask the officer first.", "Ask the officer first."),
        ("approved tools.\n- Ask", "approved tools. Ask"),
        ("nothing of the kind", ""),
        ("", ""),
    ],
)
def test_a_quote_is_marked_whatever_its_markup(quote: str, expected: str) -> None:
    assert marked(document(TEXT, [quote])) == expected


def test_of_equal_sentences_the_one_in_the_passage_is_marked() -> None:
    quote = "First rule: ask before you paste."
    early, late = document(TEXT, [quote], 0), document(TEXT, [quote], TEXT.rindex("First rule"))
    assert early.index("<mark>") < early.index("2 Data")
    assert late.index("<mark>") > late.index("C1")


def test_overlapping_quotes_share_one_mark() -> None:
    html = document(TEXT, ["Second rule: report", "report within 24 hours."])
    assert marked(html) == "Second rule: report within 24 hours."
