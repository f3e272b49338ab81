"""The weekly digest: what changed, what to decide, exceptions, coverage, the map, and how good the data is.

At most 150 words and one picture (instrument, digest). Every figure is computed by code from frozen weeks and
noted with its source, so that it can be asked about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.released import released_in
from bot.choice_ids import ChoiceId
from bot.clock import previous_weeks, week_start
from bot.messages import Chart, Choice, Message, Series, Table, plain
from bot.store.tables import Company, Department, ScheduledMessage, SentDigest
from scheduler.decisions import TO_DECIDE_WITHIN, decisions, exceptions
from scheduler.department_map import department_map
from scheduler.figures import CompanyWeek, CoverageFigure, DepartmentWeek
from scheduler.freezing import TREND_WEEKS, Weeks, company_trend, department_trend, department_weeks
from scheduler.hand_offs import process_decisions
from scheduler.movements import movements, told_in_full
from scheduler.phrases import (
    Notes,
    SourcedFigure,
    change_words,
    count_of,
    count_words,
    coverage_sentence,
    day,
    names,
    percent,
)
from scheduler.post import Written

MOST_WORDS = 150
MOST_EXCEPTIONS = 20
"""That are told to whoever asks for those that did not fit."""
LEAST_WEEKS = 2
"""Of known coverage in a picture: one dot shows nothing that its figure does not say."""
SOURCES = "Where do these figures come from?"
FIRST = "The first week: there is nothing to compare with yet."
ALL_SHOWN = "the departments shown"
NOTHING_RELEASED: Mapping[str, str] = {}
UNMOVED = "Nothing moved beyond noise this week."
ALL_SMALL = (
    "Every department has too few people for figures that say nothing about one of them, so none are shown."
)


@dataclass(frozen=True)
class Digest:
    """A digest, and the figures it says with their sources."""

    week: str
    title: str
    message: Message
    figures: tuple[SourcedFigure, ...]
    quiet: bool

    def content(self) -> dict[str, Any]:
        """Enough to show it again to the letter."""
        return {
            "title": self.title,
            "message": self.message.model_dump(mode="json", exclude_defaults=True),
            "figures": [asdict(figure) for figure in self.figures],
            "quiet": self.quiet,
        }


def company_digest(
    instrument: Instrument,
    company: str,
    week: str,
    weeks: Weeks,
    trend: dict[str, CompanyWeek],
    released: Mapping[str, str] = NOTHING_RELEASED,
) -> Digest:
    """The company's week for executives. `trend` holds the company's frozen weeks, `week` among them;
    `released` what leads let stand of their words, by department, the latest last.
    """
    notes, now = Notes(), trend[week]
    title = f"{plain(company)}, week of {day(week_start(week))}"
    shown = sorted((each for each in weeks.values() if each.shown), key=lambda each: each.name)
    if not shown and now.hidden:
        return _digest(week, title, [f"**{title}**", ALL_SMALL], notes, quiet=True)
    monday = week_start(week) + timedelta(days=7)
    across = process_decisions(instrument, now.processes, shown, monday + TO_DECIDE_WITHIN)
    asked = decisions(instrument, shown, monday, notes, across)
    first = _is_first(week, trend)
    told = {decision.about for decision in asked} | (set() if first else told_in_full(shown))
    noted = exceptions(instrument, shown, told)
    changed = _what_changed(instrument, notes, now, shown, first)
    coverage = coverage_sentence(notes, ALL_SHOWN, now.coverage, now.trend_change, _rebased(trend))
    voice = _voice(released, shown)
    if not asked and not noted and changed is None and not voice:
        lines = [f"**{title}**: nothing moved beyond noise. {coverage}", _next_audit(shown, monday)]
        return _digest(week, title, lines, notes, quiet=True)
    health = _health(notes, now, shown)
    text = _fit(
        notes,
        [f"**{title}**", changed or UNMOVED],
        _numbered([decision.line for decision in asked]),
        noted,
        voice,
        [coverage, health],
        voice_last=False,
    )
    chart = _line(week, {key: each.coverage for key, each in trend.items()}, "the company", _anew(trend))
    return _digest(week, title, text, notes, chart=chart, table=department_map(instrument, shown, now.hidden))


def department_digest(
    instrument: Instrument,
    week: str,
    now: DepartmentWeek,
    trend: dict[str, DepartmentWeek],
    released: Mapping[str, str] = NOTHING_RELEASED,
) -> Digest:
    """A department's own week, for its channel: no rates, no names, nothing about other departments."""
    title = f"{plain(now.name)}, week of {day(week_start(week))}"
    if not now.shown:
        line = (
            "Figures would say too much about single people in a team of this size. Ask your lead about it."
        )
        return _digest(week, title, [f"**{title}**", line], Notes(), quiet=True)
    notes = Notes()
    monday = week_start(week) + timedelta(days=7)
    asked = decisions(instrument, [now], monday, notes)
    first = _is_first(week, trend) and now.answered > 0
    # What fell is part of the sentence on what changed.
    told = {decision.about for decision in asked} | (set() if first else {f"fell:{now.slug}"})
    noted = exceptions(instrument, [now], told)
    changed = _department_changed(instrument, notes, now, first)
    coverage = coverage_sentence(notes, plain(now.name), now.coverage, now.trend_change, _rebased(trend))
    voice = _voice(released, [now])
    if not asked and not noted and changed is None and not voice:
        lines = [f"**{title}**: nothing moved beyond noise. {coverage}", _next_audit([now], monday)]
        return _digest(week, title, lines, notes, quiet=True)
    text = _fit(
        notes,
        [f"**{title}**", changed or UNMOVED],
        _numbered([decision.line for decision in asked]),
        noted,
        voice,
        [coverage, _age(notes, now)],
    )
    chart = _line(
        week, {key: each.coverage for key, each in trend.items() if each.shown}, now.name, _anew(trend)
    )
    return _digest(week, title, text, notes, chart=chart, table=department_map(instrument, [now], 0))


