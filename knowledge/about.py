"""What people ask about the coach itself: what it is, who reads along, whether it can be wrong."""

from __future__ import annotations

import re
from typing import Literal

from bot.messages import Message

Topic = Literal["itself", "privacy", "errors"]

_ASKED = (
    r"(?:what (?:i|we) (?:ask|asked|say|said|write|wrote|type)(?: (?:here|you))?|(?:my|our|these) questions?|"
    r"this(?: chat| conversation)?|our chat|it)"
)
_OTHERS = (
    r"(?:you|anyone|anybody|someone|somebody|others|people|(?:my |the )?(?:boss|manager|lead|company|"
    r"employer|colleagues|team)|hr|it|they)"
)
_FORMS: dict[Topic, re.Pattern[str]] = {
    "itself": re.compile(
        r"(?:so )?(?:what|who) (?:exactly )?are you|what(?:'s| is) your (?:name|purpose|job)|how do you work|"
        r"what (?:do|can) you do(?: for me| here)?|"
        r"are you (?:a |an )?(?:real |actual )?(?:human|person|(?:chat ?)?bot|robot|ai|machine|real|chatgpt|"
        r"gpt|copilot|claude|program)(?: or .{1,30})?|who (?:made|built|created|wrote|programmed|runs) you|"
        r"(?:what|which) (?:ai |language )?model (?:are you|do you use|is this)"
    ),
    "privacy": re.compile(
        rf"(?:do|does|can|could|will|would|is|are) {_OTHERS} (?:able to )?(?:see|read|store|save|keep|record|"
        rf"log|remember|know|share|track|told)(?: about)? {_ASKED}|"
        rf"who (?:can |will |else )?(?:sees?|reads?|knows?|gets)(?: to see)? {_ASKED}|"
        rf"(?:is|are) {_ASKED} (?:private|confidential|anonymous|recorded|stored|saved|logged|secret|safe)|"
        r"where (?:do|does) (?:my|our) questions? go"
    ),
    "errors": re.compile(
        r"(?:can|could|are|do) you (?:ever )?(?:be wrong|wrong|make (?:mistakes|errors|things up)|"
        r"hallucinate|lie)|can i (?:trust|rely on) (?:you|this|your answers?)|"
        r"are you (?:always )?(?:right|reliable|accurate)|"
        r"are your answers (?:right|reliable|correct|binding)"
    ),
}
_ITSELF = (
    "I'm Stagecoach, a program and not a person. I look through the company's policies and quote them word "
    "for word, with the place and the date. {how}Where the policies are silent I say so, and pass your "
    "question on if you like."
)
_WITH_MODEL = "A language model puts the answer into words, and I check every sentence against its passage. "
_PRIVACY = (
    "What you ask is kept with your name, so that I understand a follow-up and can tell you what became of a "
    "question. Policy owners and those who lead see how often something is asked, and its words only where "
    "several people asked the same; never who asked. A question that you send on goes with your name or "
    "without it, as you choose. It is never used to judge anybody's performance."
)
_ERRORS = (
    "Yes, I can pick the wrong passage. That is why every answer shows the policy's own words and where they "
    "stand: those hold, not I. If an answer doesn't fit, mark it with 👎, or ask the policy's owner."
)


def asked_about(text: str) -> Topic | None:
    """What somebody wants to know about the coach, None for any other words."""
    folded = " ".join(text.casefold().replace("’", "'").split()).strip(" ?!.")
    return next((topic for topic, form in _FORMS.items() if form.fullmatch(folded)), None)


def told(topic: Topic, with_model: bool) -> Message:
    """The answer."""
    how = _WITH_MODEL if with_model else "I make nothing up. "
    texts: dict[Topic, str] = {"itself": _ITSELF.format(how=how), "privacy": _PRIVACY, "errors": _ERRORS}
    return Message(text=texts[topic])
