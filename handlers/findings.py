"""What a look at the deployment found: one line each, and what to do where it is not well."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, func, select

from bot.errors import StoreUnavailable
from bot.store.engine import Store
from bot.store.tables import OutboxMessage, OutboxStatus, Platform


@dataclass(frozen=True)
class Finding:
    """One look. `sentence` says what is so, and where it is not well, what to do."""

    name: str
    well: bool
    sentence: str


async def undelivered(store: Store, platform: Platform) -> Finding:
    """What could not be delivered on a platform, with the newest reason."""
    name = f"{platform.value} messages"
    where = (OutboxMessage.platform == platform, OutboxMessage.status == OutboxStatus.DEAD)
    try:
        async with store.read() as session:
            number = (await session.exec(select(func.count(col(OutboxMessage.id))).where(*where))).one()
            newest = select(OutboxMessage.error).where(*where).order_by(col(OutboxMessage.id).desc()).limit(1)
            reason = (await session.exec(newest)).first()
    except StoreUnavailable as error:
        return Finding(name, False, str(error))
    if not number:
        return Finding(name, True, "Every message has left, or will.")
    return Finding(name, False, f"{number} could not be delivered. The latest: {reason}")
