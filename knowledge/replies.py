"""How a question travels to a policy's owner and the reply comes back, as both of them see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.choice_ids import ChoiceId, parse_choice_id
from bot.errors import InputError
from bot.messages import Choice, Message, plain
from bot.store.outbox import write_to_person
from bot.store.tables import Gap, GapStatus, Person, PolicyQuestion
from bot.turns import Turn
from knowledge import facts, gaps, library, overview
from knowledge.answer import day
from knowledge.gaps import Group
from knowledge.library import Draft
from knowledge.quoting import quote_lines
from knowledge.rows import saved
from knowledge.service import KnowledgeService
from knowledge.usage import usage

MAX_REPLY = 4_000  # characters
_MINE = re.compile(
    r"(?:show |list |what about )?(?:my|the) (?:open |sent |policy )?questions\??|my gaps", re.I
)
_QUEUE = re.compile(
    r"(?:show |open )?(?:my|the) (?:question )?(?:queue|inbox)|open questions|policy queue", re.I
)
_POLICIES = re.compile(r"(?:show |list |how are )?my (?:policies|documents)", re.I)
_DECLINED = {
    "gap-no-policy": ("Not a matter for a policy", "this is not something that a policy settles"),
    "gap-elsewhere": ("Ask me in person", "it is better talked over; please get in touch directly"),
    "gap-not-now": ("I can't say yet", "there is no answer yet"),
}
_STATES = {
    GapStatus.OFFERED: "**not sent** to",
    GapStatus.SENT: "**sent** to",
    GapStatus.ANSWERED: "**answered** by",
    GapStatus.DECLINED: "**declined** by",
}
_CANCEL = re.compile(r"(?:cancel|stop|never ?mind|not now|later)[.!]?", re.I)
_LEFT = Message(text="It stays in your queue. Say “my queue” to come back to it.")
_CLOSED = Message(kind="notice", text="That question has been dealt with already.")


@dataclass(frozen=True)
class Ready:
    """An owner's reply made ready for the library before the transaction; `words` are what it was made of."""

    gap_id: int
    words: str
    draft: Draft


def asks_for_list(text: str) -> bool:
    """Whether somebody wants to see own questions, own policies, or the questions that wait."""
    folded = _folded(text)
    return any(form.fullmatch(folded) for form in (_MINE, _QUEUE, _POLICIES))


def _folded(text: str | None) -> str:
    return (text or "").strip().rstrip("?!. ")


# ── The asker ───────────────────────────────────────────────────────────────────────────────────────────


async def send(tx: AsyncSession, turn: Turn, question: PolicyQuestion, anonymous: bool) -> list[Message]:
    """Put a question into its owner's queue, once, however often it is asked, and tell the owner unless a
    like one waits there."""
    before = await gaps.of_question(tx, saved(question.id))
    before = before or await gaps.waiting(tx, turn.person_id, question.text)
    if before is not None:
        return [_state(before, await _name(tx, before.owner_id) or "Its owner")]
    owner = await gaps.owner_for(tx, question.answer.get("owner_id"))
    if owner is None or owner.id == turn.person_id:
        return [Message(kind="notice", text="There is nobody yet whom I could send this to.")]
    gap, alone = await gaps.send(tx, question, owner, anonymous, turn.at)
    if alone:
        asker = None if anonymous else await _name(tx, gap.asker_id)
        await write_to_person(
            tx, saved(owner.id), [_for_owner(gap, asker, 1)], key=f"gap:{gap.id}", now=turn.at
        )
    how = "without your name" if anonymous else "in your name"
    text = (
        f"Sent to {plain(owner.name)} {how}. You will hear from me when there is an answer. Say "
        "“my questions” to see where it stands."
    )
    return [Message(text=text)]


def _state(gap: Gap, owner: str) -> Message:
    """Where a question stands that its asker wants to send once more."""
    if gap.status is GapStatus.ANSWERED:
        return _answered(gap, owner)
    if gap.status is GapStatus.DECLINED:
        return _refused(gap, owner)
    return Message(text=f"{plain(owner)} has your question already. There is no answer yet.")


