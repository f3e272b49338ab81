"""The door: a greeting, and what each person can do here."""

from __future__ import annotations

import re

from sqlalchemy import bindparam
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Actor, actor
from bot.audit.commands import command, is_greeting
from bot.audit.sessions import start_choice
from bot.audit.waiting import is_for_a_sitting, is_paused
from bot.messages import Choice, Message, plain
from bot.organisation.directory import led_departments
from bot.store.columns import columns
from bot.store.tables import DutyName, Person
from bot.turns import Turn
from handlers.conversation import SAY

GREETING = re.compile(
    r"(hi|hello|hey|good (morning|afternoon|evening|day)|who are you|what is this)"
    r"( there| again| stagecoach)?[\W_]*",
    re.IGNORECASE,
)
HELP = re.compile(r"(help|\?|menu|home|what can you do|what can i do here)[\s!.?]*", re.IGNORECASE)

_THANKS = re.compile(
    r"(ok(ay)?,? |great,? |many )?(thanks|thank you|thx|cheers)( a lot| very much| so much)?[\s!.]*",
    re.IGNORECASE,
)

_EXTERNAL = select(Person.external).where(Person.id == bindparam("person"))

OUTSIDE = Message(
    kind="notice",
    text="I work for the people of this company and can't answer guests. Please ask your contact here.",
)


def said(label: str) -> Choice:
    """A button that says its own label."""
    return Choice(id=f"{SAY}{label}", label=label)


class Home:
    """A use case (see bot.turns.UseCase) that says what can be done here, when words match `asked`.

    It stands twice among the parts: greetings come before all else, a call for help after those who have a
    help of their own to give.
    """

    def __init__(self, asked: re.Pattern[str], prefix: str) -> None:
        self._asked = asked
        self.prefix = prefix

    async def wants(self, session: AsyncSession, turn: Turn) -> bool:
        """Whether the words match; "hello" amid a sitting belongs there. Guests always end here."""
        words = (turn.text or "").strip()
        if self._asked.fullmatch(words) is not None:
            known = is_greeting(words) or command(words) == ("about", "")
            return turn.public or not (known and await is_for_a_sitting(session, turn.person_id, words))
        return await columns(session, _EXTERNAL, {"person": turn.person_id}) != [(False,)]

    async def prepare(self, turn: Turn) -> None:
        """Nothing to find out."""

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        """Say what this person can do here."""
        who = await actor(tx, turn.person_id)
        person = await tx.get(Person, turn.person_id)
        if who.outside or person is None:
            return [OUTSIDE]
        led = await led_departments(tx, turn.person_id)
        first_name = plain(person.name.split()[0])
        offers = _offers(who, bool(led))
        waits = await is_paused(tx, turn.person_id)
        if waits:
            offers += "\n\nA few of your questions wait where you left them."
        return [
            Message(
                text=f"Hello {first_name}. I'm Stagecoach: I help teams put AI to work in the right order, "
                f"and I know the company's AI policies.\n\n{offers}",
                choices=(
                    *((said("Resume"),) if waits else ()),
                    *(start_choice(row.id or 0, f"Audit {row.name}") for row in led),
                    *_buttons(who),
                ),
                input_hint="Ask about a policy",
            )
        ]


def _offers(who: Actor, leads: bool) -> str:
    lines = ["- Ask me anything about the policies. I quote them, or tell you that they don't say."]
    if leads:
        lines.append("- Every few months we look at where your team stands: four short questions at a time.")
    if DutyName.POLICY_OWNER in who.duties:
        lines.append(
            "- Questions that your policies don't answer come to you here; your answer helps the next."
        )
    if DutyName.EXECUTIVE in who.duties:
        lines.append("- On Monday mornings you get one screen: what changed, and what to decide.")
    if DutyName.PROGRAMME_OWNER in who.duties:
        lines.append("- Approvals and contested answers of all departments come to you.")
    return "\n".join(lines)


def _buttons(who: Actor) -> tuple[Choice, ...]:
    buttons = []
    if DutyName.POLICY_OWNER in who.duties:
        buttons.append(said("Open questions"))
    if DutyName.PROGRAMME_OWNER in who.duties:
        buttons += [said("Approvals"), said("Contested answers")]
    if who.duties & {DutyName.EXECUTIVE, DutyName.PROGRAMME_OWNER}:
        buttons += [said("Where does the company stand?"), said("Show the latest digest")]
    return tuple(buttons)


class Thanks:
    """A use case (see bot.turns.UseCase): thanks are no question and no answer; an open card stays."""

    prefix = "thanks"

    async def wants(self, _session: AsyncSession, turn: Turn) -> bool:
        """Whether somebody says thank you, and nothing else."""
        return not turn.public and _THANKS.fullmatch((turn.text or "").strip()) is not None

    async def prepare(self, turn: Turn) -> None:
        """Nothing to find out."""

    async def apply(self, _tx: AsyncSession, turn: Turn, prepared: None) -> list[Message]:
        """One friendly line."""
        return [Message(text="You're welcome!")]
