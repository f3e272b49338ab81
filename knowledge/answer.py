"""What a person is told: the words of the policies, from where, and how sure we are.

Without a model an answer is the decisive sentences of the best passages; knowledge.worded has the answer
with one. Nothing that a document says reaches anybody but as a quote or as a checked claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.messages import Citation, plain
from bot.store.tables import Band
from knowledge.checker import differ_in_figures
from knowledge.quoting import header_of, in_full, path_at, quote_lines, section_name, stretch

MAX_SOURCES = 3
_CLOSEST = 2  # passages shown where none is surely the answer
_NEAR = 0.75  # share of the first source's score that a further document needs
_BESIDE = 0.9  # and that a further section of the first document needs: nothing tells them apart


@dataclass(frozen=True)
class Source:
    """A passage that was found and that the asker may read, with what is known of its document."""

    passage_id: int
    document_id: int
    document: str
    section: str
    text: str
    version: int
    path: tuple[str, ...] = ()
    score: float = 0.0
    kind: str = "policy"
    label: str = ""
    owner_id: int | None = None
    owner: str | None = None
    effective: date | None = None
    changes_on: date | None = None
    """When the next version takes this one's place."""
    reviewed: date | None = None
    review_by: date | None = None
    expires: date | None = None

    def section_of(self, quote: str) -> str:
        """The section that a quote of the passage stands in."""
        place = self.text.find(quote)
        path = path_at(self.document, self.path, self.text, max(0, place))
        return section_name(self.document, path) if path else self.section

    def cited(self, quote: str) -> Citation:
        """This passage as the source of `quote`."""
        return Citation(
            document=self.document,
            section=self.section_of(quote),
            version=self.version,
            quote=quote,
            passage_id=self.passage_id,
            document_id=self.document_id,
            owner=self.owner,
            effective=self.effective.isoformat() if self.effective else None,
            reviewed=self.reviewed.isoformat() if self.reviewed else None,
            label=self.label,
        )


@dataclass(frozen=True)
class PolicyAnswer:
    """What was answered. `text` is light Markdown (see bot.messages); `nearest` are the sources in order.

    `model` names the language model that wrote it, None where the words are the policies' own. `answer_id`
    is the stored row (0 before it is stored); feedback and follow-ups point at it. `settled` is false where
    the next one who asks may get a better answer, because a model failed; such an answer is not kept.
    """

    band: Band
    text: str
    citations: tuple[Citation, ...] = ()
    model: str | None = None
    took_ms: int = 0
    answer_id: int = 0
    owner_id: int | None = None
    owner: str | None = None
    nearest_document_id: int | None = None
    settled: bool = True


Decisive = Callable[[str, str], Sequence[str]]
"""The sentences of a passage that decide a question, best first, each a slice of the passage."""

_SILENT = "The policies do not say."
NO_POLICIES = "No policies have been added yet, so there is nothing that I could answer from."


def extractive(
    question: str, band: Band, sources: Sequence[Source], decisive: Decisive, today: date
) -> PolicyAnswer:
    """The answer in the policies' own words. `sources` are ranked; their first decides."""
    quoted = _quoted(question, sources, decisive)
    if band is Band.SILENT or not quoted:
        return with_owner(PolicyAnswer(Band.SILENT, _SILENT), sources)
    if band is Band.CLOSEST:
        return with_owner(_closest(quoted[:_CLOSEST], today), sources)
    parts = [_block(*quoted[0], today)]
    if note := conflict(quoted, today) or not_yet(quoted[0][0], today):
        parts.insert(0, note)
    parts += [f"See also {_block(source, quote, today)}" for source, quote in quoted[1:]]
    citations = tuple(source.cited(quote) for source, quote in quoted)
    return with_owner(PolicyAnswer(band, "\n\n".join(parts), citations), sources)


def _closest(quoted: Sequence[tuple[Source, str]], today: date) -> PolicyAnswer:
    """The passages that are worth a look although they may not answer."""
    found = "passage" if len(quoted) == 1 else "passages"
    blocks = [_block(source, quote, today) for source, quote in quoted]
    text = "\n\n".join([f"The policies may be silent on this. The closest {found} I found:", *blocks])
    return PolicyAnswer(Band.CLOSEST, text, tuple(source.cited(quote) for source, quote in quoted))


def with_owner(answer: PolicyAnswer, sources: Sequence[Source]) -> PolicyAnswer:
    """The answer with the owner of the nearest document, who is asked where it does not satisfy."""
    if not sources:
        return answer
    nearest = sources[0]
    return replace(
        answer, owner_id=nearest.owner_id, owner=nearest.owner, nearest_document_id=nearest.document_id
    )


