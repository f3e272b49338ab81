"""Taking a message into the outbox, in the caller's transaction. Sending is the scheduler's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import Message
from bot.store.ready import line_of
from bot.store.tables import Identity, OutboxMessage, Person, Platform


async def insert_once(
    tx: AsyncSession, table: type, values: list[dict[str, object]], unique: tuple[str, ...]
) -> int:
    """`inserted`, counted."""
    return len(await inserted(tx, table, values, unique))


async def inserted(
    tx: AsyncSession, table: type, values: list[dict[str, object]], unique: tuple[str, ...] = ()
) -> list[Any]:
    """Insert rows, leaving out those that the constraint on `unique`, or any, knows already. Returns the keys
    of those that went in.

    Columns without a value take the model's defaults from `values`; pass complete rows.
    """
    if not values:
        return []
    dialect = tx.get_bind().dialect.name
    statement = _insert_statement(dialect, table, unique)
    if len(values) <= FEW:
        return [key for (key, *_) in await (await line_of(tx)).ask(statement, *values)]
    # The rows stand beside the statement, so that it is compiled once.
    return [key for (key, *_) in await (await tx.connection()).execute(statement, values)]


FEW = 10
"""Rows up to which each is quickly asked for by itself."""


@lru_cache(maxsize=64)
def _insert_statement(dialect: str, table: Any, unique: tuple[str, ...]) -> Any:
    make = postgresql_insert if dialect == "postgresql" else sqlite_insert
    rows = table.__table__
    return make(rows).on_conflict_do_nothing(index_elements=unique or None).returning(*rows.primary_key)


LONG_AGO = datetime.min.replace(tzinfo=UTC)
UNSENT = OutboxMessage(
    platform=Platform.WEB, conversation="", dedupe_key="", message={}, created_at=LONG_AGO, due_at=LONG_AGO
).model_dump(exclude={"id"})
"""The columns of a message that nobody has tried to send yet."""


async def enqueue(
    tx: AsyncSession,
    *,
    platform: Platform,
    conversation: str,
    messages: list[Message],
    key: str,
    now: datetime,
    person_id: int | None = None,
    thread: str | None = None,
    event_id: int | None = None,
    scheduled_id: int | None = None,
    due_at: datetime | None = None,
    prefers_repeat: bool = True,
    waits: bool = False,
) -> int:
    """Take `messages` into the outbox, in order. The same `key` a second time adds nothing.

    Those that `waits` are kept back while the person has quiet hours.

    Returns how many rows were added.
    """
    rows = [
        UNSENT
        | {
            "platform": platform,
            "conversation": conversation,
            "thread": thread,
            "person_id": person_id,
            "event_id": event_id,
            "scheduled_id": scheduled_id,
            "dedupe_key": f"{key}:{number}",
            "message": message.model_dump(mode="json", exclude_defaults=True),
            "prefers_repeat": prefers_repeat,
            "waits": waits,
            "created_at": now,
            "due_at": due_at or now,
        }
        for number, message in enumerate(messages)
    ]
    return await insert_once(tx, OutboxMessage, rows, ("dedupe_key",))


async def address_of(tx: AsyncSession, person_id: int) -> tuple[Platform, str]:
    """Where to write to a person unasked: the preferred platform, else the one seen last, else the page.

    Returns the platform and its conversation key. Slack and Teams keys are the stored address; the page's
    is the person's id.
    """
    return (await addresses_of(tx, [person_id]))[person_id]


async def addresses_of(tx: AsyncSession, person_ids: Sequence[int]) -> dict[int, tuple[Platform, str]]:
    """`address_of` for many people at once; some thousands at most."""
    people = await tx.exec(select(Person.id, Person.preferred_platform).where(col(Person.id).in_(person_ids)))
    preferred = {id_: platform for id_, platform in people if id_ is not None}
    found = await tx.exec(
        select(Identity)
        .where(col(Identity.person_id).in_(person_ids), Identity.reachable)
        .order_by(col(Identity.last_seen_at).desc().nulls_last(), col(Identity.id))
    )
    addresses: dict[int, tuple[Platform, str]] = {}
    reachable = [identity for identity in found if identity.address.get("conversation")]
    for identity in sorted(reachable, key=lambda each: each.platform != preferred.get(each.person_id)):
        address = (identity.platform, str(identity.address["conversation"]))
        addresses.setdefault(identity.person_id, address)
    return {id_: addresses.get(id_, (Platform.WEB, f"web:{id_}")) for id_ in person_ids}


async def write_to_person(
    tx: AsyncSession,
    person_id: int,
    messages: list[Message],
    *,
    key: str,
    now: datetime,
    scheduled_id: int | None = None,
    prefers_repeat: bool = True,
    at_once: bool = False,
) -> int:
    """Take messages to one person into the outbox, addressed by `address_of`.

    `at_once`: an answer to the person's own question, which may come in quiet hours too.
    """
    platform, conversation = await address_of(tx, person_id)
    return await enqueue(
        tx,
        platform=platform,
        conversation=conversation,
        messages=messages,
        key=key,
        now=now,
        person_id=person_id,
        scheduled_id=scheduled_id,
        prefers_repeat=prefers_repeat,
        waits=not at_once,
    )
