"""What a look at the deployment found: one line each, and what to do where it is not well."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One look. `sentence` says what is so, and where it is not well, what to do."""

    name: str
    well: bool
    sentence: str
