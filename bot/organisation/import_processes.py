"""The processes of the file, and their place in the store.

What the file once named and names no longer is archived. What a lead noted in the chat stays until the file
names it, by its id or its name; from then on the file describes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.organisation.draft import ProcessPart
from bot.organisation.ledger import Ledger
from bot.store.tables import Department, Person, Process, ProcessStep


async def import_processes(
    book: Ledger,
    parts: Sequence[ProcessPart],
    departments: Mapping[str, Department],
    people: Mapping[str, Person],
) -> None:
    """Make the stored processes agree with `parts`; `departments` and `people` are those of the file."""
    stored: list[Process] = await book.all(Process)
    kept: set[int | None] = set()
    for part in parts:
        row = _match(part, [each for each in stored if each.id not in kept])
        values = _values(part, people)
        if row is None:
            row = Process(**values)
            await book.add([row])
            book.note("added", f"process {part.id}")
        else:
            _take_over(book, row, part)
            book.set(row, f"process {part.id}", values)
        kept.add(row.id)
        await _lead_through(book, row, [departments[slug] for slug in part.departments])
    gone = (row for row in stored if row.id not in kept and row.noted_by is None)
    book.archive(gone, lambda row: f"process {row.slug}", "it comes back when the file names it")


def _match(part: ProcessPart, stored: Sequence[Process]) -> Process | None:
    for slug in (part.id, *part.was):
        for row in stored:
            if slug == row.slug or slug in row.former_slugs:
                return row
    noted = (row for row in stored if row.noted_by is not None)
    return next((row for row in noted if row.name.casefold() == part.name.casefold()), None)


def _take_over(book: Ledger, row: Process, part: ProcessPart) -> None:
    book.restore(row, f"process {part.id}")
    if row.noted_by is not None:
        book.note("changed", f"process {part.id}", "noted in the chat -> described by the file")
        row.noted_by = None
    if row.slug != part.id:
        book.note("renamed", f"process {row.slug}", f"now {part.id}")
        row.former_slugs = [*(slug for slug in row.former_slugs if slug != part.id), row.slug]
        row.slug = part.id


def _values(part: ProcessPart, people: Mapping[str, Person]) -> dict[str, Any]:
    baseline = part.baseline
    return {
        "slug": part.id,
        "name": part.name,
        "owner_id": people[part.owner].id if part.owner else None,
        "agents": part.agents,
        "state": part.state,
        "baseline_measure": baseline.measure if baseline else "",
        "baseline_value": baseline.value if baseline else None,
        "baseline_on": baseline.on if baseline else None,
    }


async def _lead_through(book: Ledger, row: Process, path: Sequence[Department]) -> None:
    wanted = [department.id or 0 for department in path]
    before = await path_of(book.tx, row.id or 0)
    if before == wanted:
        return
    if before:
        book.note("changed", f"process {row.slug}", f"departments: {' > '.join(each.slug for each in path)}")
    await keep_path(book.tx, row.id or 0, wanted)


async def path_of(tx: AsyncSession, process_id: int) -> list[int]:
    """The ids of the departments that a process passes through, in order."""
    rows = await tx.exec(
        select(ProcessStep.department_id)
        .where(ProcessStep.process_id == process_id)
        .order_by(col(ProcessStep.position))
    )
    return list(rows)


async def keep_path(tx: AsyncSession, process_id: int, departments: Sequence[int]) -> None:
    """Store the departments that a process passes through, in place of those before."""
    await tx.exec(delete(ProcessStep).where(col(ProcessStep.process_id) == process_id))
    for position, department_id in enumerate(departments):
        tx.add(ProcessStep(process_id=process_id, position=position, department_id=department_id))
    await tx.flush()
