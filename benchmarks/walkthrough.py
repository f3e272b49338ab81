"""Runs the main job on a folder of real documents and prints, as Markdown, what was really said.

    python -m benchmarks.walkthrough FOLDER_OF_MARKDOWN > docs/walkthrough.md

An organisation is imported, the documents are added, ten questions are asked, one department is audited in
conversation, and the clock is moved over a Tuesday (an invitation) and a Monday (the digest). Each command is
a process of its own, so that the timings hold what a user waits for, start included.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).parent / "stagecoach"

ORGANISATION = """\
company: {name: Larkspur, time_zone: Europe/Berlin, country: DE}
departments:
  - id: engineering
    name: Engineering
    template: engineering
    roles:
      - {id: engineer, name: Software engineer, headcount: 38}
      - {id: tester, name: Test engineer, headcount: 9}
    leads: [nadia@larkspur.example.com]
  - id: people
    name: People
    template: hr
    roles: [{id: partner, name: HR business partner, headcount: 6}]
    leads: [tom@larkspur.example.com]
people:
  - {email: nadia@larkspur.example.com, name: Nadia Roth, department: engineering, role: engineer}
  - {email: tom@larkspur.example.com, name: Tom Adler, department: people, duties: [policy_owner]}
  - {email: ida@larkspur.example.com, name: Ida Blum, department: engineering, role: tester}
  - {email: vera@larkspur.example.com, name: Vera Lind, duties: [executive, programme_owner]}
"""

QUESTIONS = (
    "How soon do I have to report a lost laptop?",
    "Which expenses can I claim when I work from home?",
    "Do I have to use a password manager?",
    "Who do I tell when I think I clicked on a phishing link?",
    "May I speak at a conference about my project?",
    "How long does onboarding with a buddy last?",
    "What does a background check look at?",
    "Can I accept a gift from a supplier?",
    "Is there a company car for team leads?",
    "How many days may I bring my dog to the office?",
)

ANSWERS = (
    "Last fortnight 25 of 38 engineers used the code assistant on tickets, all five squads; no tester did.",
    "Most would say: never for licences or customer data, always run the tests. It is on our wiki since May.",
    "We share twelve prompts in the repository, Jonas keeps them: https://wiki.larkspur.example.com/prompts",
    "In October somebody wanted to paste a customer's log. He asked security and heard back in two days.",
    "Everybody waits for the platform review. On three cases last week AI made a first draft of it.",
    "When the logging library changed, an agent prepared 40 pull requests and the owners merged them.",
    "We have a demo that takes an incident from alert to ticket, nothing in production.",
)
EVIDENCE = "Three merged pull requests from 12 November: https://git.larkspur.example.com/pulls?label=ai"
PROCESS = "From alert to ticket"
OVER = 75.0
"""Seconds for which the server runs over a full hour: at least one tick of the planner on either side."""

PROBE = "In August, while half of us were away, nobody looked at it for three weeks."


@dataclass
class Place:
    """Where the walk keeps its data."""

    folder: Path

    def environment(self, now: str | None) -> dict[str, str]:
        moved = {"STAGECOACH_NOW": now} if now else {}
        return {"PATH": os.environ["PATH"], "STAGECOACH_HOME": str(self.folder / "var"), **moved}

    def run(self, *arguments: str, given: str = "", now: str | None = None) -> tuple[str, str, float]:
        """What a command printed on stdout and stderr, and the seconds it took."""
        started = time.perf_counter()
        done = subprocess.run(
            [str(COMMAND), *arguments],
            input=given,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment(now),
            check=False,
        )
        return done.stdout, done.stderr, time.perf_counter() - started

    def serve_for(self, seconds: float, now: str) -> None:
        """Let the server run for a while from `now` on, as it would run all the time."""
        with subprocess.Popen(
            [str(COMMAND), "serve"],
            cwd=self.folder,
            env={**self.environment(now), "PORT": "0"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            time.sleep(seconds)
            server.send_signal(signal.SIGTERM)
            server.wait(30)


class Talk:
    """One `stagecoach chat --json` process, kept open while somebody talks."""

    def __init__(self, place: Place, email: str, now: str) -> None:
        self.process = subprocess.Popen(
            [str(COMMAND), "chat", "--as", email, "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=place.folder,
            env=place.environment(now),
        )
        self.name = email.split("@")[0]
        self.times: list[float] = []

    def give(self, shown: str, **line: str) -> list[dict[str, Any]]:
        """Send one line, print both sides, and return the messages."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        started = time.perf_counter()
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        messages: list[dict[str, Any]] = json.loads(self.process.stdout.readline())["messages"]
        self.times.append(time.perf_counter() - started)
        say(f"**{self.name}:** {shown}\n")
        for message in messages:
            quoted = message["text"].replace("\n", "\n> ")
            say(f"> {quoted}")
            for citation in message["citations"]:
                say(f">\n> — _{_place(citation)}, version {citation['version']}_")
            if message["choices"]:
                say(">\n> `" + "` `".join(choice["label"] for choice in message["choices"]) + "`")
            say("")
        return messages

    def close(self) -> None:
        """End the conversation."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def _place(citation: dict[str, Any]) -> str:
    """The document, and the section where it has sections."""
    return ", ".join(filter(None, (citation["document"], citation["section"])))


def say(line: str) -> None:
    """One line of the document."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def shown(command: str, printed: str, seconds: float) -> None:
    """A command and what it printed."""
    say(f"```\n$ stagecoach {command}\n{printed.rstrip()}\n```\n")
    say(f"_{seconds:.1f} s_\n")


