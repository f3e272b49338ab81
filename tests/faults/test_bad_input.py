"""Bad input at the command line: one clear sentence, status 1 or 2, no traceback, nothing lost."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.command import COMMAND, Result, environment, stagecoach

ORGANISATION = """
company: {name: Acme, time_zone: Europe/Berlin}
departments:
  - {id: support, name: Support, template: support, roles: [{id: agent, name: Agent, headcount: 9}],
     leads: [ada@acme.example.com]}
people:
  - {email: ada@acme.example.com, name: Ada Byron, department: support}
"""


def refused(result: Result, sentence: str, status: int = 1) -> None:
    assert result.status == status, result
    assert sentence in result.err, result
    assert "Traceback" not in result.err + result.out
    assert "errors.log" not in result.err, "that was not foreseen"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "org.yaml").write_text(ORGANISATION)
    return tmp_path


@pytest.fixture
def known(home: Path) -> Path:
    assert stagecoach(home, "org", "import", "org.yaml").status == 0
    return home


def test_wrong_usage_is_status_two(home: Path) -> None:
    refused(stagecoach(home, "bogus"), "No such command", 2)
    refused(stagecoach(home, "org", "import"), "Missing argument", 2)


def test_files_that_cannot_be_imported(home: Path) -> None:
    refused(stagecoach(home, "org", "import", "none.yaml"), "can't be read")
    refused(stagecoach(home, "org", "import", "."), "is a folder")
    for name, content, sentence in [
        ("empty.yaml", b"", "is empty"),
        ("binary.yaml", b"\x89PNG\r\n\0\0", "is not a text file"),
        ("long.yaml", b"a" * 10_000_000, "far too long"),
        ("broken.yaml", b"departments: [", "not valid YAML"),
        ("list.yaml", b"- a\n- b", "does not describe an organisation"),
        ("notes.txt", b"hello", ".yaml or .csv"),
    ]:
        (home / name).write_bytes(content)
        refused(stagecoach(home, "org", "import", name), sentence)
    assert json.loads(stagecoach(home, "org", "show", "--json").out)["departments"] == []


def test_an_unknown_person_and_an_unknown_department(known: Path) -> None:
    refused(
        stagecoach(known, "chat", "--as", "eve@acme.example.com", "--json"), "Nobody here has the address"
    )
    refused(stagecoach(known, "audit", "show", "moon", "--json"), "There is no department 'moon'")
    refused(stagecoach(known, "kb", "ask", "hello", "--as", "eve@acme.example.com", "--json"), "Nobody here")


def test_a_database_that_cannot_be_reached(home: Path) -> None:
    unreachable = "postgresql://nobody@127.0.0.1:9/none"
    for command in (["org", "show"], ["db", "upgrade"], ["serve"]):
        refused(stagecoach(home, *command, DATABASE_URL=unreachable), "can't be reached")
    refused(stagecoach(home, "org", "show", DATABASE_URL="mysql://x"), "runs on PostgreSQL and SQLite")
    refused(stagecoach(home, "org", "show", DATABASE_URL="::::"), "can't be read")
    (home / "stagecoach.db").write_bytes(b"this is no database at all " * 100)
    refused(stagecoach(home, "org", "show"), "damaged or is something else")


def test_a_port_that_is_taken(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused(stagecoach(home, "serve", PORT=str(port)), f"Port {port} is taken")
        refused(stagecoach(home, "demo", PORT=str(port)), f"Port {port} is taken")
    refused(stagecoach(home, "serve", PORT="99999"), "PORT")


def test_two_processes_migrate_at_once(home: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: stagecoach(home, "db", "upgrade"), range(3)))
    assert [result.status for result in results] == [0, 0, 0], results
    assert stagecoach(home, "db", "check").status == 0


def test_lines_that_are_no_input_get_an_answer_each(known: Path) -> None:
    lines = ["not json", "[1]", '{"say": ""}', '{"say": 3}', '{"choose": "nonsense"}', "x" * 30_000]
    result = stagecoach(
        known,
        "chat",
        "--as",
        "ada@acme.example.com",
        "--json",
        given="\n".join(lines) + '\n{"say": "hello"}\n',
    )
    assert result.status == 0, result
    answers = [json.loads(line)["messages"] for line in result.out.splitlines()]
    assert len(answers) == len(lines) + 1
    assert all(messages and messages[0]["kind"] == "notice" for messages in answers[:-1]), answers
    assert "Hello Ada" in answers[-1][0]["text"]


def test_sigterm_in_the_middle_of_an_answer_loses_nothing(known: Path) -> None:
    """The words were taken in; whoever comes next answers them, once."""
    talk = [str(COMMAND), "chat", "--as", "ada@acme.example.com", "--json"]
    for wait in (0.0, 0.02, 0.2):
        with subprocess.Popen(
            talk,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(known),
            cwd=known,
        ) as first:
            assert first.stdin is not None
            assert first.stdout is not None
            assert first.stderr is not None
            first.stdin.write('{"say": "hi"}\n')
            first.stdin.flush()
            first.stdout.readline()
            first.stdin.write('{"say": "hello"}\n')
            first.stdin.flush()
            time.sleep(wait)
            first.send_signal(signal.SIGTERM)
            first.wait(30)
            assert "Traceback" not in first.stderr.read()
    result = stagecoach(known, "chat", "--as", "ada@acme.example.com", "--json", given='{"say": "help"}\n')
    assert result.status == 0, result
    with sqlite3.connect(known / "stagecoach.db") as connection:
        events = connection.execute("SELECT status, count(*) FROM inboxevent GROUP BY status").fetchall()
        replies = connection.execute(
            "SELECT count(*) - count(DISTINCT event_id), count(*) FROM outboxmessage"
        ).fetchone()
    connection.close()
    assert [status for status, _ in events] == ["done"]
    assert replies == (0, events[0][1])


def test_a_full_disk_is_told(known: Path) -> None:
    """The file may not grow any more: the same error that a full disk gives."""
    size = sum(file.stat().st_size for file in known.glob("stagecoach.db*"))
    blocks = size // 512 + 8
    big = ORGANISATION + "".join(
        f"  - {{email: p{number}@acme.example.com, name: Person {number}}}\n" for number in range(5_000)
    )
    (known / "big.yaml").write_text(big)
    done = subprocess.run(
        ["/bin/sh", "-c", f"trap '' XFSZ; ulimit -f {blocks}; exec {COMMAND} org import big.yaml"],
        capture_output=True,
        text=True,
        env=environment(known),
        cwd=known,
        timeout=60,
        check=False,
    )
    result = Result(done.returncode, done.stdout, done.stderr)
    refused(result, "space")
    assert len(json.loads(stagecoach(known, "org", "show", "--json").out)["people"]) == 1
