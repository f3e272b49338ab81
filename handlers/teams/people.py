"""Who an account is: a person of ours, somebody from outside, or a stranger.

Teams is asked once for each account (the member's profile); from then on our own table knows it. Guests and
people of other companies are never linked to a person, so that no policy can reach them. What is needed to
write to somebody unasked is kept with the account, as plain JSON, and renewed whenever they are heard from:
the service's address changes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Clock, zone
from bot.errors import InputError, NotFound, StoreUnavailable
from bot.organisation.directory import person_by_email
from bot.store.engine import Store
from bot.store.outbox import insert_once
from bot.store.tables import Identity, Person, Platform
from handlers.teams.connector import Connector, Refused
from handlers.teams.meaning import AWAY

SEEN_APART = timedelta(hours=1)
"""How often it is noted that somebody was heard from."""

REMEMBER_SECONDS = 60.0
"""How long somebody who is not ours is remembered, so that Teams is not asked at each of their messages."""

REMEMBERED = 1_000
_NOBODY = frozenset({400, 403, 404})
"""What Teams replies where it shows no profile: such an account is a stranger."""

Profile = dict[str, Any]


class TeamsAway(StoreUnavailable):
    """Teams can't be asked now who somebody is. The event stays in the inbox and is taken up again later."""


@dataclass(frozen=True)
class Account:
    """Whom an activity names, and where it came from. `personal`: in the chat with that person alone."""

    tenant: str
    user: str
    aad: str
    conversation: str
    service_url: str
    bot: str
    tz: str = ""
    personal: bool = False

    @property
    def names(self) -> list[str]:
        """Every id under which the account may be known; an organisation file may name any of them."""
        return [name for name in (self.aad, f"8:orgid:{self.aad}" if self.aad else "", self.user) if name]


@dataclass(frozen=True)
class Who:
    """An account. `person_id` is None for somebody from outside and for a stranger; `direct` is the personal
    chat, empty where the app may not open one."""

    person_id: int | None = None
    outside: bool = False
    direct: str = ""


