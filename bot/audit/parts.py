"""The pieces of the instrument, each as a typed, frozen record.

They say what a piece is; whether the pieces fit together is checked in `bot.audit.instrument`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

EvidenceClass = Literal["E0", "E1", "E2", "E3"]
Level = Annotated[int, Field(ge=0, le=4)]
LEVELS = (0, 1, 2, 3, 4)

_STATE_FORM = re.compile(r"([A-Z]{2}) operational")
_LEVEL_FORM = re.compile(r"([A-Z]{2}-\d) at counted level ([0-4])")


class Part(BaseModel):
    """Frozen, and refuses a field it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Requirement(Part):
    """What a model builds on: another model reported operational, or one criterion at a counted level.

    Exactly one of the two forms: `criterion` and `level` are both set or both None; `model` is always the
    model that is referred to.
    """

    model: str
    criterion: str | None = None
    level: Level | None = None

    def __str__(self) -> str:
        if self.criterion is None:
            return f"{self.model} operational"
        return f"{self.criterion} at counted level {self.level}"


def parse_requirement(text: object) -> object:
    """`"WE operational"` or `"EC-2 at counted level 3"` as a Requirement; ValueError for any other form."""
    if not isinstance(text, str):
        return text
    if found := _STATE_FORM.fullmatch(text):
        return Requirement(model=found[1])
    if found := _LEVEL_FORM.fullmatch(text):
        return Requirement(model=found[1].split("-")[0], criterion=found[1], level=int(found[2]))
    raise ValueError(f"{text!r} is neither 'XX operational' nor 'XX-n at counted level L'")


ParsedRequirement = Annotated[Requirement, BeforeValidator(parse_requirement)]


class About(Part):
    """Which instrument this is. Answers are comparable within one major.minor version."""

    id: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    date: str
    unit_of_assessment: str
    size: str
    status: str
    comparability: str


class LevelMeaning(Part):
    name: str
    meaning: str


class Scale(Part):
    levels: dict[Level, LevelMeaning]
    special_answers: dict[Literal["unknown", "not_applicable"], str]


class EvidenceRule(Part):
    """One class of evidence and the highest level that an answer with it may count as."""

    name: str
    test: str
    caps_counted_level_at: Level


class Evidence(Part):
    classes: dict[EvidenceClass, EvidenceRule]
    rule: str
    lead_message: str
    link_policy: str


class Freshness(Part):
    """Half-lives in days by model; an answer is stale when it is older than `stale_after_days`."""

    half_life_days: dict[str, Annotated[int, Field(gt=0)]]
    ageing_after_days: int
    stale_after_days: int
    rule: str
    early_expiry_events: tuple[str, ...]


class Confidence(Part):
    formula: str
    evidence_weight: dict[EvidenceClass, float]
    agreement_weight: dict[
        Literal["single_rater", "same_level", "one_level_apart", "two_or_more_apart_unresolved"], float
    ]
    bands: dict[Literal["high", "medium", "low"], float]


class SecondRater(Part):
    when: tuple[str, ...]
    how: str
    resolve: str
    instrument_quality_check: str


class FirstAuditFlow(Part):
    step_1: str
    step_2: str
    step_3: str
    expected_minutes: dict[str, int | str]


class ReAuditFlow(Part):
    cadence_days: dict[Literal["default", "model_with_open_next_step"], int]
    per_criterion: str
    delta_classes: dict[str, str]


class NextStepChoice(Part):
    order: tuple[str, ...]
    offer: str
    limit_open_steps: int


class PlacementRules(Part):
    operational_through: str
    working_model: str
    reach: str
    skipped: str
    skip_severity: dict[Literal["hard", "soft"], str]
    wording: str


class Gates(Part):
    model_states: dict[Literal["not_started", "exploring", "building", "operational", "steering"], str]
    no_averaging: str
    modes: dict[Literal["strict", "chain"], str]
    placement: PlacementRules
    next_step_choice: NextStepChoice


class BlockerKind(Part):
    """A usual obstacle. `cue` is how people say it; a critical one keeps its model from being operational."""

    id: str = Field(pattern=r"^[A-Z]{2}-B\d$")
    label: str
    cue: str
    usual_owner: str
    critical: bool
    first_move: str


