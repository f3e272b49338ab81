"""The App Home: what each person can do and where things stand, by what the person answers for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, Actor, actor, can
from bot.audit.instrument import load_instrument
from bot.audit.records import latest_answers, placement_of
from bot.audit.sessions import start_choice
from bot.clock import Clock
from bot.messages import Message, plain
from bot.organisation.directory import active_departments, led_departments
from bot.store.engine import Store
from bot.store.tables import (
    Department,
    Document,
    OutboxMessage,
    OutboxStatus,
    Person,
    ScheduledMessage,
    ScheduledStatus,
)
from handlers.home import OUTSIDE, said
from handlers.slack.hearing import STRANGER
from handlers.slack.people import People
from handlers.slack.render import blocks
from handlers.slack.words import Block
from knowledge import gaps

MOST_BLOCKS = 100
SOON = timedelta(days=60)


class HomeViews:
    """Draws App Homes."""

    def __init__(self, store: Store, people: People, clock: Clock) -> None:
        self._store, self._people, self._clock = store, people, clock
        self._instrument = load_instrument()

    async def view(self, team: str, user: str) -> dict[str, Any]:
        """The view for `views.publish`."""
        who = await self._people.find(team, user)
        if who.person_id is None:
            return drawn([OUTSIDE if who.outside else STRANGER])
        async with self._store.read() as session:
            person = await session.get_one(Person, who.person_id)
            rights = await actor(session, who.person_id)
            if rights.outside:
                return drawn([OUTSIDE])
            return drawn([card async for card in self._cards(session, person, rights)])

    async def _cards(self, session: AsyncSession, person: Person, rights: Actor) -> AsyncIterator[Message]:
        now = self._clock()
        yield _asking(person)
        for department in await led_departments(session, rights.person_id):
            yield await self._leading(session, department, now)
        if can(rights, Action.ANSWER_POLICY_QUESTIONS):
            yield await _owning(session, rights.person_id, now)
        if can(rights, Action.SEE_COMPANY):
            yield await self._overlooking(session, now)
        if can(rights, Action.ADMINISTER):
            yield await _running(session, now)
        yield _settings(person)

    async def _leading(self, session: AsyncSession, department: Department, now: datetime) -> Message:
        number = department.id or 0
        answers = await latest_answers(session, self._instrument, number, now)
        where = "No answers yet. The first four questions take about three minutes."
        if answers:
            placement = (await placement_of(session, self._instrument, number, now)).placement
            working = placement.working_model
            where = (
                f"At work on **{plain(self._instrument.model(working).name)}**."
                if working
                else "All five fields are in place."
            ) + f" {len(answers)} of 20 questions are answered."
        return Message(
            text=f"**{plain(department.name)}**\n\n{where}",
            choices=(start_choice(number, "Audit"), said("Next steps"), said("Coverage")),
        )

    async def _overlooking(self, session: AsyncSession, now: datetime) -> Message:
        lines = []
        for department in await active_departments(session):
            scores = await placement_of(session, self._instrument, department.id or 0, now)
            working = scores.placement.working_model
            reached = self._instrument.model(working).name if working else "all five fields"
            lines.append(f"- {plain(department.name)}: {plain(reached)}")
        text = "**The company**\n\nWhat each department works on:\n" + "\n".join(lines or ["- nothing yet"])
        return Message(text=text, choices=(said("Show the latest digest"),))


def _asking(person: Person) -> Message:
    first_name = plain(person.name.split()[0]) if person.name.split() else ""
    return Message(
        text=f"**Hello {first_name}**\n\nWrite to me in the Messages tab: I quote the company's policies, or "
        "tell you that they don't say.",
        choices=(said("My questions"), said("What can you do?")),
    )


async def _owning(session: AsyncSession, person_id: int, now: datetime) -> Message:
    waiting = len(await gaps.open_groups(session, person_id))
    due = await session.exec(
        select(Document)
        .where(
            Document.owner_id == person_id,
            col(Document.removed_at).is_(None),
            col(Document.review_by) <= (now + SOON).date(),
        )
        .order_by(col(Document.review_by))
        .limit(10)
    )
    dated = [(document.title, document.review_by) for document in due if document.review_by is not None]
    lines = [f"- {plain(title)}: review by {day:%d %B %Y}" for title, day in dated]
    questions = "No question waits for you." if not waiting else f"{waiting} questions wait for an answer."
    reviews = "Reviews within two months:\n" + "\n".join(lines) if lines else "No review is due soon."
    return Message(text=f"**Your policies**\n\n{questions}\n\n{reviews}", choices=(said("My queue"),))


async def _running(session: AsyncSession, now: datetime) -> Message:
    async def number(query: Any) -> int:
        return int((await session.exec(query)).one())

    people = await number(select(func.count(col(Person.id))).where(col(Person.archived_at).is_(None)))
    coming = await number(
        select(func.count(col(ScheduledMessage.id))).where(
            ScheduledMessage.status == ScheduledStatus.PLANNED, col(ScheduledMessage.due_at) >= now
        )
    )
    dead = await number(
        select(func.count(col(OutboxMessage.id))).where(OutboxMessage.status == OutboxStatus.DEAD)
    )
    departments = len(await active_departments(session))
    health = "Every message has left." if not dead else f"{dead} messages could not leave; `doctor` says why."
    return Message(
        text=f"**Running Stagecoach**\n\n- {people} people in {departments} departments\n- {coming} messages "
        f"planned\n- {plain(health)}"
    )


def _settings(person: Person) -> Message:
    zone = f"Your time zone is {plain(person.time_zone)}. " if person.time_zone else ""
    paused = person.paused_until is not None or person.declined_at is not None
    button = said("Resume messages") if paused else said("Pause all")
    state = (
        "I don't write to you unasked." if paused else "I write to you rarely, never at night or on days off."
    )
    return Message(text=f"**Your settings**\n\n{zone}{state}", choices=(button,))


def drawn(cards: list[Message]) -> dict[str, Any]:
    """Cards as a view of the Home tab."""
    made: list[Block] = []
    for card in cards:
        made += [*([{"type": "divider"}] if made else []), *blocks(card, "table")]
    return {"type": "home", "blocks": _numbered(made[:MOST_BLOCKS])}


def _numbered(made: list[Block]) -> list[Block]:
    """Buttons of several cards in one view need ids of their own."""
    number = 0
    for block in made:
        for element in block["elements"] if block["type"] == "actions" else []:
            element["action_id"], number = f"choice:{number}", number + 1
    return made
