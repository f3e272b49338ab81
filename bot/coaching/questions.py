"""Which questions about the own department are answered from stored facts. Plain rules, no model: the same
words always reach the same answer, and what no rule knows goes to the policies.

A rule speaks of "us" and of standing, answers, gaps or change; a question about what is allowed never does
both, and must never end here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.audit.commands import bare
from bot.audit.hearing import is_only_a_link
from bot.audit.instrument import Instrument
from bot.coaching.glossary import Term, term_of
from bot.coaching.method_questions import LATEST, METHOD, NUMBERS, OUR, PERIOD, TELL, US, WE, WHO, Topic
from bot.when import MONTHS

NO_NAMES: Mapping[str, str] = MappingProxyType({})

_CRITERION = re.compile(r"\b(we|ad|ec|sd|pr)-([1-4])\b|^(we|ad|ec|sd|pr) ?([1-4])\W*$", re.IGNORECASE)
_MODEL = re.compile(
    rf"\b(?:(?:model|stage) ?|(?:get|bring|take|move) us to )(?:([1-5])|({'|'.join(NUMBERS)}))\b"
    r"|\b(WE|AD|EC|SD|PR)\b(?=(?: mean| about)?\W*$)",
    re.IGNORECASE,
)
_MODEL_IDS = ("WE", "AD", "EC", "SD", "PR")
_MONTH = "|".join(MONTHS)
_WHEN = rf"(?: {LATEST} {PERIOD}| (?:back )?in \w+)?"

_PATTERNS: tuple[tuple[Topic, str], ...] = (
    *METHOD,
    (
        "processes",
        rf"^(?:show |list )?(?:me )?{OUR}? ?processes\W*$"
        rf"|which processes (?:cross|go through|pass through|run through|involve) {US}",
    ),
    (
        "blockers",
        r"^(?:show |list |what are |which are )?(?:me )?(?:my |our |the )?(?:open )?"
        r"(?:blockers?|obstacles?)\W*$"
        r"|\bin (?:our|my) way\b",
    ),
    (
        "compare",
        rf"\bcompared? (?:(?:us|this|it|me) )?(?:with|to) (?:the )?{LATEST} {PERIOD}"
        r"|\b(?:chang\w*|differ\w*|new|mov\w*|improv\w*|better|worse|develop\w*|progress)\b.*\bsince "
        rf"(?:the )?(?:{LATEST} {PERIOD}|{_MONTH})\b"
        rf"|\b(?:what|anything) (?:has |is )?changed for {US}"
        rf"|^(?:have|has|did|are|is|how have|how has|how did) {WE} (?:getting |become |got |gotten |get )?"
        r"(?:improved?|better|worse|changed?|developed?|making progress)\W*$"
        rf"|^(?:show|what is|what's) (?:me )?{OUR} (?:progress|changes)\W*$"
        rf"|^why (?:did|have|has) {WE} (?:drop(?:ped)?|gone? down|f[ae]llen?|get worse|got worse|lost)"
        rf"(?: a level| down| back)?\W*$"
        rf"|\b(?:better|worse|further|stronger|weaker) than (?:we were )?(?:the )?{LATEST} {PERIOD}"
        rf"|^{LATEST} {PERIOD} (?:vs\.?|versus|against) (?:now|today)\W*$",
    ),
    (
        "what_would_get",
        r"what (?:would|will|could|does it|would it|else would) (?:get|bring|take|takes|move|help)\b"
        r"|what (?:gets|brings|takes|moves) us"
        rf"|how (?:do|can|could|would|will) {WE} (?:get|reach|move|come|go)\b|get us to|path to\b"
        rf"|how far (?:are|is) {WE} from"
        r"|(?:missing|left|needed|lacking|still open|to do) (?:for|until|before|to)\b"
        rf"|what (?:do|must|should|does|would) {WE} (?:still )?(?:need|lack|miss|do|have)\b.*"
        r"\b(?:for|to|before|until)\b|(?:stands|is) between us and|what has to happen",
    ),
    (
        "holding_back",
        rf"\b(?:hold|holds|holding|keep|keeps|keeping) {US}(?: \w+)? (?:back|from)\b"
        rf"|what(?:'s| is|s)? (?:still |really )?(?:stopping|slowing|blocking|hindering|limiting) {US}\b"
        rf"|what (?:stops|slows|blocks|hinders|limits|prevents) {US}\b"
        rf"|^(?:where|why) (?:are|is|aren't|isn't) {WE} (?:stuck|not further|further|weak|weakest|behind)\b"
        rf"|^where (?:do|does) {WE} (?:fall short|lag)|^what (?:do|does) {WE} lack\W*$"
        rf"|^what (?:are|is) {WE} missing\W*$|^what(?:'s| is) missing\W*$"
        r"|^(?:what(?:'s| is| are)|where are|show|list)(?: me)? (?:my|our) (?:\w+ )?"
        r"(?:gaps?|weak(?:est)? (?:points?|spots?)|bottlenecks?|weakness(?:es)?)\W*$"
        r"|between us and the next (?:model|stage)|^was (?:hält|bremst|hindert|blockiert) uns\b",
    ),
    (
        "standing",
        rf"^(?:so )?where (?:do|are|does|is) {WE}(?: stand)?(?: now| today| right now)?\W*$"
        r"|^(?:show )?(?:me )?(?:our|my) (?:placement|standing|results?|map)\W*$"
        r"|^what(?:'s| is) (?:our|my) (?:score|level|state|status|stage|position)\W*$"
        rf"|^(?:which|what) (?:(?:level|stage|model) )?(?:are|is) {WE} (?:at|on|in|working on)(?: now)?\W*$"
        rf"|^how far (?:along )?(?:are|is) {WE}\W*$|^are we on track\W*$"
        r"|^why (?:is|was|did we) (?:model|stage)? ?\d? ?(?:skip|skipped)\b"
        r"|^what (?:did|have) we skip(?:ped)?\W*$"
        r"|^(?:please )?(?:summari[sz]e|sum up)"
        r" (?:us|where we (?:are|stand)|our (?:results?|answers?|state))\W*$"
        r"|^give (?:me|us) a summary\W*$"
        rf"|^how (?:are|is) {WE} doing\W*$|^wo stehen wir\W*$",
    ),
    (
        "last_answers",
        rf"^(?:please )?(?:show|list|see|give|read)(?: me)? (?:\w+ )?{OUR} (?:{LATEST} )?"
        rf"(?:{_MONTH})?(?:'s)? ?answers?\b"
        rf"|^(?:can|could|may) {WE} see {OUR} (?:{LATEST} )?(?:{_MONTH})? ?answers?\b"
        rf"|^let me see {OUR} (?:{LATEST} )?answers?\b"
        rf"|\bwhat (?:did|have|had) {WE} {TELL}\b(?: you)?(?: so far)?{_WHEN}\W*$"
        rf"|\b(?:what|which answers) (?:did )?{WE} (?:{TELL}|gave|give)\b(?: you)?{_WHEN}\W*$"
        rf"|^what (?:was|were) {OUR} (?:{LATEST} )?answers?\b"
        rf"|^(?:my|our) (?:{LATEST} )?answers?\b|^(?:{_MONTH})(?:'s)? answers\W*$"
        rf"|\banswers? (?:that )?{WE} gave\b|^which answers did {WE} give\b"
        r"|^was (?:haben wir|habe ich) (?:zuletzt )?(?:gesagt|geantwortet)\W*$",
    ),
    (
        "steps",
        r"^(?:show |list )?(?:me )?(?:my |our |the )?next steps?\W*$"
        rf"|what (?:should|can|could) {WE} do (?:next|now|first)"
        rf"|^what (?:should|can|could) {WE} do\W*$"
        rf"|^what (?:should|can|could) {WE} do (?:this|today|about (?:it|that|this)|quickly|right)"
        r"(?: \w+)?\W*$"
        r"|^what(?: is|'s)? the next thing (?:i|we) (?:should|can|could) do\W*$"
        rf"|^what (?:do|must|should) {WE} (?:need to |have to )?do to (?:get better|improve|move on|grow)\W*$"
        r"|^what(?: is|'s)? (?:the|our|a) (?:quickest|easiest|cheapest|best|smallest|quick|easy) "
        r"(?:wins?|steps?|thing to do)\W*$"
        rf"|^(?:where|how) (?:should|do|can|could) {WE} (?:start|begin|improve|get better)\W*$"
        r"|^what (?:do|would|can) you (?:suggest|recommend|advise)(?: .{0,20})?\W*$"
        r"|^(?:give|show) (?:me|us) (?:a|an|one|some) (?:next )?(?:step|tip|idea|suggestion)s?\W*$",
    ),
    (
        "plans",
        r"^(?:show |list )?(?:me )?(?:my |our |the )?(?:open |current )?(?:plans?|steps)\W*$"
        rf"|^what (?:did|have|had) {WE} (?:plan|planned|agreed?|promised?)(?: to do)?\W*$"
        r"|^what(?:'s| is) (?:the|our|my) plan(?: for (?:this|next) \w+)?\W*$"
        r"|^remind me of (?:my|our) (?:plans?|steps?)\W*$"
        r"|^how (?:is|are) (?:my|our|the) (?:plans?|(?:next )?steps?) (?:going|doing)\W*$",
    ),
)
_RULES = tuple((topic, re.compile(pattern, re.IGNORECASE)) for topic, pattern in _PATTERNS)
_OF_PEOPLE = tuple((topic, re.compile(pattern, re.IGNORECASE)) for topic, pattern in WHO)
_REQUEST = re.compile(
    r"(?:please )?(?:show|list|compared?|tell me|what|whats|how|which|where|why|remind me|give me|let me"
    r"|explain|describe|who|when|give us|i (?:want|would like|need) to (?:change|correct)"
    r"|change|correct|edit|redo|restart|repeat|start over|go through|do (?:it|everything|all)"
    r"|summari[sz]e|sum up|i (?:want|would like) to|was (?:hält|bremst|hindert|blockiert)|wo stehen"
    r"|can (?:i|we|you)|could (?:i|we|you)|help (?:me |us )?with|ideas for|path to|are we|did we|have we)\b"
    rf"|(?:my |our |the )?(?:{LATEST} )?(?:open )?"
    r"(?:blockers?|obstacles?|next steps?|plans?|steps|answers?|placement|processes)\b"
    rf"|last \w+ (?:vs|versus|against)\b|(?:{_MONTH})(?:'s)? answers\b",
    re.IGNORECASE,
)
_ANSWERED_ABOUT = re.compile(
    rf"(?:what (?:did|have|had)|remind me what) {WE} (?:answer(?:ed)?|say|said)"
    r" (?:about|on|to|for) (?P<what>.+?)\W*$",
    re.IGNORECASE,
)
_ABOUT_A_NAME = re.compile(
    rf"(?:what (?:should|can|could) {WE} do about"
    rf"|how (?:do|can|could) {WE} (?:improve|get better (?:at|with|on)))"
    r" (?P<what>.+?)\W*$",
    re.IGNORECASE,
)
_AGENTS = re.compile(
    rf"(?:when (?:can|could|may) {WE} (?:use|start with|deploy)|(?:are|is) {WE} ready for)"
    r" (?:ai )?agents\W*$",
    re.IGNORECASE,
)
_WHO_ANSWERS = re.compile(
    rf"who (?:else )?(?:answers?|leads?)(?: (?:for|about))? {US}\W*$|who else answered(?: for {US})?\W*$",
    re.IGNORECASE,
)
_OF_RULES = re.compile(r"\b(?:polic(?:y|ies)|rules?|laws?|handbook|guidelines?|contracts?)\b", re.IGNORECASE)
"""Whoever asks about these asks the policies."""
_ABOUT = re.compile(
    rf"\b(?:what|how|where|show|tell me|explain|help|ideas|next step)\b|^{_CRITERION.pattern}", re.IGNORECASE
)
_IN_THE_WAY = re.compile(
    r"(?:something|somebody|someone) is in (?:the|our|my) way|(?:we are|we're|i am|i'm) stuck"
    r"|(?:(?:please )?(?:add|note|raise|report) )?(?:a |another |an? new |new )(?:blocker|obstacle)"
    r"|(?:(?:please )?(?:(?:add|note|raise|report) )?(?:a |another |an? new |new |our |my )?"
    r"(?:blocker|obstacle)(?: is|:) "
    r"|(?:we are|we're|i am|i'm) (?:blocked|held up|held back|stuck|stopped)"
    r" (?:by|on|at|with|because(?: of)?|since|as) )(?P<note>\S.{2,300})",
    re.IGNORECASE,
)
_CHANGES = re.compile(r"(?:i (?:want|would like|need) to )?(?:change|correct|edit|redo)\b", re.IGNORECASE)
_POLITE = re.compile(
    r"^(?:please|ok(?:ay)?|hey|hi|hello|so|and|well|now|can you|could you|would you|please)[,:]? ", re.I
)


@dataclass(frozen=True)
class StoredQuestion:
    """What is asked of the own department's facts: the topic, and the criterion, model, month or word of the
    method that it names.
    """

    topic: Topic
    criterion: str | None = None
    model: str | None = None
    month: int | None = None
    term: Term | None = None


def names_of(instrument: Instrument) -> dict[str, str]:
    """The names of the questions and models, in small letters, with their ids; the longest first."""
    names = {criterion.name.lower(): criterion.id for criterion in instrument.criteria}
    names |= {model.name.lower(): model.id for model in instrument.models}
    return dict(sorted(names.items(), key=lambda each: -len(each[0])))


def route(text: str, names: Mapping[str, str] = NO_NAMES) -> StoredQuestion | None:
    """The stored question that `text` asks, or None when it is about something else.

    `names` maps the names of the instrument's questions and models, in small letters, to their ids.
    """
    said = " ".join(text.replace("’", "'").split())
    said = _with_ids(_bare(said), names)
    if found := _ANSWERED_ABOUT.match(said):
        named = _criterion(found["what"]) or _by_words(found["what"], names)
        return StoredQuestion("last_answers", named, month=_month(said)) if named else None
    if (found := _ABOUT_A_NAME.match(said)) and (named := _by_words(found["what"], names)):
        return StoredQuestion("about_criterion", named)
    if _AGENTS.match(said):
        return StoredQuestion("what_would_get", model="PR")
    if _WHO_ANSWERS.match(said):
        return StoredQuestion("who_answers")
    if term := term_of(said):
        return StoredQuestion("meaning", term=term)
    if asked := next((topic for topic, pattern in _OF_PEOPLE if pattern.fullmatch(said)), None):
        return StoredQuestion(asked)
    # "Who will see my answers?" is about who sees what, never about what was answered.
    if not _asks(said) or said.lower().startswith("who "):
        return None
    criterion, model = _criterion(said), _model(said)
    if criterion is not None and _ABOUT.search(said):
        get = model is None and re.search(r"\bwhat did|answer", said, re.IGNORECASE)
        topic: Topic = "last_answers" if get else "about_criterion"
        return StoredQuestion("change" if _CHANGES.match(said) else topic, criterion, month=_month(said))
    if _OF_RULES.search(said):
        return None
    for topic, pattern in _RULES:
        if pattern.search(said):
            if topic == "what_would_get" and model is None:
                continue
            return StoredQuestion(topic, criterion, model, _month(said))
    return None


def _by_words(said: str, names: Mapping[str, str]) -> str | None:
    """The one question whose name holds all the words of `said`: "data rules"."""
    wanted = set(bare(said).split()) - {"the", "our", "my", "and", "of", "in"}
    found = {
        each for name, each in names.items() if "-" in each and wanted and wanted <= set(bare(name).split())
    }
    return found.pop() if len(found) == 1 else None


def _bare(said: str) -> str:
    """`said` without the polite words before it."""
    while found := _POLITE.match(said):
        said = said[found.end() :]
    return re.sub(r"^in (\w+), (.+?)\W*$", r"\2 in \1?", said) if said.lower().startswith("in ") else said


def _with_ids(said: str, names: Mapping[str, str]) -> str:
    lowered = said.lower()
    for name, number in names.items():
        if name not in lowered:
            continue
        said = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", number, said, flags=re.IGNORECASE)
    return said


def _asks(said: str) -> bool:
    """A question or a request. An answer that happens to say "our answers" is neither."""
    return said.endswith("?") or _REQUEST.match(said) is not None or _CRITERION.match(said) is not None


def _criterion(said: str) -> str | None:
    found = _CRITERION.search(said)
    return f"{found[1] or found[3]}-{found[2] or found[4]}".upper() if found else None


def _model(said: str) -> str | None:
    for found in _MODEL.finditer(said):
        if found[1] or found[2]:
            place = int(found[1]) - 1 if found[1] else NUMBERS.index(found[2].lower())
            return _MODEL_IDS[place]
        if found[3].isupper():
            # "we" is a word; only the capitals name a model.
            return found[3]
    return None


def _month(said: str) -> int | None:
    found = re.search(rf"\b({_MONTH})\b", said, re.IGNORECASE)
    if found is None or (found[1] == "may" and not re.search(r"\b(?:in|of|from|since) may\b", said)):
        return None
    return MONTHS.index(found[1].lower()) + 1


def in_the_way(text: str) -> str | None:
    """What is in the way, where the whole of `text` says that something is, so that it can be noted: empty
    where the words do not name it.
    """
    said = " ".join(text.replace("’", "'").split())
    found = None if said.endswith("?") else _IN_THE_WAY.fullmatch(said.strip(" .!"))
    return None if found is None else (found["note"] or "").strip()


_BECAME = {
    "done": re.compile(
        r"(?:its |it is |all |thats |already )?(?:done|finished|completed|erledigt)(?: it| that| already)*"
        r"|(?:mark )?(?:step |number )?[1-3](?: is| as| was)? (?:done|finished)"
        r"|(?:i|we)(?: have|ve)? (?:already )?(?:did|done) (?:it|that|this)"
        r"(?: already| yesterday| today| this morning| last week| on \w+day)?"
    ),
    "not_yet": re.compile(r"not (?:yet|done|finished)(?: yet)?|(?:its |it is )?not done(?: yet)?|still open"),
    "dropped": re.compile(
        r"(?:drop(?:ped)?|cancel)(?: it| that| (?:my|the|our) (?:plan|step))"
        r"|drop(?:ped)?|(?:i|we) dropped it|no longer needed"
    ),
}


def became(text: str) -> str | None:
    """What became of a step, where the whole of `text` says so: done, not_yet or dropped."""
    said = bare(text)
    return next((how for how, pattern in _BECAME.items() if pattern.fullmatch(said)), None)


_PROVEN = re.compile(r"(?P<how>[^:,.;!–]{4,20})[:,.;!–] *(?P<proof>\S.*)", re.DOTALL)


def step_named(text: str) -> int | None:
    """The place (from 1) of the step that is said to be done: "2 is done"."""
    found = re.match(r"(?:mark )?(?:step |number )?([1-3])\b", bare(text))
    return int(found[1]) if found is not None and became(text) == "done" else None


def what_became(text: str) -> str | None:
    """The same, also where what there is to see follows at once."""
    return "done" if done_with(text) else became(text)


def done_with(text: str) -> str:
    """What there is to see of a step, where the words say that it is done and show it at once; else empty."""
    found = _PROVEN.fullmatch(text.strip())
    shows = found is not None and became(found["how"]) == "done" and is_only_a_link(found["proof"])
    return found["proof"] if found is not None and shows else ""
