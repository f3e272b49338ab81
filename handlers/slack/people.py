"""Who an account is: a person of ours, somebody from outside, or a stranger.

Slack is asked once for each account (users.info); from then on our own table knows it. Guests and people of
other companies are never linked to a person, so that no policy can reach them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import Clock, zone
from bot.errors import InputError, NotFound, StoreUnavailable
from bot.organisation.directory import person_by_account, person_by_email
from bot.store.engine import Store
from bot.store.outbox import insert_once
from bot.store.tables import Identity, Person, Platform
from handlers.slack.address import Address
from handlers.slack.clients import Clients

SEEN_APART = timedelta(hours=1)
"""How often it is noted that somebody was heard from."""

REMEMBER_SECONDS = 60.0
"""How long somebody who is not ours is remembered, so that Slack is not asked at each of their messages."""

REMEMBERED = 1_000

Profile = dict[str, Any]


class SlackAway(StoreUnavailable):
    """Slack can't be asked now who somebody is. The event stays in the inbox and is taken up again later."""


@dataclass(frozen=True)
class Who:
    """An account. `person_id` is None for somebody from outside and for a stranger."""

    person_id: int | None = None
    outside: bool = False
    direct: str = ""


class People:
    """Accounts of Slack and the people behind them."""

    def __init__(self, store: Store, clients: Clients, clock: Clock) -> None:
        self._store, self._clients, self._clock = store, clients, clock
        self._not_ours: dict[tuple[str, str], tuple[float, Who]] = {}

    async def find(self, team: str, user: str) -> Who:
        """Who `user` of `team` is. Raises SlackAway where only Slack could tell, and can't now."""
        known = await self._known(team, user)
        if known is not None:
            return known
        now = asyncio.get_running_loop().time()
        at, who = self._not_ours.get((team, user), (0.0, Who()))
        if at > now - REMEMBER_SECONDS and at:
            return who
        found = await self._ask(team, user)
        if found.person_id is None:
            self._not_ours = dict(list(self._not_ours.items())[-REMEMBERED:])
            self._not_ours[(team, user)] = (now, found)
        return found

    async def _known(self, team: str, user: str) -> Who | None:
        async with self._store.read() as session:
            person = await person_by_account(session, Platform.SLACK, team, user)
            account = await _account(session, team, user)
        if person is None or account is None or not account.address.get("conversation"):
            return None
        if not account.reachable or _long_ago(account, self._clock):
            await self._seen(account)
        return Who(person.id, direct=str(account.address["conversation"]))

    async def _seen(self, account: Identity) -> None:
        async with self._store.write() as tx:
            row = await tx.get_one(Identity, account.id)
            row.last_seen_at, row.reachable = self._clock(), True
            tx.add(row)

    async def _ask(self, team: str, user: str) -> Who:
        profile = await self._profile(team, user)
        if is_outside(profile, team):
            return Who(outside=True)
        async with self._store.read() as session:
            person = await person_by_account(session, Platform.SLACK, team, user)
            person = person or await _by_email(session, profile)
        if person is None or person.id is None:
            return Who()
        direct = str(Address(team, await self._open(team, user)))
        await self._link(person.id, team, user, direct, profile)
        return Who(person.id, direct=direct)

    async def reach(self, team: str, email: str, person_id: int) -> bool:
        """Find the account of somebody who has not written to us yet. Returns whether there is one."""
        async with self._store.read() as session:
            account = await _account_of(session, team, person_id)
        if account is not None:
            profile = await self._profile(team, account.external_id)
        else:
            client = await self._clients.of(team)
            profile = await _answer(client.users_lookupByEmail(email=email), "user")
        if is_outside(profile, team):
            return False
        direct = str(Address(team, await self._open(team, str(profile["id"]))))
        await self._link(person_id, team, str(profile["id"]), direct, profile, seen=False)
        return True

    async def refresh(self, team: str, user: str) -> None:
        """A profile changed: take over the time zone, and let go of an account that was closed."""
        async with self._store.read() as session:
            account = await _account(session, team, user)
        if account is None:
            return
        profile = await self._profile(team, user)
        if not is_outside(profile, team):
            await self._link(
                account.person_id, team, user, str(account.address.get("conversation", "")), profile
            )
            return
        async with self._store.write() as tx:
            row = await tx.get_one(Identity, account.id)
            # Without an address the account is looked up anew when it is next heard from.
            row.reachable, row.address = False, {}
            tx.add(row)

    async def _link(
        self, person_id: int, team: str, user: str, direct: str, profile: Profile, seen: bool = True
    ) -> None:
        row = Identity(person_id=person_id, platform=Platform.SLACK, tenant=team, external_id=user)
        async with self._store.write() as tx:
            if await _account(tx, team, user) is None:
                unique = ("platform", "tenant", "external_id")
                await insert_once(tx, Identity, [row.model_dump(exclude={"id"})], unique)
            account = await _account(tx, team, user)
            person = await tx.get_one(Person, person_id)
            if account is None:
                return
            _keep_zone(person, account, str(profile.get("tz") or ""))
            account.address = {**account.address, "conversation": direct, "tz": profile.get("tz")}
            account.reachable = True
            account.last_seen_at = self._clock() if seen else account.last_seen_at
            tx.add_all([account, person])

    async def _profile(self, team: str, user: str) -> Profile:
        client = await self._clients.of(team)
        return dict(await _answer(client.users_info(user=user, include_locale=True), "user"))

    async def _open(self, team: str, user: str) -> str:
        client = await self._clients.of(team)
        return str((await _answer(client.conversations_open(users=user), "channel"))["id"])


