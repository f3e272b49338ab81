"""How people ask about the method itself: models, levels, what counts, what is open, who has a say.

Also the words that these patterns share with those about the own department (bot.coaching.questions).
"""

from __future__ import annotations

from typing import Literal

Topic = Literal[
    "holding_back",
    "last_answers",
    "what_would_get",
    "compare",
    "about_criterion",
    "steps",
    "plans",
    "blockers",
    "standing",
    "processes",
    "models",
    "levels",
    "counting",
    "pending",
    "who_answers",
    "second_view",
    "nothing_done",
    "others",
    "all_questions",
    "change",
    "meaning",
    "put_aside",
    "answered_by",
    "sureness",
    "shown",
    "who_sees",
]

NUMBERS = ("one", "two", "three", "four", "five")
OUR = r"(?:my|our|the)"
US = r"(?:us|me|my team|our team|the team|my department|our department|the department)"
WE = r"(?:i|we|my team|our team|the team|my department|our department)"
TELL = r"(?:answer(?:ed)?|say|said|tell|told|report(?:ed)?)"
LATEST = r"(?:last|latest|recent|previous|earlier|old|current)"
PERIOD = r"(?:time|quarter|month|year|look|audit|check-?in|sitting|summer|winter|spring|autumn)"

_NUMBER = f"(?:[1-5]|{'|'.join(NUMBERS)})"
_TELL_OF = r"(?:what(?:'s| is| are| does| do)|which are|explain|tell me about|describe|show(?: me)?)"
_NOT_US = r"(?!(?:i|we|you|my|our|the|it|this|they|policy|policies)\b)"
_OTHERS = r"(?:the )?(?:others?|other (?:teams?|departments?|leads?))"
_COUNTED = r"(?:calculated?|counted?|computed?|scored?|worked? out|rated?|measured?)"

_MINE = rf"(?:{OUR} answers?|what (?:i|we) (?:answer|answered|say|said|write|wrote))"

