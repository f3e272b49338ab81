"""`audit score` and `coverage score`: the pure rules on a file of given answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

from bot.audit.score_file import audit_score
from bot.coverage.score_file import coverage_score
from bot.errors import InputError

LARGEST_FILE = 32 * 1024 * 1024


def audit_score_command(file: Path, as_json: bool) -> None:
    """Print what follows from the answers in `file`: as one JSON document, or as a table to read."""
    result: Any = audit_score(read_json(file))
    typer.echo(json.dumps(result) if as_json else "\n".join(_audit_lines(result)))


def coverage_score_command(file: Path, as_json: bool) -> None:
    """Print the coverage of the tasks in `file`: as one JSON document, or as lines to read."""
    result: Any = coverage_score(read_json(file))
    typer.echo(json.dumps(result) if as_json else "\n".join(_coverage_lines(result)))


def read_json(file: Path) -> object:
    """The JSON document in `file`. Raises InputError that says what is wrong with it and what to do.

    A name that stands twice in one object is refused, since only one of the two would have been read.
    """
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise InputError(f"{file} is larger than 32 MiB. Please split it.")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}. Check the path and try again.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text. Please save it as UTF-8.") from error
    try:
        return json.loads(text, object_pairs_hook=_each_name_once)
    except json.JSONDecodeError as error:
        raise InputError(f"{file}, line {error.lineno}, is not JSON: {error.msg}.") from error
    except (RecursionError, ValueError) as error:
        raise InputError(f"{file} is not JSON that can be used: {error}.") from error


def _each_name_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"{', '.join(twice)} stands twice in one object")
    return fields


def _audit_lines(result: dict[str, Any]) -> Iterable[str]:
    models = [
        (model, state.replace("_", " "), ", ".join(result["gates"][model]["held_back_by"]))
        for model, state in result["models"].items()
    ]
    yield from _columns(("Model", "State", "Held back by"), models)
    yield ""
    yield f"Operational through: {result['operational_through']}"
    yield f"Working on: {result['working_model'] or 'nothing, all is in place'}"
    yield f"Active up to: {result['reach']}"
    for each in result["skipped"]:
        yield f"Skipped ({each['severity']}): {each['model']}, because {'; '.join(each['because'])}"
    yield ""
    yield from _columns(
        ("Criterion", "Claimed", "Counts as", "Confidence", ""),
        [_criterion_cells(name, each) for name, each in result["criteria"].items()],
    )


def _criterion_cells(name: str, each: dict[str, Any]) -> tuple[str, ...]:
    claimed = "not answered" if each["claimed"] is None else str(each["claimed"]).replace("_", " ")
    counted = "" if each["counted"] is None else str(each["counted"])
    confidence = "" if each["confidence"] is None else f"{each['confidence']:.2f}"
    return name, claimed, counted, confidence, "stale" if each["stale"] else ""


def _coverage_lines(result: dict[str, Any]) -> Iterable[str]:
    interval = f" (80% interval {_percent(result['low'])} to {_percent(result['high'])})"
    yield f"Coverage: {_percent(result['coverage'])}{interval if result['low'] is not None else ''}"
    yield f"Touched by AI: {_percent(result['touched'])}"
    known = "enough to publish" if result["published"] else "too little to publish"
    yield f"Known hours: {_percent(result['known_share'])}, {known}"
    yield f"Kept for people on purpose: {_percent(result['excluded_share'])}"
    if result["change"] is not None:
        verdict = "changed" if result["changed"] else "no clear change"
        yield f"Change: {100 * result['change']:+.1f} points, noise {100 * result['noise']:.1f}: {verdict}"


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.1f}%"


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
