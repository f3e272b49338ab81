"""The library in conversation: questions, requests about the last answer, feedback, and sending on.

Ids of buttons are `kb:<row>:0:<what>`, the row being a question's id, or a gap's where `what` begins with
"gap". Pressing one twice, or one that is somebody else's, changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.choice_ids import ChoiceId, parse_choice_id
from bot.live import UNSEEN
from bot.messages import Choice, Message, plain
from bot.store.outbox import write_to_person
from bot.store.tables import Band, PolicyQuestion
from bot.turns import Turn
from knowledge import facts, gaps, overview, replies
from knowledge.answer import PolicyAnswer, Source, quoted_from
from knowledge.audience import readable, reader
from knowledge.followups import recognise
from knowledge.library import saved
from knowledge.service import KnowledgeService, Question
from knowledge.stored import sources_of, unpacked

_THREAD_HOLDS = timedelta(hours=2)
_LOOKED_BACK = 5  # questions, for the last that showed a passage
_MAX_SHOWN = 1_500  # characters of a passage shown whole

GONE = Message(kind="notice", text="That button has done its work, or belongs to somebody else. Ask me anew.")
_REASONS = {"wrong": "It is wrong", "old": "It is out of date", "other": "It answers something else"}


@dataclass(frozen=True)
class Prepared:
    """What `prepare` brought: the answer to a question, `private` where others read along and may not see
    it; the facts for a request about the last answer; or an owner's reply made ready for the library."""

    question: Question | None = None
    answer: PolicyAnswer | None = None
    private: bool = False
    messages: tuple[Message, ...] = ()
    reply: replies.Ready | None = None


