"""`export` and `erase` as an administrator types them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from bot.config import from_environment
from bot.errors import StagecoachError
from bot.store.engine import Store
from bot.store.tables import Document, DocumentVersion, Identity, PendingUpload, Person, Platform
from handlers.cli import app
from tests.conftest import NOW
from tests.e2e.test_kb_commands import ORGANISATION

FAY = "fay@example.com"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fay has an account and waits with a file; a policy names her."""
    monkeypatch.setenv("STAGECOACH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STAGECOACH_NOW", "2026-11-18T09:00:00+00:00")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org.yaml").write_text(ORGANISATION)
    run("org", "import", "org.yaml")
    asyncio.run(_plant())
    return tmp_path


async def _plant() -> None:
    store = Store(from_environment().store_url)
    try:
        async with store.write() as tx:
            fay = (await tx.exec(select(Person).where(Person.email == FAY))).one()
            person: Any = fay.id
            tx.add(Identity(person_id=person, platform=Platform.SLACK, external_id="U1"))
            tx.add(PendingUpload(person_id=person, name="a.md", data=b"# A", dropped_at=NOW))
            policy = Document(source="b.md", title="Business travel", added_at=NOW)
            tx.add(policy)
            await tx.flush()
            named: Any = {"document_id": policy.id, "text": "Ask fay adler.", "sha256": "0", "added_at": NOW}
            tx.add(DocumentVersion(number=1, **named))
    finally:
        await store.close()


def run(*words: str, status: int = 0) -> str:
    """What a command prints on stderr, or refuses with."""
    result = CliRunner().invoke(app, words)
    if isinstance(result.exception, StagecoachError):
        assert status == 1
        return str(result.exception)
    assert result.exit_code == status, result.output
    return result.stderr


def test_a_file_for_the_person_alone(folder):
    said = run("export", "--person", "Fay@Example.com", "--out", "fay.json")
    assert "everything that is kept about Fay@Example.com" in said
    file = folder / "fay.json"
    assert file.stat().st_mode & 0o777 == 0o600
    document = json.loads(file.read_text())
    assert document["person"]["name"] == "Fay Adler"
    assert document["exported_at"].startswith("2026-11-18T09:00:00")
    assert [each["external_id"] for each in document["accounts"]] == ["U1"]


def test_no_file_is_written_over_and_none_is_made_for_nobody(folder):
    (folder / "mine.txt").write_text("keep")
    assert "mine.txt is there already" in run("export", "--person", FAY, "--out", "mine.txt", status=1)
    assert (folder / "mine.txt").read_text() == "keep"
    assert "can't be written" in run("export", "--person", FAY, "--out", "no/such/x.json", status=1)
    nobody = run("export", "--person", "x@example.com", "--out", "x.json", status=1)
    assert nobody == "There is nobody with the address x@example.com. Check the spelling."
    assert not (folder / "x.json").exists()


def test_erasing_says_first_what_would_go_then_does_it_once(folder):
    told = run("erase", "--person", FAY, status=1)
    assert told.splitlines() == [
        "What is kept about Fay Adler (fay@example.com), and what becomes of it:",
        "  accounts: 1 (go)",
        "  dropped files: 1 (go)",
        "  These documents name them in their own text and stay as they are: Business travel",
        "Nothing was changed. With --yes it is done, for good.",
    ]
    assert run("erase", "--person", FAY, status=1) == told
    done = run("erase", "--person", FAY, "--yes")
    assert "It is done. Take fay@example.com out of the organisation file as well" in done
    assert run("erase", "--person", FAY, "--yes", status=1) == (
        "There is nobody with the address fay@example.com. Check the spelling."
    )


def test_an_address_is_needed(folder):
    assert "Missing option '--person'" in run("erase", "--yes", status=2)
