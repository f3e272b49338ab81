"""A company in which every table that can hold something about a person does, for exports and erasures.

What must be gone afterwards carries one of the canaries; what must stay carries none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, LargeBinary, String
from sqlmodel import AutoString, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import Choice, Message
from bot.store.engine import Store
from bot.store.tables import (
    Answer,
    AuditLogEntry,
    Band,
    Blocker,
    CachedAnswer,
    Claim,
    Company,
    CoverageAnswer,
    CoverageTask,
    Department,
    DialogueSession,
    Document,
    DocumentVersion,
    Duty,
    DutyName,
    EvidenceClass,
    Gap,
    GapStatus,
    Identity,
    InboxEvent,
    Leave,
    OutboxMessage,
    OutboxStatus,
    PendingUpload,
    Person,
    Plan,
    PlanStatus,
    Platform,
    PolicyQuestion,
    Process,
    Role,
    ScheduledMessage,
    SentDigest,
    SessionKind,
    SessionStatus,
    WatchedFolder,
    WeeklyAggregate,
)

EMAIL, NAME = "noor.el_khoury@example.com", "Noor *Él* Khoury"
SLACK, DIRECT, TEAMS = "U0NOOR77", "T1:D0NOOR77", "29:noor-teams-77"
CANARIES = ("khoury", "noor", "quagga", "u0noor77", "noor-teams")
"""In lower case: her name and address, a word of hers that nobody else uses, and her accounts."""

SAID = "Our quagga sorts the letters *every* Monday morning.\nThen two of us check them"
ASKED = "May the quagga read customer letters at home?"
ANSWERED = "May we send letters by drone?"
"""A question of hers that became knowledge."""
OTHERS = "We use the zebra for invoices only"
"""What somebody else said."""


@dataclass(frozen=True)
class Scene:
    """Ids of what the tests look at."""

    noor: int
    omar: int
    finance: int
    kept_gap: int
    digest: int


async def plant_scene(store: Store, now: datetime) -> Scene:
    """Store the company. Noor leads Finance; Omar owns policies and runs the programme."""
    async with store.write() as tx:
        return await _Planter(tx, now).plant()


class _Planter:
    def __init__(self, tx: AsyncSession, now: datetime) -> None:
        self.tx, self.now = tx, now

    async def add(self, row: Any) -> int:
        self.tx.add(row)
        await self.tx.flush()
        return int(row.id)

    async def plant(self) -> Scene:
        self.tx.add(Company(name="Larkfield"))
        self.finance = await self.add(Department(slug="finance", name="Finance"))
        self.role = await self.add(Role(department_id=self.finance, slug="clerk", name="Clerk", headcount=8))
        self.omar = await self.add(Person(email="omar@example.com", name="Omar Aziz"))
        self.noor = await self.add(
            Person(email=EMAIL, name=NAME, department_id=self.finance, role_id=self.role, slot_day=2)
        )
        for duty in (DutyName.POLICY_OWNER, DutyName.PROGRAMME_OWNER):
            await self.add(Duty(person_id=self.omar, duty=duty))
        await self._herself()
        await self._audit()
        kept_gap = await self._policies()
        digest = await self._messages()
        return Scene(self.noor, self.omar, self.finance, kept_gap, digest)

    async def _herself(self) -> None:
        duties = ((DutyName.LEAD, self.finance), (DutyName.POLICY_OWNER, None))
        for duty, department in duties:
            await self.add(Duty(person_id=self.noor, duty=duty, department_id=department))
        for platform, tenant, account, conversation in (
            (Platform.SLACK, "T1", SLACK, DIRECT),
            (Platform.TEAMS, "", TEAMS, "19:noor-teams-77"),
            (Platform.EMAIL, "", f"person:{self.noor}", EMAIL),
        ):
            address = {"conversation": conversation}
            await self.add(
                Identity(
                    person_id=self.noor,
                    platform=platform,
                    tenant=tenant,
                    external_id=account,
                    address=address,
                )
            )
        await self.add(Leave(person_id=self.noor, first_day=date(2026, 12, 1), last_day=date(2026, 12, 4)))

    async def _audit(self) -> None:
        ended = await self.add(self._sitting(self.noor, SessionStatus.FINISHED))
        live = await self.add(self._sitting(self.noor, SessionStatus.PAUSED))
        others = await self.add(self._sitting(self.omar, SessionStatus.OPEN))
        for criterion, level, hours in (("WE-1", 1, 50), ("WE-1", 2, 49), ("WE-2", 3, 48), ("WE-3", 2, 47)):
            await self.add(self._answer(criterion, level, hours, ended, self.noor))
        await self.add(self._answer("WE-4", 3, 40, others, self.omar, approver_id=self.noor))
        task = await self.add(
            CoverageTask(
                department_id=self.finance, role_id=self.role, slug="letters", text="Sorting letters"
            )
        )
        await self.add(
            CoverageAnswer(
                department_id=self.finance,
                task_id=task,
                person_id=self.noor,
                session_id=live,
                answered_at=self.now,
                hours="2-5",
                share="half",
                reason=SAID,
            )
        )
        for status in PlanStatus:
            await self.add(
                Plan(
                    department_id=self.finance,
                    person_id=self.noor,
                    criterion="WE-1",
                    text=SAID,
                    after_what=SAID,
                    status=status,
                    created_at=self.now,
                    due_on=date(2026, 11, 20),
                )
            )
        for raised, owner, note in ((self.noor, self.omar, SAID), (self.omar, self.noor, OTHERS)):
            await self.add(
                Blocker(
                    department_id=self.finance,
                    code="WE-B2",
                    note=note,
                    owner=NAME if owner == self.noor else "IT",
                    owner_id=owner,
                    raised_by=raised,
                    raised_at=self.now,
                )
            )
        await self.add(Process(slug="letters", name="Letters", owner_id=self.noor, noted_by=self.noor))
        self.tx.add(
            WeeklyAggregate(department_id=self.finance, week="2026-W46", frozen_at=self.now, figures={"n": 4})
        )

    def _sitting(self, person: int, status: SessionStatus) -> DialogueSession:
        theirs = person == self.noor
        return DialogueSession(
            department_id=self.finance,
            person_id=person,
            kind=SessionKind.FIRST_AUDIT,
            status=status,
            instrument_version="1.0.0",
            state={"draft": {"words": SAID if theirs else OTHERS}, "answers": {"x": {"approver": self.noor}}},
            started_at=self.now,
            updated_at=self.now,
        )

    def _answer(
        self, criterion: str, level: int, hours: int, session: int, author: int, **more: Any
    ) -> Answer:
        words = SAID if author == self.noor else OTHERS
        return Answer(
            department_id=self.finance,
            criterion=criterion,
            claim=Claim.LEVEL,
            level=level,
            counted=level,
            evidence=EvidenceClass.E2,
            words=words,
            probe_words=words,
            evidence_text=words,
            reason=words,
            picked_by=author,
            session_id=session,
            instrument_version="1.0.0",
            answered_at=self.now - timedelta(hours=hours),
            released=words if author == self.noor else "",
            **more,
        )

    async def _policies(self) -> int:
        policy = await self.add(
            Document(source="leave.md", title="Leave", owner_id=self.noor, added_at=self.now)
        )
        entry = await self.add(
            Document(source="gap:1", title=ANSWERED, kind="entry", owner_id=self.omar, added_at=self.now)
        )
        await self.add(
            DocumentVersion(
                document_id=policy,
                number=1,
                sha256="0",
                text="Ask HR.",
                added_at=self.now,
                added_by=self.noor,
            )
        )
        asked = [await self.add(self._question(self.noor, text)) for text in (ASKED, ASKED, ANSWERED)]
        await self.add(self._question(self.omar, f"Who is {NAME.lower()}?"))
        first = await self._gap(self.noor, self.omar, GapStatus.SENT, ASKED, question_id=asked[0])
        for asker in (self.omar, self.omar):
            await self._gap(asker, self.omar, GapStatus.SENT, OTHERS, group_id=first)
        await self._gap(self.noor, self.omar, GapStatus.DECLINED, ASKED, question_id=asked[1])
        await self._gap(self.omar, self.noor, GapStatus.SENT, OTHERS, reply=SAID, answering_in=DIRECT)
        kept = await self._gap(
            self.noor,
            self.omar,
            GapStatus.ANSWERED,
            ANSWERED,
            question_id=asked[2],
            entry_document_id=entry,
            reply="Not yet.",
        )
        await self.add(
            PendingUpload(person_id=self.noor, name="quagga.md", data=b"quagga", dropped_at=self.now)
        )
        await self.add(
            WatchedFolder(place="/srv/policies", owner_id=self.noor, added_at=self.now, due_at=self.now)
        )
        self.tx.add(
            CachedAnswer(key="k", revision=1, answer={"owner": NAME, "owner_id": self.noor}, made_at=self.now)
        )
        return kept

    def _question(self, person: int, text: str) -> PolicyQuestion:
        return PolicyQuestion(
            person_id=person,
            conversation=f"web:{person}",
            text=text,
            normalised=text.lower(),
            band=Band.SILENT,
            answer={"owner": NAME, "owner_id": self.noor, "nearest_document_id": None},
            asked_at=self.now,
            mark_reason=SAID if person == self.noor else "",
        )

    async def _gap(self, asker: int, owner: int, status: GapStatus, text: str, **more: Any) -> int:
        return await self.add(
            Gap(asker_id=asker, owner_id=owner, status=status, text=text, opened_at=self.now, **more)
        )

    async def _messages(self) -> int:
        heard = (
            (Platform.WEB, f"web:{self.noor}", {"person_id": self.noor, "text": SAID}),
            (Platform.SLACK, DIRECT, {"kind": "say", "user": SLACK, "text": SAID}),
            (Platform.SLACK, f"T1:C1:171.5:{SLACK}", {"kind": "say", "user": SLACK, "text": SAID}),
            (
                Platform.TEAMS,
                "19:channel",
                {"kind": "say", "user": TEAMS, "aad": "", "tenant": "", "text": SAID},
            ),
            (Platform.SLACK, "T1:D1", {"kind": "say", "user": "U1", "text": f"Ask {NAME} <{EMAIL}>"}),
            (Platform.TEAMS, "19:channel", {"kind": "say", "user": "29:omar", "text": OTHERS}),
        )
        events = [
            await self.add(
                InboxEvent(
                    platform=platform,
                    dedupe_key=f"{SLACK if number < 4 else 'x'}:{number}",
                    conversation=conversation,
                    payload=payload,
                    received_at=self.now,
                )
            )
            for number, (platform, conversation, payload) in enumerate(heard)
        ]
        planned = await self.add(self._planned(f"person:{self.noor}", self.noor, "a"))
        await self.add(self._planned("department:1", None, "b", reason=f"{NAME} leads it."))
        quoted = "> " + " ".join(SAID.split()).replace("*", "\\*")[:60].rsplit(" ", 1)[0] + " ..."
        for number, (person, conversation, text, more) in enumerate(
            (
                (self.noor, DIRECT, f"> {OTHERS}\n\nThank you, {NAME}.", {}),
                (None, f"T1:C1:171.5:{SLACK}", "Quagga?", {"event_id": events[2]}),
                (None, EMAIL, "Hello.", {"scheduled_id": planned}),
                (self.omar, "web:0", f"Noor \\*Él\\* Khoury says:\n\n{quoted}\n\n> {OTHERS}", {}),
                (self.omar, "web:0", f"She asked “{ASKED}”, and you “{OTHERS}”", {}),
            )
        ):
            message = Message(
                text=text,
                choices=(
                    Choice(id=f"audit:1:1:hand.{self.noor}", label=NAME),
                    Choice(id="x:1:1:n", label="No"),
                ),
            )
            await self.add(self._sent(number, person, conversation, message, **more))
        for actor, subject in ((self.noor, None), (None, self.noor)):
            await self.add(
                AuditLogEntry(at=self.now, actor_id=actor, subject_id=subject, action="digest.moved")
            )
        return await self.add(
            SentDigest(
                recipient=f"person:{self.noor}",
                week="2026-W46",
                content={"title": f"{NAME}: “{SAID}”"},
                made_at=self.now,
            )
        )

    def _planned(self, recipient: str, person: int | None, period: str, **more: Any) -> ScheduledMessage:
        return ScheduledMessage(
            recipient=recipient,
            kind="digest",
            period=period,
            person_id=person,
            local_week="2026-W47",
            due_at=self.now,
            planned_at=self.now,
            **more,
        )

    def _sent(
        self, number: int, person: int | None, conversation: str, message: Message, **more: Any
    ) -> OutboxMessage:
        return OutboxMessage(
            platform=Platform.SLACK,
            conversation=conversation,
            person_id=person,
            dedupe_key=f"key:{number}",
            message=message.model_dump(mode="json", exclude_defaults=True),
            created_at=self.now,
            due_at=self.now,
            status=OutboxStatus.SENT,
            **more,
        )


async def all_words(tx: AsyncSession) -> dict[str, list[str]]:
    """What stands in every column of text, JSON or bytes of every table: by `table.column`."""
    found: dict[str, list[str]] = {}
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, String | AutoString | JSON | LargeBinary):
                rows = (await (await tx.connection()).execute(select(column))).scalars()
                found[f"{table.name}.{column.name}"] = [str(row) for row in rows if row is not None]
    return found


async def people_named(tx: AsyncSession) -> dict[str, set[int]]:
    """Whom every column that references a person names: by `table.column`."""
    found: dict[str, set[int]] = {}
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column.table.name == "person" for key in column.foreign_keys):
                rows = (await (await tx.connection()).execute(select(column))).scalars()
                found[f"{table.name}.{column.name}"] = {row for row in rows if row is not None}
    return found