METHOD: tuple[tuple[Topic, str], ...] = (
    (
        "change",
        r"^(?:please )?(?:i (?:want|would like|need) to )?(?:change|correct|edit|redo) (?:my |our |an |the )?"
        rf"(?:{LATEST} )?answers?(?: (?:to|on|about|for) .+)?\W*$"
        r"|^(?:can i |could we |can we |i (?:want|would like) to )?(?:start over"
        r"|(?:restart|repeat) (?:the|our) audit"
        r"|(?:go through|do) (?:it|everything|the audit|all of it) again)\W*$",
    ),
    (
        "models",
        rf"^{_TELL_OF}(?: the| your| these)?(?: (?:five|5|ai|value|next|other))* (?:models?|stages?)"
        rf"(?: {_NUMBER})?(?: mean| about| there)?\W*$"
        rf"|^{_TELL_OF} (?:WE|AD|EC|SD|PR)(?: mean| about)?\W*$",
    ),
    (
        "levels",
        rf"^{_TELL_OF}(?: a| the| these)?(?: five| 5)? levels?(?: [0-4])?"
        r"(?: mean| about| there| for| really| actually)*\W*$",
    ),
    (
        "counting",
        r"^why (?:is|does|do|are|did) .*\b(?:counts?|counted)\b"
        rf"|^(?:how|why) (?:is|are|do|does|did) (?:this|it|that|they|you|{OUR} (?:answers?|levels?|states?))"
        rf"(?: \w+)? {_COUNTED}(?: that| this| it)?\W*$"
        r"|^what (?:counts as|is|do you mean by)(?: good)? (?:evidence|proof)\W*$",
    ),
    (
        "pending",
        rf"^(?:which|what|how many|any)(?: of)?(?: {OUR})?(?: \w+)? ?questions?(?: are| is)?"
        r"(?: still| left)*(?: to)? ?(?:open|missing|unanswered|left|due|pending|answer)\W*$"
        rf"|^what(?: is|'s)? (?:still )?(?:open|due|left)(?: for {US})?\W*$"
        rf"|^what (?:have|did) {WE} not (?:answer(?:ed)?|said)(?: yet)?\W*$"
        r"|^when(?: is|'s| will| do)? (?:the|our|my) next (?:audit|look|check-?in|round|questions?|sitting)"
        r"(?: due| be)?\W*$"
        r"|^when (?:will|do) (?:you|i|we) (?:ask|hear from you|come back|get asked)(?: (?:me|us))?"
        r"(?: again| next)\W*$"
        r"|^how old are (?:our|my) answers\W*$|^when do (?:our|my) answers (?:expire|run out)\W*$"
        r"|^which (?:of (?:our|my) )?answers are (?:out of date|stale|old|too old|due)\W*$",
    ),
    (
        "second_view",
        r"^(?:does|is|will|do) (?:some(?:one|body)|any(?:one|body)|you)(?: else)? "
        rf"(?:checks?|checking|verif\w+) (?:{OUR} answers?|what (?:we|i) (?:say|answer))\W*$"
        r"|^why do (?:we|you two|they) (?:differ|disagree|see (?:it|this|that) differently)\W*$"
        r"|^why (?:was|did|do) (?:you ask )?(?:a |my )?(?:colleagues?|second person|team members?)"
        r"(?: was)?(?: asked)?(?: the same)?(?: question)?\W*$",
    ),
    (
        "nothing_done",
        rf"^what (?:happens|if|would happen)(?: if)? {WE} (?:do nothing|(?:do not|don't) answer|never answer"
        r"|(?:skip|ignore) (?:it|this|that|you))\W*$",
    ),
    (
        "others",
        r"^how do (?:we|i) compare (?:with|to) (?!(?:the )?(?:last|previous|earlier)\b).+"
        r"|^which (?:team|department)s? (?:is|are|does|do) (?:the )?"
        r"(?:best|worst|ahead|last|first|behind|better|worse)\b"
        rf"|^(?:are|is) {WE} (?:better|worse|ahead|behind|further)(?: than| of)? (?:{_OTHERS}|the average)\b"
        rf"|^how (?:are|do|did) {_OTHERS}(?: \w+)?\W*$"
        rf"|^what (?:are|do|did) {_OTHERS} (?:say(?:ing)?|answer(?:ed|ing)?)\W*$"
        rf"|^what (?:did|has) {_NOT_US}\w+(?: \w+)? (?:answer(?:ed)?|say|said)\W*$",
    ),
    (
        "sureness",
        r"^how (?:sure|certain|confident|reliable) (?:are|is) (?:you|this|that|it|the picture)"
        rf"(?: (?:about|of|in) (?:{OUR} (?:answers?|levels?|state|placement|results?)|this|that|it))?\W*$"
        rf"|^how (?:sure|certain|reliable|firm) (?:are|is) {OUR} (?:answers?|levels?|placement|results?)\W*$",
    ),
    (
        "shown",
        rf"^(?:which|what) (?:evidence|proofs?|links?) (?:did|have|has|had) {WE}"
        r" (?:give|given|gave|show|shown|add|added|send|sent)(?: you)?(?: so far)?\W*$"
        rf"|^(?:show|list)(?: me)? {OUR} (?:evidence|proofs?|links?)\W*$",
    ),
    (
        "all_questions",
        r"^(?:can|could|may) (?:i|we) see (?:the |all )*(?:whole |full )?(?:questionnaire|questions)\W*$"
        r"|^(?:show|list)(?: me)? (?:the |all )*(?:questionnaire|questions)\W*$"
        r"|^(?:which|what) questions (?:do|will) you ask(?: us| me)?\W*$"
        r"|^how long does (?:the|an) (?:whole |full |entire )?audit take\W*$"
        r"|^how many questions (?:are there|do you have)(?: in all)?\W*$",
    ),
)

WHO: tuple[tuple[Topic, str], ...] = (
    (
        "who_sees",
        r"(?:who|which people) (?:can |will |may |has |have |gets to )?"
        r"(?:sees?|seen|reads?|looked at|opened) (?:all )?(?:of )?"
        rf"{_MINE}(?: (?:so far|already|until now))?\W*"
        r"|(?:can|does|do|will|may) (?:my|our|the) (?:boss|manager|head|executives?|team|colleagues)"
        rf" (?:see|read) {_MINE}\W*"
        rf"|(?:what (?:happens|do you do)|what will you do) (?:with|to) {OUR} answers?\W*"
        rf"|are {OUR} answers? (?:private|confidential|anonymous|used for .+)\W*"
        r"|wer (?:sieht|liest) (?:meine|unsere) antworten\W*",
    ),
    (
        "put_aside",
        r"(?:who|when was it) (?:has |have )?(?:approved?|confirmed?|agreed?|decided?|says|said)(?: that)?"
        r" (?:(?:the |our )?(?:WE|AD|EC|SD|PR)(?:-[1-4])?|it|this|that|something|some things?) "
        r"(?:does(?: not|n't)|do(?: not|n't)|is not|isn't) appl(?:y|ies|icable)(?: to us| here)?\W*"
        r"|what (?:does(?: not|n't)|do(?: not|n't)) apply(?: to (?:us|me|my team|our department))?\W*"
        r"|(?:is|was) (?:our|my) (?:not applicable|n/a) (?:approved|confirmed|accepted)(?: yet| already)?\W*",
    ),
    (
        "answered_by",
        r"who (?:else )?(?:has |have |had )?(?:all )?(?:else )?answered"
        rf"(?: (?:for {US}|the questions|this|it))?"
        r"(?: so far| already| yet| until now)?\W*",
    ),
)
"""What is asked of people: who answered, who confirmed. Each is the whole of a question."""