def _voice(released: Mapping[str, str], shown: list[DepartmentWeek]) -> list[str]:
    """What a lead released last, where the department may be shown: one sentence has room."""
    names_of = {each.slug: each.name for each in shown}
    told = [(names_of[slug], sentence) for slug, sentence in released.items() if slug in names_of]
    return [f"In their own words, {plain(name)}: “{plain(sentence)}”" for name, sentence in told[-1:]]


def _is_first(week: str, trend: dict[str, Any]) -> bool:
    return not any(key < week for key in trend)


def _what_changed(
    instrument: Instrument, notes: Notes, now: CompanyWeek, shown: list[DepartmentWeek], first: bool
) -> str | None:
    """One sentence on what moved beyond noise; None if nothing did."""
    if first:
        return FIRST if now.answering else "The first week: no department has answered yet."
    parts = []
    if now.week_change.changed:
        parts.append(f"coverage is {change_words(notes, ALL_SHOWN, now.week_change, 'in a week')}")
    parts += movements(instrument, shown)
    if not parts:
        return None
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _department_changed(instrument: Instrument, notes: Notes, now: DepartmentWeek, first: bool) -> str | None:
    if first:
        return "The first week with figures of your own."
    parts = []
    if now.week_change.changed:
        parts.append(f"coverage is {change_words(notes, plain(now.name), now.week_change, 'in a week')}")
    for label, criteria in (("up with evidence", now.up), ("lower", now.down)):
        if criteria:
            parts.append(f"{label}: {names([instrument.criterion(c).name for c in criteria], 2)}")
    if now.steps_done:
        parts.append(
            "a next step is done" if now.steps_done == 1 else f"{now.steps_done} next steps are done"
        )
    if not parts:
        return None
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _answering(notes: Notes, now: CompanyWeek) -> str:
    return notes.say(
        count_of(now.answering, "department", now.departments),
        "answer rate of the company",
        "Answer rate: departments with an answer younger than 90 days, of those shown.",
        "Counted over the whole company, never for a part of it.",
    )


