"""What a sitting remembers, what can come in, and what follows: plain frozen records, ready for JSON.

The state holds no names and no clock. Replaying the same inputs at the same instants gives the same state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.audit.parts import EvidenceClass
from bot.speech import Chose, Say, Words

Kind = Literal["first", "re", "second"]
Phase = Literal[
    "welcome",  # who sees what; nothing is asked before a tap on start
    "case",  # the question: the last real case in own words
    "different",  # re-audit: what is different since the last answer?
    "fresh",  # re-audit, the same again: one fresh case at the level that stands
    "placing",  # words are in; two anchors are being looked for
    "place",  # two anchors, or all five
    "probe",  # when did this last not happen?
    "evidence",  # something that somebody else could open
    "process",  # the name of the process that was told of
    "path",  # the departments it passes through, one after the other
    "rest",  # between two sittings
    "done",  # nothing more to ask
    "away",  # stayed out, or handed over
]
Interlude = Literal["", "reason", "approver", "later", "hand_over", "edit"]
ClaimKind = Literal["level", "unknown", "not_applicable"]
Source = Literal["", "model", "embeddings", "all"]

MOST_WORDS = 10_000
"""Characters kept of one text. Nobody answers in more; it keeps a pasted file out of the state."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Given(_Record):
    """One answer of this sitting. `at` and the criterion name it: completing it later keeps both.

    `level` is set for the claim "level" only. `shown` lists the levels in the order they stood on the card.
    """

    criterion: str
    claim: ClaimKind
    at: datetime
    level: int | None = None
    evidence: EvidenceClass = "E0"
    words: str = ""
    probe_words: str = ""
    evidence_text: str = ""
    shown: tuple[int, ...] = ()
    proposed_by: Source = ""
    reason: str = ""
    approver: int | None = None


class Known(_Record):
    """The answer that stood before this sitting. `comparable` is false when anchors or lead changed since;
    `ended` says why it no longer counts, after "because", where an event ended it early.
    """

    claim: ClaimKind
    level: int | None
    counted: int | None
    words: str
    at: datetime
    still_true_used: bool = False
    comparable: bool = True
    ended: str = ""


class Draft(_Record):
    """The present question's unfinished answer.

    `words_before` are the words before the last ones were added. `at` is when its first pick was stored,
    `keep_level` the level of a fresh case, `evidence_text` what was given to show for it: another pick does
    not ask for that again. `probed` and `asked_evidence` keep each of these questions to once, as does
    `asked_process`. `process` is the name of what was told of, `path` the departments it passes through.
    """

    at: datetime | None = None
    words: str = ""
    words_before: str = ""
    shown: tuple[int, ...] = ()
    proposed_by: Source = ""
    probe_words: str = ""
    evidence_text: str = ""
    probed: bool = False
    asked_evidence: bool = False
    reason: str = ""
    keep_level: int | None = None
    asked_process: bool = False
    process: str = ""
    path: tuple[int, ...] = ()


class State(_Record):
    """Where one person's audit of one department stands.

    `co_leads`: others lead the department, too. `named`: this person leads others as well, so that the cards
    name the department. `turn` counts the cards shown; a button carries the turn
    of its card. `greeted`: the first card, with who sees what, was shown; until then words show it and
    do nothing else. `current` is the criterion that is asked now. `queue` lists what a re-audit or a
    second rater is to be asked; a first audit plans as it goes.
    """

    session: int
    kind: Kind
    version: str
    seed: int
    turn: int = 0
    greeted: bool = False
    phase: Phase = "welcome"
    interlude: Interlude = ""
    paused: bool = False
    co_leads: bool = False
    named: bool = False
    no_models: tuple[str, ...] = ()
    known: dict[str, Known] = {}
    queue: tuple[str, ...] = ()
    sittings: int = 0
    sitting: tuple[str, ...] = ()
    current: str = ""
    answers: dict[str, Given] = {}
    carried: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    draft: Draft = Draft()
    later_on: date | None = None
    last_choice: str = ""

    @property
    def settled(self) -> frozenset[str]:
        """The criteria that need no further word in this sitting."""
        return frozenset((*self.answers, *self.carried, *self.skipped))

    @property
    def asks(self) -> bool:
        """A card waits for words or a tap."""
        return not self.paused and (bool(self.interlude) or self.phase not in ("rest", "done", "away"))


