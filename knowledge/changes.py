"""What changed between two versions of a document, as its owner reads it: by section, sentence by sentence.

Compared are the words: where only line breaks or Markdown differ, nothing has changed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.quoting import told, unmarked
from knowledge.sentences import sentence_spans

_PER_SECTION = 20  # sentences shown of each kind


@dataclass(frozen=True)
class Change:
    """What went from and came into one section. A section that moved as a whole shows as no change."""

    section: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


def difference(before: str, after: str) -> list[Change]:
    """The sections that differ, in the order of the new text; those that are gone come last."""
    old, new = _sections(before), _sections(after)
    changes = []
    for section in [*new, *(section for section in old if section not in new)]:
        removed, added = _compared(old.get(section, []), new.get(section, []))
        if removed or added:
            changes.append(Change(section, removed[:_PER_SECTION], added[:_PER_SECTION]))
    return changes


def _sections(text: str) -> dict[str, list[str]]:
    """The sentences of a text by the heading above them; a heading that occurs twice gathers both."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for start, end in sentence_spans(text):
        part = text[start:end]
        if part.startswith("#"):
            heading = unmarked(part.lstrip("# "))
        elif words := told(part):
            sections.setdefault(heading, []).append(words)
    return sections


def _compared(old: list[str], new: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lines = list(difflib.ndiff(old, new) if len(old) + len(new) < 400 else _by_presence(old, new))
    return _marked(lines, "- "), _marked(lines, "+ ")


def _by_presence(old: list[str], new: list[str]) -> Iterator[str]:
    """For long sections, where a line-by-line comparison takes too long."""
    before, after = set(old), set(new)
    yield from (f"- {line}" for line in old if line not in after)
    yield from (f"+ {line}" for line in new if line not in before)


def _marked(lines: list[str], mark: str) -> tuple[str, ...]:
    return tuple(line[2:] for line in lines if line.startswith(mark))