class PolicyTurns:
    """The use case "policies" (see bot.turns.UseCase)."""

    prefix = "kb"

    def __init__(self, service: KnowledgeService) -> None:
        self._service = service

    async def wants(self, session: AsyncSession, turn: Turn) -> bool:
        """Whether these words are an owner's reply, or ask for a queue."""
        if replies.asks_for_list(turn.text or "") or await overview.wants(session, turn):
            return True
        return await gaps.being_answered(session, turn.person_id, turn.conversation) is not None

    async def prepare(self, turn: Turn) -> Prepared:
        """Search and ask a model where needed; nothing is changed."""
        if turn.choice is not None:
            return Prepared(reply=await replies.ready(self._service, turn))
        async with self._service.store.read() as session:
            if await self.wants(session, turn):
                return Prepared()
            last = await _last_question(session, turn)
            resting = await _last_question(session, turn, with_sources=True)
        request = recognise(turn.text or "")
        if last is not None and request is not None:
            return await self._about(turn, resting or last, *request)
        return await self._asked(turn, last)

    async def _asked(self, turn: Turn, last: PolicyQuestion | None, style: str = "") -> Prepared:
        question = Question(
            person_id=turn.person_id,
            text=turn.text or "",
            conversation=turn.conversation,
            thread=turn.thread,
            public=turn.public,
            earlier=(last.text,) if last else (),
            style=style,
            live=turn.live,
        )
        if turn.public and await self._is_private(question):
            # Nothing of it is shown live: others read along there.
            private = await self._service.answer(replace(question, public=False, live=UNSEEN))
            return Prepared(question=question, answer=private, private=True)
        return Prepared(question=question, answer=await self._service.answer(question))

    async def _is_private(self, question: Question) -> bool:
        """Whether what everybody may read does not answer this, and what the asker may read does."""
        for_all = replace(question, worded=False)
        if (await self._service.answer(for_all)).band is Band.ANSWER:
            return False
        alone = replace(for_all, public=False, live=UNSEEN)
        return (await self._service.answer(alone)).band is Band.ANSWER

    async def _about(self, turn: Turn, last: PolicyQuestion, request: str, language: str) -> Prepared:
        """Answer a request about the last answer, from what the person may read now."""
        if request in ("shorter", "language") and self._service.model is not None:
            style = ", as short as possible" if request == "shorter" else f", but write it in {language}"
            # The quotes stay in the policy's own language: that is what makes them quotes.
            return await self._asked(replace(turn, text=last.text), None, style)
        async with self._service.store.read() as session:
            who = await reader(session, turn.person_id, turn.public)
            allowed = await readable(session, who, self._service.clock().date())
            cited = {citation.passage_id: citation.quote for citation in unpacked(last.answer).citations}
            sources = await sources_of(session, {number: 0.0 for number in cited}, allowed)
        order = list(cited)
        sources.sort(key=lambda source: order.index(source.passage_id))
        if not sources:
            return Prepared(messages=(_no_source(),))
        first = sources[0]
        made = {
            "owner": lambda: facts.owner_of(first),
            "since": lambda: facts.since(first, self._service.clock().date()),
            "where": lambda: _whole(first),
            "shorter": lambda: _shorter(first, cited[first.passage_id]),
            "language": lambda: _untranslated(language),
        }[request]()
        return Prepared(messages=(made,))

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """Store what was asked and answered, or do what a button says."""
        if turn.choice is not None:
            return await self._chosen(tx, turn, prepared)
        if prepared.question is not None and prepared.answer is not None:
            return await self._answered(tx, turn, prepared.question, prepared.answer, prepared.private)
        if prepared.messages:
            return list(prepared.messages)
        return await replies.heard(tx, turn)

    async def _answered(
        self,
        tx: AsyncSession,
        turn: Turn,
        question: Question,
        answer: PolicyAnswer,
        private: bool,
    ) -> list[Message]:
        if not private:
            stored = await self._service.record(tx, question, answer)
            return [await shown(tx, stored, turn.person_id)]
        stored = await self._service.record(tx, replace(question, public=False), answer)
        message = await shown(tx, stored, turn.person_id)
        key = f"kb-private:{turn.event_id}"
        await write_to_person(tx, turn.person_id, [message], key=key, now=turn.at, at_once=True)
        return [Message(kind="notice", text="I have sent you the answer in a direct message.")]

    async def _chosen(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        choice = parse_choice_id(turn.choice or "")
        if choice is None:
            return [GONE]
        if choice.what.startswith("gap"):
            return await replies.chosen(tx, turn, choice, prepared.reply, self._service.clock())
        question = await tx.get(PolicyQuestion, choice.session)
        if question is None or question.person_id != turn.person_id:
            return [GONE]
        if choice.what in ("send", "send-anonymous"):
            return await replies.send(tx, turn, question, choice.what == "send-anonymous")
        return await _feedback(tx, question, choice.what)


async def _last_question(
    session: AsyncSession, turn: Turn, with_sources: bool = False
) -> PolicyQuestion | None:
    """The question before in this thread, if it was this person's and not long ago; `with_sources` the last
    whose answer showed a passage."""
    found = await session.exec(
        select(PolicyQuestion)
        .where(
            PolicyQuestion.person_id == turn.person_id,
            PolicyQuestion.conversation == turn.conversation,
            _in_thread(turn),
            PolicyQuestion.asked_at >= turn.at - _THREAD_HOLDS,
        )
        .order_by(col(PolicyQuestion.id).desc())
        .limit(_LOOKED_BACK if with_sources else 1)
    )
    return next((each for each in found if not with_sources or each.passage_ids), None)


def _in_thread(turn: Turn) -> ColumnElement[bool]:
    """The thread's own; and between two people also what stands above it: a thread hangs on a question."""
    above = col(PolicyQuestion.thread).is_(None)
    if turn.thread is None:
        return above
    own = col(PolicyQuestion.thread) == turn.thread
    return own if turn.public else own | above


async def shown(session: AsyncSession, answer: PolicyAnswer, asker_id: int) -> Message:
    """An answer as a message, with the button that sends the question on where the policies are silent."""
    choices: tuple[Choice, ...] = ()
    text = answer.text
    if answer.band is not Band.ANSWER:
        owner = await gaps.owner_for(session, answer.owner_id)
        if owner is not None and owner.id != asker_id:
            choices = _sending(answer.answer_id, owner.name)
            text += f"\n\nShall I pass your question on to {plain(owner.name)}? You will hear from me."
        elif owner is not None:
            text += "\n\nThis subject is yours. If you add it to a policy, I can answer from then on."
    return Message(
        kind="answer",
        text=text,
        choices=choices,
        citations=answer.citations,
        answer_id=answer.answer_id,
        written_by_model=answer.model is not None,
    )


def _sending(answer_id: int, owner: str) -> tuple[Choice, ...]:
    return (
        Choice(id=str(ChoiceId("kb", answer_id, 0, "send")), label=f"Send to {owner}", style="primary"),
        Choice(id=str(ChoiceId("kb", answer_id, 0, "send-anonymous")), label="Send without my name"),
    )


def feedback_choices(answer_id: int) -> tuple[Choice, Choice]:
    """The two buttons under an answer, for surfaces that have no feedback buttons of their own."""
    return (
        Choice(id=str(ChoiceId("kb", answer_id, 0, "up")), label="👍"),
        Choice(id=str(ChoiceId("kb", answer_id, 0, "down")), label="👎"),
    )


async def _feedback(tx: AsyncSession, question: PolicyQuestion, what: str) -> list[Message]:
    if what == "up":
        question.mark, question.mark_reason = 1, ""
        reply = Message(text="Thank you, good to know.")
    elif what == "down":
        asked_before = question.mark == -1
        question.mark = -1
        reply = Message(text="Noted, thank you.") if asked_before else _why(saved(question.id))
    elif (reason := what.removeprefix("why-")) in _REASONS and question.mark == -1:
        question.mark_reason = reason
        reply = Message(text="Thank you. The policy's owner will see that this answer did not help.")
    else:
        return [GONE]
    tx.add(question)
    await tx.flush()
    return [reply]


def _why(answer_id: int) -> Message:
    return Message(
        kind="question",
        text="Sorry about that. What was the trouble?",
        choices=tuple(
            Choice(id=str(ChoiceId("kb", answer_id, 0, f"why-{reason}")), label=label)
            for reason, label in _REASONS.items()
        ),
    )


def _no_source() -> Message:
    return Message(
        kind="notice",
        text="My last answer rests on no policy that I could show you. Please ask anew.",
    )


def _whole(source: Source) -> Message:
    where = f"**{plain(source.document)}**" + (f", {plain(source.section)}" if source.section else "")
    text = source.text
    cut = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN].rsplit(" ", 1)[0] + " …"
    return Message(
        kind="answer", text=f"It stands in {where}. The whole passage:\n\n{quoted_from(source, cut)}"
    )


def _shorter(source: Source, quote: str) -> Message:
    first = re.split(r"(?<=[.!?])\s", quote.split("\n")[0])[0]
    return Message(kind="answer", text=f"{quoted_from(source, first)}\n\n_{plain(source.document)}_")


def _untranslated(language: str) -> Message:
    return Message(
        kind="notice",
        text=f"I can't write {plain(language)} here: no language model is set up, and I would rather quote "
        "the policy as it stands than guess.",
    )