def walk(place: Place, documents: Path) -> None:
    """The whole walk."""
    say("# A walk through Stagecoach on real documents\n")
    say(
        "Printed by `python -m benchmarks.walkthrough FOLDER`, unchanged. The documents are "
        f"{len(list(documents.glob('*.md')))} public handbook and policy pages that nobody wrote for it. No "
        "language model, no key, no network; two cores. Times are of whole commands, start included.\n"
    )
    (place.folder / "org.yaml").write_text(ORGANISATION)
    say("## An organisation\n")
    out, err, seconds = place.run("org", "import", "org.yaml")
    shown("org import org.yaml", out + err, seconds)
    say("## Its policies\n")
    out, err, seconds = place.run("kb", "add", str(documents), "--owner", "tom@larkspur.example.com")
    lines, busy = out.splitlines(), err.splitlines()
    cut = [*lines[:4], f"... {max(0, len(lines) - 5)} more lines ...", *lines[-1:], *busy[:1]]
    cut += [f"... {len(busy) - 1} more lines, one each ten seconds ..."] if len(busy) > 1 else []
    shown("kb add handbook/ --owner tom@larkspur.example.com", "\n".join(cut), seconds)
    ask(place)
    audit(place)
    clock(place)


def ask(place: Place) -> None:
    """Ten questions, each a command of its own."""
    say("## Ten questions\n")
    for question in QUESTIONS:
        out, err, seconds = place.run("kb", "ask", question, "--as", "ida@larkspur.example.com", "--json")
        if not out:
            shown(f'kb ask "{question}" --as ida@larkspur.example.com', err, seconds)
            continue
        answer = json.loads(out)
        say(f"### {question}\n")
        say("> " + answer["text"].replace("\n", "\n> "))
        for citation in answer["citations"]:
            say(f">\n> — _{_place(citation)}, version {citation['version']}_")
        say(f"\n_Band {answer['band']}; {answer['took_ms']} ms to answer, {seconds:.1f} s with the start._\n")


