"""The instrument: five models, twenty criteria, and every rule the coach goes by, read once and typed.

`instrument.yaml` beside this file is the only source. `load_instrument` refuses it at start, with every fault
listed, when an id is unknown, a scale is incomplete or a requirement points nowhere: nothing later has to
doubt it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from bot.audit.parts import (
    LEVELS,
    About,
    BlockerKind,
    Confidence,
    CoverageRules,
    Criterion,
    DepartmentTemplate,
    DigestRules,
    Evidence,
    EvidenceClass,
    FirstAuditFlow,
    Freshness,
    Gates,
    NudgeRules,
    Part,
    PrivacyRules,
    ReAuditFlow,
    Scale,
    SecondRater,
    ValueModel,
)
from bot.errors import NotFound, SettingsError

INSTRUMENT_FILE = Path(__file__).with_name("instrument.yaml")

# The same safe subset of YAML, read by libyaml where PyYAML was built with it: a tenth of the time at start.
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Instrument(Part):
    """Everything the coach goes by. Looked up by id; unknown ids raise NotFound."""

    about: About = Field(alias="instrument")
    scale: Scale
    evidence: Evidence
    freshness: Freshness
    confidence: Confidence
    second_rater: SecondRater
    conversation_rules: tuple[str, ...]
    first_audit_flow: FirstAuditFlow
    re_audit_flow: ReAuditFlow
    gates: Gates
    models: Annotated[tuple[ValueModel, ...], Field(min_length=5, max_length=5)]
    coverage: CoverageRules
    nudges: NudgeRules
    digest: DigestRules
    privacy: PrivacyRules
    departments: tuple[DepartmentTemplate, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> Instrument:
        if faults := list(_faults(self)):
            raise ValueError("; ".join(faults))
        return self

    @property
    def version(self) -> str:
        return self.about.version

    @property
    def comparable_version(self) -> str:
        """`major.minor`: only answers with the same one are compared."""
        return self.version.rsplit(".", 1)[0]

    @cached_property
    def criteria(self) -> tuple[Criterion, ...]:
        """All twenty, in the order of the models."""
        return tuple(criterion for model in self.models for criterion in model.criteria)

    def model(self, model_id: str) -> ValueModel:
        return _by_id(self.models, model_id, "model")

    def criterion(self, criterion_id: str) -> Criterion:
        return _by_id(self.criteria, criterion_id, "criterion")

    def blocker(self, blocker_id: str) -> BlockerKind:
        return _by_id([kind for model in self.models for kind in model.blockers], blocker_id, "blocker")

    def department(self, template_id: str) -> DepartmentTemplate:
        return _by_id(self.departments, template_id, "department")

    def cap(self, evidence: EvidenceClass) -> int:
        """The highest level an answer with this evidence may count as."""
        return self.evidence.classes[evidence].caps_counted_level_at


_P = TypeVar("_P", ValueModel, Criterion, BlockerKind, DepartmentTemplate)


def _by_id(parts: Iterable[_P], wanted: str, what: str) -> _P:
    for part in parts:
        if part.id == wanted:
            return part
    raise NotFound(f"The instrument has no {what} {wanted!r}.")


def _faults(instrument: Instrument) -> Iterator[str]:
    yield from _faults_of_models(instrument)
    yield from _faults_of_requirements(instrument)
    yield from _faults_of_scales(instrument)
    yield from _faults_of_departments(instrument)


def _twice(ids: Iterable[str]) -> Iterator[str]:
    return (f"{name} stands there twice" for name, count in Counter(ids).items() if count > 1)


def _faults_of_models(instrument: Instrument) -> Iterator[str]:
    yield from _twice(model.id for model in instrument.models)
    if [model.order for model in instrument.models] != [1, 2, 3, 4, 5]:
        yield "the models must stand in their order 1 to 5"
    for model in instrument.models:
        if [criterion.id for criterion in model.criteria] != [f"{model.id}-{n}" for n in (1, 2, 3, 4)]:
            yield f"the criteria of {model.id} must be {model.id}-1 to {model.id}-4"
        if sum(criterion.screening for criterion in model.criteria) != 1:
            yield f"{model.id} needs exactly one screening question"
        if any(not kind.id.startswith(f"{model.id}-") for kind in model.blockers):
            yield f"a blocker of {model.id} carries another model's id"
    yield from _twice(kind.id for model in instrument.models for kind in model.blockers)


def _faults_of_requirements(instrument: Instrument) -> Iterator[str]:
    orders = {model.id: model.order for model in instrument.models}
    criteria = {criterion.id for criterion in instrument.criteria}
    for model in instrument.models:
        for requirement in model.hard_requires:
            if orders.get(requirement.model, model.order) >= model.order:
                yield f"{model.id} requires {requirement}, which is not an earlier model"
            if requirement.criterion is not None and requirement.criterion not in criteria:
                yield f"{model.id} requires {requirement.criterion}, which is not a criterion"


def _faults_of_scales(instrument: Instrument) -> Iterator[str]:
    for criterion in instrument.criteria:
        if tuple(sorted(criterion.levels)) != LEVELS:
            yield f"{criterion.id} needs an anchor for each level 0 to 4"
    if tuple(sorted(instrument.scale.levels)) != LEVELS:
        yield "the scale needs the levels 0 to 4"
    caps = [
        instrument.evidence.classes[name].caps_counted_level_at
        for name in sorted(instrument.evidence.classes)
    ]
    if len(caps) != 4 or caps != sorted(caps):
        yield "evidence E0 to E3 needs caps that never fall"
    if set(instrument.freshness.half_life_days) != {model.id for model in instrument.models}:
        yield "each model needs one half-life"
    share = instrument.coverage.inputs_per_task.share_of_cases
    if set(share.values) != set(share.half_width):
        yield "each share bucket needs one half width"


def _faults_of_departments(instrument: Instrument) -> Iterator[str]:
    yield from _twice(department.id for department in instrument.departments)
    yield from _twice(
        task.id for department in instrument.departments for task in department.repetitive_tasks
    )


@lru_cache(maxsize=4)
def load_instrument(path: Path = INSTRUMENT_FILE) -> Instrument:
    """The instrument in `path`, validated as a whole; read once per path.

    Raises SettingsError that lists every fault, or says why the file can't be read.
    """
    try:
        content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=_SafeLoader)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"The instrument {path.name} can't be read: {error}") from error
    try:
        return Instrument.model_validate(content)
    except ValidationError as error:
        faults = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError(
            "\n".join([f"The instrument {path.name} does not fit together:", *faults])
        ) from error