def _quoted(question: str, sources: Sequence[Source], decisive: Decisive) -> list[tuple[Source, str]]:
    """A quote of each of the first few documents, word for word as it stands in its passage. Documents
    that fit much less than the first add nothing; further sections of the first one are quoted where they
    fit as well."""
    quoted: list[tuple[Source, str]] = []
    for source in sources:
        if len(quoted) == MAX_SOURCES or source.score < _NEAR * sources[0].score:
            break
        again = any(source.document_id == other.document_id for other, _ in quoted)
        beside = quoted and quoted[0][0].document_id == source.document_id
        near = source.score >= _BESIDE * sources[0].score
        if again and not (beside and near):
            continue
        sentences = decisive(question, source.text)
        quote = stretch(source.text, sentences if again or not quoted else sentences[:1])
        if quote and not any(quote in said for _, said in quoted):  # the same policy may be filed twice
            quoted.append((source, quote))
    return quoted


def not_yet(source: Source, today: date) -> str | None:
    """What to say before the words of a policy that is still to come."""
    if source.effective is None or source.effective <= today:
        return None
    return f"_This is not in force yet: it holds from {day(source.effective)}._"


def conflict(quoted: Sequence[tuple[Source, str]], today: date) -> str | None:
    """What to say where the first of these quotes and one of another document give different figures for one
    thing."""
    (first, quote), *others = quoted
    said = in_full(first.text, quote)
    for other, other_quote in others:
        differs = differ_in_figures(said, in_full(other.text, other_quote))
        if other.document_id != first.document_id and differs:
            if coming := _coming(first, other, today):
                return f"_This changes on {day(coming)}: two policies give different figures._"
            one, two = (f"{plain(each.document)}{_in_force(each, today)}" for each in (first, other))
            ask = f"Ask {_owners(first, other)} which one holds."
            return f"Two policies give different figures: {one} and {two}. {ask}"
    return None


def _coming(first: Source, other: Source, today: date) -> date | None:
    """The day from which on one of two policies holds, while the other does already."""
    dates = [source.effective for source in (first, other) if source.effective and source.effective > today]
    return dates[0] if len(dates) == 1 else None


def _owners(first: Source, other: Source) -> str:
    names = dict.fromkeys(plain(source.owner) for source in (first, other) if source.owner)
    return " or ".join(names) or "their owners"


def _in_force(source: Source, today: date) -> str:
    """Since when a document holds, in brackets; empty where it does not say."""
    return f" ({_holds(source.effective, today)})" if source.effective else ""


def _holds(effective: date, today: date) -> str:
    return f"{'comes into force on' if effective > today else 'in force since'} {day(effective)}"


def _block(source: Source, quote: str, today: date) -> str:
    """One source: where it stands, the words themselves, and how current they are."""
    words = f"{_heading(source, quote)}\n{quoted_from(source, quote)}"
    return f"{words}\n\n_Word for word{_from(source)}{particulars(source, today)}._"


def _heading(source: Source, quote: str) -> str:
    return f"**{plain(source.document)}**{beside(source, quote)}"


def beside(source: Source, quote: str) -> str:
    """What stands behind a document's name: the section of the quote, or who gave the answer that it is."""
    if source.kind == "entry":
        return f" (answered by {plain(source.owner or 'the policy owner')})"
    section = source.section_of(quote)
    return f", {plain(section)}" if section else ""


def quoted_from(source: Source, quote: str, marks_headings: bool = False) -> str:
    """A quote of a passage as lines of light Markdown."""
    return quote_lines(quote, header_of(source.text, quote, source.path), marks_headings)


def _from(source: Source) -> str:
    return ", " if source.kind == "entry" else " from "


def particulars(source: Source, today: date) -> str:
    """How current a source is: its version, its owner, its dates; of an owner's answer only the dates."""
    parts = []
    if source.kind == "entry":
        parts += [f"given on {day(source.effective)}"] if source.effective else []
        confirmed = source.reviewed if source.reviewed != source.effective else None
        parts += [f"confirmed on {day(confirmed)}"] if confirmed else []
    else:
        parts.append(f"version {plain(source.label) if source.label else source.version}")
        parts += [f"owner {plain(source.owner)}"] if source.owner else []
        parts += [_holds(source.effective, today)] if source.effective else []
        parts += [f"last reviewed {day(source.reviewed)}"] if source.reviewed else []
    if source.review_by and source.review_by < today:
        parts.append(f"its review was due on {day(source.review_by)}")
    if source.changes_on and source.changes_on > today:
        parts.append(f"a new version takes its place on {day(source.changes_on)}")
    if source.expires:
        parts.append(f"holds until {day(source.expires)}")
    return ", ".join(parts)


def day(value: date) -> str:
    """A date as people write it: 3 November 2026."""
    return f"{value.day} {value:%B %Y}"