def audit(place: Place) -> None:
    """Both sittings of one department."""
    say("## An audit in conversation\n")
    now = "2026-11-18T10:00:00+01:00"
    talk = Talk(place, "nadia@larkspur.example.com", now)
    messages = talk.give("Start the audit", say="Start the audit")
    words = iter(ANSWERS)
    for _ in range(60):
        step = _reaction(messages, words)
        if step is None:
            break
        messages = talk.give(step[0], **step[1])
    talk.close()
    times = sorted(talk.times[1:])
    say(
        f"_{len(talk.times)} lines; each took {1000 * times[len(times) // 2]:.0f} ms in the middle, "
        f"{1000 * times[-1]:.0f} ms at most; the first, with the start, {talk.times[0]:.1f} s._\n"
    )
    out, err, seconds = place.run("audit", "show", "engineering", now="2026-11-18T12:00:00+01:00")
    shown("audit show engineering", out + err, seconds)


def _reaction(messages: list[dict[str, Any]], words: Any) -> tuple[str, dict[str, str]] | None:
    """What the lead says or picks next; None when the talk has come to its end."""
    asked = next((message for message in reversed(messages) if message["choices"]), None)
    if asked is None:
        return None
    labels = {choice["label"]: choice["id"] for choice in asked["choices"]}
    for wanted in ("Start", "Go on"):
        if wanted in labels:
            return f"`{wanted}`", {"choose": labels[wanted]}
    anchors = [label for label in labels if label[:1] in "AB" and (label[1:2] in ("", " ", ".", ":"))]
    if anchors and "Neither" in labels:
        return f"`{anchors[0]}`", {"choose": labels[anchors[0]]}
    text = asked["text"]
    if anchors and "closest to how" in text:
        middle = next(label for label in labels if label.startswith("C"))
        return f"`{middle}`", {"choose": labels[middle]}
    if "last _not_ happen" in text:
        return PROBE, {"say": PROBE}
    if "What do you call that process" in text:
        return PROCESS, {"say": PROCESS}
    if f"“{PROCESS}” pass through" in text:
        return "`Skip`", {"choose": labels["Skip"]}
    if "Nothing at hand" in labels:
        return EVIDENCE, {"say": EVIDENCE}
    if "**Question" in text:
        answer = next(words, "I would not know.")
        return answer, {"say": answer}
    return None


def clock(place: Place) -> None:
    """A Tuesday and a Monday."""
    say("## A Tuesday and a Monday\n")
    before = "2026-11-18T12:00:00+01:00"
    for email in ("tom@larkspur.example.com", "vera@larkspur.example.com"):
        talk = Talk(place, email, before)
        talk.give("hello", say="hello")
        talk.close()
    window = ("--from", "2026-11-19T00:00:00+01:00", "--to", "2026-12-01T00:00:00+01:00")
    out, err, seconds = place.run("schedule", *window, now=before)
    shown(f"schedule {' '.join(window)}", out + err, seconds)
    say("The server runs over Tuesday, 10:00, and Tom looks in:\n")
    place.serve_for(OVER, "2026-11-24T09:59:30+01:00")
    talk = Talk(place, "tom@larkspur.example.com", "2026-11-24T10:05:00+01:00")
    talk.give("hi", say="hi")
    talk.close()
    say("It runs over Monday, 09:00, and Vera looks in:\n")
    place.serve_for(OVER, "2026-11-30T08:59:30+01:00")
    talk = Talk(place, "vera@larkspur.example.com", "2026-11-30T09:05:00+01:00")
    talk.give("hi", say="hi")
    talk.close()
    place.serve_for(OVER, "2026-11-30T09:06:00+01:00")
    out, err, seconds = place.run("schedule", *window, now="2026-11-30T09:10:00+01:00")
    say("Running the server once more sends nothing twice:\n")
    shown(f"schedule {' '.join(window)}", out + err, seconds)


def main() -> None:
    """Walk through the folder named on the command line."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("Name a folder of Markdown documents.")
    with tempfile.TemporaryDirectory() as folder:
        walk(Place(Path(folder)), Path(sys.argv[1]).resolve())


if __name__ == "__main__":
    main()
