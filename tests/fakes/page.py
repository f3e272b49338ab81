"""The page's port without a product behind it: a small world in memory that keeps the port's promises.

It answers after a moment, as a worker does, and knows one line of every kind of message, so that the page's
own tests see everything it can draw.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.errors import NotFound
from bot.messages import Chart, Choice, Citation, Message, Progress, Series, Table
from handlers.web.ports import (
    Begun,
    Conversation,
    Cursor,
    Entry,
    Inside,
    Leap,
    MapCell,
    MapRow,
    Persona,
    Posting,
    Source,
)
from handlers.web.views import feedback_buttons

START = datetime(2026, 11, 19, 8, 30, tzinfo=UTC)
"""A Thursday."""

MODELS = (
    ("WE", "Workforce Empowerment"),
    ("AD", "AI-Native Distribution"),
    ("EC", "Expert Capability"),
    ("SD", "Systems and Dependency Management"),
    ("PR", "Process Re-engineering with Agents"),
)

LEAD, EMPLOYEE, OWNER, EXECUTIVE = 1, 2, 3, 4

PERSONAS = [
    Persona(
        LEAD,
        "Maya Okonkwo",
        "Team lead",
        "Customer Support",
        "You lead 128 people. Stagecoach asks you now and then where support stands with AI.",
        ("Start the audit", "What is holding us back?"),
    ),
    Persona(
        EMPLOYEE,
        "Leonie Hartwig",
        "Employee",
        "People and HR",
        "You hire people and have a question now and then about what the policies allow.",
        ("May I paste a customer's e-mail into a chatbot?", "Who approves a new AI tool?"),
    ),
    Persona(
        OWNER,
        "Saoirse Quill",
        "Policy owner",
        "Legal",
        "You keep three policies.",
        ("Which questions are open?",),
    ),
    Persona(EXECUTIVE, "Henrik Dalgaard", "Executive", "Finance", "You read one digest a week."),
    Persona(5, "Oksana Hrytsenko", "Team lead, ahead of the ground", "Engineering", "You lead Engineering."),
    Persona(6, "Elena Marquardt", "Programme owner", "People and HR", "You run AI adoption."),
]

POLICY = """# Acceptable Use of AI

Version 3.1. This policy says what everybody at Tarnwood may do with AI tools.

## 1 Purpose

AI tools help us write, search and check. They do not decide.

## 2 Customer data

Customer data of class C2 or C3 must not be entered into any tool that is not on the list of approved tools.
**Exceptions** are granted by the data protection officer, in writing, for 90 days at most.

| Class | Example | Where it may go |
|---|---|---|
| C1 | Public product facts | Any approved tool |
| C2 | A customer's e-mail | Approved tools with a contract |
| C3 | Health or bank data | Nowhere |

## 3 Reporting