async def _answer(call: Any, name: str) -> Profile:
    try:
        return dict((await call)[name])
    except SlackApiError as error:
        code = (
            error.response.data.get("error")
            if isinstance(getattr(error.response, "data", None), dict)
            else None
        )
        if code in (
            "user_not_found",
            "user_not_visible",
            "user_disabled",
            "users_not_found",
            "cannot_dm_bot",
        ):
            return {"is_stranger": True, "id": ""}
        raise SlackAway(f"Slack could not be asked who somebody is ({code}).") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SlackAway("Slack can't be reached to ask who somebody is.") from error


def is_outside(profile: Profile, team: str) -> bool:
    """Whether the account is a guest, a bot, closed, or at home in another company."""
    if any(
        profile.get(mark)
        for mark in ("is_stranger", "is_restricted", "is_ultra_restricted", "is_bot", "deleted")
    ):
        return True
    home, org = profile.get("team_id"), profile.get("enterprise_user") or {}
    homes = {home, org.get("enterprise_id"), *(org.get("teams") or [])}
    return home is not None and bool(team) and team not in homes


async def _account(session: AsyncSession, team: str, user: str) -> Identity | None:
    found = await session.exec(
        select(Identity)
        .where(
            Identity.platform == Platform.SLACK,
            col(Identity.tenant).in_([team, ""]),
            Identity.external_id == user,
        )
        .order_by(col(Identity.tenant).desc())
    )
    return found.first()


async def _account_of(session: AsyncSession, team: str, person_id: int) -> Identity | None:
    found = await session.exec(
        select(Identity).where(
            Identity.platform == Platform.SLACK,
            col(Identity.tenant).in_([team, ""]),
            Identity.person_id == person_id,
        )
    )
    return found.first()


async def _by_email(session: AsyncSession, profile: Profile) -> Person | None:
    email = (profile.get("profile") or {}).get("email")
    # An address that nobody has confirmed proves nothing about who writes.
    if not email or profile.get("is_email_confirmed") is False:
        return None
    try:
        return await person_by_email(session, str(email))
    except NotFound:
        return None


def _keep_zone(person: Person, account: Identity, tz: str) -> None:
    """Take over Slack's zone where the organisation names none, or where it came from Slack before."""
    try:
        zone(tz)
    except InputError:
        return
    if person.time_zone is None or person.time_zone == account.address.get("tz"):
        person.time_zone = tz


def _long_ago(account: Identity, clock: Clock) -> bool:
    return account.last_seen_at is None or clock() - account.last_seen_at > SEEN_APART
