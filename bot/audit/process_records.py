"""The stored processes across departments, and the one that a lead names in the audit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.audit.instrument import Instrument
from bot.audit.processes import Process
from bot.audit.state import Facts, Someone, State
from bot.organisation.import_processes import keep_path
from bot.store.tables import Department, Person, ProcessState, ProcessStep
from bot.store.tables import Process as StoredProcess

_BY_LEVEL = {1: ProcessState.PLANNED, 2: ProcessState.TRIAL}
"""What an anchor of PR-1 says of a process: an idea or demo, single steps; above, it runs."""


async def stored_processes(tx: AsyncSession, department_id: int | None = None) -> list[Process]:
    """The processes in use by name, with the departments that still exist; or those through one
    department.
    """
    query = select(StoredProcess).where(col(StoredProcess.archived_at).is_(None))
    if department_id is not None:
        through = select(ProcessStep.process_id).where(ProcessStep.department_id == department_id)
        query = query.where(col(StoredProcess.id).in_(through))
    rows = list(await tx.exec(query.order_by(StoredProcess.name)))
    steps = await tx.exec(
        select(ProcessStep.process_id, Department.slug, Department.name)
        .join(Department, col(Department.id) == ProcessStep.department_id)
        .where(
            col(ProcessStep.process_id).in_([row.id for row in rows]),
            col(Department.archived_at).is_(None),
        )
        .order_by(col(ProcessStep.position))
    )
    paths: dict[int, list[tuple[str, str]]] = {}
    for process_id, slug, name in steps:
        paths.setdefault(process_id, []).append((slug, name))
    owners = await _owners(tx, rows)
    return [_process(row, paths.get(row.id or 0, []), owners.get(row.owner_id)) for row in rows]


async def with_processes(
    tx: AsyncSession, instrument: Instrument, state: State, department: Department, facts: Facts
) -> Facts:
    """`facts` with the departments and processes where the present question asks about a process."""
    about = {criterion.id for criterion in instrument.criteria if criterion.follow_up == "process"}
    if state.current not in about or state.phase in ("case", "different"):
        return facts
    departments = await tx.exec(
        select(Department.id, Department.name)
        .where(col(Department.archived_at).is_(None))
        .order_by(Department.name)
    )
    own = await stored_processes(tx, department.id)
    return replace(
        facts,
        departments=tuple(Someone(number or 0, name) for number, name in departments),
        processes=tuple(process.name for process in own),
    )


async def _owners(tx: AsyncSession, rows: Sequence[StoredProcess]) -> dict[int | None, str]:
    ids = {row.owner_id for row in rows if row.owner_id is not None}
    found = await tx.exec(
        select(Person.id, Person.name).where(col(Person.id).in_(ids), col(Person.archived_at).is_(None))
    )
    return {number: name for number, name in found}


def _process(row: StoredProcess, path: list[tuple[str, str]], owner: str | None) -> Process:
    return Process(
        name=row.name,
        departments=tuple(slug for slug, _ in path),
        owner=owner,
        agents=row.agents,
        state=row.state.value,
        baseline=row.baseline_value is not None,
        names=dict(path),
    )


async def note_process(
    tx: AsyncSession, name: str, path: Sequence[int], level: int, person_id: int, now: datetime
) -> StoredProcess:
    """Keep a process that somebody named, or find it by its name: what is known of it is not overwritten,
    except a path that a lead noted.
    """
    rows = await tx.exec(select(StoredProcess).where(col(StoredProcess.archived_at).is_(None)))
    row = next((each for each in rows if each.name.casefold() == name.casefold()), None)
    if row is None:
        row = StoredProcess(slug="", name=name, noted_by=person_id, noted_at=now)
        row.slug = await _free_slug(tx, name)
        row.state, row.agents = _BY_LEVEL.get(level, ProcessState.LIVE), level > 1
        tx.add(row)
        await tx.flush()
    if row.noted_by is not None and len(set(path)) > 1:
        await keep_path(tx, row.id or 0, path)
    return row


async def _free_slug(tx: AsyncSession, name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-") or "process"
    taken = set(await tx.exec(select(StoredProcess.slug).where(col(StoredProcess.slug).startswith(base))))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(each for each in numbered if each not in taken)