def _health(notes: Notes, now: CompanyWeek, shown: list[DepartmentWeek]) -> str:
    stale, contested = sum(week.stale for week in shown), sum(week.contested for week in shown)
    parts = [f"{_answering(notes, now)} answered within 90 days"]
    if stale:
        parts.append(
            notes.say(
                count_of(stale, "stale answer"),
                "stale answers",
                f"Stale: answers older than 180 days, in {names([w.name for w in shown if w.stale], 6)}.",
                "They count for nothing until renewed.",
            )
        )
    if contested:
        parts.append(
            notes.say(
                count_of(contested, "contested answer"),
                "contested answers",
                "Contested: answers on which two people lie two or more levels apart, in "
                f"{names([w.name for w in shown if w.contested], 6)}.",
                "The lower one stands until they agree.",
            )
        )
    if now.hidden:
        parts.append(
            notes.say(
                f"{count_of(now.hidden, 'small department')} left out",
                "small departments left out",
                "Hidden: departments with fewer than five people, and the next smallest where one could be "
                "worked out.",
                "Nothing of theirs is in any figure.",
            )
        )
    return f"Data: {', '.join(parts)}."


def _age(notes: Notes, now: DepartmentWeek) -> str:
    if now.last_answer is None:
        return "Data: no answers yet."
    stale = f", {now.stale} of {now.answered} older than 180 days" if now.stale else ""
    return f"Data: last answers of {day(now.last_answer)}{stale}."


def _next_audit(shown: list[DepartmentWeek], after: date) -> str:
    dates = sorted((week.next_audit, week.name) for week in shown if week.next_audit is not None)
    if not dates:
        return "The next audit begins when a lead answers the first question."
    when, name = dates[0]
    if when < after:
        return f"The next audit is due now, in {plain(name)}."
    return f"The next audit is due in {plain(name)} on {day(when)}."


def _numbered(lines: list[str]) -> list[str]:
    numbered = [f"{number}. {line}" for number, line in enumerate(lines, start=1)]
    return ["To decide:", *numbered] if numbered else []


def _fit(
    notes: Notes,
    head: list[str],
    asked: list[str],
    noted: list[str],
    voice: list[str],
    tail: list[str],
    voice_last: bool = True,
) -> list[str]:
    """The parts in their order, in at most 150 words: exceptions give way first, then later decisions. A
    lead's own words give way last, or before everything else.
    """
    kept, asked, voice = list(noted), list(asked), list(voice)
    while True:
        dropped = noted[len(kept) :]
        lines = [*head, *asked, *_exceptions(kept, len(dropped)), *voice, *tail]
        if count_words(" ".join(lines)) <= MOST_WORDS or not (kept or len(asked) > 2 or voice):
            break
        later = asked if len(asked) > 2 else voice
        (voice if voice and not voice_last else kept or later).pop()
    if dropped:
        notes.say(
            _more(len(dropped)),
            "exceptions that did not fit",
            " ".join(dropped[:MOST_EXCEPTIONS]),
            "Left out there, so that the digest stays on one screen.",
        )
    return lines


def _exceptions(kept: list[str], dropped: int) -> list[str]:
    """One line; what did not fit is counted, so that nobody takes the list for whole."""
    if not dropped:
        return [f"Exceptions: {' '.join(kept)}"] if kept else []
    return [f"Exceptions: {' '.join(kept)} And {_more(dropped)}." if kept else f"There are {_more(dropped)}."]


def _more(dropped: int) -> str:
    return count_of(dropped, "more exception")


def _anew(trend: dict[str, CompanyWeek] | dict[str, DepartmentWeek]) -> set[str]:
    """The weeks after the first in which hours of tasks were asked anew."""
    return {week for week, each in trend.items() if each.rebased and week > min(trend)}


def _rebased(trend: dict[str, CompanyWeek] | dict[str, DepartmentWeek]) -> str | None:
    """The latest of them."""
    return max(_anew(trend), default=None)