async def _name(session: AsyncSession, person_id: int | None) -> str | None:
    person = await session.get(Person, person_id) if person_id else None
    return person.name if person else None


async def _own_questions(session: AsyncSession, person_id: int) -> Message:
    found = await gaps.of_asker(session, person_id)
    if not found:
        return Message(text="You have sent no question on yet. I offer it where the policies are silent.")
    lines = [
        f"- “{plain(gap.text)}” {_STATES[gap.status]} {plain(owner or 'nobody yet')}, "
        f"{day(_last(gap).date())}"
        for gap, owner in found
    ]
    return Message(text="Your questions:\n" + "\n".join(lines))


def _last(gap: Gap) -> datetime:
    return gap.closed_at or gap.sent_at or gap.opened_at


# ── The owner ───────────────────────────────────────────────────────────────────────────────────────────


def _for_owner(gap: Gap, asker: str | None, askers: int) -> Message:
    who = f"{plain(asker)} asks" if asker else "Somebody asks"
    if askers > 1:
        who = f"{askers} people ask"
    return Message(
        kind="nudge",
        text=f"{who} something that the policies do not answer:\n\n{quote_lines(gap.text)}\n\nA sentence "
        "or two from you goes to them, and answers the next one who asks.",
        choices=(
            Choice(id=_button(gap, "gap-answer"), label="Answer", style="primary"),
            Choice(id=_button(gap, "gap-decline"), label="Decline"),
        ),
    )


def _button(gap: Gap, what: str) -> str:
    return str(ChoiceId("kb", saved(gap.id), 0, what))


async def heard(tx: AsyncSession, turn: Turn) -> list[Message]:
    """Words that are a reply in the making, or ask for a list."""
    gap = await gaps.being_answered(tx, turn.person_id, turn.conversation)
    if gap is not None and _CANCEL.fullmatch((turn.text or "").strip()):
        gap.answering_in = ""
        tx.add(gap)
        return [_LEFT]
    if gap is not None:
        return [await _drafted(tx, gap, turn.text or "")]
    if await overview.wants(tx, turn):
        return [await overview.shown(tx, turn)]
    if _MINE.fullmatch(_folded(turn.text)):
        return [await _own_questions(tx, turn.person_id)]
    if _POLICIES.fullmatch(_folded(turn.text)):
        return [facts.own_policies(await usage(tx, turn.at, turn.person_id))]
    return await _queue(tx, turn.person_id)


async def _queue(session: AsyncSession, owner_id: int) -> list[Message]:
    waiting = await gaps.open_groups(session, owner_id)
    if not waiting:
        return [Message(text="No question is waiting for you.")]
    messages = []
    for group in waiting[:5]:
        asker = None if group.first.anonymous else await _name(session, group.first.asker_id)
        messages.append(_for_owner(group.first, asker, group.askers))
    if len(waiting) > 5:
        messages.append(Message(text=f"{len(waiting) - 5} more wait behind these."))
    return messages


async def _drafted(tx: AsyncSession, gap: Gap, words: str) -> Message:
    gap.reply, gap.answering_in = words.strip()[:MAX_REPLY], ""
    tx.add(gap)
    await tx.flush()
    text = f"To the question:\n{quote_lines(gap.text)}\n\nYou answer:\n{quote_lines(gap.reply)}\n\n"
    return Message(
        kind="question",
        text=text + "Shall I publish this? It will be shown with your name, this question and today's date.",
        choices=(
            Choice(id=_button(gap, "gap-publish"), label="Publish", style="primary"),
            Choice(id=_button(gap, "gap-answer"), label="Write it anew"),
            Choice(id=_button(gap, "gap-leave"), label="Not now"),
        ),
    )


async def ready(service: KnowledgeService, turn: Turn) -> Ready | None:
    """Embed an owner's reply before it is published; None for every other button."""
    choice = parse_choice_id(turn.choice or "")
    if choice is None or choice.what != "gap-publish":
        return None
    async with service.store.read() as session:
        gap = await session.get(Gap, choice.session)
        owner = await session.get(Person, turn.person_id)
        if gap is None or owner is None or gap.owner_id != owner.id or not gap.reply:
            return None
        details = await gaps.entry_details(session, gap, owner, service.clock())
    text = f"# {plain(gap.text)}\n\n{gap.reply}"
    draft = await service.filing.draft_entry(f"gap:{gap.id}", text, details)
    return Ready(saved(gap.id), gap.reply, draft)


