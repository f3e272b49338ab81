"""Messages meant to mention, link or break, through every renderer: accepted by each, and none acts.

Seeded, so that a failing message can be made again by its number. `make chaos` asks for the long form.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser

import pytest

from bot.messages import Message
from handlers.email.letter import as_html, as_text
from handlers.slack.render import LONGEST_TEXT, forms
from handlers.teams.render import render as card
from handlers.web.markup import document, inline, light
from tests.fakes.slack_limits import problems
from tests.property.test_slack_render import assert_inert
from tests.property.test_teams_render import check as check_card
from tests.property.test_teams_render import check_limits
from tests.support.nasty import Nasty

MESSAGES = 10_000 if os.environ.get("STAGECOACH_LONG") else 150
BATCH = max(1, MESSAGES // 10)

EVERY = 25
"""Of so many cards one is held against the whole schema, which takes a quarter of a second."""

_TAGS = frozenset(
    {
        "html", "head", "meta", "title", "body", "div", "p", "br", "em", "strong", "mark", "pre", "code",
        "hr", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6",
        "table", "caption", "thead", "tbody", "tr", "th", "td",
    }
)  # fmt: skip
_ATTRIBUTES = frozenset(
    {"lang", "charset", "name", "content", "style", "scope", "class", "tabindex", "role", "aria-label"}
    | {"start"}
)


class _Inert(HTMLParser):
    """Refuses every tag and attribute that is not one of ours."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        for name, value in attrs:
            assert name in _ATTRIBUTES, (tag, name)
            assert "url(" not in (value or "")


def in_slack(message: Message) -> None:
    for form in forms(message):
        assert 0 < len(form.text) <= LONGEST_TEXT
        assert not re.search(r"[<>]", form.text)
        assert problems(list(form.blocks)) == []
        assert_inert(form)


def on_teams(message: Message) -> None:
    check_limits(card(message))


def on_the_page(message: Message) -> None:
    for made in (light(message.text), inline(message.text), document(message.text, [message.text[:80]])):
        inert(made)


def by_mail(message: Message) -> None:
    inert(as_html(message, message.text[:200], closing=message.text[:200]))
    assert as_text(message)


def inert(page: str) -> None:
    reader = _Inert(convert_charrefs=True)
    reader.feed(page)
    reader.close()


@pytest.mark.parametrize("first", range(0, MESSAGES, BATCH))
def test_every_renderer_takes_it_and_nothing_acts(first: int) -> None:
    for seed in range(first, first + BATCH):
        message = Nasty(seed).message()
        try:
            for check in (in_slack, on_teams, on_the_page, by_mail):
                check(message)
            if seed % EVERY == 0:
                check_card(card(message))
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
