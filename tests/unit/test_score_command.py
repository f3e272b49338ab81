"""The two score commands: one JSON document, a table to read, or one clear sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import InputError
from handlers.commands.score import audit_score_command, coverage_score_command

ANSWERS: dict[str, Any] = {
    "now": "2026-11-22T10:00:00+00:00", "mode": "chain", "open_blockers": [], "not_applicable_models": [],
    "answers": [
        {"criterion": c, "claimed": 3, "evidence": "E2", "at": "2026-11-01T10:00:00+01:00", "approved": False}
        for c in ("WE-1", "EC-1")
    ],
}  # fmt: skip
TASKS: dict[str, Any] = {
    "tasks": [{
        "id": "a", "role": "clerk", "headcount": 5, "hours": 2, "estimated": True, "share": "6-8",
        "mode": "helps_a_person", "accepted": 8, "review": "sampled", "tool": "approved",
        "keep_human": False, "fresh": True,
    }],
}  # fmt: skip


def written(folder: Path, content: object) -> Path:
    file = folder / "given.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit_score_command(written(tmp_path, ANSWERS), as_json=True)
    assert json.loads(capsys.readouterr().out)["reach"] == 3
    coverage_score_command(written(tmp_path, TASKS), as_json=True)
    assert json.loads(capsys.readouterr().out)["coverage"] == pytest.approx(0.28)


def test_people_get_lines_to_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit_score_command(written(tmp_path, ANSWERS), as_json=False)
    shown = capsys.readouterr().out
    assert "Working on: WE" in shown
    assert "Skipped (hard): WE, because WE-4 is critical and below 2; EC requires WE operational" in shown
    coverage_score_command(written(tmp_path, TASKS | {"before": TASKS["tasks"]}), as_json=False)
    shown = capsys.readouterr().out
    assert "Coverage: 28.0% (80% interval 24.8% to 31.2%)" in shown
    assert "no clear change" in shown
    coverage_score_command(written(tmp_path, {"tasks": []}), as_json=False)
    assert "Coverage: not known\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "is not JSON"), (b"\xff\xfe{}", "not UTF-8"), (b"[" * 100_000, "not JSON that can be used"),
        (b'{"tasks": [], "tasks": []}', "stands twice"), (b"9" * 5000, "not JSON that can be used"),
        (b'{"tasks": 1}', "a list is needed"), (b"", "is not JSON"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_refused_with_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "given.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=says):
        coverage_score_command(file, as_json=True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputError, match="can't be read"):
            audit_score_command(path, as_json=True)


def test_not_a_number_is_refused_although_python_reads_it(tmp_path: Path) -> None:
    without_hours = TASKS | {"tasks": [TASKS["tasks"][0] | {"hours": float("nan")}]}
    with pytest.raises(InputError, match=r"tasks\[0\]: hours: is nan"):
        coverage_score_command(written(tmp_path, without_hours), as_json=True)
