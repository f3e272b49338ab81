"""The sample company's files as they read on a given day.

They are kept with dates in braces that count days from the demo's today, `{-96d}` or `{+14d}`, so that the
sample looks the same on any day. Nothing reads them before `fill_dates` has put ISO dates there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

SAMPLE = Path(__file__).parent / "sample"
HISTORY_FILE = SAMPLE / "history.yaml"

_OFFSET = re.compile(r"\{([+-]\d{1,4})d\}")
_SUPERSEDES = re.compile(r"^supersedes: *(\S+)", re.M)


@dataclass(frozen=True)
class SampleFile:
    """A file of the sample with its dates filled in. `name` is what it is called in its folder."""

    name: str
    text: str


def fill_dates(text: str, today: date) -> str:
    """`text` with every date in braces replaced by the ISO date that many days from `today`."""
    return _OFFSET.sub(lambda found: (today + timedelta(days=int(found[1]))).isoformat(), text)


def organisation_file(today: date, folder: Path = SAMPLE) -> SampleFile:
    """The organisation, ready for the import."""
    path = folder / "org.yaml"
    return SampleFile(path.name, fill_dates(path.read_text("utf-8"), today))


def policy_files(today: date, folder: Path = SAMPLE) -> list[SampleFile]:
    """Every policy with its front matter; one that another supersedes comes before that other."""
    paths = sorted((folder / "policies").glob("*.md"))
    files = [SampleFile(path.name, fill_dates(path.read_text("utf-8"), today)) for path in paths]
    replaced = {found[1] for file in files if (found := _SUPERSEDES.search(file.text))}
    return sorted(files, key=lambda file: file.name.removesuffix(".md") not in replaced)


def write_sample(target: Path, today: date, folder: Path = SAMPLE) -> None:
    """Put the organisation and the policies below `target`, dates filled in, for commands that read files."""
    (target / "policies").mkdir(parents=True, exist_ok=True)
    organisation = organisation_file(today, folder)
    (target / organisation.name).write_text(organisation.text, "utf-8")
    for file in policy_files(today, folder):
        (target / "policies" / file.name).write_text(file.text, "utf-8")