class Step(Part):
    """Something a lead can do next. `minutes` is an estimate of own effort, `done_when` the test."""

    text: str
    minutes: int = Field(gt=0)
    done_when: str


class Criterion(Part):
    """One question with its five anchors. `screening` marks the first question of its model."""

    id: str = Field(pattern=r"^[A-Z]{2}-\d$")
    name: str
    critical: bool
    screening: bool
    follow_up: Literal["process"] | None = None
    """What is asked once more after it: the process that it is about."""
    question: str
    hint: str = "The last real case, in your own words."
    """Where to begin an answer: the most recent case, in the words that fit this question."""
    why: str
    levels: dict[Level, str]
    evidence: tuple[str, ...]
    next_steps: Annotated[tuple[Step, ...], Field(min_length=3, max_length=3)]
    stretch_step: Step

    @property
    def model_id(self) -> str:
        return self.id.split("-")[0]


class ValueModel(Part):
    """One of the five AI value models, in order 1 to 5."""

    id: str = Field(pattern=r"^[A-Z]{2}$")
    order: int = Field(ge=1, le=5)
    name: str
    in_short: str
    """What it is about, in a few words that fit into a sentence."""
    purpose: str
    audience_rule: str | None = None
    hard_requires: tuple[ParsedRequirement, ...]
    soft_requires: tuple[str, ...] = ()
    operational_definition: str
    gate_rule: str
    leading_indicators: tuple[str, ...]
    blockers: tuple[BlockerKind, ...]
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=4, max_length=4)]

    @property
    def screening(self) -> Criterion:
        """The one criterion that is asked first."""
        return next(criterion for criterion in self.criteria if criterion.screening)


class HoursInput(Part):
    """Buckets of hours per person and week, and the number each stands for."""

    ask: str
    buckets: dict[str, float]


class ShareInput(Part):
    """Buckets of "out of ten cases" as shares, with the half width of each."""

    ask: str
    values: dict[str, float]
    half_width: dict[str, float]


class ModeInput(Part):
    ask: str
    weights: dict[str, float]


class AcceptedInput(Part):
    ask: str
    unknown_value: float
    unknown_half_width: float


class KeepHumanInput(Part):
    ask: str
    needs_reason: bool


class CoverageInputs(Part):
    hours_per_person_week: HoursInput
    share_of_cases: ShareInput
    mode: ModeInput
    accepted_of_last_ten: AcceptedInput
    review_status: tuple[str, ...]
    tool_status: tuple[str, ...]
    keep_human: KeepHumanInput


class CoverageScript(Part):
    budget_seconds: int
    first_time: str
    later: str


class CoverageRules(Part):
    meaning: str
    not_the_same_as: tuple[str, ...]
    inputs_per_task: CoverageInputs
    formulas: dict[str, str]
    roll_up: str
    confidence_grades: dict[Literal["A", "B", "C"], str]
    chat_script: CoverageScript
    show_as: str
    pitfalls: tuple[str, ...]


class NudgeDefaults(Part):
    max_proactive_per_person_per_week: int
    reminders_per_request: int
    reminder_after_working_days: int
    send_window: str
    quiet_hours: str


class NudgeRules(Part):
    defaults: NudgeDefaults
    rules: tuple[str, ...]


class DigestRules(Part):
    cadence: str
    length: str
    order: tuple[str, ...]
    quiet_week: str
    numbers: str
    not_in_digest: tuple[str, ...]


class PrivacyRules(Part):
    min_group: int
    rules: tuple[str, ...]


class RepetitiveTask(Part):
    """A usual repetitive task. `keep_human_hint` names the part that people mostly keep on purpose."""

    id: str
    text: str
    kind: str
    keep_human_hint: str | None = None


class DepartmentTemplate(Part):
    """A usual department. `ad_audience` none means that AI-native distribution does not apply to it."""

    id: str
    name: str
    ad_audience: Literal["internal", "external", "none"]
    example_roles: tuple[str, ...]
    repetitive_tasks: tuple[RepetitiveTask, ...]
