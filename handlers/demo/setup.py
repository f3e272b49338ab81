"""Filling the demo's own database with the sample company, and putting it back to its first moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlmodel import SQLModel, delete

from bot.clock import MovableClock, local_day, parse_instant, zone
from bot.organisation.importing import import_organisation
from bot.organisation.parse import parse_organisation
from bot.store.engine import Store
from bot.store.tables import Company
from handlers.app import App
from handlers.commands.org import template_audiences
from handlers.demo.history import load_history, plant
from handlers.demo.sample_files import HISTORY_FILE, organisation_file, policy_files
from knowledge.frontmatter import Details

_OFFSET = "clock_offset_seconds"
_BERLIN = "Europe/Berlin"


def first_moment(now: datetime) -> datetime:
    """When the demo begins: the last Wednesday at ten in the company's zone.

    A Wednesday lets next Tuesday's nudge and next Monday's digest both lie ahead; the hour is a working hour
    wherever the sample's people are awake.
    """
    today = local_day(now, zone(_BERLIN))
    wednesday = today - timedelta(days=(today.weekday() - 2) % 7)
    return datetime(wednesday.year, wednesday.month, wednesday.day, 10, tzinfo=zone(_BERLIN)).astimezone(UTC)


async def demo_clock(store: Store, machine: datetime, start: str | None) -> MovableClock:
    """The demo's clock: from `start`, else where it stood when the demo last ran, else its first moment."""
    if start:
        return MovableClock(parse_instant(start))
    async with store.read() as session:
        company = await session.get(Company, 1)
    if company is not None and _OFFSET in company.settings:
        clock = MovableClock()
        clock.offset = timedelta(seconds=float(company.settings[_OFFSET]))
        return clock
    return MovableClock(first_moment(machine))


async def keep_clock(store: Store, clock: MovableClock) -> None:
    """Remember how far the clock was moved, for the next start."""
    async with store.write() as tx:
        company = await tx.get_one(Company, 1, with_for_update=True)
        company.settings = {**company.settings, _OFFSET: clock.offset.total_seconds()}
        tx.add(company)


async def is_filled(store: Store) -> bool:
    """Whether the sample is wholly there: its last part is what sets the clock's offset."""
    async with store.read() as session:
        company = await session.get(Company, 1)
    return company is not None and _OFFSET in company.settings


async def fill(app: App, clock: MovableClock, tell: Callable[[str], None]) -> None:
    """Load the sample company as it looks at the clock's present. `tell` gets a line for each part."""
    now = clock()
    today = local_day(now, zone(_BERLIN))
    audiences = template_audiences(app.instrument)
    file = organisation_file(today)
    draft = parse_organisation(file.text, file.name, frozenset(audiences))
    await import_organisation(app.store, draft, now, audiences)
    tell(f"{len(draft.departments)} departments, {len(draft.people)} people")
    policies = policy_files(today)
    for number, policy in enumerate(policies, start=1):
        await app.knowledge.filing.add_text(policy.name, policy.text, Details())
        if number % 5 == 0 or number == len(policies):
            tell(f"{number} of {len(policies)} policies")
    async with app.store.write() as tx:
        await plant(tx, load_history(HISTORY_FILE), now, app.instrument)
    tell("half a year of answers")
    await keep_clock(app.store, clock)


async def empty(store: Store) -> None:
    """Take everything out of the demo's database; the tables stay."""
    async with store.write() as tx:
        # Rows that point at other rows of their own table would stand in each other's way.
        for table in reversed(SQLModel.metadata.sorted_tables):
            for column in table.columns:
                own = any(key.column.table is table for key in column.foreign_keys)
                if own and column.nullable:
                    await (await tx.connection()).execute(table.update().values({column.name: None}))
            await (await tx.connection()).execute(delete(table))