@dataclass(frozen=True)
class Someone:
    """A person, or a department, as a sitting speaks of them."""

    id: int
    name: str
    email: str = ""


@dataclass(frozen=True)
class Facts:
    """What the sentences need and the state does not keep."""

    department: str
    owners: tuple[Someone, ...] = ()
    """The programme owners, who read raw answers."""
    approvers: tuple[Someone, ...] = ()
    """Who may confirm what does not apply; read only where that is asked."""
    person: int = 0
    """Whose sitting it is."""
    colleagues: tuple[Someone, ...] = ()
    """Whom this sitting may be handed to."""
    departments: tuple[Someone, ...] = ()
    """All of the company's; read only where a process is asked about."""
    processes: tuple[str, ...] = ()
    """Names of the stored processes that pass through this department; read only there, too."""
    zone: tzinfo = UTC
    """The person's own; "tomorrow" is a day there."""


# What can come in.


@dataclass(frozen=True)
class Asked:
    """Words that are known to be a question or a request of their own, not an answer."""

    text: str


@dataclass(frozen=True)
class Proposed:
    """The anchors that a model or the embeddings find closest. Anything odd in it shows all five instead."""

    levels: tuple[int, ...]
    source: Source
    quote: str = ""


@dataclass(frozen=True)
class NoProposal:
    """No two anchors stood out, or whoever was asked was too slow."""


@dataclass(frozen=True)
class Resume:
    """Show the present card, here."""


@dataclass(frozen=True)
class InstrumentChanged:
    """The instrument has a new version; `gone` are the criteria that it no longer asks."""

    version: str
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnsweredMeanwhile:
    """Another lead answered these questions since the sitting began: the answers, and who gave them."""

    known: dict[str, Known]
    names: dict[str, str]


Input = Words | Asked | Chose | Proposed | NoProposal | Resume | InstrumentChanged | AnsweredMeanwhile


# What follows.


@dataclass(frozen=True)
class SaveAnswer:
    """Store this answer, or complete the stored one of the same criterion and instant."""

    answer: Given


@dataclass(frozen=True)
class SaveProcess:
    """Keep a process that a lead told of, with the level that was given for it."""

    name: str
    path: tuple[int, ...]
    level: int


@dataclass(frozen=True)
class StillTrue:
    """The stored answer stands; its clock is set forward, once."""

    criterion: str


@dataclass(frozen=True)
class AskProposal:
    """Look for the two closest anchors; answer with Proposed or NoProposal."""

    criterion: str
    words: str


@dataclass(frozen=True)
class AskFreely:
    """A question that is not part of the audit: answer it, the card comes again after it."""

    text: str


@dataclass(frozen=True)
class ShowPlacement:
    """Work out and show where the department stands."""

    provisional: bool


@dataclass(frozen=True)
class OfferSteps:
    """Begin the coaching: three steps of one criterion."""


@dataclass(frozen=True)
class HandOver:
    """Pass the rest of the sitting to this person."""

    to: int


@dataclass(frozen=True)
class RequestApproval:
    """Ask a programme owner whether this criterion may be left out."""

    criterion: str
    approver: int


@dataclass(frozen=True)
class AskSecond:
    """Have a colleague answer the same question without seeing the first answer."""

    criterion: str


@dataclass(frozen=True)
class Enrol:
    """The person agreed to start; until then nothing is sent unasked."""


@dataclass(frozen=True)
class StayOut:
    """The person wants none of it."""


Effect = (
    Say
    | SaveAnswer
    | SaveProcess
    | StillTrue
    | AskProposal
    | AskFreely
    | ShowPlacement
    | OfferSteps
    | HandOver
    | RequestApproval
    | AskSecond
    | Enrol
    | StayOut
)
