"""`kb eval`: how well passages are found, refused and quoted, on a folder of documents with questions."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import typer

from bot.errors import InputError
from handlers.commands.common import print_json
from knowledge.evaluate import evaluate


def kb_eval(folder: Path, as_json: bool, per_question: Path | None, group: str | None) -> None:
    """Print the measures; with `per_question` write a JSON line for each question as it is answered."""
    with ExitStack() as stack:
        write = None
        if per_question is not None:
            try:
                lines = stack.enter_context(per_question.open("w", encoding="utf-8"))
            except OSError as error:
                raise InputError(
                    f"{per_question} can't be written. Name a file in a folder of yours."
                ) from error

            def write(record: dict[str, Any]) -> None:
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")

        measures = evaluate(folder, group, write)
    if as_json:
        print_json(measures)
        return
    for name, value in measures.items():
        typer.echo(f"{name:22} {'-' if value is None else value}")