If something went wrong, tell the security desk within 24 hours.
"""

QUOTE = (
    "Customer data of class C2 or C3 must not be entered into any tool that is not on the list of approved "
    "tools."
)

ANSWER = Message(
    kind="answer",
    text=f"Not into just any tool.\n\n> {QUOTE}",
    citations=(
        Citation(
            document="Acceptable Use of AI",
            section="2 Customer data",
            version=3,
            quote=QUOTE,
            passage_id=7,
            owner="Saoirse Quill",
            effective="15 August 2026",
            reviewed="15 August 2026",
        ),
    ),
    answer_id=1,
)

NUDGE = Message(
    kind="nudge",
    text="Good morning, Maya. Last time you said that **two of three roles** use the assistant. "
    "Would you take four questions now? It is about three minutes.",
    choices=(
        Choice(id="nudge:1:0:now", label="Do it now", style="primary"),
        Choice(id="nudge:1:0:later", label="Remind me in a week"),
        Choice(id="nudge:1:0:stop", label="Stop these messages", style="danger"),
    ),
)

_WEEKS = tuple(f"W{week}" for week in range(36, 48))
_VALUES = (0.18, 0.19, 0.18, 0.21, 0.22, None, 0.24, 0.25, 0.25, 0.27, 0.30, 0.31)

DIGEST = Message(
    kind="digest",
    text="**Support rose, the rest stood still.** Coverage is 31%, up from 30%.\n\n"
    "- Legal: decide who keeps the list of approved tools. Waiting costs about six hours a week.\n"
    "- Finance has not looked at its data rules for half a year.",
    chart=Chart(
        kind="line",
        title="Work done with AI at accepted quality",
        alt="Coverage over twelve weeks rose from 18% to 31%; one week is missing.",
        labels=_WEEKS,
        series=(
            Series(
                name="Company",
                values=_VALUES,
                low=tuple(None if v is None else v - 0.04 for v in _VALUES),
                high=tuple(None if v is None else v + 0.05 for v in _VALUES),
            ),
        ),
        unit="%",
    ),
    choices=(Choice(id="digest:1:0:why", label="Where does 31% come from?"),),
)

MAP = Message(
    kind="result",
    text="Operational through **0**; working on **Workforce Empowerment**.",
    chart=Chart(
        kind="map",
        title="Where Customer Support stands",
        alt="Customer Support is building Workforce Empowerment and exploring two later models.",
        labels=("Customer Support",),
        series=tuple(
            Series(name=model, values=(value,))
            for (model, _), value in zip(MODELS, (2.0, 1.0, 0.0, 1.0, None), strict=True)
        ),
    ),
    table=Table(
        caption="Three next steps",
        columns=("Step", "Minutes"),
        rows=(("Count missing logins per role", "30"), ("Ask for one hour a fortnight", "15")),
    ),
)

BARS = Message(
    text="By department:",
    chart=Chart(
        kind="bar",
        title="Coverage by department",
        alt="Support 42%, Marketing 30%, Finance not known.",
        labels=("Customer Support", "Marketing", "Finance"),
        series=(Series(name="Coverage", values=(0.42, 0.3, None)),),
        unit="%",
    ),
)

QUESTIONS = (
    "Think of the last week. Who in your team used AI on a real task, and what was it?",
    "When somebody was unsure what the tool can do, what did they find?",
    "Which way of working with AI was reused by a second person?",
    "Who was last unsure about data, and how long did the answer take?",
)


def question(number: int) -> Message:
    """Audit question `number` (0..3)."""
    return Message(
        kind="question",
        text=QUESTIONS[number],
        progress=Progress(done=number, total=4, minutes=3 - number),
        choices=(
            Choice(id=f"audit:1:{number}:low", label="Single people do it in their own way."),
            Choice(id=f"audit:1:{number}:high", label="It is agreed, and less than half do it."),
            Choice(id=f"audit:1:{number}:neither", label="Neither"),
            Choice(id=f"audit:1:{number}:unsure", label="Not sure"),
        ),
        input_hint="Or tell me in your own words.",
    )


@dataclass
class FakePage:
    """Implements handlers.web.ports.PagePort. `delay` is how long a reply takes, in seconds."""

    company: str = "Tarnwood"
    delay: float = 0.05
    now: datetime = START
    keys: set[str] = field(default_factory=set)
    lines: dict[int, list[Entry]] = field(default_factory=dict)
    waiting: dict[int, int] = field(default_factory=dict)
    begun: dict[int, Begun] = field(default_factory=dict)
    gone: list[Posting] = field(default_factory=list)
    broken: Exception | None = None
    _rung: int = 0
    _ids: int = 0
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def hear(self, person_id: int, *messages: Message) -> None:
        """Let messages of ours arrive."""
        for message in messages:
            self._ids += 1
            self.lines.setdefault(person_id, []).append(Entry(self._ids, self.now, message=message))
        self._ring()

    def begin(self, person_id: int, doing: str, text: str = "") -> None:
        """Show what is going on with the reply that this person waits for."""
        self.begun[person_id] = Begun(doing, text)
        self._ring()

    async def personas(self) -> list[Persona]:
        if self.broken:
            raise self.broken
        return PERSONAS

    async def say(self, person_id: int, key: str, text: str) -> None:
        self._take(person_id, key, text, text)

    async def choose(self, person_id: int, key: str, choice: str) -> None:
        offered = {
            one.id: one.label
            for entry in self.lines.get(person_id, [])
            if entry.message
            for one in (*entry.message.choices, *feedback_buttons(entry.message))
        }
        if choice not in offered:
            raise NotFound("That button is not known.")
        self._take(person_id, key, offered[choice], choice)

    def _take(self, person_id: int, key: str, words: str, given: str) -> None:
        if key in self.keys:
            return
        self.keys.add(key)
        self._ids += 1
        self.lines.setdefault(person_id, []).append(Entry(self._ids, self.now, words=words))
        self.waiting[person_id] = self.waiting.get(person_id, 0) + 1
        self._ring()
        task = asyncio.create_task(self._reply(person_id, given))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, person_id: int, given: str) -> None:
        await asyncio.sleep(self.delay)
        self.waiting[person_id] -= 1
        self.hear(person_id, *self._answers(given))

    def _answers(self, given: str) -> list[Message]:
        part, _, rest = given.partition(":")
        if part == "audit":
            number = int(rest.split(":")[1])
            return [question(number + 1)] if number < 3 else [MAP]
        if part in ("nudge", "digest", "kb"):
            return [Message(kind="notice", text="Thank you, noted.")]
        if "audit" in given.lower():
            return [question(0)]
        if "customer" in given.lower():
            return [ANSWER]
        return [Message(text="I heard you.")]

    async def conversation(self, person_id: int, after: Cursor) -> Conversation:
        entries = tuple(
            entry
            for entry in self.lines.get(person_id, [])
            if entry.id > (after.said if entry.message is None else after.heard)
        )
        said = max((e.id for e in entries if e.message is None), default=after.said)
        heard = max((e.id for e in entries if e.message is not None), default=after.heard)
        busy = self.waiting.get(person_id, 0) > 0
        return Conversation(entries, Cursor(said, heard), busy, self.begun.get(person_id) if busy else None)

    async def unread(self, seen: dict[int, int]) -> dict[int, int]:
        return {
            person: sum(1 for entry in self.lines.get(person, []) if entry.message and entry.id > last)
            for person, last in seen.items()
        }

    async def wait_for_news(self, since: int, seconds: float) -> int:
        if self._rung == since:
            try:
                async with asyncio.timeout(seconds):
                    await self._bell.wait()
            except TimeoutError:
                pass
        return self._rung

    def _ring(self) -> None:
        self._rung += 1
        self._bell.set()
        self._bell = asyncio.Event()

    async def inside(self) -> Inside:
        tuesday, monday = _next(self.now, 1), _next(self.now, 0)
        return Inside(
            now=self.now,
            models=MODELS,
            rows=(
                MapRow(
                    "Customer Support",
                    (
                        MapCell("WE", "building"),
                        MapCell("AD", "exploring"),
                        MapCell("EC", "operational"),
                        MapCell("SD", "steering"),
                        MapCell("PR", None),
                    ),
                    "Operational through 0; working on Workforce Empowerment.",
                ),
                MapRow(
                    "Finance",
                    (
                        MapCell("WE", "exploring", skipped="hard"),
                        MapCell("AD", "not_applicable"),
                        MapCell("EC", "not_started", stale=True),
                        MapCell("SD", "building"),
                        MapCell("PR", "exploring", skipped="soft"),
                    ),
                ),
            ),
            coming=(
                Posting(
                    tuesday,
                    f"{tuesday:%A %d %B}, 10:30 in Berlin",
                    "Maya Okonkwo",
                    "Nudge",
                    "Her audit is due.",
                    LEAD,
                ),
                Posting(
                    monday,
                    f"{monday:%A %d %B}, 08:00 in Berlin",
                    "Henrik Dalgaard",
                    "Weekly digest",
                    "It is Monday.",
                    EXECUTIVE,
                ),
                Posting(
                    tuesday,
                    "Tuesday",
                    "Inês Caldeira",
                    "Nudge",
                    "She is on leave until 3 December.",
                    held=True,
                ),
            ),
            gone=tuple(self.gone[-3:]),
        )

    async def leap(self, where: Leap) -> None:
        weekday = {"tuesday": 1, "monday": 0}.get(where)
        self._move(self.now + timedelta(days=1) if weekday is None else _next(self.now, weekday))

    async def leap_days(self, days: int) -> None:
        self._move(self.now + timedelta(days=days))

    def _move(self, target: datetime) -> None:
        while self.now < target:
            self.now = min(target, self.now + timedelta(days=1))
            if self.now.weekday() == 1:
                self._post(LEAD, NUDGE, "Nudge", "Maya Okonkwo")
            if self.now.weekday() == 0:
                self._post(EXECUTIVE, DIGEST, "Weekly digest", "Henrik Dalgaard")
        self._ring()

    def _post(self, person_id: int, message: Message, kind: str, recipient: str) -> None:
        self.gone.append(Posting(self.now, f"{self.now:%A}, 10:30", recipient, kind, "", person_id))
        self.hear(person_id, message)

    async def reset(self) -> None:
        self.lines.clear()
        self.gone.clear()
        self.now = START
        self._ring()

    async def source(self, passage_id: int, person_id: int, heard: int) -> Source:
        if passage_id != 7 or person_id not in (EMPLOYEE, OWNER):
            raise NotFound("There is no such passage.")
        start = POLICY.index("## 2")
        found = Source(
            7, "Acceptable Use of AI", "2 Customer data", "3.1", POLICY, start, POLICY.index("## 3")
        )
        return replace(
            found,
            owner="Saoirse Quill",
            effective="15 August 2026",
            reviewed="15 August 2026",
            quotes=(QUOTE,),
        )


def _next(now: datetime, weekday: int) -> datetime:
    return now + timedelta(days=(weekday - now.weekday() - 1) % 7 + 1)
