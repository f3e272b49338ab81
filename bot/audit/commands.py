"""The short things that people say to steer a sitting. Only a whole message that is one counts, so that "we
went back to Excel" stays an answer.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.audit.slips import mended

_THIS = r"(?: this| that| it)"
_MINE = (
    r"(?: this| that| it| my (?:answers?|words)| what i(?: have)? (?:say|said|type|typed|write|wrote|answer))"
)
_OTHERS = (
    r"(?:(?:(?:my|the|our) )?(?:boss|manager|(?:team )?lead|team|colleagues|head|executives?|management|hr"
    r"|legal|works council|ceo|board)|any(?:one|body)(?: else)?|others|everyone|people|they)"
)
_LEANING = (
    r"(?:(?:option|answer|its|it is|the|i pick|i choose|ill take|take|no|sorry|actually|rather|i meant|i mean"
    r"|probably|maybe|perhaps|clearly|more like|like|closer to|nearer to|id say|i would say"
    r"|id go (?:for|with)|i think|i guess|eher|wohl) )*"
)
_HEDGED = r"(?: (?:please|probably|i think|i guess|i suppose|then|for us|today|is (?:clos|near)(?:er|est)))*"
_NEITHER = (
    rf"{_LEANING}(neither|none)( of (them|these|those|the two)| one)?"
    rf"( (really )?(fits?|match(es)?|applies|apply|is right|are right|describes? us))?( us)?{_HEDGED}"
    r"|(both|all|they|these|those)( of them| two| five)?( are)?( all| both)? (wrong|off|not right|not it)"
)
_CURSE = (
    "(bullshit|bs|crap|nonsense|rubbish|stupid|dumb|annoying|boring|tiresome|ridiculous|pointless|useless"
    "|(a )?waste of( my)? time|an idiot|idiotic)"
)
_COMMANDS: dict[str, tuple[str, ...]] = {
    "back": ("(go )?back", "previous", "last question"),
    "skip": (
        "skip( it| this| that)?( one| question)?",
        "pass|no comment|none of your business",
        "((id|i would|i) )?(rather|prefer)( to)? not( to)? (say|answer|tell)( that| this| you)?",
        "(thats|that is|this is|its) (confidential|private|secret|none of your business)",
        "next( question)?|(skip|go|move)( on)? to the next( one| question)?",
    ),
    "skip_to_last": ("(skip|go|jump|move)( on)?( right)? to the (last|final)( one| question)?",),
    "skip_all": ("skip (all|everything|the rest|them all|all of (it|them|this))( of it)?( please)?",),
    "pause": ("(please )?(pause|stop|stop here|enough|break|quit|bye)",),
    "quit": (
        "(please )?stop (asking|bothering|messaging|writing to)( me)?( this| that| questions)?",
        "(please )?(dont|do not) (ask|bother|message|write to) me( that| this| again| any ?more| anything)*",
        "leave me (alone|out)|go away|shut up",
        "opt out|stay out|not for me",
    ),
    "resume": ("resume", "continue", "carry on", "go on", "where were we"),
    "start": (
        "yes( please)?|y|yep|yeah|yea|yup|ok|okay|sure|alright|all right|fine|(i ?m |i am )?ready",
        "((sure|ok|okay|yes|fine) )?(why not|if i must|i guess( so)?|lets do (it|this|that)|lets go)",
        "(lets )?go( ahead)?",
        "(lets )?(start|begin)( (the |an |my )?(audit|check ?in|sitting|questions))?",
    ),
    "out": ("no|n|nope|nah|no thanks|no thank you",),
    "why": (
        "why( do you (ask|want to know|need to know|need)( me)?( this| that| it)?( again)?"
        "| this( question)?( again)?)?",
        "what for",
    ),
    "explain": (
        "(sorry )?what (do|does|did) (you|this|that|it) mean( by (this|that))?",
        "(sorry )?(i )?(dont|do not) (understand|follow|get)( it| this| that| the question)?",
        "(idk|i dont know|not sure) what (you mean|(that|this) means)",
        f"(can|could|would) you (please )?(explain|rephrase|clarify|give me an example){_THIS}?( please)?",
        f"(please )?explain{_THIS}?",
        "((give me|for) )?(an )?example( please)?",
        "((can|could) you (tell|show) me )?(what|how) (does|is|would)? ?a good answer"
        "( (look|be|is|looks)( like)?)?",
        "(what|which) (level|letter|one|sentence) (would|should|is|do|does) (that|this|it|i|you|we)"
        "( be| pick| take| choose| suggest| recommend| mean)*",
        "help me (to )?(choose|pick|decide)( please)?",
        "what (means?|is the meaning of) (a |the )?(recent case|case|question|evidence|it|this|that)",
        "huh|what|unclear|when|how|who|which( ones?)?",
        r"(what|who|which|how many|how much)( \w+){0,3} do you mean( by (this|that))?",
        "(i )?(dont|do not|cant|cannot) (understand|see|get) the "
        "(question|difference|sentences?|options?|card|levels?)( between .+)?",
        "(what is|whats|is there) (the|a) difference( between .+)?",
        "((this|that|the|your) (question )?)?(makes no|does not make|doesnt make) (any )?sense( to me)?",
        "(this|that|it|the question) is (unclear|confusing|too abstract|hard to understand)",
    ),
    "time": (
        f"how (long|much time)( is| does| will| would)?{_THIS}?( take| last| be)?( in all)?",
        "how (many|much)( more)?( questions| minutes| longer)?( are| is)?( still)?( there| left| to go)*",
        "are we (done|finished|nearly there)( yet| soon)?",
        "what( is|s| comes)? next( then)?|(and |so )?(what now|now what|what happens (now|next))( then)?",
        "is (that|this) (all|it)",
    ),
    "why_me": (
        "who (asked|told|sent) you( to ask me)?|(how|why) did you (pick|choose|come to) me",
        r"did (my |the )?\w+( \w+)? (ask|tell|send) you( to ask me)?",
        "why (me|us|my team|our team)",
        "why (am i|are we) (asked|here|doing this)",
    ),
    "names": (
        "(why )?do (you|i|we) (really )?(need|want|(have|need) to (give|use|say)) (any )?names",
        "(should|must) (i|we) (give|use|say|name) (names|people|anyone|somebody)",
    ),
    "about": (
        "who (decided|ordered|wants|asked for|is behind|runs) (this|that|it)( all)?",
        "are you (an? )?(real |actual )?(ai|bot|robot|human|machine|person|program|computer|chatgpt)",
        "what is this( all)?( about| for)?",
        "who are you|what are you",
    ),
    "person": (
        "((i )?(want|need|would like|can i|could i|may i|id like|let me)( to)? )?(talk|speak|chat)"
        "( to| with)? (a |some )?(real )?(human|person|people|human being|someone|somebody)( real)?",
    ),
    "who": (
        f"what (will|do|happens|are) (you |they )?(now )?(going to )?(do )?(with|to){_MINE}",
        f"who (all )?(can |will |may |gets to )?(sees?|reads?|knows?)( all)?{_MINE}?",
        f"(can|does|do|will|may) {_OTHERS} (see|read){_MINE}",
        f"(can|does|do|will|may) {_OTHERS} (know|learn|find out|hear|see)( that| about)?"
        "( (it was|it is|its) me| who (i am|it was|answered|said (it|this|that)))",
        "(is|are) (this|it|that|my answers?) (private|confidential|anonymous)",
        "(is|are|will|can|could) (this|it|that|my answers?)( be)? (used|held) against (me|us|any(one|body))",
        "(will|does|can|could) (this|it|that) (affect|cost|influence|hurt|change|touch) (my|our|anyones?)"
        " (job|pay|salary|bonus|performance|review|rating)s?",
        f"(will|do|would|are) you (going to )?(tell|show|report){_THIS}?( to)? {_OTHERS}( about)?{_MINE}?",
    ),
    "judge": (
        "(is|was) (that|this|it) (very |really )?(good|bad|ok|okay|right|wrong|normal|enough)",
        "(is|was) (this|that|it) (a |an )?(test|exam|check|control)",
        "(is there|what is|whats) (a|the) (right|correct|best|good) answer( here)?",
        "what do you want( me)? to (hear|say)",
    ),
    "annoyed": (
        f"(this|that|it) ?(is|s)?( all| just| such| so| really| total| totally| complete| a| an)* {_CURSE}",
        f"(what a|total|complete)?( )?{_CURSE}",
        "(oh )?(fuck|shit|damn|wtf|ffs|for gods sake)( (this|that|it|off|you))?",
        f"(you are|youre)( so| really)? {_CURSE}|(i am |im )?(annoyed|fed up|sick of (this|it))",
    ),
    "must": (
        "(do|must) (i|we) (really )?(have to|need to|must)?( answer| do| go on with)?( this| that| it)?",
        "(is|are) (this|it|these|that)( questions)? (mandatory|voluntary|optional|required|compulsory)",
        "what (happens|if)( if)? (i|we) (say no|refuse|stop( here| now)?|leave|quit|do not|dont)"
        "( want( to| this)?| do (it|this)| answer( this| that)?)?",
    ),
    "data": (
        "((please|can you|could you|i want to|how do i|how can i) )?"
        "(delete|erase|remove|forget|export|download|send me|give me a copy of) (all )?(of )?"
        "(my|our) (personal )?(data|answers?|words|history)( about me)?( please)?",
        "(please )?(forget|delete|erase) (me|everything( about me)?)",
        "(what|which)( data)? (do|have) you (know|stored?|keep|kept|have|saved?|collect(ed)?)"
        "( about| on| of)? (me|us)",
        "do you (record|store|save|keep) (everything|all( of)? (this|it)|this|it|what i say|my words)",
        "what is (stored|kept|known|saved) about me|(where|how long) (do you keep|is|are) my (data|answers?)"
        "( kept| stored)?|my data",
    ),
    "unsure": (
        "(im |i am |im really |really )?(not sure|unsure)",
        "(sorry )?(i )?(really |just |honestly )?(dont|do not|cant|cannot) (really )?(know|remember|recall)",
        "idk|dunno|who knows",
        "(i have |ive )?no (idea|clue)",
        "(i )?cant say|hard to say",
        "(i )?(cant|cannot) (remember|recall|think of (one|any|anything|a case|a time))",
    ),
    "cannot": ("never", "not that i (know( of)?|remember|recall)"),
    "na": (
        "not applicable",
        "n ?a",
        "(it |this |that )?(doesnt|does not) apply( to us| here)?",
        "not for us",
    ),
    "edit": ("edit", "(change|correct)( an?| my)?( last)? answers?"),
    "again": (
        "(let me |i want to |can i )?(choose|pick)( again| another( one| level)?)",
        "(change|redo) (it|that|my (pick|choice|level))",
    ),
    "above": (
        "(please )?(see|look|as|same as) (above|before|i said( before| already)?|last time)",
        "(as|like) i( have|ve)? (already )?(said|wrote|told you)( before| already)?( above)?",
        "(but )?(i |we )(have |ve |already |just )*(said|answered|wrote|told)( you)?( this| that| it| so)?"
        "( already| before| above| just now)+( this| that| it)?",
        "(i |we )(have )?already (said|answered|wrote|told)( you)?( this| that| it| so)?",
        "same (here|again|answer|link|page|file|document)( as (above|before|last time))?|ditto",
        "(the )?same as (the )?(last|previous|first|other) (one|question|answer|time)",
        "(the )?(link|page|file) (from )?above",
        "you (already know|know already|asked( me)?|have) (that|this|it)( already| before)?",
    ),
    "other": (
        "((no|sorry|oops|wait|actually|hm+) )*(i (meant|mean)( to (pick|say|choose))? )?the other( one)?",
        "((no|sorry|oops|wait|actually|hm+) )*wrong (one|button|answer)",
        "i (have )?(changed my mind|misclicked)|i take that back|undo( that)?",
        "that was (wrong|a mistake|the wrong one)",
        "((no|sorry|oops|wait|actually|rather|i (meant|mean)) )+(option |the )?[a-e]",
    ),
    "neither": (_NEITHER, "no fit"),
    "same": (
        "(the )?same( as before| as last time)?",
        "no change|unchanged|still true",
        "nothing( changed| new| is different)?",
    ),
    "better": ("(it got |its |it is )?better", "improved|up"),
    "worse": ("(it got |its |it is )?worse", "down"),
    "language": (
        "((in|auf) |(can|could) (you|we) (do|ask|speak|say|write)( (it|this|that))?( in)? )"
        "(german|deutsch|french|spanish|italian|portuguese|polish|dutch)",
        r"(do you (speak|understand)|sprichst du|verstehst du) \w+",
        "is there a translation|(can|could) you translate( (it|this|that))?( for me)?",
        r"(can|may|should|must) i (answer|write|reply) in (\w+|my (own )?language)",
    ),
    "for_me": (
        "((can|could|would|will) you )?(please |just |not )*(fill|answer|do|decide|choose|pick|guess|write)"
        "( it| this| that| one)?( in| out)? (for me|for us)",
    ),
    "keep": ("keep( it| that| my answer| as is)?",),
    "help": ("help", "what can i (say|do)( here)?", "commands|options"),
    "cancel": ("cancel|never ?mind|forget it",),
    "at_once": ("(right )?now( please)?|jetzt( gleich)?",),
    "nothing": ("nothing at hand|no link|none at hand|i have none|havent any",),
}
_GERMAN = {
    "back": "zurück",
    "skip": "überspringen|nächste( frage)?",
    "pause": "pause|stopp|genug|aufhören|schluss",
    "resume": "weiter(machen)?|fortsetzen",
    "start": "ja( bitte| gerne?| klar)?|(na )?klar|gerne?|los( gehts)?|(na )?gut|bereit|dann los",
    "out": "nein( danke)?|nee|nö",
    "why": "warum( fragst du( das)?)?|wieso( fragst du( das)?)?|wozu",
    "explain": "(ich )?versteh(e)?( ich| das| die frage)* nicht( ganz)?|wie (bitte|ist das gemeint)|hä"
    "|was (meinst du|hei(ß|ss)t das|ist (damit|hier) gemeint|soll das hei(ß|ss)en)( damit)?",
    "annoyed": "(das ist |so ein )*(quatsch|bl(ö|oe)dsinn|unsinn|schei(ß|ss)e?|mist|nervig)",
    "who": "wer (sieht|liest) (das|meine antworten?)( alles)?",
    "unsure": "(das )?wei(ß|ss) (ich )?(das )?nicht|(bin mir )?nicht sicher|unsicher|keine ahnung",
    "na": "(das )?(trifft|gilt) (bei |für )?(uns )?nicht( zu)?( bei uns| für uns)?|nicht zutreffend",
    "same": "(das |alles )?(gleiche?|beim alten)|unverändert|keine änderung(en)?|stimmt noch",
    "better": "(ist |es ist )?besser( geworden)?",
    "worse": "(ist |es ist )?schlechter( geworden)?",
    "neither": "(keine?r?s?|keins|weder noch)( von( den)? beiden| davon)?",
    "above": "(siehe|wie) oben|wie (gesagt|vorher|letztes mal|beim letzten mal)|dito",
    "help": "hilfe",
    "data": "(bitte )?(lösche?|exportiere) (bitte )?(alle )?meine (daten|antworten)( bitte)?"
    "|was (speicherst|weißt) du (alles )?über mich",
    "nothing": "(habe? ich|hab) (gerade )?nichts( da)?|kein link|nichts da",
}
"""The same said by somebody who thinks in German; whatever else they say is an answer like any other."""
_COMPILED = {
    name: re.compile("|".join((*patterns, *filter(None, (_GERMAN.get(name),)))))
    for name, patterns in _COMMANDS.items()
}
_LATER = re.compile(
    r"(?:ask me |remind me |(?:(?:can|could|may) (?:i|we) )?(?:do|answer) (?:this|it|that) )?"
    r"(?:later|another (?:time|day)|not now|später|jetzt nicht)(?P<after>.*)"
    r"|(?:ask|remind) me (?P<day>.+)"
    r"|(?:pause|wait) (?P<pause>(?:until|till|for) .+)"
)
_HAND = re.compile(
    r"hand (?:(?:this|it) )?(?:over|on)?(?: ?to (.+))?"
    r"|ask (?!me\b)(\w.*) instead"
    r"|(?:please |better |you (?:should|could|can|must) |why dont you )*ask "
    r"(?!(?:me|us|again|later|any\w*|some\w*|every\w*|them|it|for|about|what|why|questions?)\b)(\w+(?: \w+)?)"
    r"(?: about (?:this|that|it))?"
    r"|pass (?:this|it) on(?: to (.+))?"
    r"|not me|not my (?:job|business|task|thing|area|department)"
    r"|(?:im|i am) (?:probably |really )?(?:the wrong|not the right) (?:person|one)"
    r"(?: for (?:this|that|it))?"
    r"|ask (?:somebody|someone|anyone|anybody) else"
)
_NOT_FOR_US = re.compile(
    r"(?:not applicable|n ?a|(?:it |this |that )?(?:doesnt|does not) apply(?: to us| here)?|not for us)"
    r" (?:because|since|as|weil|da) (?P<why>.{8,})"
)
_COUNTS = {
    "one": 1,
    "two": 2,
    "twice": 2,
    "three": 3,
    "four": 4,
    "the first": 1,
    "1": 1,
    "2": 2,
    "3": 3,
    "4": 4,
}
_COUNT = "|".join(_COUNTS)
_BACK = re.compile(
    rf"(?:go )?back (?:by )?(?P<after>{_COUNT})(?: questions?| steps?)?"
    rf"|(?:go )?(?P<before>{_COUNT})(?: questions?| steps?)? back"
    rf"|(?:go )?back to (?:question |number )?(?P<to>{_COUNT})(?: question| one)?"
)
_EDIT = re.compile(
    r"(?:edit|change|correct|redo) (?:my |the |our )?(?:answer )?(?:(?:to|on|about|for|of) )?(?:question )?"
    r"(?P<which>.+?)(?: answer| question)?"
)
_LETTER = re.compile(rf"{_LEANING}(?:([a-e])|(first|second|third|fourth|fifth|last)(?: one)?){_HEDGED}")
_REASONED = re.compile(
    r"(?:option )?([a-eA-E])(?:[,;:)] *| +(?=(?:because|but|although|weil)\b))(?P<why>[^\W\d_]{2}.+)",
    re.DOTALL,
)
_ANOTHER = re.compile(r"(?<![\w'’.-])[A-E](?![\w'’.-])")
"""A letter of another anchor in the reason; only capitals, since "a" is a word."""
_BETWEEN = re.compile(
    r"(?:(?:somewhere |something )?(?:in )?between |both |a bit of |half )?[a-e]"
    r"(?:(?: (?:and|or|to|und|oder) | ?[+-] ?| )(?:half )?[a-e])+"
    r"|(?:(?:a bit|some|something) of both|(?:somewhere )?in between|beides|both of (?:them|these))"
)
_AT_HAND = 16
"""Texts of which it is remembered what they say: each is asked about many times in its turn."""
_TORN = re.compile(
    r"(?=.{0,80}$)(?:(?:i|it|its|is|would|think|say|guess|that|maybe|more|somewhere|hm+)\b[ ,]*)*[A-E]\b"
    r"(?: is)?(?: more| rather)?(?: near| close|nearer|closer)?[ ,]*(?:but|and|or|with)\b[^.!?]*\b[A-E]\W*",
    re.IGNORECASE,
)
"""One letter and then another one: "I think that A is more near but also a little bit C"."""
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_SHORT = 24
"""Characters of a pick in words; what is longer has no slip put right."""
_GREETING = re.compile(r"(hi|hello|hey|good (morning|afternoon|evening|day))( there| again| stagecoach)?")


@lru_cache(maxsize=_AT_HAND)
def bare(text: str) -> str:
    """`text` in small letters, without marks and apostrophes, its words one space apart."""
    lowered = re.sub(r"['’]", "", text.lower())
    return " ".join(re.sub(r"[^\w@.+/-]+", " ", lowered).strip(" .-/").replace("/", " ").split())


@lru_cache(maxsize=_AT_HAND)
def command(text: str) -> tuple[str, str] | None:
    """The command that the whole of `text` is, with its argument: "later" a day, "hand" a name, "na" why,
    "back" how many questions, or to which one ("=2").
    """
    said = bare(text)
    if not said or len(said) > 120:
        return None
    plain = _COURTEOUS.sub("", _FILLED.sub("", said))
    tries = dict.fromkeys((said, plain, mended(plain) if len(plain.split()) == 1 else plain))
    return next(filter(None, map(_named, tries)), None)


_COURTEOUS = re.compile(r"(?: (?:please|pls|plz|thanks|thx|thank you|bitte|danke|for now|then))+$")
_FILLED = re.compile(r"^(?:(?:hm+|um+|uh|er|oh|ah|well|so|ok|okay|sorry|please|then|just|no|yes) )+")
"""Little words before a command, as in "well, skip"."""


def _named(said: str) -> tuple[str, str] | None:
    for name, pattern in _COMPILED.items():
        if pattern.fullmatch(said):
            return name, ""
    if found := _NOT_FOR_US.fullmatch(said):
        return "na", found["why"]
    if found := _BACK.fullmatch(said):
        to = _COUNTS.get(found["to"] or "")
        return "back", f"={to}" if to else str(_COUNTS[found["after"] or found["before"]])
    if (found := _HAND.fullmatch(said)) and said != "hand":
        return "hand", next(filter(None, found.groups()), "").strip()
    if found := _LATER.fullmatch(said):
        return "later", (found["after"] or found["day"] or found["pause"] or "").strip()
    if found := _EDIT.fullmatch(said):
        return "edit", found["which"].strip()
    return None


def is_greeting(text: str) -> bool:
    """The whole of these words says hello."""
    return _GREETING.fullmatch(bare(text)) is not None


def letter(text: str, count: int) -> int | None:
    """The position (0-based) that "B", "the second" or "option c" means among `count` anchors."""
    said = _COURTEOUS.sub("", _FILLED.sub("", bare(text)))
    found = _LETTER.fullmatch(said) or (_LETTER.fullmatch(mended(said)) if len(said) < _SHORT else None)
    if found is None:
        return None
    if found[2] == "last":
        return count - 1
    position = "abcde".index(found[1]) if found[1] else _ORDINALS.index(found[2])
    return position if position < count else None


def picked_with_reason(text: str, count: int) -> tuple[int, str] | None:
    """The position (0-based) among `count` anchors and why, in "B, because Legal answers us"."""
    found = _REASONED.fullmatch(text.strip())
    if found is None or is_between(text):
        return None
    position = "abcde".index(found[1].lower())
    return (position, found["why"]) if position < count else None


def is_between(text: str) -> bool:
    """Two anchors are named at once: "b or c", "something of both", "A, but also B"."""
    found = _REASONED.fullmatch(text.strip())
    also = found is not None and _ANOTHER.search(found["why"]) is not None
    return also or _BETWEEN.fullmatch(bare(text)) is not None or _TORN.fullmatch(text.strip()) is not None