def _digest(
    week: str,
    title: str,
    lines: list[str],
    notes: Notes,
    chart: Chart | None = None,
    table: Table | None = None,
    quiet: bool = False,
) -> Digest:
    text = "\n".join(lines) if quiet else "\n\n".join(lines)
    # A decision that did not fit took its figures with it.
    figures = tuple(each for each in notes.figures if each.text in text)
    choices = (Choice(id=str(ChoiceId("digest", 0, 0, f"sources.{week}")), label=SOURCES),)
    message = Message(
        kind="digest",
        text=text,
        chart=chart,
        table=table,
        choices=choices if figures else (),
        input_hint=_example(figures),
    )
    return Digest(week, title, message, figures, quiet)


def _example(figures: tuple[SourcedFigure, ...]) -> str | None:
    """A question that can be asked as it stands."""
    shares = [figure.text for figure in figures if figure.text.endswith("%")]
    return f"Where does {shares[0]} come from?" if shares else None


REBASED = "Dotted: task hours asked anew"


def _line(
    week: str, trend: dict[str, CoverageFigure], where: str, rebased: Collection[str] = ()
) -> Chart | None:
    """Coverage over twelve weeks with its interval; a gap where it could not be published. In the weeks of
    `rebased` the hours of tasks were asked anew."""
    keys = previous_weeks(week, TREND_WEEKS)
    figures = [trend.get(key, CoverageFigure()) for key in keys]
    values = tuple(_rounded(figure.coverage) for figure in figures)
    known = [(key, figure) for key, figure in zip(keys, figures, strict=True) if figure.coverage is not None]
    if len(known) < LEAST_WEEKS:
        return None
    (_, first), (_, last) = known[0], known[-1]
    anew = [day(week_start(key)) for key in keys if key in rebased]
    return Chart(
        kind="line",
        title="Coverage over twelve weeks",
        alt=(
            f"Line of the coverage of {where}, week by week: {percent(first.coverage or 0)} in the week of "
            f"{day(week_start(known[0][0]))}, {percent(last.coverage or 0)} in the week of "
            f"{day(week_start(known[-1][0]))}. The band around it, now {percent(last.low or 0)} to "
            f"{percent(last.high or 0)}, is where it lies with a chance of 80%."
            + (f" Task hours were asked anew in the week of {names(anew)}." if anew else "")
        ),
        labels=tuple(map(_label, keys)),
        series=(
            Series(
                name="Coverage",
                values=values,
                low=tuple(_rounded(figure.low) for figure in figures),
                high=tuple(_rounded(figure.high) for figure in figures),
            ),
        ),
        unit="%",
        marks=tuple(_label(key) for key in keys if key in rebased),
        mark_note=REBASED if anew else "",
    )


def _label(week: str) -> str:
    return f"{week_start(week).day} {week_start(week):%b}"


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


async def render_digest(
    session: AsyncSession, instrument: Instrument, week: str, department_id: int | None
) -> Digest | None:
    """The digest of a frozen week, of the company or of one department; None if it has no figures."""
    if department_id is None:
        trend = dict(await company_trend(session, week))
        if week not in trend:
            return None
        company = await session.get(Company, 1)
        weeks = await department_weeks(session, week)
        name = company.name if company else ""
        return company_digest(instrument, name, week, weeks, trend, await released_in(session, week))
    own = dict(await department_trend(session, week, department_id))
    if week not in own:
        return None
    return department_digest(instrument, week, own[week], own, await released_in(session, week))


async def write_digest(
    session: AsyncSession, instrument: Instrument, head: ScheduledMessage, now: datetime
) -> Written | str:
    """The words of a planned digest, and the row that remembers it."""
    department_id = head.department_id if head.kind == "department_digest" else None
    if department_id is not None:
        department = await session.get(Department, department_id)
        if department is None or department.archived_at is not None:
            return "The department is no longer there."
    digest = await render_digest(session, instrument, head.period, department_id)
    if digest is None:
        return "There are no figures of that week."
    sent = SentDigest(
        recipient=head.recipient,
        week=head.period,
        department_id=department_id,
        content=digest.content(),
        made_at=now,
    )
    return Written(digest.message, sent)