async def chosen(
    tx: AsyncSession, turn: Turn, choice: ChoiceId, prepared: Ready | None, now: datetime
) -> list[Message]:
    """A button of an owner's queue."""
    gap = await tx.get(Gap, choice.session, with_for_update=True)
    if gap is None or gap.owner_id != turn.person_id:
        return [Message(kind="notice", text="This question is in somebody else's queue.")]
    if gap.status is not GapStatus.SENT:
        return [_CLOSED]
    if choice.what == "gap-answer":
        return [await _begin(tx, turn, gap)]
    if choice.what == "gap-publish":
        return await _publish(tx, gap, prepared, now)
    if choice.what == "gap-decline":
        return [_ask_reason(gap)]
    if choice.what in _DECLINED:
        return await _decline(tx, gap, choice.what, now)
    return [_LEFT]


async def _begin(tx: AsyncSession, turn: Turn, gap: Gap) -> Message:
    other = await gaps.being_answered(tx, turn.person_id, turn.conversation)
    if other is not None:
        other.answering_in = ""
        tx.add(other)
    gap.answering_in = turn.conversation
    tx.add(gap)
    await tx.flush()
    return Message(
        kind="question",
        text=f"{quote_lines(gap.text)}\n\nWrite your answer as one message. You see it again before it "
        "goes out.",
        input_hint="Your answer",
    )


def _ask_reason(gap: Gap) -> Message:
    return Message(
        kind="question",
        text="What shall I tell them?",
        choices=tuple(Choice(id=_button(gap, what), label=label) for what, (label, _) in _DECLINED.items()),
    )


async def _publish(tx: AsyncSession, gap: Gap, prepared: Ready | None, now: datetime) -> list[Message]:
    if prepared is None or prepared.gap_id != gap.id or prepared.words != gap.reply:
        return [
            Message(kind="notice", text="Your answer has changed in between. Say “my queue” and try again.")
        ]
    try:
        stored = await library.put(tx, prepared.draft, now, gap.owner_id)
    except InputError:
        return [Message(kind="notice", text="Who may read this has changed. Ask an administrator to look.")]
    group = await gaps.group_of(tx, gap)
    await gaps.close(tx, group, GapStatus.ANSWERED, gap.reply, stored.document_id, now)
    owner = await _name(tx, gap.owner_id)
    await _tell(tx, group, lambda member: _answered(member, owner or "The owner"), now)
    until = prepared.draft.details.expires_on
    told = "1 person has been told" if group.askers == 1 else f"{group.askers} people have been told"
    return [Message(text=f"Published, and {told}. It answers from now on{_until(until)}.")]


def _until(expires: date | None) -> str:
    return f", until {day(expires)}" if expires else ""


def _answered(gap: Gap, owner: str) -> Message:
    return Message(
        kind="answer",
        text=f"You asked:\n{quote_lines(gap.text)}\n\n{plain(owner)} has answered:\n{quote_lines(gap.reply)}",
    )


async def _decline(tx: AsyncSession, gap: Gap, what: str, now: datetime) -> list[Message]:
    group = await gaps.group_of(tx, gap)
    owner = await _name(tx, gap.owner_id)
    await gaps.close(tx, group, GapStatus.DECLINED, _DECLINED[what][1], None, now)
    await _tell(tx, group, lambda member: _refused(member, owner or "The owner"), now)
    return [Message(text="Thank you. I have told them.")]


def _refused(gap: Gap, owner: str) -> Message:
    return Message(
        text=f"You asked:\n{quote_lines(gap.text)}\n\n{plain(owner)} has looked at it: {gap.reply}.",
    )


async def _tell(tx: AsyncSession, group: Group, message: Callable[[Gap], Message], now: datetime) -> None:
    for gap in group.members:
        if gap.asker_id is not None:
            key = f"gap-closed:{gap.id}"
            await write_to_person(tx, gap.asker_id, [message(gap)], key=key, now=now, at_once=True)
