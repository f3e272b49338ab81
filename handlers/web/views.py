"""Pure builders: a value in, HTML out. Nothing here reads a database, a clock or a request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.clock import zone
from bot.messages import Choice, Citation, Message
from handlers.web import charts, markup
from handlers.web.cards import card
from handlers.web.ports import Conversation, Entry, Inside, Persona, Source
from knowledge.feedback import feedback_choices

STATE_WORDS = {
    "not_started": "not started",
    "exploring": "exploring",
    "building": "building",
    "operational": "operational",
    "steering": "steering",
    "not_applicable": "does not apply",
}
_STATE_SHARE = {"exploring": 0.25, "building": 0.5}

KIND_WORDS = {
    "nudge": "A nudge",
    "digest": "Weekly digest",
    "answer": "From the policies",
    "result": "From the answers",
    "notice": "A note",
}


_ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")

_SCHEDULED_WORDS = {
    "audit_invitation": "Invitation to the audit",
    "re_audit": "Time for another look",
    "cycle_question": "A question after silence",
    "coverage_update": "Coverage check",
    "plan_follow_up": "Follow-up on a step",
    "blocker_ageing": "A blocker grows old",
    "policy_review": "Review of a policy",
    "open_question": "A question waits",
    "open_approval": "Something waits to be confirmed",
    "department_digest": "Department digest",
    "executive_digest": "Weekly digest",
}


@dataclass(frozen=True)
class Visit:
    """Who looks (`name` is the visitor's random one), and what the forms need: token, fresh keys, theme."""

    person: Persona
    people: tuple[Persona, ...]
    unread: dict[int, int]
    company: str
    name: str
    token: str
    key: str
    theme: str | None = None
    demo: bool = True
    style: str = "/static/page.css"
    script: str = "/static/page.js"


def _date(at: date) -> str:
    return f"{at:%A} {at.day} {at:%B %Y}"


def _short(at: datetime, zone_name: str) -> str:
    local = at.astimezone(zone(zone_name))
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def _day(text: str) -> str:
    """A day as people write it, if `text` is an ISO date; else `text`."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def _days(text: str) -> str:
    """`text` with every ISO date in it written out."""
    return _ISO_DATE.sub(lambda found: _day(found[0]), text)


def _section(cited: Citation | Source) -> str:
    """Where in the document, without the document's own title in front."""
    return cited.section.removeprefix(f"{cited.document} › ")


def _initials(name: str) -> str:
    words = name.split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()


def _kind_name(kind: str) -> str:
    """The name of a scheduled message's kind, as the planner has it, in words."""
    return _SCHEDULED_WORDS.get(kind, kind.replace("_", " ").capitalize())


def _progress(message: Message) -> str:
    found = message.progress
    if found is None:
        return ""
    minutes = "less than a minute" if found.minutes < 1 else f"about {found.minutes} minute"
    return (
        f"Question {min(found.done + 1, found.total)} of {found.total}, {minutes}{'s' * (found.minutes > 1)}"
    )


def feedback_buttons(message: Message) -> tuple[Choice, ...]:
    """The two buttons that go under an answer."""
    if message.answer_id is None:
        return ()
    good, bad = feedback_choices(message.answer_id)
    return (
        good.model_copy(update={"label": "This helped"}),
        bad.model_copy(update={"label": "This did not help"}),
    )


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        light=markup.light,
        inline=markup.inline,
        card=card,
        date=_date,
        hour=lambda at: f"{at:%H:%M}",
        short=_short,
        day=_day,
        days=_days,
        section=_section,
        city=lambda name: name.rpartition("/")[2].replace("_", " "),
        initials=_initials,
        kind_name=_kind_name,
        shown=charts.shown,
        progress=_progress,
        feedback=feedback_buttons,
        state_words=lambda state: STATE_WORDS.get(state, "not asked yet"),
    )
    made.globals.update(
        line_plot=charts.line_plot,
        bar_share=charts.bar_share,
        pie=charts.pie,
        state_of=charts.state_of,
        state_share=_STATE_SHARE,
        kind_words=KIND_WORDS,
    )
    return made


class Views:
    """The templates, compiled once. Every method is a pure function of its arguments."""

    def __init__(self) -> None:
        self._environment = _environment()

    def _render(self, template: str, **values: Any) -> Markup:
        return Markup(self._environment.get_template(template).render(values))  # noqa: S704 - autoescaped

    def page(self, visit: Visit, conversation: Conversation, inside: Inside) -> str:
        """The whole page."""
        return self._render("page.html", visit=visit, conversation=conversation, inside=inside)

    def entries(self, visit: Visit, entries: Iterable[Entry]) -> str:
        """The lines of a conversation, one list item each."""
        return self._render("entries.html", visit=visit, entries=tuple(entries))

    def light(self, text: str) -> str:
        """Light Markdown as HTML."""
        return markup.light(text)

    def inside(self, visit: Visit, inside: Inside) -> str:
        """The content of the panel."""
        return self._render("inside.html", visit=visit, inside=inside)

    def people(self, visit: Visit) -> str:
        """The switch between personas."""
        return self._render("people.html", visit=visit)

    def source(self, visit: Visit, source: Source, whole: bool) -> str:
        """A cited document with the quote marked: a page of its own, or only the sheet's content."""
        text = markup.document(source.text, source.quotes, source.start)
        return self._render(
            "source_page.html" if whole else "source.html", visit=visit, source=source, text=text
        )

    def draw(self, template: str, **values: object) -> str:
        """One of the quiet pages beside the chat."""
        return self._render(template, **values)

    def refusal(self, visit_theme: str | None, style: str, title: str, sentence: str) -> str:
        """A page that says what did not work and what to do."""
        return self._render("refusal.html", theme=visit_theme, style=style, title=title, sentence=sentence)
