"""The library in conversation: questions, requests about the last answer, feedback, and sending on.

Words are taken for the first of these that they fit: an owner's reply or a list that somebody asks for, a
question about the coach itself, a request about the last answer, a question about a document that it names;
all else is a question that the policies are searched for.

Ids of buttons are `kb:<row>:0:<what>`, the row being a question's id, or a gap's where `what` begins with
"gap". Pressing one twice, or one that is somebody else's, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.access import Action, actor, can
from bot.choice_ids import ChoiceId, parse_choice_id
from bot.live import UNSEEN
from bot.messages import Choice, Message, plain
from bot.store.outbox import write_to_person
from bot.store.tables import Band, Person, PolicyQuestion
from bot.turns import Turn
from knowledge import about, feedback, gaps, named, overview, replies, requests
from knowledge.answer import NO_POLICIES, PolicyAnswer, day
from knowledge.audience import readable, reader
from knowledge.followups import Request, is_noted, recognise
from knowledge.quoting import in_short
from knowledge.rows import saved
from knowledge.service import KnowledgeService, Question
from knowledge.stored import sources_of, unpacked
from knowledge.thread import Thread, thread_of
from knowledge.troubled import SYMPATHY, is_troubled

GONE = Message(kind="notice", text="That button has done its work, or belongs to somebody else. Ask me anew.")
_NOTED = Message(text="I'm here when you have a question.")
_LEFT = Message(text="All right, it goes to nobody.")
_ADDING = (
    "\n\nAdd them with `stagecoach kb add FOLDER`, from a web address, or drop a file here: Markdown, text, "
    "HTML, PDF, Word or Excel."
)


@dataclass(frozen=True)
class Prepared:
    """What `prepare` brought: the answer to a question, `private` where others read along and may not see
    it; messages that need no more; a question to be sent on, and how; one whose answer was found wrong; or an
    owner's reply made ready for the library."""

    question: Question | None = None
    answer: PolicyAnswer | None = None
    private: bool = False
    messages: tuple[Message, ...] = ()
    sending: tuple[int, bool] | None = None
    wrong: int | None = None
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
            thread = await thread_of(session, turn)
        last, text = thread.last, turn.text or ""
        request = recognise(text, _offers(last, turn)) if last is not None else None
        if last is not None and request is not None:
            return await self._about(turn, thread, last, *request)
        if (message := await self._known(turn, text)) is not None:
            return Prepared(messages=(message,))
        return await self._asked(turn, thread.subject())

    async def _known(self, turn: Turn, text: str) -> Message | None:
        """The reply to what needs no search: words about the coach itself, words that ask for nothing, and
        facts about documents that are named. None for any other question."""
        if (topic := about.asked_about(text)) is not None:
            return about.told(topic, self._service.model is not None)
        return _NOTED if is_noted(text) else await self._documents(turn)

    async def _documents(self, turn: Turn) -> Message | None:
        """The list of documents, or a fact about one that is named; None for any other question."""
        fact, wants_all = named.recognise(turn.text or ""), named.asks_for_list(turn.text or "")
        if fact is None and not wants_all:
            return None
        today = self._service.clock().date()
        async with self._service.store.read() as session:
            who = await reader(session, turn.person_id, turn.public)
            allowed = await readable(session, who, today)
            if fact is not None:
                return await named.told(session, *fact, allowed, today)
            return await named.listed(session, allowed)

    async def _asked(self, turn: Turn, earlier: tuple[str, ...], style: str = "") -> Prepared:
        question = Question(
            person_id=turn.person_id,
            text=turn.text or "",
            conversation=turn.conversation,
            thread=turn.thread,
            public=turn.public,
            earlier=earlier,
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

    async def _about(
        self, turn: Turn, thread: Thread, last: PolicyQuestion, request: Request, language: str
    ) -> Prepared:
        """Answer a request about the last answer, or the offer that it made."""
        if request == "leave":
            return Prepared(messages=(_LEFT,))
        if request in ("send", "send-anonymous"):
            return Prepared(sending=(saved(last.id), request == "send-anonymous"))
        if request == "wrong":
            return Prepared(wrong=saved(last.id))
        if request in requests.OF_A_POLICY and unpacked(last.answer).band is Band.SILENT:
            return Prepared(messages=(await self._left_open(turn, last),))
        shown = thread.shown or last
        if request in ("shorter", "language") and self._service.model is not None:
            style = ", as short as possible" if request == "shorter" else f", but write it in {language}"
            # The quotes stay in the policy's own language: that is what makes them quotes.
            return await self._asked(replace(turn, text=shown.text), thread.subject(shown), style)
        rests = await self._rests_on(turn, thread, shown)
        if rests is None:
            return Prepared(messages=(requests.NO_SOURCE,))
        today = self._service.clock().date()
        return Prepared(messages=(requests.told(request, language, rests, today),))

    async def _left_open(self, turn: Turn, question: PolicyQuestion) -> Message:
        """What is said of a question that no policy answers in place of an owner, a place or a date."""
        if not _offers(question, turn):
            return requests.left_open(None)
        async with self._service.store.read() as session:
            owner = await gaps.owner_for(session, unpacked(question.answer).owner_id)
        return requests.left_open(owner.name if owner is not None and owner.id != turn.person_id else None)

    async def _rests_on(self, turn: Turn, thread: Thread, question: PolicyQuestion) -> requests.Shown | None:
        """What an answer shows first, from what the person may read now."""
        async with self._service.store.read() as session:
            who = await reader(session, turn.person_id, turn.public)
            allowed = await readable(session, who, self._service.clock().date())
            cited = {citation.passage_id: citation.quote for citation in unpacked(question.answer).citations}
            sources = await sources_of(session, {number: 0.0 for number in cited}, allowed)
        order = list(cited)
        sources.sort(key=lambda source: order.index(source.passage_id))
        if not sources:
            return None
        quote = cited[sources[0].passage_id]
        decisive = self._service.retriever.decisive(question.text, sources[0].text, thread.subject(question))
        return requests.Shown(sources[0], quote, in_short(quote, decisive))

    async def apply(self, tx: AsyncSession, turn: Turn, prepared: Prepared) -> list[Message]:
        """Store what was asked and answered, or do what a button says."""
        if turn.choice is not None:
            return await self._chosen(tx, turn, prepared)
        if prepared.question is not None and prepared.answer is not None:
            return await self._answered(tx, turn, prepared.question, prepared.answer, prepared.private)
        if prepared.sending is not None:
            number, anonymous = prepared.sending
            return await replies.send(tx, turn, await tx.get_one(PolicyQuestion, number), anonymous)
        if prepared.wrong is not None:
            question = await tx.get_one(PolicyQuestion, prepared.wrong)
            return [await feedback.marked(tx, question, "down") or GONE]
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
            return [await shown(tx, stored, question)]
        stored = await self._service.record(tx, replace(question, public=False), answer)
        message = await shown(tx, stored, question)
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
        return [await feedback.marked(tx, question, choice.what) or GONE]


def _offers(question: PolicyQuestion, turn: Turn) -> bool:
    """Whether the answer to a question offered to pass it on, to this person alone."""
    silent = unpacked(question.answer).band is not Band.ANSWER
    return silent and not turn.public and not is_troubled(question.text)


async def shown(session: AsyncSession, answer: PolicyAnswer, question: Question) -> Message:
    """An answer as a message, with the button that sends the question on where the policies are silent."""
    choices: tuple[Choice, ...] = ()
    text = answer.text
    if answer.band is not Band.ANSWER and is_troubled(question.text):
        text = SYMPATHY if answer.band is Band.SILENT else f"{SYMPATHY}\n\n{text}"
    elif answer.band is not Band.ANSWER:
        more, choices = await _who_helps(session, answer, question)
        text += more
    return Message(
        kind="answer",
        text=text,
        choices=choices,
        citations=answer.citations,
        answer_id=answer.answer_id,
        written_by_model=answer.model is not None,
    )


async def _who_helps(
    session: AsyncSession, answer: PolicyAnswer, question: Question
) -> tuple[str, tuple[Choice, ...]]:
    """What follows an answer that does not satisfy: how to add a policy, or whom the question may go to."""
    asker_id = question.person_id
    if answer.text == NO_POLICIES and can(await actor(session, asker_id), Action.ADMINISTER):
        return _ADDING, ()
    owner = await gaps.owner_for(session, answer.owner_id)
    if owner is None:
        return "", ()
    if owner.id == asker_id:
        return "\n\nThis subject is yours. If you add it to a policy, I can answer from then on.", ()
    if not question.public and (waits := await gaps.waiting(session, asker_id, question.text)):
        asked = await session.get(Person, waits.owner_id) or owner
        since = day(waits.opened_at.date())
        return f"\n\n{plain(asked.name)} has your question since {since}. You will hear from me.", ()
    offer = f"\n\nShall I pass your question on to {plain(owner.name)}? You will hear from me."
    return offer, _sending(answer.answer_id, owner.name)


def _sending(answer_id: int, owner: str) -> tuple[Choice, ...]:
    return (
        Choice(id=str(ChoiceId("kb", answer_id, 0, "send")), label=f"Send to {owner}", style="primary"),
        Choice(id=str(ChoiceId("kb", answer_id, 0, "send-anonymous")), label="Send without my name"),
    )