class People:
    """Accounts of Teams and the people behind them."""

    def __init__(self, store: Store, connector: Connector, clock: Clock) -> None:
        self._store, self._connector, self._clock = store, connector, clock
        self._not_ours: dict[tuple[str, str], tuple[float, Who]] = {}

    async def find(self, account: Account) -> Who:
        """Who it is. Raises TeamsAway where only Teams could tell, and can't now."""
        known = await self._known(account)
        if known is not None:
            return known
        now, name = asyncio.get_running_loop().time(), (account.tenant, account.user)
        at, who = self._not_ours.get(name, (0.0, Who()))
        if at and at > now - REMEMBER_SECONDS:
            return who
        found = await self._ask(account)
        if found.person_id is None:
            self._not_ours = dict(list(self._not_ours.items())[-REMEMBERED:])
            self._not_ours[name] = (now, found)
        return found

    async def _known(self, account: Account) -> Who | None:
        async with self._store.read() as session:
            row = await _row(session, account)
            person = await session.get(Person, row.person_id) if row is not None else None
        if row is None or person is None or person.archived_at is not None:
            return None
        direct = str(row.address.get("conversation") or "")
        if not direct or (account.personal and direct != account.conversation):
            return None
        moved = _reference(account, row.address, direct) != row.address
        if moved or not row.reachable or self._long_ago(row):
            await self._keep(row.person_id, account, direct)
        return Who(row.person_id, direct=direct)

    async def _ask(self, account: Account) -> Who:
        try:
            profile = await self._connector.member(account.service_url, account.conversation, account.user)
        except Refused as refused:
            if refused.status in _NOBODY:
                return Who()
            raise TeamsAway("Teams could not be asked who somebody is.") from refused
        except AWAY as error:
            raise TeamsAway("Teams can't be reached to ask who somebody is.") from error
        if is_outside(profile, account.tenant):
            return Who(outside=True)
        async with self._store.read() as session:
            row = await _row(session, account)
            person = await session.get(Person, row.person_id) if row is not None else None
            person = person or await by_address(session, profile)
        if person is None or person.id is None or person.archived_at is not None:
            return Who()
        direct = account.conversation if account.personal else await self.open(account)
        await self._keep(person.id, account, direct)
        return Who(person.id, direct=direct)

    async def open(self, account: Account) -> str:
        """The personal chat; nothing where the app is not installed for that person."""
        try:
            return await self._connector.open(account.service_url, account.tenant, account.bot, account.user)
        except Refused as refused:
            if refused.status in _NOBODY:
                return ""
            raise TeamsAway("Teams could not be asked to open a chat.") from refused
        except AWAY as error:
            raise TeamsAway("Teams can't be reached to open a chat.") from error

    async def link(self, account: Account, profile: Profile) -> bool:
        """Find the person behind a profile that we were shown. Returns whether a chat with one is new."""
        if is_outside(profile, account.tenant):
            return False
        async with self._store.read() as session:
            row = await _row(session, account)
            person = await by_address(session, profile)
        if person is None or person.id is None or (row is not None and row.address.get("conversation")):
            return False
        direct = await self.open(account)
        await self._keep(person.id, account, direct, seen=False)
        return bool(direct)

    async def gone(self, account: Account) -> None:
        """The app was taken away: write elsewhere until the person is heard from again."""
        async with self._store.write() as tx:
            row = await _row(tx, account)
            if row is not None:
                row.reachable = False
                row.address = {name: value for name, value in row.address.items() if name != "welcomed"}
                tx.add(row)

    async def welcome(self, account: Account, event_id: int) -> bool:
        """Whether this event is the one to say hello to; Teams tells of each installation twice."""
        async with self._store.write() as tx:
            row = await _row(tx, account)
            if row is None or row.address.get("welcomed", event_id) != event_id:
                return False
            row.address = {**row.address, "welcomed": event_id}
            tx.add(row)
        return True

    async def _keep(self, person_id: int, account: Account, direct: str, seen: bool = True) -> None:
        row = Identity(
            person_id=person_id,
            platform=Platform.TEAMS,
            tenant=account.tenant,
            external_id=account.aad or account.user,
        )
        async with self._store.write() as tx:
            if await _row(tx, account) is None:
                unique = ("platform", "tenant", "external_id")
                await insert_once(tx, Identity, [row.model_dump(exclude={"id"})], unique)
            stored, person = await _row(tx, account), await tx.get_one(Person, person_id)
            if stored is None:
                return
            _keep_zone(person, stored, account.tz)
            stored.address, stored.reachable = _reference(account, stored.address, direct), True
            stored.last_seen_at = self._clock() if seen else stored.last_seen_at
            tx.add_all([stored, person])

    def _long_ago(self, row: Identity) -> bool:
        return row.last_seen_at is None or self._clock() - row.last_seen_at > SEEN_APART


def _reference(account: Account, before: dict[str, Any], direct: str) -> dict[str, Any]:
    """What it takes to write to the person unasked."""
    return {
        **before,
        "conversation": direct or before.get("conversation") or "",
        "service_url": account.service_url,
        "user": account.user,
        "bot": account.bot,
        "tz": account.tz or before.get("tz") or "",
    }


def is_outside(profile: Profile, tenant: str) -> bool:
    """Whether the account is a guest, anonymous, or at home in another company."""
    home = profile.get("tenantId")
    return profile.get("userRole") in ("guest", "anonymous") or bool(home and tenant and home != tenant)


async def _row(session: AsyncSession, account: Account) -> Identity | None:
    """The stored account, rather the one that names the tenant."""
    found = await session.exec(
        select(Identity)
        .where(
            Identity.platform == Platform.TEAMS,
            col(Identity.tenant).in_([account.tenant, ""]),
            col(Identity.external_id).in_(account.names),
        )
        .order_by(col(Identity.tenant).desc(), col(Identity.id))
    )
    return found.first()


async def by_address(session: AsyncSession, profile: Profile) -> Person | None:
    """The person with the account's e-mail address or sign-in name."""
    for name in ("email", "userPrincipalName"):
        if profile.get(name):
            try:
                return await person_by_email(session, str(profile[name]))
            except NotFound:
                continue
    return None


def _keep_zone(person: Person, account: Identity, tz: str) -> None:
    """Take over Teams' zone where the organisation names none, or where it came from Teams before."""
    try:
        zone(tz)
    except InputError:
        return
    if person.time_zone is None or person.time_zone == account.address.get("tz"):
        person.time_zone = tz
